// A member of a classic group (JoinGroup, SyncGroup, Heartbeat, LeaveGroup). States and words are those of Kafka's AbstractCoordinator.
//
//                                   subscribed
//     Unsubscribed -----------------------------------> Unjoined  <----+ membership.lost, generation.lost
//        ^                                               |  Preparing  |
//        | left                                          |  Waiting    |
//        |                                      prepared v             |
//     Leaving <----- leave.requested -------- PreparingRebalance ------+     JoinGroup in flight
//        ^                                      | joined  ^            |
//        |                                      v         | rebalance. |
//        +------------------------------ CompletingRebalance started --+     SyncGroup in flight
//        |                                      | synced  ^            |
//        |                                      v         | prepared   |
//        +--------------------------------- Stable -------+------------+     Assigning -> Steady -> Revoking
//
// The poll timer (max.poll.interval.ms) leads from every joined state to Stale and back to Unjoined when the caller polls again. Fatal is the end.
import { effect } from '@odradek/shared/actor/machine-runner'
import type { ErrorData } from '@odradek/shared/base/errors'
import { setup } from 'xstate'

export type ClassicMembershipEvent =
  /** The caller subscribed, or changed what it subscribes to. */
  | { readonly type: 'subscribed' }
  /** What has to go before joining is revoked, the coordinator and the topics are known. */
  | { readonly type: 'prepared' }
  | { readonly type: 'retry.due' }
  /** JoinGroup answered with a generation. */
  | { readonly type: 'joined' }
  /** JoinGroup asked to come again with the id that it gave (KIP-394). */
  | { readonly type: 'join.again' }
  /** SyncGroup answered with an assignment. */
  | { readonly type: 'synced' }
  /** The caller's hooks for the new assignment have run. */
  | { readonly type: 'assigned' }
  /** The coordinator said that the group rebalances. */
  | { readonly type: 'rebalance.started' }
  /** This member wants a rebalance: its topics changed, it gave partitions up, or the user asked. */
  | { readonly type: 'rejoin.requested' }
  /** A step failed in a way that a wait (and perhaps another coordinator) helps. */
  | { readonly type: 'step.failed' }
  /** The coordinator does not know the member: what it owned is lost. */
  | { readonly type: 'membership.lost' }
  /** The group is, or may be, in a generation without this member: what it owned is lost, its id may still be good. */
  | { readonly type: 'generation.lost' }
  | { readonly type: 'poll.expired' }
  | { readonly type: 'polled' }
  | { readonly type: 'leave.requested' }
  | { readonly type: 'left' }
  | { readonly type: 'failed'; readonly error: ErrorData }

const vocabulary = setup({
  types: {
    context: {} as { readonly rejoinWanted: boolean },
    events: {} as ClassicMembershipEvent,
    /** `heartbeating`: the coordinator expects heartbeats of this generation. */
    tags: {} as 'heartbeating',
  },
  actions: {
    /** Runs hooks for what must go before joining, finds coordinator and topics; then `prepared` or `step.failed`. */
    prepareJoin: effect(),
    /** Sends JoinGroup. */
    sendJoin: effect(),
    /** Assigns if this member leads, sends SyncGroup. */
    sendSync: effect(),
    /** Hands the assignment to the caller; then `assigned`. */
    applyAssignment: effect(),
    startHeartbeat: effect(),
    stopHeartbeat: effect(),
    armRetry: effect(),
    cancelRetry: effect(),
    /** Forgets member id and generation and what was owned, without a commit. */
    loseMembership: effect(),
    /** Forgets generation and what was owned, without a commit; the member id stays. */
    loseGeneration: effect(),
    /** Tells the coordinator that this member goes; what was owned is lost. */
    leaveStale: effect(),
    /** Runs hooks for all that is owned, sends LeaveGroup; then `left`. */
    leave: effect(),
    tellFailure: effect<{ readonly error: ErrorData }>(),
    refuse: effect(),
  },
  guards: { rejoinWanted: ({ context }) => context.rejoinWanted },
})

const wantRejoin = vocabulary.assign({ rejoinWanted: true })
const forgetRejoin = vocabulary.assign({ rejoinWanted: false })
const fail = {
  target: '#classic-membership.Fatal',
  actions: [
    { type: 'loseMembership' },
    { type: 'tellFailure', params: ({ event }: { event: { error: ErrorData } }) => ({ error: event.error }) },
  ],
} as const
const lost = {
  'membership.lost': { target: '#classic-membership.Unjoined', actions: 'loseMembership' },
  'generation.lost': { target: '#classic-membership.Unjoined', actions: 'loseGeneration' },
} as const
const wait = '#classic-membership.Unjoined.Waiting'

