// AlterPartitionReassignments (API key 45), versions 0-1. Moves partitions to other brokers; null replicas cancel a
// move (KIP-455).
//
//    1  whether the replication factor may change (KIP-860)

import { array, bool, type Infer, int16, int32, request, response, string } from '../schema.ts'

export const alterPartitionReassignmentsRequest = request(
  45,
  'AlterPartitionReassignmentsRequest',
  { versions: '0-1', flexible: '0+' },
  {
    timeoutMs: int32('0+', { default: 60000 }),
    allowReplicationFactorChange: bool('1+', { default: true }),
    topics: array('0+', {
      name: string('0+', { entityType: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        replicas: array('0+', 'int32', { nullable: '0+', default: null, entityType: 'brokerId' }),
      }),
    }),
  },
)
export type AlterPartitionReassignmentsRequest = Infer<typeof alterPartitionReassignmentsRequest>
export type ReassignableTopic = AlterPartitionReassignmentsRequest['topics'][number]
export type ReassignablePartition = AlterPartitionReassignmentsRequest['topics'][number]['partitions'][number]

export const alterPartitionReassignmentsResponse = response(
  45,
  'AlterPartitionReassignmentsResponse',
  { versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    allowReplicationFactorChange: bool('1+', { default: true, ignorable: true }),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    responses: array('0+', {
      name: string('0+', { entityType: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
      }),
    }),
  },
)
export type AlterPartitionReassignmentsResponse = Infer<typeof alterPartitionReassignmentsResponse>
export type ReassignableTopicResponse = AlterPartitionReassignmentsResponse['responses'][number]
export type ReassignablePartitionResponse =
  AlterPartitionReassignmentsResponse['responses'][number]['partitions'][number]
