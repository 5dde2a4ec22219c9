// Ids and epochs: who goes on, who is fenced, what is a repetition, and what happens when epochs run out.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type CurrentProducer,
  fencingEpoch,
  initialisedProducer,
  isEpochExhausted,
  isRepeatedEnd,
  PRODUCER_EPOCH_MAX,
} from './producer-ids.rules.ts'

const producer = (producerId: number, producerEpoch: number, more: Partial<CurrentProducer> = {}): CurrentProducer => ({
  producerId,
  producerEpoch,
  previousProducerId: -1,
  lastProducerEpoch: -1,
  ...more,
})
const init = (current: CurrentProducer | undefined, expected: [number, number] | null = null, fresh = 99) => {
  const asked = expected && { producerId: expected[0], producerEpoch: expected[1] }
  const next = initialisedProducer(current, asked, fresh)
  return next.kind === 'next' ? [next.producer.producerId, next.producer.producerEpoch] : next.kind
}

describe('InitProducerId', () => {
  it('gives a new transactional id a fresh producer id and epoch 0', () => {
    expect([init(undefined), init(undefined, [5, 3])]).toEqual([
      [99, 0],
      [99, 0],
    ])
    expect(init(undefined, null, -1)).toBe('wantsFresh')
  })

  it('of a client that starts raises the epoch, so that whoever had it is fenced', () => {
    expect(init(producer(5, 3))).toEqual([5, 4])
  })

  it('of the current producer raises its epoch; of an older one is refused', () => {
    expect(init(producer(5, 3), [5, 3])).toEqual([5, 4])
    expect(init(producer(5, 3), [5, 2])).toBe('fenced')
    expect(init(producer(5, 3), [6, 3])).toBe('fenced')
  })

  it('again, because its reply was lost, gets the same answer', () => {
    const first = initialisedProducer(producer(5, 3), { producerId: 5, producerEpoch: 3 }, 99)
    expect(first.kind === 'next' && init(first.producer, [5, 3])).toEqual([5, 4])
  })

  it('after the last epoch gets a new producer id, and so does its repetition', () => {
    const last = producer(5, PRODUCER_EPOCH_MAX - 1)
    expect(init(last, [5, PRODUCER_EPOCH_MAX - 1])).toEqual([99, 0])
    expect(init(last, null, -1)).toBe('wantsFresh')
    const first = initialisedProducer(last, { producerId: 5, producerEpoch: PRODUCER_EPOCH_MAX - 1 }, 99)
    expect(first.kind === 'next' && init(first.producer, [5, PRODUCER_EPOCH_MAX - 1], 100)).toEqual([99, 0])
  })

  it('of a producer that was fenced at the last epoch is refused, of its successor gets a new id', () => {
    const fenced = producer(5, PRODUCER_EPOCH_MAX)
    expect(init(fenced, [5, PRODUCER_EPOCH_MAX - 1])).toBe('fenced')
    expect(init(fenced)).toEqual([99, 0])
  })

  it('never hands out the epoch that is kept for fencing, whatever came before', () => {
    const epochs = fc.integer({ min: -1, max: PRODUCER_EPOCH_MAX })
    fc.assert(
      fc.property(
        epochs.filter(epoch => epoch >= 0),
        epochs,
        epochs,
        fc.boolean(),
        (epoch, last, expected, starts) => {
          const current = producer(5, epoch, { lastProducerEpoch: Math.min(last, epoch - 1) })
          const next = initialisedProducer(current, starts ? null : { producerId: 5, producerEpoch: expected }, 99)
          if (next.kind === 'next') expect(next.producer.producerEpoch).toBeLessThan(PRODUCER_EPOCH_MAX)
          else expect(next.kind).toBe('fenced')
        },
      ),
    )
  })
})

/** By a client of transaction.version 2. */
function ended(producerId: number, producerEpoch: number, previousProducerId = -1, nextProducerId = -1) {
  return { producerId, producerEpoch, previousProducerId, nextProducerId, clientTransactionVersion: 2 }
}

describe('fencing', () => {
  it('leaves no epoch that the fenced producer could take for the end of its own transaction', () => {
    for (const epoch of [0, 7, PRODUCER_EPOCH_MAX - 2, PRODUCER_EPOCH_MAX - 1]) {
      const producerEpoch = fencingEpoch(epoch)
      expect(producerEpoch).toBeGreaterThan(epoch)
      const fenced = { ...ended(5, producerEpoch), previousProducerId: -1 }
      expect(isRepeatedEnd(fenced, { producerId: 5, producerEpoch: epoch }, true), `epoch ${epoch}`).toBe(false)
    }
  })
})

describe('a repeated end (transaction.version 2)', () => {
  it('is one epoch below, and nothing else', () => {
    const at = (producerEpoch: number) => isRepeatedEnd(ended(5, 4), { producerId: 5, producerEpoch }, true)
    expect([at(2), at(3), at(4)]).toEqual([false, true, false])
    expect(isRepeatedEnd(ended(5, 4), { producerId: 6, producerEpoch: 3 }, true)).toBe(false)
  })

  it('at the last epoch is known by the id before, once the transaction is complete', () => {
    const asked = { producerId: 5, producerEpoch: PRODUCER_EPOCH_MAX - 1 }
    expect(isRepeatedEnd(ended(5, PRODUCER_EPOCH_MAX, -1, 9), asked, false)).toBe(true)
    expect(isRepeatedEnd(ended(9, 0, 5), asked, true)).toBe(true)
    expect(isRepeatedEnd(ended(9, 1, 5), asked, true)).toBe(false)
  })

  it('is never that of an end by a client of transaction.version 1: who speaks of the epoch below is fenced', () => {
    const byOld = (end: ReturnType<typeof ended>) => ({ ...end, clientTransactionVersion: 1 })
    expect(isRepeatedEnd(byOld(ended(5, 4)), { producerId: 5, producerEpoch: 3 }, true)).toBe(false)
    const exhausted = { producerId: 5, producerEpoch: PRODUCER_EPOCH_MAX - 1 }
    expect(isRepeatedEnd(byOld(ended(9, 0, 5)), exhausted, true)).toBe(false)
  })
})

describe('epochs', () => {
  it('are exhausted one before the last, which is kept for fencing', () => {
    expect([32_765, 32_766, 32_767].map(isEpochExhausted)).toEqual([false, true, true])
  })
})
