import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BatchBuilder } from './batch-builder.ts'
import { validateBatch, validateRecords } from './batch-validation.ts'
import type { CompressionType } from './compression/compression-type.ts'
import { CorruptRecordError } from './corrupt-record-error.ts'
import { boundaryRecords, mixedRecords } from './fixtures/record-inputs.ts'
import * as batch from './record-batch.ts'
import { RecordReader, readRecords } from './record-reader.ts'
import { writeVarint, writeVarlong } from './varint.ts'

const CAP = 256 * 1024
const RULES = { maxBytes: CAP, origin: 'client' } as const
const CODECS: CompressionType[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** A record in bytes, with whatever fields a test wants to get wrong. */
function rawRecord(fields: {
  offsetDelta?: number
  timestampDelta?: number
  body?: number[]
  length?: number
}): number[] {
  const head = new Uint8Array(32)
  let at = writeVarlong(head, 1, fields.timestampDelta ?? 0)
  at = writeVarint(head, at, fields.offsetDelta ?? 0)
  const content = [...head.subarray(0, at), ...(fields.body ?? NULL_KEY_AND_VALUE)]
  const length = new Uint8Array(5)
  const lengthEnd = writeVarint(length, 0, fields.length ?? content.length)
  return [...length.subarray(0, lengthEnd), ...content]
}

/** Key null, value null, no headers. */
const NULL_KEY_AND_VALUE = [1, 1, 0]

/** An uncompressed batch around raw records. */
function rawBatch(records: number[][], header: Partial<batch.BatchHeader> = {}): Uint8Array {
  const section = records.flat()
  const bytes = new Uint8Array(batch.BATCH_HEADER_BYTES + section.length)
  bytes.set(section, batch.BATCH_HEADER_BYTES)
  batch.writeBatchHeader(bytes, 0, {
    baseOffset: 0,
    sizeInBytes: bytes.length,
    partitionLeaderEpoch: -1,
    attributes: 0,
    lastOffsetDelta: Math.max(0, records.length - 1),
    baseTimestamp: 1000,
    maxTimestamp: 1000,
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
    recordCount: records.length,
    ...header,
  })
  batch.writeBatchCrc(bytes, 0)
  return bytes
}

function aBatch(records = mixedRecords, compression: CompressionType = 'none'): Uint8Array {
  const builder = new BatchBuilder({ writeLimit: CAP })
  for (const { timestamp, key, value, headers } of records) builder.tryAppend(timestamp, key, value, headers)
  return builder.build({ compression })
}

function refusal(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof CorruptRecordError) return error.kafkaName
    throw error
  }
  return 'no refusal'
}

function readAll(bytes: Uint8Array, reader = new RecordReader()): number {
  let seen = 0
  reader.open(bytes, 0, CAP)
  while (reader.next()) {
    seen += 1 + (reader.key()?.length ?? 0) + (reader.value()?.length ?? 0) + reader.headers().length
  }
  return seen
}

