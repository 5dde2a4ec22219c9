// OffsetForLeaderEpoch (API key 23), versions 2-4. Where a leader epoch ended in the log, so that a reader or follower
// can tell how far its own log agrees (KIP-101, KIP-320).
//
//    2  current leader epoch fences; throttle time
//    3  replica id; -2 is a debugging consumer
//    4  flexible

import { array, type Infer, int16, int32, int64, request, response, string } from '../schema.ts'

export const offsetForLeaderEpochRequest = request(
  23,
  'OffsetForLeaderEpochRequest',
  { versions: '2-4', flexible: '4+' },
  {
    replicaId: int32('3+', { default: -2, ignorable: true, entityType: 'brokerId' }),
    topics: array('0+', {
      topic: string('0+', { mapKey: true, entityType: 'topicName' }),
      partitions: array('0+', {
        partition: int32('0+'),
        currentLeaderEpoch: int32('2+', { default: -1, ignorable: true }),
        leaderEpoch: int32('0+'),
      }),
    }),
  },
)
export type OffsetForLeaderEpochRequest = Infer<typeof offsetForLeaderEpochRequest>
export type OffsetForLeaderTopic = OffsetForLeaderEpochRequest['topics'][number]
export type OffsetForLeaderPartition = OffsetForLeaderEpochRequest['topics'][number]['partitions'][number]

export const offsetForLeaderEpochResponse = response(
  23,
  'OffsetForLeaderEpochResponse',
  { versions: '2-4', flexible: '4+' },
  {
    throttleTimeMs: int32('2+', { ignorable: true }),
    topics: array('0+', {
      topic: string('0+', { mapKey: true, entityType: 'topicName' }),
      partitions: array('0+', {
        errorCode: int16('0+'),
        partition: int32('0+'),
        leaderEpoch: int32('1+', { default: -1, ignorable: true }),
        endOffset: int64('0+', { default: -1 }),
      }),
    }),
  },
)
export type OffsetForLeaderEpochResponse = Infer<typeof offsetForLeaderEpochResponse>
export type OffsetForLeaderTopicResult = OffsetForLeaderEpochResponse['topics'][number]
export type EpochEndOffset = OffsetForLeaderEpochResponse['topics'][number]['partitions'][number]
