// Produce checks: what a client may send and as what it is stored (Kafka: LogValidatorTest's ground).
import { decompressBatch } from '@odradek/shared/records/batch-sealing'
import { buildEndTxnMarker } from '@odradek/shared/records/control-records'
import * as batch from '@odradek/shared/records/record-batch'
import { readRecords } from '@odradek/shared/records/record-reader'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AppendVerdict, judgeAppend } from './append.rules.ts'
import { parseLeaderConfig } from './leader-config.rules.ts'
import { type SampleBatch, sampleBatch } from './sample-batches.suite.ts'

const NOW = 1_000_000

function judge(
  records: Uint8Array,
  configs: { [name: string]: string } = {},
  origin: 'client' | 'coordinator' = 'client',
) {
  return judgeAppend(records, {
    origin,
    config: parseLeaderConfig(configs),
    now: NOW,
    decompressedBytesMax: 1_000_000,
    recordErrorsMax: 3,
  })
}

/** A sound batch at the leader's time. */
const sample = (shape: SampleBatch = {}) => sampleBatch({ timestamp: NOW, records: 3, ...shape })

function accepted(verdict: AppendVerdict) {
  if (verdict.kind !== 'accepted') throw new Error(`expected acceptance, got ${JSON.stringify(verdict)}`)
  expect(batch.computeBatchCrc(verdict.bytes, 0)).toBe(batch.batchCrc(verdict.bytes, 0))
  return verdict
}

/** The batch with something done to it, and a CRC that says it was meant. */
function changed(change: (bytes: Uint8Array) => void, bytes = sample()): Uint8Array {
  change(bytes)
  batch.writeBatchCrc(bytes, 0)
  return bytes
}

describe('a client batch', () => {
  it('is stored as the very bytes that came', () => {
    const bytes = sample()
    expect(accepted(judge(bytes))).toMatchObject({ bytes, logAppendTimeMs: -1 })
    expect(accepted(judge(bytes)).bytes).toBe(bytes)
  })

  it.each([
    { name: 'nothing at all', bytes: new Uint8Array(0), error: 'INVALID_RECORD' },
    { name: 'half a batch', bytes: sample().slice(0, 70), error: 'CORRUPT_MESSAGE' },
    { name: 'a flipped bit', bytes: flipped(), error: 'CORRUPT_MESSAGE' },
    { name: 'magic 1', bytes: changed(bytes => (bytes[16] = 1)), error: 'INVALID_RECORD' },
    { name: 'magic 3', bytes: changed(bytes => (bytes[16] = 3)), error: 'CORRUPT_MESSAGE' },
    { name: 'two batches', bytes: Uint8Array.from([...sample(), ...sample()]), error: 'INVALID_RECORD' },
    { name: 'a base offset', bytes: changed(bytes => batch.setBaseOffset(bytes, 0, 5)), error: 'INVALID_RECORD' },
    { name: 'a delta that does not add up', bytes: changed(bytes => (bytes[26] = 7)), error: 'INVALID_RECORD' },
    { name: 'a count above its records', bytes: miscounted(4), error: 'INVALID_RECORD' },
    { name: 'a count below its records', bytes: miscounted(2), error: 'INVALID_RECORD' },
    { name: 'an unknown codec', bytes: changed(bytes => (bytes[22] = 5)), error: 'UNSUPPORTED_COMPRESSION_TYPE' },
    { name: 'a compressed garbage', bytes: changed(bytes => (bytes[22] = 1)), error: 'CORRUPT_MESSAGE' },
    { name: 'LogAppendTime', bytes: changed(bytes => (bytes[22] = 8)), error: 'INVALID_TIMESTAMP' },
    { name: 'a marker', bytes: marker(), error: 'INVALID_RECORD' },
    {
      name: 'a producer without a sequence',
      bytes: sample({ producerId: 1, producerEpoch: 0, baseSequence: -1 }),
      error: 'INVALID_RECORD',
    },
  ])('with $name is refused with $error', ({ bytes, error }) => {
    expect(judge(bytes)).toMatchObject({ kind: 'refused', error })
  })

  it('above max.message.bytes is MESSAGE_TOO_LARGE, exactly at it is not', () => {
    const bytes = sample()
    expect(judge(bytes, { 'max.message.bytes': String(bytes.length) }).kind).toBe('accepted')
    expect(judge(bytes, { 'max.message.bytes': String(bytes.length - 1) })).toMatchObject({
      error: 'MESSAGE_TOO_LARGE',
    })
  })

  it('above segment.bytes is RECORD_LIST_TOO_LARGE', () => {
    expect(judge(sample(), { 'segment.bytes': '80' })).toMatchObject({ error: 'RECORD_LIST_TOO_LARGE' })
  })

  it('that decompresses to more than the cap is MESSAGE_TOO_LARGE', () => {
    const bomb = sampleBatch({ timestamp: NOW, valueBytes: 2_000_000, compression: 'gzip' })
    expect(bomb.length).toBeLessThan(10_000)
    expect(judge(bomb)).toMatchObject({ kind: 'refused', error: 'MESSAGE_TOO_LARGE' })
  })
})

