// The part of the log's suite that is about what follows from batches: producer states, transactions, epochs, times, and what truncation
// makes of them.
import { expect, test } from 'vitest'
import { replayBatch, replayMarker } from './derived-state.rules.ts'
import {
  appendMany,
  type Current,
  config,
  groupOf,
  marker,
  noState,
  type Reopen,
  readAll,
  stamped,
} from './log-fixtures.suite.ts'
import { replayStored } from './stored-batches.rules.ts'

/** Producer states, transactions and marks are stored with what they follow from. */
export function describeDerivedState(current: Current, reopen: Reopen): void {
  test('producer states are stored with their batches and carried over rolls and restarts', () => {
    const derived = noState()
    const policy = { ...config, segmentBytes: 600 }
    for (let i = 0; i < 20; i++) {
      const producerId = i % 3
      const sequence = Math.floor(i / 3)
      current().append(groupOf([stamped(i, { producerId, sequence, valueBytes: 100 })], derived), policy)
    }
    const expected = [...derived.producers.values()].sort((a, b) => a.producerId - b.producerId)
    expect(expected[0]!.batches).toHaveLength(5)
    expect(current().segments().length).toBeGreaterThan(3)
    for (const how of ['stop', 'clean'] as const) {
      expect(current().producerStates()).toEqual(expected)
      reopen(how)
    }
  })

  test('expired producers are gone, also after a restart', () => {
    current().append(groupOf([stamped(0, { producerId: 7 }), stamped(1, { producerId: 8 })], noState()), config)
    current().append({ batches: [], expiredProducers: [7], now: 1 }, config)
    reopen('stop')
    expect(
      current()
        .producerStates()
        .map(p => p.producerId),
    ).toEqual([8])
  })

  test('aborted transactions are found by overlap, until one is stable above the range', () => {
    const derived = noState()
    const txn = (producerId: number, sequence = 0) => ({ producerId, sequence, transactional: true })
    const policy = { ...config, segmentBytes: 500 }
    const batches = [
      stamped(0, txn(1)),
      stamped(1, txn(2)),
      marker(2, { producerId: 1, commit: false }),
      stamped(3, txn(3)),
      marker(4, { producerId: 2, commit: true }),
      marker(5, { producerId: 3, commit: false }),
      stamped(6),
    ]
    for (const one of batches) current().append(groupOf([one], derived), policy)
    for (const how of ['stop', 'clean'] as const) {
      reopen(how)
      expect(
        current()
          .abortedTransactions(0, 7)
          .map(a => [a.producerId, a.firstOffset, a.lastOffset]),
      ).toEqual([
        [1, 0, 2],
        [3, 3, 5],
      ])
      expect(
        current()
          .abortedTransactions(3, 7)
          .map(a => a.producerId),
      ).toEqual([3])
      expect(
        current()
          .abortedTransactions(0, 1)
          .map(a => a.producerId),
      ).toEqual([1])
      expect(current().abortedTransactions(6, 7)).toEqual([])
    }
  })

  test('a transaction that is aborted after a look that found none is found by the next look', () => {
    const derived = noState()
    const append = (one: ReturnType<typeof stamped>) => current().append(groupOf([one], derived), config)
    const aborted = (from: number) =>
      current()
        .abortedTransactions(from, 100)
        .map(({ producerId }) => producerId)
    append(stamped(0, { producerId: 1, transactional: true }))
    expect(aborted(0)).toEqual([])
    append(marker(1, { producerId: 1, commit: false }))
    append(stamped(2))
    expect([aborted(2), aborted(1), aborted(0)]).toEqual([[], [1], [1]])
    append(stamped(3, { producerId: 2, transactional: true }))
    append(marker(4, { producerId: 2, commit: false }))
    expect([aborted(2), aborted(3), aborted(5), aborted(0)]).toEqual([[2], [2], [], [1, 2]])
  })

  test('high watermark and last stable offset are as of the last commit', () => {
    const log = current()
    log.append({ batches: [stamped(0), stamped(1), stamped(2)], highWatermark: 2, lastStableOffset: 1, now: 1 }, config)
    reopen('stop')
    expect([current().highWatermark, current().lastStableOffset]).toEqual([2, 1])
    current().append({ batches: [], highWatermark: 3, lastStableOffset: 3, now: 1 }, config)
    expect(() => current().append({ batches: [], highWatermark: 2, now: 1 }, config)).toThrow('never goes back')
    reopen('clean')
    expect([current().highWatermark, current().lastStableOffset]).toEqual([3, 3])
  })

  test('the rules and the stored bytes tell the same story', () => {
    const fromBytes = noState()
    const fromFields = noState()
    replayStored(fromBytes, stamped(5, { producerId: 9, sequence: 4, records: 3, transactional: true }).bytes, 0)
    replayStored(fromBytes, marker(8, { producerId: 9, commit: false, coordinatorEpoch: 6, timestamp: 77 }).bytes, 0)
    const header = { producerId: 9, producerEpoch: 0, maxTimestamp: 1000, transactional: true }
    replayBatch(fromFields, { ...header, baseSequence: 4, lastSequence: 6, baseOffset: 5, lastOffset: 7 })
    const end = { producerId: 9, producerEpoch: 0, coordinatorEpoch: 6, committed: false, offset: 8, timestamp: 77 }
    replayMarker(fromFields, end)
    expect(fromBytes).toEqual(fromFields)
    expect(fromBytes.aborted).toEqual([{ producerId: 9, firstOffset: 5, lastOffset: 8, lastStableOffset: 9 }])
  })
}

