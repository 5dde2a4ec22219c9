// Every kind of reply, and what it means for the batch.
import { type ErrorName, errors } from '@odradek/shared/protocol/error-codes'
import { describe, expect, test } from 'vitest'
import { add, type LineBatch, newLine, nextToSend, sent } from './in-flight.rules.ts'
import { type OutcomePolicy, outcomeOf } from './outcome.rules.ts'

const ME = { producerId: 7, producerEpoch: 0 }
const IDEMPOTENT: OutcomePolicy = { idempotent: true, transactional: false, retries: 3 }
const TRANSACTIONAL: OutcomePolicy = { ...IDEMPOTENT, transactional: true }
const PLAIN: OutcomePolicy = { ...IDEMPOTENT, idempotent: false }

/** Two batches in flight, nothing acknowledged. */
function inFlight(recordCount = 2) {
  const line = newLine<LineBatch>()
  line.knownProducerId = ME.producerId
  const policy = { idempotent: true, inFlightMax: 5 }
  for (let i = 0; i < 2; i++) {
    add(line, {
      recordCount,
      deadline: 1,
      attempts: 0,
      notBefore: 0,
      order: -1,
      orderSpan: 1,
      baseSequence: -1,
      identity: null,
    })
    const next = nextToSend(line, 0, policy, ME)
    if (next !== undefined && 'send' in next) sent(line, next.send, policy)
  }
  const [first, second] = line.inFlight as [LineBatch, LineBatch]
  return { line, first, second }
}

function decide(name: ErrorName, policy = IDEMPOTENT) {
  const { line, first } = inFlight()
  return outcomeOf(errors[name].code, first, line, policy)
}

test('no error and a forgotten duplicate are both delivered', () => {
  expect(decide('NONE')).toEqual({ kind: 'delivered' })
  expect(decide('DUPLICATE_SEQUENCE_NUMBER')).toEqual({ kind: 'delivered' })
})

test.each<ErrorName>([
  'NOT_LEADER_OR_FOLLOWER',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'NETWORK_EXCEPTION',
  'KAFKA_STORAGE_ERROR',
])('%s is repeated with new metadata', name => {
  expect(decide(name)).toEqual({ kind: 'retry', refresh: true, restart: false })
})

test.each<ErrorName>(['REQUEST_TIMED_OUT', 'NOT_ENOUGH_REPLICAS', 'CORRUPT_MESSAGE'])('%s is repeated', name => {
  expect(decide(name)).toEqual({ kind: 'retry', refresh: false, restart: false })
})

test.each<ErrorName>(['INVALID_RECORD', 'TOPIC_AUTHORIZATION_FAILED', 'INVALID_TOPIC_EXCEPTION'])(
  '%s is final for the batch',
  name => {
    expect(decide(name)).toEqual({ kind: 'failed', fatal: false, mayBeInLog: false })
  },
)

test.each<ErrorName>(['PRODUCER_FENCED', 'CLUSTER_AUTHORIZATION_FAILED'])(
  '%s is final for an idempotent producer',
  name => {
    expect(decide(name)).toMatchObject({ kind: 'failed', fatal: true })
    expect(decide(name, PLAIN)).toMatchObject({ kind: 'failed', fatal: false })
  },
)

test('a batch that is too large is split, a single record fails', () => {
  expect(decide('MESSAGE_TOO_LARGE')).toEqual({ kind: 'split' })
  const { line, first } = inFlight(1)
  expect(outcomeOf(errors.MESSAGE_TOO_LARGE.code, first, line, IDEMPOTENT)).toMatchObject({ kind: 'failed' })
})

test('after the last retry it fails, and a lost reply leaves its fate open', () => {
  const { line, first } = inFlight()
  first.attempts = 4
  expect(outcomeOf(errors.NETWORK_EXCEPTION.code, first, line, IDEMPOTENT)).toEqual({
    kind: 'failed',
    fatal: false,
    mayBeInLog: true,
  })
  expect(outcomeOf(errors.NOT_LEADER_OR_FOLLOWER.code, first, line, IDEMPOTENT)).toMatchObject({ mayBeInLog: false })
})

describe('out of order', () => {
  const code = errors.OUT_OF_ORDER_SEQUENCE_NUMBER.code

  test('for a batch whose predecessor is unanswered means: too early', () => {
    const { line, second } = inFlight()
    expect(outcomeOf(code, second, line, IDEMPOTENT)).toEqual({ kind: 'retry', refresh: false, restart: false })
  })

  test('for the next batch means that the leader lost state: a new epoch (KIP-360)', () => {
    const { line, first } = inFlight()
    expect(outcomeOf(code, first, line, IDEMPOTENT)).toEqual({ kind: 'retry', refresh: false, restart: true })
    expect(outcomeOf(code, first, line, TRANSACTIONAL)).toMatchObject({ kind: 'failed' })
    expect(outcomeOf(code, first, line, PLAIN)).toMatchObject({ kind: 'failed' })
  })

  test('after a batch was given up unanswered it means a new epoch too', () => {
    const { line, second } = inFlight()
    line.unresolved = true
    expect(outcomeOf(code, second, line, IDEMPOTENT)).toEqual({ kind: 'retry', refresh: false, restart: true })
  })

  test('under an epoch that was left it is only repeated', () => {
    const { line, first } = inFlight()
    line.restarting = true
    expect(outcomeOf(code, first, line, IDEMPOTENT)).toEqual({ kind: 'retry', refresh: false, restart: false })
  })
})

test('an unknown producer id asks an idempotent producer for a new epoch', () => {
  expect(decide('UNKNOWN_PRODUCER_ID')).toEqual({ kind: 'retry', refresh: false, restart: true })
  expect(decide('UNKNOWN_PRODUCER_ID', TRANSACTIONAL)).toMatchObject({ kind: 'failed' })
})
