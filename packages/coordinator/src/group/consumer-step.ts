// One decision about a consumer group while it is taken: the records that have come together, replayed on a draft of the group so that the rules
// see what they have decided so far. Most heartbeats decide nothing; the draft is made with the first record.
import { DraftMap } from '../runtime/draft-map.ts'
import type { ConsumerGroup, ConsumerMember } from './consumer-group.ts'
import { consumerGroupState } from './consumer-group.ts'
import { epochRecord, memberTombstones, patternTombstone } from './consumer-records.rules.ts'
import { replayConsumerRecord } from './consumer-replay.ts'
import type { GroupRecord } from './group.records.ts'
import type { GroupDecision, GroupEffect, GroupSoft } from './group-words.ts'
import type { GroupContext } from './groups.ts'
import { noOffsets } from './offsets.ts'
import { metadataHashOf } from './subscribed-topics.rules.ts'

type ConsumerRecord = Exclude<GroupRecord, { kind: 'OffsetCommit' | 'GroupMetadata' }>

export class ConsumerStep {
  readonly context: GroupContext
  readonly #records: GroupRecord[]
  readonly #effects: GroupEffect[] = []
  readonly #soft: GroupSoft[] = []
  #group: ConsumerGroup
  #isDraft = false

  /** `records` come before those of the step itself and are of the group that this one replaces. */
  constructor(group: ConsumerGroup, context: GroupContext, records: readonly GroupRecord[] = []) {
    this.#group = group
    this.context = context
    this.#records = [...records]
  }

  /** As it is with all that was decided so far. Not to be changed but by `write`. */
  get group(): ConsumerGroup {
    return this.#group
  }

  get size(): number {
    return this.#records.length
  }

