/**
 * How much an LZ4 frame decompresses to, read off its headers and, where that is not enough, the tokens of its blocks,
 * without decompressing. Asked before a decoder is let loose that has no cap of its own.
 *
 *     frame    | magic 0x184d2204 LE | FLG | BD | content size u64? | dictionary id u32? | HC | blocks | end mark 0 | content checksum? |
 *     block    | size u32 LE, high bit: stored | size bytes | block checksum? |
 *     FLG      version (01) 7-6 | independent 5 | block checksum 4 | content size 3 | content checksum 2 | 0 | dictionary 0
 *     BD       0 | block size 6-4: 4 = 64 KiB, 5 = 256 KiB, 6 = 1 MiB, 7 = 4 MiB | 0
 *     sequence | token: literals 7-4, match - 4 3-0; 15 continues in bytes of 255 | literals | distance u16 LE | match |
 */
import { CorruptRecordError } from '../corrupt-record-error.ts'

const MAGIC = 0x184d2204
const STORED_BLOCK = 0x80000000
const FLAG_BLOCK_CHECKSUM = 0x10
const FLAG_CONTENT_SIZE = 0x08
const FLAG_CONTENT_CHECKSUM = 0x04
const FLAG_DICTIONARY = 0x01

/** One byte of LZ4 gives at most this many: each byte of a long length adds up to 255. */
const EXPANSION_MAX = 255

/** Bytes that the block at `bytes[from, to)` decompresses to, or an upper bound of it. */
type BlockSize = (bytes: Uint8Array, from: number, to: number) => number

/**
 * An upper bound, from headers alone, of what the frame decompresses to. Throws CORRUPT_MESSAGE when `bytes` are not
 * exactly one frame.
 */
export function lz4DecompressBound(bytes: Uint8Array): number {
  return walkFrame(bytes, (_bytes, from, to) => (to - from) * EXPANSION_MAX)
}

/** The size that the frame decompresses to if it is sound, from the tokens of its blocks. Costs a walk over them. */
export function lz4DecompressedSize(bytes: Uint8Array): number {
  return walkFrame(bytes, sequencesSize)
}

function walkFrame(bytes: Uint8Array, sizeOf: BlockSize): number {
  if (readWord(bytes, 0) !== MAGIC || bytes.length < 7) refuse('not an lz4 frame')
  const flags = bytes[4]
  const blockSizeId = (bytes[5] >> 4) & 7
  if (flags >> 6 !== 1 || blockSizeId < 4) refuse('unknown lz4 frame version or block size')
  if ((flags & FLAG_DICTIONARY) !== 0) refuse('lz4 frame with a dictionary')
  const blockBytesMax = 1 << (8 + 2 * blockSizeId)
  const checksumBytes = (flags & FLAG_BLOCK_CHECKSUM) !== 0 ? 4 : 0

  let size = 0
  let at = 7 + ((flags & FLAG_CONTENT_SIZE) !== 0 ? 8 : 0)
  while (true) {
    const sizeField = readWord(bytes, at)
    at += 4
    if (sizeField === 0) break
    const end = at + (sizeField % STORED_BLOCK)
    if (end > bytes.length) refuse('lz4 block is cut off')
    size += sizeField >= STORED_BLOCK ? end - at : Math.min(blockBytesMax, sizeOf(bytes, at, end))
    at = end + checksumBytes
  }
  if ((flags & FLAG_CONTENT_CHECKSUM) !== 0) at += 4
  if (at !== bytes.length) refuse('lz4 frame does not end where its bytes do')
  return size
}

function sequencesSize(bytes: Uint8Array, from: number, to: number): number {
  let at = from
  let size = 0
  while (at < to) {
    const token = bytes[at++]
    let literals = token >> 4
    for (let more = literals === 15 ? 255 : 0; more === 255 && at < to; literals += more) more = bytes[at++]
    size += literals
    at += literals
    if (at >= to) break
    at += 2
    let match = token & 15
    for (let more = match === 15 ? 255 : 0; more === 255 && at < to; match += more) more = bytes[at++]
    size += match + 4
  }
  return size
}

function readWord(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length) refuse('lz4 frame is cut off')
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0
}

function refuse(message: string): never {
  throw new CorruptRecordError('CORRUPT_MESSAGE', message)
}
