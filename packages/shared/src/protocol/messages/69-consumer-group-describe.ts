// ConsumerGroupDescribe (API key 69), versions 0-1. Members, epochs and assignments of groups that use the consumer
// protocol (KIP-848).
//
//    1  member type, to tell classic members during an upgrade (KIP-1099)

import { array, bool, type Infer, int8, int16, int32, request, response, string, struct, uuid } from '../schema.ts'

export const consumerGroupDescribeRequest = request(
  69,
  'ConsumerGroupDescribeRequest',
  { versions: '0-1', flexible: '0+' },
  {
    groupIds: array('0+', 'string', { entityType: 'groupId' }),
    includeAuthorizedOperations: bool('0+'),
  },
)
export type ConsumerGroupDescribeRequest = Infer<typeof consumerGroupDescribeRequest>

const topicPartitions = {
  topicId: uuid('0+'),
  topicName: string('0+', { entityType: 'topicName' }),
  partitions: array('0+', 'int32'),
}

const assignment = {
  topicPartitions: array('0+', topicPartitions),
}

export const consumerGroupDescribeResponse = response(
  69,
  'ConsumerGroupDescribeResponse',
  { versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    groups: array('0+', {
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+', default: null }),
      groupId: string('0+', { entityType: 'groupId' }),
      groupState: string('0+'),
      groupEpoch: int32('0+'),
      assignmentEpoch: int32('0+'),
      assignorName: string('0+'),
      members: array('0+', {
        memberId: string('0+'),
        instanceId: string('0+', { nullable: '0+', default: null }),
        rackId: string('0+', { nullable: '0+', default: null }),
        memberEpoch: int32('0+'),
        clientId: string('0+'),
        clientHost: string('0+'),
        subscribedTopicNames: array('0+', 'string', { entityType: 'topicName' }),
        subscribedTopicRegex: string('0+', { nullable: '0+', default: null }),
        assignment: struct('0+', assignment),
        targetAssignment: struct('0+', assignment),
        memberType: int8('1+', { default: -1, ignorable: true }),
      }),
      authorizedOperations: int32('0+', { default: -(2 ** 31) }),
    }),
  },
)
export type ConsumerGroupDescribeResponse = Infer<typeof consumerGroupDescribeResponse>
export type DescribedGroup = ConsumerGroupDescribeResponse['groups'][number]
export type Member = ConsumerGroupDescribeResponse['groups'][number]['members'][number]
export type TopicPartitions =
  ConsumerGroupDescribeResponse['groups'][number]['members'][number]['assignment']['topicPartitions'][number]
export type Assignment = ConsumerGroupDescribeResponse['groups'][number]['members'][number]['assignment']
