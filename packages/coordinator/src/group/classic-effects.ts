// What happens to a classic group: an event moves its machine, and each effect that the graph names does its part to the step.
import { assert } from '@odradek/shared/base/assert'
import { errors } from '@odradek/shared/protocol/error-codes'
import type { JoinGroupResponse } from '@odradek/shared/protocol/messages/11-join-group'
import { NO_TICKET } from '../runtime/effects.ts'
import type { ClassicGroupEffect, ClassicGroupEvent } from './classic-group.machine.ts'
import { allJoined, type ClassicGroup, type ClassicMember, NO_ASSIGNMENT, rebalanceTimeoutOf } from './classic-group.ts'
import { classicGroupStep } from './classic-group-step.ts'
import { type ClassicStep, joinTimer, refusedJoin, refusedSync, syncTimer } from './classic-step.ts'
import { selectProtocol } from './protocol-vote.rules.ts'
import { subscribedTopicsOf } from './subscriptions.rules.ts'

type ClassicEffects = { readonly [E in ClassicGroupEffect]: (step: ClassicStep, event: ClassicGroupEvent) => void }

const classicEffects: ClassicEffects = {
  delayInitialRebalance(step) {
    const { group, context } = step
    const delayMs = context.settings.initialRebalanceDelayMs
    if (delayMs <= 0) completeJoinWhenAllJoined(step)
    if (group.state !== 'PreparingRebalance') return
    const remainingMs = Math.max(rebalanceTimeoutOf(group) - delayMs, 0)
    group.initialDelay = { memberAdded: false, delayMs, remainingMs }
    step.armTimer(joinTimer(group.groupId), delayMs, 'joinTimedOut', { groupId: group.groupId })
  },

  awaitJoins(step) {
    completeJoinWhenAllJoined(step)
    const { group } = step
    if (group.state !== 'PreparingRebalance') return
    step.armTimer(joinTimer(group.groupId), rebalanceTimeoutOf(group), 'joinTimedOut', { groupId: group.groupId })
  },

  completeJoinWhenAllJoined,

  tellMembers(step) {
    for (const { memberId, joining } of step.group.members.values())
      if (joining === NO_TICKET) step.tellRebalance(memberId)
  },

  refuseSyncs(step) {
    for (const member of [...step.group.members.values()]) {
      const waited = member.syncing !== NO_TICKET
      step.answerSync(member, refusedSync(errors.REBALANCE_IN_PROGRESS.code))
      if (waited) step.armSession(member)
      step.change(member.memberId, { assignment: NO_ASSIGNMENT })
    }
  },

  refuseJoins(step) {
    for (const member of [...step.group.members.values()]) {
      step.answerJoin(member, refusedJoin(member.memberId, errors.UNKNOWN_MEMBER_ID.code))
    }
  },

  cancelSyncTimeout: step => step.cancelTimer(syncTimer(step.group.groupId)),

  beginGeneration(step) {
    const { group } = step
    step.cancelTimer(joinTimer(group.groupId))
    group.generationId++
    group.initialDelay = null
    group.pendingSync.clear()
    group.protocolName = group.members.size === 0 ? null : selectProtocol(group)
    group.subscribedTopics = subscribedTopicsOf(group)
  },

  storeEmptyGeneration: step => step.store(),

  answerJoins(step) {
    const { group } = step
    for (const member of [...group.members.values()]) {
      step.answerJoin(member, joinedResponse(group, member))
      step.change(member.memberId, { isNew: false })
      step.armSession(member)
      group.pendingSync.set(member.memberId, true)
    }
  },

  awaitSyncs(step) {
    const { groupId, generationId } = step.group
    step.armTimer(syncTimer(groupId), rebalanceTimeoutOf(step.group), 'syncTimedOut', { groupId, generationId })
  },

  answerSyncs(step) {
    const { protocolType, protocolName, members } = step.group
    for (const member of [...members.values()]) {
      if (member.syncing === NO_TICKET) continue
      const { assignment } = member
      step.answerSync(member, { throttleTimeMs: 0, errorCode: 0, protocolType, protocolName, assignment })
      step.armSession(member)
    }
  },

  refuseEvent: ({ group }, { type }) => assert(false, `a classic group in ${group.state} does not expect ${type}`),
}

/** Something happened to the group: the machine says what becomes of it. */
export function send(step: ClassicStep, event: ClassicGroupEvent): void {
  const { group } = step
  const { state, effects } = classicGroupStep(group.state, event)
  step.moved({ from: group.state, to: state, event: event.type, effects })
  if (state !== group.state) {
    group.state = state
    group.stateTimestamp = step.context.now
  }
  for (const effect of effects) classicEffects[effect](step, event)
}

/** Ends the join phase with those who have joined. */
export function completeJoin(step: ClassicStep): void {
  const { group } = step
  for (const { memberId, joining, groupInstanceId } of [...group.members.values()]) {
    if (joining === NO_TICKET && groupInstanceId === null) step.remove(memberId, errors.UNKNOWN_MEMBER_ID.code)
  }
  if (group.members.size > 0 && !electLeader(group)) {
    // Only static members that did not come back are left: they keep their places until their sessions end.
    step.armTimer(joinTimer(group.groupId), rebalanceTimeoutOf(group), 'joinTimedOut', { groupId: group.groupId })
    return
  }
  send(step, { type: 'join.completed', members: group.members.size })
}

function completeJoinWhenAllJoined(step: ClassicStep): void {
  if (step.group.initialDelay === null && allJoined(step.group)) completeJoin(step)
}

/** Keeps the leader if it has joined, else takes the first that has. */
function electLeader(group: ClassicGroup): boolean {
  const isHere = (member: ClassicMember | undefined) => member !== undefined && member.joining !== NO_TICKET
  if (isHere(group.members.get(group.leaderId ?? ''))) return true
  for (const member of group.members.values()) {
    if (!isHere(member)) continue
    group.leaderId = member.memberId
    return true
  }
  return false
}

/** What a member of the new generation is told; the leader also who is in it. */
export function joinedResponse(group: ClassicGroup, { memberId }: ClassicMember): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    generationId: group.generationId,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    leader: group.leaderId!,
    skipAssignment: false,
    memberId,
    members: group.leaderId === memberId ? membersForLeader(group) : [],
  }
}

export function membersForLeader({ members, protocolName }: ClassicGroup): JoinGroupResponse['members'] {
  return [...members.values()].map(({ memberId, groupInstanceId, protocols }) => ({
    memberId,
    groupInstanceId,
    metadata: protocols.find(({ name }) => name === protocolName)!.metadata,
  }))
}
