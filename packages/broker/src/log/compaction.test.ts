import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type CleanedRecord,
  deleteHorizonOf,
  isCleanable,
  KeyOffsets,
  markerStays,
  staysAfterCleaning,
} from './compaction.rules.ts'

const DAY = 86_400_000
const plain = { deleteHorizonMs: -1, isAborted: false }

function learned(records: readonly CleanedRecord[], keysMax = 1_000): KeyOffsets {
  const offsets = new KeyOffsets(0, keysMax)
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
  const options = { hasTombstones: true, nowMs: 1_000, deleteRetentionMs: DAY }
  expect(deleteHorizonOf(plain, options)).toBe(1_000 + DAY)
  expect(deleteHorizonOf({ ...plain, deleteHorizonMs: 7 }, options)).toBe(7)
  expect(deleteHorizonOf(plain, { ...options, hasTombstones: false })).toBe(-1)
})

test('when no more keys fit, the log is cleaned as far as they reach', () => {
  const offsets = learned([record(0, 'a'), record(1, 'b'), record(2, 'a'), record(3, 'c'), record(4, 'a')], 2)
  expect([offsets.endOffset, offsets.size]).toEqual([3, 2])
})

test('a log is cleaned when enough of it is dirty or its oldest dirty record is too old, never when nothing is', () => {
  const rules = { minCleanableDirtyRatio: 0.5, maxCompactionLagMs: 1_000 }
  const cleanable = (cleanBytes: number, dirtyBytes: number, age: number) =>
    isCleanable({ cleanBytes, dirtyBytes, firstDirtyTimestamp: 5_000 - age }, rules, 5_000)
  expect([cleanable(50, 50, 0), cleanable(49, 51, 0), cleanable(99, 1, 1_001), cleanable(0, 0, 5_000)]).toEqual([
    false,
    true,
    true,
    false,
  ])
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
