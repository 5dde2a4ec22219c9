// What Kafka's own scripts print, character by character (`kafka-topics`, `kafka-get-offsets`, `kafka-configs` of Apache Kafka 4.3). Pure.
import type { PartitionDescription, TopicDescription } from '@odradek/shared/client/admin'

/** `kafka-topics --describe` of one topic; `configs` are those that were set for the topic. */
export function kafkaTopicLines(
  topic: TopicDescription,
  configs: readonly { readonly name: string; readonly value: string | null }[],
): string[] {
  const replicationFactor = topic.partitions[0]?.replicas.length ?? 0
  const set = configs.map(({ name, value }) => `${name}=${value}`).join(',')
  return [
    `Topic: ${topic.name}\tTopicId: ${topic.topicId}\tPartitionCount: ${topic.partitions.length}\tReplicationFactor: ${replicationFactor}\tConfigs: ${set}`,
    ...topic.partitions.map(partition => partitionLine(topic.name, partition)),
  ]
}

function partitionLine(
  topic: string,
  { partition, leader, replicas, isr, elr, lastKnownElr }: PartitionDescription,
): string {
  const list = (ids: readonly number[] | null) => (ids === null ? 'N/A' : ids.join(','))
  return `\tTopic: ${topic}\tPartition: ${partition}\tLeader: ${leader < 0 ? 'none' : leader}\tReplicas: ${replicas.join(',')}\tIsr: ${isr.join(',')}\tElr: ${list(elr)}\tLastKnownElr: ${list(lastKnownElr)}`
}

/** `kafka-get-offsets`. */
export function kafkaOffsetLine({
  topic,
  partition,
  offset,
}: {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint | null
}): string {
  return `${topic}:${partition}:${offset ?? ''}`
}

/** `kafka-topics --create` warns of names that collide in metrics. */
export function collisionWarning(name: string): string | null {
  if (!name.includes('.') && !name.includes('_')) return null
  return "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could collide. To avoid issues it is best to use either, but not both."
}
