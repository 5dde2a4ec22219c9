// Sequence numbers of idempotent producers: per partition, counted from 0 for each (producer id, epoch), wrapping after 2^31 - 1. Pure.

const MODULUS = 2 ** 31

/** Who a batch is from: the producer id and its epoch. */
export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

/** Last epoch that a client may use; after it a new producer id is needed (`Short.MAX_VALUE`). */
export const PRODUCER_EPOCH_MAX = 32_767

/** `sequence` plus `by` records (`DefaultRecordBatch.incrementSequence`). */
export function incrementSequence(sequence: number, by: number): number {
  return (sequence + by) % MODULUS
}

/** What a partition's sequence looks like from here; plain data, one per partition. */
export interface SequenceState {
  /** Whose sequence it is; null before the first batch. */
  identity: ProducerIdentity | null
  /** For the next new batch. */
  nextSequence: number
  /** Of the last record that the leader acknowledged under `identity`; -1 none. */
  lastAckedSequence: number
}

export function newSequenceState(): SequenceState {
  return { identity: null, nextSequence: 0, lastAckedSequence: -1 }
}

export function sameIdentity(a: ProducerIdentity | null, b: ProducerIdentity | null): boolean {
  return a?.producerId === b?.producerId && a?.producerEpoch === b?.producerEpoch
}

/** Begins anew at 0 under `identity`. */
export function restartSequence(state: SequenceState, identity: ProducerIdentity | null): void {
  state.identity = identity
  state.nextSequence = 0
  state.lastAckedSequence = -1
}

/** Takes the sequence numbers of a batch and returns the first. */
export function takeSequence(state: SequenceState, recordCount: number): number {
  const first = state.nextSequence
  state.nextSequence = incrementSequence(first, recordCount)
  return first
}

/** Whether a batch that begins at `baseSequence` follows directly what was acknowledged last. */
export function followsAcked(state: SequenceState, baseSequence: number): boolean {
  return baseSequence === incrementSequence(state.lastAckedSequence, 1)
}

/** Whether all sequence numbers that were given out have been acknowledged up to the last. */
export function allAcked(state: SequenceState): boolean {
  return state.nextSequence === incrementSequence(state.lastAckedSequence, 1)
}
