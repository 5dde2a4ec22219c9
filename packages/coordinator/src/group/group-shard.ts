// The group coordinator as a shard (DESIGN 1.6): every word that can be asked of it, with the rules that answer. Decides nothing itself
// beyond which rules a group of which type is for.

import { refusedGroupApi as refused } from '@odradek/shared/client/port/coordinator-refusals'
import { errors } from '@odradek/shared/protocol/error-codes'
import { type DecideContext, defineShard, type ReadHandler, type WriteHandler } from '../runtime/shard.ts'
import { type ClassicGroup, settledGroup } from './classic-group.ts'
import {
  heartbeatConsumerGroup,
  joinConsumerGroup,
  leaveConsumerGroup,
  syncConsumerGroup,
} from './classic-in-consumer.rules.ts'
import { refusedJoin } from './classic-step.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { consumerHeartbeat, fenceMember, timeOutRevocation } from './consumer-heartbeat.rules.ts'
import { consumerGroupTombstones } from './consumer-records.rules.ts'
import { consumerTimers } from './consumer-step.ts'
import { consumerSessionTimeout } from './consumer-timeouts.rules.ts'
import { decodeGroupRecord, encodeGroupRecord, type GroupRecord } from './group.records.ts'
import { describeConsumerGroups, describeGroups, listGroups } from './group-queries.rules.ts'
import type { GroupSettings } from './group-settings.ts'
import type { GroupDecision, GroupEffect, GroupShard } from './group-words.ts'
import { type Asked, type GroupContext, type Groups, noGroups } from './groups.ts'
import { joinClassicGroup } from './join-group.rules.ts'
import { expireSession, leaveClassicGroup, timeOutJoin, timeOutSync } from './leave-group.rules.ts'
import { commitOffsets, commitTransactionalOffsets } from './offset-commit.rules.ts'
import { fetchOffsets } from './offset-fetch.rules.ts'
import { deleteGroups, deleteOffsets, expireOffsets, forgetTopics } from './offset-removal.rules.ts'
import { replayEndTransaction, replayGroupRecord } from './replay.ts'
import { followTopics } from './subscribed-patterns.rules.ts'
import { heartbeatClassicGroup, sessionEffects, syncClassicGroup } from './sync-group.rules.ts'
import type { Topics } from './topic-view.ts'

export interface GroupShardSetup {
  readonly settings: GroupSettings
  readonly topics: Topics
  readonly groupConfigs: GroupContext['groupConfigs']
}

type Words = GroupShard['words']
type Request<N extends keyof Words> = Words[N]['request']
type Reply<N extends keyof Words> = Words[N]['reply']

export function groupShard(setup: GroupShardSetup) {
  const kinds = handlerKinds(setup)
  return defineShard<GroupShard>({
    name: 'group',
    initial: noGroups,
    replay: replayGroupRecord,
    replayEndTransactionMarker: replayEndTransaction,
    applySoft({ groups }, { group }) {
      if (group.state === 'Dead') groups.delete(group.groupId)
      else groups.set(group.groupId, settledGroup(group))
    },
    encodeRecord: encodeGroupRecord,
    decodeRecord: decodeGroupRecord,
    onLoaded: (state, context) => ({ effects: timersAfterLoad(state, kinds.contextOf(context)) }),
    handlers: {
      ...classicHandlers(kinds),
      ...offsetHandlers(kinds),
      ...groupHandlers(kinds),
      ...ownHandlers(kinds, setup.settings),
    },
  })
}

type HandlerKinds = ReturnType<typeof handlerKinds>

/** The three kinds of handlers that rules become: they change something, they only look, or the shard itself asks. */
function handlerKinds(setup: GroupShardSetup) {
  const { settings, topics, groupConfigs } = setup
  // Written out: a spread was the largest part of the coordinator's own share in a profile of commits.
  const contextOf = ({ now, random, ticket }: DecideContext): GroupContext => {
    return { settings, topics, groupConfigs, now, random, ticket }
  }

  function write<N extends keyof Words>(
    refuse: (request: Request<N>, errorCode: number, message: string) => Reply<N>,
    decide: (state: Groups, request: Request<N>, context: GroupContext) => GroupDecision<Reply<N>>,
  ): WriteHandler<GroupShard, Request<N>, Reply<N>> {
    return {
      kind: 'write',
      decide: (state, request, context) => decide(state, request, contextOf(context)),
      refuse: (request, refusal) => refuse(request, refusal.errorCode, refusal.message),
    }
  }

  function read<N extends keyof Words>(
    refuse: (request: Request<N>, errorCode: number) => Reply<N>,
    look: (state: Groups, request: Request<N>, context: GroupContext) => Reply<N>,
  ): ReadHandler<GroupShard, Request<N>, Reply<N>> {
    return {
      kind: 'read',
      read: (state, request, context) => look(state, request, contextOf(context)),
      refuse: (request, refusal) => refuse(request, refusal.errorCode),
    }
  }

  /** What the shard asks itself. */
  function own<N extends keyof Words>(
    decide: (state: Groups, request: Request<N>, context: GroupContext) => GroupDecision<null>,
  ): WriteHandler<GroupShard, Request<N>, null> {
    return {
      kind: 'write',
      decide: (state, request, context) => decide(state, request, contextOf(context)),
      refuse: () => null,
    }
  }

  return { contextOf, write, read, own }
}

