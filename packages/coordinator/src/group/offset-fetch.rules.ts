// OffsetFetch (Java: OffsetMetadataManager.fetchOffsets, fetchAllOffsets): how far groups have read. Changes nothing.
import { ZERO_TOPIC_ID } from '@odradek/shared/base/brands'
import { errors } from '@odradek/shared/protocol/error-codes'
import type { OffsetFetchRequest, OffsetFetchResponse } from '@odradek/shared/protocol/messages/09-offset-fetch'
import type { Asked, GroupContext, Groups } from './groups.ts'
import { type CommittedOffset, isOfTopic, isStaged } from './offsets.ts'

type GroupRequest = OffsetFetchRequest['groups'][number]
type GroupResponse = OffsetFetchResponse['groups'][number]
type PartitionResponse = GroupResponse['topics'][number]['partitions'][number]

/** From this version on topics go by id. */
const TOPIC_ID_VERSION = 10

export function fetchOffsets(
  state: Groups,
  { request, apiVersion }: Asked<OffsetFetchRequest>,
  context: GroupContext,
): OffsetFetchResponse {
  const kind = { byId: apiVersion >= TOPIC_ID_VERSION, requireStable: request.requireStable }
  const groups = request.groups.map(group => fetchGroup(state, group, kind, context))
  return { throttleTimeMs: 0, topics: [], errorCode: 0, groups }
}

interface FetchKind {
  readonly byId: boolean
  readonly requireStable: boolean
}

function fetchGroup(
  state: Groups,
  request: GroupRequest,
  { byId, requireStable }: FetchKind,
  { topics }: GroupContext,
): GroupResponse {
  const { groupId } = request
  const errorCode = validateFetcher(state, request)
  if (errorCode !== 0) return { groupId, topics: [], errorCode }
  const committed = state.offsets.committed.get(groupId)
  const look = (topic: string, topicId: string, partition: number): PartitionResponse => {
    if (requireStable && isStaged(state.offsets, groupId, topic, partition)) {
      return noOffset(partition, errors.UNSTABLE_OFFSET_COMMIT.code)
    }
    const found = committed?.get(topic)?.get(partition)
    return found === undefined || !isOfTopic(found, topicId) ? noOffset(partition, 0) : offsetOf(partition, found)
  }
  if (request.topics === null) {
    const all = [...(committed ?? [])].flatMap(([name, partitions]) => {
      const topicId = topics.byName(name)?.topicId ?? ZERO_TOPIC_ID
      // A topic that is no more has no id to go by.
      if (byId && topicId === ZERO_TOPIC_ID) return []
      return [{ name, topicId, partitions: [...partitions.keys()].map(index => look(name, ZERO_TOPIC_ID, index)) }]
    })
    return { groupId, topics: all, errorCode: 0 }
  }
  const answers = request.topics.map(({ name: asked, topicId, partitionIndexes }) => {
    const name = asked === '' ? topics.byId(topicId)?.topic : asked
    const partitions = partitionIndexes.map(index =>
      name === undefined ? noOffset(index, errors.UNKNOWN_TOPIC_ID.code) : look(name, topicId, index),
    )
    return { name: name ?? '', topicId, partitions }
  })
  return { groupId, topics: answers, errorCode: 0 }
}

/** Members of consumer groups say who they are, so that a stale one does not begin from offsets that another has moved (KIP-848). */
function validateFetcher({ groups }: Groups, { groupId, memberId, memberEpoch }: GroupRequest): number {
  const group = groups.get(groupId)
  if (group?.type !== 'consumer' || (memberId === null && memberEpoch < 0)) return 0
  const member = group.members.get(memberId ?? '')
  if (member === undefined) return errors.UNKNOWN_MEMBER_ID.code
  if (member.memberEpoch === memberEpoch) return 0
  return member.classic === null ? errors.STALE_MEMBER_EPOCH.code : errors.ILLEGAL_GENERATION.code
}

function offsetOf(partitionIndex: number, { offset, leaderEpoch, metadata }: CommittedOffset): PartitionResponse {
  return { partitionIndex, committedOffset: offset, committedLeaderEpoch: leaderEpoch, metadata, errorCode: 0 }
}

function noOffset(partitionIndex: number, errorCode: number): PartitionResponse {
  return { partitionIndex, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode }
}
