// What to do with a batch when its reply is there: Kafka's error code, what is known of the line, and the retries that are left decide.
// (Kafka: Sender.completeBatch, TransactionManager.canRetry.) Pure.
import { type ErrorName, errorOf, errors } from '@odradek/shared/protocol/error-codes'
import type { Line, LineBatch } from './in-flight.rules.ts'
import { followsAcked, sameIdentity } from './sequences.rules.ts'

/**
 * - `delivered`: the leader has it; the offset may be unknown (a duplicate older than what the leader remembers).
 * - `retry`: again, after the backoff; `refresh`: with new metadata; `restart`: the sequence must begin anew under a new epoch.
 * - `split`: too large; again in pieces.
 * - `failed`: for good. `fatal`: so is the producer. `mayBeInLog`: it was sent, and what became of it is not known.
 */
export type Outcome =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'retry'; readonly refresh: boolean; readonly restart: boolean }
  | { readonly kind: 'split' }
  | { readonly kind: 'failed'; readonly fatal: boolean; readonly mayBeInLog: boolean }

export interface OutcomePolicy {
  readonly idempotent: boolean
  readonly transactional: boolean
  /** Requests with one batch, beyond the first, that are allowed (`retries`). */
  readonly retries: number
}

const DELIVERED: Outcome = { kind: 'delivered' }
const SPLIT: Outcome = { kind: 'split' }
const RETRY: Outcome = { kind: 'retry', refresh: false, restart: false }
const RETRY_ELSEWHERE: Outcome = { kind: 'retry', refresh: true, restart: false }
const RETRY_RESTARTED: Outcome = { kind: 'retry', refresh: false, restart: true }

/** Codes that say that our metadata is old (Kafka: subclasses of InvalidMetadataException). */
const staleMetadata: ReadonlySet<ErrorName> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_OR_FOLLOWER',
  'NETWORK_EXCEPTION',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'UNKNOWN_TOPIC_ID',
  'INCONSISTENT_TOPIC_ID',
  'KAFKA_STORAGE_ERROR',
  'REPLICA_NOT_AVAILABLE',
])

/** After these no request of this producer can succeed any more. */
const fatalForProducer: ReadonlySet<ErrorName> = new Set([
  'CLUSTER_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'PRODUCER_FENCED',
  'UNSUPPORTED_VERSION',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
])

/** After these the request may have been carried out although it failed. */
const fateUnknown: ReadonlySet<ErrorName> = new Set([
  'NETWORK_EXCEPTION',
  'REQUEST_TIMED_OUT',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
])

/** Decides on the reply `errorCode` for `batch`, which is in flight on `line`. */
export function outcomeOf<B extends LineBatch>(
  errorCode: number,
  batch: B,
  line: Line<B>,
  policy: OutcomePolicy,
): Outcome {
  const { name, retriable } = errorOf(errorCode)
  if (name === 'NONE') return DELIVERED
  // The leader has it but forgot where: success without an offset.
  if (name === 'DUPLICATE_SEQUENCE_NUMBER') return DELIVERED
  if (name === 'MESSAGE_TOO_LARGE' && batch.recordCount > 1) return SPLIT
  const again = policy.idempotent ? retryOfIdempotent(name, batch, line, policy) : undefined
  const retry = again ?? (retriable ? (staleMetadata.has(name) ? RETRY_ELSEWHERE : RETRY) : undefined)
  if (retry !== undefined && batch.attempts <= policy.retries) return retry
  return {
    kind: 'failed',
    fatal: policy.idempotent && fatalForProducer.has(name),
    mayBeInLog: fateUnknown.has(name),
  }
}

/** KIP-360: what idempotent producers mend by themselves. */
function retryOfIdempotent<B extends LineBatch>(
  name: ErrorName,
  batch: B,
  line: Line<B>,
  policy: OutcomePolicy,
): Outcome | undefined {
  if (name !== 'OUT_OF_ORDER_SEQUENCE_NUMBER' && name !== 'UNKNOWN_PRODUCER_ID') return undefined
  // It was sent under an epoch that has been left since, or is about to be: it gets a new sequence number anyway.
  if (line.restarting || !sameIdentity(batch.identity, line.sequence.identity)) return RETRY
  if (name === 'OUT_OF_ORDER_SEQUENCE_NUMBER' && !line.unresolved && !followsAcked(line.sequence, batch.baseSequence)) {
    // An earlier batch has not arrived yet; this one is only too early.
    return RETRY
  }
  return policy.transactional ? undefined : RETRY_RESTARTED
}

/** Reply code for a request that got no reply: it may or may not have been carried out. */
export const NO_REPLY = errors.NETWORK_EXCEPTION.code
