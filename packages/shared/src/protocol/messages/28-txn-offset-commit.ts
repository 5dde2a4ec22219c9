// TxnOffsetCommit (API key 28), versions 0-5. Commits a group's offsets as part of a transaction: they count from the
// commit marker on.
//
//    1  the quota is applied after the response is sent
//    2  leader epoch (KIP-320)
//    3  flexible; member, instance and generation fence zombies (KIP-447)
//    4  TRANSACTION_ABORTABLE (KIP-890)
//    5  adds the offsets partition to the transaction by itself (KIP-890, transaction.version 2)

import { array, type Infer, int16, int32, int64, request, response, string } from '../schema.ts'

export const txnOffsetCommitRequest = request(
  28,
  'TxnOffsetCommitRequest',
  { versions: '0-5', flexible: '3+' },
  {
    transactionalId: string('0+', { entityType: 'transactionalId' }),
    groupId: string('0+', { entityType: 'groupId' }),
    producerId: int64('0+', { entityType: 'producerId' }),
    producerEpoch: int16('0+'),
    /** Kafka 4.3 still calls it `generationId`; the bytes are the same. */
    generationIdOrMemberEpoch: int32('3+', { default: -1 }),
    memberId: string('3+'),
    groupInstanceId: string('3+', { nullable: '3+', default: null }),
    topics: array('0+', {
      name: string('0-5', { ignorable: true, entityType: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        committedOffset: int64('0+'),
        committedLeaderEpoch: int32('2+', { default: -1, ignorable: true }),
        committedMetadata: string('0+', { nullable: '0+' }),
      }),
    }),
  },
)
export type TxnOffsetCommitRequest = Infer<typeof txnOffsetCommitRequest>
export type TxnOffsetCommitRequestTopic = TxnOffsetCommitRequest['topics'][number]
export type TxnOffsetCommitRequestPartition = TxnOffsetCommitRequest['topics'][number]['partitions'][number]

export const txnOffsetCommitResponse = response(
  28,
  'TxnOffsetCommitResponse',
  { versions: '0-5', flexible: '3+' },
  {
    throttleTimeMs: int32('0+'),
    topics: array('0+', {
      name: string('0-5', { ignorable: true, entityType: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
      }),
    }),
  },
)
export type TxnOffsetCommitResponse = Infer<typeof txnOffsetCommitResponse>
export type TxnOffsetCommitResponseTopic = TxnOffsetCommitResponse['topics'][number]
export type TxnOffsetCommitResponsePartition = TxnOffsetCommitResponse['topics'][number]['partitions'][number]