/**
 * States:
 * - Unsubscribed: in no group.
 * - Unjoined: wants to join. Preparing: revokes what must go, finds the coordinator. Waiting: a step failed, waits before it prepares again.
 * - PreparingRebalance: JoinGroup is with the coordinator, which waits for the other members.
 * - CompletingRebalance: has a generation; SyncGroup is with the coordinator, which waits for the leader.
 * - Stable: has an assignment. Assigning: the caller's hooks run. Steady: nothing to do but heartbeats. Revoking: prepares to join again while it is
 *   still a member of its generation.
 * - Stale: the caller made no progress for max.poll.interval.ms; owns nothing until it does.
 * - Leaving: gives everything back. Fatal: cannot be a member; only leaving is left.
 */
export const classicMembershipMachine = vocabulary.createMachine({
  id: 'classic-membership',
  initial: 'Unsubscribed',
  context: { rejoinWanted: false },
  on: { '*': { actions: 'refuse' }, polled: {}, 'poll.expired': {}, 'rejoin.requested': {} },
  states: {
    Unsubscribed: { on: { subscribed: 'Unjoined', 'leave.requested': 'Leaving' } },
    Unjoined: {
      entry: forgetRejoin,
      initial: 'Preparing',
      on: { subscribed: {}, 'leave.requested': 'Leaving', 'poll.expired': 'Stale', failed: fail },
      states: {
        Preparing: {
          entry: 'prepareJoin',
          on: { prepared: '#classic-membership.PreparingRebalance', 'step.failed': 'Waiting' },
        },
        Waiting: { entry: 'armRetry', exit: 'cancelRetry', on: { 'retry.due': 'Preparing' } },
      },
    },
    PreparingRebalance: {
      entry: [forgetRejoin, 'sendJoin'],
      on: {
        joined: 'CompletingRebalance',
        'join.again': { target: 'PreparingRebalance', reenter: true },
        'rebalance.started': { target: 'PreparingRebalance', reenter: true },
        'step.failed': wait,
        ...lost,
        subscribed: { actions: wantRejoin },
        'rejoin.requested': { actions: wantRejoin },
        'leave.requested': 'Leaving',
        'poll.expired': 'Stale',
        failed: fail,
      },
    },
    CompletingRebalance: {
      tags: 'heartbeating',
      entry: ['startHeartbeat', 'sendSync'],
      exit: 'stopHeartbeat',
      on: {
        synced: 'Stable',
        'rebalance.started': 'PreparingRebalance',
        'step.failed': wait,
        ...lost,
        subscribed: { actions: wantRejoin },
        'rejoin.requested': { actions: wantRejoin },
        'leave.requested': 'Leaving',
        'poll.expired': 'Stale',
        failed: fail,
      },
    },
    Stable: {
      tags: 'heartbeating',
      entry: 'startHeartbeat',
      exit: 'stopHeartbeat',
      initial: 'Assigning',
      on: { ...lost, 'leave.requested': 'Leaving', 'poll.expired': 'Stale', failed: fail },
      states: {
        Assigning: {
          entry: 'applyAssignment',
          on: {
            assigned: [{ guard: 'rejoinWanted', target: 'Revoking' }, { target: 'Steady' }],
            'rebalance.started': { actions: wantRejoin },
            'rejoin.requested': { actions: wantRejoin },
            subscribed: { actions: wantRejoin },
          },
        },
        Steady: {
          on: { 'rebalance.started': 'Revoking', 'rejoin.requested': 'Revoking', subscribed: 'Revoking' },
        },
        Revoking: {
          entry: [forgetRejoin, 'prepareJoin'],
          on: {
            prepared: '#classic-membership.PreparingRebalance',
            'step.failed': wait,
            'rebalance.started': {},
            'rejoin.requested': {},
            subscribed: {},
          },
        },
      },
    },
    Stale: {
      entry: 'leaveStale',
      on: { polled: 'Unjoined', subscribed: {}, 'leave.requested': 'Leaving' },
    },
    Leaving: { entry: 'leave', on: { left: 'Unsubscribed', subscribed: {} } },
    Fatal: { on: { 'leave.requested': 'Leaving', subscribed: {} } },
  },
})
