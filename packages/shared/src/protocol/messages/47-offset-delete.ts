// OffsetDelete (API key 47), version 0. Deletes committed offsets of a group for topics to which it is not subscribed
// (KIP-496).

import { array, type Infer, int16, int32, request, response, string } from '../schema.ts'

export const offsetDeleteRequest = request(
  47,
  'OffsetDeleteRequest',
  { versions: '0', flexible: 'none' },
  {
    groupId: string('0+', { entityType: 'groupId' }),
    topics: array('0+', {
      name: string('0+', { mapKey: true, entityType: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
      }),
    }),
  },
)
export type OffsetDeleteRequest = Infer<typeof offsetDeleteRequest>
export type OffsetDeleteRequestTopic = OffsetDeleteRequest['topics'][number]
export type OffsetDeleteRequestPartition = OffsetDeleteRequest['topics'][number]['partitions'][number]

export const offsetDeleteResponse = response(
  47,
  'OffsetDeleteResponse',
  { versions: '0', flexible: 'none' },
  {
    errorCode: int16('0+'),
    throttleTimeMs: int32('0+', { ignorable: true }),
    topics: array('0+', {
      name: string('0+', { mapKey: true, entityType: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+', { mapKey: true }),
        errorCode: int16('0+'),
      }),
    }),
  },
)
export type OffsetDeleteResponse = Infer<typeof offsetDeleteResponse>
export type OffsetDeleteResponseTopic = OffsetDeleteResponse['topics'][number]
export type OffsetDeleteResponsePartition = OffsetDeleteResponse['topics'][number]['partitions'][number]
