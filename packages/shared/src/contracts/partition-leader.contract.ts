// The waist (DESIGN 1.2): every record that is written or read passes this contract. Requests and replies are the per-partition parts
// of Kafka's Produce, Fetch, ListOffsets, DeleteRecords, OffsetForLeaderEpoch, DescribeProducers and WriteTxnMarkers, newest version,
// with Kafka's field names. Error codes are Kafka's numbers. Askers: the doors (listener, port link), senders, consumers, coordinators.
import { ask, defineContract, tell } from '../actor/contract.ts'

/** One partition's part of a Produce request. */
export interface AppendRequest {
  /**
   * One or more v2 batches: an own exact buffer (transferred away when large), or a view of a lent one, which is the leader's until it answers.
   * The leader writes offsets into it.
   */
  readonly records: Uint8Array
  /** 0, 1 or -1 (all). With 0 the reply still comes (it carries errors for the door's counters). */
  readonly acks: number
  /** Who appends: `client` may not write control batches and is checked against min.insync.replicas; `coordinator` may write to internal topics. */
  readonly origin: 'client' | 'coordinator'
  /** The leader epoch the sender believes in, -1 unknown. A mismatch is FENCED_LEADER_EPOCH or UNKNOWN_LEADER_EPOCH. */
  readonly currentLeaderEpoch: number
  /** Proof that the coordinator knows this partition to be in the producer's transaction (KIP-890); absent for the rest. */
  readonly verification?: Verification
  /**
   * For who writes alone and decides by what the log holds: where the log must end for this to be appended. Elsewhere it is OFFSET_OUT_OF_RANGE, and nothing
   * is stored: somebody's append that was given up has landed late. Kafka: the required base offset of appends to the metadata log.
   */
  readonly expectedOffset?: number
}

export interface AppendResponse {
  readonly errorCode: number
  readonly errorMessage: string | null
  /** Of the first record; of the earlier append when it was a duplicate; -1 on error. */
  readonly baseOffset: number
  /** With LogAppendTime the broker's time, else -1. */
  readonly logAppendTimeMs: number
  readonly logStartOffset: number
  /** KIP-467: records that were refused, when that is why. */
  readonly recordErrors: readonly { readonly batchIndex: number; readonly batchIndexErrorMessage: string | null }[]
}

/** One partition's part of a Fetch request, with the wait of the whole request. */
export interface FetchRequest {
  readonly currentLeaderEpoch: number
  readonly fetchOffset: number
  /** KIP-320: for detection of a diverging log; -1 unknown. */
  readonly lastFetchedEpoch: number
  readonly partitionMaxBytes: number
  /** 0 readUncommitted, 1 readCommitted. */
  readonly isolationLevel: number
  /** Park until this many bytes are readable or `maxWaitMs` passed. 0 or 1 with maxWaitMs 0 answers at once. */
  readonly minBytes: number
  readonly maxWaitMs: number
  /** False: within partitionMaxBytes even if the first batch does not fit (Fetch hard max, KIP-74). Default true. */
  readonly minOneBatch?: boolean
  /** True: an asker on the leader's thread may get the records in a lent buffer, and gives it back (`base/lent-buffers`). Default false. */
  readonly lend?: boolean
}

export interface FetchResponse {
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly divergingEpoch?: { readonly epoch: number; readonly endOffset: number }
  /** readCommitted only, ordered by firstOffset; null for readUncommitted. */
  readonly abortedTransactions: readonly { readonly producerId: number; readonly firstOffset: number }[] | null
  /** Whole batches in an own exact buffer, or in a lent one where that was asked for; empty array when there is nothing. */
  readonly records: Uint8Array
  /** More can be read behind them: what did not fit, or was left for the next fetch. */
  readonly more: boolean
}

export interface ListOffsetsRequest {
  readonly currentLeaderEpoch: number
  /** Kafka's: -1 latest, -2 earliest, -3 max timestamp, -4 earliest local, -5 latest tiered, -6 earliest pending upload; >= 0 a time. */
  readonly timestamp: number
  readonly isolationLevel: number
}

export interface ListOffsetsResponse {
  readonly errorCode: number
  readonly timestamp: number
  readonly offset: number
  readonly leaderEpoch: number
}

export interface DeleteRecordsRequest {
  /** -1: to the high watermark. */
  readonly offset: number
}
export interface DeleteRecordsResponse {
  readonly errorCode: number
  readonly lowWatermark: number
}

export interface OffsetForLeaderEpochRequest {
  readonly currentLeaderEpoch: number
  readonly leaderEpoch: number
}
export interface OffsetForLeaderEpochResponse {
  readonly errorCode: number
  readonly leaderEpoch: number
  readonly endOffset: number
}

