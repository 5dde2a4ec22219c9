// A group of the classic protocol as data, and what must be true of it in each state. A value: a decision works on a draft of its own
// (`draftOf`), and the draft becomes the group when the decision is applied. What of it is durable is in `group.records.ts`.
import { assert } from '@odradek/shared/base/assert'
import { DraftMap, settled } from '../runtime/draft-map.ts'
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
  /** In the order of joining. Changed through `putMember` and `dropMember`, which keep the counts beside it. */
  readonly members: Map<string, ClassicMember>
  /** How many of them wait in JoinGroup. */
  joiningCount: number
  /** By protocol name: how many members support it. */
  readonly protocolCounts: Map<string, number>
  /** Member ids by group.instance.id (KIP-345). */
  readonly staticMembers: Map<string, string>
  /** Ids that were given out (KIP-394) and did not join yet. */
  readonly pendingJoin: Map<string, true>
  /** Members of this generation that did not sync yet. */
  readonly pendingSync: Map<string, true>
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
    joiningCount: 0,
    protocolCounts: new Map(),
    staticMembers: new Map(),
    pendingJoin: new Map(),
    pendingSync: new Map(),
    initialDelay: null,
    subscribedTopics: null,
  }
}

/** A draft that can be changed without changing the group; costs what is changed. */
export function draftOf(group: ClassicGroup): ClassicGroup {
  return {
    ...group,
    members: new DraftMap(group.members),
    protocolCounts: new Map(group.protocolCounts),
    staticMembers: new DraftMap(group.staticMembers),
    pendingJoin: new DraftMap(group.pendingJoin),
    pendingSync: new DraftMap(group.pendingSync),
  }
}

/** The group that a draft becomes when the decision is applied; the one that it drafts must not be used any more. */
export function settledGroup(group: ClassicGroup): ClassicGroup {
  return {
    ...group,
    members: settled(group.members),
    staticMembers: settled(group.staticMembers),
    pendingJoin: settled(group.pendingJoin),
    pendingSync: settled(group.pendingSync),
  }
}

/** Takes a member in, or replaces what it was. */
export function putMember(group: ClassicGroup, member: ClassicMember): void {
  const before = group.members.get(member.memberId)
  group.members.set(member.memberId, member)
  if (before !== undefined) count(group, before, -1)
  count(group, member, 1)
}

export function dropMember(group: ClassicGroup, memberId: string): void {
  count(group, group.members.get(memberId)!, -1)
  group.members.delete(memberId)
}

function count(group: ClassicGroup, { joining, protocols }: ClassicMember, by: 1 | -1): void {
  if (joining !== NO_TICKET) group.joiningCount += by
  for (const name of new Set(protocols.map(protocol => protocol.name))) {
    const members = (group.protocolCounts.get(name) ?? 0) + by
    if (members === 0) group.protocolCounts.delete(name)
    else group.protocolCounts.set(name, members)
  }
}

export function rebalanceTimeoutOf({ members }: ClassicGroup): number {
  let longest = 0
  for (const { rebalanceTimeoutMs } of members.values()) longest = Math.max(longest, rebalanceTimeoutMs)
  return longest
}

/** Everyone has joined anew, and who was given an id has come back with it. */
export function allJoined({ members, joiningCount, pendingJoin }: ClassicGroup): boolean {
  return pendingJoin.size === 0 && joiningCount === members.size
}

/** Throws an AssertionError unless what the machine's header says of the group's state holds. */
export function assertClassicGroupInvariants(group: ClassicGroup): void {
  const { state, members, staticMembers, pendingSync, leaderId, protocolName, initialDelay } = group
  let joiningCount = 0
  for (const member of members.values()) {
    assertMemberInvariants(group, member)
    if (member.joining !== NO_TICKET) joiningCount++
  }
  assert(group.joiningCount === joiningCount, 'who waits in JoinGroup is counted')
  for (const memberId of staticMembers.values()) assert(members.has(memberId), 'a static mapping leads to a member')
  for (const memberId of pendingSync.keys()) assert(members.has(memberId), 'only members owe a sync')
  if (state !== 'PreparingRebalance') assert(initialDelay === null, `${state}: the initial delay is over`)
  if (state === 'Empty' || state === 'Dead') assert(members.size === 0, `${state}: no members`)
  if (members.size === 0) assert(leaderId === null, 'nobody leads nobody')
  else assert(leaderId !== null && members.has(leaderId), 'the leader is a member')
  if (state === 'CompletingRebalance' || state === 'Stable') {
    assert(members.size > 0, `${state}: a generation has members`)
    assert(protocolName !== null, `${state}: a generation has a protocol`)
    const supporters = group.protocolCounts.get(protocolName!) ?? 0
    assert(supporters === members.size, `${state}: every member supports the protocol`)
  }
}

/** The part of it that is about one member. */
export function assertMemberInvariants(
  { state, staticMembers, protocolName }: ClassicGroup,
  member: ClassicMember,
): void {
  const { memberId, groupInstanceId, joining, syncing, protocols } = member
  assert(joining === NO_TICKET || syncing === NO_TICKET, `${memberId}: nobody waits for two things`)
  if (state !== 'PreparingRebalance') assert(joining === NO_TICKET, `${state}: nobody waits in JoinGroup`)
  if (state !== 'CompletingRebalance') assert(syncing === NO_TICKET, `${state}: nobody waits in SyncGroup`)
  if (groupInstanceId !== null) {
    assert(staticMembers.get(groupInstanceId) === memberId, `${groupInstanceId}: one member id at a time`)
  }
  if (state === 'CompletingRebalance' || state === 'Stable') {
    const isSupported = protocols.some(({ name }) => name === protocolName)
    assert(isSupported, `${state}: every member supports the protocol`)
  }
}
