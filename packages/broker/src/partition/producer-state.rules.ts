// What a leader knows about idempotent and transactional producers, and what it may conclude from it (Kafka: ProducerAppendInfo,
// ProducerStateEntry). Every function takes the state as it is and returns the state as it would be; who calls it stores the result
// only when the append that it belongs to has succeeded (PROMISES 7).
import type { ProducerDescription } from '@odradek/shared/contracts/partition-leader.contract'
import { type AcceptedBatch, producerAfterBatch, producerAfterMarker } from '../log/derived-state.rules.ts'
import type { ProducerBatch, ProducerState } from '../log/partition-log.ts'
import { maySequence, type VerificationState } from './verification.rules.ts'

const SEQUENCE_MAX = 2 ** 31 - 1
const NO_SEQUENCE = -1

/** A transaction marker as a coordinator asks for it, with the offset that it would get. */
export interface Marker {
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  /** 2: the coordinator bumps the epoch on every end (KIP-890), so an equal epoch can only be a retry. */
  readonly transactionVersion: number
  readonly committed: boolean
  readonly offset: number
  readonly timestamp: number
}

/** Kafka's names of what producer state can refuse with. */
export type ProducerRefusal =
  | 'INVALID_PRODUCER_EPOCH'
  | 'OUT_OF_ORDER_SEQUENCE_NUMBER'
  | 'INVALID_TXN_STATE'
  | 'TRANSACTION_COORDINATOR_FENCED'

export type Refused = { readonly kind: 'refused'; readonly error: ProducerRefusal; readonly message: string }

export type BatchVerdict =
  | { readonly kind: 'accepted'; readonly next: ProducerState; readonly startsTransaction: boolean }
  /** One of the last five: answer its offsets, append nothing. */
  | { readonly kind: 'duplicate'; readonly batch: ProducerBatch }
  | Refused

export type MarkerVerdict =
  | { readonly kind: 'accepted'; readonly next: ProducerState; readonly endsTransaction: boolean }
  /** The marker is in the log already and nothing has happened since: a success without an append. */
  | { readonly kind: 'repeated' }
  | Refused

/** Looks a sequence range up among the last five batches. Only a batch of the same epoch can be a duplicate. */
function findDuplicate(state: ProducerState | undefined, batch: AcceptedBatch): ProducerBatch | undefined {
  if (state === undefined || state.producerEpoch !== batch.producerEpoch) return undefined
  const { batches } = state
  for (let at = batches.length - 1; at >= 0; at--) {
    const known = batches[at]!
    if (known.firstSequence === batch.baseSequence && known.lastSequence === batch.lastSequence) return known
  }
  return undefined
}

/** The sequence of the newest batch that is remembered, -1 when none is. */
function lastSequenceOf(state: ProducerState): number {
  return state.batches.at(-1)?.lastSequence ?? NO_SEQUENCE
}

/** A producer's entry in DescribeProducers (KIP-664). */
export function describeProducer(state: ProducerState): ProducerDescription {
  const { producerId, producerEpoch, lastTimestamp, coordinatorEpoch, currentTxnFirstOffset } = state
  const lastSequence = lastSequenceOf(state)
  return {
    producerId,
    producerEpoch,
    lastSequence,
    lastTimestamp,
    coordinatorEpoch,
    currentTxnStartOffset: currentTxnFirstOffset,
  }
}

/** True when that producer has a transaction open in that very epoch. */
export function hasOngoingTransaction(state: ProducerState | undefined, producerEpoch: number): boolean {
  return state !== undefined && state.currentTxnFirstOffset >= 0 && state.producerEpoch === producerEpoch
}

/** What a batch is judged by, besides itself. */
export interface BatchCircumstances {
  /** `coordinator`: offsets that a group coordinator stages; they have no sequence and are only fenced by epoch. */
  readonly origin: 'client' | 'coordinator'
  /** The producer's pending verification, if one was asked for since its last append. */
  readonly verification: VerificationState | undefined
  /** False: the batch would begin a transaction that the coordinator was not asked about (KIP-890). */
  readonly verified: boolean
  /** The coordinator has added the partition for this batch (transaction.version 2): an unknown producer begins at 0. */
  readonly added: boolean
}

/**
 * Judges a batch against its producer's state. Duplicates come first, as in Kafka: a retry must find its offset, whatever happened since.
 * An unknown producer may begin with any sequence: its state may have expired or been deleted with its records (KIP-360).
 */
