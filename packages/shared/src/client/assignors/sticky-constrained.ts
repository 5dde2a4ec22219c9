// The sticky algorithm when all members subscribe to the same topics (Kafka's ConstrainedAssignmentBuilder): everybody keeps what he had up to his quota,
// the rest is dealt in turn. Linear in partitions.
import type { Assignment, AssignorPartition } from './assignor.ts'
import { compareText } from './members.rules.ts'
import type { StickyState } from './sticky-members.ts'
import type { StickyRacks } from './sticky-racks.ts'

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
  const { unfilled, revoked } = keepOwned(state, quotas, assignment)
  const kept = new Set([...assignment.values()].flat())
  const transferring = new Map<AssignorPartition, string>()
  const unassigned = state.racks.hardestFirst(all.filter(partition => !kept.has(partition)))
  unfilled.underMin.sort(compareText)
  unfilled.exactlyMin.sort(compareText)
  const give = (partition: AssignorPartition, memberId: string) => {
    const before = revoked.get(partition)
    if ((before !== undefined && before !== memberId) || state.claimedTwice.has(partition))
      transferring.set(partition, memberId)
    return assignment.get(memberId)!.push(partition)
  }
  const left = state.racks.isUsed ? dealNear(state.racks, unassigned, unfilled, quotas, assignment, give) : unassigned
  deal(left, unfilled, quotas, give)
  return { assignment, transferring }
}

/** Members that may get more; taken from and added to while partitions are dealt. */
interface Unfilled {
  readonly underMin: string[]
  readonly exactlyMin: string[]
  /** Members above the minimum. */
  overMin: number
}

/** Resolves to how many the member then has. */
type Give = (partition: AssignorPartition, memberId: string) => number

function keepOwned(
  { members, owned, claimedTwice, racks }: StickyState,
  { min, max, overMin }: Quotas,
  assignment: Assignment,
) {
  const underMin: string[] = []
  let exactlyMin: string[] = []
  /** Partitions that their owner may lose, with that owner. */
  const revoked = new Map<AssignorPartition, string>()
  let atMax = 0
  for (const { memberId } of members) {
    const claimed = owned.get(memberId)!
    for (const partition of claimed) if (racks.mismatch(memberId, partition)) revoked.set(partition, memberId)
    const mine = claimed
      .filter(partition => !racks.mismatch(memberId, partition) && !claimedTwice.has(partition))
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
    for (const partition of mine.slice(keep)) revoked.set(partition, memberId)
  }
  const unfilled: Unfilled = { underMin, exactlyMin, overMin: atMax }
  return { unfilled, revoked }
}

/** Round-robin among the members in a rack of each partition; resolves to the partitions that nobody near could take. */
function dealNear(
  racks: StickyRacks,
  partitions: readonly AssignorPartition[],
  unfilled: Unfilled,
  quotas: Quotas,
  assignment: Assignment,
  give: Give,
): AssignorPartition[] {
  const { underMin, exactlyMin } = unfilled
  const left: AssignorPartition[] = []
  let turn = 0
  for (const partition of partitions) {
    const at = racks.nextNear(partition, underMin, turn)
    const one = at >= 0 ? -1 : racks.nextNear(partition, exactlyMin, 0)
    const memberId = underMin[at] ?? exactlyMin[one]
    if (memberId === undefined) {
      left.push(partition)
      continue
    }
    const count = assignment.get(memberId)!.length + 1
    if (at >= 0) turn = afterUnderMin(unfilled, at, count, quotas)
    else if (count === quotas.max) fillUp(unfilled, one, quotas)
    give(partition, memberId)
  }
  return left
}

/** The member at `at` has `count` then; whose turn is next. */
function afterUnderMin(unfilled: Unfilled, at: number, count: number, { min, max, overMin }: Quotas): number {
  const { underMin, exactlyMin } = unfilled
  let next = at + 1
  if (count >= min) {
    const [memberId] = underMin.splice(at, 1)
    if (count < max && unfilled.overMin < overMin) exactlyMin.push(memberId!)
    next = at
  }
  return underMin.length === 0 ? 0 : next % underMin.length
}

function fillUp(unfilled: Unfilled, at: number, { overMin }: Quotas): void {
  unfilled.exactlyMin.splice(at, 1)
  if (++unfilled.overMin === overMin) unfilled.exactlyMin.length = 0
}

/** Round-robin over those below the minimum; then one more each for those at the minimum, in order. */
function deal(
  partitions: readonly AssignorPartition[],
  { underMin, exactlyMin }: Unfilled,
  { min }: Quotas,
  give: Give,
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
