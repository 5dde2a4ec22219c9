// JoinGroup for groups of the classic protocol (Java: GroupMetadataManager.classicGroupJoinToClassicGroup and what it calls).
import { errors } from '@odradek/shared/protocol/error-codes'
import type { JoinGroupRequest, JoinGroupResponse } from '@odradek/shared/protocol/messages/11-join-group'
import { NO_TICKET } from '../runtime/effects.ts'
import { joinedResponse, membersForLeader, send } from './classic-effects.ts'
import { type ClassicGroup, type ClassicMember, emptyClassicGroup, NO_ASSIGNMENT } from './classic-group.ts'
import { validateMember } from './classic-members.rules.ts'
import { classicGroupRecord } from './classic-records.rules.ts'
import { ClassicStep, refusedJoin, refusedSync, sessionTimer } from './classic-step.ts'
import type { GroupDecision } from './group-words.ts'
import type { Asked, GroupContext } from './groups.ts'
import { sameProtocols, selectProtocol, supportsProtocols } from './protocol-vote.rules.ts'

type Joined = GroupDecision<JoinGroupResponse>
type Join = Asked<JoinGroupRequest>

/** From this version on a new member is given its id first and joins again with it (KIP-394). */
export const MEMBER_ID_REQUIRED_VERSION = 4
/** From this version on a static leader that came back may be told to leave the assignment as it is (KIP-814). */
const SKIP_ASSIGNMENT_VERSION = 9

/** `group`: undefined when the coordinator does not know it. */
export function joinClassicGroup(group: ClassicGroup | undefined, join: Join, context: GroupContext): Joined {
  const { request } = join
  const { settings, now } = context
  const refuse = (errorCode: number, memberId = request.memberId): Joined => ({
    reply: refusedJoin(memberId, errorCode),
  })
  const { sessionTimeoutMs } = request
  if (sessionTimeoutMs < settings.sessionTimeoutMinMs || sessionTimeoutMs > settings.sessionTimeoutMaxMs) {
    return refuse(errors.INVALID_SESSION_TIMEOUT.code)
  }
  if (group === undefined && request.memberId !== '') return refuse(errors.UNKNOWN_MEMBER_ID.code)
  const present = group ?? emptyClassicGroup(request.groupId, now)
  if (!hasRoom(present, request.memberId, settings.classicSizeMax)) {
    return refuse(errors.GROUP_MAX_SIZE_REACHED.code, '')
  }
  if (!supportsProtocols(present, request.protocolType, request.protocols)) {
    return refuse(errors.INCONSISTENT_GROUP_PROTOCOL.code)
  }
  // A group is in the log from its first member on, so that it is listed and described after a restart too.
  const step = new ClassicStep(present, context, group === undefined ? [classicGroupRecord(present)] : [])
  return request.memberId === '' ? joinNewMember(step, join) : joinKnownMember(step, join)
}

/** Java: acceptJoiningMember. While a rebalance gathers members, those that have joined count, so that they may replace one another. */
function hasRoom({ state, members, joiningCount }: ClassicGroup, memberId: string, max: number): boolean {
  if (state === 'Empty' || state === 'Dead') return true
  if (state !== 'PreparingRebalance') return members.has(memberId) || members.size < max
  const member = members.get(memberId)
  return (member !== undefined && member.joining !== NO_TICKET) || joiningCount < max
}

function joinNewMember(step: ClassicStep, join: Join): Joined {
  const { request, apiVersion } = join
  const { group, context } = step
  const { groupInstanceId } = request
  const memberId = newMemberId(join, context)
  if (groupInstanceId !== null) {
    const predecessor = group.staticMembers.get(groupInstanceId)
    return predecessor === undefined
      ? addMember(step, memberId, join)
      : replaceStaticMember(step, predecessor, memberId, join)
  }
  if (apiVersion < MEMBER_ID_REQUIRED_VERSION) return addMember(step, memberId, join)
  group.pendingJoin.set(memberId, true)
  step.armSession({ memberId, sessionTimeoutMs: request.sessionTimeoutMs })
  return step.decision(refusedJoin(memberId, errors.MEMBER_ID_REQUIRED.code))
}

/** Java: ClassicGroup.generateMemberId. */
export function newMemberId({ request, clientId }: Join, context: GroupContext): string {
  return `${request.groupInstanceId ?? clientId}-${newUuid(context)}`
}

