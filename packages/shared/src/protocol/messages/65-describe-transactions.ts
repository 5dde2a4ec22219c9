// DescribeTransactions (API key 65), version 0. State of transactions, from their coordinator (KIP-664).

import { array, type Infer, int16, int32, int64, request, response, string } from '../schema.ts'

export const describeTransactionsRequest = request(
  65,
  'DescribeTransactionsRequest',
  { versions: '0', flexible: '0+' },
  {
    transactionalIds: array('0+', 'string', { entityType: 'transactionalId' }),
  },
)
export type DescribeTransactionsRequest = Infer<typeof describeTransactionsRequest>

export const describeTransactionsResponse = response(
  65,
  'DescribeTransactionsResponse',
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    transactionStates: array('0+', {
      errorCode: int16('0+'),
      transactionalId: string('0+', { entityType: 'transactionalId' }),
      transactionState: string('0+'),
      transactionTimeoutMs: int32('0+'),
      transactionStartTimeMs: int64('0+'),
      producerId: int64('0+', { entityType: 'producerId' }),
      producerEpoch: int16('0+'),
      topics: array('0+', {
        topic: string('0+', { mapKey: true, entityType: 'topicName' }),
        partitions: array('0+', 'int32'),
      }),
    }),
  },
)
export type DescribeTransactionsResponse = Infer<typeof describeTransactionsResponse>
export type TransactionState = DescribeTransactionsResponse['transactionStates'][number]
export type TopicData = DescribeTransactionsResponse['transactionStates'][number]['topics'][number]
