// The line in which the batches of one partition wait and are in flight: who may be sent next, so that order survives retries and no
// sequence number is skipped (Kafka: RecordAccumulator, TxnPartitionMap, Sender). Pure; `now` is monotonic milliseconds.
//
//      add -> [ retries in order | new batches ] -> sent -> [ in flight, in order ] -> acked / failed
//                    ^------------------- retried ----------------'
import { assert } from '@odradek/shared/base/assert'
import {
  allAcked,
  incrementSequence,
  newSequenceState,
  type ProducerIdentity,
  restartSequence,
  type SequenceState,
  sameIdentity,
  takeSequence,
} from './sequences.rules.ts'

/**
 * Batches of one idempotent producer that a leader remembers. No batch is sent that is this many places behind an unanswered one: a
 * repetition of that one would no longer be recognised, even if the batches between have been acknowledged.
 */
const IN_FLIGHT_PER_PARTITION_MAX = 5

/** One batch on its way. */
export interface LineBatch {
  readonly recordCount: number
  /** When it fails for good (`delivery.timeout.ms`). */
  readonly deadline: number
  /** Requests sent with it so far. */
  attempts: number
  /** Not to be sent again before (backoff). */
  notBefore: number
  /** Place in the line, given at the first send; -1 before. Unlike sequences it never wraps and never restarts. */
  order: number
  /** Room behind `order` that pieces of this batch may take; 1 for a batch that was never split. */
  orderSpan: number
  /** -1 until one is given. */
  baseSequence: number
  identity: ProducerIdentity | null
}

/** The line of one partition. */
export interface Line<B extends LineBatch> {
  readonly waiting: B[]
  readonly inFlight: B[]
  readonly sequence: SequenceState
  nextOrder: number
  /** Place of the latest batch that was acknowledged; -1 none. */
  lastAckedOrder: number
  /** Producer id under which a batch was acknowledged last; -1 none. */
  knownProducerId: number
  /** A sent batch was given up without knowing its fate: nothing new is sent until that is settled. */
  unresolved: boolean
  /** The sequence must begin anew (under a new epoch) as soon as nothing is in flight. */
  restarting: boolean
}

export function newLine<B extends LineBatch>(): Line<B> {
  return {
    waiting: [],
    inFlight: [],
    sequence: newSequenceState(),
    nextOrder: 0,
    lastAckedOrder: -1,
    knownProducerId: -1,
    unresolved: false,
    restarting: false,
  }
}

export interface LinePolicy {
  readonly idempotent: boolean
  /** `max.in.flight.requests.per.connection`; with 1 and without idempotence order is kept by sending one at a time. */
  readonly inFlightMax: number
}

/** Send this batch; or wait (until a time, or for something else to happen). */
export type NextSend<B> = { readonly send: B } | { readonly waitUntil: number } | undefined

/** Which batch of the line may be sent now. `identity` is the producer's present one. */
export function nextToSend<B extends LineBatch>(
  line: Line<B>,
  now: number,
  policy: LinePolicy,
  identity: ProducerIdentity | null,
): NextSend<B> {
  const head = line.waiting[0]
  if (head === undefined) return undefined
  if (policy.idempotent) {
    if (identity === null) return undefined
    restartIfDue(line, identity)
    if (!mayFollow(line, head, identity)) return undefined
  } else if (policy.inFlightMax === 1 && line.inFlight.length > 0) {
    return undefined
  }
  return head.notBefore > now ? { waitUntil: head.notBefore } : { send: head }
}

function mayFollow<B extends LineBatch>(line: Line<B>, head: B, identity: ProducerIdentity): boolean {
  if (line.restarting) return false
  const oldest = line.inFlight[0]
  // A retry goes alone: while an earlier batch is unanswered, a later one could only be refused again.
  if (head.baseSequence >= 0) return oldest === undefined || head.order < oldest.order
  if (line.unresolved || !sameIdentity(line.sequence.identity, identity)) return false
  if (oldest === undefined) return true
  // A leader takes any sequence number from a producer that it does not know yet: the first batch must arrive before the second leaves.
  if (line.knownProducerId !== identity.producerId) return false
  return line.nextOrder - Math.floor(oldest.order) < IN_FLIGHT_PER_PARTITION_MAX
}

/** A new epoch is taken over only between batches: never while one of the old epoch is unanswered or must be repeated. */
function restartIfDue<B extends LineBatch>(line: Line<B>, identity: ProducerIdentity): void {
  if (line.inFlight.length > 0) return
  const retries = line.waiting[0]!.baseSequence >= 0
  const stale = !sameIdentity(line.sequence.identity, identity)
  if (!line.restarting && !(stale && !retries)) return
  // A restart was asked for because of the present epoch: wait for the next one.
  if (line.restarting && !stale) return
  restartSequence(line.sequence, identity)
  for (const batch of line.waiting) batch.baseSequence = -1
  line.restarting = false
  line.unresolved = false
}

/** Puts a new batch at the end. */
export function add<B extends LineBatch>(line: Line<B>, batch: B): void {
  line.waiting.push(batch)
}

