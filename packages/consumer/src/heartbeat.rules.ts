// Heartbeats of the consumer protocol (KIP-848): what is said in them, what their answers mean, and which partitions a target names. Pure.
import type { TopicView } from '@odradek/shared/client/cluster-link'
import type { TopicPartition } from '@odradek/shared/contracts/consumer.contract'
import { errors } from '@odradek/shared/protocol/error-codes'

/** Partitions by topic id, as heartbeats carry them. */
export interface TargetTopic {
  readonly topicId: string
  readonly partitions: readonly number[]
}

/** What a member says of itself; only what changed is sent. */
export interface HeartbeatFields {
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly rebalanceTimeoutMs: number
  readonly subscribedTopicNames: readonly string[]
  readonly serverAssignor: string | null
  readonly topicPartitions: readonly TargetTopic[]
}

/** The fields that the coordinator has not been told as they are; all of them when nothing was said yet. */
export function unsaid(said: HeartbeatFields | null, fields: HeartbeatFields): { [K in keyof HeartbeatFields]?: any } {
  if (said === null) return fields
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(said[name as keyof HeartbeatFields]),
    ),
  )
}

/** `retry`: again after a wait; `refind`: after looking for the coordinator; `fenced`: join anew; `fatal`: nothing helps. */
export type HeartbeatVerdict = 'ok' | 'retry' | 'refind' | 'fenced' | 'fatal'

export function heartbeatVerdict(errorCode: number): HeartbeatVerdict {
  switch (errorCode) {
    case errors.NONE.code:
      return 'ok'
    case errors.COORDINATOR_LOAD_IN_PROGRESS.code:
      return 'retry'
    case errors.COORDINATOR_NOT_AVAILABLE.code:
    case errors.NOT_COORDINATOR.code:
    case errors.REQUEST_TIMED_OUT.code:
      return 'refind'
    case errors.FENCED_MEMBER_EPOCH.code:
    case errors.UNKNOWN_MEMBER_ID.code:
      return 'fenced'
    default:
      return 'fatal'
  }
}

/** The partitions of a target by name; `unknown` topics wait for metadata. */
export function resolveTarget(
  target: readonly TargetTopic[],
  topics: readonly TopicView[],
): { readonly partitions: readonly TopicPartition[]; readonly unknown: number } {
  const names = new Map(topics.map(({ topicId, name }) => [topicId, name]))
  const known = target.filter(({ topicId }) => names.has(topicId))
  const partitions = known.flatMap(({ topicId, partitions: list }) =>
    list.map(partition => ({ topic: names.get(topicId)!, partition })),
  )
  return { partitions, unknown: target.length - known.length }
}

/** Owned partitions as heartbeats carry them, in a stable order. */
export function byTopicId(owned: readonly TopicPartition[], topics: readonly TopicView[]): TargetTopic[] {
  const ids = new Map(topics.map(({ topicId, name }) => [name, topicId]))
  const lists = new Map<string, number[]>()
  for (const { topic, partition } of owned) {
    const topicId = ids.get(topic)
    if (topicId === undefined) continue
    const list = lists.get(topicId)
    if (list === undefined) lists.set(topicId, [partition])
    else list.push(partition)
  }
  return [...lists]
    .map(([topicId, partitions]) => ({ topicId, partitions: partitions.sort((a, b) => a - b) }))
    .sort((a, b) => (a.topicId < b.topicId ? -1 : 1))
}