describe('timestamps', () => {
  it('too far ahead are INVALID_TIMESTAMP, naming the records', () => {
    const verdict = judge(sample({ timestamp: NOW + 3_600_000 - 1 }))
    expect(verdict).toMatchObject({ kind: 'refused', error: 'INVALID_TIMESTAMP', recordErrors: [{ batchIndex: 2 }] })
  })

  it('too far behind are INVALID_TIMESTAMP if message.timestamp.before.max.ms says so', () => {
    const old = sample({ timestamp: NOW - 5_000 })
    expect(judge(old).kind).toBe('accepted')
    expect(judge(old, { 'message.timestamp.before.max.ms': '4999' })).toMatchObject({
      recordErrors: [{ batchIndex: 0 }],
    })
  })

  it('that are missing are always in time', () => {
    expect(judge(sampleBatch({ timestamp: -1 }), { 'message.timestamp.before.max.ms': '0' }).kind).toBe('accepted')
  })

  it('of the append are stamped with LogAppendTime, whatever the client claims', () => {
    const verdict = accepted(
      judge(sample({ timestamp: NOW + 9_999_999 }), { 'message.timestamp.type': 'LogAppendTime' }),
    )
    expect(verdict.logAppendTimeMs).toBe(NOW)
    expect([...readRecords(verdict.bytes, 0, 1000)].map(({ timestamp }) => timestamp)).toEqual([NOW, NOW, NOW])
  })

  it('that the header claims falsely are set right', () => {
    const verdict = accepted(judge(changed(bytes => batch.setMaxTimestamp(bytes, 0, 'CreateTime', NOW + 77))))
    expect(batch.maxTimestamp(verdict.bytes, 0)).toBe(NOW + 2)
  })
})

describe('a compacted topic', () => {
  const compacted = { 'cleanup.policy': 'compact' }

  it('takes records with keys', () => {
    expect(judge(sample({ key: new Uint8Array([1]) }), compacted).kind).toBe('accepted')
    expect(judge(sample({ key: new Uint8Array(0), compression: 'gzip' }), compacted).kind).toBe('accepted')
  })

  it('refuses records without, naming as many as the bound allows', () => {
    expect(judge(sample({ records: 5, compression: 'gzip' }), compacted)).toMatchObject({
      kind: 'refused',
      error: 'INVALID_RECORD',
      recordErrors: [{ batchIndex: 0 }, { batchIndex: 1 }, { batchIndex: 2 }],
    })
  })
})

describe('compression.type', () => {
  const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

  it.each(codecs.flatMap(from => codecs.map(to => ({ from, to }))))('turns $from into $to', ({ from, to }) => {
    const bytes = sample({ records: 20, valueBytes: 100, compression: from })
    const before = decompressBatch(bytes, 0, 100_000).slice(batch.BATCH_HEADER_BYTES)
    const verdict = accepted(judge(bytes, { 'compression.type': to === 'none' ? 'uncompressed' : to }))
    expect(batch.compressionType(verdict.bytes, 0)).toBe(to)
    expect(verdict.bytes === bytes).toBe(from === to)
    expect(decompressBatch(verdict.bytes, 0, 100_000).slice(batch.BATCH_HEADER_BYTES)).toEqual(before)
  })

  it('does not make a batch pass max.message.bytes', () => {
    const bytes = sampleBatch({ timestamp: NOW, valueBytes: 10_000, compression: 'gzip' })
    expect(judge(bytes, { 'compression.type': 'none', 'max.message.bytes': '5000' })).toMatchObject({
      error: 'MESSAGE_TOO_LARGE',
    })
  })
})

describe('what a coordinator appends', () => {
  it('may be several batches, and markers', () => {
    const records = Uint8Array.from([...sample(), ...marker(), ...sample()])
    expect(judge(records, {}, 'coordinator').kind).toBe('accepted')
  })

  it('may be for a producer, without a sequence', () => {
    const offsets = sample({ producerId: 1, producerEpoch: 0, baseSequence: -1, transactional: true })
    expect(judge(offsets, {}, 'coordinator').kind).toBe('accepted')
  })

  it('is stamped with LogAppendTime batch by batch', () => {
    const verdict = judge(
      Uint8Array.from([...sample(), ...sample()]),
      { 'message.timestamp.type': 'LogAppendTime' },
      'coordinator',
    )
    const { bytes } = accepted(verdict)
    expect([...batch.batchPositions(bytes)].map(at => batch.maxTimestamp(bytes, at))).toEqual([NOW, NOW])
  })
})

describe('mutated batches', () => {
  it('are refused or accepted, never thrown at, and an accepted one can be read to its end', () => {
    const original = sample({ records: 4, compression: 'none' })
    fc.assert(
      fc.property(fc.nat(original.length - 1), fc.nat(255), fc.boolean(), (at, value, seal) => {
        const bytes = original.slice()
        bytes[at] = value
        if (seal && batch.batchSizeAt(bytes, 0) === bytes.length) batch.writeBatchCrc(bytes, 0)
        const verdict = judge(bytes)
        if (verdict.kind === 'accepted') {
          const records = [...readRecords(verdict.bytes, 0, 1_000_000)]
          expect(records).toHaveLength(batch.recordCount(verdict.bytes, 0))
        }
        expect(['accepted', 'refused']).toContain(verdict.kind)
      }),
      { numRuns: 2_000 },
    )
  })
})

function flipped(): Uint8Array {
  const bytes = sample()
  bytes[80]! ^= 1
  return bytes
}

function miscounted(count: number): Uint8Array {
  return changed(bytes => {
    bytes[60] = count
    bytes[26] = count - 1
  })
}

function marker(): Uint8Array {
  return buildEndTxnMarker({ type: 'COMMIT', producerId: 1, producerEpoch: 0, coordinatorEpoch: 0, timestamp: NOW })
}
