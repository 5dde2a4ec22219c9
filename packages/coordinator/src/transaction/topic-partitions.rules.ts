// Sets of partitions, as transactions have them: few, grouped by topic as on the wire and in the log.

export interface TopicPartitions {
  readonly topic: string
  /** Each once, in the order in which they came. */
  readonly partitions: readonly number[]
}

function hasPartition(set: readonly TopicPartitions[], topic: string, partition: number): boolean {
  for (const each of set) if (each.topic === topic) return each.partitions.includes(partition)
  return false
}

/** Those of `asked` that are not in `set`. */
export function missingFrom(
  set: readonly TopicPartitions[],
  asked: readonly TopicPartitions[],
): readonly TopicPartitions[] {
  return asked
    .map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.filter(partition => !hasPartition(set, topic, partition)),
    }))
    .filter(({ partitions }) => partitions.length > 0)
}

/** `set` and what of `more` it lacks. */
export function union(set: readonly TopicPartitions[], more: readonly TopicPartitions[]): readonly TopicPartitions[] {
  const byTopic = new Map(set.map(({ topic, partitions }) => [topic, new Set(partitions)]))
  for (const { topic, partitions } of more) {
    const known = byTopic.get(topic)
    if (known === undefined) byTopic.set(topic, new Set(partitions))
    else for (const partition of partitions) known.add(partition)
  }
  return [...byTopic].map(([topic, partitions]) => ({ topic, partitions: [...partitions] }))
}
