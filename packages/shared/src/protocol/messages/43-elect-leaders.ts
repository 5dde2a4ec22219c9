// ElectLeaders (API key 43), versions 0-2. Elects leaders: the preferred replica (type 0) or any replica although data
// may be lost (type 1). Null partitions ask for all (KIP-183, KIP-460).
//
//    1  election type; top-level error code
//    2  flexible

import { array, type Infer, int8, int16, int32, request, response, string } from '../schema.ts'

export const electLeadersRequest = request(
  43,
  'ElectLeadersRequest',
  { versions: '0-2', flexible: '2+' },
  {
    electionType: int8('1+'),
    topicPartitions: array(
      '0+',
      {
        topic: string('0+', { mapKey: true, entityType: 'topicName' }),
        partitions: array('0+', 'int32'),
      },
      { nullable: '0+' },
    ),
    timeoutMs: int32('0+', { default: 60000 }),
  },
)
export type ElectLeadersRequest = Infer<typeof electLeadersRequest>
export type TopicPartitions = NonNullable<ElectLeadersRequest['topicPartitions']>[number]

export const electLeadersResponse = response(
  43,
  'ElectLeadersResponse',
  { versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('1+'),
    replicaElectionResults: array('0+', {
      topic: string('0+', { entityType: 'topicName' }),
      partitionResult: array('0+', {
        partitionId: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
      }),
    }),
  },
)
export type ElectLeadersResponse = Infer<typeof electLeadersResponse>
export type ReplicaElectionResult = ElectLeadersResponse['replicaElectionResults'][number]
export type PartitionResult = ElectLeadersResponse['replicaElectionResults'][number]['partitionResult'][number]
