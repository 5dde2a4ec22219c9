// Requests to groups as they are when a test says nothing else.
import type { ApiRequest } from '@odradek/shared/contracts/api-map'

const text = (value: string) => new Uint8Array(Buffer.from(value))

/** By the word that they are. */
export const groupRequests = {
  joinGroup: {
    groupId: 'g',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    memberId: '',
    groupInstanceId: null,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: text('any') }],
    reason: null,
  } satisfies ApiRequest<'JoinGroup'>,
  syncGroup: {
    groupId: 'g',
    generationId: 1,
    memberId: '',
    groupInstanceId: null,
    protocolType: null,
    protocolName: null,
    assignments: [],
  } satisfies ApiRequest<'SyncGroup'>,
  heartbeat: { groupId: 'g', generationId: 1, memberId: '', groupInstanceId: null } satisfies ApiRequest<'Heartbeat'>,
  leaveGroup: { groupId: 'g', memberId: '', members: [] } satisfies ApiRequest<'LeaveGroup'>,
  offsetCommit: {
    groupId: 'g',
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    retentionTimeMs: -1,
    topics: [],
  } satisfies ApiRequest<'OffsetCommit'>,
  txnOffsetCommit: {
    groupId: 'g',
    transactionalId: 'tx',
    producerId: 7,
    producerEpoch: 0,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    topics: [],
  } satisfies ApiRequest<'TxnOffsetCommit'>,
  offsetFetch: { groupId: '', topics: null, groups: [], requireStable: false } satisfies ApiRequest<'OffsetFetch'>,
  offsetDelete: { groupId: 'g', topics: [] } satisfies ApiRequest<'OffsetDelete'>,
  deleteGroups: { groupsNames: ['g'] } satisfies ApiRequest<'DeleteGroups'>,
  describeGroups: { groups: ['g'], includeAuthorizedOperations: false } satisfies ApiRequest<'DescribeGroups'>,
  listGroups: { statesFilter: [], typesFilter: [] } satisfies ApiRequest<'ListGroups'>,
  consumerGroupHeartbeat: {
    groupId: 'g',
    memberId: '',
    memberEpoch: 0,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: -1,
    subscribedTopicNames: null,
    subscribedTopicRegex: null,
    serverAssignor: null,
    topicPartitions: null,
  } satisfies ApiRequest<'ConsumerGroupHeartbeat'>,
  consumerGroupDescribe: {
    groupIds: ['g'],
    includeAuthorizedOperations: false,
  } satisfies ApiRequest<'ConsumerGroupDescribe'>,
}