export function judgeBatch(
  state: ProducerState | undefined,
  batch: AcceptedBatch,
  { origin, verification, verified, added }: BatchCircumstances,
): BatchVerdict {
  if (origin === 'client') {
    const duplicate = findDuplicate(state, batch)
    if (duplicate !== undefined) return { kind: 'duplicate', batch: duplicate }
  }
  if (batch.transactional && !verified && !hasOngoingTransaction(state, batch.producerEpoch)) {
    return refused(
      'INVALID_TXN_STATE',
      `producer ${batch.producerId} has no transaction open here that its coordinator vouches for`,
    )
  }
  if (state !== undefined && batch.producerEpoch < state.producerEpoch) return staleEpoch(state, batch)
  if (origin === 'client') {
    if (!maySequence(verification, batch.baseSequence)) return outOfOrder(state, batch)
    if (added && state === undefined && batch.baseSequence !== 0) return outOfOrder(state, batch)
    if (state !== undefined && !follows(state, batch)) return outOfOrder(state, batch)
  }
  const ongoing = state !== undefined && state.currentTxnFirstOffset >= 0
  if (ongoing && !batch.transactional) {
    return refused(
      'INVALID_TXN_STATE',
      `producer ${batch.producerId} has a transaction open; expected a transactional batch`,
    )
  }
  return {
    kind: 'accepted',
    next: producerAfterBatch(state, batch),
    startsTransaction: batch.transactional && !ongoing,
  }
}

/**
 * Judges a marker. An older epoch is a zombie's. With transaction version 2 the marker's epoch is one above that of the transaction it
 * ends, so an equal epoch is either a retry of the marker that closed it (nothing is open) or a forged late one (something is).
 */
export function judgeMarker(state: ProducerState | undefined, marker: Marker): MarkerVerdict {
  if (state !== undefined) {
    const open = state.currentTxnFirstOffset >= 0
    if (marker.producerEpoch < state.producerEpoch) return staleEpoch(state, marker)
    if (marker.coordinatorEpoch < state.coordinatorEpoch) {
      return refused(
        'TRANSACTION_COORDINATOR_FENCED',
        `coordinator epoch ${marker.coordinatorEpoch} of producer ${marker.producerId} is older than ${state.coordinatorEpoch}`,
      )
    }
    if (marker.transactionVersion >= 2 && marker.producerEpoch === state.producerEpoch) {
      if (open) return staleEpoch(state, marker)
      if (marker.coordinatorEpoch === state.coordinatorEpoch) return { kind: 'repeated' }
    }
  }
  return {
    kind: 'accepted',
    next: producerAfterMarker(state, marker),
    endsTransaction: state !== undefined && state.currentTxnFirstOffset >= 0,
  }
}

/**
 * Kafka's `isProducerExpired`: silent for `producer.id.expiration.ms` and without an open transaction. `lastAppendMs` is when this leader
 * last heard of it: a producer that replays old records (old timestamps) is not silent, and Kafka's rule alone would forget it.
 */
export function isExpired(
  state: ProducerState,
  lastAppendMs: number,
  now: number,
  producerIdExpirationMs: number,
): boolean {
  if (state.currentTxnFirstOffset >= 0) return false
  return now - Math.max(state.lastTimestamp, lastAppendMs) >= producerIdExpirationMs
}

/** Sequence rules of `checkSequence`. With an unknown epoch (nothing known) any sequence is taken, so there must be a state. */
function follows(state: ProducerState, batch: AcceptedBatch): boolean {
  // KIP-360: a new epoch begins again at 0.
  if (batch.producerEpoch !== state.producerEpoch) return batch.baseSequence === 0
  return batch.baseSequence === nextSequenceOf(state)
}

/** What the next batch of the same epoch must begin with: after a marker bumped the epoch nothing is remembered, so 0. */
function nextSequenceOf(state: ProducerState): number {
  const last = lastSequenceOf(state)
  return last === SEQUENCE_MAX ? 0 : last + 1
}

function staleEpoch(
  state: ProducerState,
  given: { readonly producerId: number; readonly producerEpoch: number },
): Refused {
  const message = `epoch ${given.producerEpoch} of producer ${given.producerId} is not above the last seen epoch ${state.producerEpoch}`
  return refused('INVALID_PRODUCER_EPOCH', message)
}

function outOfOrder(state: ProducerState | undefined, batch: AcceptedBatch): Refused {
  const last = state === undefined ? 'none' : `${lastSequenceOf(state)}, epoch ${state.producerEpoch}`
  const message = `sequence ${batch.baseSequence}, epoch ${batch.producerEpoch}, of producer ${batch.producerId} does not follow ${last}`
  return refused('OUT_OF_ORDER_SEQUENCE_NUMBER', message)
}

function refused(error: ProducerRefusal, message: string): Refused {
  return { kind: 'refused', error, message }
}
