// What the admin tells of transactions.
import type { PartitionId } from './records-admin.ts'

export interface TransactionListing {
  readonly transactionalId: string
  readonly producerId: number
  /** In Kafka's words: Empty, Ongoing, PrepareCommit, CompleteCommit, ... */
  readonly state: string
}

export interface TransactionDescription extends TransactionListing {
  readonly producerEpoch: number
  readonly timeoutMs: number
  /** Milliseconds since 1970; null when none is open. */
  readonly startTime: number | null
  readonly partitions: readonly PartitionId[]
  /** Broker of its coordinator; -1 where the cluster does not say. */
  readonly coordinatorId: number
}

/** What a partition knows of a producer that has written to it. */
export interface ActiveProducer extends PartitionId {
  readonly producerId: number
  readonly producerEpoch: number
  /** -1 before the first. */
  readonly lastSequence: number
  /** Milliseconds since 1970. */
  readonly lastTimestamp: number
  /** Of the last marker; -1 before the first. */
  readonly coordinatorEpoch: number
  /** First offset of its open transaction; null when none is open. */
  readonly transactionStartOffset: bigint | null
}

/** An open transaction of a partition that its coordinator no longer knows: it holds up readers with read_committed for ever. */
export interface HangingTransaction extends ActiveProducer {
  /** Null when the producer id belongs to no transactional id any more. */
  readonly transactionalId: string | null
}
