// The sticky algorithm when members subscribe to different topics (Kafka's GeneralAssignmentBuilder): keep what is still valid, give what is left to whoever
// has least, then move partitions as long as that makes the whole more even; undo it all if it did not.
import type { Assignment, AssignorMember, AssignorPartition } from './assignor.ts'
import { compareText } from './members.rules.ts'
import { NO_GENERATION, type StickyState } from './sticky-members.ts'
import { StickyMovements } from './sticky-movements.ts'

export function assignGeneral(state: StickyState): Assignment {
  return new GeneralAssignment(state).build()
}

class GeneralAssignment {
  readonly #state: StickyState
  /** Members of each topic, topics of each member; only topics that exist. */
  readonly #membersOf = new Map<string, string[]>()
  readonly #topicsOf = new Map<string, Set<string>>()
  readonly #assigned = new Map<string, Set<AssignorPartition>>()
  readonly #ownerOf = new Map<AssignorPartition, string>()
  /** Members that take part, fewest partitions first, then by id. */
  #order: string[] = []
  readonly #movements = new StickyMovements()
  #revocationRequired = false

  constructor(state: StickyState) {
    this.#state = state
    for (const topic of state.topics.keys()) this.#membersOf.set(topic, [])
    for (const { memberId, topics } of state.members) {
      const existing = topics.filter(topic => state.topics.has(topic))
      this.#topicsOf.set(memberId, new Set(existing))
      for (const topic of existing) this.#membersOf.get(topic)!.push(memberId)
    }
  }

