// The records of a consumer group, made from its parts (Java: GroupCoordinatorRecordHelpers). Pure.
import type {
  ConsumerGroup,
  ConsumerMember,
  ConsumerMemberState,
  OwnedPartitions,
  Partitions,
} from './consumer-group.ts'
import { partitionList } from './consumer-group.ts'
import type { GroupRecord } from './group.records.ts'

export function memberRecord(groupId: string, member: ConsumerMember): GroupRecord {
  const { memberId, classic } = member
  return {
    kind: 'ConsumerGroupMemberMetadata',
    key: { groupId, memberId },
    value: {
      instanceId: member.instanceId,
      rackId: member.rackId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: [...member.subscribedTopicNames].sort(),
      subscribedTopicRegex: member.subscribedTopicRegex,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      serverAssignor: member.serverAssignor,
      classicMemberMetadata:
        classic === null
          ? null
          : { sessionTimeoutMs: classic.sessionTimeoutMs, supportedProtocols: [...classic.supportedProtocols] },
    },
  }
}

export function epochRecord(groupId: string, epoch: number, metadataHash: number): GroupRecord {
  return { kind: 'ConsumerGroupMetadata', key: { groupId }, value: { epoch, metadataHash } }
}

export function targetEpochRecord(groupId: string, assignmentEpoch: number, now: number): GroupRecord {
  return {
    kind: 'ConsumerGroupTargetAssignmentMetadata',
    key: { groupId },
    value: { assignmentEpoch, assignmentTimestamp: now },
  }
}

export function targetRecord(groupId: string, memberId: string, target: Partitions): GroupRecord {
  return {
    kind: 'ConsumerGroupTargetAssignmentMember',
    key: { groupId, memberId },
    value: { topicPartitions: partitionList(target) },
  }
}

const stateCodes: { readonly [S in ConsumerMemberState]: number } = {
  Stable: 0,
  UnrevokedPartitions: 1,
  UnreleasedPartitions: 2,
  Unknown: 127,
}

export function currentAssignmentRecord(groupId: string, member: ConsumerMember): GroupRecord {
  return {
    kind: 'ConsumerGroupCurrentMemberAssignment',
    key: { groupId, memberId: member.memberId },
    value: {
      memberEpoch: member.memberEpoch,
      previousMemberEpoch: member.previousMemberEpoch,
      state: stateCodes[member.state],
      assignedPartitions: ownedList(member.assigned),
      partitionsPendingRevocation: ownedList(member.pendingRevocation),
    },
  }
}

function ownedList(owned: OwnedPartitions) {
  return partitionList(owned).map(({ topicId, partitions }) => ({
    topicId,
    partitions,
    assignmentEpochs: partitions.map(partition => owned.get(topicId)!.get(partition)!),
  }))
}

export function patternRecord(
  groupId: string,
  regularExpression: string,
  { topics, version, now }: { readonly topics: readonly string[]; readonly version: number; readonly now: number },
): GroupRecord {
  return {
    kind: 'ConsumerGroupRegularExpression',
    key: { groupId, regularExpression },
    value: { topics: [...topics].sort(), version, timestamp: now },
  }
}

export function patternTombstone(groupId: string, regularExpression: string): GroupRecord {
  return { kind: 'ConsumerGroupRegularExpression', key: { groupId, regularExpression }, value: null }
}

/** A member goes: first what it owns, then what it should own, then itself (Kafka's order). */
export function memberTombstones(groupId: string, memberId: string): readonly GroupRecord[] {
  const key = { groupId, memberId }
  return [
    { kind: 'ConsumerGroupCurrentMemberAssignment', key, value: null },
    { kind: 'ConsumerGroupTargetAssignmentMember', key, value: null },
    { kind: 'ConsumerGroupMemberMetadata', key, value: null },
  ]
}

export function consumerGroupTombstones(group: ConsumerGroup): readonly GroupRecord[] {
  const { groupId, members, patterns } = group
  return [
    ...[...members.keys()].flatMap(memberId => memberTombstones(groupId, memberId)),
    ...[...patterns.keys()].map(expression => patternTombstone(groupId, expression)),
    { kind: 'ConsumerGroupTargetAssignmentMetadata', key: { groupId }, value: null },
    { kind: 'ConsumerGroupMetadata', key: { groupId }, value: null },
  ]
}
