// What each coordinator API answers when its coordinator could not be asked: the request's shape with one error code in every place.
import type { ApiRequest, ApiResponse } from '../../contracts/api-map.ts'
import { NO_BYTES } from './absent.ts'

const throttleTimeMs = 0
const NO_OPERATIONS = -(2 ** 31)

interface TopicsOfPartitions {
  readonly topics: readonly {
    readonly name: string
    readonly partitions: readonly { readonly partitionIndex: number }[]
  }[]
}

function everywhere({ topics }: TopicsOfPartitions, errorCode: number) {
  return topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
  }))
}

export const refusedGroupApi = {
  OffsetCommit: (request: ApiRequest<'OffsetCommit'>, errorCode: number): ApiResponse<'OffsetCommit'> => ({
    throttleTimeMs,
    topics: request.topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }),
  TxnOffsetCommit: (request: ApiRequest<'TxnOffsetCommit'>, errorCode: number): ApiResponse<'TxnOffsetCommit'> => ({
    throttleTimeMs,
    topics: everywhere(request, errorCode),
  }),
  OffsetDelete: (request: ApiRequest<'OffsetDelete'>, errorCode: number): ApiResponse<'OffsetDelete'> => ({
    throttleTimeMs,
    errorCode,
    topics: everywhere(request, errorCode),
  }),
  JoinGroup: (request: ApiRequest<'JoinGroup'>, errorCode: number): ApiResponse<'JoinGroup'> => ({
    throttleTimeMs,
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    skipAssignment: false,
    memberId: request.memberId,
    members: [],
  }),
  Heartbeat: (_request: ApiRequest<'Heartbeat'>, errorCode: number): ApiResponse<'Heartbeat'> => ({
    throttleTimeMs,
    errorCode,
  }),
  LeaveGroup: (_request: ApiRequest<'LeaveGroup'>, errorCode: number): ApiResponse<'LeaveGroup'> => ({
    throttleTimeMs,
    errorCode,
    members: [],
  }),
  SyncGroup: (_request: ApiRequest<'SyncGroup'>, errorCode: number): ApiResponse<'SyncGroup'> => ({
    throttleTimeMs,
    errorCode,
    protocolType: null,
    protocolName: null,
    assignment: NO_BYTES,
  }),
  ConsumerGroupHeartbeat: (
    _request: ApiRequest<'ConsumerGroupHeartbeat'>,
    errorCode: number,
  ): ApiResponse<'ConsumerGroupHeartbeat'> => ({
    throttleTimeMs,
    errorCode,
    errorMessage: null,
    memberId: null,
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
    assignment: null,
  }),
  OffsetFetch: (item: ApiRequest<'OffsetFetch'>['groups'][number], errorCode: number): ApiResponse<'OffsetFetch'> => ({
    throttleTimeMs,
    topics: [],
    errorCode: 0,
    groups: [{ groupId: item.groupId, topics: [], errorCode }],
  }),
  DescribeGroups: (groupId: string, errorCode: number): ApiResponse<'DescribeGroups'> => ({
    throttleTimeMs,
    groups: [
      {
        errorCode,
        errorMessage: null,
        groupId,
        groupState: '',
        protocolType: '',
        protocolData: '',
        members: [],
        authorizedOperations: NO_OPERATIONS,
      },
    ],
  }),
  DeleteGroups: (groupId: string, errorCode: number): ApiResponse<'DeleteGroups'> => ({
    throttleTimeMs,
    results: [{ groupId, errorCode }],
  }),
  ConsumerGroupDescribe: (groupId: string, errorCode: number): ApiResponse<'ConsumerGroupDescribe'> => ({
    throttleTimeMs,
    groups: [
      {
        errorCode,
        errorMessage: null,
        groupId,
        groupState: '',
        groupEpoch: 0,
        assignmentEpoch: 0,
        assignorName: '',
        members: [],
        authorizedOperations: NO_OPERATIONS,
      },
    ],
  }),
}

export const refusedTransactionApi = {
  AddOffsetsToTxn: (_request: ApiRequest<'AddOffsetsToTxn'>, errorCode: number): ApiResponse<'AddOffsetsToTxn'> => ({
    throttleTimeMs,
    errorCode,
  }),
  EndTxn: (_request: ApiRequest<'EndTxn'>, errorCode: number): ApiResponse<'EndTxn'> => ({
    throttleTimeMs,
    errorCode,
    producerId: -1,
    producerEpoch: -1,
  }),
  InitProducerId: (_request: ApiRequest<'InitProducerId'>, errorCode: number): ApiResponse<'InitProducerId'> => ({
    throttleTimeMs,
    errorCode,
    producerId: -1,
    producerEpoch: -1,
    ongoingTxnProducerId: -1,
    ongoingTxnProducerEpoch: -1,
  }),
  AddPartitionsToTxn: (
    item: ApiRequest<'AddPartitionsToTxn'>['transactions'][number],
    errorCode: number,
  ): ApiResponse<'AddPartitionsToTxn'> => ({
    throttleTimeMs,
    errorCode: 0,
    resultsByTransaction: [
      {
        transactionalId: item.transactionalId,
        topicResults: item.topics.map(({ name, partitions }) => ({
          name,
          resultsByPartition: partitions.map(partitionIndex => ({ partitionIndex, partitionErrorCode: errorCode })),
        })),
      },
    ],
    resultsByTopicV3AndBelow: [],
  }),
  DescribeTransactions: (transactionalId: string, errorCode: number): ApiResponse<'DescribeTransactions'> => ({
    throttleTimeMs,
    transactionStates: [
      {
        errorCode,
        transactionalId,
        transactionState: '',
        transactionTimeoutMs: 0,
        transactionStartTimeMs: -1,
        producerId: -1,
        producerEpoch: -1,
        topics: [],
      },
    ],
  }),
}
