// Metadata (API key 3), versions 0-13. Brokers, controller, topics and the leaders of their partitions: the map every
// client begins with. Null topics ask for all of them; an empty list asks for none, except in version 0, where it
// means all.
//
//    1  racks, controller, internal topics; null topics mean all
//    2  cluster id
//    4  whether asking may create a topic
//    5  offline replicas
//    6  the quota is applied after the response is sent
//    7  leader epochs (KIP-320)
//    8  authorized operations on request (KIP-430)
//    9  flexible
//   10  topic ids in the response; asking by id is not served before 12
//   11  cluster operations move to DescribeCluster (KIP-700)
//   12  topics may be asked for by id (KIP-516)
//   13  top-level error code

import { array, bool, type Infer, int16, int32, request, response, string, uuid } from '../schema.ts'

export const metadataRequest = request(
  3,
  'MetadataRequest',
  { versions: '0-13', flexible: '9+' },
  {
    /** Null: all topics. */
    topics: array(
      '0+',
      {
        topicId: uuid('10+', { ignorable: true }),
        name: string('0+', { nullable: '10+', entityType: 'topicName' }),
      },
      { nullable: '1+' },
    ),
    allowAutoTopicCreation: bool('4+', { default: true }),
    includeClusterAuthorizedOperations: bool('8-10'),
    includeTopicAuthorizedOperations: bool('8+'),
  },
)
export type MetadataRequest = Infer<typeof metadataRequest>
export type MetadataRequestTopic = NonNullable<MetadataRequest['topics']>[number]

export const metadataResponse = response(
  3,
  'MetadataResponse',
  { versions: '0-13', flexible: '9+' },
  {
    throttleTimeMs: int32('3+', { ignorable: true }),
    brokers: array('0+', {
      nodeId: int32('0+', { mapKey: true, entityType: 'brokerId' }),
      host: string('0+'),
      port: int32('0+'),
      rack: string('1+', { nullable: '1+', default: null, ignorable: true }),
    }),
    clusterId: string('2+', { nullable: '2+', default: null, ignorable: true }),
    controllerId: int32('1+', { default: -1, ignorable: true, entityType: 'brokerId' }),
    topics: array('0+', {
      errorCode: int16('0+'),
      name: string('0+', { nullable: '12+', mapKey: true, entityType: 'topicName' }),
      topicId: uuid('10+', { ignorable: true }),
      isInternal: bool('1+', { ignorable: true }),
      partitions: array('0+', {
        errorCode: int16('0+'),
        partitionIndex: int32('0+'),
        leaderId: int32('0+', { entityType: 'brokerId' }),
        leaderEpoch: int32('7+', { default: -1, ignorable: true }),
        replicaNodes: array('0+', 'int32', { entityType: 'brokerId' }),
        isrNodes: array('0+', 'int32', { entityType: 'brokerId' }),
        offlineReplicas: array('5+', 'int32', { ignorable: true, entityType: 'brokerId' }),
      }),
      topicAuthorizedOperations: int32('8+', { default: -(2 ** 31) }),
    }),
    clusterAuthorizedOperations: int32('8-10', { default: -(2 ** 31) }),
    errorCode: int16('13+', { ignorable: true }),
  },
)
export type MetadataResponse = Infer<typeof metadataResponse>
export type MetadataResponseBroker = MetadataResponse['brokers'][number]
export type MetadataResponseTopic = MetadataResponse['topics'][number]
export type MetadataResponsePartition = MetadataResponse['topics'][number]['partitions'][number]
