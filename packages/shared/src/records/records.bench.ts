/**
 * What a record and a batch cost: builder, reader, checksum, codecs. Ratios within one run are solid, times are not.
 * One iteration of a builder or reader bench is a batch of 64 KiB: some 600 records of 100 bytes.
 */
import { crc32c as nativeCrc32c } from '@node-rs/crc32'
import { bench, describe } from 'vitest'
import { BatchBuilder } from './batch-builder.ts'
import { sealBatch } from './batch-sealing.ts'
import { validateBatch, validateRecords } from './batch-validation.ts'
import { compress, decompress } from './compression/compression.ts'
import { crc32c, tableCrc32c } from './crc32c.ts'
import { RecordReader } from './record-reader.ts'

const BATCH_BYTES = 64 * 1024
const CAP = 1024 * 1024
const NOW = 1_700_000_000_000

const key = new TextEncoder().encode('key-000042')
const value = new Uint8Array(100).fill(0x61)
const headers = [{ key: 'trace-id', value: new Uint8Array(16) }]

const builder = new BatchBuilder({ writeLimit: BATCH_BYTES })
const reader = new RecordReader()

function fill(recordKey: Uint8Array | null, recordHeaders?: typeof headers): Uint8Array {
  for (let index = 0; builder.tryAppend(NOW + (index >> 6), recordKey, value, recordHeaders); index++);
  return builder.close()
}

describe('build 64 KiB of 100-byte values', () => {
  bench('no key', () => void fill(null))
  bench('10-byte key', () => void fill(key))
  bench('10-byte key, one header', () => void fill(key, headers))
  bench('10-byte key, sealed', () => void sealBatch(fill(key)))
})

describe('read 64 KiB of 100-byte values', () => {
  const batch = sealBatch(fill(key))
  const seen = { bytes: 0, refused: 0 }
  bench('positions only', () => {
    reader.open(batch, 0, CAP)
    while (reader.next()) seen.bytes += reader.valueLength
  })
  bench('key and value as views', () => {
    reader.open(batch, 0, CAP)
    while (reader.next()) seen.bytes += reader.key()!.length + reader.value()!.length
  })
  bench('validateBatch (CRC and header)', () => {
    if (validateBatch(batch, 0, { maxBatchBytes: CAP, origin: 'client' }) !== null) seen.refused++
  })
  bench('validateRecords (every record)', () => {
    if (validateRecords(batch, 0, { maxBytes: CAP, origin: 'client' }, reader) !== null) seen.refused++
  })
})

describe.each([64, 128, 256, 512, BATCH_BYTES])('crc32c of %i bytes', length => {
  const bytes = Uint8Array.from({ length }, (_, index) => index * 7)
  bench('as used', () => void crc32c(bytes))
  bench('tables', () => void tableCrc32c(bytes, 0, length))
  bench('native', () => void nativeCrc32c(bytes.subarray(0, length)))
})

describe('codecs over 64 KiB of JSON', () => {
  const lines = Array.from({ length: 2000 }, (_, id) =>
    JSON.stringify({ id, name: `user-${(id * 7919) % 1000}`, score: Math.sin(id) }),
  )
  const bytes = new TextEncoder().encode(lines.join('\n')).slice(0, BATCH_BYTES)
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const compressed = compress(codec, bytes)
    bench(`${codec} compress`, () => void compress(codec, bytes))
    bench(`${codec} decompress`, () => void decompress(codec, compressed, CAP))
  }
})
