// A member of a group under the consumer protocol (KIP-848): the coordinator assigns, the member reconciles what it owns with its target and says so in its
// heartbeats. States are those of Kafka's MemberState.
//
//                     subscribed              confirmed
//      Unsubscribed ------------> Joining ----------------------------> Stable
//          ^                       | ^  |                                | ^
//          | left                  | |  | target.received                | | acknowledged
//       Leaving                    | |  v                                | |
//          ^                       | |  Reconciling <--------------------+ |
//          | released              | |   | reconciled    ^               | |
//     PrepareLeaving <-------------+ |   v               |               | |
//          leave.requested,          |  Acknowledging ---+---------------+-+
//          from every state          |
//                                    +--- Fenced <--- member.fenced, from every joined state
//                                    +--- Stale  <--- poll.expired, from every joined state
//
// Heartbeats go on in every joined state; Fatal is the end.
import { effect } from '@odradek/shared/actor/machine-runner'
import type { ErrorData } from '@odradek/shared/base/errors'
import { setup } from 'xstate'

export type ConsumerMembershipEvent =
  /** The caller subscribed, or changed what it subscribes to. */
  | { readonly type: 'subscribed' }
  /** A heartbeat was answered without a new target: the coordinator knows what we own. */
  | { readonly type: 'confirmed' }
  /** A heartbeat brought a target that differs from what is owned. */
  | { readonly type: 'target.received' }
  /** What had to go is gone, what could come has come, and the caller's hooks have run. */
  | { readonly type: 'reconciled' }
  /** The coordinator does not accept the member or its epoch. */
  | { readonly type: 'member.fenced' }
  /** The caller knows that its partitions are lost. */
  | { readonly type: 'loss.told' }
  | { readonly type: 'poll.expired' }
  | { readonly type: 'polled' }
  | { readonly type: 'leave.requested' }
  /** Everything is given back. */
  | { readonly type: 'released' }
  | { readonly type: 'left' }
  | { readonly type: 'failed'; readonly error: ErrorData }

const vocabulary = setup({
  types: {
    context: {} as { readonly targetPending: boolean },
    events: {} as ConsumerMembershipEvent,
    /** `heartbeating`: the coordinator expects heartbeats. */
    tags: {} as 'heartbeating',
  },
  actions: {
    /** From now on heartbeats begin with epoch 0. */
    joinAnew: effect(),
    heartbeatNow: effect(),
    stopHeartbeat: effect(),
    /** Gives up and takes over partitions until the target is owned; then `reconciled`. */
    reconcile: effect(),
    /** Everything owned is lost; then `loss.told`. */
    tellLoss: effect(),
    /** Leaves because the caller is too slow: everything owned is lost. */
    leaveStale: effect(),
    /** Runs hooks for all that is owned; then `released`. */
    release: effect(),
    /** The coordinator gave the member up while it leaves: what it still owns is lost, and nobody waits for its goodbye. */
    forgetEpoch: effect(),
    /** Tells the coordinator; then `left`. */
    sendLeave: effect(),
    tellFailure: effect<{ readonly error: ErrorData }>(),
    refuse: effect(),
  },
  guards: { targetPending: ({ context }) => context.targetPending },
})

const targetIsPending = vocabulary.assign({ targetPending: true })
const targetIsTaken = vocabulary.assign({ targetPending: false })
const fail = {
  target: 'Fatal',
  actions: [
    { type: 'tellFailure', params: ({ event }: { event: { error: ErrorData } }) => ({ error: event.error }) },
    { type: 'tellLoss' },
  ],
} as const

/** What every joined state answers alike. */
const joined = {
  'member.fenced': 'Fenced',
  'poll.expired': 'Stale',
  'leave.requested': 'PrepareLeaving',
  subscribed: { actions: 'heartbeatNow' },
  failed: fail,
} as const

/**
 * States:
 * - Unsubscribed: in no group.
 * - Joining: heartbeats with epoch 0 until the coordinator answers with an epoch.
 * - Reconciling: the target differs from what is owned; partitions go, hooks run, partitions come. Heartbeats say what is owned.
 * - Acknowledging: what is owned is the target; the coordinator has not heard so yet.
 * - Stable: the coordinator knows that what is owned is the target.
 * - Fenced: the coordinator gave the member up; what it owned is lost, then it joins anew.
 * - Stale: the caller made no progress for max.poll.interval.ms; the member has left, owns nothing, and joins again with the next progress.
 * - PrepareLeaving, Leaving: gives everything back, then says goodbye. Fatal: cannot be a member; only leaving is left.
 */
export const consumerMembershipMachine = vocabulary.createMachine({
  id: 'consumer-membership',
  initial: 'Unsubscribed',
  context: { targetPending: false },
  on: {
    '*': { actions: 'refuse' },
    polled: {},
    'poll.expired': {},
    confirmed: {},
    'loss.told': {},
    'member.fenced': {},
  },
  states: {
    Unsubscribed: { on: { subscribed: 'Joining', 'leave.requested': 'PrepareLeaving' } },
    Joining: {
      tags: 'heartbeating',
      entry: [targetIsTaken, 'joinAnew', 'heartbeatNow'],
      on: { ...joined, confirmed: 'Stable', 'target.received': 'Reconciling' },
    },
    Reconciling: {
      tags: 'heartbeating',
      entry: [targetIsTaken, 'reconcile'],
      on: {
        ...joined,
        // As in Kafka, the next target does not wait for the answer to the heartbeat that says that this one is reached.
        reconciled: [
          { guard: 'targetPending', target: 'Reconciling', reenter: true, actions: 'heartbeatNow' },
          { target: 'Acknowledging' },
        ],
        'target.received': { actions: targetIsPending },
      },
    },
    Acknowledging: {
      tags: 'heartbeating',
      entry: 'heartbeatNow',
      on: {
        ...joined,
        confirmed: 'Stable',
        'target.received': 'Reconciling',
      },
    },
    Stable: { tags: 'heartbeating', on: { ...joined, 'target.received': 'Reconciling' } },
    Fenced: {
      entry: ['stopHeartbeat', 'tellLoss'],
      on: { 'loss.told': 'Joining', 'leave.requested': 'PrepareLeaving', subscribed: {}, reconciled: {} },
    },
    Stale: {
      entry: ['stopHeartbeat', 'leaveStale'],
      on: { polled: 'Joining', 'leave.requested': 'PrepareLeaving', subscribed: {}, reconciled: {} },
    },
    PrepareLeaving: {
      entry: ['stopHeartbeat', 'release'],
      on: { released: 'Leaving', 'member.fenced': { actions: 'forgetEpoch' }, subscribed: {}, reconciled: {} },
    },
    Leaving: { entry: 'sendLeave', on: { left: 'Unsubscribed', subscribed: {} } },
    Fatal: { entry: 'stopHeartbeat', on: { 'leave.requested': 'PrepareLeaving', subscribed: {}, reconciled: {} } },
  },
})
