import { describe, expect, test } from 'vitest'
import { NO_SEQUENCE } from '../base/brands.ts'
import { BatchBuilder } from './batch-builder.ts'
import { decompressBatch, sealBatch } from './batch-sealing.ts'
import { validateBatch } from './batch-validation.ts'
import * as batch from './record-batch.ts'
import { readRecords } from './record-reader.ts'

const LIMITS = { maxBatchBytes: 1024 * 1024, origin: 'client' } as const
const LOG_LIMITS = { maxBatchBytes: 1024 * 1024, origin: 'log' } as const

function aBatch(values: string[] = ['a', 'b', 'c'], timestamp = 1000): Uint8Array {
  const builder = new BatchBuilder({ writeLimit: 1024 * 1024 })
  for (const value of values) builder.tryAppend(timestamp, null, new TextEncoder().encode(value))
  return builder.build()
}

function concatenated(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

/** A valid batch with one header field changed and the CRC computed anew. */
function changed(change: (bytes: Uint8Array) => void, bytes = aBatch()): Uint8Array {
  change(bytes)
  batch.writeBatchCrc(bytes, 0)
  return bytes
}

describe('header view', () => {
  test('works at any position', () => {
    const bytes = concatenated(aBatch(), aBatch(['x'], 77))
    const at = batch.batchSizeInBytes(bytes, 0)
    expect(batch.recordCount(bytes, at)).toBe(1)
    expect(batch.baseTimestamp(bytes, at)).toBe(77)
    batch.setBaseOffset(bytes, at, 2 ** 52 + 1)
    expect(batch.baseOffset(bytes, at)).toBe(2 ** 52 + 1)
    expect(batch.lastOffset(bytes, at)).toBe(2 ** 52 + 1)
    expect(batch.nextOffset(bytes, at)).toBe(2 ** 52 + 2)
    expect(batch.baseOffset(bytes, 0)).toBe(0)
  })

  test('base offset and leader epoch are not under the CRC', () => {
    const bytes = aBatch()
    batch.setBaseOffset(bytes, 0, 123456789012)
    batch.setPartitionLeaderEpoch(bytes, 0, 42)
    expect(batch.partitionLeaderEpoch(bytes, 0)).toBe(42)
    expect(validateBatch(bytes, 0, LOG_LIMITS)).toBeNull()
  })

  test('log append time is every record timestamp, and the CRC follows', () => {
    const bytes = aBatch()
    batch.setMaxTimestamp(bytes, 0, 'LogAppendTime', 999999999999)
    expect(validateBatch(bytes, 0, LOG_LIMITS)).toBeNull()
    expect([...readRecords(bytes, 0, 1000)].map(record => record.timestamp)).toEqual([
      999999999999, 999999999999, 999999999999,
    ])
    batch.setMaxTimestamp(bytes, 0, 'CreateTime', 1000)
    expect(bytes).toEqual(aBatch())
  })

  test('the last sequence wraps from 2^31 - 1 to 0', () => {
    const bytes = sealBatch(aBatch(), { producerId: 1, producerEpoch: 0, baseSequence: 2 ** 31 - 2 })
    expect(batch.lastSequence(bytes, 0)).toBe(0)
    expect(batch.lastSequence(aBatch(), 0)).toBe(NO_SEQUENCE)
  })

  test('a batch sealed again with another epoch is as if sealed once', () => {
    const seal = { compression: 'gzip', producerId: 9, producerEpoch: 1, baseSequence: 5, transactional: true } as const
    const resealed = sealBatch(sealBatch(aBatch(), { ...seal, producerEpoch: 0, baseSequence: 100 }), {
      producerId: 9,
      producerEpoch: 1,
      baseSequence: 5,
    })
    expect(resealed).toEqual(sealBatch(aBatch(), seal))
  })

  test('decompression gives back the batch that was compressed', () => {
    const bytes = aBatch()
    const back = decompressBatch(sealBatch(aBatch(), { compression: 'gzip' }), 0, 1000)
    batch.writeBatchCrc(back, 0)
    expect(back).toEqual(bytes)
  })
})

describe('concatenated batches', () => {
  const bytes = concatenated(aBatch(['a']), aBatch(['b', 'c']), aBatch(['d']))
  const positionsIn = (part: Uint8Array) => {
    const positions: number[] = []
    const end = batch.forEachBatch(part, at => positions.push(at))
    expect([...batch.batchPositions(part)]).toEqual(positions)
    return { positions, end }
  }

  test('are visited in order, each at its exact bounds', () => {
    const first = batch.batchSizeInBytes(bytes, 0)
    const second = first + batch.batchSizeInBytes(bytes, first)
    expect(positionsIn(bytes)).toEqual({ positions: [0, first, second], end: bytes.length })
  })

  test('an incomplete last batch is left out at every cut', () => {
    const whole = new Set([0, ...positionsIn(bytes).positions, bytes.length])
    for (let cut = 0; cut < bytes.length; cut++) {
      const { positions, end } = positionsIn(bytes.subarray(0, cut))
      expect(whole.has(end)).toBe(true)
      expect(end).toBeLessThanOrEqual(cut)
      expect(positions.every(at => at < end)).toBe(true)
    }
  })

  test.each([-1, 0, 48, -(2 ** 31)])('a batch length of %d is refused, not looped over', length => {
    const broken = aBatch()
    batch.writeBatchSize(broken, 0, length + batch.LOG_OVERHEAD)
    expect(() => batch.forEachBatch(broken, () => {})).toThrow('no valid length')
    expect(() => [...batch.batchPositions(broken)]).toThrow('no valid length')
  })
})

describe('validation', () => {
  test('a sound batch is accepted, alone and among others', () => {
    const bytes = concatenated(aBatch(), aBatch())
    expect(validateBatch(bytes, 0, LIMITS)).toBeNull()
    expect(validateBatch(bytes, bytes.length / 2, LIMITS)).toBeNull()
  })

  test('every single changed byte under the CRC is noticed', () => {
    const sound = aBatch()
    for (let at = 17; at < sound.length; at++) {
      const bytes = aBatch()
      bytes[at] ^= 0x10
      expect(validateBatch(bytes, 0, LIMITS)).toBe('CORRUPT_MESSAGE')
    }
  })

  test('a batch cut anywhere is refused', () => {
    const bytes = aBatch()
    for (let cut = 0; cut < bytes.length; cut++) {
      expect(validateBatch(bytes.subarray(0, cut), 0, LIMITS)).toBe('CORRUPT_MESSAGE')
      expect(validateBatch(bytes, 0, LIMITS, cut)).toBe('CORRUPT_MESSAGE')
    }
  })

  test('a batch over the size limit is refused before its CRC is computed', () => {
    const bytes = aBatch()
    bytes[20] ^= 1
    expect(validateBatch(bytes, 0, { maxBatchBytes: bytes.length - 1, origin: 'client' })).toBe('MESSAGE_TOO_LARGE')
  })

  test.each([
    ['magic 0', 0, 'INVALID_RECORD'],
    ['magic 1', 1, 'INVALID_RECORD'],
    ['magic 3', 3, 'CORRUPT_MESSAGE'],
    ['magic -1', 255, 'CORRUPT_MESSAGE'],
  ])('%s is refused', (_name, magic, expected) => {
    const bytes = aBatch()
    bytes[16] = magic
    expect(validateBatch(bytes, 0, LIMITS)).toBe(expected)
  })

  test.each<[string, (bytes: Uint8Array) => void, string]>([
    ['a codec that does not exist', bytes => batch.writeAttributes(bytes, 0, 5), 'UNSUPPORTED_COMPRESSION_TYPE'],
    ['a control batch', bytes => batch.writeAttributes(bytes, 0, batch.CONTROL_FLAG), 'INVALID_RECORD'],
    ['log append time', bytes => batch.writeAttributes(bytes, 0, batch.TIMESTAMP_TYPE_FLAG), 'INVALID_TIMESTAMP'],
    [
      'a transaction without a producer',
      bytes => batch.writeAttributes(bytes, 0, batch.TRANSACTIONAL_FLAG),
      'INVALID_RECORD',
    ],
    ['a producer without a sequence', bytes => batch.writeProducerState(bytes, 0, 7, 0, -1), 'INVALID_RECORD'],
    ['a producer without an epoch', bytes => batch.writeProducerState(bytes, 0, 7, -1, 0), 'INVALID_RECORD'],
    ['a producer id below -1', bytes => batch.writeProducerState(bytes, 0, -2, 0, 0), 'INVALID_RECORD'],
    ['a producer id beyond 2^53', bytes => batch.writeProducerState(bytes, 0, 2 ** 60, 0, 0), 'INVALID_RECORD'],
    ['a record count of 0', bytes => setRecordCount(bytes, 0), 'INVALID_RECORD'],
    ['a negative record count', bytes => setRecordCount(bytes, -1), 'INVALID_RECORD'],
    ['more records than offsets', bytes => setRecordCount(bytes, 4), 'INVALID_RECORD'],
    ['fewer records than offsets', bytes => setRecordCount(bytes, 2), 'INVALID_RECORD'],
    ['a base offset of its own', bytes => batch.setBaseOffset(bytes, 0, 1), 'INVALID_RECORD'],
    ['a negative base offset', bytes => batch.setBaseOffset(bytes, 0, -1), 'INVALID_RECORD'],
  ])('%s is refused from a client', (_name, change, expected) => {
    expect(validateBatch(changed(change), 0, LIMITS)).toBe(expected)
  })

  test('gaps, empty batches and markers are accepted from the log', () => {
    expect(
      validateBatch(
        changed(bytes => setRecordCount(bytes, 2)),
        0,
        LOG_LIMITS,
      ),
    ).toBeNull()
    expect(
      validateBatch(
        changed(bytes => setRecordCount(bytes, 0)),
        0,
        LOG_LIMITS,
      ),
    ).toBeNull()
    expect(
      validateBatch(
        changed(bytes => batch.writeAttributes(bytes, 0, batch.CONTROL_FLAG)),
        0,
        LOG_LIMITS,
      ),
    ).toBeNull()
  })
})

function setRecordCount(bytes: Uint8Array, count: number): void {
  new DataView(bytes.buffer).setInt32(57, count)
}
