// A classic group as its record says it. Pure.
import type { ClassicGroup } from './classic-group.ts'
import type { GroupRecord } from './group.records.ts'

/** The group with its members, their subscriptions under the chosen protocol and their assignments. */
export function classicGroupRecord(group: ClassicGroup): GroupRecord {
  const { groupId, protocolType, protocolName, generationId, leaderId, stateTimestamp, members } = group
  return {
    kind: 'GroupMetadata',
    key: { group: groupId },
    value: {
      protocolType: protocolType ?? '',
      generation: generationId,
      protocol: protocolName,
      leader: leaderId,
      currentStateTimestamp: stateTimestamp,
      members: [...members.values()].map(member => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeout: member.rebalanceTimeoutMs,
        sessionTimeout: member.sessionTimeoutMs,
        subscription: member.protocols.find(({ name }) => name === protocolName)?.metadata ?? new Uint8Array(0),
        assignment: member.assignment,
      })),
    },
  }
}

export function classicGroupTombstone(groupId: string): GroupRecord {
  return { kind: 'GroupMetadata', key: { group: groupId }, value: null }
}
