// Groups: who is in them and where they stand (Java: `Admin.listGroups`, `describeConsumerGroups`, `listConsumerGroupOffsets`,
// `alterConsumerGroupOffsets`, `deleteConsumerGroupOffsets`, `deleteConsumerGroups`).
import type { ApiRequest } from '../../contracts/api-map.ts'
import { ZERO_UUID } from '../../protocol/schema.ts'
import {
  flag,
  integer,
  list,
  nameIn,
  namesIn,
  offset,
  optionsIn,
  partitionFields,
  partitionsIn,
  text,
  textList,
} from '../call-input.ts'
import { brokerError, settle, throwBrokerError } from './admin-errors.ts'
import { type AdminCall, type AdminSession, adminFields, retryWhilePassing } from './admin-session.ts'
import { askCoordinator, askEveryBroker } from './coordinator-call.ts'
import { describeGroup } from './describe-groups.ts'
import type { CommittedOffset, GroupDescription, GroupListing, GroupType, OffsetReset } from './group-words.ts'
import { byTopic, type PartitionId } from './records-admin.ts'

export interface ListGroupsOptions extends AdminCall {
  /** Only groups in these states; Kafka's words in any case. Default all (KIP-518). */
  readonly states?: readonly string[]
  /** Only groups of these types. Default all (KIP-848). */
  readonly types?: readonly GroupType[]
}

export interface GroupOffsetsOptions extends AdminCall {
  /** Only these; default all that have an offset. */
  readonly partitions?: readonly PartitionId[]
  /** Wait until open transactions that hold offsets of the group have ended (KIP-447). Default false. */
  readonly requireStable?: boolean
}

/** As a member of no generation: what only a group without members accepts. */
const NO_GENERATION = -1

export class GroupsAdmin {
  readonly #session: AdminSession

  constructor(session: AdminSession) {
    this.#session = session
  }