/** One entry of DescribeProducers. */
export interface ProducerDescription {
  readonly producerId: number
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastTimestamp: number
  readonly coordinatorEpoch: number
  /** -1 when none is open. */
  readonly currentTxnStartOffset: number
}

/** One partition's part of WriteTxnMarkers. */
export interface WriteMarkerRequest {
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  /** True commit, false abort. */
  readonly transactionResult: boolean
  /** 1 or 2: with 2 an equal epoch on a closed transaction is accepted as a retry only (KIP-890). */
  readonly transactionVersion: number
}
export interface WriteMarkerResponse {
  readonly errorCode: number
}
/** A leader's own answer to a marker. */
export interface MarkerWritten extends WriteMarkerResponse {
  /** The marker's own; -1 for one that repeats another, or was refused. */
  readonly offset: number
  /** Where the log ends now. */
  readonly logEndOffset: number
}

/** A leader's token for one producer's next transactional append (KIP-890); valid until that producer's state changes. */
export interface VerificationGuard {
  readonly token: number
}
/**
 * `added`: the coordinator has added the partition for a producer of transaction.version 2. Each end raises the epoch of such a producer and its marker
 * carries the raised one, so an append that the end has overtaken is fenced without a guard.
 */
export type Verification = VerificationGuard | 'added'
export interface VerifyRequest {
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
}
export interface VerifyResponse {
  /** Null: the partition is already in the transaction, append without asking the coordinator. */
  readonly guard: VerificationGuard | null
}

export interface LogDescription {
  readonly sizeInBytes: number
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly leaderEpoch: number
  readonly segments: number
}

/** Told to watchers when something became readable; several appends of one turn are one news. */
export interface Advanced {
  readonly highWatermark: number
  readonly lastStableOffset: number
  /** Bytes that became visible since the last news: lets a door count towards minBytes without asking. */
  readonly bytes: number
}

export const partitionLeader = defineContract({
  kind: 'partition-leader',
  asks: {
    append: ask<AppendRequest, AppendResponse>({ requestBuffers: request => [request.records] }),
    /** Deadline covers the longest park. */
    fetch: ask<FetchRequest, FetchResponse>({ deadlineMs: 600_000, responseBuffers: response => [response.records] }),
    listOffsets: ask<ListOffsetsRequest, ListOffsetsResponse>(),
    deleteRecords: ask<DeleteRecordsRequest, DeleteRecordsResponse>(),
    offsetForLeaderEpoch: ask<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(),
    describeProducers: ask<Record<string, never>, { readonly producers: readonly ProducerDescription[] }>(),
    writeMarker: ask<WriteMarkerRequest, MarkerWritten>(),
    /** Asks for a guard before a transactional append of an older client (door -> leader, then door -> transaction coordinator). */
    verify: ask<VerifyRequest, VerifyResponse>(),
    describeLog: ask<Record<string, never>, LogDescription>(),
    /**
     * The asker is the coordinator of this partition, and alone writes as one from now on: appends of a `coordinator` and markers that come by other links,
     * which a predecessor sent before it died, are NOT_LEADER_OR_FOLLOWER. Answered with the log as its successor finds it.
     */
    claim: ask<Record<string, never>, LogDescription>(),
    /** New topic configs (the full effective set, Kafka's names, values as strings); replied when in force. */
    configure: ask<{ readonly configs: { readonly [name: string]: string } }, Record<string, never>>(),
    /** Makes all that is appended durable (fsync). */
    flush: ask<Record<string, never>, { readonly errorCode: number }>(),
    /** Removes the log for good (topic deletion), then the actor ends. */
    destroy: ask<Record<string, never>, { readonly errorCode: number }>(),
  },
  tells: {
    /** News of `advanced` from now on, for a reader parked at a door. */
    watch: tell<Record<string, never>>(),
    unwatch: tell<Record<string, never>>(),
  },
  news: {
    advanced: tell<Advanced>(),
  },
})
export type PartitionLeaderContract = typeof partitionLeader

/** What a partition leader is started with. */
export interface PartitionLeaderInput {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly nodeId: number
  readonly leaderEpoch: number
  /** Effective topic configs, Kafka's names (`retention.ms`), values as strings. */
  readonly configs: { readonly [name: string]: string }
  readonly storage: StorageInput
}

/** Where logs live: a directory of LMDB environments, or memory held in the lane's resources under `store`. */
export type StorageInput =
  | { readonly kind: 'lmdb'; readonly dir: string }
  | { readonly kind: 'memory'; readonly store: string }
