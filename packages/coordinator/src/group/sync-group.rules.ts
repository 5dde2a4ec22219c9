// SyncGroup and Heartbeat for groups of the classic protocol (Java: classicGroupSyncToClassicGroup, classicGroupHeartbeatToClassicGroup).
import { errors } from '@odradek/shared/protocol/error-codes'
import type { HeartbeatRequest, HeartbeatResponse } from '@odradek/shared/protocol/messages/12-heartbeat'
import type { SyncGroupRequest, SyncGroupResponse } from '@odradek/shared/protocol/messages/14-sync-group'
import { NO_TICKET } from '../runtime/effects.ts'
import { send } from './classic-effects.ts'
import { type ClassicGroup, NO_ASSIGNMENT } from './classic-group.ts'
import { validateGeneration } from './classic-members.rules.ts'
import { ClassicStep, refusedSync, sessionTimer, syncTimer } from './classic-step.ts'
import type { GroupDecision } from './group-words.ts'
import type { GroupContext } from './groups.ts'

/** A member asks for its share; the leader brings everyone's. */
export function syncClassicGroup(
  group: ClassicGroup | undefined,
  request: SyncGroupRequest,
  context: GroupContext,
): GroupDecision<SyncGroupResponse> {
  const errorCode = group === undefined ? errors.UNKNOWN_MEMBER_ID.code : validateSync(group, request)
  if (group === undefined || errorCode !== 0) return { reply: refusedSync(errorCode) }
  const { memberId } = request
  const step = new ClassicStep(group, context)
  const { pendingSync, members, protocolType, protocolName } = step.group
  pendingSync.delete(memberId)
  if (pendingSync.size === 0) step.cancelTimer(syncTimer(group.groupId))
  const member = members.get(memberId)!
  if (group.state === 'Stable') {
    step.armSession(member)
    const { assignment } = member
    return step.decision({ throttleTimeMs: 0, errorCode: 0, protocolType, protocolName, assignment })
  }
  step.answerSync(member, refusedSync(errors.REBALANCE_IN_PROGRESS.code))
  step.change(memberId, { syncing: context.ticket })
  step.waits(step.group.members.get(memberId)!)
  if (step.group.leaderId !== memberId) return step.decision()
  takeAssignments(step, request)
  return { ...step.decision(), instead: () => failAssignments(group, context) }
}

function validateSync(group: ClassicGroup, request: SyncGroupRequest): number {
  const { protocolType, protocolName } = request
  const errorCode = validateGeneration(group, request)
  if (errorCode !== 0) return errorCode
  if (protocolType !== null && protocolType !== group.protocolType) return errors.INCONSISTENT_GROUP_PROTOCOL.code
  if (protocolName !== null && protocolName !== group.protocolName) return errors.INCONSISTENT_GROUP_PROTOCOL.code
  return group.state === 'PreparingRebalance' ? errors.REBALANCE_IN_PROGRESS.code : 0
}

/** Members that the leader left out get nothing. The whole group is one record; nobody learns its share before it is in the log. */
function takeAssignments(step: ClassicStep, { assignments }: SyncGroupRequest): void {
  const shares = new Map(assignments.map(({ memberId, assignment }) => [memberId, assignment]))
  for (const { memberId } of [...step.group.members.values()]) {
    step.change(memberId, { assignment: shares.get(memberId)?.slice() ?? NO_ASSIGNMENT })
  }
  send(step, { type: 'assignment.stored' })
  step.store()
}

/**
 * The group with its assignments is larger than one batch of `__consumer_offsets` may be (`message.max.bytes`): the leader and all who wait for their shares
 * are told so, and the group rebalances (Java: the append's failure in classicGroupSyncToClassicGroup).
 */
function failAssignments(group: ClassicGroup, context: GroupContext): GroupDecision<SyncGroupResponse> {
  const step = new ClassicStep(group, context)
  const refused = refusedSync(errors.UNKNOWN_SERVER_ERROR.code)
  for (const member of [...step.group.members.values()]) {
    const waited = member.syncing !== NO_TICKET
    step.answerSync(member, refused)
    if (waited) step.armSession(member)
  }
  send(step, { type: 'rebalance.needed' })
  return step.decision(refused)
}

/** A sign of life; the answer says whether there is something to rejoin for. */
export function heartbeatClassicGroup(
  group: ClassicGroup | undefined,
  request: HeartbeatRequest,
): GroupDecision<HeartbeatResponse> {
  const answer = (errorCode: number) => ({ throttleTimeMs: 0, errorCode })
  if (group === undefined) return { reply: answer(errors.UNKNOWN_MEMBER_ID.code) }
  const errorCode = validateGeneration(group, request)
  if (errorCode !== 0) return { reply: answer(errorCode) }
  const isRebalancing = group.state === 'PreparingRebalance'
  return {
    reply: answer(isRebalancing ? errors.REBALANCE_IN_PROGRESS.code : 0),
    effects: sessionEffects(group, request.memberId),
  }
}

/** The member was heard of: its session begins anew, unless it waits for us. No copy of the group is made for it. */
export function sessionEffects({ groupId, members }: ClassicGroup, memberId: string) {
  const { sessionTimeoutMs, joining, syncing } = members.get(memberId)!
  if (joining !== NO_TICKET || syncing !== NO_TICKET) return []
  return [
    {
      kind: 'armTimer' as const,
      key: sessionTimer(groupId, memberId),
      delayMs: sessionTimeoutMs,
      name: 'sessionExpired' as const,
      request: { groupId, memberId },
    },
  ]
}
