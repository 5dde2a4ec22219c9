// What every partition log must show, memory or LMDB. An implementation's test hands in a harness that opens, and reopens, one log.
import { readRecords } from '@odradek/shared/records/record-reader'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describeCompaction } from './compaction.suite.ts'
import { describeDerivedState, describeTimeAndEpochs, describeTruncation } from './derived-state.suite.ts'
import { OffsetOutOfRangeError } from './log-errors.ts'
import {
  appendMany,
  basesIn,
  type Current,
  config,
  type LogHarness,
  NO_LIMITS,
  type Reopen,
  readAll,
  stamped,
} from './log-fixtures.suite.ts'
import type { PartitionLog, StampedBatch } from './partition-log.ts'

/** All rules. `name` is the implementation's. */
export function describePartitionLog(name: string, makeHarness: () => LogHarness): void {
  describe(name, () => {
    let harness: LogHarness
    let log: PartitionLog
    beforeEach(() => {
      harness = makeHarness()
      log = harness.open().log
    })
    afterEach(() => {
      log.close({ clean: false })
      harness.dispose()
    })
    const reopen = (how: 'clean' | 'stop') => {
      if (how === 'clean') log.close({ clean: true })
      else harness.stop()
      const opened = harness.open()
      log = opened.log
      return opened
    }
    const current = () => log
    describeAppendAndRead(current, reopen)
    describeSegments(current, reopen)
    describeRetention(current, reopen)
    describeDerivedState(current, reopen)
    describeTruncation(current, reopen)
    describeTimeAndEpochs(current, reopen)
    describeFlushing(current, reopen)
    describeCompaction(current, reopen)
  })
}

