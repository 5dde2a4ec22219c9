// A group of the classic protocol as data, and what must be true of it in each state. A value: a decision works on a copy of its own
// (`copyOf`), and the copy becomes the group when the decision is applied. What of it is durable is in `group.records.ts`.
import { assert } from '@odradek/shared/base/assert'
import { NO_TICKET, type Ticket } from '../runtime/effects.ts'
import type { ClassicGroupState } from './classic-group.machine.ts'

export interface GroupProtocol {
  readonly name: string
  /** A framed subscription for consumers; opaque here. Own memory. */
  readonly metadata: Uint8Array
}

/** Replaced, never changed. */
export interface ClassicMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  /** In the member's order of preference. */
  readonly protocols: readonly GroupProtocol[]
  /** Empty until the leader brought one. Own memory. */
  readonly assignment: Uint8Array
  /** It does not know its generation yet, so it cannot heartbeat. */
  readonly isNew: boolean
  /** Its JoinGroup that waits for the others; NO_TICKET without one. */
  readonly joining: Ticket
  /** Its SyncGroup that waits for the leader; NO_TICKET without one. */
  readonly syncing: Ticket
}

/** The wait of a new group for more members. */
export interface InitialDelay {
  /** Somebody came since it was armed: it will be armed anew. */
  readonly memberAdded: boolean
  readonly delayMs: number
  /** By how much it may still be extended, so that all of it stays within the rebalance timeout. */
  readonly remainingMs: number
}

export interface ClassicGroup {
  readonly type: 'classic'
  readonly groupId: string
  state: ClassicGroupState
  /** When it entered its state, ms. -1: loaded from a record without it. */
  stateTimestamp: number
  generationId: number
  /** Null: no member ever joined (offsets only). */
  protocolType: string | null
  /** Null while there is no generation with members. */
  protocolName: string | null
  leaderId: string | null
  /** In the order of joining. */
  readonly members: Map<string, ClassicMember>
  /** Member ids by group.instance.id (KIP-345). */
  readonly staticMembers: Map<string, string>
  /** Ids that were given out (KIP-394) and did not join yet. */
  readonly pendingJoin: Set<string>
  /** Members of this generation that did not sync yet. */
  readonly pendingSync: Set<string>
  initialDelay: InitialDelay | null
  /** Of consumers, while the group has a generation; null: unknown. */
  subscribedTopics: ReadonlySet<string> | null
}

export const NO_ASSIGNMENT: Uint8Array = new Uint8Array(0)

/** Java: ConsumerProtocol.PROTOCOL_TYPE. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer'

export function emptyClassicGroup(groupId: string, now: number): ClassicGroup {
  return {
    type: 'classic',
    groupId,
    state: 'Empty',
    stateTimestamp: now,
    generationId: 0,
    protocolType: null,
    protocolName: null,
    leaderId: null,
    members: new Map(),
    staticMembers: new Map(),
    pendingJoin: new Set(),
    pendingSync: new Set(),
    initialDelay: null,
    subscribedTopics: null,
  }
}

/** A copy that can be changed without changing the group. */
export function copyOf(group: ClassicGroup): ClassicGroup {
  return {
    ...group,
    members: new Map(group.members),
    staticMembers: new Map(group.staticMembers),
    pendingJoin: new Set(group.pendingJoin),
    pendingSync: new Set(group.pendingSync),
  }
}

export function rebalanceTimeoutOf({ members }: ClassicGroup): number {
  let longest = 0
  for (const { rebalanceTimeoutMs } of members.values()) longest = Math.max(longest, rebalanceTimeoutMs)
  return longest
}

/** Everyone has joined anew, and who was given an id has come back with it. */
export function allJoined({ members, pendingJoin }: ClassicGroup): boolean {
  if (pendingJoin.size > 0) return false
  for (const { joining } of members.values()) if (joining === NO_TICKET) return false
  return true
}

/** Throws an AssertionError unless what the machine's header says of the group's state holds. */
export function assertClassicGroupInvariants(group: ClassicGroup): void {
  const { state, members, staticMembers, pendingSync, leaderId, protocolName, initialDelay } = group
  for (const member of members.values()) {
    const { memberId, groupInstanceId, joining, syncing } = member
    assert(joining === NO_TICKET || syncing === NO_TICKET, `${memberId}: nobody waits for two things`)
    if (state !== 'PreparingRebalance') assert(joining === NO_TICKET, `${state}: nobody waits in JoinGroup`)
    if (state !== 'CompletingRebalance') assert(syncing === NO_TICKET, `${state}: nobody waits in SyncGroup`)
    if (groupInstanceId !== null) {
      assert(staticMembers.get(groupInstanceId) === memberId, `${groupInstanceId}: one member id at a time`)
    }
  }
  for (const memberId of staticMembers.values()) assert(members.has(memberId), 'a static mapping leads to a member')
  for (const memberId of pendingSync) assert(members.has(memberId), 'only members owe a sync')
  if (state !== 'PreparingRebalance') assert(initialDelay === null, `${state}: the initial delay is over`)
  if (state === 'Empty' || state === 'Dead') assert(members.size === 0, `${state}: no members`)
  if (members.size === 0) assert(leaderId === null, 'nobody leads nobody')
  else assert(leaderId !== null && members.has(leaderId), 'the leader is a member')
  if (state === 'CompletingRebalance' || state === 'Stable') {
    assert(members.size > 0, `${state}: a generation has members`)
    assert(protocolName !== null, `${state}: a generation has a protocol`)
    for (const { protocols } of members.values()) {
      assert(
        protocols.some(({ name }) => name === protocolName),
        `${state}: every member supports the protocol`,
      )
    }
  }
}
