// Where a consumer reads next in one partition, and what changes that: Kafka's SubscriptionState and the offset fetchers as pure
// functions. The consumer actor keeps one PartitionPosition per assigned partition and replaces it with what these return.
import { errors } from '@odradek/shared/protocol/error-codes'

/**
 * Kafka's fetch states. `Initializing`: no position yet. `Fetching`: `offset` is valid. `AwaitReset`: `resetTo` is being looked up with
 * ListOffsets. `AwaitValidation`: the leader changed; OffsetForLeaderEpoch decides whether the log was truncated below us (KIP-320).
 */
export type FetchState = 'Initializing' | 'Fetching' | 'AwaitReset' | 'AwaitValidation'

/** `auto.offset.reset`: what to do without a committed offset, or when the position is out of range (KIP-1106 for `byDuration`). */
export type ResetPolicy =
  | { readonly kind: 'earliest' }
  | { readonly kind: 'latest' }
  | { readonly kind: 'none' }
  | { readonly kind: 'byDuration'; readonly durationMs: number }

export interface PartitionPosition {
  readonly state: FetchState
  /** Next offset to fetch; -1 while it is unknown. */
  readonly offset: number
  /** Leader epoch of the record before `offset`; -1 unknown. */
  readonly offsetEpoch: number
  /** The newest leader epoch known from metadata; -1 unknown. */
  readonly leaderEpoch: number
  /** The ListOffsets timestamp that `AwaitReset` looks up. */
  readonly resetTo: number
  /** -1 until the first fetch answered; likewise the next two. */
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
}

/** ListOffsets' special timestamps. */
const LATEST = -1
const EARLIEST = -2

export const INITIAL_POSITION: PartitionPosition = {
  state: 'Initializing',
  offset: -1,
  offsetEpoch: -1,
  leaderEpoch: -1,
  resetTo: LATEST,
  highWatermark: -1,
  lastStableOffset: -1,
  logStartOffset: -1,
}

/** A position given by the user, or by a committed offset. With a known epoch it is validated first if a leader is known. */
export function seekTo(position: PartitionPosition, offset: number, offsetEpoch = -1): PartitionPosition {
  const state = offsetEpoch >= 0 && position.leaderEpoch >= 0 ? 'AwaitValidation' : 'Fetching'
  return { ...position, state, offset, offsetEpoch }
}

/** Looks the position up by a ListOffsets timestamp: EARLIEST, LATEST or milliseconds. */
export function resetTo(position: PartitionPosition, timestamp: number): PartitionPosition {
  return { ...position, state: 'AwaitReset', offset: -1, offsetEpoch: -1, resetTo: timestamp }
}

/** The ListOffsets timestamp that the policy asks for; null for `none`: the user must be told. */
export function resetTimestamp(policy: ResetPolicy, now: number): number | null {
  switch (policy.kind) {
    case 'earliest':
      return EARLIEST
    case 'latest':
      return LATEST
    case 'byDuration':
      return Math.max(0, now - policy.durationMs)
    case 'none':
      return null
  }
}

/** Metadata named a leader epoch. A newer one makes a position with a known epoch prove itself (KIP-320). */
export function leaderLearned(position: PartitionPosition, leaderEpoch: number): PartitionPosition {
  if (leaderEpoch <= position.leaderEpoch) return position
  const proves = position.state === 'Fetching' && position.offsetEpoch >= 0 && position.leaderEpoch >= 0
  return { ...position, leaderEpoch, state: proves ? 'AwaitValidation' : position.state }
}

/** What to do about an answer: go on, ask again (after new metadata or not), apply the reset policy, or give the partition up. */
export type Verdict =
  | { readonly kind: 'ok' }
  | { readonly kind: 'retry'; readonly refresh: boolean; readonly errorCode: number }
  | { readonly kind: 'reset' }
  | { readonly kind: 'truncated'; readonly endOffset: number; readonly epoch: number }
  | { readonly kind: 'fatal'; readonly errorCode: number }

const OK: Verdict = { kind: 'ok' }

/** Says of a topic or partition that it is not there, as far as that broker knows. */
export function saysAbsent(errorCode: number): boolean {
  return errorCode === errors.UNKNOWN_TOPIC_OR_PARTITION.code || errorCode === errors.UNKNOWN_TOPIC_ID.code
}

/** Tried again like all that may pass, and yet worth a word: it may well not pass by itself (Kafka's FetchCollector warns of absent topics). */
export function isWorthTelling(errorCode: number): boolean {
  return saysAbsent(errorCode) || errorCode === errors.KAFKA_STORAGE_ERROR.code
}

