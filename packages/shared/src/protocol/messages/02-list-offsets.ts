// ListOffsets (API key 2), versions 1-11. Which offset belongs to a timestamp. The timestamps -1 (latest), -2
// (earliest), -3 (of the greatest timestamp), -4 (earliest local), -5 (latest tiered) and -6 (earliest pending upload)
// stand for places in the log. Isolation decides whether "latest" is the high watermark or the LSO.
//
//    1  one offset and its timestamp instead of a list
//    2  isolation level
//    3  the quota is applied after the response is sent
//    4  leader epochs (KIP-320)
//    5  OFFSET_NOT_AVAILABLE
//    6  flexible
//    7  timestamp -3 (KIP-734)
//    8  timestamp -4 (KIP-405)
//    9  timestamp -5 (KIP-1005)
//   10  a deadline for lookups in tiered storage (KIP-1075)
//   11  timestamp -6 (KIP-1023)

import { array, type Infer, int8, int16, int32, int64, request, response, string } from '../schema.ts'

export const listOffsetsRequest = request(
  2,
  'ListOffsetsRequest',
  { versions: '1-11', flexible: '6+' },
  {
    replicaId: int32('0+', { entityType: 'brokerId' }),
    /** 0 read uncommitted, 1 read committed. */
    isolationLevel: int8('2+'),
    topics: array('0+', {
      name: string('0+', { entityType: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        currentLeaderEpoch: int32('4+', { default: -1, ignorable: true }),
        /** Milliseconds, or one of the negative places above. */
        timestamp: int64('0+'),
      }),
    }),
    timeoutMs: int32('10+', { ignorable: true }),
  },
)
export type ListOffsetsRequest = Infer<typeof listOffsetsRequest>
export type ListOffsetsTopic = ListOffsetsRequest['topics'][number]
export type ListOffsetsPartition = ListOffsetsRequest['topics'][number]['partitions'][number]

export const listOffsetsResponse = response(
  2,
  'ListOffsetsResponse',
  { versions: '1-11', flexible: '6+' },
  {
    throttleTimeMs: int32('2+', { ignorable: true }),
    topics: array('0+', {
      name: string('0+', { entityType: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        timestamp: int64('1+', { default: -1 }),
        offset: int64('1+', { default: -1 }),
        leaderEpoch: int32('4+', { default: -1 }),
      }),
    }),
  },
)
export type ListOffsetsResponse = Infer<typeof listOffsetsResponse>
export type ListOffsetsTopicResponse = ListOffsetsResponse['topics'][number]
export type ListOffsetsPartitionResponse = ListOffsetsResponse['topics'][number]['partitions'][number]
