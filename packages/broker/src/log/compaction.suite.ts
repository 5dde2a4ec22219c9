// What compaction must show, on memory and LMDB, also after a clean stop and after a kill.
import * as batch from '@odradek/shared/records/record-batch'
import { describe, expect, test } from 'vitest'
import { firstUndecidedOffset } from './derived-state.rules.ts'
import {
  type BatchShape,
  type Current,
  compact,
  config,
  eager,
  groupOf,
  type KeyedRecords,
  keyed,
  marker,
  NO_LIMITS,
  noState,
  type Reopen,
  readAll,
  recordsOf,
} from './log-fixtures.suite.ts'
import type { PartitionLog, StampedBatch } from './partition-log.ts'

/** Appends keyed batches as a leader does; each call is a segment of its own. */
function writer(current: Current) {
  const derived = noState()
  const commit = (build: (offset: number) => StampedBatch) => {
    const log = current()
    const group = groupOf([build(log.logEndOffset)], derived)
    const end = group.batches[0]!.lastOffset + 1
    const lastStableOffset = firstUndecidedOffset(derived.producers.values()) ?? end
    log.append({ ...group, highWatermark: end, lastStableOffset }, config)
  }
  return {
    put: (records: KeyedRecords, shape: Parameters<typeof keyed>[2] = {}) =>
      commit(offset => keyed(offset, records, shape)),
    mark: (producerId: number, isCommit: boolean) => commit(offset => marker(offset, { producerId, commit: isCommit })),
    roll: () => current().roll(5_000),
  }
}

const transaction = (producerId: number, sequence: number): BatchShape => ({
  producerId,
  sequence,
  transactional: true,
})

/** Control batches by base offset. */
function markersOf(log: PartitionLog): number[] {
  const { bytes } = log.read(log.logStartOffset, NO_LIMITS)
  const found = [...batch.batchPositions(bytes)].filter(at => batch.isControlBatch(bytes, at))
  return found.map(at => batch.baseOffset(bytes, at))
}

export function describeCompaction(current: Current, reopen: Reopen): void {
  describe('compaction', () => {
    describeWhatStays(current, reopen)
    describeTransactionsAndProducers(current, reopen)
    describeRounds(current, reopen)
  })
}

function describeWhatStays(current: Current, reopen: Reopen): void {
  for (const how of ['clean', 'stop'] as const) {
    test(`the last record of each key stays at its offset; the active segment is not touched (${how})`, async () => {
      const { put, roll } = writer(current)
      put([
        ['a', '1'],
        ['b', '1'],
        ['a', '2'],
      ])
      put([['c', '1']])
      roll()
      put([
        ['a', '3'],
        ['c', undefined],
      ])
      roll()
      put([['b', '2']])
      put([['b', '3']])
      expect(await compact(current())).toMatchObject({ complete: true, firstDirtyOffset: 6 })
      const expected = [
        [1, 'b', '1'],
        [4, 'a', '3'],
        [5, 'c', undefined],
        [6, 'b', '2'],
        [7, 'b', '3'],
      ]
      expect(recordsOf(current())).toEqual(expected)
      reopen(how)
      expect(recordsOf(current())).toEqual(expected)
      expect([current().logStartOffset, current().logEndOffset]).toEqual([0, 8])
      expect(await compact(current())).toBeUndefined()
    })
  }

  test('a tombstone stays for delete.retention.ms from the first round that met it, then goes; nothing of its key comes back', async () => {
    const { put, roll } = writer(current)
    put([['a', '1']])
    put([['a', undefined]])
    put([['x', '0']])
    roll()
    await compact(current(), { now: 10_000, deleteRetentionMs: 1_000 })
    expect(recordsOf(current()).map(([offset]) => offset)).toEqual([1, 2])
    put([['y', '1']])
    roll()
    reopen('clean')
    await compact(current(), { now: 10_999, deleteRetentionMs: 1_000 })
    expect(recordsOf(current()).map(([offset]) => offset)).toEqual([1, 2, 3])
    put([['y', '2']])
    roll()
    await compact(current(), { now: 11_000, deleteRetentionMs: 1_000 })
    expect(recordsOf(current()).map(([offset]) => offset)).toEqual([2, 4])
  })

  test('timestamps survive the delete horizon that takes the place of the base timestamp, and are found by time', async () => {
    const { put, roll } = writer(current)
    put([
      ['a', '1'],
      ['b', undefined],
      ['c', '1'],
    ])
    put([['d', '1']], { timestamp: 2_000 })
    roll()
    put([['a', '2']], { timestamp: 3_000 })
    roll()
    await compact(current())
    const { bytes } = current().read(0, { ...NO_LIMITS, maxBytes: 1 })
    expect([batch.hasDeleteHorizon(bytes, 0), batch.baseTimestamp(bytes, 0)]).toEqual([true, 11_000])
    expect([batch.recordCount(bytes, 0), batch.maxTimestamp(bytes, 0)]).toEqual([2, 1_002])
    expect([1_001, 1_002, 1_003, 2_001].map(time => current().batchForTimestamp(time)?.baseOffset)).toEqual([
      0, 0, 3, 4,
    ])
    expect(current().batchOfMaxTimestamp()?.baseOffset).toBe(4)
  })

  for (const compression of ['gzip', 'lz4', 'zstd', 'snappy'] as const) {
    test(`a batch keeps its codec (${compression}), records without a key go`, async () => {
      const { put, roll } = writer(current)
      const records: KeyedRecords = [
        ['a', 'x'.repeat(100)],
        [null, 'y'.repeat(100)],
        ['b', 'z'.repeat(100)],
      ]
      put(records, { compression })
      roll()
      put([['b', '2']])
      roll()
      await compact(current())
      const { bytes } = current().read(0, { ...NO_LIMITS, maxBytes: 1 })
      expect([batch.compressionType(bytes, 0), batch.recordCount(bytes, 0)]).toEqual([compression, 1])
      expect(recordsOf(current())).toEqual([
        [0, 'a', 'x'.repeat(100)],
        [3, 'b', '2'],
      ])
    })
  }

  test('what is cut in a gap gives no offset twice', async () => {
    const { put, roll } = writer(current)
    put([['a', '1']])
    put([['b', '1']])
    put([['b', '2']])
    put([['b', '3']])
    roll()
    put([['c', '1']])
    await compact(current())
    expect(readAll(current())).toEqual([0, 3, 4])
    current().truncateTo(2)
    expect([current().logEndOffset, readAll(current())]).toEqual([2, [0]])
    put([['d', '1']])
    reopen('stop')
    expect(recordsOf(current())).toEqual([
      [0, 'a', '1'],
      [2, 'd', '1'],
    ])
  })
}

