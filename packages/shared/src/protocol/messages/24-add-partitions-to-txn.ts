// AddPartitionsToTxn (API key 24), versions 0-5. Adds partitions to the open transaction of a producer. Versions up to
// 3 come from clients and carry one transaction; 4 and up come from brokers and carry several, and may only verify.
//
//    1  the quota is applied after the response is sent
//    2  PRODUCER_FENCED (KIP-588)
//    3  flexible
//    4  several transactions, verify only (KIP-890)
//    5  TRANSACTION_ABORTABLE (KIP-890)

import { array, bool, type Infer, int16, int32, int64, request, response, string } from '../schema.ts'

const addPartitionsToTxnTopic = {
  name: string('0+', { mapKey: true, entityType: 'topicName' }),
  partitions: array('0+', 'int32'),
}

export const addPartitionsToTxnRequest = request(
  24,
  'AddPartitionsToTxnRequest',
  { versions: '0-5', flexible: '3+' },
  {
    transactions: array('4+', {
      transactionalId: string('4+', { mapKey: true, entityType: 'transactionalId' }),
      producerId: int64('4+', { entityType: 'producerId' }),
      producerEpoch: int16('4+'),
      verifyOnly: bool('4+'),
      topics: array('4+', addPartitionsToTxnTopic),
    }),
    v3AndBelowTransactionalId: string('0-3', { entityType: 'transactionalId' }),
    v3AndBelowProducerId: int64('0-3', { entityType: 'producerId' }),
    v3AndBelowProducerEpoch: int16('0-3'),
    v3AndBelowTopics: array('0-3', addPartitionsToTxnTopic),
  },
)
export type AddPartitionsToTxnRequest = Infer<typeof addPartitionsToTxnRequest>
export type AddPartitionsToTxnTransaction = AddPartitionsToTxnRequest['transactions'][number]
export type AddPartitionsToTxnTopic = AddPartitionsToTxnRequest['transactions'][number]['topics'][number]

const addPartitionsToTxnPartitionResult = {
  partitionIndex: int32('0+', { mapKey: true }),
  partitionErrorCode: int16('0+'),
}

const addPartitionsToTxnTopicResult = {
  name: string('0+', { mapKey: true, entityType: 'topicName' }),
  resultsByPartition: array('0+', addPartitionsToTxnPartitionResult),
}

export const addPartitionsToTxnResponse = response(
  24,
  'AddPartitionsToTxnResponse',
  { versions: '0-5', flexible: '3+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('4+', { ignorable: true }),
    resultsByTransaction: array('4+', {
      transactionalId: string('4+', { mapKey: true, entityType: 'transactionalId' }),
      topicResults: array('4+', addPartitionsToTxnTopicResult),
    }),
    resultsByTopicV3AndBelow: array('0-3', addPartitionsToTxnTopicResult),
  },
)
export type AddPartitionsToTxnResponse = Infer<typeof addPartitionsToTxnResponse>
export type AddPartitionsToTxnResult = AddPartitionsToTxnResponse['resultsByTransaction'][number]
export type AddPartitionsToTxnPartitionResult =
  AddPartitionsToTxnResponse['resultsByTransaction'][number]['topicResults'][number]['resultsByPartition'][number]
export type AddPartitionsToTxnTopicResult =
  AddPartitionsToTxnResponse['resultsByTransaction'][number]['topicResults'][number]
