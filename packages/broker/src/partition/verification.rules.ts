// KIP-890, the leader's half: before a producer's first transactional batch of a transaction is appended, somebody must have asked its
// coordinator. The door fetches a guard here, asks the coordinator, and appends with the guard; whatever changes the producer's state
// in between makes the guard void, so a produce that was overtaken by its transaction's end cannot begin a transaction that never ends.
// Kafka: VerificationStateEntry, VerificationGuard. In memory only: after a restart doors ask again.

/** One producer's pending verification. */
export interface VerificationState {
  /** What the door must show with its append. */
  readonly token: number
  /** Wall clock of its creation, ms; it expires with `producer.id.expiration.ms`. */
  readonly createdMs: number
  readonly producerEpoch: number
  /** The lowest sequence that any request waiting for the verification begins with: a later one may not overtake it. */
  readonly lowestSequence: number
  /** The client bumps its epoch on every end (transaction.version 2), so an unknown producer must begin at 0. */
  readonly supportsEpochBump: boolean
}

/** A request for a guard. */
export interface VerificationAsked {
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly supportsEpochBump: boolean
}

/**
 * The state after one more request has asked: the first creates it with `token`, others share it, and a newer epoch takes the lowest
 * sequence over.
 */
export function verificationAsked(
  current: VerificationState | undefined,
  asked: VerificationAsked,
  { token, now }: { readonly token: number; readonly now: number },
): VerificationState {
  const { producerEpoch, baseSequence, supportsEpochBump } = asked
  if (current === undefined) {
    return { token, createdMs: now, producerEpoch, lowestSequence: baseSequence, supportsEpochBump }
  }
  if (producerEpoch > current.producerEpoch) return { ...current, producerEpoch, lowestSequence: baseSequence }
  if (producerEpoch < current.producerEpoch || baseSequence >= current.lowestSequence) return current
  return { ...current, lowestSequence: baseSequence }
}

/** Whether an append that shows `token` (undefined: none) was verified. */
export function isVerified(current: VerificationState | undefined, token: number | undefined): boolean {
  return current !== undefined && current.token === token
}

/** Whether a batch may come now, as far as pending verifications tell; `known`: batches of the producer are remembered. */
export function maySequence(current: VerificationState | undefined, baseSequence: number, known: boolean): boolean {
  if (current === undefined) return true
  if (current.supportsEpochBump && baseSequence !== 0 && !known) return false
  return baseSequence <= current.lowestSequence
}

export function isVerificationExpired(
  current: VerificationState,
  now: number,
  producerIdExpirationMs: number,
): boolean {
  return now - current.createdMs >= producerIdExpirationMs
}