/** JoinGroup, SyncGroup, Heartbeat and LeaveGroup. */
function classicHandlers({ write }: HandlerKinds) {
  return {
    joinGroup: write<'joinGroup'>(refuseJoin, (state, asked, context) => {
      const { groupId } = asked.request
      if (groupId === '') return { reply: refuseJoin(asked, errors.INVALID_GROUP_ID.code) }
      const group = state.groups.get(groupId)
      if (group?.type === 'classic' || group === undefined) return joinClassicGroup(group, asked, context)
      return group.members.size > 0
        ? joinConsumerGroup(group, asked, context)
        : withFirst(consumerGroupTombstones(group), joinClassicGroup(undefined, asked, context))
    }),
    syncGroup: write<'syncGroup'>(refuseAs(refused.SyncGroup), (state, { request }, context) =>
      request.groupId === ''
        ? { reply: refused.SyncGroup(request, errors.INVALID_GROUP_ID.code) }
        : byType(state, request.groupId, {
            classic: group => syncClassicGroup(group, request, context),
            consumer: group => syncConsumerGroup(group, request, context),
          }),
    ),
    heartbeat: write<'heartbeat'>(refuseAs(refused.Heartbeat), (state, { request }, context) =>
      request.groupId === ''
        ? { reply: refused.Heartbeat(request, errors.INVALID_GROUP_ID.code) }
        : byType(state, request.groupId, {
            classic: group => heartbeatClassicGroup(group, request),
            consumer: group => heartbeatConsumerGroup(group, request, context),
          }),
    ),
    leaveGroup: write<'leaveGroup'>(refuseAs(refused.LeaveGroup), (state, { request }, context) =>
      request.groupId === ''
        ? { reply: refused.LeaveGroup(request, errors.INVALID_GROUP_ID.code) }
        : byType(state, request.groupId, {
            classic: group => leaveClassicGroup(group, request, context),
            consumer: group => leaveConsumerGroup(group, request, context),
          }),
    ),
  }
}

/** How far groups have read. */
function offsetHandlers({ write, read }: HandlerKinds) {
  return {
    offsetCommit: write<'offsetCommit'>(refuseAs(refused.OffsetCommit), (state, asked, context) =>
      commitOffsets(state.groups.get(asked.request.groupId), asked, context),
    ),
    txnOffsetCommit: write<'txnOffsetCommit'>(refuseAs(refused.TxnOffsetCommit), (state, asked, context) =>
      commitTransactionalOffsets(state.groups.get(asked.request.groupId), asked, context),
    ),
    offsetFetch: read<'offsetFetch'>(
      ({ request }, errorCode) => ({
        throttleTimeMs: 0,
        topics: [],
        errorCode: 0,
        groups: request.groups.map(({ groupId }) => ({ groupId, topics: [], errorCode })),
      }),
      fetchOffsets,
    ),
    offsetDelete: write<'offsetDelete'>(refuseAs(refused.OffsetDelete), deleteOffsets),
  }
}

/** The consumer protocol, and groups of both as a whole. */
function groupHandlers({ write, read }: HandlerKinds) {
  return {
    deleteGroups: write<'deleteGroups'>(
      ({ request }, errorCode) => ({
        throttleTimeMs: 0,
        results: request.groupsNames.map(groupId => ({ groupId, errorCode })),
      }),
      deleteGroups,
    ),
    describeGroups: read<'describeGroups'>(
      ({ request }, errorCode) => ({
        throttleTimeMs: 0,
        groups: request.groups.flatMap(groupId => refused.DescribeGroups(groupId, errorCode).groups),
      }),
      describeGroups,
    ),
    listGroups: read<'listGroups'>((_, errorCode) => ({ throttleTimeMs: 0, errorCode, groups: [] }), listGroups),
    consumerGroupHeartbeat: write<'consumerGroupHeartbeat'>(
      ({ request }, errorCode, errorMessage) => ({
        ...refused.ConsumerGroupHeartbeat(request, errorCode),
        errorMessage,
      }),
      (state, asked, context) => consumerHeartbeat(state.groups.get(asked.request.groupId), asked, context),
    ),
    consumerGroupDescribe: read<'consumerGroupDescribe'>(
      ({ request }, errorCode) => ({
        throttleTimeMs: 0,
        groups: request.groupIds.flatMap(groupId => refused.ConsumerGroupDescribe(groupId, errorCode).groups),
      }),
      describeConsumerGroups,
    ),
  }
}

