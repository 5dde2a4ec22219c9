// Produce (API key 0), versions 3-13. A producer hands record batches to the leaders of partitions. With `acks` 0
// there is no response at all; with 1 or -1 the response carries, per partition, the offset of the first record
// appended. A broker advertises versions from 0 on (KAFKA-18659: older librdkafka would otherwise send uncompressed)
// but serves 3 and up.
//
//    3  transactional id; record batches of magic 2
//    5  log start offset in the response, so that a client can tell expired sequences from lost ones
//    7  zstd is allowed (KIP-110)
//    8  which records of a refused batch were at fault (KIP-467)
//    9  flexible
//   10  the new leader, tagged, beside NOT_LEADER_OR_FOLLOWER (KIP-951)
//   11  TRANSACTION_ABORTABLE is understood (KIP-890)
//   12  a transactional produce adds its partition to the transaction (KIP-890, transaction.version 2)
//   13  topic ids instead of names (KIP-516)

import { array, type Infer, int16, int32, int64, records, request, response, string, struct, uuid } from '../schema.ts'

export const produceRequest = request(
  0,
  'ProduceRequest',
  { versions: '3-13', flexible: '9+' },
  {
    /** Null outside transactions. */
    transactionalId: string('3+', { nullable: '3+', default: null, entityType: 'transactionalId' }),
    /** 0 none, 1 the leader, -1 all in-sync replicas. */
    acks: int16('0+'),
    /** How long the leader may wait for the other replicas, in ms. */
    timeoutMs: int32('0+'),
    topicData: array('0+', {
      name: string('0-12', { ignorable: true, mapKey: true, entityType: 'topicName' }),
      topicId: uuid('13+', { ignorable: true, mapKey: true }),
      partitionData: array('0+', {
        index: int32('0+'),
        records: records('0+', { nullable: '0+' }),
      }),
    }),
  },
)
export type ProduceRequest = Infer<typeof produceRequest>
export type TopicProduceData = ProduceRequest['topicData'][number]
export type PartitionProduceData = ProduceRequest['topicData'][number]['partitionData'][number]

export const produceResponse = response(
  0,
  'ProduceResponse',
  { versions: '3-13', flexible: '9+' },
  {
    responses: array('0+', {
      name: string('0-12', { ignorable: true, mapKey: true, entityType: 'topicName' }),
      topicId: uuid('13+', { ignorable: true, mapKey: true }),
      partitionResponses: array('0+', {
        index: int32('0+'),
        errorCode: int16('0+'),
        /** Offset of the first record of the batch; -1 on error. */
        baseOffset: int64('0+'),
        /** The append time under LogAppendTime, else -1. */
        logAppendTimeMs: int64('2+', { default: -1, ignorable: true }),
        logStartOffset: int64('5+', { default: -1, ignorable: true }),
        /** The records at fault when the batch was refused. */
        recordErrors: array(
          '8+',
          {
            batchIndex: int32('8+'),
            batchIndexErrorMessage: string('8+', { nullable: '8+', default: null }),
          },
          { ignorable: true },
        ),
        errorMessage: string('8+', { nullable: '8+', default: null, ignorable: true }),
        currentLeader: struct(
          '10+',
          {
            leaderId: int32('10+', { default: -1, entityType: 'brokerId' }),
            leaderEpoch: int32('10+', { default: -1 }),
          },
          { tag: 0 },
        ),
      }),
    }),
    throttleTimeMs: int32('1+', { ignorable: true }),
    nodeEndpoints: array(
      '10+',
      {
        nodeId: int32('10+', { mapKey: true, entityType: 'brokerId' }),
        host: string('10+'),
        port: int32('10+'),
        rack: string('10+', { nullable: '10+', default: null }),
      },
      { tag: 0 },
    ),
  },
)
export type ProduceResponse = Infer<typeof produceResponse>
export type TopicProduceResponse = ProduceResponse['responses'][number]
export type PartitionProduceResponse = ProduceResponse['responses'][number]['partitionResponses'][number]
export type BatchIndexAndErrorMessage =
  ProduceResponse['responses'][number]['partitionResponses'][number]['recordErrors'][number]
export type LeaderIdAndEpoch = ProduceResponse['responses'][number]['partitionResponses'][number]['currentLeader']
export type NodeEndpoint = ProduceResponse['nodeEndpoints'][number]
