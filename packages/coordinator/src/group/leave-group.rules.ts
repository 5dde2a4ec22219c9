// How members leave groups of the classic protocol: by LeaveGroup, by silence, or by not coming in time (Java: classicGroupLeaveToClassicGroup,
// expireClassicGroupMemberHeartbeat, completeClassicGroupJoin, expirePendingSync).
import { errors } from '@odradek/shared/protocol/error-codes'
import type {
  LeaveGroupRequest,
  LeaveGroupResponse,
  MemberIdentity,
} from '@odradek/shared/protocol/messages/13-leave-group'
import { completeJoin, send } from './classic-effects.ts'
import type { ClassicGroup } from './classic-group.ts'
import { validateMember } from './classic-members.rules.ts'
import { ClassicStep, joinTimer, sessionTimer } from './classic-step.ts'
import type { GroupDecision } from './group-words.ts'
import type { GroupContext } from './groups.ts'

type MemberResponses = LeaveGroupResponse['members']

export function leaveClassicGroup(
  group: ClassicGroup | undefined,
  { members }: LeaveGroupRequest,
  context: GroupContext,
): GroupDecision<LeaveGroupResponse> {
  const answered = (responses: MemberResponses) => ({ throttleTimeMs: 0, errorCode: 0, members: responses })
  if (group === undefined) {
    return { reply: answered(members.map(member => leftResponse(member, errors.UNKNOWN_MEMBER_ID.code))) }
  }
  const step = new ClassicStep(group, context)
  const responses = members.map(member => leftResponse(member, leave(step, member)))
  if (responses.every(({ errorCode }) => errorCode !== 0)) return { reply: answered(responses) }
  if (step.group.state !== 'Empty') send(step, { type: 'rebalance.needed' })
  return step.decision(answered(responses))
}

function leftResponse({ memberId, groupInstanceId }: MemberIdentity, errorCode: number) {
  return { memberId, groupInstanceId, errorCode }
}

function leave(step: ClassicStep, { memberId, groupInstanceId }: MemberIdentity): number {
  const { group } = step
  if (memberId === '') {
    // KIP-345: an administrator removes a static member by its instance id alone.
    const current = groupInstanceId === null ? undefined : group.staticMembers.get(groupInstanceId)
    if (current === undefined) return errors.UNKNOWN_MEMBER_ID.code
    step.remove(current, errors.UNKNOWN_MEMBER_ID.code)
    return 0
  }
  if (group.pendingJoin.delete(memberId)) {
    step.cancelTimer(sessionTimer(group.groupId, memberId))
    return 0
  }
  const errorCode = validateMember(group, memberId, groupInstanceId)
  if (errorCode === 0) step.remove(memberId, errors.UNKNOWN_MEMBER_ID.code)
  return errorCode
}

/** A session is over. The timer is disarmed while the member waits for us, so this one was silent. */
export function expireSession(group: ClassicGroup, memberId: string, context: GroupContext): GroupDecision<null> {
  const isPending = group.pendingJoin.has(memberId)
  if (!isPending && !group.members.has(memberId)) return { reply: null }
  const step = new ClassicStep(group, context)
  if (isPending) step.group.pendingJoin.delete(memberId)
  else step.remove(memberId, errors.UNKNOWN_MEMBER_ID.code)
  // An id that nobody came back with matters only to those who wait for it.
  if (group.state === 'PreparingRebalance' || (!isPending && group.state !== 'Empty')) {
    send(step, { type: 'rebalance.needed' })
  }
  return step.decision(null)
}

/** The time for joining is over: a new group's delay (longer while members keep coming), or the rebalance timeout. */
export function timeOutJoin(group: ClassicGroup, context: GroupContext): GroupDecision<null> {
  if (group.state !== 'PreparingRebalance') return { reply: null }
  const step = new ClassicStep(group, context)
  const { initialDelay, groupId } = step.group
  if (initialDelay?.memberAdded && initialDelay.remainingMs > 0) {
    const { delayMs: waitedMs, remainingMs } = initialDelay
    const delayMs = Math.min(context.settings.initialRebalanceDelayMs, remainingMs)
    step.group.initialDelay = { memberAdded: false, delayMs, remainingMs: Math.max(remainingMs - waitedMs, 0) }
    step.armTimer(joinTimer(groupId), delayMs, 'joinTimedOut', { groupId })
  } else {
    step.group.initialDelay = null
    completeJoin(step)
  }
  return step.decision(null)
}

/** The time for SyncGroup is over: members that did not ask for their share are gone. */
export function timeOutSync(group: ClassicGroup, generationId: number, context: GroupContext): GroupDecision<null> {
  const { state, pendingSync } = group
  const isOpen = state === 'CompletingRebalance' || state === 'Stable'
  if (!isOpen || group.generationId !== generationId || pendingSync.size === 0) return { reply: null }
  const step = new ClassicStep(group, context)
  for (const memberId of pendingSync.keys()) step.remove(memberId, errors.UNKNOWN_MEMBER_ID.code)
  send(step, { type: 'rebalance.needed' })
  return step.decision(null)
}
