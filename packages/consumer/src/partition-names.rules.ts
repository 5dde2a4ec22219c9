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

/** What is built of each partition, by topic. */
export function byTopic<P extends TopicPartition, T>(
  partitions: readonly P[],
  build: (partition: P) => T,
): [string, T[]][] {
  const topics = new Map<string, T[]>()
  for (const partition of partitions) {
    const list = topics.get(partition.topic)
    if (list === undefined) topics.set(partition.topic, [build(partition)])
    else list.push(build(partition))
  }
  return [...topics]
}
