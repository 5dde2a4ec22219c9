// What happens to a member of a consumer group, whichever protocol it speaks: it is enrolled with what it says of itself, and comes one step nearer to its
// target.
import { type ConsumerGroup, type ConsumerMember, NO_PARTITIONS, ownerKey } from './consumer-group.ts'
import { currentAssignmentRecord, memberRecord, memberTombstones, targetRecord } from './consumer-records.rules.ts'
import type { ConsumerStep } from './consumer-step.ts'
import type { HeartbeatError } from './heartbeat-validation.rules.ts'
import { type ReportedPartitions, reconcile } from './reconciliation.rules.ts'
import { resolvePattern } from './subscribed-patterns.rules.ts'

/** Takes in what the member says of itself. A new member and another subscription make a new epoch. */
export function enroll(step: ConsumerStep, before: ConsumerMember, updated: ConsumerMember): HeartbeatError | null {
  const { groupId, members } = step.group
  const isNew = !members.has(before.memberId)
  const resubscribes =
    updated.subscribedTopicRegex !== before.subscribedTopicRegex ||
    updated.subscribedTopicNames.join('\n') !== before.subscribedTopicNames.join('\n')
  const pattern = updated.subscribedTopicRegex
  if (pattern && (isNew || resubscribes)) {
    const invalid = resolvePattern(step, pattern)
    if (invalid !== null) return invalid
  }
  if (isNew || resubscribes || !sameFacts(before, updated)) step.write(memberRecord(groupId, updated))
  if (resubscribes) step.dropUnusedPatterns()
  if (isNew || resubscribes || updated.serverAssignor !== before.serverAssignor) step.bumpEpoch(before.memberId)
  return null
}

function sameFacts(a: ConsumerMember, b: ConsumerMember): boolean {
  return (
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    a.instanceId === b.instanceId &&
    a.rackId === b.rackId &&
    a.rebalanceTimeoutMs === b.rebalanceTimeoutMs &&
    a.serverAssignor === b.serverAssignor &&
    a.classic?.sessionTimeoutMs === b.classic?.sessionTimeoutMs
  )
}

/** One step of reconciliation. Who waits for what this member gave up is told. */
export function moveOn(step: ConsumerStep, member: ConsumerMember, reported: ReportedPartitions): ConsumerMember {
  const { groupId, assignmentEpoch, targetAssignment, owners } = step.group
  const next = reconcile(member, {
    targetEpoch: assignmentEpoch,
    target: targetAssignment.get(member.memberId) ?? NO_PARTITIONS,
    reported,
    isFree: (topicId, partition) => {
      const owner = owners.get(ownerKey(topicId, partition))
      return owner === undefined || owner === member.memberId
    },
  })
  if (next === member) return member
  step.write(currentAssignmentRecord(groupId, next))
  step.followRevocation(next)
  tellWhoWaits(step.group, member, step)
  return step.group.members.get(member.memberId)!
}

function tellWhoWaits({ members, owners }: ConsumerGroup, before: ConsumerMember, step: ConsumerStep): void {
  const held = [before.assigned, before.pendingRevocation]
  const released = held.some(owned =>
    [...owned].some(([topicId, partitions]) => [...partitions.keys()].some(p => !owners.has(ownerKey(topicId, p)))),
  )
  if (!released) return
  for (const { memberId, state } of members.values()) if (state === 'UnreleasedPartitions') step.notify(memberId)
}

/** A static member that comes back gets what the one that left would have, without anybody else noticing. */
export function takePlace(step: ConsumerStep, left: ConsumerMember, memberId: string): ConsumerMember {
  const { groupId } = step.group
  const target = step.group.targetAssignment.get(left.memberId) ?? NO_PARTITIONS
  const member = { ...left, memberId, memberEpoch: 0, previousMemberEpoch: 0 }
  step.write(...memberTombstones(groupId, left.memberId))
  step.cancelTimers(left.memberId)
  step.write(
    memberRecord(groupId, member),
    targetRecord(groupId, memberId, target),
    currentAssignmentRecord(groupId, member),
  )
  return step.group.members.get(memberId)!
}