/** What the shard asks itself. */
function ownHandlers({ own }: HandlerKinds, settings: GroupSettings) {
  return {
    sessionExpired: own<'sessionExpired'>((state, { groupId, memberId }, context) => {
      const group = state.groups.get(groupId)
      if (group === undefined) return NOTHING
      return group.type === 'classic' ? expireSession(group, memberId, context) : fenceMember(group, memberId, context)
    }),
    joinTimedOut: own<'joinTimedOut'>((state, { groupId }, context) => {
      const group = classicGroup(state, groupId)
      return group === undefined ? NOTHING : timeOutJoin(group, context)
    }),
    syncTimedOut: own<'syncTimedOut'>((state, { groupId, generationId }, context) => {
      const group = classicGroup(state, groupId)
      return group === undefined ? NOTHING : timeOutSync(group, generationId, context)
    }),
    revocationTimedOut: own<'revocationTimedOut'>((state, asked, context) => {
      const group = state.groups.get(asked.groupId)
      return group?.type === 'consumer' ? timeOutRevocation(group, asked, context) : NOTHING
    }),
    expireOffsets: own<'expireOffsets'>((state, { skip }, context) => {
      const { records, soft, next } = expireOffsets(state, skip, context)
      // The rest goes on in the next turn, so that a large expiry holds nobody up.
      return {
        records,
        soft,
        divisible: true,
        reply: null,
        effects: [expiryTimer(next ?? 0, next === null ? settings.offsetsCheckIntervalMs : 0)],
      }
    }),
    topicsDeleted: own<'topicsDeleted'>((state, { topics }) => ({
      records: forgetTopics(state, topics),
      divisible: true,
      reply: null,
    })),
    topicsChanged: own<'topicsChanged'>(topicsChanged),
  }
}

const NOTHING: GroupDecision<null> = { reply: null }

function topicsChanged(state: Groups, _request: unknown, context: GroupContext): GroupDecision<null> {
  const { records, effects, isDone } = followTopics(state, context)
  // A log that is cut inside is sound: topics are looked at again after every load.
  return { records, divisible: true, reply: null, effects: isDone ? effects : [...effects, topicsTimer] }
}

const topicsTimer: GroupEffect = {
  kind: 'armTimer',
  key: 'topicsChanged',
  delayMs: 0,
  name: 'topicsChanged',
  request: {},
}

function refuseAs<Req, Rep>(refuse: (request: Req, errorCode: number) => Rep) {
  return ({ request }: Asked<Req>, errorCode: number): Rep => refuse(request, errorCode)
}

function refuseJoin({ request }: Request<'joinGroup'>, errorCode: number): Reply<'joinGroup'> {
  return refusedJoin(request.memberId, errorCode)
}

interface ByType<R> {
  readonly classic: (group: ClassicGroup | undefined) => R
  readonly consumer: (group: ConsumerGroup) => R
}

/** Rules of the classic protocol for groups of either type, or for none. */
function byType<R>({ groups }: Groups, groupId: string, { classic, consumer }: ByType<R>): R {
  const group = groups.get(groupId)
  return group?.type === 'consumer' ? consumer(group) : classic(group)
}

function withFirst<Reply>(records: readonly GroupRecord[], decision: GroupDecision<Reply>): GroupDecision<Reply> {
  // A refusal leaves everything as it is.
  return decision.records === undefined ? decision : { ...decision, records: [...records, ...decision.records] }
}

function classicGroup({ groups }: Groups, groupId: string): ClassicGroup | undefined {
  const group = groups.get(groupId)
  return group?.type === 'classic' ? group : undefined
}

function timersAfterLoad({ groups }: Groups, context: GroupContext): GroupEffect[] {
  // Topics may have changed while nobody looked.
  const timers: GroupEffect[] = [expiryTimer(0, context.settings.offsetsCheckIntervalMs), topicsTimer]
  for (const group of groups.values()) {
    if (group.type === 'consumer') timers.push(...consumerTimers(group, consumerSessionTimeout(group.groupId, context)))
    else for (const memberId of group.members.keys()) timers.push(...sessionEffects(group, memberId))
  }
  return timers
}

function expiryTimer(skip: number, delayMs: number): GroupEffect {
  return { kind: 'armTimer', key: 'expireOffsets', delayMs, name: 'expireOffsets', request: { skip } }
}
