// OffsetCommit (API key 8), versions 2-10. Records how far a group has read. Members give their generation (classic
// protocol) or member epoch (consumer protocol); a commit without a member comes from a consumer with manual
// assignment.
//
//    2  retention time for this commit
//    3  throttle time
//    4  the quota is applied after the response is sent
//    5  retention is a broker config only
//    6  leader epoch beside the offset (KIP-320)
//    7  static members (KIP-345)
//    8  flexible
//    9  consumer protocol members; STALE_MEMBER_EPOCH, GROUP_ID_NOT_FOUND (KIP-848)
//   10  topic ids instead of names (KIP-848)

import { array, type Infer, int16, int32, int64, request, response, string, uuid } from '../schema.ts'

export const offsetCommitRequest = request(
  8,
  'OffsetCommitRequest',
  { versions: '2-10', flexible: '8+' },
  {
    groupId: string('0+', { entityType: 'groupId' }),
    /** Generation, or member epoch under the consumer protocol; -1 without a member. */
    generationIdOrMemberEpoch: int32('1+', { default: -1, ignorable: true }),
    memberId: string('1+', { ignorable: true }),
    groupInstanceId: string('7+', { nullable: '7+', default: null }),
    /** -1: the broker's config. */
    retentionTimeMs: int64('2-4', { default: -1, ignorable: true }),
    topics: array('0+', {
      name: string('0-9', { ignorable: true, entityType: 'topicName' }),
      topicId: uuid('10+', { ignorable: true }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        committedOffset: int64('0+'),
        committedLeaderEpoch: int32('6+', { default: -1, ignorable: true }),
        committedMetadata: string('0+', { nullable: '0+' }),
      }),
    }),
  },
)
export type OffsetCommitRequest = Infer<typeof offsetCommitRequest>
export type OffsetCommitRequestTopic = OffsetCommitRequest['topics'][number]
export type OffsetCommitRequestPartition = OffsetCommitRequest['topics'][number]['partitions'][number]

export const offsetCommitResponse = response(
  8,
  'OffsetCommitResponse',
  { versions: '2-10', flexible: '8+' },
  {
    throttleTimeMs: int32('3+', { ignorable: true }),
    topics: array('0+', {
      name: string('0-9', { ignorable: true, entityType: 'topicName' }),
      topicId: uuid('10+', { ignorable: true }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
      }),
    }),
  },
)
export type OffsetCommitResponse = Infer<typeof offsetCommitResponse>
export type OffsetCommitResponseTopic = OffsetCommitResponse['topics'][number]
export type OffsetCommitResponsePartition = OffsetCommitResponse['topics'][number]['partitions'][number]
