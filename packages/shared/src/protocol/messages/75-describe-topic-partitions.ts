// DescribeTopicPartitions (API key 75), version 0. Topics and partitions page by page, with eligible leader replicas
// (KIP-966). The cursor continues after the last page.

import { array, bool, type Infer, int16, int32, request, response, string, struct, uuid } from '../schema.ts'

export const describeTopicPartitionsRequest = request(
  75,
  'DescribeTopicPartitionsRequest',
  { versions: '0', flexible: '0+' },
  {
    topics: array('0+', {
      name: string('0+', { entityType: 'topicName' }),
    }),
    responsePartitionLimit: int32('0+', { default: 2000 }),
    /** Where the last page ended; null for the first. */
    cursor: struct(
      '0+',
      {
        topicName: string('0+', { entityType: 'topicName' }),
        partitionIndex: int32('0+'),
      },
      { nullable: '0+', default: null },
    ),
  },
)
export type DescribeTopicPartitionsRequest = Infer<typeof describeTopicPartitionsRequest>
export type TopicRequest = DescribeTopicPartitionsRequest['topics'][number]
export type DescribeTopicPartitionsRequestCursor = NonNullable<DescribeTopicPartitionsRequest['cursor']>

export const describeTopicPartitionsResponse = response(
  75,
  'DescribeTopicPartitionsResponse',
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+', { ignorable: true }),
    topics: array('0+', {
      errorCode: int16('0+'),
      name: string('0+', { nullable: '0+', mapKey: true, entityType: 'topicName' }),
      topicId: uuid('0+', { ignorable: true }),
      isInternal: bool('0+', { ignorable: true }),
      partitions: array('0+', {
        errorCode: int16('0+'),
        partitionIndex: int32('0+'),
        leaderId: int32('0+', { entityType: 'brokerId' }),
        leaderEpoch: int32('0+', { default: -1, ignorable: true }),
        replicaNodes: array('0+', 'int32', { entityType: 'brokerId' }),
        isrNodes: array('0+', 'int32', { entityType: 'brokerId' }),
        eligibleLeaderReplicas: array('0+', 'int32', { nullable: '0+', default: null, entityType: 'brokerId' }),
        lastKnownElr: array('0+', 'int32', { nullable: '0+', default: null, entityType: 'brokerId' }),
        offlineReplicas: array('0+', 'int32', { ignorable: true, entityType: 'brokerId' }),
      }),
      topicAuthorizedOperations: int32('0+', { default: -(2 ** 31) }),
    }),
    nextCursor: struct(
      '0+',
      {
        topicName: string('0+', { entityType: 'topicName' }),
        partitionIndex: int32('0+'),
      },
      { nullable: '0+', default: null },
    ),
  },
)
export type DescribeTopicPartitionsResponse = Infer<typeof describeTopicPartitionsResponse>
export type DescribeTopicPartitionsResponseTopic = DescribeTopicPartitionsResponse['topics'][number]
export type DescribeTopicPartitionsResponsePartition =
  DescribeTopicPartitionsResponse['topics'][number]['partitions'][number]
export type DescribeTopicPartitionsResponseCursor = NonNullable<DescribeTopicPartitionsResponse['nextCursor']>
