// Producer state: each of Kafka's rules by example, then random histories against a naive model that keeps every batch ever accepted.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AcceptedBatch } from '../log/derived-state.rules.ts'
import type { ProducerState } from '../log/partition-log.ts'
import {
  type BatchCircumstances,
  describeProducer,
  isExpired,
  judgeBatch,
  judgeMarker,
  type Marker,
} from './producer-state.rules.ts'
import { verificationAsked } from './verification.rules.ts'

const MAX = 2 ** 31 - 1
const client: BatchCircumstances = { origin: 'client', verification: undefined, verified: true, added: false }

/** A batch of `count` records at `offset`. */
function produced(baseSequence: number, count = 1, rest: Partial<AcceptedBatch> = {}): AcceptedBatch {
  const baseOffset = rest.baseOffset ?? 100
  return {
    producerId: 7,
    producerEpoch: 0,
    baseSequence,
    lastSequence: (baseSequence + count - 1) % 2 ** 31,
    baseOffset,
    lastOffset: baseOffset + count - 1,
    maxTimestamp: 1000,
    transactional: false,
    ...rest,
  }
}

function marked(rest: Partial<Marker> = {}): Marker {
  return {
    producerId: 7,
    producerEpoch: 0,
    coordinatorEpoch: 0,
    transactionVersion: 1,
    committed: true,
    offset: 200,
    timestamp: 2000,
    ...rest,
  }
}

function accept(state: ProducerState | undefined, batch: AcceptedBatch, by = client): ProducerState {
  const verdict = judgeBatch(state, batch, by)
  if (verdict.kind !== 'accepted') throw new Error(`expected acceptance, got ${JSON.stringify(verdict)}`)
  return verdict.next
}

function acceptMarker(state: ProducerState | undefined, marker: Marker): ProducerState {
  const verdict = judgeMarker(state, marker)
  if (verdict.kind !== 'accepted') throw new Error(`expected acceptance, got ${JSON.stringify(verdict)}`)
  return verdict.next
}

function errorOf(verdict: ReturnType<typeof judgeBatch> | ReturnType<typeof judgeMarker>): string {
  return verdict.kind === 'refused' ? verdict.error : verdict.kind
}