  build(): Assignment {
    for (const member of this.#state.members) this.#keepOwned(member)
    const topics = [...this.#state.topics.keys()].sort(
      (a, b) => this.#membersOf.get(a)!.length - this.#membersOf.get(b)!.length || compareText(a, b),
    )
    const all = topics.flatMap(topic => this.#state.topics.get(topic)!)
    const kept = new Set([...this.#assigned.values()].flatMap(partitions => [...partitions]))
    const unassigned = all.filter(partition => !kept.has(partition))
    for (const { memberId } of this.#state.members) this.#place(memberId)
    this.#balance(all, unassigned)
    return new Map(this.#state.members.map(({ memberId }) => [memberId, [...this.#assigned.get(memberId)!]]))
  }

  #keepOwned({ memberId }: AssignorMember): void {
    const mine = this.#state.owned.get(memberId)!
    const valid = mine.filter(
      partition =>
        this.#topicsOf.get(memberId)!.has(partition.topic) && !this.#state.racks.mismatch(memberId, partition),
    )
    if (valid.length < mine.length) this.#revocationRequired = true
    this.#assigned.set(memberId, new Set(valid))
    for (const partition of mine) this.#ownerOf.set(partition, memberId)
  }

  /** Where a partition was in an older generation than the newest that anybody knows. */
  #previousOwners(): Map<AssignorPartition, string> {
    const { members, memories, topics, maxGeneration } = this.#state
    const previous = new Map<AssignorPartition, { memberId: string; generation: number }>()
    for (const { memberId } of members) {
      const { partitions, generation } = memories.get(memberId)!
      const known = generation ?? NO_GENERATION
      if (known >= maxGeneration) continue
      for (const { topic, partition: number } of partitions) {
        const partition = topics.get(topic)?.[number]
        if (partition === undefined) continue
        const before = previous.get(partition)
        if (before === undefined || known > before.generation) previous.set(partition, { memberId, generation: known })
      }
    }
    return new Map([...previous].map(([partition, { memberId }]) => [partition, memberId]))
  }

  #balance(all: readonly AssignorPartition[], unassigned: readonly AssignorPartition[]): void {
    const initializing = this.#count(this.#order.at(-1)!) === 0
    const { racks } = this.#state
    const left = racks.isUsed ? this.#deal(unassigned, (id, partition) => !racks.mismatch(id, partition)) : unassigned
    this.#deal(left, () => true)
    const isMovable = ({ topic }: AssignorPartition) => this.#membersOf.get(topic)!.length >= 2
    this.#order = this.#order.filter(memberId => this.#canTakePart(memberId))
    if (this.#order.length === 0) return
    const before = new Map(this.#order.map(memberId => [memberId, new Set(this.#assigned.get(memberId)!)]))
    const scoreBefore = this.#score()
    const previous = this.#previousOwners()
    if (!this.#revocationRequired) this.#reassign(unassigned.filter(isMovable), previous)
    const moved = this.#reassign(all.filter(isMovable), previous)
    if (initializing || !moved || this.#score() < scoreBefore) return
    for (const [memberId, partitions] of before) this.#assigned.set(memberId, partitions)
  }

  /** Each to the first in the order that subscribes and may take it; answers those that nobody took. */
  #deal(
    partitions: readonly AssignorPartition[],
    mayTake: (memberId: string, partition: AssignorPartition) => boolean,
  ): readonly AssignorPartition[] {
    return partitions.filter(partition => {
      const subscribes = (memberId: string) => this.#topicsOf.get(memberId)!.has(partition.topic)
      const taker = this.#order.find(memberId => subscribes(memberId) && mayTake(memberId, partition))
      if (taker !== undefined) this.#give(partition, taker)
      return taker === undefined
    })
  }

  #reassign(partitions: readonly AssignorPartition[], previous: ReadonlyMap<AssignorPartition, string>): boolean {
    let moved = false
    for (let modified = true; modified; ) {
      modified = false
      for (const partition of partitions) {
        if (this.#isBalanced()) break
        const to = this.#betterOwner(partition, previous)
        if (to === null) continue
        this.#move(partition, to)
        moved = true
        modified = true
      }
    }
    return moved
  }

  /** Its previous owner if that has clearly less; else, if anybody who could take it has, the one who has least. */
  #betterOwner(partition: AssignorPartition, previous: ReadonlyMap<AssignorPartition, string>): string | null {
    const count = this.#count(this.#ownerOf.get(partition)!)
    const before = previous.get(partition)
    if (before !== undefined && count > this.#count(before) + 1) return before
    const candidates = this.#membersOf.get(partition.topic)!
    if (!candidates.some(memberId => count > this.#count(memberId) + 1)) return null
    return this.#order.find(memberId => this.#topicsOf.get(memberId)!.has(partition.topic))!
  }

  #move(partition: AssignorPartition, to: string): void {
    const actual = this.#movements.actual(partition, this.#ownerOf.get(partition)!, to)
    const from = this.#ownerOf.get(actual)!
    this.#movements.record(actual, from, to)
    this.#unplace(from)
    this.#assigned.get(from)!.delete(actual)
    this.#place(from)
    this.#give(actual, to)
  }

  #give(partition: AssignorPartition, memberId: string): void {
    this.#unplace(memberId)
    this.#assigned.get(memberId)!.add(partition)
    this.#ownerOf.set(partition, memberId)
    this.#place(memberId)
  }

  #isBalanced(): boolean {
    if (this.#count(this.#order[0]!) >= this.#count(this.#order.at(-1)!) - 1) return true
    for (const memberId of this.#order) {
      const mine = this.#assigned.get(memberId)!
      if (mine.size === this.#most(memberId)) continue
      for (const topic of this.#topicsOf.get(memberId)!) {
        for (const partition of this.#state.topics.get(topic)!) {
          if (!mine.has(partition) && mine.size + 1 < this.#count(this.#ownerOf.get(partition)!)) return false
        }
      }
    }
    return true
  }

  #canTakePart(memberId: string): boolean {
    if (this.#count(memberId) < this.#most(memberId)) return true
    return [...this.#assigned.get(memberId)!].some(({ topic }) => this.#membersOf.get(topic)!.length >= 2)
  }

  /** Partitions of all topics that the member subscribes. */
  #most(memberId: string): number {
    let sum = 0
    for (const topic of this.#topicsOf.get(memberId)!) sum += this.#state.topics.get(topic)!.length
    return sum
  }

  #count(memberId: string): number {
    return this.#assigned.get(memberId)?.size ?? 0
  }

  /** Sum of the differences of all pairs of members: 0 is perfectly even. */
  #score(): number {
    const counts = this.#order.map(memberId => this.#count(memberId))
    let score = 0
    for (let a = 0; a < counts.length; a++)
      for (let b = a + 1; b < counts.length; b++) score += Math.abs(counts[a]! - counts[b]!)
    return score
  }

  #unplace(memberId: string): void {
    const at = this.#order.indexOf(memberId)
    if (at >= 0) this.#order.splice(at, 1)
  }

  #place(memberId: string): void {
    const count = this.#count(memberId)
    let low = 0
    let high = this.#order.length
    while (low < high) {
      const middle = (low + high) >> 1
      const other = this.#order[middle]!
      if ((this.#count(other) - count || compareText(other, memberId)) < 0) low = middle + 1
      else high = middle
    }
    this.#order.splice(low, 0, memberId)
  }
}
