// How a member of a consumer group comes from what it has to what it should have (KIP-848; Java: CurrentAssignmentBuilder). Pure: member + target ->
// next member. A partition is given only when nobody holds it any more, and whoever has to give some up first says that it did.
//
//   Stable ──target moved on──► UnrevokedPartitions ──gave them up──► Stable, or
//      ▲                                                             UnreleasedPartitions: epoch of the target, waiting for others
//      └───────────────────────────── the others gave them up ───────────┘
import type { ConsumerMember, OwnedPartitions, Partitions } from './consumer-group.ts'

/** What a member reports to own; null: as last reported. */
export type ReportedPartitions = Partitions | null

export interface Reconciliation {
  /** Epoch of the target assignment. */
  readonly targetEpoch: number
  readonly target: Partitions
  readonly reported: ReportedPartitions
  /** Whether nobody has the partition, or has not confirmed to have given it up. */
  readonly isFree: (topicId: string, partition: number) => boolean
}

/** The member after this heartbeat; the same object when nothing changes. */
export function reconcile(member: ConsumerMember, reconciliation: Reconciliation): ConsumerMember {
  switch (member.state) {
    case 'Stable':
      return member.memberEpoch === reconciliation.targetEpoch
        ? member
        : towardsTarget(member, member.memberEpoch, reconciliation)
    case 'UnrevokedPartitions':
      return holdsAny(reconciliation.reported, member.pendingRevocation)
        ? member
        : towardsTarget(member, member.memberEpoch + 1, reconciliation)
    case 'UnreleasedPartitions':
      return towardsTarget(member, member.memberEpoch, reconciliation)
    case 'Unknown':
      return towardsTarget(member, reconciliation.targetEpoch, reconciliation)
  }
}

function towardsTarget(member: ConsumerMember, epoch: number, reconciliation: Reconciliation): ConsumerMember {
  const { target, targetEpoch, reported } = reconciliation
  const { kept, revoked } = divide(member.assigned, target)
  if (revoked.size > 0 && holdsAny(reported, revoked)) {
    // It stays in its epoch until it has given them up.
    return changed(member, epoch, { state: 'UnrevokedPartitions', assigned: kept, pendingRevocation: revoked })
  }
  const { assigned, isWaiting } = take(kept, reconciliation)
  const state = isWaiting ? 'UnreleasedPartitions' : 'Stable'
  return changed(member, targetEpoch, { state, assigned, pendingRevocation: new Map() })
}

/** What the member may keep, and what it has to give up. */
function divide(assigned: OwnedPartitions, target: Partitions) {
  const kept = new Map<string, Map<number, number>>()
  const revoked = new Map<string, Map<number, number>>()
  for (const [topicId, partitions] of assigned) {
    const wanted = target.get(topicId)
    for (const [partition, epoch] of partitions) put(wanted?.has(partition) ? kept : revoked, topicId, partition, epoch)
  }
  return { kept, revoked }
}

/** What it kept and what is free of the rest of its target. */
function take(kept: Map<string, Map<number, number>>, { target, targetEpoch, isFree }: Reconciliation) {
  let isWaiting = false
  for (const [topicId, partitions] of target) {
    for (const partition of partitions) {
      if (kept.get(topicId)?.has(partition)) continue
      if (isFree(topicId, partition)) put(kept, topicId, partition, targetEpoch)
      else isWaiting = true
    }
  }
  return { assigned: kept, isWaiting }
}

function put(owned: Map<string, Map<number, number>>, topicId: string, partition: number, epoch: number): void {
  const partitions = owned.get(topicId)
  if (partitions === undefined) owned.set(topicId, new Map([[partition, epoch]]))
  else partitions.set(partition, epoch)
}

/** Whether the member may still hold some of these; without a report it may. */
function holdsAny(reported: ReportedPartitions, owned: OwnedPartitions): boolean {
  if (reported === null) return true
  for (const [topicId, partitions] of reported) {
    const others = owned.get(topicId)
    if (others === undefined) continue
    for (const partition of partitions) if (others.has(partition)) return true
  }
  return false
}

type Current = Pick<ConsumerMember, 'state' | 'assigned' | 'pendingRevocation'>

function changed(member: ConsumerMember, memberEpoch: number, current: Current): ConsumerMember {
  const isSame =
    member.memberEpoch === memberEpoch &&
    member.state === current.state &&
    sizeOf(member.assigned) === sizeOf(current.assigned) &&
    sizeOf(member.pendingRevocation) === sizeOf(current.pendingRevocation) &&
    [...current.assigned].every(([topicId, partitions]) =>
      [...partitions.keys()].every(partition => member.assigned.get(topicId)?.has(partition)),
    )
  return isSame ? member : { ...member, ...current, memberEpoch, previousMemberEpoch: member.memberEpoch }
}

function sizeOf(owned: OwnedPartitions): number {
  let size = 0
  for (const partitions of owned.values()) size += partitions.size
  return size
}
