// Racks in the sticky algorithms (KIP-881; Kafka's AbstractStickyAssignor.RackInfo): who may keep a partition, who is asked first, and which partitions are
// hardest to place.
import type { AssignorMember, AssignorPartition, AssignorTopic } from './assignor.ts'

export class StickyRacks {
  /** Whether racks decide anything: members have some, partitions too, and not every partition is in all of them. */
  readonly isUsed: boolean
  readonly #rackOf: ReadonlyMap<string, string>
  readonly #racksOf: ReadonlyMap<AssignorPartition, ReadonlySet<string>>
  /** Members in the racks of a partition; empty when no member has a rack. */
  readonly #membersNear: ReadonlyMap<AssignorPartition, number>

  constructor(
    members: readonly AssignorMember[],
    topics: ReadonlyMap<string, AssignorTopic>,
    partitions: Iterable<AssignorPartition>,
  ) {
    const rackOf = new Map(
      members.flatMap(({ memberId, rackId }): [string, string][] => (rackId ? [[memberId, rackId]] : [])),
    )
    const count = new Map<string, number>()
    for (const rack of rackOf.values()) count.set(rack, (count.get(rack) ?? 0) + 1)
    const racksOf = new Map<AssignorPartition, ReadonlySet<string>>()
    if (rackOf.size > 0) {
      for (const each of partitions) racksOf.set(each, new Set(topics.get(each.topic)?.racks?.[each.partition] ?? []))
    }
    const all = new Set([...racksOf.values()].flatMap(racks => [...racks]))
    const isShared = [...count.keys()].some(rack => all.has(rack))
    this.isUsed = isShared && [...racksOf.values()].some(racks => racks.size < all.size)
    this.#rackOf = this.isUsed ? rackOf : new Map()
    this.#racksOf = this.isUsed ? racksOf : new Map()
    this.#membersNear = new Map(
      [...racksOf].map(([each, racks]) => [each, [...racks].reduce((sum, rack) => sum + (count.get(rack) ?? 0), 0)]),
    )
  }

  /** The member has a rack, and the partition has no replica in it. */
  mismatch(memberId: string, partition: AssignorPartition): boolean {
    const rack = this.#rackOf.get(memberId)
    return rack !== undefined && !this.#racksOf.get(partition)?.has(rack)
  }

  /** Those first that fewest members are near to; otherwise in the order given. */
  hardestFirst(partitions: readonly AssignorPartition[]): AssignorPartition[] {
    const near = (partition: AssignorPartition) => this.#membersNear.get(partition) ?? 0
    return [...partitions].sort((a, b) => near(a) - near(b))
  }

  /** Index of the first member, going round from `start`, that is in a rack of the partition; -1 none. */
  nextNear(partition: AssignorPartition, memberIds: readonly string[], start: number): number {
    const racks = this.#racksOf.get(partition)
    for (let step = 0; step < memberIds.length; step++) {
      const at = (start + step) % memberIds.length
      const rack = this.#rackOf.get(memberIds[at]!)
      if (rack !== undefined && racks?.has(rack)) return at
    }
    return -1
  }
}