  /** Sorted by group id. */
  async list(options: ListGroupsOptions = {}): Promise<readonly GroupListing[]> {
    const fields = { ...adminFields, states: textList, types: textList }
    const { states = [], types = [], ...call } = optionsIn('groups.list', options, fields)
    return this.#session.run(call, async attempt => {
      const request = { statesFilter: [...states], typesFilter: [...types] }
      const found = new Map<string, GroupListing>()
      for (const { errorCode, groups } of await askEveryBroker(attempt, 'ListGroups', request)) {
        throwBrokerError('groups', errorCode)
        for (const { groupId, groupState, groupType, protocolType } of groups)
          found.set(groupId, { groupId, type: typeOf(groupType), protocolType, state: groupState })
      }
      return [...found.values()].sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
    })
  }

  /** In the order given. Rejects with PartialAdminError (`GROUP_ID_NOT_FOUND`, ...) if any is not there. */
  async describe(groups: string | readonly string[], call: AdminCall = {}): Promise<readonly GroupDescription[]> {
    const list = namesIn('groups.describe', groups)
    return this.#session.run(call, async attempt => {
      const outcomes = await Promise.all(list.map(groupId => describeGroup(attempt, groupId)))
      settle(outcomes)
      return outcomes.map(({ group }) => group!)
    })
  }

  /** Committed offsets by topic and partition; partitions without one are left out. A group that does not exist has none. */
  async offsets(groupId: string, options: GroupOffsetsOptions = {}): Promise<readonly CommittedOffset[]> {
    const fields = { ...adminFields, partitions: list, requireStable: flag }
    const { partitions, requireStable = false, ...call } = optionsIn('groups.offsets', options, fields)
    nameIn('groups.offsets', groupId)
    if (partitions !== undefined) partitionsIn('groups.offsets', partitions)
    const topics =
      partitions === undefined
        ? null
        : byTopic(partitions, ({ partition }) => partition).map(({ name, partitions: partitionIndexes }) => ({
            name,
            topicId: ZERO_UUID,
            partitionIndexes,
          }))
    return this.#session.run(call, async attempt => {
      const group = { groupId, memberId: null, memberEpoch: NO_GENERATION, topics }
      const request: ApiRequest<'OffsetFetch'> = { groupId: '', topics: [], groups: [group], requireStable }
      const { groups } = await askCoordinator(attempt, groupKey(groupId), 'OffsetFetch', request, response =>
        response.groups.map(({ errorCode }) => errorCode),
      )
      throwBrokerError(groupId, groups[0]!.errorCode)
      const found = groups[0]!.topics.flatMap(({ name, partitions: each }) =>
        each.map(partition => ({ topic: name, ...partition })),
      )
      for (const { topic, partitionIndex, errorCode } of found)
        throwBrokerError(`${groupId}: ${topic}-${partitionIndex}`, errorCode)
      return found
        .filter(({ committedOffset }) => committedOffset >= 0)
        .map(({ topic, partitionIndex, committedOffset, committedLeaderEpoch, metadata }) => ({
          topic,
          partition: partitionIndex,
          offset: BigInt(committedOffset),
          leaderEpoch: committedLeaderEpoch,
          metadata: metadata ?? '',
        }))
        .sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1))
    })
  }

  /** Sets where the group goes on; it may not have members (`UNKNOWN_MEMBER_ID`, as Kafka says it). A group that does not exist is made. */
  async resetOffsets(groupId: string, offsets: readonly OffsetReset[], call: AdminCall = {}): Promise<void> {
    nameIn('groups.resetOffsets', groupId)
    partitionsIn(
      'groups.resetOffsets',
      offsets,
      { ...partitionFields, offset },
      { leaderEpoch: integer, metadata: text },
    )
    if (offsets.length === 0) return
    const topics = byTopic(offsets, ({ partition, offset, leaderEpoch = -1, metadata = '' }) => ({
      partitionIndex: partition,
      committedOffset: Number(offset),
      committedLeaderEpoch: leaderEpoch,
      committedMetadata: metadata,
    }))
    const member = { generationIdOrMemberEpoch: NO_GENERATION, memberId: '', groupInstanceId: null }
    await this.#session.run(call, async attempt => {
      const request = {
        groupId,
        ...member,
        retentionTimeMs: -1,
        topics: topics.map(topic => ({ ...topic, topicId: ZERO_UUID })),
      }
      const response = await askCoordinator(attempt, groupKey(groupId), 'OffsetCommit', request, answer =>
        answer.topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode)),
      )
      settlePartitions(response.topics)
    })
  }

  /** Forgets offsets of partitions that no member subscribes to (`GROUP_SUBSCRIBED_TO_TOPIC`). */
  async deleteOffsets(groupId: string, partitions: readonly PartitionId[], call: AdminCall = {}): Promise<void> {
    nameIn('groups.deleteOffsets', groupId)
    partitionsIn('groups.deleteOffsets', partitions)
    const topics = byTopic(partitions, ({ partition }) => ({ partitionIndex: partition }))
    await this.#session.run(call, async attempt => {
      const response = await askCoordinator(
        attempt,
        groupKey(groupId),
        'OffsetDelete',
        { groupId, topics },
        ({ errorCode }) => [errorCode],
      )
      throwBrokerError(groupId, response.errorCode)
      settlePartitions(response.topics)
    })
  }

  /** Deletes groups without members, with their offsets. Rejects with PartialAdminError (`NON_EMPTY_GROUP`, `GROUP_ID_NOT_FOUND`, ...). */
  async delete(groups: string | readonly string[], call: AdminCall = {}): Promise<void> {
    const list = namesIn('groups.delete', groups)
    // When one coordinator has moved, all is tried again, but nothing that was deleted is deleted twice: it would not be found.
    const deleted = new Set<string>()
    await this.#session.run(call, async attempt => {
      const outcomes = list.map(async groupId => {
        if (deleted.has(groupId)) return { name: groupId, error: null }
        const request = { groupsNames: [groupId] }
        const { results } = await askCoordinator(attempt, groupKey(groupId), 'DeleteGroups', request, response =>
          response.results.map(({ errorCode }) => errorCode),
        )
        const error = brokerError(groupId, results[0]!.errorCode)
        if (error === null) deleted.add(groupId)
        return { name: groupId, error }
      })
      await Promise.allSettled(outcomes)
      settle(await Promise.all(outcomes))
    })
  }
}

const groupKey = (key: string) => ({ kind: 'group', key }) as const

function typeOf(groupType: string): GroupType {
  const type = groupType.toLowerCase()
  return type === 'classic' || type === 'consumer' || type === 'share' || type === 'streams' ? type : 'unknown'
}

function settlePartitions(
  topics: readonly {
    readonly name: string
    readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
  }[],
): void {
  const outcomes = topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, errorCode }) => {
      const place = `${name}-${partitionIndex}`
      return { name: place, error: brokerError(place, errorCode) }
    }),
  )
  for (const { error } of outcomes) retryWhilePassing(error)
  settle(outcomes)
}
