// Lines of batches: who may be sent when. The property at the end holds them against a naive leader under lost and reordered traffic.
import { type Random, seededRandom } from '@odradek/shared/base/random'
import { errors } from '@odradek/shared/protocol/error-codes'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  acked,
  add,
  assertLineInvariants,
  dropped,
  expired,
  type Line,
  type LineBatch,
  needsRestart,
  newLine,
  nextToSend,
  retried,
  sent,
  split,
} from './in-flight.rules.ts'
import { NO_REPLY, outcomeOf } from './outcome.rules.ts'
import { incrementSequence, type ProducerIdentity } from './sequences.rules.ts'

interface NamedBatch extends LineBatch {
  readonly name: string
  readonly records: readonly number[]
}

const IDEMPOTENT = { idempotent: true, inFlightMax: 5 }
const ME: ProducerIdentity = { producerId: 7, producerEpoch: 0 }
const BUMPED: ProducerIdentity = { producerId: 7, producerEpoch: 1 }

function batchOf(name: string, recordCount = 1, records: readonly number[] = []): NamedBatch {
  return {
    name,
    records,
    recordCount,
    deadline: 120_000,
    attempts: 0,
    notBefore: 0,
    order: -1,
    orderSpan: 1,
    baseSequence: -1,
    identity: null,
  }
}

/** A line whose leader knows the producer already. */
function lineOf(...batches: NamedBatch[]): Line<NamedBatch> {
  const line = newLine<NamedBatch>()
  line.knownProducerId = ME.producerId
  for (const batch of batches) add(line, batch)
  return line
}

/** Sends all that may be sent now; returns the names. */
function sendAll(
  line: Line<NamedBatch>,
  policy = IDEMPOTENT,
  identity: ProducerIdentity | null = ME,
  now = 0,
): string[] {
  const names: string[] = []
  for (;;) {
    const next = nextToSend(line, now, policy, identity)
    if (next === undefined || !('send' in next)) break
    sent(line, next.send, policy)
    names.push(next.send.name)
    assertLineInvariants(line, policy)
  }
  return names
}

describe('sending', () => {
  test('sequence numbers count records from 0, in order', () => {
    const [a, b] = [batchOf('a', 3), batchOf('b', 2)]
    expect(sendAll(lineOf(a, b))).toEqual(['a', 'b'])
    expect([a.baseSequence, b.baseSequence]).toEqual([0, 3])
    expect(b.identity).toEqual(ME)
  })

  test('an idempotent producer sends nothing before it has an id, and has five batches in flight at most', () => {
    const line = lineOf(...[...'abcdefg'].map(name => batchOf(name)))
    expect(sendAll(line, IDEMPOTENT, null)).toEqual([])
    expect(sendAll(line)).toEqual(['a', 'b', 'c', 'd', 'e'])
    acked(line, line.inFlight[0]!)
    expect(sendAll(line)).toEqual(['f'])
  })

  test('the first batch that a leader sees of a producer goes alone, because it would take any sequence number', () => {
    const line = lineOf(batchOf('a'), batchOf('b'), batchOf('c'))
    line.knownProducerId = -1
    expect(sendAll(line)).toEqual(['a'])
    acked(line, line.inFlight[0]!)
    expect(sendAll(line)).toEqual(['b', 'c'])
  })

  test('without idempotence one in flight keeps the order', () => {
    const line = lineOf(batchOf('a'), batchOf('b'))
    expect(sendAll(line, { idempotent: false, inFlightMax: 1 })).toEqual(['a'])
    retried(line, line.inFlight[0]!, 0)
    expect(sendAll(line, { idempotent: false, inFlightMax: 1 })).toEqual(['a'])
  })

  test('a sequence number wraps after 2^31 - 1', () => {
    const line = lineOf(batchOf('a', 5), batchOf('b', 5))
    line.sequence.identity = ME
    line.sequence.nextSequence = 2 ** 31 - 3
    line.sequence.lastAckedSequence = 2 ** 31 - 4
    sendAll(line)
    expect(line.inFlight.map(batch => batch.baseSequence)).toEqual([2 ** 31 - 3, 2])
    acked(line, line.inFlight[0]!)
    expect(line.sequence.lastAckedSequence).toBe(1)
  })
})

test('five places are counted from the oldest unanswered batch, whatever was acknowledged behind it', () => {
  const line = lineOf(...[...'abcdef'].map(name => batchOf(name)))
  sendAll(line)
  for (const batch of line.inFlight.slice(1)) acked(line, batch)
  expect(line.inFlight.map(batch => batch.name)).toEqual(['a'])
  expect(sendAll(line)).toEqual([])
})

