import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { BatchBuilder } from './batch-builder.ts'
import { validateBatch, validateRecords } from './batch-validation.ts'
import { buildEndTxnMarker, controlRecordType, readEndTxnMarker } from './control-records.ts'
import { boundaryRecords, mixedRecords, type RecordInput } from './fixtures/record-inputs.ts'
import * as batch from './record-batch.ts'
import { readRecords } from './record-reader.ts'

const CAP = 1024 * 1024
const LIMITS = { maxBatchBytes: CAP, origin: 'log' } as const

const captured: Record<'java' | 'librdkafka', Record<string, string>> = JSON.parse(
  readFileSync(new URL('./fixtures/captured-batches.json', import.meta.url), 'utf8'),
)

function capturedBatch(writer: 'java' | 'librdkafka', name: string): Uint8Array {
  return new Uint8Array(Buffer.from(captured[writer][name], 'base64'))
}

function inputOf(name: string): RecordInput[] {
  return name.startsWith('mixed/') ? mixedRecords : boundaryRecords
}

/** The same records through our builder, with the header fields that a captured batch was given. */
function ourBatch(records: RecordInput[], theirs: Uint8Array): Uint8Array {
  const builder = new BatchBuilder({ writeLimit: CAP })
  for (const { timestamp, key, value, headers } of records) builder.tryAppend(timestamp, key, value, headers)
  const bytes = builder.build({
    compression: batch.compressionType(theirs, 0),
    producerId: batch.producerId(theirs, 0),
    producerEpoch: batch.producerEpoch(theirs, 0),
    baseSequence: batch.baseSequence(theirs, 0),
    transactional: batch.isTransactional(theirs, 0),
  })
  if (batch.timestampType(theirs, 0) === 'LogAppendTime') {
    batch.setMaxTimestamp(bytes, 0, 'LogAppendTime', batch.maxTimestamp(theirs, 0))
  }
  batch.setBaseOffset(bytes, 0, batch.baseOffset(theirs, 0))
  batch.setPartitionLeaderEpoch(bytes, 0, batch.partitionLeaderEpoch(theirs, 0))
  return bytes
}

function expectEqualBytes(ours: Uint8Array, theirs: Uint8Array): void {
  expect(Buffer.from(ours).toString('hex')).toBe(Buffer.from(theirs).toString('hex'))
}

describe.each(['java', 'librdkafka'] as const)('batches written by %s', writer => {
  const dataNames = Object.keys(captured[writer]).filter(name => !name.startsWith('control/'))
  const uncompressed = dataNames.filter(name => batch.compressionType(capturedBatch(writer, name), 0) === 'none')

  test('are there', () => {
    expect(uncompressed.length).toBeGreaterThan(2)
    expect(dataNames).toContain('boundary/zstd')
  })

  test.each(dataNames)('%s is valid and decodes to the records it was made from', name => {
    const theirs = capturedBatch(writer, name)
    expect(validateBatch(theirs, 0, LIMITS)).toBeNull()
    expect(validateRecords(theirs, 0, { maxBytes: CAP, origin: 'client' })).toBeNull()
    const appendTime = batch.timestampType(theirs, 0) === 'LogAppendTime' ? batch.maxTimestamp(theirs, 0) : undefined
    const first = batch.baseOffset(theirs, 0)
    expect([...readRecords(theirs, 0, CAP)]).toEqual(
      inputOf(name).map((record, index) => ({
        ...record,
        offset: first + index,
        timestamp: appendTime ?? record.timestamp,
      })),
    )
  })

  test.each(uncompressed)('%s has the bytes that our builder writes', name => {
    const theirs = capturedBatch(writer, name)
    expectEqualBytes(ourBatch(inputOf(name), theirs), theirs)
  })
})

describe('control batches written by java', () => {
  test.each([
    ['control/commit', 'COMMIT', 123456789012, 7, 13],
    ['control/abort', 'ABORT', 1, 0, 0],
  ] as const)('%s has the bytes that we write', (name, type, producerId, producerEpoch, coordinatorEpoch) => {
    const theirs = capturedBatch('java', name)
    expect(validateBatch(theirs, 0, LIMITS)).toBeNull()
    const marker = { type, producerId, producerEpoch, coordinatorEpoch, timestamp: 1_800_000_000_000 }
    expect(readEndTxnMarker(theirs, 0)).toEqual(marker)

    const ours = buildEndTxnMarker(marker)
    batch.setBaseOffset(ours, 0, batch.baseOffset(theirs, 0))
    batch.setPartitionLeaderEpoch(ours, 0, batch.partitionLeaderEpoch(theirs, 0))
    expectEqualBytes(ours, theirs)
  })

  test('a leader change is valid, known by name and no marker', () => {
    const theirs = capturedBatch('java', 'control/leader-change')
    expect(validateBatch(theirs, 0, LIMITS)).toBeNull()
    expect([...readRecords(theirs, 0, CAP)].map(record => controlRecordType(record.key))).toEqual(['LEADER_CHANGE'])
    expect(readEndTxnMarker(theirs, 0)).toBeNull()
  })
})
