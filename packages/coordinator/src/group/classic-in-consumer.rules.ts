// The classic protocol inside a consumer group, for the time of a migration (Java: classicGroupJoinToConsumerGroup, classicGroupSyncToConsumerGroup,
// classicGroupHeartbeatToConsumerGroup, classicGroupLeaveToConsumerGroup). The generation of such a member is its member epoch; it joins
// again whenever there is something to reconcile, and its SyncGroup is answered at once.
import type { ApiRequest, ApiResponse } from '@odradek/shared/contracts/api-map'
import { errors } from '@odradek/shared/protocol/error-codes'
import { consumerAssignmentBytes } from './classic-assignment.rules.ts'
import { CONSUMER_PROTOCOL_TYPE } from './classic-group.ts'
import { refusedJoin, refusedSync } from './classic-step.ts'
import { type ConsumerGroup, type ConsumerMember, newConsumerMember, type Partitions } from './consumer-group.ts'
import { enroll, moveOn, takePlace } from './consumer-members.rules.ts'
import { ConsumerStep } from './consumer-step.ts'
import type { GroupDecision } from './group-words.ts'
import type { Asked, GroupContext } from './groups.ts'
import { MEMBER_ID_REQUIRED_VERSION, newMemberId } from './join-group.rules.ts'
import { downgrade, mayDowngrade, removeMembers } from './migration.rules.ts'
import { readSubscription } from './subscriptions.rules.ts'
import { isTargetDue, updateTarget } from './target-assignment.rules.ts'
import type { Topics } from './topic-view.ts'

type Join = Asked<ApiRequest<'JoinGroup'>>

export function joinConsumerGroup(
  group: ConsumerGroup,
  join: Join,
  context: GroupContext,
): GroupDecision<ApiResponse<'JoinGroup'>> {
  const { request, apiVersion } = join
  const { sessionTimeoutMs, groupInstanceId, memberId: asked, protocols } = request
  const { settings } = context
  const refuse = (errorCode: number, memberId = asked) => ({ reply: refusedJoin(memberId, errorCode) })
  if (sessionTimeoutMs < settings.sessionTimeoutMinMs || sessionTimeoutMs > settings.sessionTimeoutMaxMs) {
    return refuse(errors.INVALID_SESSION_TIMEOUT.code)
  }
  const subscription = protocols.length === 0 ? null : readSubscription(protocols[0]!.metadata)
  if (settings.migrationPolicy === 'disabled') return refuse(errors.INCONSISTENT_GROUP_PROTOCOL.code)
  if (subscription === null || request.protocolType !== CONSUMER_PROTOCOL_TYPE || !fits(group, asked, protocols)) {
    return refuse(errors.INCONSISTENT_GROUP_PROTOCOL.code)
  }
  if (!group.members.has(asked) && group.members.size >= settings.consumerSizeMax) {
    return refuse(errors.GROUP_MAX_SIZE_REACHED.code, '')
  }
  const memberId = asked === '' ? newMemberId(join, context) : asked
  if (asked === '' && groupInstanceId === null && apiVersion >= MEMBER_ID_REQUIRED_VERSION) {
    return refuse(errors.MEMBER_ID_REQUIRED.code, memberId)
  }
  const step = new ConsumerStep(group, context)
  const before = findMember(step, { memberId, groupInstanceId, isNew: asked === '' })
  if (typeof before === 'number') return refuse(before)
  const speaksClassicNow = before.classic === null && group.staticMembers.has(groupInstanceId ?? '')
  enroll(step, before, offered(before, join, subscription))
  const answer = (generationId: number) => ({
    ...refusedJoin(memberId, 0),
    generationId,
    protocolType: CONSUMER_PROTOCOL_TYPE,
    protocolName: protocols[0]!.name,
  })
  if (speaksClassicNow && mayDowngrade(step)) {
    // Its SyncGroup learns of the rebalance that this begins.
    downgrade(step)
    return step.decision(answer(step.group.groupEpoch))
  }
  if (isTargetDue(step)) updateTarget(step)
  const owned = ownedOf(subscription.ownedPartitions, context.topics)
  const member = moveOn(step, step.group.members.get(memberId)!, owned)
  step.armSession(memberId, sessionTimeoutMs)
  step.awaitSync(member)
  return step.decision(answer(member.memberEpoch))
}

/** Members of the classic protocol need one in common, so that they can be a classic group again. */
function fits({ members }: ConsumerGroup, memberId: string, protocols: readonly { readonly name: string }[]): boolean {
  const others = [...members.values()].filter(member => member.classic !== null && member.memberId !== memberId)
  return protocols.some(({ name }) =>
    others.every(({ classic }) => classic!.supportedProtocols.some(supported => supported.name === name)),
  )
}

interface Wanted {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly isNew: boolean
}

/** The member as it was, a fresh one, or an error code. */
function findMember(step: ConsumerStep, { memberId, groupInstanceId, isNew }: Wanted): ConsumerMember | number {
  const { members, staticMembers } = step.group
  if (groupInstanceId === null) return members.get(memberId) ?? newConsumerMember(memberId)
  const holder = members.get(staticMembers.get(groupInstanceId) ?? '')
  if (isNew) return holder === undefined ? newConsumerMember(memberId) : takePlace(step, holder, memberId)
  if (holder === undefined) return errors.UNKNOWN_MEMBER_ID.code
  return holder.memberId === memberId ? holder : errors.FENCED_INSTANCE_ID.code
}