describe('sequences', () => {
  it('an unknown producer may begin with any sequence', () => {
    expect(accept(undefined, produced(41)).batches).toHaveLength(1)
  })

  it('the next batch begins where the last one ended, plus one', () => {
    const state = accept(undefined, produced(0, 10))
    expect(errorOf(judgeBatch(state, produced(10), client))).toBe('accepted')
    expect(errorOf(judgeBatch(state, produced(11), client))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(errorOf(judgeBatch(state, produced(9), client))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  })

  it('2^31 - 1 is followed by 0, also in the middle of a batch', () => {
    const atEnd = accept(undefined, produced(MAX - 1, 2))
    expect(atEnd.batches[0]).toMatchObject({ firstSequence: MAX - 1, lastSequence: MAX })
    expect(accept(atEnd, produced(0)).batches.at(-1)).toMatchObject({ firstSequence: 0 })
    const across = accept(undefined, produced(MAX, 3))
    expect(across.batches[0]).toMatchObject({ firstSequence: MAX, lastSequence: 1 })
    expect(errorOf(judgeBatch(across, produced(2), client))).toBe('accepted')
    expect(judgeBatch(across, produced(MAX, 3), client)).toMatchObject({ kind: 'duplicate' })
  })

  it('a repeat of each of the last five batches answers its first offset, an older one is out of order', () => {
    let state: ProducerState | undefined
    for (let n = 0; n < 6; n++) state = accept(state, produced(n * 3, 3, { baseOffset: 100 + n * 3 }))
    for (let n = 1; n < 6; n++) {
      expect(judgeBatch(state, produced(n * 3, 3, { baseOffset: 900 }), client)).toMatchObject({
        kind: 'duplicate',
        batch: { firstOffset: 100 + n * 3, lastOffset: 102 + n * 3, timestamp: 1000 },
      })
    }
    expect(errorOf(judgeBatch(state, produced(0, 3), client))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  })

  it('a batch that shares only its first sequence with a known one is no duplicate', () => {
    const state = accept(undefined, produced(0, 3))
    expect(errorOf(judgeBatch(state, produced(0, 2), client))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  })
})

describe('epochs', () => {
  it('an older epoch is refused with INVALID_PRODUCER_EPOCH, even with a sequence of the last five', () => {
    const state = accept(accept(undefined, produced(0)), produced(0, 1, { producerEpoch: 1 }))
    expect(errorOf(judgeBatch(state, produced(0), client))).toBe('INVALID_PRODUCER_EPOCH')
  })

  it('a new epoch begins at sequence 0 and forgets the old batches', () => {
    const state = accept(undefined, produced(0, 5))
    expect(errorOf(judgeBatch(state, produced(5, 1, { producerEpoch: 1 }), client))).toBe(
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
    )
    expect(accept(state, produced(0, 1, { producerEpoch: 1 })).batches).toHaveLength(1)
  })

  it('after a marker bumped the epoch the next sequence is 0', () => {
    const open = accept(undefined, produced(0, 5, { transactional: true }))
    const state = acceptMarker(open, marked({ producerEpoch: 1, transactionVersion: 2 }))
    expect(state).toMatchObject({ producerEpoch: 1, batches: [], currentTxnFirstOffset: -1 })
    const next = (sequence: number) => produced(sequence, 1, { producerEpoch: 1, transactional: true })
    expect(errorOf(judgeBatch(state, next(5), client))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(errorOf(judgeBatch(state, next(0), client))).toBe('accepted')
  })

  it('what a coordinator writes is fenced by epoch and has no sequence', () => {
    const coordinator = { ...client, origin: 'coordinator' } as const
    const staged = (producerEpoch: number) => produced(-1, 1, { producerEpoch, transactional: true, lastSequence: -1 })
    const state = accept(undefined, staged(3), coordinator)
    expect(errorOf(judgeBatch(state, staged(3), coordinator))).toBe('accepted')
    expect(errorOf(judgeBatch(state, staged(2), coordinator))).toBe('INVALID_PRODUCER_EPOCH')
  })
})

describe('transactions', () => {
  it('the first transactional batch begins one, later ones are in it', () => {
    const first = judgeBatch(undefined, produced(0, 2, { transactional: true }), client)
    expect(first).toMatchObject({ kind: 'accepted', startsTransaction: true, next: { currentTxnFirstOffset: 100 } })
    const state = accept(undefined, produced(0, 2, { transactional: true }))
    expect(judgeBatch(state, produced(2, 1, { transactional: true, baseOffset: 102 }), client)).toMatchObject({
      startsTransaction: false,
      next: { currentTxnFirstOffset: 100 },
    })
  })

  it('a non-transactional batch inside an open transaction is INVALID_TXN_STATE', () => {
    const state = accept(undefined, produced(0, 1, { transactional: true }))
    expect(errorOf(judgeBatch(state, produced(1), client))).toBe('INVALID_TXN_STATE')
  })

  it('a transactional batch that nobody vouched for does not begin a transaction', () => {
    const unverified = { ...client, verified: false }
    expect(errorOf(judgeBatch(undefined, produced(0, 1, { transactional: true }), unverified))).toBe(
      'INVALID_TXN_STATE',
    )
    const open = accept(undefined, produced(0, 1, { transactional: true }))
    expect(errorOf(judgeBatch(open, produced(1, 1, { transactional: true }), unverified))).toBe('accepted')
    const newEpoch = produced(0, 1, { transactional: true, producerEpoch: 1 })
    expect(errorOf(judgeBatch(open, newEpoch, unverified))).toBe('INVALID_TXN_STATE')
  })

  it('a repeat is answered even after its transaction has ended and no guard is held', () => {
    const open = accept(undefined, produced(0, 1, { transactional: true }))
    const closed = acceptMarker(open, marked())
    const repeat = produced(0, 1, { transactional: true })
    expect(judgeBatch(closed, repeat, { ...client, verified: false })).toMatchObject({ kind: 'duplicate' })
  })

  it('while a verification is pending, only the lowest sequence that asked may come first', () => {
    const asked = { producerEpoch: 0, baseSequence: 4 }
    const verification = verificationAsked(undefined, asked, { token: 1, now: 0 })
    const by = { ...client, verification }
    expect(errorOf(judgeBatch(undefined, produced(5, 1, { transactional: true }), by))).toBe(
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
    )
    expect(errorOf(judgeBatch(undefined, produced(4, 1, { transactional: true }), by))).toBe('accepted')
  })

  it('an unknown producer whose client bumps epochs begins at 0', () => {
    const by = { ...client, added: true }
    expect(errorOf(judgeBatch(undefined, produced(4, 1, { transactional: true }), by))).toBe(
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
    )
    expect(errorOf(judgeBatch(undefined, produced(0, 1, { transactional: true }), by))).toBe('accepted')
  })
})

describe('markers', () => {
  const open = accept(undefined, produced(0, 1, { transactional: true }))

  it.each([
    { name: 'ends the transaction of its epoch', marker: marked(), ends: true },
    { name: 'of a higher epoch ends it too (fence)', marker: marked({ producerEpoch: 1 }), ends: true },
    {
      name: 'of version 2 has the next epoch',
      marker: marked({ producerEpoch: 1, transactionVersion: 2 }),
      ends: true,
    },
  ])('a marker $name', ({ marker, ends }) => {
    expect(judgeMarker(open, marker)).toMatchObject({ kind: 'accepted', endsTransaction: ends })
  })

  it('a marker for a producer that wrote nothing here is kept for its epoch', () => {
    expect(judgeMarker(undefined, marked({ producerEpoch: 4 }))).toMatchObject({
      kind: 'accepted',
      endsTransaction: false,
      next: { producerEpoch: 4 },
    })
  })

  it('a marker of an older epoch is INVALID_PRODUCER_EPOCH', () => {
    const state = accept(undefined, produced(0, 1, { producerEpoch: 3 }))
    expect(errorOf(judgeMarker(state, marked({ producerEpoch: 2 })))).toBe('INVALID_PRODUCER_EPOCH')
  })

  it('a marker of an older coordinator is TRANSACTION_COORDINATOR_FENCED', () => {
    const state = acceptMarker(open, marked({ coordinatorEpoch: 5 }))
    expect(errorOf(judgeMarker(state, marked({ coordinatorEpoch: 4 })))).toBe('TRANSACTION_COORDINATOR_FENCED')
    expect(errorOf(judgeMarker(state, marked({ coordinatorEpoch: 5 })))).toBe('accepted')
  })

  it('a version 2 marker that is already in the log is a success without an append', () => {
    const marker = marked({ producerEpoch: 1, transactionVersion: 2 })
    expect(errorOf(judgeMarker(acceptMarker(open, marker), marker))).toBe('repeated')
  })

  it('a delayed version 2 marker cannot end the next transaction', () => {
    const marker = marked({ producerEpoch: 1, transactionVersion: 2 })
    const closed = acceptMarker(open, marker)
    const next = accept(closed, produced(0, 1, { producerEpoch: 1, transactional: true }))
    expect(errorOf(judgeMarker(next, marker))).toBe('INVALID_PRODUCER_EPOCH')
  })
})

describe('expiry', () => {
  const day = 86_400_000
  it('a producer expires after its time, counted from what it wrote and when it wrote it', () => {
    const state = accept(undefined, produced(0, 1, { maxTimestamp: 1000 }))
    expect(isExpired(state, 1000, 1000 + day - 1, day)).toBe(false)
    expect(isExpired(state, 1000, 1000 + day, day)).toBe(true)
    expect(isExpired(state, 5000, 1000 + day, day)).toBe(false)
  })

  it('a producer with an open transaction never expires', () => {
    const state = accept(undefined, produced(0, 1, { transactional: true }))
    expect(isExpired(state, 0, 100 * day, day)).toBe(false)
  })

  it('DescribeProducers shows the last sequence and the start of the open transaction', () => {
    const state = accept(undefined, produced(0, 3, { transactional: true }))
    expect(describeProducer(state)).toEqual({
      producerId: 7,
      producerEpoch: 0,
      lastSequence: 2,
      lastTimestamp: 1000,
      coordinatorEpoch: -1,
      currentTxnStartOffset: 100,
    })
  })
})

describe('against a naive model', () => {
  /** What one step of a random client does; epochs and sequences near each other, so that most cases collide. */
  const step = fc.record({
    epoch: fc.integer({ min: 0, max: 2 }),
    skip: fc.integer({ min: -14, max: 2 }),
    count: fc.integer({ min: 1, max: 3 }),
  })

  /** The model keeps every batch ever accepted and derives each answer from the whole history. */
  function modelVerdict(history: readonly AcceptedBatch[], batch: AcceptedBatch): string {
    const epoch = Math.max(-1, ...history.map(known => known.producerEpoch))
    const current = history.filter(known => known.producerEpoch === epoch)
    const duplicate = current
      .slice(-5)
      .some(known => known.baseSequence === batch.baseSequence && known.lastSequence === batch.lastSequence)
    if (batch.producerEpoch === epoch && duplicate) return 'duplicate'
    if (batch.producerEpoch < epoch) return 'INVALID_PRODUCER_EPOCH'
    if (history.length === 0) return 'accepted'
    const expected = batch.producerEpoch > epoch ? 0 : (current.at(-1)!.lastSequence + 1) % 2 ** 31
    return batch.baseSequence === expected ? 'accepted' : 'OUT_OF_ORDER_SEQUENCE_NUMBER'
  }

  it('answers every batch of a random history as the model does, across the wrap', () => {
    fc.assert(
      fc.property(fc.integer({ min: MAX - 20, max: MAX }), fc.array(step, { maxLength: 60 }), (first, steps) => {
        const history: AcceptedBatch[] = []
        let state: ProducerState | undefined
        for (const { epoch, skip, count } of steps) {
          const last = history.at(-1)
          const next = last === undefined ? first : last.producerEpoch < epoch ? 0 : last.lastSequence + 1
          const baseSequence = (next + Math.min(skip, 0) + 2 ** 31) % 2 ** 31
          const batch = produced(baseSequence, count, { producerEpoch: epoch, baseOffset: history.length * 10 })
          const verdict = judgeBatch(state, batch, client)
          expect(errorOf(verdict)).toBe(modelVerdict(history, batch))
          if (verdict.kind !== 'accepted') continue
          state = verdict.next
          history.push(batch)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('never changes the state it was given', () => {
    const state = Object.freeze(accept(undefined, produced(0, 2)))
    const before = structuredClone(state)
    judgeBatch(state, produced(2, 1), client)
    judgeMarker(state, marked())
    expect(state).toEqual(before)
  })
})
