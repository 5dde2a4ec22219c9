// OffsetFetch (API key 9), versions 1-10. How far groups have read. Null topics ask for everything that a group
// committed. Up to version 7 the request has one group at its top level; from 8 on it carries a list and the
// single-group fields are gone.
//
//    2  null topics mean all; top-level error code
//    3  throttle time
//    4  the quota is applied after the response is sent
//    5  leader epoch (KIP-320)
//    6  flexible
//    7  requireStable: UNSTABLE_OFFSET_COMMIT while a transaction may still change the offset (KIP-447)
//    8  several groups at once (KIP-709)
//    9  member id and epoch are checked (KIP-848)
//   10  topic ids instead of names (KIP-848)

import { array, bool, type Infer, int16, int32, int64, request, response, string, uuid } from '../schema.ts'

export const offsetFetchRequest = request(
  9,
  'OffsetFetchRequest',
  { versions: '1-10', flexible: '6+' },
  {
    groupId: string('0-7', { entityType: 'groupId' }),
    topics: array(
      '0-7',
      {
        name: string('0-7', { entityType: 'topicName' }),
        partitionIndexes: array('0-7', 'int32'),
      },
      { nullable: '2-7' },
    ),
    groups: array('8+', {
      groupId: string('8+', { entityType: 'groupId' }),
      memberId: string('9+', { nullable: '9+', default: null, ignorable: true }),
      memberEpoch: int32('9+', { default: -1, ignorable: true }),
      topics: array(
        '8+',
        {
          name: string('8-9', { ignorable: true, entityType: 'topicName' }),
          topicId: uuid('10+', { ignorable: true }),
          partitionIndexes: array('8+', 'int32'),
        },
        { nullable: '8+' },
      ),
    }),
    requireStable: bool('7+'),
  },
)
export type OffsetFetchRequest = Infer<typeof offsetFetchRequest>
export type OffsetFetchRequestTopic = NonNullable<OffsetFetchRequest['topics']>[number]
export type OffsetFetchRequestGroup = OffsetFetchRequest['groups'][number]
export type OffsetFetchRequestTopics = NonNullable<OffsetFetchRequest['groups'][number]['topics']>[number]

export const offsetFetchResponse = response(
  9,
  'OffsetFetchResponse',
  { versions: '1-10', flexible: '6+' },
  {
    throttleTimeMs: int32('3+', { ignorable: true }),
    topics: array('0-7', {
      name: string('0-7', { entityType: 'topicName' }),
      partitions: array('0-7', {
        partitionIndex: int32('0-7'),
        committedOffset: int64('0-7'),
        committedLeaderEpoch: int32('5-7', { default: -1, ignorable: true }),
        metadata: string('0-7', { nullable: '0-7' }),
        errorCode: int16('0-7'),
      }),
    }),
    errorCode: int16('2-7', { ignorable: true }),
    groups: array('8+', {
      groupId: string('8+', { entityType: 'groupId' }),
      topics: array('8+', {
        name: string('8-9', { ignorable: true, entityType: 'topicName' }),
        topicId: uuid('10+', { ignorable: true }),
        partitions: array('8+', {
          partitionIndex: int32('8+'),
          committedOffset: int64('8+'),
          committedLeaderEpoch: int32('8+', { default: -1, ignorable: true }),
          metadata: string('8+', { nullable: '8+' }),
          errorCode: int16('8+'),
        }),
      }),
      errorCode: int16('8+'),
    }),
  },
)
export type OffsetFetchResponse = Infer<typeof offsetFetchResponse>
export type OffsetFetchResponseTopic = OffsetFetchResponse['topics'][number]
export type OffsetFetchResponsePartition = OffsetFetchResponse['topics'][number]['partitions'][number]
export type OffsetFetchResponseGroup = OffsetFetchResponse['groups'][number]
export type OffsetFetchResponseTopics = OffsetFetchResponse['groups'][number]['topics'][number]
export type OffsetFetchResponsePartitions =
  OffsetFetchResponse['groups'][number]['topics'][number]['partitions'][number]