describe('retries', () => {
  test('go back to their place, wait for their backoff, and go out alone', () => {
    const line = lineOf(...[...'abcd'].map(name => batchOf(name)))
    sendAll(line)
    const [a, b, c] = line.inFlight as [NamedBatch, NamedBatch, NamedBatch]
    retried(line, b, 50)
    retried(line, a, 60)
    add(line, batchOf('e'))
    expect(line.waiting.map(batch => batch.name)).toEqual(['a', 'b', 'e'])
    expect(nextToSend(line, 0, IDEMPOTENT, ME)).toEqual({ waitUntil: 60 })
    expect(sendAll(line, IDEMPOTENT, ME, 60)).toEqual(['a'])
    expect(a).toMatchObject({ attempts: 2, baseSequence: 0 })
    acked(line, a)
    expect(sendAll(line, IDEMPOTENT, ME, 60)).toEqual(['b', 'e'])
    expect(line.inFlight.map(batch => batch.name)).toEqual(['b', 'c', 'd', 'e'])
    expect(c.attempts).toBe(1)
  })

  test('a later batch does not overtake one that must be repeated', () => {
    const line = lineOf(batchOf('a'), batchOf('b'))
    sendAll(line)
    const [a, b] = line.inFlight as [NamedBatch, NamedBatch]
    retried(line, b, 0)
    expect(sendAll(line)).toEqual([])
    acked(line, a)
    expect(sendAll(line)).toEqual(['b'])
  })

  test('pieces of a batch that was too large take its place and its numbers, also when split again', () => {
    const line = lineOf(batchOf('a', 1), batchOf('big', 8), batchOf('z', 1))
    sendAll(line)
    const [a, big, z] = line.inFlight as [NamedBatch, NamedBatch, NamedBatch]
    retried(line, z, 0)
    const halves = [batchOf('h1', 4), batchOf('h2', 4)]
    split(line, big, halves)
    acked(line, a)
    expect(sendAll(line)).toEqual(['h1'])
    split(line, halves[0]!, [batchOf('q1', 2), batchOf('q2', 2)])
    expect(line.waiting.map(batch => [batch.name, batch.baseSequence])).toEqual([
      ['q1', 1],
      ['q2', 3],
      ['h2', 5],
      ['z', 9],
    ])
    assertLineInvariants(line, IDEMPOTENT)
  })
})

describe('a new epoch', () => {
  test('is taken over when nothing of the old one is in flight or to be repeated', () => {
    const line = lineOf(batchOf('a'), batchOf('b'))
    sendAll(line)
    const [a, b] = line.inFlight as [NamedBatch, NamedBatch]
    add(line, batchOf('c'))
    acked(line, a)
    expect(sendAll(line, IDEMPOTENT, BUMPED)).toEqual([])
    retried(line, b, 0)
    expect(sendAll(line, IDEMPOTENT, BUMPED)).toEqual(['b'])
    expect(b.identity).toEqual(ME)
    acked(line, b)
    expect(sendAll(line, IDEMPOTENT, BUMPED)).toEqual(['c'])
    expect(line.inFlight[0]).toMatchObject({ baseSequence: 0, identity: BUMPED })
  })

  test('a batch that failed for good leaves a hole, so the rest gets new numbers under a new epoch', () => {
    const line = lineOf(batchOf('a'), batchOf('b'), batchOf('c'))
    sendAll(line)
    const [a, b, c] = line.inFlight as [NamedBatch, NamedBatch, NamedBatch]
    acked(line, a)
    dropped(line, b, { mayBeInLog: false })
    retried(line, c, 0)
    expect(needsRestart(line, ME)).toBe(true)
    expect(sendAll(line)).toEqual([])
    expect(sendAll(line, IDEMPOTENT, BUMPED)).toEqual(['c'])
    expect(c).toMatchObject({ baseSequence: 0, identity: BUMPED })
    expect(needsRestart(line, BUMPED)).toBe(false)
  })

  test('a batch given up unanswered blocks new ones until a later acknowledgement shows that it was taken', () => {
    const line = lineOf(batchOf('a'), batchOf('b'))
    sendAll(line)
    const [a, b] = line.inFlight as [NamedBatch, NamedBatch]
    add(line, batchOf('c'))
    dropped(line, a, { mayBeInLog: true })
    expect(sendAll(line)).toEqual([])
    acked(line, b)
    expect(needsRestart(line, ME)).toBe(false)
    expect(sendAll(line)).toEqual(['c'])
  })

  test('or, when nothing later is left to show it, a new epoch is asked for', () => {
    const line = lineOf(batchOf('a'))
    sendAll(line)
    add(line, batchOf('b'))
    dropped(line, line.inFlight[0]!, { mayBeInLog: true })
    expect(needsRestart(line, ME)).toBe(true)
    expect(sendAll(line)).toEqual([])
    expect(sendAll(line, IDEMPOTENT, BUMPED)).toEqual(['b'])
  })

  test('a batch that was never sent leaves no trace', () => {
    const line = lineOf(batchOf('a'), batchOf('b'))
    dropped(line, line.waiting[0]!, { mayBeInLog: false })
    expect(needsRestart(line, ME)).toBe(false)
    expect(sendAll(line)).toEqual(['b'])
  })
})

test('what is past its deadline is found wherever it is', () => {
  const line = lineOf(batchOf('a'), { ...batchOf('b'), deadline: 10 })
  sendAll(line)
  add(line, { ...batchOf('c'), deadline: 5 })
  expect(expired(line, 10).map(batch => batch.name)).toEqual(['b', 'c'])
  expect(expired(line, 4)).toEqual([])
})