/** Kafka's FetchCollector: which error of a partition means what to a consumer. */
export function verdictOf(errorCode: number): Verdict {
  switch (errorCode) {
    case errors.NONE.code:
      return OK
    case errors.NOT_LEADER_OR_FOLLOWER.code:
    case errors.REPLICA_NOT_AVAILABLE.code:
    case errors.LEADER_NOT_AVAILABLE.code:
    case errors.KAFKA_STORAGE_ERROR.code:
    case errors.FENCED_LEADER_EPOCH.code:
    case errors.OFFSET_NOT_AVAILABLE.code:
    case errors.UNKNOWN_TOPIC_OR_PARTITION.code:
    case errors.UNKNOWN_TOPIC_ID.code:
    case errors.INCONSISTENT_TOPIC_ID.code:
    case errors.NETWORK_EXCEPTION.code:
      return { kind: 'retry', refresh: true, errorCode }
    case errors.UNKNOWN_LEADER_EPOCH.code:
    case errors.UNKNOWN_SERVER_ERROR.code:
    case errors.REQUEST_TIMED_OUT.code:
      return retryOf(errorCode)
    case errors.OFFSET_OUT_OF_RANGE.code:
      return { kind: 'reset' }
    default:
      return { kind: 'fatal', errorCode }
  }
}

function retryOf(errorCode: number): Verdict {
  return { kind: 'retry', refresh: false, errorCode }
}

/** One partition's part of a ListOffsets reply. */
export interface OffsetFound {
  readonly errorCode: number
  readonly offset: number
  readonly leaderEpoch: number
}

/** A lookup's answer. A time after the last record has no offset (-1): reading then begins at the end. */
export function offsetFound(position: PartitionPosition, found: OffsetFound): [PartitionPosition, Verdict] {
  if (position.state !== 'AwaitReset') return [position, OK]
  if (found.errorCode === errors.UNSUPPORTED_FOR_MESSAGE_FORMAT.code) return [resetTo(position, LATEST), OK]
  const verdict = verdictOf(found.errorCode)
  if (verdict.kind !== 'ok') return [position, verdict.kind === 'reset' ? retryOf(found.errorCode) : verdict]
  if (found.offset < 0) return [resetTo(position, LATEST), OK]
  const leaderEpoch = Math.max(position.leaderEpoch, found.leaderEpoch)
  return [{ ...position, state: 'Fetching', offset: found.offset, offsetEpoch: found.leaderEpoch, leaderEpoch }, OK]
}

/** One partition's part of an OffsetForLeaderEpoch reply. */
export interface EpochEnd {
  readonly errorCode: number
  readonly leaderEpoch: number
  readonly endOffset: number
}

/** The leader told where the epoch of our last record ends: below our position, the log was truncated under us. */
export function validated(position: PartitionPosition, end: EpochEnd): [PartitionPosition, Verdict] {
  if (position.state !== 'AwaitValidation') return [position, OK]
  const verdict = verdictOf(end.errorCode)
  if (verdict.kind !== 'ok') return [position, verdict.kind === 'reset' ? retryOf(end.errorCode) : verdict]
  if (end.endOffset < 0 || end.leaderEpoch < 0) return [position, { kind: 'reset' }]
  if (end.endOffset < position.offset) {
    return [position, { kind: 'truncated', endOffset: end.endOffset, epoch: end.leaderEpoch }]
  }
  return [{ ...position, state: 'Fetching' }, OK]
}

/** What a fetch answered beside records. */
export interface FetchAnswer {
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly divergingEpoch?: { readonly epoch: number; readonly endOffset: number } | undefined
}

/** A fetch's answer, before its records are looked at: the watermarks are taken, errors and divergence are judged. */
export function fetchAnswered(position: PartitionPosition, answer: FetchAnswer): [PartitionPosition, Verdict] {
  const verdict = verdictOf(answer.errorCode)
  if (verdict.kind !== 'ok') return [position, verdict]
  const diverging = answer.divergingEpoch
  if (diverging !== undefined && diverging.endOffset >= 0 && diverging.epoch >= 0) {
    return [position, { kind: 'truncated', endOffset: diverging.endOffset, epoch: diverging.epoch }]
  }
  const { highWatermark, logStartOffset } = answer
  const lastStableOffset = answer.lastStableOffset >= 0 ? answer.lastStableOffset : highWatermark
  return [{ ...position, highWatermark, lastStableOffset, logStartOffset }, OK]
}

/** Records up to before `nextOffset` were fetched; `offsetEpoch` is the leader epoch in the last batch's header. */
export function advanced(position: PartitionPosition, nextOffset: number, offsetEpoch: number): PartitionPosition {
  if (nextOffset <= position.offset) return position
  return { ...position, offset: nextOffset, offsetEpoch }
}
