// The target assignment of a consumer group: what everyone should have in the present epoch (Java: TargetAssignmentBuilder).
import { assert } from '@odradek/shared/base/assert'
import { type AssignmentSpec, serverAssignors } from './assignors/server-assignor.ts'
import { NO_PARTITIONS, samePartitions, topicsOfMember } from './consumer-group.ts'
import { targetEpochRecord, targetRecord } from './consumer-records.rules.ts'
import type { ConsumerStep } from './consumer-step.ts'
import { consumerAssignmentInterval } from './consumer-timeouts.rules.ts'
import { preferredAssignor } from './preferred-assignor.rules.ts'

/** Computes it with the assignor that the members prefer; members whose part changes get a record. */
export function updateTarget(step: ConsumerStep): void {
  const { group, context } = step
  const { groupId, groupEpoch, targetAssignment } = group
  const name = preferredAssignor(group.members.values(), context.settings)
  const assignor = serverAssignors[name]
  assert(assignor !== undefined, `assignor ${name} is known`)
  for (const [memberId, target] of assignor(specOf(step))) {
    const before = targetAssignment.get(memberId)
    if (before === undefined ? target.size > 0 : !samePartitions(before, target)) {
      step.write(targetRecord(groupId, memberId, target))
    }
  }
  step.write(targetEpochRecord(groupId, groupEpoch, context.now))
}

/**
 * Whether the group has an epoch that its target is not of yet, and its last target has stood for the assignment interval (KIP-1263): until then changes
 * gather, and the first heartbeat after it brings the target for all of them.
 */
export function isTargetDue({ group, context }: ConsumerStep): boolean {
  const { groupId, groupEpoch, assignmentEpoch, assignmentTimestampMs } = group
  if (groupEpoch <= assignmentEpoch) return false
  const elapsedMs = context.now - assignmentTimestampMs
  // A clock that was set back must not hold the group up.
  return assignmentEpoch === 0 || elapsedMs < 0 || elapsedMs >= consumerAssignmentInterval(groupId, context)
}

function specOf({ group, context }: ConsumerStep): AssignmentSpec {
  const topics = new Map<string, number>()
  const members = [...group.members.values()].map(member => {
    const ids = new Set<string>()
    for (const name of topicsOfMember(group, member)) {
      const facts = context.topics.byName(name)
      if (facts === undefined) continue
      ids.add(facts.topicId)
      topics.set(facts.topicId, facts.partitions)
    }
    const { memberId, instanceId } = member
    return { memberId, instanceId, topics: ids, target: group.targetAssignment.get(memberId) ?? NO_PARTITIONS }
  })
  return { members, topics }
}
