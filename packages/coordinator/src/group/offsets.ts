// Committed offsets of a shard's groups, and those that transactions have staged. Changed by replay alone. Read by the offset rules.
import { ZERO_TOPIC_ID } from '@odradek/shared/base/brands'

export interface CommittedOffset {
  readonly offset: number
  /** -1 unknown. */
  readonly leaderEpoch: number
  readonly metadata: string
  /** Ms. */
  readonly commitTimestamp: number
  /** Ms; -1: the broker's retention decides. */
  readonly expireTimestamp: number
  /** The zero id when the commit did not say. */
  readonly topicId: string
  /** Where the commit lies in the shard's log: decides between a plain commit and one of a transaction that ends later. */
  readonly recordOffset: number
}

/** By topic and partition. */
export type TopicOffsets = Map<string, Map<number, CommittedOffset>>

export interface Offsets {
  /** By group. */
  readonly committed: Map<string, TopicOffsets>
  /** By group and producer id: what becomes committed when the producer's transaction commits. */
  readonly staged: Map<string, Map<number, TopicOffsets>>
  /** Groups by producer id with an open transaction. */
  readonly producers: Map<number, Set<string>>
}

export function noOffsets(): Offsets {
  return { committed: new Map(), staged: new Map(), producers: new Map() }
}

export function committedOffset(
  offsets: Offsets,
  groupId: string,
  topic: string,
  partition: number,
): CommittedOffset | undefined {
  return offsets.committed.get(groupId)?.get(topic)?.get(partition)
}

/** Whether a transaction that is still open may change the offset (KIP-447). */
export function isStaged(offsets: Offsets, groupId: string, topic: string, partition: number): boolean {
  for (const topics of offsets.staged.get(groupId)?.values() ?? []) if (topics.get(topic)?.has(partition)) return true
  return false
}

export function hasStaged(offsets: Offsets, groupId: string): boolean {
  return offsets.staged.has(groupId)
}

export function setCommitted(
  offsets: Offsets,
  groupId: string,
  topic: string,
  partition: number,
  value: CommittedOffset,
) {
  put(entry<string, TopicOffsets>(offsets.committed, groupId, newMap), topic, partition, value)
}

export function removeCommitted(offsets: Offsets, groupId: string, topic: string, partition: number): void {
  const topics = offsets.committed.get(groupId)
  const partitions = topics?.get(topic)
  if (topics === undefined || partitions === undefined) return
  partitions.delete(partition)
  if (partitions.size === 0) topics.delete(topic)
  if (topics.size === 0) offsets.committed.delete(groupId)
}

/** Topics and partitions that have no offset unless a transaction that is still open brings one; named once for each such transaction. */
export function* stagedOnly(offsets: Offsets, groupId: string): Generator<readonly [string, number]> {
  for (const topics of offsets.staged.get(groupId)?.values() ?? []) {
    for (const [topic, partitions] of topics) {
      for (const partition of partitions.keys()) {
        if (committedOffset(offsets, groupId, topic, partition) === undefined) yield [topic, partition]
      }
    }
  }
}

/** Deleted while transactions would still change it: they will not bring it back. */
export function removeStaged({ staged, producers }: Offsets, groupId: string, topic: string, partition: number): void {
  const byProducer = staged.get(groupId)
  for (const [producerId, topics] of byProducer ?? []) {
    const partitions = topics.get(topic)
    if (!partitions?.delete(partition)) continue
    if (partitions.size === 0) topics.delete(topic)
    if (topics.size > 0) continue
    byProducer!.delete(producerId)
    const groups = producers.get(producerId)!
    groups.delete(groupId)
    if (groups.size === 0) producers.delete(producerId)
  }
  if (byProducer?.size === 0) staged.delete(groupId)
}

export interface StagedCommit {
  readonly groupId: string
  readonly producerId: number
  readonly topic: string
  readonly partition: number
}

export function stage(
  offsets: Offsets,
  { groupId, producerId, topic, partition }: StagedCommit,
  value: CommittedOffset,
) {
  const topics = entry<number, TopicOffsets>(
    entry<string, Map<number, TopicOffsets>>(offsets.staged, groupId, newMap),
    producerId,
    newMap,
  )
  put(topics, topic, partition, value)
  entry<number, Set<string>>(offsets.producers, producerId, () => new Set()).add(groupId)
}

/** The producer's transaction has ended: what it staged is committed, unless a later commit went before, or dropped. */
export function endTransaction(offsets: Offsets, producerId: number, commit: boolean): void {
  for (const groupId of offsets.producers.get(producerId) ?? []) {
    const producers = offsets.staged.get(groupId)
    const topics = producers?.get(producerId)
    if (producers === undefined || topics === undefined) continue
    if (commit) applyStaged(offsets, groupId, topics)
    producers.delete(producerId)
    if (producers.size === 0) offsets.staged.delete(groupId)
  }
  offsets.producers.delete(producerId)
}

function applyStaged(offsets: Offsets, groupId: string, topics: TopicOffsets): void {
  for (const [topic, partitions] of topics) {
    for (const [partition, value] of partitions) {
      const present = committedOffset(offsets, groupId, topic, partition)
      if (present !== undefined && present.recordOffset > value.recordOffset) continue
      setCommitted(offsets, groupId, topic, partition, value)
    }
  }
}

const newMap = () => new Map<any, any>()

/** The value of the key, made when it is missing. */
function entry<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  const present = map.get(key)
  if (present !== undefined) return present
  const created = create()
  map.set(key, created)
  return created
}

function put(topics: TopicOffsets, topic: string, partition: number, value: CommittedOffset): void {
  const partitions = topics.get(topic)
  if (partitions === undefined) topics.set(topic, new Map([[partition, value]]))
  else partitions.set(partition, value)
}

/** Whether a stored offset belongs to the topic of this id; one without an id belongs to any. */
export function isOfTopic({ topicId }: CommittedOffset, asked: string): boolean {
  return topicId === ZERO_TOPIC_ID || asked === ZERO_TOPIC_ID || topicId === asked
}