function offered(
  before: ConsumerMember,
  { request, clientId, clientHost }: Join,
  { topics, rackId }: { readonly topics: readonly string[]; readonly rackId: string | null },
): ConsumerMember {
  const { sessionTimeoutMs, rebalanceTimeoutMs, protocols, groupInstanceId } = request
  const supportedProtocols = protocols.map(({ name, metadata }) => ({ name, metadata: metadata.slice() }))
  return {
    ...before,
    clientId,
    clientHost,
    instanceId: groupInstanceId,
    rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? sessionTimeoutMs : rebalanceTimeoutMs,
    serverAssignor: null,
    subscribedTopicNames: [...new Set(topics)].sort(),
    subscribedTopicRegex: null,
    classic: { sessionTimeoutMs, supportedProtocols },
  }
}

function ownedOf(
  list: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
  topics: Topics,
): Partitions {
  const owned = new Map<string, Set<number>>()
  for (const { topic, partitions } of list) {
    const topicId = topics.byName(topic)?.topicId
    if (topicId !== undefined) owned.set(topicId, new Set(partitions))
  }
  return owned
}

interface Speaker {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generationId: number
}

/** The member that speaks, or an error code. */
function classicMember(
  group: ConsumerGroup,
  { memberId, groupInstanceId, generationId }: Speaker,
): ConsumerMember | number {
  if (groupInstanceId !== null) {
    const holder = group.staticMembers.get(groupInstanceId)
    if (holder !== undefined && holder !== memberId) return errors.FENCED_INSTANCE_ID.code
  }
  const member = group.members.get(memberId)
  if (member === undefined || member.classic === null) return errors.UNKNOWN_MEMBER_ID.code
  return member.memberEpoch === generationId ? member : errors.ILLEGAL_GENERATION.code
}

export function syncConsumerGroup(
  group: ConsumerGroup,
  request: ApiRequest<'SyncGroup'>,
  context: GroupContext,
): GroupDecision<ApiResponse<'SyncGroup'>> {
  const member = classicMember(group, request)
  if (typeof member === 'number') return { reply: refusedSync(member) }
  const { name: protocolName } = member.classic!.supportedProtocols[0]!
  const isOther =
    (request.protocolType !== null && request.protocolType !== CONSUMER_PROTOCOL_TYPE) ||
    (request.protocolName !== null && request.protocolName !== protocolName)
  if (isOther) return { reply: refusedSync(errors.INCONSISTENT_GROUP_PROTOCOL.code) }
  const step = new ConsumerStep(group, context)
  // Who has joined to give partitions up finishes that first.
  if (group.assignmentEpoch > member.memberEpoch && member.state !== 'UnrevokedPartitions') {
    step.awaitJoin(member)
    return step.decision(refusedSync(errors.REBALANCE_IN_PROGRESS.code))
  }
  step.armSession(member.memberId, member.classic!.sessionTimeoutMs)
  step.synced(member)
  const assignment = consumerAssignmentBytes(member, context.topics)
  return step.decision({
    throttleTimeMs: 0,
    errorCode: 0,
    protocolType: CONSUMER_PROTOCOL_TYPE,
    protocolName,
    assignment,
  })
}

/** Tells the member to join again whenever its next step can be made. One that never does holds the others up no longer than its rebalance timeout. */
export function heartbeatConsumerGroup(
  group: ConsumerGroup,
  request: ApiRequest<'Heartbeat'>,
  context: GroupContext,
): GroupDecision<ApiResponse<'Heartbeat'>> {
  const member = classicMember(group, request)
  if (typeof member === 'number') return { reply: { throttleTimeMs: 0, errorCode: member } }
  const step = new ConsumerStep(group, context)
  step.armSession(member.memberId, member.classic!.sessionTimeoutMs)
  const mustRejoin =
    member.memberEpoch < group.assignmentEpoch ||
    isTargetDue(step) ||
    member.state === 'UnrevokedPartitions' ||
    (member.state === 'UnreleasedPartitions' && canTakeMore(group, member, context))
  if (mustRejoin) step.awaitJoin(member)
  return step.decision({ throttleTimeMs: 0, errorCode: mustRejoin ? errors.REBALANCE_IN_PROGRESS.code : 0 })
}

function canTakeMore(group: ConsumerGroup, member: ConsumerMember, context: GroupContext): boolean {
  return moveOn(new ConsumerStep(group, context), member, new Map()) !== member
}

export function leaveConsumerGroup(
  group: ConsumerGroup,
  { members }: ApiRequest<'LeaveGroup'>,
  context: GroupContext,
): GroupDecision<ApiResponse<'LeaveGroup'>> {
  const leaving = new Set<string>()
  const responses = members.map(({ memberId: asked, groupInstanceId }) => {
    const holder = groupInstanceId === null ? undefined : group.staticMembers.get(groupInstanceId)
    const memberId = asked === '' ? (holder ?? '') : asked
    const isFenced = asked !== '' && holder !== undefined && holder !== asked
    const isKnown = group.members.has(memberId)
    if (isKnown && !isFenced) leaving.add(memberId)
    const errorCode = isFenced ? errors.FENCED_INSTANCE_ID.code : isKnown ? 0 : errors.UNKNOWN_MEMBER_ID.code
    return { memberId: asked, groupInstanceId, errorCode }
  })
  const reply = { throttleTimeMs: 0, errorCode: 0, members: responses }
  if (leaving.size === 0) return { reply }
  const step = new ConsumerStep(group, context)
  removeMembers(step, [...leaving])
  return step.decision(reply)
}
