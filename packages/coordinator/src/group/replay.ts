// How records change the groups: while a decision is applied, and the same when the log is loaded (Java: GroupMetadataManager.replay,
// OffsetMetadataManager.replay). The only place that changes durable state. Records may come in any order that compaction leaves.
import { NO_TICKET } from '../runtime/effects.ts'
import type { EndTransactionMarker, RecordMeta } from '../runtime/shard.ts'
import { type ClassicGroup, emptyClassicGroup, NO_ASSIGNMENT, putMember } from './classic-group.ts'
import { replayConsumerRecord } from './consumer-replay.ts'
import type { GroupRecord, RecordOf } from './group.records.ts'
import type { Groups } from './groups.ts'
import { endTransaction, removeCommitted, removeStaged, setCommitted, stage } from './offsets.ts'
import { subscribedTopicsOf } from './subscriptions.rules.ts'

export function replayGroupRecord(state: Groups, record: GroupRecord, meta: RecordMeta): void {
  if (record.kind === 'OffsetCommit') replayOffset(state, record, meta)
  else if (record.kind === 'GroupMetadata') replayClassicGroup(state, record)
  else replayConsumerRecord(state, record)
}

export function replayEndTransaction({ offsets }: Groups, { producerId, result }: EndTransactionMarker): void {
  endTransaction(offsets, producerId, result === 'COMMIT')
}

function replayOffset({ groups, offsets }: Groups, { key, value }: RecordOf<'OffsetCommit'>, meta: RecordMeta): void {
  const { group: groupId, topic, partition } = key
  if (value === null) {
    if (meta.transactional) return
    removeCommitted(offsets, groupId, topic, partition)
    removeStaged(offsets, groupId, topic, partition)
    return
  }
  const committed = {
    offset: value.offset,
    leaderEpoch: value.leaderEpoch,
    metadata: value.metadata,
    commitTimestamp: value.commitTimestamp,
    expireTimestamp: value.expireTimestamp,
    topicId: value.topicId,
    recordOffset: meta.offset,
  }
  if (meta.transactional) stage(offsets, { groupId, producerId: meta.producerId, topic, partition }, committed)
  else setCommitted(offsets, groupId, topic, partition, committed)
  // Offsets of a consumer without membership: the group exists for them (Kafka calls it simple).
  if (!groups.has(groupId)) groups.set(groupId, emptyClassicGroup(groupId, -1))
}

function replayClassicGroup({ groups }: Groups, { key, value }: RecordOf<'GroupMetadata'>): void {
  // The tombstone of a group that has become one of the other type removes nothing any more.
  if (value === null) {
    if (groups.get(key.group)?.type === 'classic') groups.delete(key.group)
    return
  }
  groups.set(key.group, classicGroupOf(key.group, value))
}

function classicGroupOf(groupId: string, value: NonNullable<RecordOf<'GroupMetadata'>['value']>): ClassicGroup {
  const group = emptyClassicGroup(groupId, value.currentStateTimestamp)
  group.generationId = value.generation
  group.protocolType = value.protocolType === '' ? null : value.protocolType
  if (value.members.length === 0) return group
  group.state = 'Stable'
  group.protocolName = value.protocol
  for (const member of value.members) {
    const { memberId, groupInstanceId, clientId, clientHost, sessionTimeout, subscription, assignment } = member
    putMember(group, {
      memberId,
      groupInstanceId,
      clientId,
      clientHost,
      rebalanceTimeoutMs: member.rebalanceTimeout === -1 ? sessionTimeout : member.rebalanceTimeout,
      sessionTimeoutMs: sessionTimeout,
      protocols: [{ name: value.protocol ?? '', metadata: own(subscription) }],
      assignment: own(assignment),
      isNew: false,
      joining: NO_TICKET,
      syncing: NO_TICKET,
    })
    if (groupInstanceId !== null) group.staticMembers.set(groupInstanceId, memberId)
  }
  group.leaderId = group.members.has(value.leader ?? '') ? value.leader : group.members.keys().next().value!
  group.subscribedTopics = subscribedTopicsOf(group)
  return group
}

/** What is kept must not hold the whole batch that it was read from. */
function own(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === 0 ? NO_ASSIGNMENT : bytes.slice()
}
