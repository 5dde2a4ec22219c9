// A transactional produce at a door: the coordinator vouches for it before the leader appends it (see `vouch.ts`).
import type { VerificationGuard } from '../../contracts/partition-leader.contract.ts'
import { BATCH_HEADER_BYTES, baseSequence, producerEpoch, producerId } from '../../records/record-batch.ts'
import type { Caller, Door } from './door.ts'
import type { Leader } from './leader-directory.ts'
import { PRODUCE_ADDS_VERSION, produceRefusal } from './verification.rules.ts'
import { vouch } from './vouch.ts'

/** The guard to append under (undefined: none needed), or the error code of the produce reply. */
export async function verifyAppend(
  door: Door,
  leader: Leader,
  transactionalId: string,
  records: Uint8Array,
  caller: Caller,
): Promise<VerificationGuard | undefined | number> {
  // Too short to be a batch: the append will say so.
  if (records.byteLength < BATCH_HEADER_BYTES) return undefined
  const append = {
    transactionalId,
    producerId: producerId(records, 0),
    producerEpoch: producerEpoch(records, 0),
    baseSequence: baseSequence(records, 0),
    implicitAdd: caller.apiVersion >= PRODUCE_ADDS_VERSION,
  }
  const vouched = await vouch(door, leader, append, caller)
  return typeof vouched === 'number' ? produceRefusal(vouched, caller.apiVersion) : vouched
}
