// What a shard asks of its partition's leader to change the log. Called by the shard runner only; decides nothing.
import type { Link } from '@odradek/shared/actor/actor'
import { assert } from '@odradek/shared/base/assert'
import type {
  AppendResponse,
  PartitionLeaderContract,
  Verification,
  WriteMarkerResponse,
} from '@odradek/shared/contracts/partition-leader.contract'
import { buildTransactionalBatch } from './gathering.ts'
import type { ShardTypes } from './shard.ts'
import type { MarkerBarrier, TransactionalBarrier } from './shard-entries.ts'

type LeaderLink = Link<PartitionLeaderContract>

/** Appends whole batches; answered when they are committed. `records` is given away. */
export function append(link: LeaderLink, records: Uint8Array, verification?: Verification): Promise<AppendResponse> {
  const request = { records, acks: -1, origin: 'coordinator', currentLeaderEpoch: -1 } as const
  return link.ask('append', verification === undefined ? request : { ...request, verification })
}

/** Appends the records of a transactional decision as one batch. */
export function appendTransactional<T extends ShardTypes>(
  link: LeaderLink,
  { decision, records, timestamp }: TransactionalBarrier<T>,
): Promise<AppendResponse> {
  const { transaction } = decision
  assert(transaction !== undefined, 'a transactional barrier has a producer')
  const { producerId, producerEpoch, verification } = transaction
  return append(link, buildTransactionalBatch(records, timestamp, { producerId, producerEpoch }), verification)
}

/** Writes markers together; `logEndOffset` is asked for afterwards, because a marker that is a retry may take no offset. */
export async function writeMarkers(
  link: LeaderLink,
  { orders }: MarkerBarrier,
): Promise<{ readonly responses: readonly WriteMarkerResponse[]; readonly logEndOffset: number }> {
  const responses = await Promise.all(orders.map(({ request }) => link.ask('writeMarker', request)))
  const { logEndOffset } = await link.ask('describeLog', {})
  return { responses, logEndOffset }
}
