// InitProducerId (API key 22), versions 0-6. Gives a producer its id and epoch. With a transactional id it also fences
// the previous owner and ends what that left open.
//
//    1  the quota is applied after the response is sent
//    2  flexible
//    3  the present id and epoch, to resume after INVALID_PRODUCER_EPOCH (KIP-360)
//    4  PRODUCER_FENCED (KIP-588)
//    5  TRANSACTION_ABORTABLE is understood (KIP-890)
//    6  two-phase commit and keeping a prepared transaction (KIP-939); not advertised by default

import { bool, type Infer, int16, int32, int64, request, response, string } from '../schema.ts'

export const initProducerIdRequest = request(
  22,
  'InitProducerIdRequest',
  { versions: '0-6', flexible: '2+' },
  {
    transactionalId: string('0+', { nullable: '0+', entityType: 'transactionalId' }),
    transactionTimeoutMs: int32('0+'),
    /** The present id when resuming, else -1. */
    producerId: int64('3+', { default: -1, entityType: 'producerId' }),
    producerEpoch: int16('3+', { default: -1 }),
    enable2Pc: bool('6+'),
    keepPreparedTxn: bool('6+'),
  },
)
export type InitProducerIdRequest = Infer<typeof initProducerIdRequest>

export const initProducerIdResponse = response(
  22,
  'InitProducerIdResponse',
  { versions: '0-6', flexible: '2+' },
  {
    throttleTimeMs: int32('0+', { ignorable: true }),
    errorCode: int16('0+'),
    producerId: int64('0+', { default: -1, entityType: 'producerId' }),
    producerEpoch: int16('0+'),
    ongoingTxnProducerId: int64('6+', { default: -1, entityType: 'producerId' }),
    ongoingTxnProducerEpoch: int16('6+', { default: -1 }),
  },
)
export type InitProducerIdResponse = Infer<typeof initProducerIdResponse>
