// The sticky algorithm when all members subscribe to the same topics (Kafka's ConstrainedAssignmentBuilder): everybody keeps what he had up to his quota,
// the rest is dealt in turn. Linear in partitions.
import type { Assignment, AssignorPartition } from './assignor.ts'
import { compareText } from './members.rules.ts'
import type { StickyState } from './sticky-members.ts'

export interface ConstrainedResult {
  readonly assignment: Assignment
  /** Partitions that go from one member to another: cooperative members must give them up first. */
  readonly transferring: ReadonlyMap<AssignorPartition, string>
}

interface Quotas {
  readonly min: number
  readonly max: number
  /** How many members get more than the minimum. */
  readonly overMin: number
}

export function assignConstrained(state: StickyState): ConstrainedResult {
  const all = [...state.topics.values()].flat()
  const count = state.members.length
  const quotas = {
    min: Math.floor(all.length / count),
    max: Math.ceil(all.length / count),
    overMin: all.length % count,
  }
  const assignment: Assignment = new Map(state.members.map(({ memberId }) => [memberId, []]))
  const { underMin, exactlyMin, revoked } = keepOwned(state, quotas, assignment)
  const kept = new Set([...assignment.values()].flat())
  const transferring = new Map<AssignorPartition, string>()
  const unassigned = all.filter(partition => !kept.has(partition))
  deal(unassigned, underMin.sort(compareText), exactlyMin.sort(compareText), quotas, (partition, memberId) => {
    if (revoked.has(partition) || state.claimedTwice.has(partition)) transferring.set(partition, memberId)
    return assignment.get(memberId)!.push(partition)
  })
  return { assignment, transferring }
}

function keepOwned(
  { members, owned, claimedTwice }: StickyState,
  { min, max, overMin }: Quotas,
  assignment: Assignment,
) {
  const underMin: string[] = []
  let exactlyMin: string[] = []
  const revoked = new Set<AssignorPartition>()
  let atMax = 0
  for (const { memberId } of members) {
    const mine = owned
      .get(memberId)!
      .filter(partition => !claimedTwice.has(partition))
      .sort((a, b) => a.partition - b.partition || compareText(a.topic, b.topic))
    let keep = mine.length
    if (mine.length < min) underMin.push(memberId)
    else if (mine.length >= max && atMax < overMin) {
      keep = max
      if (++atMax === overMin) exactlyMin = []
    } else {
      keep = min
      if (atMax < overMin) exactlyMin.push(memberId)
    }
    assignment.get(memberId)!.push(...mine.slice(0, keep))
    for (const partition of mine.slice(keep)) revoked.add(partition)
  }
  return { underMin, exactlyMin, revoked }
}

/** Round-robin over those below the minimum; then one more each for those at the minimum, in order. */
function deal(
  partitions: readonly AssignorPartition[],
  underMin: string[],
  exactlyMin: string[],
  { min }: Quotas,
  give: (partition: AssignorPartition, memberId: string) => number,
): void {
  let turn = 0
  for (const partition of partitions) {
    if (underMin.length === 0) {
      give(partition, exactlyMin.shift()!)
      continue
    }
    if (turn >= underMin.length) turn = 0
    const memberId = underMin[turn]!
    if (give(partition, memberId) === min) {
      underMin.splice(turn, 1)
      exactlyMin.push(memberId)
    } else turn++
  }
}