describe('a reader', () => {
  test.each(CODECS)('gives %s batches at any position the offsets that the leader set', codec => {
    const one = aBatch(mixedRecords, codec)
    const bytes = new Uint8Array(Buffer.concat([new Uint8Array(7), one]))
    batch.setBaseOffset(bytes, 7, 5_000_000_000)
    const offsets = [...readRecords(bytes, 7, CAP)].map(record => record.offset)
    expect(offsets).toEqual(mixedRecords.map((_, index) => 5_000_000_000 + index))
  })

  test('views of an uncompressed batch are views of its bytes', () => {
    const bytes = aBatch()
    for (const { key, value } of readRecords(bytes, 0, CAP)) {
      if (key !== null) expect(key.buffer).toBe(bytes.buffer)
      if (value !== null) expect(value.buffer).toBe(bytes.buffer)
    }
  })

  test('decodes headers only when asked, as often as asked', () => {
    const reader = new RecordReader()
    reader.open(aBatch(), 0, CAP)
    let counted = 0
    while (reader.next()) {
      counted += reader.headerCount
      expect(reader.headers()).toEqual(reader.headers())
      expect(reader.headers()).toHaveLength(reader.headerCount)
    }
    expect(counted).toBe(5)
  })

  test('is fit for the next batch after a refusal', () => {
    const reader = new RecordReader()
    const broken = aBatch()
    broken[batch.BATCH_HEADER_BYTES] = 0xff
    expect(refusal(() => readAll(broken, reader))).toBe('INVALID_RECORD')
    expect(readAll(aBatch(), reader)).toBe(readAll(aBatch()))
  })

  test('offsets keep the gaps that compaction leaves', () => {
    const records = [2, 3, 900].map(offsetDelta => rawRecord({ offsetDelta }))
    const bytes = rawBatch(records, { baseOffset: 100, lastOffsetDelta: 1000 })
    expect([...readRecords(bytes, 0, CAP)].map(record => record.offset)).toEqual([102, 103, 1000])
    expect(validateRecords(bytes, 0, { maxBytes: CAP, origin: 'log' })).toBeNull()
    expect(validateRecords(bytes, 0, RULES)).toEqual({ kafkaName: 'INVALID_RECORD', batchIndex: 0 })
  })

  test('a batch emptied by compaction has no records', () => {
    const bytes = rawBatch([], { baseOffset: 7, lastOffsetDelta: 4 })
    expect([...readRecords(bytes, 0, CAP)]).toEqual([])
    expect(batch.nextOffset(bytes, 0)).toBe(12)
  })

  test('a reader asked again after the last record still says there is none', () => {
    const reader = new RecordReader()
    reader.open(rawBatch([rawRecord({})]), 0, CAP)
    expect([reader.next(), reader.next(), reader.next()]).toEqual([true, false, false])
  })
})

describe('refused with INVALID_RECORD', () => {
  test.each<[string, Uint8Array]>([
    ['fewer records than the header counts', rawBatch([rawRecord({})], { recordCount: 2 })],
    [
      'more records than the header counts',
      rawBatch([rawRecord({}), rawRecord({ offsetDelta: 1 })], { recordCount: 1 }),
    ],
    ['records where the header counts none', rawBatch([rawRecord({})], { recordCount: 0 })],
    ['a record longer than its batch', rawBatch([rawRecord({ length: 100 })])],
    ['a record of negative length', rawBatch([rawRecord({ length: -1 })])],
    ['a record too short for its fields', rawBatch([rawRecord({ length: 3 })])],
    ['a key longer than its record', rawBatch([rawRecord({ body: [20, 1, 0] })])],
    ['a key of length -2', rawBatch([rawRecord({ body: [3, 1, 0] })])],
    ['a value longer than its record', rawBatch([rawRecord({ body: [1, 20, 0] })])],
    ['a value of length -2', rawBatch([rawRecord({ body: [1, 3, 0] })])],
    ['a negative header count', rawBatch([rawRecord({ body: [1, 1, 1] })])],
    [
      'a header count that the record cannot hold',
      rawBatch([rawRecord({ body: [1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f] })]),
    ],
    ['bytes after the last header', rawBatch([rawRecord({ body: [1, 1, 0, 0] })])],
    ['a header key of negative length', rawBatch([rawRecord({ body: [1, 1, 2, 1, 1] })])],
    ['a header key longer than its record', rawBatch([rawRecord({ body: [1, 1, 2, 8, 1] })])],
    ['a header value longer than its record', rawBatch([rawRecord({ body: [1, 1, 2, 0, 8] })])],
    ['a header value of length -2', rawBatch([rawRecord({ body: [1, 1, 2, 0, 3] })])],
    ['bytes after the counted headers', rawBatch([rawRecord({ body: [1, 1, 2, 0, 0, 0, 0] })])],
  ])('%s', (_name, bytes) => {
    expect(refusal(() => readAll(bytes))).toBe('INVALID_RECORD')
    expect(validateRecords(bytes, 0, { maxBytes: CAP, origin: 'log' })?.kafkaName).toBe('INVALID_RECORD')
  })
})

