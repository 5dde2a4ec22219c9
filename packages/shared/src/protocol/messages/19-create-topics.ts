// CreateTopics (API key 19), versions 2-7. Creates topics, with a number of partitions and replicas (-1: the broker's
// defaults) or with an assignment by hand.
//
//    3  the quota is applied after the response is sent
//    4  partitions and replication factor may be left to the broker (KIP-464)
//    5  flexible; the configs of the new topic come back (KIP-525)
//    6  THROTTLING_QUOTA_EXCEEDED (KIP-599)
//    7  topic id of the new topic (KIP-516)

import { array, bool, type Infer, int8, int16, int32, request, response, string, uuid } from '../schema.ts'

export const createTopicsRequest = request(
  19,
  'CreateTopicsRequest',
  { versions: '2-7', flexible: '5+' },
  {
    topics: array('0+', {
      name: string('0+', { mapKey: true, entityType: 'topicName' }),
      /** -1: the broker's default, or given by the assignments. */
      numPartitions: int32('0+'),
      /** -1: the broker's default, or given by the assignments. */
      replicationFactor: int16('0+'),
      assignments: array('0+', {
        partitionIndex: int32('0+', { mapKey: true }),
        brokerIds: array('0+', 'int32', { entityType: 'brokerId' }),
      }),
      configs: array('0+', {
        name: string('0+', { mapKey: true }),
        value: string('0+', { nullable: '0+' }),
      }),
    }),
    timeoutMs: int32('0+', { default: 60000 }),
    validateOnly: bool('1+'),
  },
)
export type CreateTopicsRequest = Infer<typeof createTopicsRequest>
export type CreatableTopic = CreateTopicsRequest['topics'][number]
export type CreatableReplicaAssignment = CreateTopicsRequest['topics'][number]['assignments'][number]
export type CreatableTopicConfig = CreateTopicsRequest['topics'][number]['configs'][number]

export const createTopicsResponse = response(
  19,
  'CreateTopicsResponse',
  { versions: '2-7', flexible: '5+' },
  {
    throttleTimeMs: int32('2+', { ignorable: true }),
    topics: array('0+', {
      name: string('0+', { mapKey: true, entityType: 'topicName' }),
      topicId: uuid('7+', { ignorable: true }),
      errorCode: int16('0+'),
      errorMessage: string('1+', { nullable: '0+', ignorable: true }),
      topicConfigErrorCode: int16('5+', { tag: 0, ignorable: true }),
      numPartitions: int32('5+', { default: -1, ignorable: true }),
      replicationFactor: int16('5+', { default: -1, ignorable: true }),
      configs: array(
        '5+',
        {
          name: string('5+'),
          value: string('5+', { nullable: '5+' }),
          readOnly: bool('5+'),
          configSource: int8('5+', { default: -1, ignorable: true }),
          isSensitive: bool('5+'),
        },
        { nullable: '5+', ignorable: true },
      ),
    }),
  },
)
export type CreateTopicsResponse = Infer<typeof createTopicsResponse>
export type CreatableTopicResult = CreateTopicsResponse['topics'][number]
export type CreatableTopicConfigs = NonNullable<CreateTopicsResponse['topics'][number]['configs']>[number]
