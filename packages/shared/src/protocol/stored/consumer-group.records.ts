// Records of `__consumer_offsets` for groups of the consumer protocol (KIP-848). Framed like those of classic groups.
//
//   type 3    the group: its epoch                     type 6   the target assignment: its epoch
//   type 4    partition metadata (no longer written)   type 7   the target assignment of a member
//   type 5    a member: what it subscribes to          type 8   the current assignment of a member
//   type 16   a regular expression, resolved to topics

import { array, bytes, data, type Infer, int8, int32, int64, string, struct, uuid } from '../schema.ts'

const FLEXIBLE_VALUE = { type: 'coordinator-value', versions: '0', flexible: '0+' } as const
const KEY = { type: 'coordinator-key', versions: '0', flexible: 'none' } as const

export const consumerGroupMetadataKey = data(
  'ConsumerGroupMetadataKey',
  { ...KEY, apiKey: 3 },
  { groupId: string('0') },
)
export type ConsumerGroupMetadataKey = Infer<typeof consumerGroupMetadataKey>

export const consumerGroupMetadataValue = data(
  'ConsumerGroupMetadataValue',
  { ...FLEXIBLE_VALUE, apiKey: 3 },
  {
    epoch: int32('0+'),
    /** Hash over the subscribed topics, their partitions and racks: a change means a new epoch (KIP-1101). */
    metadataHash: int64('0+', { tag: 0 }),
  },
)
export type ConsumerGroupMetadataValue = Infer<typeof consumerGroupMetadataValue>

/** Written by brokers before 4.1 only; newer ones write tombstones for it. */
export const consumerGroupPartitionMetadataKey = data(
  'ConsumerGroupPartitionMetadataKey',
  { ...KEY, apiKey: 4 },
  { groupId: string('0') },
)
export type ConsumerGroupPartitionMetadataKey = Infer<typeof consumerGroupPartitionMetadataKey>

export const consumerGroupMemberMetadataKey = data(
  'ConsumerGroupMemberMetadataKey',
  { ...KEY, apiKey: 5 },
  { groupId: string('0'), memberId: string('0') },
)
export type ConsumerGroupMemberMetadataKey = Infer<typeof consumerGroupMemberMetadataKey>

export const consumerGroupMemberMetadataValue = data(
  'ConsumerGroupMemberMetadataValue',
  { ...FLEXIBLE_VALUE, apiKey: 5 },
  {
    instanceId: string('0+', { nullable: '0+' }),
    rackId: string('0+', { nullable: '0+' }),
    clientId: string('0+'),
    clientHost: string('0+'),
    subscribedTopicNames: array('0+', 'string'),
    subscribedTopicRegex: string('0+', { nullable: '0+' }),
    rebalanceTimeoutMs: int32('0+', { default: -1 }),
    serverAssignor: string('0+', { nullable: '0+' }),
    /**
     * Null unless the member still speaks the classic protocol (upgrade and downgrade). Null must be given: as in Kafka, whose
     * JSON has `null` and not `"null"` here, a field left out is an empty struct.
     */
    classicMemberMetadata: struct(
      '0+',
      {
        sessionTimeoutMs: int32('0+'),
        supportedProtocols: array('0+', { name: string('0+'), metadata: bytes('0+') }),
      },
      { nullable: '0+', tag: 0 },
    ),
  },
)
export type ConsumerGroupMemberMetadataValue = Infer<typeof consumerGroupMemberMetadataValue>

export const consumerGroupTargetAssignmentMetadataKey = data(
  'ConsumerGroupTargetAssignmentMetadataKey',
  { ...KEY, apiKey: 6 },
  { groupId: string('0') },
)
export type ConsumerGroupTargetAssignmentMetadataKey = Infer<typeof consumerGroupTargetAssignmentMetadataKey>

export const consumerGroupTargetAssignmentMetadataValue = data(
  'ConsumerGroupTargetAssignmentMetadataValue',
  { ...FLEXIBLE_VALUE, apiKey: 6 },
  {
    assignmentEpoch: int32('0+'),
    /** When the assignment was computed, in ms (KIP-1263). */
    assignmentTimestamp: int64('0+', { tag: 0, ignorable: true }),
  },
)
export type ConsumerGroupTargetAssignmentMetadataValue = Infer<typeof consumerGroupTargetAssignmentMetadataValue>

export const consumerGroupTargetAssignmentMemberKey = data(
  'ConsumerGroupTargetAssignmentMemberKey',
  { ...KEY, apiKey: 7 },
  { groupId: string('0'), memberId: string('0') },
)
export type ConsumerGroupTargetAssignmentMemberKey = Infer<typeof consumerGroupTargetAssignmentMemberKey>

export const consumerGroupTargetAssignmentMemberValue = data(
  'ConsumerGroupTargetAssignmentMemberValue',
  { ...FLEXIBLE_VALUE, apiKey: 7 },
  { topicPartitions: array('0+', { topicId: uuid('0+'), partitions: array('0+', 'int32') }) },
)
export type ConsumerGroupTargetAssignmentMemberValue = Infer<typeof consumerGroupTargetAssignmentMemberValue>

export const consumerGroupCurrentMemberAssignmentKey = data(
  'ConsumerGroupCurrentMemberAssignmentKey',
  { ...KEY, apiKey: 8 },
  { groupId: string('0'), memberId: string('0') },
)
export type ConsumerGroupCurrentMemberAssignmentKey = Infer<typeof consumerGroupCurrentMemberAssignmentKey>

const ownedPartitions = {
  topicId: uuid('0+'),
  partitions: array('0+', 'int32'),
  /** Epoch in which each partition was assigned, in the order of `partitions`; checks offset commits (KIP-1251). */
  assignmentEpochs: array('0+', 'int32', { nullable: '0+', tag: 0 }),
}

export const consumerGroupCurrentMemberAssignmentValue = data(
  'ConsumerGroupCurrentMemberAssignmentValue',
  { ...FLEXIBLE_VALUE, apiKey: 8 },
  {
    memberEpoch: int32('0+'),
    /** Accepted as well, when the reply with the newer epoch was lost. */
    previousMemberEpoch: int32('0+'),
    /** Java: `MemberState`: 0 stable, 1 unrevoked partitions, 2 unreleased partitions, 127 unknown. */
    state: int8('0+'),
    assignedPartitions: array('0+', ownedPartitions),
    partitionsPendingRevocation: array('0+', ownedPartitions),
  },
)
export type ConsumerGroupCurrentMemberAssignmentValue = Infer<typeof consumerGroupCurrentMemberAssignmentValue>

export const consumerGroupRegularExpressionKey = data(
  'ConsumerGroupRegularExpressionKey',
  { ...KEY, apiKey: 16 },
  { groupId: string('0'), regularExpression: string('0') },
)
export type ConsumerGroupRegularExpressionKey = Infer<typeof consumerGroupRegularExpressionKey>

export const consumerGroupRegularExpressionValue = data(
  'ConsumerGroupRegularExpressionValue',
  { ...FLEXIBLE_VALUE, apiKey: 16 },
  {
    topics: array('0+', 'string'),
    /** Version of the metadata image that the expression was resolved with. */
    version: int64('0+'),
    /** When it was resolved, in ms. */
    timestamp: int64('0+'),
  },
)
export type ConsumerGroupRegularExpressionValue = Infer<typeof consumerGroupRegularExpressionValue>
