// The APIs that a door answers by asking coordinators: by one key, split by several keys, or by asking every shard of a kind.
import type { ApiName, ApiRequest, ApiResponse } from '../../contracts/api-map.ts'
import type { CoordinatorKind } from '../../contracts/broker.contract.ts'
import { errors } from '../../protocol/error-codes.ts'
import { askShard } from './coordinator-directory.ts'
import { refusedGroupApi as group, refusedTransactionApi as transaction } from './coordinator-refusals.ts'
import type { Answer, Answers, Caller } from './door.ts'
import { coordinatorFailure } from './port-failure.ts'
import { txnOffsetCommit } from './txn-offset-commit.ts'

function toShard<A extends ApiName>(api: A, request: ApiRequest<A>, { apiVersion, clientId, clientHost }: Caller) {
  return { api, apiVersion, request, clientId, clientHost }
}

/** An API whose request belongs to one key. */
function byKey<A extends ApiName>(
  api: A,
  kind: CoordinatorKind,
  key: (request: ApiRequest<A>) => string,
  refused: (request: ApiRequest<A>, code: number) => ApiResponse<A>,
): Answer<A> {
  return async (door, request, caller) => {
    const response = await door.coordinators.ask(kind, key(request), toShard(api, request, caller), caller)
    return typeof response === 'number' ? refused(request, response) : (response as ApiResponse<A>)
  }
}

/** An API whose request lists items, each with a key of its own: one request per item, replies joined in order. */
function byItem<A extends ApiName, Item>(
  api: A,
  kind: CoordinatorKind,
  rules: {
    readonly items: (request: ApiRequest<A>) => readonly Item[]
    readonly key: (item: Item) => string
    readonly only: (request: ApiRequest<A>, item: Item) => ApiRequest<A>
    readonly refused: (item: Item, code: number) => ApiResponse<A>
    readonly join: (responses: readonly ApiResponse<A>[]) => ApiResponse<A>
  },
): Answer<A> {
  return async (door, request, caller) => {
    const asked = rules.items(request).map(async item => {
      const response = await door.coordinators.ask(
        kind,
        rules.key(item),
        toShard(api, rules.only(request, item), caller),
        caller,
      )
      return typeof response === 'number' ? rules.refused(item, response) : (response as ApiResponse<A>)
    })
    return rules.join(await Promise.all(asked))
  }
}

/** An API that every shard answers a part of. The first error code of a shard is the whole's. */
function fromAll<A extends ApiName>(
  api: A,
  kind: CoordinatorKind,
  join: (parts: readonly ApiResponse<A>[], code: number) => ApiResponse<A>,
): Answer<A> {
  return async (door, request, caller) => {
    try {
      const partitions = await door.coordinators.partitions(kind, caller.deadlineMs)
      const asked = Array.from({ length: partitions }, async (_, partition) => {
        const shard = await door.coordinators.shard(kind, partition, caller.deadlineMs)
        return shard ? ((await askShard(shard, toShard(api, request, caller), caller)) as ApiResponse<A>) : null
      })
      const parts = await Promise.all(asked)
      const missing = parts.some(part => part === null) ? errors.COORDINATOR_NOT_AVAILABLE.code : 0
      return join(
        parts.filter(part => part !== null),
        missing,
      )
    } catch (error) {
      return join([], coordinatorFailure(error))
    }
  }
}

const groupId = (request: { groupId: string }) => request.groupId
const transactionalId = (request: { transactionalId: string }) => request.transactionalId
const itself = (id: string) => id

