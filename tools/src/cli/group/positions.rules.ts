// Where a group stands in every partition that it has committed to or that a member owns. Pure.
import { nameOf } from '@odradek/consumer/partition-names.rules'
import type { CommittedOffset, GroupMember, PartitionId } from '@odradek/shared/client/admin'

export interface GroupPosition extends PartitionId {
  /** Committed; null when nothing is. */
  readonly offset: bigint | null
  readonly leaderEpoch: number | null
  readonly endOffset: bigint | null
  /** Records between them; null when one is not known. */
  readonly lag: bigint | null
  readonly member: GroupMember | null
}

/** Partitions of members first, then those that nobody owns, each by topic and partition. `endOf` gives the log's end, null when it is not known. */
export function groupPositions(
  members: readonly GroupMember[],
  committed: readonly CommittedOffset[],
  endOf: (partition: PartitionId) => bigint | null,
): readonly GroupPosition[] {
  const known = new Map(committed.map(each => [nameOf(each), each]))
  const owned = members.flatMap(member => member.assignment.map(partition => ({ ...partition, member })))
  const names = new Set(owned.map(nameOf))
  const free = committed.filter(each => !names.has(nameOf(each))).map(each => ({ ...each, member: null }))
  return [...owned.sort(byPlace), ...free.sort(byPlace)].map(({ topic, partition, member }) => {
    const found = known.get(nameOf({ topic, partition }))
    const endOffset = endOf({ topic, partition })
    const offset = found?.offset ?? null
    return {
      topic,
      partition,
      offset,
      leaderEpoch: found === undefined || found.leaderEpoch < 0 ? null : found.leaderEpoch,
      endOffset,
      lag: offset === null || endOffset === null ? null : endOffset - offset,
      member,
    }
  })
}

function byPlace(a: PartitionId, b: PartitionId): number {
  return a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1
}
