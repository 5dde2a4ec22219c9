/**
 * The registry of codecs. Builders and senders compress a batch's records section with it, readers decompress.
 * A codec's library is loaded when the codec is first used, so a thread pays only for what it meets.
 */
import { CorruptRecordError } from '../corrupt-record-error.ts'
import type { Codec } from './codec.ts'
import type { CompressionType } from './compression-type.ts'
import { gzipCodec } from './gzip.ts'

const CODECS: { readonly [T in CompressionType]?: Codec } = { gzip: gzipCodec }

/** Compresses `bytes` into an own, exact buffer. `none` returns `bytes` as they are. */
export function compress(type: CompressionType, bytes: Uint8Array, level?: number): Uint8Array {
  return type === 'none' ? bytes : codecOf(type).compress(bytes, level)
}

/**
 * Decompresses `bytes` into an own, exact buffer of at most `maxBytes`. `none` returns `bytes` as they are.
 * Throws CorruptRecordError with CORRUPT_MESSAGE (no valid stream) or MESSAGE_TOO_LARGE (more than `maxBytes`).
 */
export function decompress(type: CompressionType, bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (type !== 'none') return codecOf(type).decompress(bytes, maxBytes)
  if (bytes.length > maxBytes) {
    throw new CorruptRecordError('MESSAGE_TOO_LARGE', `${bytes.length} bytes of records are more than ${maxBytes}`)
  }
  return bytes
}

function codecOf(type: Exclude<CompressionType, 'none'>): Codec {
  const codec = CODECS[type]
  if (codec === undefined) throw new CorruptRecordError('UNSUPPORTED_COMPRESSION_TYPE', `no codec for ${type}`)
  return codec
}
