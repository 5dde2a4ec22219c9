// How offsets and groups end: OffsetDelete, DeleteGroups, expiry, and the deletion of topics (Java: OffsetMetadataManager.deleteOffsets,
// deleteAllOffsets, cleanupExpiredOffsets, onPartitionsDeleted).
import { errors } from '@odradek/shared/protocol/error-codes'
import type { DeleteGroupsRequest, DeleteGroupsResponse } from '@odradek/shared/protocol/messages/42-delete-groups'
import type { OffsetDeleteRequest, OffsetDeleteResponse } from '@odradek/shared/protocol/messages/47-offset-delete'
import { send } from './classic-effects.ts'
import type { ClassicGroup } from './classic-group.ts'
import { classicGroupTombstone } from './classic-records.rules.ts'
import { ClassicStep } from './classic-step.ts'
import { isSubscribed } from './consumer-group.ts'
import { consumerGroupTombstones } from './consumer-records.rules.ts'
import type { GroupRecord } from './group.records.ts'
import type { GroupDecision, GroupSoft } from './group-words.ts'
import type { Asked, Group, GroupContext, Groups } from './groups.ts'
import { type CommittedOffset, committedOffset, hasStaged, isStaged, stagedOnly } from './offsets.ts'
import { isClassicSubscribed } from './subscriptions.rules.ts'

/** Tombstones that one round of expiry writes, so that it holds nobody up. */
const TOMBSTONES_MAX = 1_000

function tombstone(group: string, topic: string, partition: number): GroupRecord {
  return { kind: 'OffsetCommit', key: { group, topic, partition }, value: null }
}

function hasMembers(group: Group): boolean {
  return group.type === 'classic' ? group.state !== 'Empty' : group.members.size > 0
}

function reads(group: Group, topic: string): boolean {
  if (group.type === 'consumer') return isSubscribed(group, topic)
  return group.state !== 'Empty' && isClassicSubscribed(group, topic)
}

export function deleteOffsets(
  { groups, offsets }: Groups,
  { request }: Asked<OffsetDeleteRequest>,
  { topics }: GroupContext,
): GroupDecision<OffsetDeleteResponse> {
  const { groupId } = request
  const group = groups.get(groupId)
  const errorCode = validateOffsetDelete(groupId, group)
  if (group === undefined || errorCode !== 0) return { reply: { errorCode, throttleTimeMs: 0, topics: [] } }
  const records: GroupRecord[] = []
  const remove = (topic: string, partition: number): number => {
    if (partition >= (topics.byName(topic)?.partitions ?? 0) || partition < 0) {
      return errors.UNKNOWN_TOPIC_OR_PARTITION.code
    }
    if (reads(group, topic)) return errors.GROUP_SUBSCRIBED_TO_TOPIC.code
    const isKnown =
      committedOffset(offsets, groupId, topic, partition) !== undefined || isStaged(offsets, groupId, topic, partition)
    if (isKnown) records.push(tombstone(groupId, topic, partition))
    return 0
  }
  const answers = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => ({
      partitionIndex,
      errorCode: remove(name, partitionIndex),
    })),
  }))
  return { records, divisible: true, reply: { errorCode: 0, throttleTimeMs: 0, topics: answers } }
}

function validateOffsetDelete(groupId: string, group: Group | undefined): number {
  if (groupId === '') return errors.INVALID_GROUP_ID.code
  if (group === undefined) return errors.GROUP_ID_NOT_FOUND.code
  // Of other members than consumers nobody knows what they read.
  const isOpaque = group.type === 'classic' && group.state !== 'Empty' && group.subscribedTopics === null
  return isOpaque && group.protocolType !== 'consumer' ? errors.NON_EMPTY_GROUP.code : 0
}

export function deleteGroups(
  state: Groups,
  { request }: Asked<DeleteGroupsRequest>,
  context: GroupContext,
): GroupDecision<DeleteGroupsResponse> {
  const removals: Removal[] = []
  const results = [...new Set(request.groupsNames)].map(groupId => {
    const group = state.groups.get(groupId)
    const errorCode = validateGroupDelete(groupId, group)
    if (group !== undefined && errorCode === 0) {
      removals.push({ records: [...allOffsetTombstones(state, groupId)], soft: [] }, removalOf(group, context))
    }
    return { groupId, errorCode }
  })
  // Offsets go before their group: what a cut leaves is a group with fewer offsets, which can be deleted again.
  return { ...joined(removals), divisible: true, reply: { throttleTimeMs: 0, results } }
}

function validateGroupDelete(groupId: string, group: Group | undefined): number {
  if (groupId === '') return errors.INVALID_GROUP_ID.code
  if (group === undefined) return errors.GROUP_ID_NOT_FOUND.code
  return hasMembers(group) ? errors.NON_EMPTY_GROUP.code : 0
}

