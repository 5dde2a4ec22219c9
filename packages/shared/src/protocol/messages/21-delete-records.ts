// DeleteRecords (API key 21), versions 0-2. Moves the start of partitions forward: everything below the offset is
// gone. The offset -1 stands for the high watermark.
//
//    1  the quota is applied after the response is sent
//    2  flexible

import { array, type Infer, int16, int32, int64, request, response, string } from '../schema.ts'

export const deleteRecordsRequest = request(
  21,
  'DeleteRecordsRequest',
  { versions: '0-2', flexible: '2+' },
  {
    topics: array('0+', {
      name: string('0+', { entityType: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        offset: int64('0+'),
      }),
    }),
    timeoutMs: int32('0+'),
  },
)
export type DeleteRecordsRequest = Infer<typeof deleteRecordsRequest>
export type DeleteRecordsTopic = DeleteRecordsRequest['topics'][number]
export type DeleteRecordsPartition = DeleteRecordsRequest['topics'][number]['partitions'][number]

export const deleteRecordsResponse = response(
  21,
  'DeleteRecordsResponse',
  { versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    topics: array('0+', {
      name: string('0+', { mapKey: true, entityType: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+', { mapKey: true }),
        lowWatermark: int64('0+'),
        errorCode: int16('0+'),
      }),
    }),
  },
)
export type DeleteRecordsResponse = Infer<typeof deleteRecordsResponse>
export type DeleteRecordsTopicResult = DeleteRecordsResponse['topics'][number]
export type DeleteRecordsPartitionResult = DeleteRecordsResponse['topics'][number]['partitions'][number]