/** The head goes out: it gets its place and, if `idempotent`, its sequence numbers. */
export function sent<B extends LineBatch>(line: Line<B>, batch: B, policy: LinePolicy): void {
  assert(line.waiting[0] === batch, 'only the head of a line is sent')
  line.waiting.shift()
  if (batch.order < 0) batch.order = line.nextOrder++
  if (policy.idempotent && batch.baseSequence < 0) {
    batch.baseSequence = takeSequence(line.sequence, batch.recordCount)
    batch.identity = line.sequence.identity
  }
  batch.attempts++
  insert(line.inFlight, batch)
}

/** The leader has the batch. */
export function acked<B extends LineBatch>(line: Line<B>, batch: B): void {
  remove(line.inFlight, batch)
  if (batch.identity !== null) line.knownProducerId = batch.identity.producerId
  if (batch.baseSequence < 0 || !sameIdentity(batch.identity, line.sequence.identity)) return
  if (batch.order > line.lastAckedOrder) {
    line.lastAckedOrder = batch.order
    line.sequence.lastAckedSequence = incrementSequence(batch.baseSequence, batch.recordCount - 1)
  }
  settleUnresolved(line)
}

/** The batch will be sent again, in its old place, not before `notBefore`. */
export function retried<B extends LineBatch>(line: Line<B>, batch: B, notBefore: number): void {
  remove(line.inFlight, batch)
  batch.notBefore = notBefore
  insert(line.waiting, batch)
}

/** A batch that was too large is replaced by its pieces, which take over its place and its sequence numbers. */
export function split<B extends LineBatch>(line: Line<B>, batch: B, pieces: readonly B[]): void {
  remove(line.inFlight, batch)
  let sequence = batch.baseSequence
  const span = batch.orderSpan / pieces.length
  for (const [index, piece] of pieces.entries()) {
    piece.order = batch.order + index * span
    piece.orderSpan = span
    piece.attempts = batch.attempts
    piece.identity = batch.identity
    piece.baseSequence = sequence
    if (sequence >= 0) sequence = incrementSequence(sequence, piece.recordCount)
    insert(line.waiting, piece)
  }
}

/**
 * The batch leaves the line for good. `mayBeInLog`: it was sent and its fate is not known; then nothing new is sent until an acknowledgement
 * of a later batch shows that it was taken, or (`needsRestart`) the sequence begins anew.
 */
export function dropped<B extends LineBatch>(line: Line<B>, batch: B, { mayBeInLog }: { mayBeInLog: boolean }): void {
  remove(line.inFlight, batch)
  remove(line.waiting, batch)
  if (batch.baseSequence < 0 || !sameIdentity(batch.identity, line.sequence.identity)) return
  if (mayBeInLog) line.unresolved = true
  else line.restarting = true
}

/** Whether the line can only go on under a new epoch, and has to ask for it. */
export function needsRestart<B extends LineBatch>(line: Line<B>, identity: ProducerIdentity | null): boolean {
  if (!sameIdentity(line.sequence.identity, identity)) return false
  if (line.restarting) return true
  return (
    line.unresolved &&
    line.inFlight.length === 0 &&
    !(line.waiting[0] !== undefined && line.waiting[0].baseSequence >= 0)
  )
}

function settleUnresolved<B extends LineBatch>(line: Line<B>): void {
  if (line.unresolved && line.inFlight.length === 0 && allAcked(line.sequence)) line.unresolved = false
}

/** Batches whose deadline has passed, oldest first, wherever they are. */
export function expired<B extends LineBatch>(line: Line<B>, now: number): B[] {
  return [...line.inFlight, ...line.waiting].filter(batch => batch.deadline <= now)
}

/** Checks what must hold of every line between two events; throws AssertionError. */
export function assertLineInvariants<B extends LineBatch>(line: Line<B>, policy: LinePolicy): void {
  const orders = [...line.inFlight, ...line.waiting.filter(batch => batch.order >= 0)].map(batch => batch.order)
  assert(new Set(orders).size === orders.length, 'no two batches have one place')
  assert(isAscending(line.inFlight.map(batch => batch.order)), 'in flight is in order')
  const firstNew = line.waiting.findIndex(batch => batch.order < 0)
  const retries = firstNew < 0 ? line.waiting : line.waiting.slice(0, firstNew)
  assert(isAscending(retries.map(batch => batch.order)), 'retries wait in order')
  assert(
    firstNew < 0 || line.waiting.slice(firstNew).every(batch => batch.order < 0),
    'retries wait before new batches',
  )
  if (policy.idempotent) assert(line.inFlight.length <= IN_FLIGHT_PER_PARTITION_MAX, 'leaders remember five batches')
  else if (policy.inFlightMax === 1) assert(line.inFlight.length <= 1, 'one at a time keeps order')
}

function isAscending(orders: readonly number[]): boolean {
  return orders.every((order, index) => index === 0 || orders[index - 1]! < order)
}

/** Inserts by order; batches without one (new) stay behind. */
function insert<B extends LineBatch>(batches: B[], batch: B): void {
  let at = batches.length
  while (at > 0 && (batches[at - 1]!.order < 0 || batches[at - 1]!.order > batch.order)) at--
  batches.splice(at, 0, batch)
}

function remove<B extends LineBatch>(batches: B[], batch: B): void {
  const at = batches.indexOf(batch)
  if (at >= 0) batches.splice(at, 1)
}