function describeTransactionsAndProducers(current: Current, reopen: Reopen): void {
  test('data of an aborted transaction goes, also when it was the last of its key; its marker goes when its time is over', async () => {
    const { put, mark, roll } = writer(current)
    put([['a', '1']])
    put([['a', 'aborted']], transaction(7, 0))
    mark(7, false)
    roll()
    await compact(current(), { now: 10_000 })
    expect(recordsOf(current())).toEqual([[0, 'a', '1']])
    expect([markersOf(current()), current().abortedTransactions(0, 3).length]).toEqual([[2], 1])
    for (const now of [20_000, 30_000, 40_000]) {
      put([['z', String(now)]], { producerId: 7, sequence: now })
      roll()
      await compact(current(), { now })
    }
    expect(recordsOf(current()).filter(([, key]) => key === 'a')).toEqual([[0, 'a', '1']])
    expect([markersOf(current()), current().abortedTransactions(0, 3)]).toEqual([[], []])
  })

  test('a commit marker stays while data of its transaction does', async () => {
    const { put, mark, roll } = writer(current)
    put([['a', '1']], transaction(7, 0))
    mark(7, true)
    roll()
    for (const now of [10_000, 20_000, 30_000]) {
      put([['z', String(now)]], transaction(8, now))
      mark(8, true)
      roll()
      await compact(current(), { now })
    }
    expect(markersOf(current())).toContain(1)
    put([['a', '2']])
    roll()
    for (const now of [40_000, 50_000, 60_000]) {
      put([['z', String(now)]], { producerId: 7, sequence: now })
      roll()
      await compact(current(), { now })
    }
    expect(markersOf(current())).not.toContain(1)
  })

  test('nothing at or after the first undecided offset is cleaned, until it is decided', async () => {
    const { put, mark, roll } = writer(current)
    put([['a', '1']])
    roll()
    put([['a', '2']])
    put([['b', '1']], transaction(7, 0))
    roll()
    put([['a', '3']])
    roll()
    await compact(current())
    expect(readAll(current())).toEqual([0, 1, 2, 3])
    mark(7, true)
    roll()
    await compact(current())
    expect(recordsOf(current()).map(([offset]) => offset)).toEqual([2, 3])
  })

  test('the last batch of a known producer stays, empty if need be: its sequence survives cleaning and any stop', async () => {
    const { put, roll } = writer(current)
    put([['a', '1']], { producerId: 5, producerEpoch: 3, sequence: 40 })
    put([['a', '2']], { producerId: 6, sequence: 1 })
    roll()
    put([['a', '3']])
    roll()
    const before = current().producerStates()
    await compact(current())
    expect(recordsOf(current())).toEqual([[2, 'a', '3']])
    expect(readAll(current())).toEqual([0, 1, 2])
    const { bytes } = current().read(0, { ...NO_LIMITS, maxBytes: 1 })
    expect([batch.recordCount(bytes, 0), batch.producerId(bytes, 0), batch.baseSequence(bytes, 0)]).toEqual([0, 5, 40])
    reopen('stop')
    expect(current().producerStates()).toEqual(before)
  })
}

