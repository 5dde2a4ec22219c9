// A transactional produce at a door: the coordinator vouches for it before the leader appends it (see `vouch.ts`).
import type { Verification } from '../../contracts/partition-leader.contract.ts'
import {
  BATCH_HEADER_BYTES,
  baseSequence,
  isTransactional,
  producerEpoch,
  producerId,
} from '../../records/record-batch.ts'
import type { Caller, Door } from './door.ts'
import type { Leader } from './leader-directory.ts'
import { OpenTransactions, type ProducerOfBatch } from './open-transactions.ts'
import { PRODUCE_ADDS_VERSION, produceRefusal } from './verification.rules.ts'
import { vouch } from './vouch.ts'

/** A transactional batch that is to be appended. */
export interface TransactionalBatch {
  readonly transactionalId: string
  readonly records: Uint8Array
  readonly producer: ProducerOfBatch
}

/** The producer of a transactional batch; null for others, and for what is too short to be one: the append will say so. */
export function transactionalProducer(records: Uint8Array): ProducerOfBatch | null {
  if (records.byteLength < BATCH_HEADER_BYTES || !isTransactional(records, 0)) return null
  return { producerId: producerId(records, 0), producerEpoch: producerEpoch(records, 0) }
}

/**
 * What to append under (undefined: nothing needed; `open`: none asked for, because the leader has taken a batch of this transaction), or
 * the error code of the produce reply.
 */
export async function verifyAppend(
  door: Door,
  leader: Leader,
  { transactionalId, records, producer }: TransactionalBatch,
  caller: Caller,
): Promise<Verification | 'open' | undefined | number> {
  const implicitAdd = caller.apiVersion >= PRODUCE_ADDS_VERSION
  const transactions = OpenTransactions.at(leader, door.host.limits.openTransactionsKnownMax)
  if (implicitAdd && transactions.isOpen(producer)) return 'open'
  const { producerId, producerEpoch } = producer
  const vouchedFor = { transactionalId, producerId, producerEpoch, baseSequence: baseSequence(records, 0), implicitAdd }
  const vouched = await transactions.ask(producer, () => vouch(door, leader, vouchedFor, caller))
  return typeof vouched === 'number' ? produceRefusal(vouched, caller.apiVersion) : vouched
}

/** Remembers that the leader took a transactional batch of a client of this version. */
export function appendedInTransaction(
  door: Door,
  leader: Leader,
  producer: ProducerOfBatch,
  { apiVersion }: Caller,
): void {
  if (apiVersion < PRODUCE_ADDS_VERSION) return
  OpenTransactions.at(leader, door.host.limits.openTransactionsKnownMax).opened(producer)
}
