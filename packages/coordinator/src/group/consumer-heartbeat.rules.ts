// ConsumerGroupHeartbeat (KIP-848; Java: GroupMetadataManager.consumerGroupHeartbeat): a member joins, stays or leaves; the group gets a new epoch when
// that matters, a new target assignment for the new epoch, and this member one step nearer to it.
import type { ApiRequest, ApiResponse } from '@odradek/shared/contracts/api-map'
import {
  type ConsumerGroup,
  type ConsumerMember,
  emptyConsumerGroup,
  LEAVE_EPOCH,
  LEAVE_STATIC_EPOCH,
  newConsumerMember,
  partitionList,
  partitionsOf,
  samePartitions,
} from './consumer-group.ts'
import { enroll, moveOn, takePlace } from './consumer-members.rules.ts'
import { currentAssignmentRecord } from './consumer-records.rules.ts'
import { ConsumerStep } from './consumer-step.ts'
import { consumerHeartbeatInterval, consumerSessionTimeout } from './consumer-timeouts.rules.ts'
import type { GroupDecision } from './group-words.ts'
import type { Asked, Group, GroupContext } from './groups.ts'
import { error, type HeartbeatError, heartbeatError } from './heartbeat-validation.rules.ts'
import { removeMembers, upgrade } from './migration.rules.ts'
import { isTargetDue, updateTarget } from './target-assignment.rules.ts'

type Request = ApiRequest<'ConsumerGroupHeartbeat'>
type Response = ApiResponse<'ConsumerGroupHeartbeat'>
type Heartbeat = Asked<Request>
type Decided = GroupDecision<Response>

