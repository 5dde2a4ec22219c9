/**
 * Snappy. Java clients wrap it in the framing of xerial's snappy-java, librdkafka and others send one raw block: both
 * are read, the framed form is written, in blocks of 32 KiB as Java writes them.
 *
 *     framed   | 0x82 "SNAPPY" 0x00 | version i32 BE = 1 | lowest compatible version i32 BE = 1 | blocks |
 *     block    | length i32 BE | raw |
 *     raw      | uncompressed length uvarint | literals and copies |
 */
import { CorruptRecordError } from '../corrupt-record-error.ts'
import type { Codec } from './codec.ts'
import { runWasmCodec } from './wasm-codecs.ts'

const FRAME_MAGIC = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00)
const FRAME_HEADER = Uint8Array.of(...FRAME_MAGIC, 0, 0, 0, 1, 0, 0, 0, 1)
const BLOCK_BYTES = 32 * 1024

/** Three bytes can copy 64, and nothing expands more: a length above that is a lie. */
const EXPANSION_MAX = 22

export const snappyCodec: Codec = {
  /** `level` is ignored: Snappy has none. */
  compress(bytes) {
    const blocks: Uint8Array[] = []
    let size = FRAME_HEADER.length
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      const block = runWasmCodec('snappy_compress', bytes.subarray(at, at + BLOCK_BYTES))
      blocks.push(block)
      size += 4 + block.length
    }
    const framed = new Uint8Array(size)
    framed.set(FRAME_HEADER)
    let at = FRAME_HEADER.length
    for (const block of blocks) {
      writeInt32(framed, at, block.length)
      framed.set(block, at + 4)
      at += 4 + block.length
    }
    return framed
  },

  decompress(bytes, maxBytes) {
    const spans = isFramed(bytes, 0) ? framedBlocks(bytes) : [{ from: 0, to: bytes.length }]
    let size = 0
    for (const { from, to } of spans) size += uncompressedLength(bytes, from, to)
    if (size > maxBytes) {
      throw new CorruptRecordError('MESSAGE_TOO_LARGE', `snappy data decompresses to ${size} bytes, over ${maxBytes}`)
    }
    if (spans.length === 1) return decompressBlock(bytes, spans[0])
    const output = new Uint8Array(size)
    let at = 0
    for (const span of spans) {
      const block = decompressBlock(bytes, span)
      output.set(block, at)
      at += block.length
    }
    return output
  },
}

interface Span {
  from: number
  to: number
}

function isFramed(bytes: Uint8Array, at: number): boolean {
  if (bytes.length - at < FRAME_HEADER.length) return false
  return FRAME_MAGIC.every((byte, index) => bytes[at + index] === byte)
}

/** The raw blocks of framed bytes. A header may come again where streams were concatenated. */
function framedBlocks(bytes: Uint8Array): Span[] {
  const blocks: Span[] = []
  let at = FRAME_HEADER.length
  while (at < bytes.length) {
    if (isFramed(bytes, at)) {
      at += FRAME_HEADER.length
      continue
    }
    if (bytes.length - at < 4) refuse('snappy block length is cut off')
    const length = readInt32(bytes, at)
    at += 4
    if (length < 0 || length > bytes.length - at) refuse('snappy block is cut off')
    blocks.push({ from: at, to: at + length })
    at += length
  }
  return blocks
}

function uncompressedLength(bytes: Uint8Array, from: number, to: number): number {
  let length = 0
  for (let index = 0; index < 5; index++) {
    if (from + index >= to) break
    const byte = bytes[from + index]
    length += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) {
      if (length > (to - from) * EXPANSION_MAX) refuse('snappy length is more than the data can hold')
      return length
    }
  }
  return refuse('snappy length is cut off')
}

function decompressBlock(bytes: Uint8Array, { from, to }: Span): Uint8Array {
  return runWasmCodec('snappy_decompress', bytes.subarray(from, to))
}

function readInt32(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]
}

function writeInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 24
  bytes[at + 1] = value >> 16
  bytes[at + 2] = value >> 8
  bytes[at + 3] = value
}

function refuse(message: string): never {
  throw new CorruptRecordError('CORRUPT_MESSAGE', message)
}
