// Partitions compared by what they are, not by the object that says so. Pure.
import type { TopicPartition } from '@odradek/shared/contracts/consumer.contract'

/** `topic-partition`; no two have the same. */
export function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

/** Says of a partition whether it is one of these. */
export function among(partitions: readonly TopicPartition[]): (partition: TopicPartition) => boolean {
  const names = new Set(partitions.map(nameOf))
  return partition => names.has(nameOf(partition))
}
