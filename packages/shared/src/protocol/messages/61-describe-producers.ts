// DescribeProducers (API key 61), version 0. The producers that a partition leader remembers, with the start of what
// each has open (KIP-664).

import { array, type Infer, int16, int32, int64, request, response, string } from '../schema.ts'

export const describeProducersRequest = request(
  61,
  'DescribeProducersRequest',
  { versions: '0', flexible: '0+' },
  {
    topics: array('0+', {
      name: string('0+', { mapKey: true, entityType: 'topicName' }),
      partitionIndexes: array('0+', 'int32'),
    }),
  },
)
export type DescribeProducersRequest = Infer<typeof describeProducersRequest>
export type TopicRequest = DescribeProducersRequest['topics'][number]

export const describeProducersResponse = response(
  61,
  'DescribeProducersResponse',
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    topics: array('0+', {
      name: string('0+', { entityType: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+', default: null }),
        activeProducers: array('0+', {
          producerId: int64('0+', { entityType: 'producerId' }),
          producerEpoch: int32('0+'),
          lastSequence: int32('0+', { default: -1 }),
          lastTimestamp: int64('0+', { default: -1 }),
          coordinatorEpoch: int32('0+'),
          /** First offset of the open transaction; -1 without one. */
          currentTxnStartOffset: int64('0+', { default: -1 }),
        }),
      }),
    }),
  },
)
export type DescribeProducersResponse = Infer<typeof describeProducersResponse>
export type TopicResponse = DescribeProducersResponse['topics'][number]
export type PartitionResponse = DescribeProducersResponse['topics'][number]['partitions'][number]
export type ProducerState = DescribeProducersResponse['topics'][number]['partitions'][number]['activeProducers'][number]