export const coordinatorApis: Answers = {
  OffsetCommit: byKey('OffsetCommit', 'group', groupId, group.OffsetCommit),
  JoinGroup: byKey('JoinGroup', 'group', groupId, group.JoinGroup),
  Heartbeat: byKey('Heartbeat', 'group', groupId, group.Heartbeat),
  LeaveGroup: byKey('LeaveGroup', 'group', groupId, group.LeaveGroup),
  SyncGroup: byKey('SyncGroup', 'group', groupId, group.SyncGroup),
  OffsetDelete: byKey('OffsetDelete', 'group', groupId, group.OffsetDelete),
  ConsumerGroupHeartbeat: byKey('ConsumerGroupHeartbeat', 'group', groupId, group.ConsumerGroupHeartbeat),
  TxnOffsetCommit: txnOffsetCommit,
  OffsetFetch: byItem('OffsetFetch', 'group', {
    items: request => request.groups,
    key: groupId,
    only: (request, item) => ({ ...request, groups: [item] }),
    refused: (item, code) => group.OffsetFetch(item, code),
    join: parts => ({ throttleTimeMs: 0, topics: [], errorCode: 0, groups: parts.flatMap(part => part.groups) }),
  }),
  DescribeGroups: byItem('DescribeGroups', 'group', {
    items: request => request.groups,
    key: itself,
    only: (request, item) => ({ ...request, groups: [item] }),
    refused: group.DescribeGroups,
    join: parts => ({ throttleTimeMs: 0, groups: parts.flatMap(part => part.groups) }),
  }),
  DeleteGroups: byItem('DeleteGroups', 'group', {
    items: request => request.groupsNames,
    key: itself,
    only: (_request, item) => ({ groupsNames: [item] }),
    refused: group.DeleteGroups,
    join: parts => ({ throttleTimeMs: 0, results: parts.flatMap(part => part.results) }),
  }),
  ConsumerGroupDescribe: byItem('ConsumerGroupDescribe', 'group', {
    items: request => request.groupIds,
    key: itself,
    only: (request, item) => ({ ...request, groupIds: [item] }),
    refused: group.ConsumerGroupDescribe,
    join: parts => ({ throttleTimeMs: 0, groups: parts.flatMap(part => part.groups) }),
  }),
  ListGroups: fromAll('ListGroups', 'group', (parts, code) => ({
    throttleTimeMs: 0,
    errorCode: code || (parts.find(part => part.errorCode)?.errorCode ?? 0),
    groups: parts.flatMap(part => part.groups),
  })),
  AddOffsetsToTxn: byKey('AddOffsetsToTxn', 'transaction', transactionalId, transaction.AddOffsetsToTxn),
  EndTxn: byKey('EndTxn', 'transaction', transactionalId, transaction.EndTxn),
  InitProducerId: (door, request, caller) =>
    request.transactionalId === null
      ? idempotentProducerId(door, request, caller)
      : transactionalProducerId(door, request, caller),
  AddPartitionsToTxn: byItem('AddPartitionsToTxn', 'transaction', {
    items: request => request.transactions,
    key: transactionalId,
    only: (request, item) => ({ ...request, transactions: [item] }),
    refused: transaction.AddPartitionsToTxn,
    join: parts => ({
      throttleTimeMs: 0,
      errorCode: parts.find(part => part.errorCode)?.errorCode ?? 0,
      resultsByTransaction: parts.flatMap(part => part.resultsByTransaction),
      resultsByTopicV3AndBelow: [],
    }),
  }),
  DescribeTransactions: byItem('DescribeTransactions', 'transaction', {
    items: request => request.transactionalIds,
    key: itself,
    only: (_request, item) => ({ transactionalIds: [item] }),
    refused: transaction.DescribeTransactions,
    join: parts => ({ throttleTimeMs: 0, transactionStates: parts.flatMap(part => part.transactionStates) }),
  }),
  ListTransactions: fromAll('ListTransactions', 'transaction', (parts, code) => ({
    throttleTimeMs: 0,
    errorCode: code || (parts.find(part => part.errorCode)?.errorCode ?? 0),
    unknownStateFilters: [...new Set(parts.flatMap(part => part.unknownStateFilters))],
    transactionStates: parts.flatMap(part => part.transactionStates),
  })),
}

const transactionalProducerId = byKey(
  'InitProducerId',
  'transaction',
  request => request.transactionalId!,
  transaction.InitProducerId,
)

/** Without a transactional id any broker hands out a fresh producer id. */
const idempotentProducerId: Answer<'InitProducerId'> = async (door, request, { deadlineMs }) => {
  const { response } = await door.broker.link.ask('request', { api: 'InitProducerId', request }, { deadlineMs })
  return response as ApiResponse<'InitProducerId'>
}
