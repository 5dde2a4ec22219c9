// ConsumerGroupHeartbeat (API key 68), versions 0-1. The one request of the consumer protocol (KIP-848): a member
// joins (epoch 0), stays, leaves (-1; static members -2), reports what it owns and learns what it should own. A null
// field means "as before".
//
//    1  regular expressions are resolved by the broker; the member makes its own id (KIP-1082)

import { array, type Infer, int16, int32, request, response, string, struct, uuid } from '../schema.ts'

export const consumerGroupHeartbeatRequest = request(
  68,
  'ConsumerGroupHeartbeatRequest',
  { versions: '0-1', flexible: '0+' },
  {
    groupId: string('0+', { entityType: 'groupId' }),
    memberId: string('0+'),
    /** 0 joins, -1 leaves, -2 leaves for a while as a static member. */
    memberEpoch: int32('0+'),
    instanceId: string('0+', { nullable: '0+', default: null }),
    rackId: string('0+', { nullable: '0+', default: null }),
    rebalanceTimeoutMs: int32('0+', { default: -1 }),
    subscribedTopicNames: array('0+', 'string', { nullable: '0+', default: null, entityType: 'topicName' }),
    subscribedTopicRegex: string('1+', { nullable: '1+', default: null }),
    serverAssignor: string('0+', { nullable: '0+', default: null }),
    /** What the member owns; null: as last reported. */
    topicPartitions: array(
      '0+',
      {
        topicId: uuid('0+'),
        partitions: array('0+', 'int32'),
      },
      { nullable: '0+', default: null },
    ),
  },
)
export type ConsumerGroupHeartbeatRequest = Infer<typeof consumerGroupHeartbeatRequest>
export type ConsumerGroupHeartbeatRequestTopicPartitions = NonNullable<
  ConsumerGroupHeartbeatRequest['topicPartitions']
>[number]

const topicPartitions = {
  topicId: uuid('0+'),
  partitions: array('0+', 'int32'),
}

export const consumerGroupHeartbeatResponse = response(
  68,
  'ConsumerGroupHeartbeatResponse',
  { versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    memberId: string('0+', { nullable: '0+', default: null }),
    memberEpoch: int32('0+'),
    heartbeatIntervalMs: int32('0+'),
    /** What the member should own; null: as before. */
    assignment: struct(
      '0+',
      {
        topicPartitions: array('0+', topicPartitions),
      },
      { nullable: '0+', default: null },
    ),
  },
)
export type ConsumerGroupHeartbeatResponse = Infer<typeof consumerGroupHeartbeatResponse>
export type Assignment = NonNullable<ConsumerGroupHeartbeatResponse['assignment']>
export type ConsumerGroupHeartbeatResponseTopicPartitions = NonNullable<
  ConsumerGroupHeartbeatResponse['assignment']
>['topicPartitions'][number]
