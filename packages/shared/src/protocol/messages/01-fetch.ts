// Fetch (API key 1), versions 4-18. Consumers and followers read record batches. Partitions are served in the order in
// which they are asked, and the first batch is returned even if it is larger than every limit, so that a reader always
// makes progress.
//
//    4  isolation level; last stable offset and aborted transactions
//    5  log start offset
//    7  incremental fetch sessions (KIP-227)
//    8  the quota is applied after the response is sent
//    9  current leader epoch fences stale readers (KIP-320)
//   10  zstd is allowed (KIP-110)
//   11  rack of the reader and the preferred replica (KIP-392)
//   12  flexible; truncation is detected through the last fetched epoch
//   13  topic ids instead of names (KIP-516)
//   14  OFFSET_MOVED_TO_TIERED_STORAGE (KIP-405)
//   15  replica id moves into the tagged replica state, with the broker epoch (KIP-903)
//   16  endpoints of new leaders, tagged (KIP-951)
//   17  directory id of a follower (KIP-853)
//   18  high watermark known to a follower (KIP-1166)

import {
  array,
  INT64_MAX,
  type Infer,
  int8,
  int16,
  int32,
  int64,
  records,
  request,
  response,
  string,
  struct,
  uuid,
} from '../schema.ts'

export const fetchRequest = request(
  1,
  'FetchRequest',
  { versions: '4-18', flexible: '12+' },
  {
    clusterId: string('12+', { nullable: '12+', default: null, tag: 0, ignorable: true }),
    /** Broker id of a follower; -1 for consumers. */
    replicaId: int32('0-14', { default: -1, entityType: 'brokerId' }),
    replicaState: struct(
      '15+',
      {
        replicaId: int32('15+', { default: -1, entityType: 'brokerId' }),
        replicaEpoch: int64('15+', { default: -1 }),
      },
      { tag: 1 },
    ),
    maxWaitMs: int32('0+'),
    minBytes: int32('0+'),
    /** Of the whole response; the first batch may exceed it. */
    maxBytes: int32('3+', { default: 0x7fffffff, ignorable: true }),
    /** 0 read uncommitted, 1 read committed. */
    isolationLevel: int8('4+', { ignorable: true }),
    /** 0: no session yet, or none wanted. */
    sessionId: int32('7+', { ignorable: true }),
    /** -1: no session; 0: begin one; otherwise the next in sequence. */
    sessionEpoch: int32('7+', { default: -1, ignorable: true }),
    /** All partitions, or in a session those that are new or changed. */
    topics: array('0+', {
      topic: string('0-12', { ignorable: true, entityType: 'topicName' }),
      topicId: uuid('13+', { ignorable: true }),
      partitions: array('0+', {
        partition: int32('0+'),
        currentLeaderEpoch: int32('9+', { default: -1, ignorable: true }),
        fetchOffset: int64('0+'),
        /** Leader epoch of the last record read; -1 unknown. */
        lastFetchedEpoch: int32('12+', { default: -1 }),
        logStartOffset: int64('5+', { default: -1, ignorable: true }),
        partitionMaxBytes: int32('0+'),
        replicaDirectoryId: uuid('17+', { tag: 0, ignorable: true }),
        highWatermark: int64('18+', { default: INT64_MAX, tag: 1, ignorable: true }),
      }),
    }),
    /** Partitions to drop from the session. */
    forgottenTopicsData: array('7+', {
      topic: string('7-12', { ignorable: true, entityType: 'topicName' }),
      topicId: uuid('13+', { ignorable: true }),
      partitions: array('7+', 'int32'),
    }),
    rackId: string('11+', { ignorable: true }),
  },
)
export type FetchRequest = Infer<typeof fetchRequest>
export type ReplicaState = FetchRequest['replicaState']
export type FetchTopic = FetchRequest['topics'][number]
export type FetchPartition = FetchRequest['topics'][number]['partitions'][number]
export type ForgottenTopic = FetchRequest['forgottenTopicsData'][number]

export const fetchResponse = response(
  1,
  'FetchResponse',
  { versions: '4-18', flexible: '12+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('7+', { ignorable: true }),
    sessionId: int32('7+'),
    responses: array('0+', {
      topic: string('0-12', { ignorable: true, entityType: 'topicName' }),
      topicId: uuid('13+', { ignorable: true }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        highWatermark: int64('0+'),
        lastStableOffset: int64('4+', { default: -1, ignorable: true }),
        logStartOffset: int64('5+', { default: -1, ignorable: true }),
        /** Where the log of the reader parts from the leader's. */
        divergingEpoch: struct(
          '12+',
          {
            epoch: int32('12+', { default: -1 }),
            endOffset: int64('12+', { default: -1 }),
          },
          { tag: 0 },
        ),
        currentLeader: struct(
          '12+',
          {
            leaderId: int32('12+', { default: -1, entityType: 'brokerId' }),
            leaderEpoch: int32('12+', { default: -1 }),
          },
          { tag: 1 },
        ),
        snapshotId: struct(
          '12+',
          {
            endOffset: int64('0+', { default: -1 }),
            epoch: int32('0+', { default: -1 }),
          },
          { tag: 2 },
        ),
        /** Under read committed: aborted transactions that reach into the returned range. Null otherwise. */
        abortedTransactions: array(
          '4+',
          {
            producerId: int64('4+', { entityType: 'producerId' }),
            firstOffset: int64('4+'),
          },
          { nullable: '4+', ignorable: true },
        ),
        /** Where to read instead; -1 here. */
        preferredReadReplica: int32('11+', { default: -1, entityType: 'brokerId' }),
        records: records('0+', { nullable: '0+' }),
      }),
    }),
    nodeEndpoints: array(
      '16+',
      {
        nodeId: int32('16+', { mapKey: true, entityType: 'brokerId' }),
        host: string('16+'),
        port: int32('16+'),
        rack: string('16+', { nullable: '16+', default: null }),
      },
      { tag: 0 },
    ),
  },
)
export type FetchResponse = Infer<typeof fetchResponse>
export type FetchableTopicResponse = FetchResponse['responses'][number]
export type PartitionData = FetchResponse['responses'][number]['partitions'][number]
export type EpochEndOffset = FetchResponse['responses'][number]['partitions'][number]['divergingEpoch']
export type LeaderIdAndEpoch = FetchResponse['responses'][number]['partitions'][number]['currentLeader']
export type SnapshotId = FetchResponse['responses'][number]['partitions'][number]['snapshotId']
export type AbortedTransaction = NonNullable<
  FetchResponse['responses'][number]['partitions'][number]['abortedTransactions']
>[number]
export type NodeEndpoint = FetchResponse['nodeEndpoints'][number]
