// What the build keeps of the pack for one platform, as one file: a thread opens it once and takes each chunk, source and bytecode together, with one read. (Two
// files for a chunk, opened, measured, read and closed, were a fifth of what a starting thread did.)
//
//   packed/v20.20.2-linux-x64.kept
//   +--------+----------------------------------------------+-------------------+--------+---------------- - -
//   | u32 LE | index: JSON, chunk -> [at, bytecode, source]  | bytecode of chunk | source | next chunk
//   +--------+----------------------------------------------+-------------------+--------+---------------- - -
//     length of the index            `at` counts from behind the index; lengths in bytes
import { openSync, readSync, writeFileSync } from 'node:fs'
import type { KeptChunk } from './code-cache.ts'

type Index = { readonly [name: string]: readonly [at: number, code: number, source: number] }

const LENGTH_BYTES = 4

/** Writes the file anew. */
export function writeKept(path: string, chunks: ReadonlyMap<string, KeptChunk>): void {
  const index: { [name: string]: Index[string] } = {}
  const parts: Uint8Array[] = []
  let at = 0
  for (const [name, { code, source }] of chunks) {
    index[name] = [at, code.length, source.length]
    parts.push(code, Buffer.from(source, 'latin1'))
    at += code.length + source.length
  }
  const words = Buffer.from(JSON.stringify(index), 'latin1')
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32LE(words.length)
  writeFileSync(path, Buffer.concat([length, words, ...parts]))
}

/** Reads chunks of the file, which stays open as long as the thread runs. Undefined for what was not kept, or cannot be read: the plain file of the pack is there. */
export function keptChunks(path: string): (name: string) => KeptChunk | undefined {
  const kept = attempt(() => openIndex(path))
  return name => {
    const place = kept?.index[name]
    return kept && place && attempt(() => chunkAt(kept, place))
  }
}

interface Kept {
  readonly file: number
  readonly index: Index
  /** Where the index ends. */
  readonly start: number
}

function openIndex(path: string): Kept {
  const file = openSync(path, 'r')
  const length = readAt(file, 0, LENGTH_BYTES).readUInt32LE()
  const index: Index = JSON.parse(readAt(file, LENGTH_BYTES, length).toString('latin1'))
  return { file, index, start: LENGTH_BYTES + length }
}

function chunkAt({ file, start }: Kept, [at, code, source]: Index[string]): KeptChunk {
  const bytes = readAt(file, start + at, code + source)
  return { code: bytes.subarray(0, code), source: bytes.toString('latin1', code) }
}

/** An own buffer. Throws RangeError when the file ends before. */
function readAt(file: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length)
  if (readSync(file, bytes, 0, length, position) < length) throw new RangeError('the file is cut off')
  return bytes
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
