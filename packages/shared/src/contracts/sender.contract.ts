// A producer's sender: takes closed batches from the caller's thread, gives each a place in its partition's sequence, and answers when the
// cluster has taken it or it has failed for good. Asker: the producer object in the caller's thread, over one link, so what it asks first
// is handled first.
import { ask, defineContract, tell } from '../actor/contract.ts'
import type { ErrorData } from '../base/errors.ts'

/** One closed batch (`BatchBuilder.close`): uncompressed, without producer fields and CRC, own exact buffer. */
export interface SenderAppendRequest {
  readonly topic: string
  readonly partition: number
  readonly records: Uint8Array
  readonly recordCount: number
  /** 0, 1 or -1 (all). */
  readonly acks: number
  /** Milliseconds that are left of `delivery.timeout.ms`. */
  readonly deliveryTimeoutMs: number
}

/** What became of some consecutive records of a batch. A batch has more than one part only if it had to be split. */
export interface DeliveredPart {
  readonly recordCount: number
  /** Of the first record; -1 when it is not known (acks 0, failure). */
  readonly baseOffset: number
  /** The broker's time with LogAppendTime, else -1: the records keep their own. */
  readonly logAppendTimeMs: number
  readonly error: ErrorData | null
}

export interface SenderAppendResponse {
  /** In order; counts add up to the request's. */
  readonly parts: readonly DeliveredPart[]
  /** Bytes as they were sent, after compression. */
  readonly sentBytes: number
  /** Times that a request with the batch was sent. */
  readonly attempts: number
}

/** What a producer needs to know of a topic to choose partitions. */
export interface TopicMetadata {
  readonly topic: string
  /** Kafka's code; 0 none. */
  readonly errorCode: number
  readonly partitions: readonly PartitionMetadata[]
}

export interface PartitionMetadata {
  readonly partition: number
  /** -1 while there is no leader. */
  readonly leader: number
  readonly replicas: readonly number[]
  readonly inSyncReplicas: readonly number[]
}

/** Offsets to commit with a transaction, and the group that they belong to. */
export interface TransactionOffsets {
  readonly groupId: string
  /** -1 and '' when the consumer is not a member. */
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly offsets: readonly {
    readonly topic: string
    readonly partition: number
    readonly offset: number
    readonly leaderEpoch: number
    readonly metadata: string
  }[]
}

/** Longer than any wait that the options allow: the sender itself keeps `delivery.timeout.ms` and `max.block.ms`. */
const PATIENT = { deadlineMs: 2 ** 31 - 1 }

export const sender = defineContract({
  kind: 'sender',
  asks: {
    append: ask<SenderAppendRequest, SenderAppendResponse>({
      ...PATIENT,
      requestBuffers: request => [request.records],
    }),
    /** Learns a topic and watches it: later changes come as `topicMetadata`. Parked until the topic is usable or the deadline. */
    metadata: ask<{ readonly topic: string; readonly maxBlockMs: number }, TopicMetadata>(PATIENT),
    /** InitProducerId with the transactional id: fences earlier producers and ends what they left open. */
    initTransactions: ask<{ readonly maxBlockMs: number }, Record<string, never>>(PATIENT),
    sendOffsets: ask<TransactionOffsets & { readonly maxBlockMs: number }, Record<string, never>>(PATIENT),
    /** Waits for every batch asked before, then EndTxn. */
    endTransaction: ask<{ readonly committed: boolean; readonly maxBlockMs: number }, Record<string, never>>(PATIENT),
  },
  tells: {
    /** Also while the transaction before is being committed: what comes after it waits until that has ended, and is refused when it has failed. */
    beginTransaction: tell<Record<string, never>>(),
  },
  news: {
    topicMetadata: tell<TopicMetadata>(),
  },
})
export type SenderContract = typeof sender
