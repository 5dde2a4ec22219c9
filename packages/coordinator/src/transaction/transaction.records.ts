// What the coordinator knows of one transactional id, and how it is stored in `__transaction_state`: Kafka's TransactionLogKey and
// TransactionLogValue version 1, read by Kafka's own tools. The last record of an id counts; a tombstone forgets it.
import { assert } from '@odradek/shared/base/assert'
import { transactionLogKey, transactionLogValue } from '@odradek/shared/protocol/stored/transaction-state.records'
import {
  coordinatorRecordType,
  decodeCoordinatorKey,
  decodeVersioned,
  encodeCoordinatorKey,
  encodeVersioned,
} from '@odradek/shared/protocol/stored/versioned'
import type { EncodedRecord } from '../runtime/shard.ts'
import type { TopicPartitions } from './topic-partitions.rules.ts'
import type { TransactionStatus } from './transaction.machine.ts'

export interface TransactionMetadata {
  readonly transactionalId: string
  readonly status: TransactionStatus
  readonly producerId: number
  readonly producerEpoch: number
  /** The id before this one, when an epoch ran out: a repeated request may still speak of it. -1: none. */
  readonly previousProducerId: number
  /** The id that follows when the transaction has ended, because the epoch ran out. -1: the same. */
  readonly nextProducerId: number
  readonly timeoutMs: number
  /** What is owed a marker, or will be. */
  readonly partitions: readonly TopicPartitions[]
  /** Milliseconds since 1970; -1: nothing was begun. */
  readonly startMs: number
  readonly updatedMs: number
  /** 2: the producer's client raises its epoch with every end (KIP-890). */
  readonly clientTransactionVersion: number
}

/** A null value is the end of the id. */
export interface TransactionRecord {
  readonly transactionalId: string
  readonly metadata: TransactionMetadata | null
}

const VALUE_VERSION = 1

/** Ids as stored (Java: `TransactionState.id`). */
const statuses: readonly TransactionStatus[] = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
]

/** Every name that ListTransactions may filter by. */
export const transactionStatuses: ReadonlySet<string> = new Set(statuses)

export function encodeTransactionRecord({ transactionalId, metadata }: TransactionRecord): EncodedRecord {
  const key = encodeCoordinatorKey(transactionLogKey, { transactionalId })
  if (metadata === null) return { key, value: null }
  assert(metadata.transactionalId === transactionalId, 'a record speaks of its own id')
  const { partitions, status } = metadata
  const value = encodeVersioned(transactionLogValue, VALUE_VERSION, {
    producerId: metadata.producerId,
    previousProducerId: metadata.previousProducerId,
    nextProducerId: metadata.nextProducerId,
    producerEpoch: metadata.producerEpoch,
    nextProducerEpoch: -1,
    transactionTimeoutMs: metadata.timeoutMs,
    transactionStatus: statuses.indexOf(status),
    // As Kafka: none while nothing was begun.
    transactionPartitions:
      status === 'Empty'
        ? null
        : partitions.map(({ topic, partitions: partitionIds }) => ({ topic, partitionIds: [...partitionIds] })),
    transactionLastUpdateTimestampMs: metadata.updatedMs,
    transactionStartTimestampMs: metadata.startMs,
    clientTransactionVersion: metadata.clientTransactionVersion,
  })
  return { key, value }
}

/** Null for a kind of record that later versions may write. Throws for bytes that are no such record. */
export function decodeTransactionRecord(key: Uint8Array | null, value: Uint8Array | null): TransactionRecord | null {
  if (key === null || coordinatorRecordType(key) !== transactionLogKey.apiKey) return null
  const { transactionalId } = decodeCoordinatorKey(transactionLogKey, key)
  if (value === null) return { transactionalId, metadata: null }
  const stored = decodeVersioned(transactionLogValue, value)
  const status = statuses[stored.transactionStatus]
  if (status === undefined) throw new Error(`transaction status ${stored.transactionStatus} of ${transactionalId}`)
  return {
    transactionalId,
    metadata: {
      transactionalId,
      status,
      producerId: stored.producerId,
      producerEpoch: stored.producerEpoch,
      previousProducerId: stored.previousProducerId,
      nextProducerId: stored.nextProducerId,
      timeoutMs: stored.transactionTimeoutMs,
      partitions: (stored.transactionPartitions ?? []).map(({ topic, partitionIds }) => ({
        topic,
        partitions: partitionIds,
      })),
      startMs: stored.transactionStartTimestampMs,
      updatedMs: stored.transactionLastUpdateTimestampMs,
      clientTransactionVersion: stored.clientTransactionVersion,
    },
  }
}
