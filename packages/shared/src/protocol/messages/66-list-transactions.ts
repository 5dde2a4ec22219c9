// ListTransactions (API key 66), versions 0-2. The transactions that a coordinator knows, filtered (KIP-664).
//
//    1  filter by duration (KIP-994)
//    2  filter by a pattern of the transactional id (KIP-1152)

import { array, type Infer, int16, int32, int64, request, response, string } from '../schema.ts'

export const listTransactionsRequest = request(
  66,
  'ListTransactionsRequest',
  { versions: '0-2', flexible: '0+' },
  {
    stateFilters: array('0+', 'string'),
    producerIdFilters: array('0+', 'int64', { entityType: 'producerId' }),
    /** Only transactions running longer than this, in ms; -1: any. */
    durationFilter: int64('1+', { default: -1 }),
    transactionalIdPattern: string('2+', { nullable: '2+', default: null }),
  },
)
export type ListTransactionsRequest = Infer<typeof listTransactionsRequest>

export const listTransactionsResponse = response(
  66,
  'ListTransactionsResponse',
  { versions: '0-2', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    unknownStateFilters: array('0+', 'string'),
    transactionStates: array('0+', {
      transactionalId: string('0+', { entityType: 'transactionalId' }),
      producerId: int64('0+', { entityType: 'producerId' }),
      transactionState: string('0+'),
    }),
  },
)
export type ListTransactionsResponse = Infer<typeof listTransactionsResponse>
export type TransactionState = ListTransactionsResponse['transactionStates'][number]
