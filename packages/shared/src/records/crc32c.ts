/**
 * CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), the checksum of record batches.
 * Native code for what is worth a call out of JavaScript, slice-by-8 tables for the rest; both give the same number.
 */
import { createRequire } from 'node:module'
import { loadingNow } from '../base/loading.ts'

/** Bytes from which the native call (a view and 110-400 ns before the first byte) is cheaper than the tables: see records.bench. */
export const NATIVE_CRC_MIN_BYTES = 512

const POLYNOMIAL = 0x82f63b78

/** `TABLES[k * 256 + b]`: the CRC of byte `b` followed by `k` zero bytes. */
const TABLES = buildTables()

/**
 * CRC-32C of `bytes[from, to)` as an unsigned 32-bit number. `initial` is the result over the preceding pieces (0 for
 * none), so `crc32c(b, 0, b.length, crc32c(a))` is the checksum of a and b together.
 */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length, initial = 0): number {
  if (to - from >= NATIVE_CRC_MIN_BYTES) {
    nativeCrc32c ??= loadingNow(requireNative)
    if (nativeCrc32c !== undefined) return nativeCrc32c(bytes.subarray(from, to), initial)
  }
  return tableCrc32c(bytes, from, to, initial)
}

/** The same in plain JavaScript, eight bytes a step. Exported for the test that holds the two against each other. */
export function tableCrc32c(bytes: Uint8Array, from: number, to: number, initial = 0): number {
  const tables = TABLES
  let crc = ~initial
  let at = from
  for (; at + 8 <= to; at += 8) {
    const low = crc ^ (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24))
    crc =
      tables[0x700 | (low & 0xff)] ^
      tables[0x600 | ((low >>> 8) & 0xff)] ^
      tables[0x500 | ((low >>> 16) & 0xff)] ^
      tables[0x400 | (low >>> 24)] ^
      tables[0x300 | bytes[at + 4]] ^
      tables[0x200 | bytes[at + 5]] ^
      tables[0x100 | bytes[at + 6]] ^
      tables[bytes[at + 7]]
  }
  for (; at < to; at++) crc = tables[(crc ^ bytes[at]) & 0xff] ^ (crc >>> 8)
  return ~crc >>> 0
}

/** Loaded when first needed: it costs a thread 8-10 ms, and threads that see only small batches never need it. */
let nativeCrc32c: ((bytes: Uint8Array, initial: number) => number) | undefined

function requireNative(): (bytes: Uint8Array, initial: number) => number {
  return createRequire(import.meta.url)('@node-rs/crc32').crc32c
}

function buildTables(): Int32Array {
  const tables = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL
    tables[byte] = crc
  }
  for (let at = 256; at < tables.length; at++) {
    const shorter = tables[at - 256]
    tables[at] = tables[shorter & 0xff] ^ (shorter >>> 8)
  }
  return tables
}
