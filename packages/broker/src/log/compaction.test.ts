import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type CleanedRecord,
  CleanedTransactions,
  cleanableAtMs,
  cleanableRange,
  deleteHorizonOf,
  groupsOf,
  isCleanable,
  isLastOfProducer,
  KeyOffsets,
  markerStays,
  staysAfterCleaning,
} from './compaction.rules.ts'
import type { CompactionPolicy, ProducerState } from './partition-log.ts'
import type { SegmentSummary } from './segment.ts'
import { emptySummary } from './segments.rules.ts'

const DAY = 86_400_000
const plain = { deleteHorizonMs: -1, isAborted: false }

function learned(records: readonly CleanedRecord[], keysMax = 100_000): KeyOffsets {
  const offsets = new KeyOffsets(0, keysMax * 97)
  for (const record of records) if (!offsets.learn(record)) break
  return offsets
}

const record = (offset: number, key: string | null, isTombstone = false): CleanedRecord => ({
  offset,
  key,
  isTombstone,
})

test('the last record of each key stays, earlier ones and those without a key go', () => {
  const records = [record(0, 'a'), record(1, 'b'), record(2, 'a'), record(3, null), record(4, 'c')]
  const offsets = learned(records)
  const kept = records.filter(one => staysAfterCleaning(one, plain, offsets, 0)).map(({ offset }) => offset)
  expect(kept).toEqual([1, 2, 4])
})

test('a tombstone stays until the horizon of its batch, then goes', () => {
  const tombstone = record(0, 'a', true)
  const offsets = learned([tombstone])
  const at = (deleteHorizonMs: number, now: number) =>
    staysAfterCleaning(tombstone, { deleteHorizonMs, isAborted: false }, offsets, now)
  expect([at(-1, 5), at(10, 9), at(10, 10), at(10, 11)]).toEqual([true, true, false, false])
})

test('data of an aborted transaction goes even when it is the last of its key', () => {
  expect(staysAfterCleaning(record(3, 'a'), { ...plain, isAborted: true }, learned([record(0, 'a')]), 0)).toBe(false)
})

test('a marker stays while data of its transaction does, then until the horizon', () => {
  expect(markerStays({ ...plain, deleteHorizonMs: 5 }, { hasDataLeft: true }, 9)).toBe(true)
  expect(markerStays(plain, { hasDataLeft: false }, 9)).toBe(true)
  expect(markerStays({ ...plain, deleteHorizonMs: 5 }, { hasDataLeft: false }, 9)).toBe(false)
})

test('a horizon is set once, by the first cleaning that finds a tombstone', () => {
  const options = { waits: true, nowMs: 1_000, deleteRetentionMs: DAY }
  expect(deleteHorizonOf(plain, options)).toBe(1_000 + DAY)
  expect(deleteHorizonOf({ ...plain, deleteHorizonMs: 7 }, options)).toBe(7)
  expect(deleteHorizonOf(plain, { ...options, waits: false })).toBe(-1)
})

test('when no more keys fit, the log is cleaned as far as they reach', () => {
  const offsets = learned([record(0, 'a'), record(1, 'b'), record(2, 'a'), record(3, 'c'), record(4, 'a')], 2)
  expect([offsets.endOffset, offsets.size]).toEqual([3, 2])
})

const policy: CompactionPolicy = {
  now: 5_000,
  minCleanableDirtyRatio: 0.5,
  minCompactionLagMs: 0,
  maxCompactionLagMs: 1_000,
  deleteRetentionMs: DAY,
  segmentBytes: 100,
  keyBytesMax: 1_000_000,
  decompressedBytesMax: 1_000_000,
}

/** Sealed segments of ten offsets each, by size and age. */
function segments(...shapes: { bytes: number; age: number }[]): SegmentSummary[] {
  return shapes.map(({ bytes, age }, index) => ({
    ...emptySummary(index * 10),
    nextOffset: index * 10 + 10,
    sizeInBytes: bytes,
    maxTimestamp: 5_000 - age,
    firstBatchTimestamp: 5_000 - age,
    firstAppendMs: 5_000 - age,
  }))
}

test('a log is cleaned when enough of it is dirty or its oldest dirty record is too old, never when nothing is', () => {
  const cleanable = (cleanBytes: number, dirtyBytes: number, age: number) => {
    const sealed = segments({ bytes: cleanBytes, age: 0 }, { bytes: dirtyBytes, age })
    return isCleanable(cleanableRange(sealed, { firstDirtyOffset: 10, lastStableOffset: 99 }, policy), policy)
  }
  expect([cleanable(50, 50, 0), cleanable(49, 51, 0), cleanable(99, 1, 1_001), cleanable(50, 0, 5_000)]).toEqual([
    false,
    true,
    true,
    false,
  ])
})

