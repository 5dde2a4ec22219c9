// ListPartitionReassignments (API key 46), version 0. The partition moves that are under way (KIP-455). Null topics
// ask for all.

import { array, type Infer, int16, int32, request, response, string } from '../schema.ts'

export const listPartitionReassignmentsRequest = request(
  46,
  'ListPartitionReassignmentsRequest',
  { versions: '0', flexible: '0+' },
  {
    timeoutMs: int32('0+', { default: 60000 }),
    topics: array(
      '0+',
      {
        name: string('0+', { entityType: 'topicName' }),
        partitionIndexes: array('0+', 'int32'),
      },
      { nullable: '0+', default: null },
    ),
  },
)
export type ListPartitionReassignmentsRequest = Infer<typeof listPartitionReassignmentsRequest>
export type ListPartitionReassignmentsTopics = NonNullable<ListPartitionReassignmentsRequest['topics']>[number]

export const listPartitionReassignmentsResponse = response(
  46,
  'ListPartitionReassignmentsResponse',
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    topics: array('0+', {
      name: string('0+', { entityType: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        replicas: array('0+', 'int32', { entityType: 'brokerId' }),
        addingReplicas: array('0+', 'int32', { entityType: 'brokerId' }),
        removingReplicas: array('0+', 'int32', { entityType: 'brokerId' }),
      }),
    }),
  },
)
export type ListPartitionReassignmentsResponse = Infer<typeof listPartitionReassignmentsResponse>
export type OngoingTopicReassignment = ListPartitionReassignmentsResponse['topics'][number]
export type OngoingPartitionReassignment = ListPartitionReassignmentsResponse['topics'][number]['partitions'][number]
