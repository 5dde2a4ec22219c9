// Who is the producer of a transactional id: its id and epoch, how they move on, and which repeated request is recognised. Epochs are
// int16; the last one that a client ever gets is 32766, so that there is always one left to fence it with (Java: `TransactionMetadata`).

/** Never given to a client: what a transaction of epoch 32766 is ended under. */
export const PRODUCER_EPOCH_MAX = 32_767
export const NO_PRODUCER_ID = -1
export const NO_PRODUCER_EPOCH = -1

/** No client gets a higher epoch of this id: what comes next has a new id and epoch 0. */
export function isEpochExhausted(producerEpoch: number): boolean {
  return producerEpoch >= PRODUCER_EPOCH_MAX - 1
}

export interface ProducerIdAndEpoch {
  readonly producerId: number
  readonly producerEpoch: number
}

/** The producer of a transactional id as it stands. */
export interface CurrentProducer extends ProducerIdAndEpoch {
  readonly previousProducerId: number
  /** The epoch that the same client had before, if a request with it can only be a repetition; -1 none. Not stored. */
  readonly lastProducerEpoch: number
}

/** What an InitProducerId makes of the current producer (undefined: the id is new). `wantsFresh`: only a fresh producer id can go on. */
export type NextProducer =
  | { readonly kind: 'next'; readonly producer: CurrentProducer }
  | { readonly kind: 'fenced' }
  | { readonly kind: 'wantsFresh' }

/**
 * The producer after InitProducerId. `expected`: what the client believes to be (KIP-360), null for a client that starts; `fresh`: an id
 * that nobody else has, -1 when none is at hand.
 */
export function initialisedProducer(
  current: CurrentProducer | undefined,
  expected: ProducerIdAndEpoch | null,
  fresh: number,
): NextProducer {
  const lastProducerEpoch = NO_PRODUCER_EPOCH
  if (current === undefined) {
    // A client that resumes an id which has expired gets a new one: nobody else can have it.
    if (fresh === NO_PRODUCER_ID) return { kind: 'wantsFresh' }
    return next({ producerId: fresh, producerEpoch: 0, previousProducerId: NO_PRODUCER_ID, lastProducerEpoch })
  }
  const { producerId, producerEpoch } = current
  if (expected !== null && !mayBe(current, expected)) return { kind: 'fenced' }
  if (mustRotate(current, expected)) {
    if (fresh === NO_PRODUCER_ID) return { kind: 'wantsFresh' }
    const last = expected?.producerEpoch ?? NO_PRODUCER_EPOCH
    return next({ producerId: fresh, producerEpoch: 0, previousProducerId: producerId, lastProducerEpoch: last })
  }
  if (expected === null) return next({ ...current, producerEpoch: producerEpoch + 1, lastProducerEpoch })
  if (expected.producerEpoch === producerEpoch && expected.producerId === producerId)
    return next({ ...current, producerEpoch: producerEpoch + 1, lastProducerEpoch: producerEpoch })
  // A repetition of what was done: its reply was lost.
  if (expected.producerEpoch === current.lastProducerEpoch) return next(current)
  return { kind: 'fenced' }
}

/** No epoch is left for this client, and it is not one that was fenced. */
function mustRotate(
  { producerEpoch, lastProducerEpoch }: CurrentProducer,
  expected: ProducerIdAndEpoch | null,
): boolean {
  if (!isEpochExhausted(producerEpoch)) return false
  if (expected === null || expected.producerEpoch === producerEpoch) return true
  return producerEpoch === PRODUCER_EPOCH_MAX && expected.producerEpoch === lastProducerEpoch
}

/** The same client, or one that had its epoch run out and did not hear of its new id. */
function mayBe({ producerId, previousProducerId }: CurrentProducer, expected: ProducerIdAndEpoch): boolean {
  if (expected.producerId === producerId) return true
  return expected.producerId === previousProducerId && isEpochExhausted(expected.producerEpoch)
}

function next(producer: CurrentProducer): NextProducer {
  return { kind: 'next', producer }
}

/**
 * The epoch under which an open transaction is aborted against its producer: two above, so that an EndTxn of that producer can not pass for
 * a repetition (those are one below). Without room for two, the last epoch: see `isRepeatedEnd`.
 */
export function fencingEpoch(producerEpoch: number): number {
  return Math.min(producerEpoch + 2, PRODUCER_EPOCH_MAX)
}

/** What an EndTxn is compared with. */
export interface EndedProducer extends ProducerIdAndEpoch {
  readonly previousProducerId: number
  readonly nextProducerId: number
  /** Of whoever ended it. */
  readonly clientTransactionVersion: number
}

/**
 * Whether an EndTxn of transaction.version 2 repeats the one that made this state: every end raises the epoch by one, or, at the last
 * epoch, moves on to a new producer id (KIP-890).
 */
export function isRepeatedEnd(current: EndedProducer, request: ProducerIdAndEpoch, isComplete: boolean): boolean {
  // An older end raised nothing: one epoch below it is who was fenced before, and would be given the epoch of its successor.
  if (current.clientTransactionVersion < 2) return false
  if (isComplete && isRepeatedOverflow(current, request)) return true
  if (request.producerId !== current.producerId || current.producerEpoch !== request.producerEpoch + 1) return false
  // The last epoch without a successor was reached by fencing: no client may go on from there.
  return current.producerEpoch < PRODUCER_EPOCH_MAX || current.nextProducerId !== NO_PRODUCER_ID
}

function isRepeatedOverflow(current: EndedProducer, { producerId, producerEpoch }: ProducerIdAndEpoch): boolean {
  return (
    producerId === current.previousProducerId && producerEpoch === PRODUCER_EPOCH_MAX - 1 && current.producerEpoch === 0
  )
}
