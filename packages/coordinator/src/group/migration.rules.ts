// How a group changes its protocol while members are in it (KIP-848, `group.consumer.migration.policy`; Java: GroupMetadataManager.convertToConsumerGroup and
// convertToClassicGroup). Up: the first member of the consumer protocol comes to a group of classic consumers; these stay, and are led through the
// new epochs by the answers to their old requests. Down: the last member of the consumer protocol leaves, or comes back with the classic one in its static place,
// and those that are there rebalance as before.
import { errors } from '@odradek/shared/protocol/error-codes'
import { consumerProtocolAssignment } from '@odradek/shared/protocol/stored/consumer-protocol.records'
import { decodeVersionedLenient } from '@odradek/shared/protocol/stored/versioned'
import { NO_TICKET } from '../runtime/effects.ts'
import { consumerAssignmentBytes } from './classic-assignment.rules.ts'
import { send } from './classic-effects.ts'
import {
  type ClassicGroup,
  type ClassicMember,
  CONSUMER_PROTOCOL_TYPE,
  emptyClassicGroup,
  putMember,
} from './classic-group.ts'
import { classicGroupTombstone } from './classic-records.rules.ts'
import { ClassicStep, joinTimer, refusedJoin, refusedSync, syncTimer } from './classic-step.ts'
import { type ConsumerMember, emptyConsumerGroup, newConsumerMember, ownerKey } from './consumer-group.ts'
import {
  consumerGroupTombstones,
  currentAssignmentRecord,
  epochRecord,
  memberRecord,
  targetEpochRecord,
  targetRecord,
} from './consumer-records.rules.ts'
import { ConsumerStep } from './consumer-step.ts'
import type { GroupContext } from './groups.ts'
import { selectProtocol } from './protocol-vote.rules.ts'
import { metadataHashOf } from './subscribed-topics.rules.ts'
import { readSubscription } from './subscriptions.rules.ts'

/** The classic group as a consumer group; null when it cannot become one. One that nobody is in always can. */
export function upgrade(group: ClassicGroup, context: GroupContext): ConsumerStep | null {
  const { groupId, members, generationId } = group
  const step = new ConsumerStep(emptyConsumerGroup(groupId), context, [classicGroupTombstone(groupId)])
  if (group.state === 'Empty') return step
  const { migrationPolicy, consumerSizeMax } = context.settings
  const isAllowed = migrationPolicy === 'upgrade' || migrationPolicy === 'bidirectional'
  if (!isAllowed || group.protocolType !== CONSUMER_PROTOCOL_TYPE || members.size > consumerSizeMax) return null
  const taken = new Set<string>()
  for (const member of members.values()) {
    const migrated = migratedMember(member, generationId, context, taken)
    if (migrated === null) return null
    const target = new Map([...migrated.assigned].map(([topicId, owned]) => [topicId, new Set(owned.keys())]))
    const { memberId } = member
    step.write(memberRecord(groupId, migrated), targetRecord(groupId, memberId, target))
    step.write(currentAssignmentRecord(groupId, migrated))
    step.armSession(memberId, member.sessionTimeoutMs)
    answerWhoWaits(step, member)
    step.notify(memberId)
  }
  step.write(epochRecord(groupId, generationId, metadataHashOf(step.group, context.topics)))
  step.write(targetEpochRecord(groupId, generationId, context.now))
  step.effect({ kind: 'cancelTimer', key: joinTimer(groupId) })
  step.effect({ kind: 'cancelTimer', key: syncTimer(groupId) })
  return step
}

/** Whoever waits for the generation that will not come is told to join anew. */
function answerWhoWaits(step: ConsumerStep, { memberId, joining, syncing }: ClassicMember): void {
  const errorCode = errors.REBALANCE_IN_PROGRESS.code
  if (joining !== NO_TICKET) step.effect({ kind: 'reply', ticket: joining, reply: refusedJoin(memberId, errorCode) })
  if (syncing !== NO_TICKET) step.effect({ kind: 'reply', ticket: syncing, reply: refusedSync(errorCode) })
}

/** Null: its subscription cannot be read. Partitions that two members claim stay with the first. */
function migratedMember(
  member: ClassicMember,
  generationId: number,
  { topics }: GroupContext,
  taken: Set<string>,
): ConsumerMember | null {
  const subscription = readSubscription(member.protocols[0]!.metadata)
  if (subscription === null) return null
  const assigned = new Map<string, Map<number, number>>()
  for (const { topic, partitions } of readAssignment(member.assignment)) {
    const topicId = topics.byName(topic)?.topicId
    if (topicId === undefined) continue
    const free = partitions.filter(partition => !taken.has(ownerKey(topicId, partition)))
    for (const partition of free) taken.add(ownerKey(topicId, partition))
    if (free.length > 0) assigned.set(topicId, new Map(free.map(partition => [partition, generationId])))
  }
  return {
    ...newConsumerMember(member.memberId),
    instanceId: member.groupInstanceId,
    rackId: subscription.rackId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    subscribedTopicNames: [...new Set(subscription.topics)].sort(),
    classic: { sessionTimeoutMs: member.sessionTimeoutMs, supportedProtocols: member.protocols },
    memberEpoch: generationId,
    previousMemberEpoch: generationId,
    assigned,
  }
}

function readAssignment(bytes: Uint8Array) {
  if (bytes.length === 0) return []
  try {
    return decodeVersionedLenient(consumerProtocolAssignment, bytes).assignedPartitions
  } catch {
    return []
  }
}

/** Members leave for good. If only members of the classic protocol stay, the group becomes classic again, where that is allowed. */
export function removeMembers(step: ConsumerStep, memberIds: readonly string[]): void {
  const hadConsumers = memberIds.some(memberId => step.group.members.get(memberId)?.classic === null)
  step.remove(memberIds)
  if (hadConsumers && mayDowngrade(step)) downgrade(step)
}

/** Whether all members speak the classic protocol, and the group may be one of it. */
export function mayDowngrade({ group, context }: ConsumerStep): boolean {
  const { migrationPolicy, classicSizeMax } = context.settings
  const members = [...group.members.values()]
  const isAllowed = migrationPolicy === 'downgrade' || migrationPolicy === 'bidirectional'
  const fits = members.length > 0 && members.length <= classicSizeMax
  return isAllowed && fits && members.every(({ classic }) => classic !== null)
}

export function downgrade(step: ConsumerStep): void {
  const { group, context } = step
  const classic = emptyClassicGroup(group.groupId, context.now)
  classic.state = 'Stable'
  classic.generationId = group.groupEpoch
  classic.protocolType = CONSUMER_PROTOCOL_TYPE
  for (const member of group.members.values()) {
    const { memberId, instanceId } = member
    step.cancelTimers(memberId)
    putMember(classic, {
      memberId,
      groupInstanceId: instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      sessionTimeoutMs: member.classic!.sessionTimeoutMs,
      protocols: member.classic!.supportedProtocols,
      assignment: consumerAssignmentBytes(member, context.topics),
      isNew: false,
      joining: NO_TICKET,
      syncing: NO_TICKET,
    })
    if (instanceId !== null) classic.staticMembers.set(instanceId, memberId)
    classic.leaderId ??= memberId
  }
  classic.protocolName = selectProtocol(classic)
  const next = new ClassicStep(classic, context)
  for (const member of next.group.members.values()) next.armSession(member)
  next.store()
  send(next, { type: 'rebalance.needed' })
  step.become(consumerGroupTombstones(group), next.decision())
}
