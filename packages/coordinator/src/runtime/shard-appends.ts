// What a shard asks of its partition's leader to change the log. Called by the shard runner only; decides nothing.
import type { Link } from '@odradek/shared/actor/actor'
import { assert } from '@odradek/shared/base/assert'
import type {
  AppendResponse,
  MarkerWritten,
  PartitionLeaderContract,
  Verification,
} from '@odradek/shared/contracts/partition-leader.contract'
import { errors } from '@odradek/shared/protocol/error-codes'
import { buildTransactionalBatch } from './gathering.ts'
import type { ShardTypes } from './shard.ts'
import type { MarkerBarrier, TransactionalBarrier } from './shard-entries.ts'

type LeaderLink = Link<PartitionLeaderContract>

/**
 * Appends whole batches where the state says that the log ends, and nowhere else: what a predecessor sent before it died, or what was given up, may come after
 * the state was loaded, and decisions that did not see one another must not stand in one log. Answered when committed. `records` is given away.
 */
export function append(
  link: LeaderLink,
  records: Uint8Array,
  expectedOffset: number,
  verification?: Verification,
): Promise<AppendResponse> {
  const request = {
    records,
    acks: -1,
    origin: 'coordinator',
    currentLeaderEpoch: -1,
    expectedOffset,
    verification,
  } as const
  return link.ask('append', request)
}

/** Why the state cannot rely on an append; null: it can. */
export function faultOf({ errorCode, errorMessage }: AppendResponse): string | null {
  return errorCode === 0 ? null : `the leader refused an append with ${errorCode} ${errorMessage ?? ''}`
}

/**
 * Whether the log is not what the state stands for: it ends elsewhere, or another has claimed it (a predecessor's claim came late). Nothing was written; a load
 * claims it again.
 */
export function isForeign({ errorCode }: Pick<AppendResponse, 'errorCode'>): boolean {
  return errorCode === errors.OFFSET_OUT_OF_RANGE.code || errorCode === errors.NOT_LEADER_OR_FOLLOWER.code
}

/** Where the log ends after markers that were written from `expectedOffset` on, each new one taking one offset; null: it is not what the state stands for. */
export function endAfter(written: readonly MarkerWritten[], expectedOffset: number): number | null {
  if (written.some(isForeign)) return null
  const end = Math.max(...written.map(({ logEndOffset }) => logEndOffset))
  return end === expectedOffset + written.filter(({ offset }) => offset >= 0).length ? end : null
}

/** Appends the records of a transactional decision as one batch. */
export function appendTransactional<T extends ShardTypes>(
  link: LeaderLink,
  { decision, records, timestamp }: TransactionalBarrier<T>,
  expectedOffset: number,
): Promise<AppendResponse> {
  const { transaction } = decision
  assert(transaction !== undefined, 'a transactional barrier has a producer')
  const { producerId, producerEpoch, verification } = transaction
  const batch = buildTransactionalBatch(records, timestamp, { producerId, producerEpoch })
  return append(link, batch, expectedOffset, verification)
}

/** Writes markers together. */
export function writeMarkers(link: LeaderLink, { orders }: MarkerBarrier): Promise<readonly MarkerWritten[]> {
  return Promise.all(orders.map(({ request }) => link.ask('writeMarker', request)))
}
