// One decision about a classic group while it is taken: a draft of the group that may be changed, and the records, replies and timers that
// have come together. The rules of JoinGroup, SyncGroup and the others begin a step, send the machine what happened (`classic-effects.ts`),
// and return its decision.
import type { JoinGroupResponse } from '@odradek/shared/protocol/messages/11-join-group'
import type { SyncGroupResponse } from '@odradek/shared/protocol/messages/14-sync-group'
import { NO_TICKET, type Ticket } from '../runtime/effects.ts'
import {
  assertClassicGroupInvariants,
  assertMemberInvariants,
  type ClassicGroup,
  type ClassicMember,
  draftOf,
  dropMember,
  NO_ASSIGNMENT,
  putMember,
} from './classic-group.ts'
import { classicGroupRecord } from './classic-records.rules.ts'
import type { GroupRecord } from './group.records.ts'
import type { GroupDecision, GroupEffect, GroupMoved } from './group-words.ts'
import type { GroupContext } from './groups.ts'

/** How long a new member may wait in JoinGroup (Java: CLASSIC_GROUP_NEW_MEMBER_JOIN_TIMEOUT_MS). */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 300_000

export class ClassicStep {
  readonly context: GroupContext
  /** The step's own draft. */
  readonly group: ClassicGroup
  readonly #records: GroupRecord[]
  readonly #effects: GroupEffect[] = []
  /** Members that were changed. */
  readonly #touched = new Set<string>()
  #hasMoved = false

  /** `records` come before those of the step itself. */
  constructor(group: ClassicGroup, context: GroupContext, records: readonly GroupRecord[] = []) {
    this.group = draftOf(group)
    this.context = context
    this.#records = [...records]
  }

  /** What was decided; the asker gets `reply`, or waits if there is none. */
  decision<Reply>(...[reply]: [] | [Reply]): GroupDecision<Reply> {
    this.#assertInvariants()
    const decided = {
      records: this.#records,
      soft: [{ kind: 'classicGroup' as const, group: this.group }],
      effects: this.#effects,
    }
    return reply === undefined ? decided : { ...decided, reply }
  }

  /** Of a group that is in the state in which it was, those of the members that changed: a large group is not looked through for each join. */
  #assertInvariants(): void {
    const { group } = this
    if (this.#hasMoved) assertClassicGroupInvariants(group)
    else this.#assertTouched()
  }

  #assertTouched(): void {
    const { group } = this
    for (const memberId of this.#touched) {
      const member = group.members.get(memberId)
      if (member !== undefined) assertMemberInvariants(group, member)
    }
  }

  /** Writes the group as it now is. */
  store(): void {
    this.#records.push(classicGroupRecord(this.group))
  }

  setMember(member: ClassicMember): void {
    putMember(this.group, member)
    this.#touched.add(member.memberId)
  }

  change(memberId: string, change: Partial<ClassicMember>): void {
    this.setMember({ ...this.group.members.get(memberId)!, ...change })
  }

  /** Takes a member out of the group; who waited for something in its name is told `errorCode`. */
  remove(memberId: string, errorCode: number): void {
    const { group } = this
    const member = group.members.get(memberId)!
    this.answerJoin(member, refusedJoin(memberId, errorCode))
    this.answerSync(group.members.get(memberId)!, refusedSync(errorCode))
    dropMember(group, memberId)
    group.pendingSync.delete(memberId)
    if (member.groupInstanceId !== null) group.staticMembers.delete(member.groupInstanceId)
    if (group.leaderId === memberId) group.leaderId = group.members.keys().next().value ?? null
    this.cancelTimer(sessionTimer(group.groupId, memberId))
  }

  answerJoin(member: ClassicMember, reply: JoinGroupResponse): void {
    if (member.joining === NO_TICKET) return
    this.change(member.memberId, { joining: NO_TICKET })
    this.reply('joinGroup', member.joining, reply)
  }

  answerSync(member: ClassicMember, reply: SyncGroupResponse): void {
    if (member.syncing === NO_TICKET) return
    this.change(member.memberId, { syncing: NO_TICKET })
    this.reply('syncGroup', member.syncing, reply)
  }

  reply(name: 'joinGroup', ticket: Ticket, reply: JoinGroupResponse): void
  reply(name: 'syncGroup', ticket: Ticket, reply: SyncGroupResponse): void
  reply(_name: string, ticket: Ticket, reply: JoinGroupResponse | SyncGroupResponse): void {
    this.#effects.push({ kind: 'reply', ticket, reply } as GroupEffect)
  }

  /** The group rebalances without the member so far. */
  tellRebalance(memberId: string): void {
    const { groupId } = this.group
    this.#effects.push({ kind: 'notify', notice: { kind: 'rebalance', groupId, memberId, isRebalancing: true } })
  }

  /** For whoever watches the machines. */
  moved(move: Omit<GroupMoved, 'groupId'>): void {
    if (move.from !== move.to) this.#hasMoved = true
    this.#effects.push({ kind: 'notify', notice: { kind: 'moved', groupId: this.group.groupId, ...move } })
  }

  // Sessions: a member that is silent for its session timeout is removed, unless it waits for us.

  armSession({ memberId, sessionTimeoutMs }: Pick<ClassicMember, 'memberId' | 'sessionTimeoutMs'>): void {
    this.#armExpiry(memberId, sessionTimeoutMs)
  }

  /** While it waits for us a known member cannot be silent; a new one may be gone without a sign. */
  waits(member: ClassicMember): void {
    if (member.isNew) this.#armExpiry(member.memberId, NEW_MEMBER_JOIN_TIMEOUT_MS)
    else this.cancelTimer(sessionTimer(this.group.groupId, member.memberId))
  }

  #armExpiry(memberId: string, delayMs: number): void {
    const { groupId } = this.group
    this.armTimer(sessionTimer(groupId, memberId), delayMs, 'sessionExpired', { groupId, memberId })
  }

  armTimer<N extends 'sessionExpired' | 'joinTimedOut' | 'syncTimedOut'>(
    key: string,
    delayMs: number,
    name: N,
    request: Extract<GroupEffect, { kind: 'armTimer'; name: N }>['request'],
  ): void {
    this.#effects.push({ kind: 'armTimer', key, delayMs, name, request } as GroupEffect)
  }

  cancelTimer(key: string): void {
    this.#effects.push({ kind: 'cancelTimer', key })
  }
}

export const sessionTimer = (groupId: string, memberId: string) => `session ${groupId} ${memberId}`
export const joinTimer = (groupId: string) => `join ${groupId}`
export const syncTimer = (groupId: string) => `sync ${groupId}`

export function refusedJoin(memberId: string, errorCode: number): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  }
}

export function refusedSync(errorCode: number): SyncGroupResponse {
  return { throttleTimeMs: 0, errorCode, protocolType: null, protocolName: null, assignment: NO_ASSIGNMENT }
}