export function consumerHeartbeat(group: Group | undefined, heartbeat: Heartbeat, context: GroupContext): Decided {
  const { request, apiVersion } = heartbeat
  const invalid = heartbeatError(request, apiVersion, context.settings)
  if (invalid !== null) return refuse(invalid)
  const { groupId, memberEpoch } = request
  if (memberEpoch === LEAVE_EPOCH || memberEpoch === LEAVE_STATIC_EPOCH) {
    if (group?.type !== 'consumer') return refuse(error('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`))
    return leave(new ConsumerStep(group, context), request)
  }
  const step = beginStep(group, request, context)
  if (step === null) {
    const why = group === undefined ? `Group ${groupId} not found.` : `Group ${groupId} is not a consumer group.`
    return refuse(error('GROUP_ID_NOT_FOUND', why))
  }
  const { consumerSizeMax } = context.settings
  const { members, staticMembers } = step.group
  const isMember = members.has(request.memberId) || staticMembers.has(request.instanceId ?? '')
  if (!isMember && members.size >= consumerSizeMax) {
    return refuse(
      error(
        'GROUP_MAX_SIZE_REACHED',
        `The consumer group has reached its maximum capacity of ${consumerSizeMax} members.`,
      ),
    )
  }
  return stay(step, heartbeat)
}

function refuse({ errorCode, errorMessage }: HeartbeatError): Decided {
  return {
    reply: {
      throttleTimeMs: 0,
      errorCode,
      errorMessage,
      memberId: null,
      memberEpoch: 0,
      heartbeatIntervalMs: 0,
      assignment: null,
    },
  }
}

/** A group begins with its first member; one of the classic protocol that nobody is in becomes one of this protocol. */
function beginStep(group: Group | undefined, { groupId, memberEpoch }: Request, context: GroupContext) {
  if (group?.type === 'consumer') return new ConsumerStep(group, context)
  if (memberEpoch !== 0) return null
  if (group === undefined) return new ConsumerStep(emptyConsumerGroup(groupId), context)
  return upgrade(group, context)
}

function stay(step: ConsumerStep, heartbeat: Heartbeat): Decided {
  const { context } = step
  const { request } = heartbeat
  const present = findMember(step, request, context)
  if ('errorCode' in present) return refuse(present)
  const { groupId } = request
  const { before, replaces } = present
  const invalidPattern = enroll(step, before, updatedBy(before, heartbeat))
  if (invalidPattern !== null) return refuse(invalidPattern)
  if (replaces || isTargetDue(step)) updateTarget(step)
  const reported = request.topicPartitions === null ? null : partitionsOf(request.topicPartitions)
  const member = moveOn(step, step.group.members.get(before.memberId)!, reported)
  step.armSession(member.memberId, consumerSessionTimeout(groupId, context))
  const isTold = isFullRequest(request) || !samePartitions(before.assigned, member.assigned)
  return step.decision({
    throttleTimeMs: 0,
    errorCode: 0,
    errorMessage: null,
    memberId: member.memberId,
    memberEpoch: member.memberEpoch,
    heartbeatIntervalMs: consumerHeartbeatInterval(groupId, context),
    assignment: isTold ? { topicPartitions: partitionList(member.assigned) } : null,
  })
}

/** Whoever tells everything wants to be told everything: it joins, or it repeats a request whose answer it did not get. */
function isFullRequest(request: Request): boolean {
  const { memberEpoch, rebalanceTimeoutMs, subscribedTopicNames, subscribedTopicRegex, topicPartitions } = request
  if (memberEpoch === 0) return true
  const subscribes = subscribedTopicNames !== null || subscribedTopicRegex !== null
  return rebalanceTimeoutMs !== -1 && subscribes && topicPartitions !== null
}

interface Present {
  /** As it was before this heartbeat. */
  readonly before: ConsumerMember
  /** A static member that takes the place of one that left for a while. */
  readonly replaces: boolean
}

function findMember(step: ConsumerStep, request: Request, context: GroupContext): Present | HeartbeatError {
  const { memberId, memberEpoch, instanceId } = request
  if (instanceId !== null) return findStaticMember(step, request)
  const member = step.group.members.get(memberId)
  if (memberEpoch === 0) {
    // Version 0: the coordinator makes the id.
    return { before: member ?? newConsumerMember(memberId === '' ? context.random.uuid() : memberId), replaces: false }
  }
  if (member === undefined) {
    return error('UNKNOWN_MEMBER_ID', `Member ${memberId} is not a member of group ${request.groupId}.`)
  }
  return epochError(member, request) ?? { before: member, replaces: false }
}

function findStaticMember(step: ConsumerStep, request: Request): Present | HeartbeatError {
  const { memberId, memberEpoch, instanceId } = request
  const { group } = step
  const holder = group.members.get(group.staticMembers.get(instanceId!) ?? '')
  if (memberEpoch === 0) {
    if (holder === undefined) return { before: { ...newConsumerMember(memberId), instanceId }, replaces: false }
    if (holder.memberEpoch === LEAVE_STATIC_EPOCH) return { before: takePlace(step, holder, memberId), replaces: true }
    if (holder.memberId === memberId) return { before: holder, replaces: false }
    return error(
      'UNRELEASED_INSTANCE_ID',
      `Static member ${memberId} with instance id ${instanceId} cannot join the group because the instance id is still owned by another member.`,
    )
  }
  if (holder === undefined) return error('UNKNOWN_MEMBER_ID', `Instance id ${instanceId} is unknown.`)
  if (holder.memberId !== memberId) {
    return error(
      'FENCED_INSTANCE_ID',
      `Static member ${memberId} with instance id ${instanceId} was fenced by member ${holder.memberId}.`,
    )
  }
  return epochError(holder, request) ?? { before: holder, replaces: false }
}

/** The epoch before is taken too when the answer with the newer one may have been lost: the member holds nothing beyond what it has. */
function epochError(member: ConsumerMember, { memberEpoch, topicPartitions }: Request): HeartbeatError | null {
  if (memberEpoch === member.memberEpoch) return null
  if (memberEpoch > member.memberEpoch) {
    return error(
      'FENCED_MEMBER_EPOCH',
      `The consumer group member has a greater member epoch (${memberEpoch}) than the one known by the group coordinator (${member.memberEpoch}). The member must abandon all its partitions and rejoin.`,
    )
  }
  const holdsNoMore =
    topicPartitions?.every(({ topicId, partitions }) => partitions.every(p => member.assigned.get(topicId)?.has(p))) ??
    false
  if (memberEpoch === member.previousMemberEpoch && holdsNoMore) return null
  return error(
    'FENCED_MEMBER_EPOCH',
    `The consumer group member has a smaller member epoch (${memberEpoch}) than the one known by the group coordinator (${member.memberEpoch}). The member must abandon all its partitions and rejoin.`,
  )
}

/** What the member says of itself; what it leaves out is as before. */
function updatedBy(before: ConsumerMember, { request, clientId, clientHost }: Heartbeat): ConsumerMember {
  return {
    ...before,
    clientId,
    clientHost,
    instanceId: request.instanceId ?? before.instanceId,
    rackId: request.rackId ?? before.rackId,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs === -1 ? before.rebalanceTimeoutMs : request.rebalanceTimeoutMs,
    serverAssignor: request.serverAssignor ?? before.serverAssignor,
    subscribedTopicNames: sorted(request.subscribedTopicNames) ?? before.subscribedTopicNames,
    subscribedTopicRegex: request.subscribedTopicRegex ?? before.subscribedTopicRegex,
    classic: null,
  }
}

function sorted(names: readonly string[] | null): readonly string[] | null {
  return names === null ? null : [...new Set(names)].sort()
}

function leave(step: ConsumerStep, request: Request): Decided {
  const { groupId, memberId, memberEpoch, instanceId } = request
  const { group } = step
  const member = group.members.get(instanceId === null ? memberId : (group.staticMembers.get(instanceId) ?? ''))
  if (member === undefined) {
    return refuse(error('UNKNOWN_MEMBER_ID', `Member ${memberId} is not a member of group ${groupId}.`))
  }
  if (member.memberId !== memberId) {
    return refuse(
      error(
        'FENCED_INSTANCE_ID',
        `Static member ${memberId} with instance id ${instanceId} was fenced by member ${member.memberId}.`,
      ),
    )
  }
  if (memberEpoch === LEAVE_STATIC_EPOCH) {
    // It keeps its place until its session ends; what it was giving up, it has.
    step.write(currentAssignmentRecord(groupId, { ...member, memberEpoch, pendingRevocation: new Map() }))
  } else removeMembers(step, [memberId])
  const reply = { throttleTimeMs: 0, errorCode: 0, errorMessage: null, memberId, memberEpoch }
  return step.decision({ ...reply, heartbeatIntervalMs: 0, assignment: null })
}

/** A member was silent for its session timeout, or held on to partitions beyond its rebalance timeout: it is fenced. */
export function fenceMember(group: ConsumerGroup, memberId: string, context: GroupContext): GroupDecision<null> {
  if (!group.members.has(memberId)) return { reply: null }
  const step = new ConsumerStep(group, context)
  removeMembers(step, [memberId])
  return { ...step.decision(null), instead: () => fenceAlone(group, memberId, context) }
}

/** The classic group that would be left does not fit a batch: those who are left stay members of this one. */
function fenceAlone(group: ConsumerGroup, memberId: string, context: GroupContext): GroupDecision<null> {
  const step = new ConsumerStep(group, context)
  step.remove([memberId])
  return step.decision(null)
}

/** Fences the member only if it still is where it was when the time began. */
export function timeOutRevocation(
  group: ConsumerGroup,
  { memberId, memberEpoch }: { readonly memberId: string; readonly memberEpoch: number },
  context: GroupContext,
): GroupDecision<null> {
  const member = group.members.get(memberId)
  const isStuck = member?.state === 'UnrevokedPartitions' && member.memberEpoch === memberEpoch
  return isStuck ? fenceMember(group, memberId, context) : { reply: null }
}