/** In the usual form, as Java's UUID prints it: 8-4-4-4-12 hexadecimal digits. */
function newUuid({ random }: GroupContext): string {
  const hex = Buffer.from(random.uuid(), 'base64url').toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

function joinKnownMember(step: ClassicStep, join: Join): Joined {
  const { memberId, groupInstanceId, protocols } = join.request
  const { group } = step
  if (group.pendingJoin.has(memberId) && groupInstanceId === null) return addMember(step, memberId, join)
  const errorCode = validateMember(group, memberId, groupInstanceId)
  if (errorCode !== 0) return { reply: refusedJoin(memberId, errorCode) }
  const member = group.members.get(memberId)!
  // A member that is in the generation and asks for the same again did not get its answer.
  const sameAgain = sameProtocols(member.protocols, protocols)
  const isAnsweredAgain =
    group.state === 'CompletingRebalance' ? sameAgain : group.state === 'Stable' && sameAgain && !leads(group, memberId)
  if (isAnsweredAgain) {
    step.armSession(member)
    return step.decision(joinedResponse(group, member))
  }
  rejoin(step, member, join)
  send(step, { type: 'rebalance.needed' })
  return step.decision()
}

function leads({ leaderId }: ClassicGroup, memberId: string): boolean {
  return leaderId === memberId
}

function addMember(step: ClassicStep, memberId: string, join: Join): Joined {
  const { group, context } = step
  const { request, clientId, clientHost } = join
  const { groupInstanceId } = request
  group.pendingJoin.delete(memberId)
  if (group.members.size === 0) group.protocolType = request.protocolType
  group.leaderId ??= memberId
  if (groupInstanceId !== null) group.staticMembers.set(groupInstanceId, memberId)
  const member: ClassicMember = {
    memberId,
    groupInstanceId,
    clientId,
    clientHost,
    ...offered(join),
    assignment: NO_ASSIGNMENT,
    isNew: true,
    joining: context.ticket,
    syncing: NO_TICKET,
  }
  step.setMember(member)
  step.waits(member)
  if (group.initialDelay !== null) group.initialDelay = { ...group.initialDelay, memberAdded: true }
  send(step, { type: 'rebalance.needed' })
  return step.decision()
}

/** What a member says of itself with every JoinGroup. The bytes become the group's own. */
function offered({ request }: Join): Pick<ClassicMember, 'protocols' | 'rebalanceTimeoutMs' | 'sessionTimeoutMs'> {
  const { protocols, rebalanceTimeoutMs, sessionTimeoutMs } = request
  return {
    protocols: protocols.map(({ name, metadata }) => ({ name, metadata: metadata.slice() })),
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? sessionTimeoutMs : rebalanceTimeoutMs,
    sessionTimeoutMs,
  }
}

/** The member waits for the next generation; an older JoinGroup of it is on a connection that nobody reads any more. */
function rejoin(step: ClassicStep, member: ClassicMember, join: Join): void {
  const { memberId } = member
  step.answerJoin(member, refusedJoin(memberId, errors.REBALANCE_IN_PROGRESS.code))
  step.answerSync(step.group.members.get(memberId)!, refusedSync(errors.REBALANCE_IN_PROGRESS.code))
  const { clientId, clientHost } = join
  step.change(memberId, { ...offered(join), clientId, clientHost, joining: step.context.ticket })
  step.waits(step.group.members.get(memberId)!)
}

/** A static member came back without its member id: it takes its place under a new one, and whoever has the old one is fenced. */
function replaceStaticMember(step: ClassicStep, oldId: string, newId: string, join: Join): Joined {
  const { group } = step
  const oldLeader = group.leaderId
  const old = group.members.get(oldId)!
  step.answerJoin(old, refusedJoin(oldId, errors.FENCED_INSTANCE_ID.code))
  step.answerSync(group.members.get(oldId)!, refusedSync(errors.FENCED_INSTANCE_ID.code))
  takePlace(step, oldId, newId)
  rejoin(step, group.members.get(newId)!, join)
  if (group.state !== 'Stable' || selectProtocol(group) !== group.protocolName) {
    send(step, { type: 'rebalance.needed' })
    return step.decision()
  }
  // Same protocol: nobody else needs to know. The mapping goes to the log before the member learns its id.
  step.change(newId, { joining: NO_TICKET, isNew: false })
  const member = group.members.get(newId)!
  step.armSession(member)
  step.store()
  const answer = { ...joinedResponse(group, member), members: [] }
  if (join.apiVersion < SKIP_ASSIGNMENT_VERSION) return step.decision({ ...answer, leader: oldLeader! })
  if (!leads(group, newId)) return step.decision(answer)
  return step.decision({ ...answer, members: membersForLeader(group), skipAssignment: true })
}

function takePlace(step: ClassicStep, oldId: string, newId: string): void {
  const { group } = step
  const members = [...group.members.values()]
  group.members.clear()
  for (const member of members) {
    const renamed = member.memberId === oldId
    group.members.set(renamed ? newId : member.memberId, renamed ? { ...member, memberId: newId } : member)
  }
  const { groupInstanceId } = group.members.get(newId)!
  group.staticMembers.set(groupInstanceId!, newId)
  if (group.leaderId === oldId) group.leaderId = newId
  if (group.pendingSync.delete(oldId)) group.pendingSync.set(newId, true)
  step.cancelTimer(sessionTimer(group.groupId, oldId))
}
