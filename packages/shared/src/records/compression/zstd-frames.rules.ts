/**
 * How much a zstd stream can decompress to, read off its frame and block headers without decompressing (RFC 8878).
 * Asked before a decoder is let loose that takes its memory from what the stream declares.
 *
 *     frame       | magic 0xfd2fb528 LE | descriptor | window u8? | dictionary id 0-4 | content size 0-8 | blocks | checksum u32? |
 *     descriptor  content size flag 7-6 | single segment 5 | 0 | 0 | checksum 2 | dictionary id flag 1-0
 *     block       | u24 LE: size 23-3, type 2-1 (0 stored, 1 one byte repeated, 2 compressed), last 0 | bytes |
 *     skippable   | magic 0x184d2a50 to ..5f LE | size u32 LE | bytes |
 */
import { CorruptRecordError } from '../corrupt-record-error.ts'

const FRAME_MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a50
const BLOCK_BYTES_MAX = 128 * 1024

const DICTIONARY_ID_BYTES = [0, 1, 2, 4]
const CONTENT_SIZE_BYTES = [0, 2, 4, 8]

/** A data frame: where it lies, and the most bytes that it can decompress to. */
export interface ZstdFrame {
  from: number
  to: number
  bound: number
}

/**
 * The data frames of `bytes`; skippable ones are passed over. A frame's bound is its declared content size or, without
 * one, that of full blocks (as `ZSTD_decompressBound` reckons). Throws CORRUPT_MESSAGE when the headers are damaged or
 * declare more than the blocks can hold. Does not look into blocks.
 */
export function zstdFrames(bytes: Uint8Array): ZstdFrame[] {
  const frames: ZstdFrame[] = []
  let at = 0
  while (at < bytes.length) {
    const from = at
    const magic = readUint(bytes, at, 4)
    at += 4
    if (magic - (magic % 16) === SKIPPABLE_MAGIC) {
      at += 4 + readUint(bytes, at, 4)
    } else if (magic === FRAME_MAGIC) {
      const { bound, end } = readFrame(bytes, at)
      frames.push({ from, to: end, bound })
      at = end
    } else {
      refuse('not a zstd frame')
    }
  }
  if (at !== bytes.length) refuse('zstd frame is cut off')
  if (frames.length === 0) refuse('no zstd frame')
  return frames
}

function readFrame(bytes: Uint8Array, from: number): { bound: number; end: number } {
  const descriptor = readUint(bytes, from, 1)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const contentSizeFlag = descriptor >> 6
  const contentSizeBytes = contentSizeFlag === 0 && isSingleSegment ? 1 : CONTENT_SIZE_BYTES[contentSizeFlag]
  let at = from + 1
  let windowSize = 0
  if (!isSingleSegment) windowSize = windowSizeOf(readUint(bytes, at++, 1))
  at += DICTIONARY_ID_BYTES[descriptor & 3]
  let contentSize = -1
  if (contentSizeBytes > 0) {
    contentSize = readUint(bytes, at, contentSizeBytes) + (contentSizeBytes === 2 ? 256 : 0)
    if (isSingleSegment) windowSize = contentSize
  }
  const blocks = countBlocks(bytes, at + contentSizeBytes)
  const blocksBound = blocks.count * Math.min(windowSize, BLOCK_BYTES_MAX)
  if (contentSize > blocksBound) refuse('zstd frame declares more than its blocks can hold')
  return {
    bound: contentSize < 0 ? blocksBound : contentSize,
    end: blocks.end + ((descriptor & 0x04) !== 0 ? 4 : 0),
  }
}

function countBlocks(bytes: Uint8Array, from: number): { count: number; end: number } {
  let at = from
  let count = 0
  let isLast = false
  while (!isLast) {
    const header = readUint(bytes, at, 3)
    const type = (header >> 1) & 3
    if (type === 3) refuse('unknown zstd block type')
    isLast = (header & 1) === 1
    count++
    at += 3 + (type === 1 ? 1 : header >> 3)
  }
  return { count, end: at }
}

function windowSizeOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}

/** Little-endian; more than 53 bits come out inexact, but far over any bound. */
function readUint(bytes: Uint8Array, at: number, size: number): number {
  if (at + size > bytes.length) refuse('zstd frame is cut off')
  let value = 0
  for (let index = size - 1; index >= 0; index--) value = value * 256 + bytes[at + index]
  return value
}

function refuse(message: string): never {
  throw new CorruptRecordError('CORRUPT_MESSAGE', message)
}