function describeAppendAndRead(current: Current, reopen: Reopen): void {
  test('a new log is empty and starts at 0', () => {
    const log = current()
    expect([log.logStartOffset, log.logEndOffset, log.highWatermark, log.lastStableOffset]).toEqual([0, 0, 0, 0])
    expect(log.read(0, NO_LIMITS)).toMatchObject({ firstOffset: 0, nextOffset: 0 })
    expect(log.segments()).toEqual([])
    expect(log.latestEpoch).toBe(-1)
  })

  test('what is appended is read back byte for byte, also after reopening', () => {
    const first = stamped(0, { records: 3, valueBytes: 100 })
    const second = stamped(3, { records: 2, valueBytes: 9000 })
    const expected = Buffer.concat([first.bytes, second.bytes])
    current().append({ batches: [first, second], now: 1 }, config)
    expect(Buffer.from(current().read(0, NO_LIMITS).bytes)).toEqual(expected)
    for (const how of ['stop', 'clean'] as const) {
      reopen(how)
      expect(current().logEndOffset).toBe(5)
      expect(Buffer.from(current().read(0, NO_LIMITS).bytes)).toEqual(expected)
    }
  })

  test('a read begins with the batch that holds the offset and says where to go on', () => {
    const log = current()
    log.append({ batches: [stamped(0, { records: 5 }), stamped(5, { records: 5 }), stamped(10)], now: 1 }, config)
    const read = log.read(7, NO_LIMITS)
    expect(basesIn(read.bytes)).toEqual([5, 10])
    expect(read).toMatchObject({ firstOffset: 5, nextOffset: 11 })
    expect(log.read(11, NO_LIMITS)).toMatchObject({ firstOffset: 11, nextOffset: 11 })
  })

  test('a read stays within maxBytes, but for a first batch that is returned whole on demand', () => {
    const log = current()
    const size = stamped(0, { valueBytes: 500 }).bytes.length
    appendMany(log, 10, { valueBytes: 500 })
    expect(basesIn(log.read(2, { ...NO_LIMITS, maxBytes: 3 * size }).bytes)).toEqual([2, 3, 4])
    expect(basesIn(log.read(2, { ...NO_LIMITS, maxBytes: 3 * size + size - 1 }).bytes)).toEqual([2, 3, 4])
    expect(basesIn(log.read(2, { ...NO_LIMITS, maxBytes: 1 }).bytes)).toEqual([2])
    expect(log.read(2, { ...NO_LIMITS, maxBytes: size - 1, minOneBatch: false })).toMatchObject({ nextOffset: 2 })
  })

  test('a read ends below maxOffset, with whole batches', () => {
    const log = current()
    log.append({ batches: [stamped(0, { records: 4 }), stamped(4, { records: 4 }), stamped(8)], now: 1 }, config)
    expect(basesIn(log.read(0, { ...NO_LIMITS, maxOffset: 8 }).bytes)).toEqual([0, 4])
    expect(basesIn(log.read(0, { ...NO_LIMITS, maxOffset: 7 }).bytes)).toEqual([0])
    expect(log.read(0, { ...NO_LIMITS, maxOffset: 0 }).bytes.length).toBe(0)
  })

  test('read bytes are an own exact buffer: writing into them changes nothing stored', () => {
    const log = current()
    appendMany(log, 3, { valueBytes: 5000 })
    const { bytes } = log.read(0, NO_LIMITS)
    expect(bytes.byteLength).toBe(bytes.buffer.byteLength)
    bytes.fill(0)
    expect(readAll(log)).toEqual([0, 1, 2])
  })

  test('an offset outside the log is refused', () => {
    const log = current()
    appendMany(log, 2)
    expect(() => log.read(3, NO_LIMITS)).toThrow(OffsetOutOfRangeError)
    expect(() => log.read(-1, NO_LIMITS)).toThrow(OffsetOutOfRangeError)
  })

  test('a gap or a step back in offsets is a bug, and leaves the log as it was', () => {
    const log = current()
    appendMany(log, 2)
    expect(() => log.append({ batches: [stamped(3)], now: 1 }, config)).toThrow('dense')
    expect(() => log.append({ batches: [stamped(1)], now: 1 }, config)).toThrow('dense')
    expect(() => log.append({ batches: [stamped(2)], highWatermark: 1, now: 1 }, config)).toThrow('high watermark')
    expect(log.logEndOffset).toBe(2)
    expect(readAll(log)).toEqual([0, 1])
  })

  test('many sizes of batches in many sizes of groups all come back in order', () => {
    const log = current()
    const sizes = [1, 60, 100, 900, 1900, 2000, 2100, 4000, 4096, 16_000, 65_000, 70_000, 200_000]
    const expected: number[] = []
    for (let group = 1; group <= 30; group++) {
      const batches: StampedBatch[] = []
      for (let offset = log.logEndOffset, i = 0; i < (group % 7) + 1; i++, offset++) {
        batches.push(stamped(offset, { valueBytes: sizes[(group * 5 + i) % sizes.length]! }))
        expected.push(offset)
      }
      log.append({ batches, now: 1 }, config)
    }
    expect(readAll(log)).toEqual(expected)
    expect(readAll(log, 0, 1)).toEqual(expected)
    for (const offset of expected) expect(log.read(offset, { ...NO_LIMITS, maxBytes: 1 }).firstOffset).toBe(offset)
    reopen('stop')
    expect(readAll(current(), 0, 300_000)).toEqual(expected)
  })
}

