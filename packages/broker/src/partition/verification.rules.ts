// KIP-890, the leader's half: before a producer's first transactional batch of a transaction is appended, somebody must have asked its
// coordinator. The door of an old client fetches a guard here, asks the coordinator, and appends with the guard; whatever changes the producer's state
// in between makes the guard void, so a produce that was overtaken by its transaction's end cannot begin a transaction that never ends.
// A client of transaction.version 2 needs no guard (`added`): the end that overtook its produce has raised its epoch here.
// Kafka: VerificationStateEntry, VerificationGuard. In memory only: after a restart doors ask again.
import type { Verification } from '@odradek/shared/contracts/partition-leader.contract'

/** One producer's pending verification. */
export interface VerificationState {
  /** What the door must show with its append. */
  readonly token: number
  /** Wall clock of its creation, ms; it expires with `producer.id.expiration.ms`. */
  readonly createdMs: number
  readonly producerEpoch: number
  /** The lowest sequence that any request waiting for the verification begins with: a later one may not overtake it. */
  readonly lowestSequence: number
}

/** A request for a guard. */
export interface VerificationAsked {
  readonly producerEpoch: number
  readonly baseSequence: number
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
  const { producerEpoch, baseSequence } = asked
  if (current === undefined) return { token, createdMs: now, producerEpoch, lowestSequence: baseSequence }
  if (producerEpoch > current.producerEpoch) return { ...current, producerEpoch, lowestSequence: baseSequence }
  if (producerEpoch < current.producerEpoch || baseSequence >= current.lowestSequence) return current
  return { ...current, lowestSequence: baseSequence }
}

/** Whether an append that shows `verification` (undefined: nothing) was verified. */
export function isVerified(
  current: VerificationState | undefined,
  verification: Verification | undefined,
): verification is Verification {
  if (verification === 'added') return true
  return current !== undefined && current.token === verification?.token
}

/** Whether a batch may come now, as far as pending verifications tell. */
export function maySequence(current: VerificationState | undefined, baseSequence: number): boolean {
  return current === undefined || baseSequence <= current.lowestSequence
}

export function isVerificationExpired(
  current: VerificationState,
  now: number,
  producerIdExpirationMs: number,
): boolean {
  return now - current.createdMs >= producerIdExpirationMs
}
