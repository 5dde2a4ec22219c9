// OffsetFetch 1-10. Up to version 7 one group is asked for by plain fields, from 8 on a list of groups; version 1 cannot ask for all topics (null).

import { answer } from '@odradek/shared/client/port/door'
import { ZERO_UUID } from '@odradek/shared/protocol/schema'
import type { Handler } from './handler.ts'

const GROUPS_VERSION = 8

export const offsetFetchHandler: Handler<'OffsetFetch'> = async (request, { door, caller }) => {
  if (caller.apiVersion >= GROUPS_VERSION) return answer(door, 'OffsetFetch', request, caller)
  const topics = request.topics?.map(topic => ({ ...topic, topicId: ZERO_UUID })) ?? null
  const groups = [{ groupId: request.groupId, memberId: null, memberEpoch: -1, topics }]
  const response = await answer(door, 'OffsetFetch', { ...request, groupId: '', topics: [], groups }, caller)
  const group = response.groups[0]!
  return {
    throttleTimeMs: 0,
    topics: group.topics.map(({ name, partitions }) => ({ name, partitions })),
    errorCode: group.errorCode,
    groups: [],
  }
}
