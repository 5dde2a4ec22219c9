// How the records of the consumer protocol change a consumer group. Called by `replayGroupRecord` only.
import { assert } from '@odradek/shared/base/assert'
import {
  type ConsumerGroup,
  type ConsumerMember,
  type ConsumerMemberState,
  emptyConsumerGroup,
  NO_OWNED_PARTITIONS,
  newConsumerMember,
  type OwnedPartitions,
  ownerKey,
  partitionsOf,
} from './consumer-group.ts'
import type { GroupRecord, RecordOf } from './group.records.ts'
import type { Groups } from './groups.ts'

type ConsumerRecord = Exclude<GroupRecord, { kind: 'OffsetCommit' | 'GroupMetadata' }>
type StoredPartitions = NonNullable<RecordOf<'ConsumerGroupCurrentMemberAssignment'>['value']>['assignedPartitions']

export function replayConsumerRecord(state: Groups, record: ConsumerRecord): void {
  const { groupId } = record.key
  if (record.value === null) {
    const group = state.groups.get(groupId)
    if (group?.type === 'consumer') removeFrom(state, group, record)
    return
  }
  const group = consumerGroupOf(state, groupId)
  switch (record.kind) {
    case 'ConsumerGroupMetadata':
      group.groupEpoch = record.value.epoch
      group.metadataHash = record.value.metadataHash
      break
    case 'ConsumerGroupMemberMetadata':
      setMember(group, record.key.memberId, memberFacts(record.value))
      break
    case 'ConsumerGroupTargetAssignmentMetadata':
      group.assignmentEpoch = record.value.assignmentEpoch
      group.assignmentTimestampMs = record.value.assignmentTimestamp
      break
    case 'ConsumerGroupTargetAssignmentMember':
      group.targetAssignment.set(record.key.memberId, partitionsOf(record.value.topicPartitions))
      break
    case 'ConsumerGroupCurrentMemberAssignment':
      setCurrentAssignment(group, record.key.memberId, record.value)
      break
    case 'ConsumerGroupRegularExpression':
      group.patterns.set(record.key.regularExpression, { topics: record.value.topics, version: -1 })
      break
  }
}

function consumerGroupOf({ groups }: Groups, groupId: string): ConsumerGroup {
  const present = groups.get(groupId)
  // A group that had offsets only, or was of the classic protocol before.
  if (present?.type === 'consumer') return present
  const group = emptyConsumerGroup(groupId)
  groups.set(groupId, group)
  return group
}

function removeFrom({ groups }: Groups, group: ConsumerGroup, record: ConsumerRecord): void {
  switch (record.kind) {
    case 'ConsumerGroupMetadata':
      groups.delete(group.groupId)
      break
    case 'ConsumerGroupMemberMetadata':
      removeMember(group, record.key.memberId)
      break
    case 'ConsumerGroupTargetAssignmentMetadata':
      group.assignmentEpoch = 0
      group.assignmentTimestampMs = 0
      break
    case 'ConsumerGroupTargetAssignmentMember':
      group.targetAssignment.delete(record.key.memberId)
      break
    case 'ConsumerGroupCurrentMemberAssignment':
      setCurrentAssignment(group, record.key.memberId, null)
      break
    case 'ConsumerGroupRegularExpression':
      group.patterns.delete(record.key.regularExpression)
      break
  }
}

function memberFacts(value: NonNullable<RecordOf<'ConsumerGroupMemberMetadata'>['value']>): Partial<ConsumerMember> {
  const { classicMemberMetadata } = value
  return {
    instanceId: value.instanceId,
    rackId: value.rackId,
    clientId: value.clientId,
    clientHost: value.clientHost,
    rebalanceTimeoutMs: value.rebalanceTimeoutMs,
    serverAssignor: value.serverAssignor,
    subscribedTopicNames: value.subscribedTopicNames,
    subscribedTopicRegex: value.subscribedTopicRegex,
    classic:
      classicMemberMetadata === null
        ? null
        : {
            sessionTimeoutMs: classicMemberMetadata.sessionTimeoutMs,
            supportedProtocols: classicMemberMetadata.supportedProtocols.map(({ name, metadata }) => ({
              name,
              metadata: metadata.slice(),
            })),
          },
  }
}

function setMember(group: ConsumerGroup, memberId: string, facts: Partial<ConsumerMember>): void {
  const member = { ...(group.members.get(memberId) ?? newConsumerMember(memberId)), ...facts }
  group.members.set(memberId, member)
  if (member.instanceId !== null) group.staticMembers.set(member.instanceId, memberId)
}

function removeMember(group: ConsumerGroup, memberId: string): void {
  const member = group.members.get(memberId)
  if (member === undefined) return
  setCurrentAssignment(group, memberId, null)
  group.members.delete(memberId)
  const { instanceId } = member
  // Its successor may have taken the name already.
  if (instanceId !== null && group.staticMembers.get(instanceId) === memberId) group.staticMembers.delete(instanceId)
}

const states: { readonly [state: number]: ConsumerMemberState } = {
  0: 'Stable',
  1: 'UnrevokedPartitions',
  2: 'UnreleasedPartitions',
}

function setCurrentAssignment(
  group: ConsumerGroup,
  memberId: string,
  value: RecordOf<'ConsumerGroupCurrentMemberAssignment'>['value'],
): void {
  const before = group.members.get(memberId)
  if (before !== undefined) release(group, before)
  if (value === null) {
    if (before !== undefined) {
      const { memberEpoch, previousMemberEpoch, state, assigned, pendingRevocation } = newConsumerMember(memberId)
      setMember(group, memberId, { memberEpoch, previousMemberEpoch, state, assigned, pendingRevocation })
    }
    return
  }
  const current = {
    memberEpoch: value.memberEpoch,
    previousMemberEpoch: value.previousMemberEpoch,
    state: states[value.state] ?? 'Unknown',
    assigned: ownedOf(value.assignedPartitions, value.memberEpoch),
    pendingRevocation: ownedOf(value.partitionsPendingRevocation, value.memberEpoch),
  } as const
  setMember(group, memberId, current)
  for (const owned of [current.assigned, current.pendingRevocation]) {
    for (const [topicId, partitions] of owned) {
      for (const partition of partitions.keys()) claim(group, memberId, topicId, partition)
    }
  }
}

function claim(group: ConsumerGroup, memberId: string, topicId: string, partition: number): void {
  const key = ownerKey(topicId, partition)
  const owner = group.owners.get(key)
  assert(owner === undefined || owner === memberId, `${key} has one owner: ${owner} and not ${memberId}`)
  group.owners.set(key, memberId)
}

function release(group: ConsumerGroup, { memberId, assigned, pendingRevocation }: ConsumerMember): void {
  for (const owned of [assigned, pendingRevocation]) {
    for (const [topicId, partitions] of owned) {
      for (const partition of partitions.keys()) {
        const key = ownerKey(topicId, partition)
        if (group.owners.get(key) === memberId) group.owners.delete(key)
      }
    }
  }
}

/** Without stored epochs (written before KIP-1251) a partition counts as assigned in the member's epoch. */
function ownedOf(list: StoredPartitions, memberEpoch: number): OwnedPartitions {
  if (list.length === 0) return NO_OWNED_PARTITIONS
  return new Map(
    list.map(({ topicId, partitions, assignmentEpochs }) => [
      topicId,
      new Map(partitions.map((partition, index) => [partition, assignmentEpochs?.[index] ?? memberEpoch])),
    ]),
  )
}
