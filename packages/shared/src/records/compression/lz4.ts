/**
 * LZ4 in the frame format, as Kafka uses it since magic 2 (`Lz4BlockOutputStream`): independent blocks of 64 KiB,
 * neither block nor content checksums. Read is whatever the frame format allows but dictionaries.
 * `lz4-frame.rules.ts` draws the frame.
 */
import { CorruptRecordError } from '../corrupt-record-error.ts'
import type { Codec } from './codec.ts'
import { lz4DecompressBound, lz4DecompressedSize } from './lz4-frame.rules.ts'
import { runWasmCodec } from './wasm-codecs.ts'

const BLOCK_BYTES = 64 * 1024
const HEADER_BYTES = 7
const END_MARK_BYTES = 4

/** Magic, version 1 with independent blocks, 64 KiB blocks, header checksum, end mark. */
const EMPTY_FRAME = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, 0, 0, 0, 0)

export const lz4Codec: Codec = {
  /** `level` is ignored: there is one compressor, the fast one, which is Kafka's default too. */
  compress(bytes) {
    if (bytes.length === 0) return EMPTY_FRAME.slice()
    if (bytes.length <= BLOCK_BYTES) return runWasmCodec('lz4_compress', bytes)
    // The compressor picks larger blocks for larger inputs, for which Java clients would have to make room. Frames of
    // one block each are joined instead.
    const frames: Uint8Array[] = []
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      frames.push(runWasmCodec('lz4_compress', bytes.subarray(at, at + BLOCK_BYTES)))
    }
    return joinFrames(frames)
  },

  decompress(bytes, maxBytes) {
    if (lz4DecompressBound(bytes) > maxBytes && lz4DecompressedSize(bytes) > maxBytes) {
      throw new CorruptRecordError('MESSAGE_TOO_LARGE', `lz4 data decompresses to more than ${maxBytes} bytes`)
    }
    return runWasmCodec('lz4_decompress', bytes)
  },
}

/** One frame out of several with equal headers: the header of the first, the blocks of all, one end mark. */
function joinFrames(frames: Uint8Array[]): Uint8Array {
  let size = HEADER_BYTES + END_MARK_BYTES
  for (const frame of frames) size += frame.length - HEADER_BYTES - END_MARK_BYTES
  const joined = new Uint8Array(size)
  joined.set(frames[0].subarray(0, HEADER_BYTES))
  let at = HEADER_BYTES
  for (const frame of frames) {
    const blocks = frame.subarray(HEADER_BYTES, frame.length - END_MARK_BYTES)
    joined.set(blocks, at)
    at += blocks.length
  }
  return joined
}