describe('record rules', () => {
  const records = [0, 1, 2].map(offsetDelta => rawRecord({ offsetDelta, timestampDelta: offsetDelta * 10 }))

  test('a record without a key is refused where compaction needs one, by its index', () => {
    const bytes = aBatch(mixedRecords)
    expect(validateRecords(bytes, 0, { ...RULES, keyRequired: true })).toEqual({
      kafkaName: 'INVALID_RECORD',
      batchIndex: 1,
    })
  })

  test('timestamps before and after the bounds are refused, by their index', () => {
    const bytes = rawBatch(records)
    expect(validateRecords(bytes, 0, { ...RULES, timestampMin: 1000, timestampMax: 1020 })).toBeNull()
    const refused = { kafkaName: 'INVALID_TIMESTAMP' }
    expect(validateRecords(bytes, 0, { ...RULES, timestampMin: 1001 })).toEqual({ ...refused, batchIndex: 0 })
    expect(validateRecords(bytes, 0, { ...RULES, timestampMax: 1019 })).toEqual({ ...refused, batchIndex: 2 })
  })

  test('a record without a timestamp is within any bounds', () => {
    const bytes = rawBatch([rawRecord({})], { baseTimestamp: -1, maxTimestamp: -1 })
    expect(validateRecords(bytes, 0, { ...RULES, timestampMin: 1001, timestampMax: 2000 })).toBeNull()
  })

  test.each([
    ['repeated', [0, 0]],
    ['backward', [1, 0]],
    ['negative', [-1, 0]],
    ['past the last delta', [0, 2]],
  ])('%s offset deltas are refused', (_name, deltas) => {
    const bytes = rawBatch(deltas.map(offsetDelta => rawRecord({ offsetDelta })))
    expect(validateRecords(bytes, 0, RULES)?.kafkaName).toBe('INVALID_RECORD')
    expect(validateRecords(bytes, 0, { ...RULES, origin: 'log' })?.kafkaName).toBe('INVALID_RECORD')
  })

  test.each(CODECS)('more bytes than the cap are refused: %s', codec => {
    const bytes = aBatch(boundaryRecords, codec)
    const expected = codec === 'none' ? null : { kafkaName: 'MESSAGE_TOO_LARGE', batchIndex: -1 }
    expect(validateRecords(bytes, 0, { ...RULES, maxBytes: 1000 })).toEqual(expected)
  })

  test('a codec that does not exist is refused', () => {
    expect(refusal(() => readAll(rawBatch([], { attributes: 7 })))).toBe('UNSUPPORTED_COMPRESSION_TYPE')
  })
})

describe.each(CODECS)('a damaged %s batch', codec => {
  const sound = aBatch([...mixedRecords, ...boundaryRecords.slice(100)], codec)
  const anyEdits = fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })

  function damaged(edits: [number, number][]): Uint8Array {
    const bytes = sound.slice()
    for (const [at, byte] of edits) bytes[at] = byte
    return bytes
  }

  test('is never taken for a sound one', () => {
    fc.assert(
      fc.property(anyEdits, edits => {
        const bytes = damaged(edits)
        const isChanged = edits.some(([at]) => at > 16 && bytes[at] !== sound[at])
        if (isChanged) expect(validateBatch(bytes, 0, { maxBatchBytes: CAP, origin: 'client' })).not.toBeNull()
      }),
    )
  })

  test('is refused by type or read within bounds, with and without the CRC made to match', () => {
    const reader = new RecordReader()
    fc.assert(
      fc.property(anyEdits, edits => {
        const bytes = damaged(edits)
        if (batch.batchSizeAt(bytes, 0) > 0) batch.writeBatchCrc(bytes, 0)
        validateBatch(bytes, 0, { maxBatchBytes: CAP, origin: 'client' })
        validateRecords(bytes, 0, RULES, reader)
        // Keys, values and headers cannot be more than what was decompressed.
        const seen = refusal(() => expect(readAll(bytes, reader)).toBeLessThanOrEqual(CAP))
        expect([
          'no refusal',
          'CORRUPT_MESSAGE',
          'INVALID_RECORD',
          'MESSAGE_TOO_LARGE',
          'UNSUPPORTED_COMPRESSION_TYPE',
        ]).toContain(seen)
      }),
      { numRuns: 500 },
    )
  })
})

test('noise is refused by validation, whatever its length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      expect(validateBatch(bytes, 0, { maxBatchBytes: CAP, origin: 'log' })).not.toBeNull()
      expect(() => batch.forEachBatch(bytes, () => {})).not.toThrow(TypeError)
    }),
  )
})
