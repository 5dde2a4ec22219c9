// What a shard asks of its partition's leader to change the log. Called by the shard runner only; decides nothing.
import type { Link } from '@odradek/shared/actor/actor'
import { assert } from '@odradek/shared/base/assert'
import type {
  AppendResponse,
  MarkerWritten,
  PartitionLeaderContract,
  Verification,
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

/** Why the state cannot rely on an append that should have begun at `expected`; null: it can. */
export function faultOf({ errorCode, errorMessage, baseOffset }: AppendResponse, expected: number): string | null {
  if (errorCode !== 0) return `the leader refused an append with ${errorCode} ${errorMessage ?? ''}`
  // Nobody else writes here: an append that was given up earlier has landed late.
  return baseOffset === expected ? null : `offset ${baseOffset} where ${expected} was next`
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

/** Writes markers together. */
export function writeMarkers(link: LeaderLink, { orders }: MarkerBarrier): Promise<readonly MarkerWritten[]> {
  return Promise.all(orders.map(({ request }) => link.ask('writeMarker', request)))
}