  write(...records: readonly GroupRecord[]): void {
    if (records.length === 0) return
    if (!this.#isDraft) this.#group = draftOf(this.#group)
    this.#isDraft = true
    const groups = new Map([[this.#group.groupId, this.#group]])
    for (const record of records) {
      replayConsumerRecord({ groups, offsets: noOffsets() }, record as ConsumerRecord)
      this.#records.push(record)
    }
  }

  /** A new epoch: members, subscriptions or topics are not what they were. Those that live in this process are told at once. */
  bumpEpoch(except: string | null = null): void {
    const { groupId, groupEpoch } = this.#group
    this.write(epochRecord(groupId, groupEpoch + 1, metadataHashOf(this.#group, this.context.topics)))
    for (const memberId of this.#group.members.keys()) if (memberId !== except) this.notify(memberId)
  }

  /** Members leave for good: what they held is free. */
  remove(memberIds: readonly string[]): void {
    const { groupId } = this.#group
    for (const memberId of memberIds) {
      this.write(...memberTombstones(groupId, memberId))
      this.cancelTimers(memberId)
    }
    this.dropUnusedPatterns()
    this.bumpEpoch()
  }

  dropUnusedPatterns(): void {
    const { groupId, members, patterns } = this.#group
    if (patterns.size === 0) return
    const used = new Set([...members.values()].map(({ subscribedTopicRegex }) => subscribedTopicRegex))
    for (const expression of [...patterns.keys()]) {
      if (!used.has(expression)) this.write(patternTombstone(groupId, expression))
    }
  }

  notify(memberId: string): void {
    const { groupId } = this.#group
    this.#effects.push({ kind: 'notify', notice: { kind: 'rebalance', groupId, memberId, isRebalancing: false } })
  }

  armSession(memberId: string, delayMs: number): void {
    const { groupId } = this.#group
    this.#effects.push(consumerSession(groupId, memberId, delayMs))
  }

  /** The member has until its rebalance timeout to give up what it must; until then nobody else gets it. */
  followRevocation(member: ConsumerMember): void {
    const { groupId } = this.#group
    if (member.state === 'UnrevokedPartitions') this.#effects.push(revocationTimer(groupId, member))
    else this.#effects.push({ kind: 'cancelTimer', key: revocationKey(groupId, member.memberId) })
  }

  /** A member of the classic protocol was told to join anew: it has until its rebalance timeout from when it was told first. */
  awaitJoin(member: ConsumerMember): void {
    this.#effects.push({ ...silence(this.#group.groupId, member, joinKey), unlessArmed: true })
  }

  /** It has joined, and owes a SyncGroup from now on. */
  awaitSync(member: ConsumerMember): void {
    const { groupId } = this.#group
    this.#effects.push({ kind: 'cancelTimer', key: joinKey(groupId, member.memberId) })
    this.#effects.push(silence(groupId, member, syncKey))
  }

  synced({ memberId }: ConsumerMember): void {
    this.#effects.push({ kind: 'cancelTimer', key: syncKey(this.#group.groupId, memberId) })
  }

  cancelTimers(memberId: string): void {
    for (const keyOf of memberKeys) {
      this.#effects.push({ kind: 'cancelTimer', key: keyOf(this.#group.groupId, memberId) })
    }
  }

  effect(effect: GroupEffect): void {
    this.#effects.push(effect)
  }

  /** The group ends as one of this protocol: `tombstones`, then what the decision about its successor says. */
  become(tombstones: readonly GroupRecord[], { records = [], soft = [], effects = [] }: GroupDecision<unknown>): void {
    this.#records.push(...tombstones, ...records)
    this.#effects.push(...effects)
    this.#soft.push(...soft)
  }

  decision<Reply>(reply: Reply): GroupDecision<Reply> {
    return { records: this.#records, soft: this.#soft, effects: this.#effects, reply }
  }
}

/** Never settled: what is decided becomes of the group by its records. */
function draftOf(group: ConsumerGroup): ConsumerGroup {
  return {
    ...group,
    members: new DraftMap(group.members),
    staticMembers: new DraftMap(group.staticMembers),
    targetAssignment: new DraftMap(group.targetAssignment),
    owners: new DraftMap(group.owners),
    patterns: new DraftMap(group.patterns),
  }
}

// The same names as a classic group's: a group that changes its type leaves no timer of the other behind.
const sessionKey = (groupId: string, memberId: string) => `session ${groupId} ${memberId}`
const revocationKey = (groupId: string, memberId: string) => `revocation ${groupId} ${memberId}`
const joinKey = (groupId: string, memberId: string) => `rejoin ${groupId} ${memberId}`
const syncKey = (groupId: string, memberId: string) => `resync ${groupId} ${memberId}`
const memberKeys = [sessionKey, revocationKey, joinKey, syncKey]

function consumerSession(groupId: string, memberId: string, delayMs: number): GroupEffect {
  const key = sessionKey(groupId, memberId)
  return { kind: 'armTimer', key, delayMs, name: 'sessionExpired', request: { groupId, memberId } }
}

/** A request of the classic protocol is owed: without it the member is fenced as if its session were over. */
function silence(groupId: string, { memberId, rebalanceTimeoutMs }: ConsumerMember, keyOf: typeof joinKey) {
  const key = keyOf(groupId, memberId)
  const request = { groupId, memberId }
  return { kind: 'armTimer', key, delayMs: rebalanceTimeoutMs, name: 'sessionExpired', request } as const
}

function revocationTimer(groupId: string, { memberId, memberEpoch, rebalanceTimeoutMs }: ConsumerMember): GroupEffect {
  return {
    kind: 'armTimer',
    key: revocationKey(groupId, memberId),
    delayMs: rebalanceTimeoutMs,
    name: 'revocationTimedOut',
    request: { groupId, memberId, memberEpoch },
  }
}

/** What has to be armed for a group that was loaded. */
export function consumerTimers(group: ConsumerGroup, sessionTimeoutMs: number): GroupEffect[] {
  if (consumerGroupState(group) === 'Empty') return []
  return [...group.members.values()].flatMap(member => {
    const session = consumerSession(
      group.groupId,
      member.memberId,
      member.classic?.sessionTimeoutMs ?? sessionTimeoutMs,
    )
    return member.state === 'UnrevokedPartitions' ? [session, revocationTimer(group.groupId, member)] : [session]
  })
}