function describeSegments(current: Current, reopen: Reopen): void {
  const small = { ...config, segmentBytes: 2000 }

  test('a segment is rolled before it would hold more than segment.bytes, and reads go on across it', () => {
    const log = current()
    appendMany(log, 30, { valueBytes: 400 }, small)
    const segments = log.segments()
    expect(segments.length).toBeGreaterThan(5)
    for (const segment of segments) expect(segment.sizeInBytes).toBeLessThanOrEqual(2000)
    expect(segments.map(s => s.baseOffset).slice(1)).toEqual(segments.map(s => s.nextOffset).slice(0, -1))
    const all = Array.from({ length: 30 }, (_, i) => i)
    expect(readAll(log)).toEqual(all)
    reopen('stop')
    expect(current().segments()).toEqual(segments)
    expect(readAll(current())).toEqual(all)
    expect(current().sizeInBytes).toBe(segments.reduce((sum, s) => sum + s.sizeInBytes, 0))
  })

  test('a group larger than segment.bytes has a segment of its own', () => {
    const log = current()
    appendMany(log, 1, {}, small)
    log.append({ batches: [stamped(1, { valueBytes: 5000 })], now: 1 }, small)
    expect(log.segments().map(s => s.baseOffset)).toEqual([0, 1])
    expect(readAll(log)).toEqual([0, 1])
  })

  test('a segment is rolled when records come segment.ms after its first', () => {
    const log = current()
    const policy = { ...config, segmentMs: 1000 }
    for (const timestamp of [10_000, 10_500, 11_000, 11_001, 12_001]) {
      log.append({ batches: [stamped(log.logEndOffset, { timestamp })], now: 1 }, policy)
    }
    expect(log.segments().map(s => s.baseOffset)).toEqual([0, 3])
  })

  test('records without timestamps roll by the wall clock', () => {
    const log = current()
    for (const now of [100, 1100, 1101]) {
      log.append({ batches: [stamped(log.logEndOffset, { timestamp: -1 })], now }, { ...config, segmentMs: 1000 })
    }
    expect(log.segments().map(s => s.baseOffset)).toEqual([0, 2])
  })

  test('rolling by hand twice makes one empty segment, which the next append fills', () => {
    const log = current()
    appendMany(log, 2)
    log.roll(1)
    log.roll(1)
    expect(log.segments().map(s => [s.baseOffset, s.nextOffset])).toEqual([
      [0, 2],
      [2, 2],
    ])
    reopen('stop')
    appendMany(current(), 1)
    expect(current().segments()).toHaveLength(2)
    expect(readAll(current())).toEqual([0, 1, 2])
  })
}

function describeRetention(current: Current, reopen: Reopen): void {
  const small = { ...config, segmentBytes: 1000 }
  const none = { now: 0, retentionMs: -1, retentionBytes: -1 }
  const fill = (log: PartitionLog, timestamps: number[]) => {
    for (const timestamp of timestamps) {
      log.append({ batches: [stamped(log.logEndOffset, { timestamp, valueBytes: 800 })], now: 1 }, small)
    }
  }

  test('segments older than retention.ms go, from the oldest on, and the log start follows', () => {
    fill(current(), [1000, 2000, 3000, 4000])
    const outcome = current().retain({ ...none, now: 5001, retentionMs: 3000 })
    expect(outcome.deleted.map(s => s.baseOffset)).toEqual([0, 1])
    expect(outcome.logStartOffset).toBe(2)
    reopen('stop')
    expect(current().logStartOffset).toBe(2)
    expect(readAll(current())).toEqual([2, 3])
    expect(() => current().read(1, NO_LIMITS)).toThrow(OffsetOutOfRangeError)
  })

  test('a young segment keeps the older looking ones behind it', () => {
    fill(current(), [9000, 1000, 1000])
    expect(current().retain({ ...none, now: 9001, retentionMs: 3000 }).deleted).toEqual([])
  })

  test('segments beyond retention.bytes go while what stays is not less than the limit', () => {
    fill(current(), [1, 1, 1, 1])
    const size = current().segments()[0]!.sizeInBytes
    expect(
      current()
        .retain({ ...none, retentionBytes: 2 * size + 1 })
        .deleted.map(s => s.baseOffset),
    ).toEqual([0])
    expect(current().sizeInBytes).toBe(3 * size)
  })

  test('when everything has outlived retention.ms, a fresh segment takes over at the same end', () => {
    fill(current(), [1000, 2000])
    expect(current().retain({ ...none, now: 50_000, retentionMs: 10 }).deleted).toHaveLength(2)
    expect([current().logStartOffset, current().logEndOffset, current().sizeInBytes]).toEqual([2, 2, 0])
    reopen('stop')
    expect([current().logStartOffset, current().logEndOffset]).toEqual([2, 2])
    fill(current(), [60_000])
    expect(readAll(current())).toEqual([2])
  })

  test('nothing at or above the high watermark goes', () => {
    const log = current()
    for (let i = 0; i < 4; i++) {
      log.append({ batches: [stamped(i, { valueBytes: 800 })], highWatermark: Math.min(i + 1, 2), now: 1 }, small)
    }
    log.retain({ ...none, now: 1e9, retentionMs: 1 })
    expect(log.logStartOffset).toBe(2)
  })

  test('deleting records moves the start into a segment at once; the segments below go with retention', () => {
    fill(current(), [1, 1, 1])
    current().append({ batches: [stamped(3), stamped(4)], now: 1 }, { ...config, segmentBytes: 1 })
    current().deleteRecordsTo(4)
    expect(() => current().read(3, NO_LIMITS)).toThrow(OffsetOutOfRangeError)
    expect(basesIn(current().read(4, NO_LIMITS).bytes)).toEqual([4])
    expect(
      current()
        .retain(none)
        .deleted.map(s => s.baseOffset),
    ).toEqual([0, 1, 2])
    current().deleteRecordsTo(2)
    reopen('stop')
    expect(current().logStartOffset).toBe(4)
    expect(readAll(current())).toEqual([4])
  })
}

