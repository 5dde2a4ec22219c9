// A transactional produce at a door: the coordinator vouches for it before the leader appends it (see `vouch.ts`).
import type { Verification } from '../../contracts/partition-leader.contract.ts'
import { BATCH_HEADER_BYTES, isTransactional, producerEpoch, producerId } from '../../records/record-batch.ts'
import type { Caller, Door } from './door.ts'
import type { Leader } from './leader-directory.ts'
import { OpenTransactions, type ProducerOfBatch } from './open-transactions.ts'
import { PRODUCE_ADDS_VERSION, produceRefusal } from './verification.rules.ts'
import { type VouchedAppend, vouch } from './vouch.ts'

type VouchedBatch = Omit<VouchedAppend, 'implicitAdd'>

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
  batch: VouchedBatch,
  caller: Caller,
): Promise<Verification | 'open' | undefined | number> {
  const implicitAdd = caller.apiVersion >= PRODUCE_ADDS_VERSION
  const transactions = OpenTransactions.at(leader, door.host.limits.openTransactionsKnownMax)
  if (implicitAdd && transactions.isOpen(batch)) return 'open'
  const vouched = await transactions.ask(batch, () => vouch(door, leader, { ...batch, implicitAdd }, caller))
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
