// What a load run is told to do, as plain data that crosses to client threads.
import type { CompressionType } from '@odradek/shared/records/compression/compression-type'

export type LoadKind = 'produce' | 'consume' | 'e2e' | 'txn'

export interface LoadPlan {
  readonly kind: LoadKind
  readonly topic: string
  readonly partitions: number
  /** Client threads per side: so many produce, so many consume. */
  readonly workers: number
  /** Bytes of a value. */
  readonly size: number
  /** Records that are measured, over all workers; null: until `durationMs` is over. */
  readonly records: number | null
  readonly durationMs: number
  /** Sent before measuring begins. */
  readonly warmupMs: number
  /** Records (`txn`: transactions) per second over all workers; null: as fast as it goes. */
  readonly rate: number | null
  readonly acks: 'all' | 0 | 1
  readonly batchSize: number
  readonly lingerMs: number
  readonly compression: CompressionType
  /** Records per `send` call; 1: a promise per record. */
  readonly sendRecords: number
  /** Records that one worker has in flight at most. */
  readonly inFlightMax: number
  readonly payload: 'text' | 'random'
  /** `txn`: what each transaction is. */
  readonly transaction: TransactionPlan | null
  /** Distinguishes this run's records from others in the topic. */
  readonly runId: number
}

export interface TransactionPlan {
  /** Records of a transaction, spread over the partitions. */
  readonly records: number
  /** Share of transactions that are aborted, 0..1. */
  readonly abortShare: number
}
