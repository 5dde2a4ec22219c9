// While the build records: the bytecode that threads and programs leave when they end, one file for each chunk, until `bindRecorded` makes one file of them.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'
import { CodeCache, type KeptChunk, platformName } from './code-cache.ts'
import { writeKept } from './kept-code.records.ts'
import { keptFile } from './kept-code.ts'

const CODE = '.code'

function recordedIn(folder: string): string {
  return join(folder, `${platformName()}.recorded`)
}

/** Loads `name` as threads do, from what was recorded so far, and adds to it when this thread or process ends. */
export function loadRecorded(folder: string, name: string): void {
  const recorded = recordedIn(folder)
  mkdirSync(recorded, { recursive: true })
  const cache = new CodeCache(folder, chunk => readRecorded(folder, chunk))
  process.on('exit', () => {
    for (const { name, code } of cache.code()) keep(join(recorded, name + CODE), code)
  })
  cache.load(name)
}

function readRecorded(folder: string, name: string): KeptChunk | undefined {
  try {
    const code = readFileSync(join(recordedIn(folder), name + CODE))
    return { code, source: readFileSync(join(folder, name), 'latin1') }
  } catch {
    return undefined
  }
}

/** Where no other thread compiled more of it. */
function keep(path: string, code: Uint8Array): void {
  const written = statSync(path, { throwIfNoEntry: false })
  if (written !== undefined && written.size >= code.length) return
  // Whole or not at all: other threads end at the same time, and the build may be stopped.
  const part = `${path}.${process.pid}.${threadId}`
  writeFileSync(part, code)
  renameSync(part, path)
}

/** Makes one file of all that was recorded. */
export function bindRecorded(folder: string): void {
  const recorded = recordedIn(folder)
  mkdirSync(recorded, { recursive: true })
  const names = readdirSync(recorded).filter(name => name.endsWith(CODE))
  const chunks = names
    .map(name => name.slice(0, -CODE.length))
    .map(name => [name, readRecorded(folder, name)!] as const)
  writeKept(keptFile(folder), new Map(chunks))
  rmSync(recorded, { recursive: true })
}
