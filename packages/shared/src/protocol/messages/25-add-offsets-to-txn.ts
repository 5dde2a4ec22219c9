// AddOffsetsToTxn (API key 25), versions 0-4. Adds the offsets partition of a group to the open transaction of a
// producer. Not sent under transaction.version 2, where TxnOffsetCommit does it.
//
//    1  the quota is applied after the response is sent
//    2  PRODUCER_FENCED (KIP-588)
//    3  flexible
//    4  TRANSACTION_ABORTABLE (KIP-890)

import { type Infer, int16, int32, int64, request, response, string } from '../schema.ts'

export const addOffsetsToTxnRequest = request(
  25,
  'AddOffsetsToTxnRequest',
  { versions: '0-4', flexible: '3+' },
  {
    transactionalId: string('0+', { entityType: 'transactionalId' }),
    producerId: int64('0+', { entityType: 'producerId' }),
    producerEpoch: int16('0+'),
    groupId: string('0+', { entityType: 'groupId' }),
  },
)
export type AddOffsetsToTxnRequest = Infer<typeof addOffsetsToTxnRequest>

export const addOffsetsToTxnResponse = response(
  25,
  'AddOffsetsToTxnResponse',
  { versions: '0-4', flexible: '3+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
  },
)
export type AddOffsetsToTxnResponse = Infer<typeof addOffsetsToTxnResponse>
