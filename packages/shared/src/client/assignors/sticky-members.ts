// What the two sticky algorithms start from: who owned what, with conflicts between generations settled (Kafka's AbstractStickyAssignor).
import type { AssignorInput, AssignorMember, AssignorPartition } from './assignor.ts'
import { inHashOrder } from './java-order.rules.ts'
import { compareText } from './members.rules.ts'
import { StickyRacks } from './sticky-racks.ts'

/** What a member says that it owned, and in which generation; null when it does not know. */
export interface StickyMemory {
  readonly partitions: readonly AssignorPartition[]
  readonly generation: number | null
}

export const NO_GENERATION = -1

/** Partitions are compared by identity: every one exists once. */
export interface StickyState {
  /** Topics that exist and that somebody subscribes, sorted by name, with their partitions. */
  readonly topics: ReadonlyMap<string, readonly AssignorPartition[]>
  /** In the order of a Java HashMap. */
  readonly members: readonly AssignorMember[]
  readonly memories: ReadonlyMap<string, StickyMemory>
  /** Valid previous partitions by member id. */
  readonly owned: ReadonlyMap<string, AssignorPartition[]>
  /** Claimed by several members in one generation: nobody keeps them. */
  readonly claimedTwice: ReadonlySet<AssignorPartition>
  readonly racks: StickyRacks
  readonly allSubscriptionsEqual: boolean
  readonly maxGeneration: number
}

export function stickyState(
  { members, topics }: AssignorInput,
  memoryOf: (member: AssignorMember) => StickyMemory,
): StickyState {
  const ordered = inHashOrder(members, ({ memberId }) => memberId)
  const existing = existingTopics(ordered, topics)
  const memories = new Map(ordered.map(member => [member.memberId, memoryOf(member)]))
  const { owned, claimedTwice } = settleClaims(ordered, memories, existing)
  return {
    topics: existing,
    members: ordered,
    memories,
    owned,
    claimedTwice,
    racks: new StickyRacks(ordered, topics, [...existing.values()].flat()),
    allSubscriptionsEqual: equalSubscriptions(ordered),
    maxGeneration: Math.max(
      NO_GENERATION,
      ...[...memories.values()].map(({ generation }) => generation ?? NO_GENERATION),
    ),
  }
}

function existingTopics(
  members: readonly AssignorMember[],
  topics: AssignorInput['topics'],
): Map<string, AssignorPartition[]> {
  const subscribed = [...new Set(members.flatMap(member => member.topics))].sort(compareText)
  const existing = new Map<string, AssignorPartition[]>()
  for (const topic of subscribed) {
    const count = topics.get(topic)?.partitions ?? 0
    if (count > 0)
      existing.set(
        topic,
        Array.from({ length: count }, (_, partition) => ({ topic, partition })),
      )
  }
  return existing
}

function equalSubscriptions(members: readonly AssignorMember[]): boolean {
  const first = new Set(members.find(({ topics }) => topics.length > 0)?.topics ?? [])
  const fromFirst = members.slice(members.findIndex(({ topics }) => topics.length > 0))
  return fromFirst.every(({ topics }) => topics.length === first.size && topics.every(topic => first.has(topic)))
}

function settleClaims(
  members: readonly AssignorMember[],
  memories: ReadonlyMap<string, StickyMemory>,
  topics: ReadonlyMap<string, readonly AssignorPartition[]>,
) {
  const owned = new Map<string, AssignorPartition[]>(members.map(({ memberId }) => [memberId, []]))
  const claimedTwice = new Set<AssignorPartition>()
  const ownerOf = new Map<AssignorPartition, AssignorMember>()
  const takeFrom = (member: AssignorMember, partition: AssignorPartition) => {
    const list = owned.get(member.memberId)!
    const at = list.indexOf(partition)
    if (at >= 0) list.splice(at, 1)
  }
  for (const member of members) {
    const { partitions, generation } = memories.get(member.memberId)!
    for (const { topic, partition: number } of partitions) {
      const partition = topics.get(topic)?.[number]
      if (partition === undefined) continue
      const other = ownerOf.get(partition)
      // As Kafka does, the other's generation is that of its subscription, not of its user data.
      const order = other === undefined ? 1 : (generation ?? NO_GENERATION) - other.generationId
      if (order < 0) continue
      if (other !== undefined) takeFrom(other, partition)
      if (order === 0) claimedTwice.add(partition)
      else owned.get(member.memberId)!.push(partition)
      ownerOf.set(partition, member)
    }
  }
  return { owned, claimedTwice }
}
