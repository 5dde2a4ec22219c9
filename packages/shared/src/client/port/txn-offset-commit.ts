// TxnOffsetCommit at a door: the group's partition of `__consumer_offsets` becomes part of the transaction (version 5), or is known to be
// (older ones, after AddOffsetsToTxn), before the group coordinator stages the offsets. KIP-890.
import { partitionForKey } from '../../base/java-hash.ts'
import type { ApiRequest, ApiResponse } from '../../contracts/api-map.ts'
import type { Verification } from '../../contracts/partition-leader.contract.ts'
import { errors } from '../../protocol/error-codes.ts'
import { askShard } from './coordinator-directory.ts'
import { refusedGroupApi } from './coordinator-refusals.ts'
import type { Answer, Caller, Door } from './door.ts'
import { internalTopics } from './internal-topics.ts'
import { coordinatorFailure } from './port-failure.ts'
import { OFFSET_COMMIT_ADDS_VERSION, offsetCommitRefusal } from './verification.rules.ts'
import { vouch } from './vouch.ts'

/** Batches of offsets have no sequence. */
const NO_SEQUENCE = -1

export const txnOffsetCommit: Answer<'TxnOffsetCommit'> = async (door, request, caller) => {
  try {
    const answered = await commit(door, request, caller)
    return typeof answered === 'number' ? refusedGroupApi.TxnOffsetCommit(request, answered) : answered
  } catch (error) {
    return refusedGroupApi.TxnOffsetCommit(request, coordinatorFailure(error))
  }
}

async function commit(
  door: Door,
  request: ApiRequest<'TxnOffsetCommit'>,
  caller: Caller,
): Promise<ApiResponse<'TxnOffsetCommit'> | number> {
  const partitions = await door.coordinators.partitions('group', caller.deadlineMs)
  if (partitions === 0) return errors.COORDINATOR_NOT_AVAILABLE.code
  const partition = partitionForKey(request.groupId, partitions)
  // Started first: it and the leader live on one lane, and the leader's guard is worth nothing without it.
  const shard = await door.coordinators.shard('group', partition, caller.deadlineMs)
  if (!shard) return errors.COORDINATOR_NOT_AVAILABLE.code
  const verification = await verify(door, request, partition, caller)
  if (typeof verification === 'number') return verification
  const { apiVersion, clientId, clientHost } = caller
  const asked = { api: 'TxnOffsetCommit' as const, apiVersion, request, clientId, clientHost, verification }
  const response = await askShard(shard, asked, caller)
  return response as ApiResponse<'TxnOffsetCommit'>
}

/** What to append under (undefined: nothing needed), or the error code of the reply. */
async function verify(
  door: Door,
  request: ApiRequest<'TxnOffsetCommit'>,
  partition: number,
  caller: Caller,
): Promise<Verification | undefined | number> {
  const ref = { topic: internalTopics.offsets, partition }
  await door.leaders.find([ref], caller.deadlineMs, caller.signal)
  const leader = door.leaders.known(ref)
  if (!leader) return errors.COORDINATOR_NOT_AVAILABLE.code
  const { transactionalId, producerId, producerEpoch } = request
  const implicitAdd = caller.apiVersion >= OFFSET_COMMIT_ADDS_VERSION
  const append = { transactionalId, producerId, producerEpoch, baseSequence: NO_SEQUENCE, implicitAdd }
  const vouched = await vouch(door, leader, append, caller)
  return typeof vouched === 'number' ? offsetCommitRefusal(vouched, caller.apiVersion) : vouched
}
