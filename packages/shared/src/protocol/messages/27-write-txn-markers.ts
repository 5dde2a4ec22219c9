// WriteTxnMarkers (API key 27), versions 1-2. A transaction coordinator tells leaders how transactions ended; each
// appends a control batch.
//
//    1  flexible
//    2  the transaction version decides how the marker's epoch is checked (KIP-1228)

import { array, bool, type Infer, int8, int16, int32, int64, request, response, string } from '../schema.ts'

export const writeTxnMarkersRequest = request(
  27,
  'WriteTxnMarkersRequest',
  { versions: '1-2', flexible: '1+' },
  {
    markers: array('0+', {
      producerId: int64('0+', { entityType: 'producerId' }),
      producerEpoch: int16('0+'),
      /** True commits, false aborts. */
      transactionResult: bool('0+'),
      topics: array('0+', {
        name: string('0+', { entityType: 'topicName' }),
        partitionIndexes: array('0+', 'int32'),
      }),
      coordinatorEpoch: int32('0+'),
      transactionVersion: int8('2+', { ignorable: true }),
    }),
  },
)
export type WriteTxnMarkersRequest = Infer<typeof writeTxnMarkersRequest>
export type WritableTxnMarker = WriteTxnMarkersRequest['markers'][number]
export type WritableTxnMarkerTopic = WriteTxnMarkersRequest['markers'][number]['topics'][number]

export const writeTxnMarkersResponse = response(
  27,
  'WriteTxnMarkersResponse',
  { versions: '1-2', flexible: '1+' },
  {
    markers: array('0+', {
      producerId: int64('0+', { entityType: 'producerId' }),
      topics: array('0+', {
        name: string('0+', { entityType: 'topicName' }),
        partitions: array('0+', {
          partitionIndex: int32('0+'),
          errorCode: int16('0+'),
        }),
      }),
    }),
  },
)
export type WriteTxnMarkersResponse = Infer<typeof writeTxnMarkersResponse>
export type WritableTxnMarkerResult = WriteTxnMarkersResponse['markers'][number]
export type WritableTxnMarkerTopicResult = WriteTxnMarkersResponse['markers'][number]['topics'][number]
export type WritableTxnMarkerPartitionResult =
  WriteTxnMarkersResponse['markers'][number]['topics'][number]['partitions'][number]
