/** gzip (RFC 1952) through node:zlib: what Java's GZIPInputStream and librdkafka's zlib read and write. */
import { gunzipSync, gzipSync } from 'node:zlib'
import { CorruptRecordError } from '../corrupt-record-error.ts'
import { type Codec, exactBytes } from './codec.ts'

export const gzipCodec: Codec = {
  compress(bytes, level) {
    return exactBytes(gzipSync(bytes, level === undefined ? {} : { level }))
  },

  decompress(bytes, maxBytes) {
    const inflated = inflate(bytes, maxBytes)
    if (inflated.length > maxBytes) throw tooLarge()
    return exactBytes(inflated)
  },
}

/** zlib inflates piece by piece and stops at the cap (of at least one byte), so a bomb costs at most `maxBytes`. */
function inflate(bytes: Uint8Array, maxBytes: number): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: Math.max(1, maxBytes) })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge()
    throw new CorruptRecordError('CORRUPT_MESSAGE', 'gzip data does not inflate', { cause })
  }
}

function tooLarge(): CorruptRecordError {
  return new CorruptRecordError('MESSAGE_TOO_LARGE', 'gzip data inflates to more bytes than allowed')
}
