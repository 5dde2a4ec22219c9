import { describe, expect, it } from 'vitest'
import type { ProducerState } from '../log/partition-log.ts'
import {
  abortedForFetch,
  applyTransactionChanges,
  lastStableOffset,
  lateTransactions,
  loadOngoing,
  noTransactionChanges,
  oldestUndecided,
  transactionEnded,
  transactionStarted,
} from './transaction-index.rules.ts'

function open(producerId: number, currentTxnFirstOffset: number): ProducerState {
  return { producerId, producerEpoch: 0, coordinatorEpoch: 0, lastTimestamp: 0, currentTxnFirstOffset, batches: [] }
}

const started = (producerId: number, firstOffset: number) => ({ producerId, firstOffset, position: firstOffset * 10 })

describe('the last stable offset', () => {
  it('is the high watermark while nothing is undecided', () => {
    expect(lastStableOffset(50, oldestUndecided(new Map()))).toBe(50)
  })

  it('is the first offset of the oldest undecided transaction', () => {
    const ongoing = loadOngoing([open(1, 30), open(2, 10), open(3, -1), open(4, 20)])
    expect([...ongoing.keys()]).toEqual([2, 4, 1])
    expect(lastStableOffset(50, oldestUndecided(ongoing))).toBe(10)
  })

  it('moves to the next transaction when the oldest is decided, and sees what the same group began', () => {
    const ongoing = loadOngoing([open(1, 10)])
    const changes = noTransactionChanges()
    transactionStarted(changes, started(2, 20))
    transactionEnded(ongoing, changes, { producerId: 1, offset: 25, committed: true, firstOffset: 10 })
    expect(oldestUndecided(ongoing, changes)).toMatchObject({ producerId: 2, firstOffset: 20 })
    expect(oldestUndecided(ongoing)).toMatchObject({ producerId: 1 })
    applyTransactionChanges(ongoing, changes)
    expect([...ongoing.keys()]).toEqual([2])
  })

  it('keeps the order of first offsets when a producer ends one transaction and begins another in one group', () => {
    const ongoing = loadOngoing([open(1, 10), open(2, 12)])
    const changes = noTransactionChanges()
    transactionEnded(ongoing, changes, { producerId: 1, offset: 20, committed: true, firstOffset: 10 })
    transactionStarted(changes, started(1, 21))
    applyTransactionChanges(ongoing, changes)
    expect([...ongoing.values()].map(({ firstOffset }) => firstOffset)).toEqual([12, 21])
  })

  it('a transaction that begins and ends in one group leaves nothing behind', () => {
    const changes = noTransactionChanges()
    transactionStarted(changes, started(1, 5))
    transactionEnded(new Map(), changes, { producerId: 1, offset: 6, committed: true, firstOffset: 5 })
    expect(changes).toEqual(noTransactionChanges())
  })
})

describe('the index of aborted transactions', () => {
  it('gets an entry per abort, with the LSO that the marker makes', () => {
    const ongoing = loadOngoing([open(1, 10), open(2, 15)])
    const changes = noTransactionChanges()
    transactionEnded(ongoing, changes, { producerId: 1, offset: 20, committed: false, firstOffset: 10 })
    transactionEnded(ongoing, changes, { producerId: 2, offset: 21, committed: false, firstOffset: 15 })
    expect(changes.aborted).toEqual([
      { producerId: 1, firstOffset: 10, lastOffset: 20, lastStableOffset: 15 },
      { producerId: 2, firstOffset: 15, lastOffset: 21, lastStableOffset: 22 },
    ])
  })

  it('is told to fetches by first offset', () => {
    const entry = (producerId: number, firstOffset: number, lastOffset: number) => {
      return { producerId, firstOffset, lastOffset, lastStableOffset: lastOffset + 1 }
    }
    expect(abortedForFetch([entry(1, 5, 10), entry(2, 3, 12)])).toEqual([
      { producerId: 2, firstOffset: 3 },
      { producerId: 1, firstOffset: 5 },
    ])
  })
})

describe('late transactions', () => {
  it('are open and silent for longer than the largest timeout and five minutes', () => {
    const at = (lastTimestamp: number, currentTxnFirstOffset: number) => ({
      ...open(1, currentTxnFirstOffset),
      lastTimestamp,
    })
    const limits = { now: 1_000_000, transactionMaxTimeoutMs: 600_000 }
    expect(lateTransactions([at(100_000, 5)], limits)).toBe(0)
    expect(lateTransactions([at(99_999, 5), at(99_999, -1)], limits)).toBe(1)
  })
})
