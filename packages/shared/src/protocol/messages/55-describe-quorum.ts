// DescribeQuorum (API key 55), versions 0-2. State of the metadata quorum: leader, voters, observers, how far each has
// read (KIP-595).
//
//    1  when each replica last fetched and caught up (KIP-836)
//    2  error messages, nodes and directory ids (KIP-853)

import { array, type Infer, int16, int32, int64, request, response, string, uint16, uuid } from '../schema.ts'

export const describeQuorumRequest = request(
  55,
  'DescribeQuorumRequest',
  { versions: '0-2', flexible: '0+' },
  {
    topics: array('0+', {
      topicName: string('0+', { entityType: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
      }),
    }),
  },
)
export type DescribeQuorumRequest = Infer<typeof describeQuorumRequest>
export type DescribeQuorumRequestTopicData = DescribeQuorumRequest['topics'][number]
export type DescribeQuorumRequestPartitionData = DescribeQuorumRequest['topics'][number]['partitions'][number]

const replicaState = {
  replicaId: int32('0+', { entityType: 'brokerId' }),
  replicaDirectoryId: uuid('2+'),
  logEndOffset: int64('0+'),
  lastFetchTimestamp: int64('1+', { default: -1, ignorable: true }),
  lastCaughtUpTimestamp: int64('1+', { default: -1, ignorable: true }),
}

export const describeQuorumResponse = response(
  55,
  'DescribeQuorumResponse',
  { versions: '0-2', flexible: '0+' },
  {
    errorCode: int16('0+'),
    errorMessage: string('2+', { nullable: '2+', ignorable: true }),
    topics: array('0+', {
      topicName: string('0+', { entityType: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('2+', { nullable: '2+', ignorable: true }),
        leaderId: int32('0+', { entityType: 'brokerId' }),
        leaderEpoch: int32('0+'),
        highWatermark: int64('0+'),
        currentVoters: array('0+', replicaState),
        observers: array('0+', replicaState),
      }),
    }),
    nodes: array('2+', {
      nodeId: int32('2+', { mapKey: true, entityType: 'brokerId' }),
      listeners: array('2+', {
        name: string('2+', { mapKey: true }),
        host: string('2+'),
        port: uint16('2+'),
      }),
    }),
  },
)
export type DescribeQuorumResponse = Infer<typeof describeQuorumResponse>
export type DescribeQuorumResponseTopicData = DescribeQuorumResponse['topics'][number]
export type DescribeQuorumResponsePartitionData = DescribeQuorumResponse['topics'][number]['partitions'][number]
export type ReplicaState = DescribeQuorumResponse['topics'][number]['partitions'][number]['currentVoters'][number]
export type Node = DescribeQuorumResponse['nodes'][number]
export type Listener = DescribeQuorumResponse['nodes'][number]['listeners'][number]
