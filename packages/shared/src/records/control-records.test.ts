import { describe, expect, test } from 'vitest'
import { NO_SEQUENCE } from '../base/brands.ts'
import { BatchBuilder } from './batch-builder.ts'
import { validateBatch } from './batch-validation.ts'
import { buildEndTxnMarker, controlRecordType, type EndTxnMarker, readEndTxnMarker } from './control-records.ts'
import * as batch from './record-batch.ts'

const MARKER: EndTxnMarker = {
  type: 'COMMIT',
  producerId: 2 ** 40,
  producerEpoch: 32767,
  coordinatorEpoch: 2 ** 31 - 1,
  timestamp: 1_700_000_000_000,
}

describe('transaction markers', () => {
  test.each([
    MARKER,
    { ...MARKER, type: 'ABORT', coordinatorEpoch: 0 } as const,
    { ...MARKER, coordinatorEpoch: 0xfedc, producerId: 0, producerEpoch: 0 },
  ])('read back as they were built: %o', marker => {
    const bytes = buildEndTxnMarker(marker)
    expect(readEndTxnMarker(bytes, 0)).toEqual(marker)
    expect(bytes.byteLength).toBe(bytes.buffer.byteLength)
  })

  test('are sound control batches of a transaction, which only a broker may append', () => {
    const bytes = buildEndTxnMarker(MARKER)
    expect(batch.isControlBatch(bytes, 0)).toBe(true)
    expect(batch.isTransactional(bytes, 0)).toBe(true)
    expect(batch.baseSequence(bytes, 0)).toBe(NO_SEQUENCE)
    expect(validateBatch(bytes, 0, { maxBatchBytes: 1000, origin: 'log' })).toBeNull()
    expect(validateBatch(bytes, 0, { maxBatchBytes: 1000, origin: 'client' })).toBe('INVALID_RECORD')
  })

  test('a control record of another type is no marker', () => {
    const builder = new BatchBuilder({ writeLimit: 1000 })
    builder.tryAppend(0, Uint8Array.of(0, 0, 0, 2), Uint8Array.of(0, 0))
    expect(readEndTxnMarker(builder.build(), 0)).toBeNull()
  })

  test.each([
    ['a missing value', null],
    ['a short value', Uint8Array.of(0, 0, 0, 0, 0)],
    ['a negative version', Uint8Array.of(0xff, 0xff, 0, 0, 0, 0)],
  ])('%s is refused', (_name, value) => {
    const builder = new BatchBuilder({ writeLimit: 1000 })
    builder.tryAppend(0, Uint8Array.of(0, 0, 0, 1), value)
    const bytes = builder.build()
    expect(() => readEndTxnMarker(bytes, 0)).toThrow('transaction marker')
  })
})

describe('control record types', () => {
  test('are named by id, and later ones are unknown rather than wrong', () => {
    const names = [0, 1, 2, 3, 4, 5, 6, 7, 0xff].map(id => controlRecordType(Uint8Array.of(0, 0, 0, id)))
    expect(names).toEqual([
      'ABORT',
      'COMMIT',
      'LEADER_CHANGE',
      'SNAPSHOT_HEADER',
      'SNAPSHOT_FOOTER',
      'KRAFT_VERSION',
      'KRAFT_VOTERS',
      'UNKNOWN',
      'UNKNOWN',
    ])
  })

  test('a key that is null, short or of a negative version is refused', () => {
    expect(() => controlRecordType(null)).toThrow('control record key')
    expect(() => controlRecordType(Uint8Array.of(0, 0, 0))).toThrow('control record key')
    expect(() => controlRecordType(Uint8Array.of(0x80, 0, 0, 1))).toThrow('version')
  })
})
