/**
 * The registry of codecs. Builders and senders compress a batch's records section with it, readers decompress.
 * A codec's library is loaded when the codec is first used, so a thread pays only for what it meets.
 */
import { CorruptRecordError } from '../corrupt-record-error.ts'
import type { Codec } from './codec.ts'
import type { CompressionType } from './compression-type.ts'
import { gzipCodec } from './gzip.ts'
import { lz4Codec } from './lz4.ts'
import { snappyCodec } from './snappy.ts'
import { zstdCodec } from './zstd.ts'

const CODECS: { readonly [T in Exclude<CompressionType, 'none'>]: Codec } = {
  gzip: gzipCodec,
  snappy: snappyCodec,
  lz4: lz4Codec,
  zstd: zstdCodec,
}

/** Compresses `bytes` into an own, exact buffer. `none` returns `bytes` as they are. */
export function compress(type: CompressionType, bytes: Uint8Array, level?: number): Uint8Array {
  return type === 'none' ? bytes : CODECS[type].compress(bytes, level)
}

/**
 * Decompresses `bytes` into an own, exact buffer of at most `maxBytes`. `none` returns `bytes` as they are.
 * Throws CorruptRecordError with CORRUPT_MESSAGE (no valid stream) or MESSAGE_TOO_LARGE (more than `maxBytes`).
 */
export function decompress(type: CompressionType, bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (type !== 'none') return CODECS[type].decompress(bytes, maxBytes)
  if (bytes.length > maxBytes) {
    throw new CorruptRecordError('MESSAGE_TOO_LARGE', `${bytes.length} bytes of records are more than ${maxBytes}`)
  }
  return bytes
}
