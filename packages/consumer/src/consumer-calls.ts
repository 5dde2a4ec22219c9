// What the calls of a consumer take and give: types only.
import type { KeyOf, RawTopic, Topic, ValueOf } from '@odradek/shared/client/topic'
import type { TopicPartition } from '@odradek/shared/contracts/consumer.contract'
import type { ConsumerRecord } from './consumer-record.ts'

/** What can be subscribed: typed topics, names, or a pattern over names. */
export type Topics = Topic<any, any> | string | RegExp | readonly (Topic<any, any> | string)[]

/** The record of a topic, by the topic's codecs; names and patterns give bytes. */
export type RecordOf<T> =
  T extends Topic<any, any>
    ? ConsumerRecord<KeyOf<T>, ValueOf<T>>
    : T extends readonly (infer E)[]
      ? RecordOf<E>
      : ConsumerRecord<KeyOf<RawTopic>, ValueOf<RawTopic>>

/** A partition to assign; `offset` to begin elsewhere than at the committed offset. */
export interface PartitionToAssign {
  readonly topic: Topic<any, any> | string
  readonly partition: number
  readonly offset?: bigint | number
}

/** An offset to commit: the next one to be read. */
export interface OffsetToCommit extends TopicPartition {
  readonly offset: bigint | number
  readonly metadata?: string
}

/** Where to go on: an offset, an end, or the first record at or after a time (milliseconds). */
export type SeekTo = bigint | number | 'earliest' | 'latest' | { readonly timestamp: number }

export interface CallOptions {
  readonly signal?: AbortSignal
}

export interface RunOptions extends CallOptions {
  /** Partitions that are worked on at the same time; each stays in order. Default 1. */
  readonly partitionConcurrency?: number
}

export interface BatchOptions extends RunOptions {
  /**
   * Also call the function for batches without a record: aborted records or a marker moved the position (KIP-1094). For who commits `nextOffset` himself, and
   * wants no lag to stay behind. Default false.
   */
  readonly emptyBatches?: boolean
}

/** Counts since the consumer was created. */
export interface ConsumerMetrics {
  /** Handed out one by one by `stream` and `poll`. */
  readonly recordsStreamed: number
  readonly deliveries: number
  /** Of records as fetched and decompressed. */
  readonly bytes: number
  readonly rebalances: number
  readonly assignedPartitions: number
}
