// EndTxn (API key 26), versions 0-5. Commits or aborts the open transaction of a producer.
//
//    1  the quota is applied after the response is sent
//    2  PRODUCER_FENCED (KIP-588)
//    3  flexible
//    4  TRANSACTION_ABORTABLE (KIP-890)
//    5  every end bumps the epoch; the new id and epoch come back (KIP-890, transaction.version 2)

import { bool, type Infer, int16, int32, int64, request, response, string } from '../schema.ts'

export const endTxnRequest = request(
  26,
  'EndTxnRequest',
  { versions: '0-5', flexible: '3+' },
  {
    transactionalId: string('0+', { entityType: 'transactionalId' }),
    producerId: int64('0+', { entityType: 'producerId' }),
    producerEpoch: int16('0+'),
    /** True commits, false aborts. */
    committed: bool('0+'),
  },
)
export type EndTxnRequest = Infer<typeof endTxnRequest>

export const endTxnResponse = response(
  26,
  'EndTxnResponse',
  { versions: '0-5', flexible: '3+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    producerId: int64('5+', { default: -1, ignorable: true, entityType: 'producerId' }),
    producerEpoch: int16('5+', { default: -1, ignorable: true }),
  },
)
export type EndTxnResponse = Infer<typeof endTxnResponse>
