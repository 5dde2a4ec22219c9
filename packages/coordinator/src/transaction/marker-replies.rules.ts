// What leaders answer to markers, and what is still owed after it (Java: TransactionMarkerRequestCompletionHandler).
import { errors } from '@odradek/shared/protocol/error-codes'
import type { WriteTxnMarkersResponse } from '@odradek/shared/protocol/messages/27-write-txn-markers'
import type { TopicPartitions } from './topic-partitions.rules.ts'

export interface MarkersAnswered {
  /** To be sent again. */
  readonly owed: readonly TopicPartitions[]
  /** Codes that are worth a log line. */
  readonly notable: readonly number[]
}

/** `exists`: whether there is such a partition; those of a deleted topic are owed nothing. */
export function markersAnswered(
  { markers }: WriteTxnMarkersResponse,
  exists: (topic: string, partition: number) => boolean,
): MarkersAnswered {
  const notable = new Set<number>()
  const isOwed = (topic: string, partition: number, errorCode: number) => {
    switch (errorCode) {
      case errors.NONE.code:
        return false
      case errors.UNKNOWN_TOPIC_OR_PARTITION.code:
        return exists(topic, partition)
      // The leader has seen a later epoch of this producer, which begins only after this end: the marker was written before.
      case errors.INVALID_PRODUCER_EPOCH.code:
        notable.add(errorCode)
        return false
      // Somebody with a later coordinator epoch has ended it there: a successor, or an administrator (Kafka's `abort` of a hanging one).
      case errors.TRANSACTION_COORDINATOR_FENCED.code:
        notable.add(errorCode)
        return false
      default:
        notable.add(errorCode)
        return true
    }
  }
  const owed = markers.flatMap(({ topics }) =>
    topics.map(({ name: topic, partitions }) => ({
      topic,
      partitions: partitions
        .filter(({ partitionIndex, errorCode }) => isOwed(topic, partitionIndex, errorCode))
        .map(({ partitionIndex }) => partitionIndex),
    })),
  )
  return { owed: owed.filter(({ partitions }) => partitions.length > 0), notable: [...notable] }
}