test('what is undecided or younger than min.compaction.lag.ms is not cleaned, nor anything after it', () => {
  const sealed = segments({ bytes: 1, age: 900 }, { bytes: 1, age: 100 }, { bytes: 1, age: 900 })
  const dirty = (lastStableOffset: number, minCompactionLagMs: number) =>
    cleanableRange(sealed, { firstDirtyOffset: 0, lastStableOffset }, { ...policy, minCompactionLagMs }).dirty.length
  expect([dirty(30, 0), dirty(29, 0), dirty(10, 0), dirty(30, 500)]).toEqual([3, 2, 1, 1])
})

test('time makes a log cleanable when the lags of its dirty segments end', () => {
  const sealed = segments({ bytes: 1, age: 900 }, { bytes: 1, age: 100 })
  const at = (firstDirtyOffset: number, over: Partial<CompactionPolicy> = {}) =>
    cleanableAtMs(sealed, { firstDirtyOffset, lastStableOffset: 20 }, { ...policy, ...over })
  expect([at(0), at(10), at(20)]).toEqual([5_100, 5_900, undefined])
  expect(at(10, { minCompactionLagMs: 300 })).toBe(5_200)
  expect(at(0, { maxCompactionLagMs: Number.POSITIVE_INFINITY })).toBeUndefined()
})

test('neighbours become one segment while they fit, larger ones stay alone', () => {
  const sealed = segments({ bytes: 60, age: 0 }, { bytes: 40, age: 0 }, { bytes: 1, age: 0 }, { bytes: 500, age: 0 })
  expect(groupsOf(sealed, 100).map(group => group.map(({ sizeInBytes }) => sizeInBytes))).toEqual([
    [60, 40],
    [1],
    [500],
  ])
})

test('a marker whose data was met in the pass is told from one whose data is gone', () => {
  const aborted = [{ producerId: 7, firstOffset: 2, lastOffset: 5, lastStableOffset: 6 }]
  const passed = new CleanedTransactions(aborted)
  expect(passed.dataIsAborted({ producerId: 8, lastOffset: 1 })).toBe(false)
  expect(passed.dataIsAborted({ producerId: 7, lastOffset: 3 })).toBe(true)
  expect(passed.markerHasData({ producerId: 7, offset: 5, committed: false })).toBe(true)
  expect(passed.markerHasData({ producerId: 8, offset: 6, committed: true })).toBe(true)
  expect(passed.dataIsAborted({ producerId: 7, lastOffset: 8 })).toBe(false)
  const again = new CleanedTransactions(aborted)
  expect(again.markerHasData({ producerId: 7, offset: 5, committed: false })).toBe(false)
  expect(again.markerHasData({ producerId: 8, offset: 6, committed: true })).toBe(false)
})

test('the last batch of a producer that is still known stays, and its last marker when it has no batches', () => {
  const state = { producerEpoch: 2, coordinatorEpoch: 0, lastTimestamp: 0, currentTxnFirstOffset: -1 }
  const last = { firstSequence: 0, lastSequence: 1, firstOffset: 8, lastOffset: 9, timestamp: 0 }
  const producers = new Map<number, ProducerState>([
    [1, { ...state, producerId: 1, batches: [last] }],
    [2, { ...state, producerId: 2, batches: [] }],
  ])
  const is = (producerId: number, lastOffset: number, isControl: boolean, producerEpoch = 2) =>
    isLastOfProducer({ producerId, lastOffset, isControl, producerEpoch }, producers)
  expect([
    is(1, 9, false),
    is(1, 7, false),
    is(2, 7, true),
    is(2, 7, false),
    is(2, 7, true, 1),
    is(3, 9, false),
  ]).toEqual([true, false, true, false, false, false])
})

test('whatever is cleaned, replaying what stays gives the same values as replaying everything, and cleaning again changes nothing', () => {
  const records = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.boolean()), { maxLength: 60 })
  fc.assert(
    fc.property(records, fc.integer({ min: 1, max: 4 }), fc.boolean(), (entries, keysMax, expired) => {
      const log = entries.map(([key, isTombstone], offset) => record(offset, key, isTombstone))
      const batch = { deleteHorizonMs: expired ? 0 : -1, isAborted: false }
      const offsets = learned(log, keysMax)
      const stays = (one: CleanedRecord) =>
        one.offset >= offsets.endOffset || staysAfterCleaning(one, batch, offsets, 10)
      const kept = log.filter(stays)
      expect(values(kept)).toEqual(values(log))
      expect(kept.filter(stays)).toEqual(kept)
    }),
  )
})

function values(log: readonly CleanedRecord[]): [string, number][] {
  const state = new Map<string, number>()
  for (const { key, offset, isTombstone } of log) {
    if (isTombstone) state.delete(key!)
    else state.set(key!, offset)
  }
  return [...state].sort()
}