/** Cutting the end off. */
export function describeTruncation(current: Current, reopen: Reopen): void {
  test('truncation drops the batch that holds the offset, and appends go on from there', () => {
    const log = current()
    log.append({ batches: [stamped(0, { records: 5 }), stamped(5, { records: 5 })], now: 1 }, config)
    log.append({ batches: [stamped(10, { records: 5, valueBytes: 30_000 })], now: 1 }, config)
    log.truncateTo(12)
    expect([log.logEndOffset, log.highWatermark]).toEqual([10, 10])
    log.truncateTo(7)
    expect(log.logEndOffset).toBe(5)
    expect(readAll(log)).toEqual([0])
    appendMany(log, 2)
    reopen('stop')
    expect(readAll(current())).toEqual([0, 5, 6])
  })

  test('truncation reaches into sealed segments and rebuilds producers, transactions and epochs', () => {
    const derived = noState()
    const policy = { ...config, segmentBytes: 500 }
    const txn = (sequence: number) => ({ producerId: 4, sequence, transactional: true })
    const history = [stamped(0, txn(0)), marker(1, { producerId: 4, commit: false }), stamped(2, { epoch: 1 })]
    for (const one of history) current().append(groupOf([one], derived), policy)
    const expected = [...derived.producers.values()]
    const later = [
      stamped(3, { ...txn(1), epoch: 2 }),
      marker(4, { producerId: 4, commit: false }),
      stamped(5, { epoch: 3 }),
    ]
    for (const one of later) current().append(groupOf([one], derived), policy)
    current().truncateTo(3)
    for (const how of ['stop', 'clean'] as const) {
      expect(current().logEndOffset).toBe(3)
      expect(current().producerStates()).toEqual(expected)
      expect(
        current()
          .abortedTransactions(0, 100)
          .map(a => a.lastOffset),
      ).toEqual([1])
      expect(
        current()
          .epochs()
          .map(e => e.epoch),
      ).toEqual([0, 1])
      reopen(how)
    }
    expect(readAll(current())).toEqual([0, 1, 2])
  })

  test('a log truncated to nothing keeps its place', () => {
    appendMany(current(), 3)
    current().truncateTo(0)
    expect([current().logEndOffset, current().sizeInBytes, current().latestEpoch]).toEqual([0, 0, -1])
    reopen('stop')
    expect(current().logEndOffset).toBe(0)
    appendMany(current(), 1)
    expect(readAll(current())).toEqual([0])
  })

  test('time lookups are right after truncation', () => {
    for (const timestamp of [10, 50, 20, 90]) {
      current().append(
        { batches: [stamped(current().logEndOffset, { timestamp, valueBytes: 70_000 })], now: 1 },
        config,
      )
    }
    current().truncateTo(3)
    for (const timestamp of [60, 70]) {
      current().append(
        { batches: [stamped(current().logEndOffset, { timestamp, valueBytes: 70_000 })], now: 1 },
        config,
      )
    }
    expect([5, 20, 51, 61, 71].map(t => current().batchForTimestamp(t)?.baseOffset)).toEqual([0, 1, 3, 4, undefined])
    expect(current().batchOfMaxTimestamp()?.baseOffset).toBe(4)
  })
}

/** Finding batches by time, and epochs by offset. */
export function describeTimeAndEpochs(current: Current, reopen: Reopen): void {
  test('the first batch at or after a time is found, in any order of timestamps', () => {
    const timestamps = [5, 3, 9, 9, 2, 30, 1, 40, 40, 12]
    const policy = { ...config, segmentBytes: 250_000 }
    for (const timestamp of timestamps) {
      current().append(
        { batches: [stamped(current().logEndOffset, { timestamp, valueBytes: 70_000 })], now: 1 },
        policy,
      )
    }
    for (const how of ['stop', 'clean'] as const) {
      for (let wanted = 0; wanted <= 41; wanted++) {
        const expected = timestamps.findIndex(timestamp => timestamp >= wanted)
        expect(current().batchForTimestamp(wanted)?.baseOffset ?? -1).toBe(expected)
      }
      expect(current().batchOfMaxTimestamp()).toMatchObject({ baseOffset: 7, maxTimestamp: 40 })
      reopen(how)
    }
    current().deleteRecordsTo(8)
    expect(current().batchForTimestamp(3)?.baseOffset).toBe(8)
    expect(current().batchOfMaxTimestamp()?.baseOffset).toBe(8)
    current().deleteRecordsTo(9)
    expect(current().batchOfMaxTimestamp()?.baseOffset).toBe(9)
  })

  test('epochs are recorded from batches and announcements, and answer where they end', () => {
    const log = current()
    log.append({ batches: [stamped(0, { epoch: 2 }), stamped(1, { epoch: 2 })], now: 1 }, config)
    log.append({ batches: [], epochStart: { epoch: 3, startOffset: 2 }, now: 1 }, config)
    log.append({ batches: [], epochStart: { epoch: 5, startOffset: 2 }, now: 1 }, config)
    log.append({ batches: [stamped(2, { epoch: 5 }), stamped(3, { epoch: 7 })], now: 1 }, config)
    for (const how of ['stop', 'clean'] as const) {
      expect(
        current()
          .epochs()
          .map(e => [e.epoch, e.startOffset]),
      ).toEqual([
        [2, 0],
        [5, 2],
        [7, 3],
      ])
      const answers = [0, 2, 3, 5, 6, 7, 8].map(e => Object.values(current().offsetForLeaderEpoch(e)))
      expect(answers).toEqual([
        [0, 0],
        [2, 2],
        [2, 2],
        [5, 3],
        [5, 3],
        [7, 4],
        [-1, -1],
      ])
      reopen(how)
    }
    current().deleteRecordsTo(3)
    expect(current().epochs()).toEqual([{ epoch: 7, startOffset: 3 }])
  })
}
