// What can be asked of a group shard, as the types of the shard runtime. Types only; `group-shard.ts` has the handlers.
import type { ApiRequest, ApiResponse } from '@odradek/shared/contracts/api-map'
import type { MemberRef } from '@odradek/shared/contracts/coordinator.contract'
import type { Effect } from '../runtime/effects.ts'
import type { Decision } from '../runtime/shard.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { GroupRecord } from './group.records.ts'
import type { Asked, Groups } from './groups.ts'

type Api<
  A extends
    | 'JoinGroup'
    | 'SyncGroup'
    | 'Heartbeat'
    | 'LeaveGroup'
    | 'OffsetCommit'
    | 'OffsetFetch'
    | 'OffsetDelete'
    | 'TxnOffsetCommit'
    | 'DeleteGroups'
    | 'DescribeGroups'
    | 'ListGroups'
    | 'ConsumerGroupHeartbeat'
    | 'ConsumerGroupDescribe',
> = { readonly request: Asked<ApiRequest<A>>; readonly reply: ApiResponse<A> }

/** Of timers and of the coordinator itself: nobody waits for the reply. */
type Own<Request> = { readonly request: Request; readonly reply: null }

/** What is not logged: the whole classic group as it now is, waits included; null: there is none (any more). */
export interface GroupSoft {
  readonly kind: 'classicGroup'
  readonly group: ClassicGroup
}

/** A classic group took a step of its machine. */
export interface GroupMoved {
  readonly groupId: string
  readonly from: string
  readonly to: string
  readonly event: string
  readonly effects: readonly string[]
}

/** `rebalance`: the member should heartbeat at once. */
export type GroupNotice =
  | ({ readonly kind: 'rebalance'; readonly isRebalancing: boolean } & MemberRef)
  | ({ readonly kind: 'moved' } & GroupMoved)

export type GroupShard = {
  state: Groups
  record: GroupRecord
  soft: GroupSoft
  notice: GroupNotice
  markers: never
  words: {
    joinGroup: Api<'JoinGroup'>
    syncGroup: Api<'SyncGroup'>
    heartbeat: Api<'Heartbeat'>
    leaveGroup: Api<'LeaveGroup'>
    offsetCommit: Api<'OffsetCommit'>
    txnOffsetCommit: Api<'TxnOffsetCommit'>
    offsetFetch: Api<'OffsetFetch'>
    offsetDelete: Api<'OffsetDelete'>
    deleteGroups: Api<'DeleteGroups'>
    describeGroups: Api<'DescribeGroups'>
    listGroups: Api<'ListGroups'>
    consumerGroupHeartbeat: Api<'ConsumerGroupHeartbeat'>
    consumerGroupDescribe: Api<'ConsumerGroupDescribe'>
    /**
     * A member was silent for its session timeout, or did not come back with the id that it was given; in a consumer group: or does not join or sync, though
     * it was told to, within its rebalance timeout.
     */
    sessionExpired: Own<MemberRef>
    /** The time for joining is over. */
    joinTimedOut: Own<{ readonly groupId: string }>
    /** The time for SyncGroup is over in this generation. */
    syncTimedOut: Own<{ readonly groupId: string; readonly generationId: number }>
    /** A member of a consumer group did not give up partitions in time; it still was in this epoch. */
    revocationTimedOut: Own<MemberRef & { readonly memberEpoch: number }>
    /** Looks for expired offsets, without the first `skip` groups. */
    expireOffsets: Own<{ readonly skip: number }>
    /** Offsets of topics that are gone are removed. */
    topicsDeleted: Own<{ readonly topics: readonly string[] }>
    /** Topics came or grew: consumer groups that subscribe to them look again. */
    topicsChanged: Own<Record<string, never>>
  }
}

export type GroupDecision<Reply> = Decision<GroupShard, Reply>
export type GroupEffect = Effect<GroupShard>