function describeFlushing(current: Current, reopen: Reopen): void {
  test('a clean close leaves a mark: the next start scans nothing', () => {
    appendMany(current(), 3)
    expect(reopen('clean').recovered).toEqual({ clean: true, scannedBytes: 0, droppedBytes: 0 })
    expect(current().flushedOffset).toBe(3)
    appendMany(current(), 1)
    expect(reopen('stop').recovered).toMatchObject({ clean: false, droppedBytes: 0 })
    expect(readAll(current())).toEqual([0, 1, 2, 3])
  })

  test('flush.messages asks for a flush at the commit that reaches it', () => {
    const flushes: boolean[] = []
    for (let i = 0; i < 6; i++) {
      const outcome = current().append({ batches: [stamped(i)], now: 1 }, { ...config, flushMessages: 3 })
      flushes.push(outcome.flushed)
    }
    expect(flushes).toEqual([false, false, true, false, false, true])
    expect(current().flushedOffset).toBe(6)
  })

  test('flush.ms is due that long after the oldest unflushed commit', () => {
    const policy = { ...config, flushMs: 100 }
    expect(current().flushDueMs(policy)).toBeUndefined()
    current().append({ batches: [stamped(0)], now: 1000 }, policy)
    current().append({ batches: [stamped(1)], now: 1050 }, policy)
    expect(current().flushDueMs(policy)).toBe(1100)
    expect(current().flushDueMs(config)).toBeUndefined()
    expect(current().append({ batches: [stamped(2)], now: 1100 }, policy).flushed).toBe(true)
    expect(current().flushDueMs(policy)).toBeUndefined()
    current().append({ batches: [stamped(3)], now: 1200 }, policy)
    current().flush()
    expect(current().flushedOffset).toBe(4)
    expect(current().flushDueMs(policy)).toBeUndefined()
  })

  test('a flush covers the segments that were rolled since the last one', () => {
    const policy = { ...config, segmentBytes: 100 }
    appendMany(current(), 4, {}, policy)
    expect(current().flushedOffset).toBe(0)
    current().flush()
    expect(current().flushedOffset).toBe(4)
    expect(reopen('stop').recovered.scannedBytes).toBe(0)
    expect(readAll(current())).toEqual([0, 1, 2, 3])
  })

  test('values of records come back as they were written', () => {
    current().append({ batches: [stamped(0, { records: 2, valueBytes: 3, seed: 65 })], now: 1 }, config)
    const values = [...readRecords(current().read(0, NO_LIMITS).bytes, 0, 1024)].map(r =>
      Buffer.from(r.value!).toString(),
    )
    expect(values).toEqual(['AAA', 'BBB'])
  })
}
