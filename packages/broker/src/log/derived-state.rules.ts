// What follows from batches: producer states and aborted transactions, one batch at a time (Kafka: ProducerAppendInfo, ProducerStateManager).
// Recovery and truncation replay stored batches through here, `odradek log verify` compares with what is stored, and the leader may apply
// the same step to what it accepted: loading then equals replay. No check of sequences or epochs happens here: what is in the log was accepted.
import type { AbortedTransaction, ProducerBatch, ProducerState } from './partition-log.ts'

/** Batches remembered per producer (Kafka: ProducerStateEntry.NUM_BATCHES_TO_RETAIN). */
const PRODUCER_BATCHES_RETAINED = 5

/** The header fields of a stored batch that state follows from. */
export interface AcceptedBatch {
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly maxTimestamp: number
  readonly transactional: boolean
}

/** A transaction marker as stored: the header of its control batch and the coordinator epoch of its record. */
export interface AcceptedMarker {
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly committed: boolean
  readonly offset: number
  readonly timestamp: number
}

/** The state of a producer after one more batch of records. */
export function producerAfterBatch(before: ProducerState | undefined, batch: AcceptedBatch): ProducerState {
  const known = before !== undefined && before.producerEpoch === batch.producerEpoch ? before.batches : []
  const added: ProducerBatch = {
    firstSequence: batch.baseSequence,
    lastSequence: batch.lastSequence,
    firstOffset: batch.baseOffset,
    lastOffset: batch.lastOffset,
    timestamp: batch.maxTimestamp,
  }
  const open = before?.currentTxnFirstOffset ?? -1
  return {
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    coordinatorEpoch: before?.coordinatorEpoch ?? -1,
    lastTimestamp: batch.maxTimestamp,
    currentTxnFirstOffset: batch.transactional && open < 0 ? batch.baseOffset : open,
    batches: [...known.slice(1 - PRODUCER_BATCHES_RETAINED), added],
  }
}

/** The state of a producer after a marker: no transaction is open, and a new epoch forgets the batches. */
export function producerAfterMarker(before: ProducerState | undefined, marker: AcceptedMarker): ProducerState {
  const sameEpoch = before !== undefined && before.producerEpoch === marker.producerEpoch
  return {
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    coordinatorEpoch: marker.coordinatorEpoch,
    lastTimestamp: marker.timestamp,
    currentTxnFirstOffset: -1,
    batches: sameEpoch ? before.batches : [],
  }
}

/** First offset of the oldest open transaction among `producers`, leaving out `except`; undefined when none is open. */
export function firstUndecidedOffset(producers: Iterable<ProducerState>, except = -1): number | undefined {
  let first: number | undefined
  for (const producer of producers) {
    const offset = producer.currentTxnFirstOffset
    if (offset >= 0 && producer.producerId !== except && (first === undefined || offset < first)) first = offset
  }
  return first
}

/** The index entry that an abort marker leaves; undefined for commits, and when no transaction was open. */
function abortedByMarker(
  before: ProducerState | undefined,
  marker: AcceptedMarker,
  producers: Iterable<ProducerState>,
): AbortedTransaction | undefined {
  if (marker.committed || before === undefined || before.currentTxnFirstOffset < 0) return undefined
  return {
    producerId: marker.producerId,
    firstOffset: before.currentTxnFirstOffset,
    lastOffset: marker.offset,
    lastStableOffset: firstUndecidedOffset(producers, marker.producerId) ?? marker.offset + 1,
  }
}

/** Producer states by id, and the aborted transactions met on the way. Changed in place by the two functions below. */
export interface DerivedState {
  readonly producers: Map<number, ProducerState>
  readonly aborted: AbortedTransaction[]
}

export function replayBatch(state: DerivedState, batch: AcceptedBatch): void {
  if (batch.producerId < 0) return
  state.producers.set(batch.producerId, producerAfterBatch(state.producers.get(batch.producerId), batch))
}

export function replayMarker(state: DerivedState, marker: AcceptedMarker): void {
  const before = state.producers.get(marker.producerId)
  const aborted = abortedByMarker(before, marker, state.producers.values())
  if (aborted !== undefined) state.aborted.push(aborted)
  state.producers.set(marker.producerId, producerAfterMarker(before, marker))
}
