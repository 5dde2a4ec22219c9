// A number that stands for a record's key and value, the same at the sender and at the receiver.
import { crc32c } from '@odradek/shared/records/crc32c'

const nothing = new Uint8Array()

/** Of both together. Text stands for its UTF-8 bytes. */
export function fingerprintOf(key: Uint8Array | string | null, value: Uint8Array | null): number {
  const bytes = value ?? nothing
  const keyBytes = typeof key === 'string' ? Buffer.from(key) : (key ?? nothing)
  return crc32c(bytes, 0, bytes.length, crc32c(keyBytes))
}
