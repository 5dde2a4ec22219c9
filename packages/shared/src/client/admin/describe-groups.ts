// Descriptions of groups of both protocols. A group is asked for as one of the consumer protocol first; where it is none, or the broker does not know
// that protocol, as a classic one (as Java's `DescribeConsumerGroupsHandler`).
import { KafkaError } from '../../base/errors.ts'
import type { ApiResponse } from '../../contracts/api-map.ts'
import { errors } from '../../protocol/error-codes.ts'
import { decodeAssignment } from '../assignors/subscription-bytes.ts'
import { brokerError } from './admin-errors.ts'
import type { Attempt } from './admin-session.ts'
import { askCoordinator } from './coordinator-call.ts'
import type { GroupDescription, GroupMember } from './group-words.ts'
import type { PartitionId } from './records-admin.ts'

type ModernGroup = ApiResponse<'ConsumerGroupDescribe'>['groups'][number]
type ClassicGroup = ApiResponse<'DescribeGroups'>['groups'][number]

const GROUP_COORDINATOR = 0
/** `memberType` of a member that speaks the consumer protocol (KIP-1099); 0 is a classic one, -1 not said. */
const CONSUMER_MEMBER = 1

export interface DescribeOutcome {
  readonly name: string
  readonly error: KafkaError | null
  readonly group: GroupDescription | null
}

/** A group that does not exist has the error GROUP_ID_NOT_FOUND, also where an old broker calls it Dead. */
export async function describeGroup(attempt: Attempt, groupId: string): Promise<DescribeOutcome> {
  const modern = await modernGroup(attempt, groupId)
  const { errorCode, errorMessage, described } = modern ?? (await classicGroup(attempt, groupId))
  const error = brokerError(groupId, errorCode, errorMessage)
  if (error !== null) return { name: groupId, error, group: null }
  return { name: groupId, error: null, group: { ...described, coordinator: await whereIs(attempt, groupId) } }
}

type WithoutCoordinator = Omit<GroupDescription, 'coordinator'>

interface Answered {
  readonly errorCode: number
  readonly errorMessage: string | null
  /** Says something when there is no error. */
  readonly described: WithoutCoordinator
}

/** Null when it is no group of the consumer protocol. */
async function modernGroup(attempt: Attempt, groupId: string): Promise<Answered | null> {
  const request = { groupIds: [groupId], includeAuthorizedOperations: false }
  try {
    const { groups } = await askCoordinator(
      attempt,
      { kind: 'group', key: groupId },
      'ConsumerGroupDescribe',
      request,
      response => response.groups.map(({ errorCode }) => errorCode),
    )
    const group = groups[0]!
    const isOther =
      group.errorCode === errors.GROUP_ID_NOT_FOUND.code || group.errorCode === errors.UNSUPPORTED_VERSION.code
    return isOther ? null : { ...group, described: ofModern(group) }
  } catch (thrown) {
    if (thrown instanceof KafkaError && thrown.kafkaName === 'UNSUPPORTED_VERSION') return null
    throw thrown
  }
}

async function classicGroup(attempt: Attempt, groupId: string): Promise<Answered> {
  const request = { groups: [groupId], includeAuthorizedOperations: false }
  const { groups } = await askCoordinator(
    attempt,
    { kind: 'group', key: groupId },
    'DescribeGroups',
    request,
    response => response.groups.map(({ errorCode }) => errorCode),
  )
  const { errorCode, errorMessage, groupState } = groups[0]!
  const isGone = errorCode === 0 && groupState === 'Dead'
  return {
    errorCode: isGone ? errors.GROUP_ID_NOT_FOUND.code : errorCode,
    errorMessage,
    described: ofClassic(groups[0]!),
  }
}

async function whereIs(attempt: Attempt, groupId: string): Promise<GroupDescription['coordinator']> {
  const request = { key: '', keyType: GROUP_COORDINATOR, coordinatorKeys: [groupId] }
  const { coordinators } = await attempt.any('FindCoordinator', request)
  const { nodeId, host, port } = coordinators[0]!
  return { nodeId, host, port }
}

function ofModern(group: ModernGroup): WithoutCoordinator {
  return {
    groupId: group.groupId,
    type: 'consumer',
    state: group.groupState,
    protocolType: 'consumer',
    assignor: group.assignorName,
    groupEpoch: group.groupEpoch,
    targetAssignmentEpoch: group.assignmentEpoch,
    members: group.members.map(
      (member): GroupMember => ({
        memberId: member.memberId,
        groupInstanceId: member.instanceId,
        clientId: member.clientId,
        host: member.clientHost,
        rackId: member.rackId,
        memberEpoch: member.memberEpoch,
        assignment: flat(member.assignment.topicPartitions),
        targetAssignment: flat(member.targetAssignment.topicPartitions),
        isUpgraded: member.memberType < 0 ? null : member.memberType === CONSUMER_MEMBER,
      }),
    ),
  }
}

function ofClassic(group: ClassicGroup): WithoutCoordinator {
  const isConsumer = group.protocolType === 'consumer' || group.protocolType === ''
  return {
    groupId: group.groupId,
    type: 'classic',
    state: group.groupState,
    protocolType: group.protocolType,
    assignor: group.protocolData,
    groupEpoch: null,
    targetAssignmentEpoch: null,
    members: group.members.map(
      (member): GroupMember => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        host: member.clientHost,
        rackId: null,
        memberEpoch: null,
        // Other kinds of members, such as workers of Kafka Connect, have assignments that only they can read.
        assignment: isConsumer ? [...decodeAssignment(member.memberAssignment)].sort(byPlace) : [],
        targetAssignment: null,
        isUpgraded: null,
      }),
    ),
  }
}

function flat(topics: readonly { readonly topicName: string; readonly partitions: readonly number[] }[]) {
  return topics
    .flatMap(({ topicName, partitions }) => partitions.map(partition => ({ topic: topicName, partition })))
    .sort(byPlace)
}

function byPlace(a: PartitionId, b: PartitionId): number {
  return a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1
}
