import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NO_LEADER_EPOCH } from '../base/brands.ts'
import { BatchBuilder, recordSizeUpperBound } from './batch-builder.ts'
import { validateBatch, validateRecords } from './batch-validation.ts'
import * as batch from './record-batch.ts'
import { type BatchRecord, readRecords } from './record-reader.ts'

const KIB = 1024
const LIMITS = { maxBatchBytes: 10 * KIB * KIB, origin: 'client' } as const
const RULES = { maxBytes: 10 * KIB * KIB, origin: 'client' } as const

const encoder = new TextEncoder()
const bytesOf = (text: string) => encoder.encode(text)
const recordsOf = (bytes: Uint8Array): BatchRecord[] => [...readRecords(bytes, 0, RULES.maxBytes)]

const anyBytes = fc.option(
  fc.uint8Array({ maxLength: 300 }).map(bytes => new Uint8Array(bytes)),
  { nil: null },
)
const anyRecord = fc.record({
  timestamp: fc.oneof(fc.nat(2 ** 31 - 1), fc.integer({ min: -1, max: 2 ** 50 })),
  key: anyBytes,
  value: anyBytes,
  headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme', maxLength: 20 }), value: anyBytes }), {
    maxLength: 4,
  }),
})

describe('a built batch', () => {
  test('reads back as the records that were appended, and is valid', () => {
    fc.assert(
      fc.property(
        fc.array(anyRecord, { minLength: 1, maxLength: 30 }),
        fc.constantFrom('none' as const, 'gzip' as const),
        (records, compression) => {
          const builder = new BatchBuilder({ writeLimit: 1024 * KIB, initialBytes: 128 })
          for (const { timestamp, key, value, headers } of records) {
            expect(builder.tryAppend(timestamp, key, value, headers)).toBe(true)
          }
          const bytes = builder.build({ compression, producerId: 4711, producerEpoch: 3, baseSequence: 9 })

          expect(validateBatch(bytes, 0, LIMITS)).toBeNull()
          expect(validateRecords(bytes, 0, RULES)).toBeNull()
          expect(bytes.byteLength).toBe(bytes.buffer.byteLength)
          expect(batch.maxTimestamp(bytes, 0)).toBe(Math.max(...records.map(record => record.timestamp)))
          expect(recordsOf(bytes)).toEqual(records.map((record, offset) => ({ offset, ...record })))
        },
      ),
    )
  })

  test('has the size that the builder said, never more than the upper bounds', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 10 }), records => {
        const builder = new BatchBuilder({ writeLimit: 1024 * KIB })
        let bound: number = batch.BATCH_HEADER_BYTES
        for (const { timestamp, key, value, headers } of records) {
          builder.tryAppend(timestamp, key, value, headers)
          bound += recordSizeUpperBound(key, value, headers)
        }
        const size = builder.sizeInBytes
        expect(builder.close()).toHaveLength(size)
        expect(size).toBeLessThanOrEqual(bound)
      }),
    )
  })

  test('keeps duplicate header keys and their order', () => {
    const builder = new BatchBuilder({ writeLimit: KIB })
    const headers = [
      { key: 'trace', value: bytesOf('1') },
      { key: 'a', value: null },
      { key: 'trace', value: bytesOf('2') },
    ]
    builder.tryAppend(1, null, null, headers)
    expect(recordsOf(builder.build())[0].headers).toEqual(headers)
  })

  test('carries what the seal says and leaves the rest', () => {
    const builder = new BatchBuilder({ writeLimit: KIB })
    builder.tryAppend(1, null, bytesOf('v'))
    const bytes = builder.build({
      producerId: 2 ** 40,
      producerEpoch: 32767,
      baseSequence: 2 ** 31 - 1,
      transactional: true,
    })
    expect(batch.producerId(bytes, 0)).toBe(2 ** 40)
    expect(batch.producerEpoch(bytes, 0)).toBe(32767)
    expect(batch.baseSequence(bytes, 0)).toBe(2 ** 31 - 1)
    expect(batch.isTransactional(bytes, 0)).toBe(true)
    expect(batch.isControlBatch(bytes, 0)).toBe(false)
    expect(batch.timestampType(bytes, 0)).toBe('CreateTime')
    expect(batch.partitionLeaderEpoch(bytes, 0)).toBe(NO_LEADER_EPOCH)
  })
})

describe('the write limit', () => {
  test('refuses the record that would pass it, and changes nothing by refusing', () => {
    const builder = new BatchBuilder({ writeLimit: 200 })
    const value = new Uint8Array(40)
    let appended = 0
    while (builder.hasRoomFor(5, null, value)) {
      expect(builder.tryAppend(5, null, value)).toBe(true)
      appended++
    }
    const size = builder.sizeInBytes
    expect(builder.tryAppend(5, null, value)).toBe(false)
    expect(builder.sizeInBytes).toBe(size)
    expect(size).toBeLessThanOrEqual(200)
    expect(recordsOf(builder.build())).toHaveLength(appended)
  })

  test('a first record fits whatever its size', () => {
    const builder = new BatchBuilder({ writeLimit: 200 })
    const value = new Uint8Array(5000).fill(7)
    expect(builder.hasRoomFor(0, null, value)).toBe(true)
    expect(builder.tryAppend(0, null, value)).toBe(true)
    expect(builder.tryAppend(0, null, null)).toBe(false)
    expect(recordsOf(builder.build())[0].value).toEqual(value)
  })
})

test('a buffer that one large record made grow is given back, one that batches need is kept', () => {
  const builder = new BatchBuilder({ writeLimit: 4 * KIB, initialBytes: KIB })
  builder.tryAppend(0, null, new Uint8Array(1024 * KIB))
  expect(builder.bufferBytes).toBeGreaterThan(1024 * KIB)
  builder.close()
  expect(builder.bufferBytes).toBe(KIB)
  while (builder.tryAppend(0, null, new Uint8Array(100)));
  builder.close()
  expect(builder.bufferBytes).toBe(4 * KIB)
})

test('a closed batch does not change when the builder goes on', () => {
  const builder = new BatchBuilder({ writeLimit: KIB })
  builder.tryAppend(10, bytesOf('k'), bytesOf('first'))
  const first = builder.build()
  expect(builder.recordCount).toBe(0)
  builder.tryAppend(3, bytesOf('k'), bytesOf('second'))
  const second = builder.build()
  expect(recordsOf(first)[0].value).toEqual(bytesOf('first'))
  expect(batch.baseTimestamp(second, 0)).toBe(3)
  expect(batch.maxTimestamp(second, 0)).toBe(3)
})