function describeRounds(current: Current, reopen: Reopen): void {
  const fill = (count: number) => {
    const { put, roll } = writer(current)
    for (let n = 0; n < count; n++) {
      put([[`key-${n % 5}`, String(n).repeat(20)]])
      if (n % 10 === 9) roll()
    }
    roll()
  }

  test('the end of what was cleaned stays reachable: an empty batch stands for it', async () => {
    const { put, roll } = writer(current)
    put([['a', '1']])
    put([[null, 'keyless']])
    roll()
    await compact(current())
    expect([readAll(current()), current().logEndOffset]).toEqual([[0, 1], 2])
    expect(recordsOf(current())).toEqual([[0, 'a', '1']])
  })

  test('small neighbours become one segment, up to segment.bytes', async () => {
    fill(40)
    expect(current().segments()).toHaveLength(5)
    await compact(current(), {}, { stepBytes: 100_000 })
    expect(current().segments()).toHaveLength(2)
    fill(40)
    await compact(current(), { segmentBytes: 1 })
    expect(current().segments().length).toBeGreaterThan(4)
    expect(recordsOf(current()).map(([, key]) => key)).toEqual([0, 1, 2, 3, 4].map(n => `key-${n}`))
  })

  test('keys that do not fit are left for the next round, which goes on where this one ended', async () => {
    const { put, roll } = writer(current)
    for (let n = 0; n < 40; n++) put([[`key-${n % 20}`, String(n)]])
    roll()
    const first = await compact(current(), { keyBytesMax: 1_000 })
    expect(first?.firstDirtyOffset).toBeGreaterThan(0)
    expect(first?.firstDirtyOffset).toBeLessThan(20)
    reopen('clean')
    for (let rounds = 0; (await compact(current(), { keyBytesMax: 1_000 })) !== undefined; rounds++) {
      expect(rounds).toBeLessThan(40)
    }
    expect(lastValues(current())).toEqual(new Map(Array.from({ length: 20 }, (_, n) => [`key-${n}`, String(n + 20)])))
  })

  test('appends, rolls and reads go on between the steps of a round', async () => {
    fill(60)
    const { put, roll } = writer(current)
    const outcome = await compact(
      current(),
      {},
      {
        stepBytes: 200,
        between: step => {
          put([['late', String(step)]])
          if (step % 3 === 0) roll()
          expect(recordsOf(current()).length).toBeGreaterThan(0)
        },
      },
    )
    expect(outcome).toMatchObject({ complete: true, firstDirtyOffset: 60 })
    expect(recordsOf(current()).filter(([, key]) => key !== 'late')).toHaveLength(5)
  })

  test('a round ends without harm when retention or truncation takes what it reads', async () => {
    fill(60)
    const start = await compact(
      current(),
      {},
      {
        stepBytes: 200,
        between: step => {
          if (step === 2) current().retain({ now: 0, retentionMs: -1, retentionBytes: 2_000 })
        },
      },
    )
    expect(start).toMatchObject({ complete: false })
    const kept = readAll(current())
    const cut = await compact(
      current(),
      {},
      {
        stepBytes: 200,
        between: step => {
          if (step === 2) current().truncateTo(current().logStartOffset + 5)
        },
      },
    )
    expect(cut).toMatchObject({ complete: false })
    expect(readAll(current())).toEqual(kept.slice(0, 5))
  })

  test('a stop after any step of a round leaves either what was or what became, and the next round ends it', async () => {
    fill(20)
    const values = lastValues(current())
    for (let stopAt = 0, ended = false; !ended; stopAt++) {
      const round = current().beginCompaction({ ...eager, segmentBytes: 1_200 })
      for (let step = 0; step <= stopAt && !ended && round !== undefined; step++) {
        const progress = round.step(700)
        if (progress.state === 'waiting') await progress.until
        ended = progress.state === 'done'
      }
      expect(lastValues(reopen('stop').log)).toEqual(values)
      expect(current().logEndOffset).toBe(20)
    }
    expect(recordsOf(current())).toHaveLength(5)
  })
}

/** What a replay of the log gives. */
function lastValues(log: PartitionLog): Map<string | null, string> {
  const values = new Map<string | null, string>()
  for (const [, key, value] of recordsOf(log)) {
    if (value === undefined) values.delete(key)
    else values.set(key, value)
  }
  return values
}
