// ListGroups, DescribeGroups and ConsumerGroupDescribe: what groups there are and who is in them. Changes nothing.
import { errors } from '@odradek/shared/protocol/error-codes'
import type {
  DescribeGroupsRequest,
  DescribeGroupsResponse,
} from '@odradek/shared/protocol/messages/15-describe-groups'
import type { ListGroupsRequest, ListGroupsResponse } from '@odradek/shared/protocol/messages/16-list-groups'
import type {
  ConsumerGroupDescribeRequest,
  ConsumerGroupDescribeResponse,
} from '@odradek/shared/protocol/messages/69-consumer-group-describe'
import { type ClassicGroup, CONSUMER_PROTOCOL_TYPE, NO_ASSIGNMENT } from './classic-group.ts'
import { type ConsumerGroup, type ConsumerMember, consumerGroupState, partitionList } from './consumer-group.ts'
import type { Asked, Group, GroupContext, Groups } from './groups.ts'
import { preferredAssignor } from './preferred-assignor.rules.ts'

/** Kafka's INT32_MIN: operations were not asked for (there is no authorizer). */
const NO_OPERATIONS = -(2 ** 31)
/** Without an authorizer everything is allowed: read, delete, describe, describe and alter configs. */
const GROUP_OPERATIONS = 0b1101_0100_1000
/** From this version on a group that does not exist is an error, not a dead group (KIP-1043). */
const NOT_FOUND_VERSION = 6

/** Filters are compared without regard to case, as Kafka does; an empty one lets everything through. */
export function listGroups({ groups }: Groups, { request }: Asked<ListGroupsRequest>): ListGroupsResponse {
  const states = new Set(request.statesFilter.map(name => name.toLowerCase()))
  const types = new Set(request.typesFilter.map(name => name.toLowerCase()))
  const listed = [...groups.values()].map(group => ({
    groupId: group.groupId,
    protocolType: group.type === 'consumer' ? CONSUMER_PROTOCOL_TYPE : (group.protocolType ?? ''),
    groupState: stateOf(group),
    groupType: group.type,
  }))
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    groups: listed.filter(
      ({ groupState, groupType }) =>
        (states.size === 0 || states.has(groupState.toLowerCase())) && (types.size === 0 || types.has(groupType)),
    ),
  }
}

function stateOf(group: Group): string {
  return group.type === 'classic' ? group.state : consumerGroupState(group)
}

export function describeGroups(
  { groups }: Groups,
  { request, apiVersion }: Asked<DescribeGroupsRequest>,
): DescribeGroupsResponse {
  const described = request.groups.map(groupId => {
    const group = groups.get(groupId)
    if (groupId === '') return notDescribed(groupId, '', errors.INVALID_GROUP_ID.code, null)
    if (group?.type === 'classic') return describeClassicGroup(group)
    if (apiVersion < NOT_FOUND_VERSION) return notDescribed(groupId, 'Dead', 0, null)
    const why = group === undefined ? `Group ${groupId} not found.` : `Group ${groupId} is not a classic group.`
    return notDescribed(groupId, 'Dead', errors.GROUP_ID_NOT_FOUND.code, why)
  })
  return { throttleTimeMs: 0, groups: withOperations(request, described) }
}

/** What the client may do with each, if it asked (KIP-430). */
function withOperations<G extends { readonly errorCode: number }>(
  { includeAuthorizedOperations }: { readonly includeAuthorizedOperations: boolean },
  groups: G[],
): G[] {
  if (!includeAuthorizedOperations) return groups
  return groups.map(group => (group.errorCode === 0 ? { ...group, authorizedOperations: GROUP_OPERATIONS } : group))
}

function notDescribed(groupId: string, groupState: string, errorCode: number, errorMessage: string | null) {
  return {
    errorCode,
    errorMessage,
    groupId,
    groupState,
    protocolType: '',
    protocolData: '',
    members: [],
    authorizedOperations: NO_OPERATIONS,
  }
}

/** Subscriptions and assignments are shown of a stable group only: before, they are of no generation. */
function describeClassicGroup(group: ClassicGroup): DescribeGroupsResponse['groups'][number] {
  const { groupId, state, protocolType, protocolName, members } = group
  const isStable = state === 'Stable'
  return {
    errorCode: 0,
    errorMessage: null,
    groupId,
    groupState: state,
    protocolType: protocolType ?? '',
    protocolData: isStable ? (protocolName ?? '') : '',
    members: [...members.values()].map(
      ({ memberId, groupInstanceId, clientId, clientHost, protocols, assignment }) => ({
        memberId,
        groupInstanceId,
        clientId,
        clientHost,
        memberMetadata: isStable ? protocols.find(({ name }) => name === protocolName)!.metadata : NO_ASSIGNMENT,
        memberAssignment: isStable ? assignment : NO_ASSIGNMENT,
      }),
    ),
    authorizedOperations: NO_OPERATIONS,
  }
}

type DescribedConsumerGroup = ConsumerGroupDescribeResponse['groups'][number]

export function describeConsumerGroups(
  { groups }: Groups,
  { request }: Asked<ConsumerGroupDescribeRequest>,
  context: GroupContext,
): ConsumerGroupDescribeResponse {
  const described = request.groupIds.map((groupId): DescribedConsumerGroup => {
    const group = groups.get(groupId)
    if (group?.type === 'consumer') return describeConsumerGroup(group, context)
    const errorCode = groupId === '' ? errors.INVALID_GROUP_ID.code : errors.GROUP_ID_NOT_FOUND.code
    const why = group === undefined ? `Group ${groupId} not found.` : `Group ${groupId} is not a consumer group.`
    return {
      errorCode,
      errorMessage: groupId === '' ? null : why,
      groupId,
      groupState: '',
      groupEpoch: 0,
      assignmentEpoch: 0,
      assignorName: '',
      members: [],
      authorizedOperations: NO_OPERATIONS,
    }
  })
  return { throttleTimeMs: 0, groups: withOperations(request, described) }
}

function describeConsumerGroup(group: ConsumerGroup, context: GroupContext): DescribedConsumerGroup {
  const { groupId, groupEpoch, assignmentEpoch, members } = group
  return {
    errorCode: 0,
    errorMessage: null,
    groupId,
    groupState: consumerGroupState(group),
    groupEpoch,
    assignmentEpoch,
    assignorName: preferredAssignor(members.values(), context.settings),
    members: [...members.values()].map(member => describeMember(group, member, context)),
    authorizedOperations: NO_OPERATIONS,
  }
}

function describeMember(group: ConsumerGroup, member: ConsumerMember, { topics }: GroupContext) {
  const named = (partitions: Parameters<typeof partitionList>[0]) => ({
    topicPartitions: partitionList(partitions).flatMap(({ topicId, partitions: list }) => {
      const topicName = topics.byId(topicId)?.topic
      return topicName === undefined ? [] : [{ topicId, topicName, partitions: list }]
    }),
  })
  return {
    memberId: member.memberId,
    instanceId: member.instanceId,
    rackId: member.rackId,
    memberEpoch: member.memberEpoch,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: [...member.subscribedTopicNames],
    subscribedTopicRegex: member.subscribedTopicRegex,
    assignment: named(member.assigned),
    targetAssignment: named(group.targetAssignment.get(member.memberId) ?? new Map()),
    // KIP-1099: 0 speaks the classic protocol, 1 the consumer protocol.
    memberType: member.classic === null ? 1 : 0,
  }
}