/** A leader with Kafka's produce checks, and a network that loses and delays. */
class NaiveLeader {
  readonly log: number[] = []
  #epoch = 0
  #last: number
  #remembered: { sequence: number; last: number }[] = []

  constructor(lastSequence: number) {
    this.#last = lastSequence
  }

  append(batch: { baseSequence: number; producerEpoch: number; records: readonly number[] }): number {
    if (batch.producerEpoch < this.#epoch) return errors.INVALID_PRODUCER_EPOCH.code
    const last = incrementSequence(batch.baseSequence, batch.records.length - 1)
    if (batch.producerEpoch === this.#epoch) {
      if (this.#remembered.some(known => known.sequence === batch.baseSequence && known.last === last)) return 0
      if (batch.baseSequence !== incrementSequence(this.#last, 1)) return errors.OUT_OF_ORDER_SEQUENCE_NUMBER.code
    } else if (batch.baseSequence !== 0) {
      return errors.OUT_OF_ORDER_SEQUENCE_NUMBER.code
    } else {
      this.#remembered = []
    }
    this.#epoch = batch.producerEpoch
    this.#last = last
    this.#remembered = [...this.#remembered, { sequence: batch.baseSequence, last }].slice(-5)
    this.log.push(...batch.records)
    return 0
  }
}

interface Reply {
  readonly batch: NamedBatch
  readonly errorCode: number
}

/** Sends `count` batches through a line to the leader; every step is chance. Returns what was acknowledged, in order of acknowledgement. */
function run(random: Random, count: number, faults: { readonly drop: number; readonly refuse: number }) {
  const nearWrap = 2 ** 31 - 20
  const leader = new NaiveLeader(nearWrap - 1)
  const line = newLine<NamedBatch>()
  const acknowledged: number[] = []
  const failed: number[] = []
  let identity = ME
  line.sequence.identity = ME
  line.sequence.nextSequence = nearWrap
  line.sequence.lastAckedSequence = nearWrap - 1
  let made = 0
  let record = 0
  let replies: Reply[] = []
  const policy = { idempotent: true, transactional: false, retries: 1_000_000 }
  const settle = ({ batch, errorCode }: Reply) => {
    const outcome = outcomeOf(errorCode, batch, line, policy)
    if (outcome.kind === 'delivered') {
      acked(line, batch)
      acknowledged.push(...batch.records)
    } else if (outcome.kind === 'retry') {
      if (outcome.restart) line.restarting = true
      retried(line, batch, 0)
    } else {
      dropped(line, batch, { mayBeInLog: outcome.kind === 'failed' && outcome.mayBeInLog })
      failed.push(...batch.records)
    }
  }
  const transmit = (batch: NamedBatch) => {
    const chance = random.float()
    if (chance < faults.refuse) return { batch, errorCode: errors.NOT_LEADER_OR_FOLLOWER.code }
    if (chance < faults.refuse + faults.drop / 2) return { batch, errorCode: NO_REPLY }
    const { producerEpoch } = batch.identity!
    const errorCode = leader.append({ baseSequence: batch.baseSequence, producerEpoch, records: batch.records })
    return random.float() < faults.drop / 2 ? { batch, errorCode: NO_REPLY } : { batch, errorCode }
  }
  for (let step = 0; step < 200_000 && (made < count || line.inFlight.length + line.waiting.length > 0); step++) {
    if (made < count && random.float() < 0.5) {
      const records = Array.from({ length: 1 + random.int(4) }, () => record++)
      add(line, batchOf(`b${made++}`, records.length, records))
    }
    const next = nextToSend(line, step, IDEMPOTENT, identity)
    if (next !== undefined && 'send' in next) {
      sent(line, next.send, IDEMPOTENT)
      replies.push(transmit(next.send))
    }
    if (replies.length > 0 && random.float() < 0.5) {
      // Replies of one connection come in order; after it broke they come in any.
      const at = random.float() < 0.8 ? 0 : random.int(replies.length)
      const [reply] = replies.splice(at, 1)
      settle(reply!)
    }
    if (needsRestart(line, identity)) identity = { ...identity, producerEpoch: identity.producerEpoch + 1 }
    assertLineInvariants(line, IDEMPOTENT)
  }
  for (const reply of replies) settle(reply)
  replies = []
  return {
    log: leader.log,
    acknowledged,
    failed,
    produced: record,
    left: line.inFlight.length + line.waiting.length,
    epoch: identity.producerEpoch,
  }
}

test('through lost requests, lost replies and refusals nothing is lost, doubled or reordered', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.double({ min: 0, max: 0.6, noNaN: true }),
      fc.double({ min: 0, max: 0.4, noNaN: true }),
      (seed, drop, refuse) => {
        const { log, acknowledged, failed, produced, left } = run(seededRandom(seed), 60, { drop, refuse })
        expect(left).toBe(0)
        expect(failed).toEqual([])
        expect(log).toEqual(Array.from({ length: produced }, (_, index) => index))
        expect([...acknowledged].sort((a, b) => a - b)).toEqual(log)
      },
    ),
    { numRuns: 200 },
  )
})