function* allOffsetTombstones({ offsets }: Groups, groupId: string): Generator<GroupRecord> {
  for (const [topic, partitions] of offsets.committed.get(groupId) ?? []) {
    for (const partition of partitions.keys()) yield tombstone(groupId, topic, partition)
  }
  for (const [topic, partition] of stagedOnly(offsets, groupId)) yield tombstone(groupId, topic, partition)
}

/** What ends a group, in records and (for classic groups, whose pending ids are not in the log) in soft state. */
interface Removal {
  readonly records: readonly GroupRecord[]
  readonly soft: readonly GroupSoft[]
}

function removalOf(group: Group, context: GroupContext): Removal {
  if (group.type === 'consumer') return { records: consumerGroupTombstones(group), soft: [] }
  return removalOfClassic(group, context)
}

function removalOfClassic(group: ClassicGroup, context: GroupContext): Removal {
  const step = new ClassicStep(group, context, [classicGroupTombstone(group.groupId)])
  step.group.pendingJoin.clear()
  send(step, { type: 'group.removed' })
  const { records = [], soft = [] } = step.decision()
  return { records, soft }
}

function joined(removals: readonly Removal[]): Removal {
  return { records: removals.flatMap(({ records }) => records), soft: removals.flatMap(({ soft }) => soft) }
}

/**
 * One round over the groups, without the first `skip` of them: expired offsets go, and groups that have nothing left (KIP-211). `next`: how many to
 * skip in the next round; null when all were looked at.
 */
export function expireOffsets(
  state: Groups,
  skip: number,
  context: GroupContext,
): Removal & { readonly next: number | null } {
  const removals: Removal[] = []
  let tombstones = 0
  let seen = 0
  for (const group of state.groups.values()) {
    if (seen++ < skip) continue
    const removal = expireGroup(state, group, context)
    removals.push(removal)
    tombstones += removal.records.length
    // A group that goes makes room for the one behind it; one that has more to expire is looked at again.
    if (removal.isOver || removal.isCut) seen--
    if (tombstones >= TOMBSTONES_MAX) return { ...joined(removals), next: seen }
  }
  return { ...joined(removals), next: null }
}

interface Expired extends Removal {
  /** The group goes. */
  readonly isOver: boolean
  /** There is more to expire than one round takes. */
  readonly isCut: boolean
}

function expireGroup(state: Groups, group: Group, context: GroupContext): Expired {
  const { groupId } = group
  const { offsets } = state
  const records: GroupRecord[] = []
  let isEmptied = true
  for (const [topic, partitions] of offsets.committed.get(groupId) ?? []) {
    const inUse = reads(group, topic)
    for (const [partition, value] of partitions) {
      const goes = !inUse && isExpired(group, value, context) && !isStaged(offsets, groupId, topic, partition)
      if (goes && records.length === TOMBSTONES_MAX) return { records, soft: [], isOver: false, isCut: true }
      if (goes) records.push(tombstone(groupId, topic, partition))
      else isEmptied = false
    }
  }
  const isOver = isEmptied && !hasStaged(offsets, groupId) && !hasMembers(group) && !isAwaited(group)
  if (!isOver) return { records, soft: [], isOver, isCut: false }
  return { ...joined([{ records, soft: [] }, removalOf(group, context)]), isOver, isCut: false }
}

/** Somebody was given an id and may still come. */
function isAwaited(group: Group): boolean {
  return group.type === 'classic' && group.pendingJoin.size > 0
}

/** From when on the retention counts: while a classic group has members it does not (unless they do not read the topic). */
function isExpired(group: Group, offset: CommittedOffset, { now, settings }: GroupContext): boolean {
  const { commitTimestamp, expireTimestamp } = offset
  let base: number | null = commitTimestamp
  if (group.type === 'classic' && group.protocolType !== null) {
    if (group.state === 'Empty') base = group.stateTimestamp === -1 ? commitTimestamp : group.stateTimestamp
    else if (group.state !== 'Stable' || group.subscribedTopics === null) base = null
  }
  if (base === null) return false
  return expireTimestamp === -1 ? now - base >= settings.offsetsRetentionMs : now >= expireTimestamp
}

/** Offsets of deleted topics say nothing any more. */
export function forgetTopics({ offsets }: Groups, topics: readonly string[]): readonly GroupRecord[] {
  const records: GroupRecord[] = []
  for (const [groupId, committed] of offsets.committed) {
    for (const topic of topics) {
      for (const partition of committed.get(topic)?.keys() ?? []) records.push(tombstone(groupId, topic, partition))
    }
  }
  const gone = new Set(topics)
  for (const groupId of offsets.staged.keys()) {
    for (const [topic, partition] of stagedOnly(offsets, groupId)) {
      if (gone.has(topic)) records.push(tombstone(groupId, topic, partition))
    }
  }
  return records
}
