// When a shard loads, serves, waits and gives up. The runner (`shard-runner.ts`) carries out the effects; nothing here knows logs
// or replies.
//
//                      leader.found
//     Initial ────────────────────────────► Loading ──load.done──► Active ┌─ idle ──batch.sent──► appending ──append.committed─┐
//                                           ▲  ▲  │                       │   ▲ └──barrier.sent─► atBarrier ─barrier.passed──┐ │
//                              leader.found │  │  │load.failed            │   └────────────────────────────────────────────┴─┘
//                                  or retry │  │  ▼                       │
//                                           └──│ Failed ◄──leader.lost────┤ (also from Loading)
//                                              └─────── append.failed ────┘
//     any ──close──► Closed
//
// What is true in each state (`assertShardInvariants` checks the same list):
// - Initial: no leader yet; nothing loaded; requests wait in the waiting room.
// - Loading: the state is being built from the log; nothing is pending, in flight or armed; requests wait.
// - Active.idle: the state is what the log says plus what this turn has decided and not sent; nothing is in flight.
// - Active.appending: one append is in flight; decisions go on and gather for the next.
// - Active.atBarrier: markers or a transactional append are in flight, which the leader may refuse; the state is exactly what the
//   log says, nothing is decided, requests wait.
// - Failed: no leader, or loading failed; the state is worth nothing; nothing is pending, in flight or armed; requests wait.
// - Closed: nothing waits, nothing is armed, everything is answered.
import { effect } from '@odradek/shared/actor/machine-runner'
import { assert } from '@odradek/shared/base/assert'
import { setup } from 'xstate'

export type ShardEvent =
  /** A link to the (new) leader of the shard's partition is there. */
  | { readonly type: 'leader.found' }
  /** The link ended. The append in flight, if any, has an unknown outcome. */
  | { readonly type: 'leader.lost'; readonly reason: string }
  | { readonly type: 'load.done' }
  | { readonly type: 'load.failed'; readonly reason: string }
  /** The wait after a failed load is over. */
  | { readonly type: 'retry' }
  | { readonly type: 'batch.sent' }
  | { readonly type: 'append.committed' }
  /** The state is ahead of the log, or nobody knows. */
  | { readonly type: 'append.failed'; readonly reason: string }
  | { readonly type: 'barrier.sent' }
  /** The barrier's outcome is known and applied, good or bad. */
  | { readonly type: 'barrier.passed' }
  | { readonly type: 'close' }

/** What went wrong, for the effects that say it. */
export function reasonOf(event: ShardEvent): string {
  return 'reason' in event ? event.reason : event.type
}

export const shardMachine = setup({
  types: {} as { events: ShardEvent },
  actions: {
    /** Empties the state and replays the partition from its start. */
    startLoading: effect(),
    /** Answers or re-queues everything that depended on the state that is dropped; disarms all timers. */
    abandonPending: effect(),
    armRetry: effect(),
    cancelRetry: effect(),
    /** Runs `onLoaded`. */
    finishLoading: effect(),
    /** Lets in who waited, as far as there is room. */
    admitWaiting: effect(),
    /** Sends what has gathered meanwhile, or the barrier that waits for its turn. */
    sendNext: effect(),
    refuseEverything: effect(),
    refuse: effect(),
  },
}).createMachine({
  id: 'shard',
  initial: 'Initial',
  on: {
    close: '.Closed',
    '*': { actions: 'refuse' },
  },
  states: {
    Initial: {
      on: { 'leader.found': 'Loading', 'leader.lost': 'Failed' },
    },
    Loading: {
      entry: 'startLoading',
      on: {
        'leader.found': { target: 'Loading', reenter: true },
        'leader.lost': 'Failed',
        'load.done': 'Active',
        'load.failed': { target: 'Failed', actions: 'armRetry' },
      },
    },
    Active: {
      initial: 'idle',
      entry: 'finishLoading',
      exit: 'abandonPending',
      on: {
        'leader.found': 'Loading',
        'leader.lost': 'Failed',
        'append.failed': 'Loading',
      },
      states: {
        idle: { entry: ['admitWaiting', 'sendNext'], on: { 'batch.sent': 'appending', 'barrier.sent': 'atBarrier' } },
        appending: { on: { 'append.committed': 'idle' } },
        atBarrier: { on: { 'barrier.passed': 'idle' } },
      },
    },
    Failed: {
      on: { 'leader.found': 'Loading', 'leader.lost': { actions: 'cancelRetry' }, retry: 'Loading' },
      exit: 'cancelRetry',
    },
    Closed: { type: 'final', entry: 'refuseEverything' },
  },
})

/** The leaf state by name, such as `Active.idle`. */
export type ShardStateName =
  | 'Initial'
  | 'Loading'
  | 'Active.idle'
  | 'Active.appending'
  | 'Active.atBarrier'
  | 'Failed'
  | 'Closed'

export function isActive(state: ShardStateName): boolean {
  return state.startsWith('Active')
}

/** What the invariants speak of, as counts. */
export interface ShardFacts {
  /** Appends of decisions in flight: 0 or 1. */
  readonly appendsInFlight: number
  /** Barriers in flight: 0 or 1. */
  readonly barriersInFlight: number
  /** Decisions that are replayed and not yet sent. */
  readonly gathered: number
  readonly timersArmed: number
  /** Requests in the waiting room. */
  readonly waiting: number
  /** Askers without a reply, whatever they wait for. */
  readonly tickets: number
}

/** Throws an AssertionError unless what the header says of `state` holds. */
export function assertShardInvariants(state: ShardStateName, facts: ShardFacts): void {
  const broken = brokenInvariant(state, facts)
  if (broken !== null) assert(false, `${state}: ${broken}`)
}

/** What should be and is not; null: all holds. Asked after every step, so it puts no words together. */
function brokenInvariant(state: ShardStateName, facts: ShardFacts): string | null {
  if (facts.appendsInFlight !== (state === 'Active.appending' ? 1 : 0)) return 'appends in flight'
  if (facts.barriersInFlight !== (state === 'Active.atBarrier' ? 1 : 0)) return 'barriers in flight'
  if (state === 'Active.atBarrier' && facts.gathered !== 0) return 'nothing is decided'
  if (!isActive(state) && facts.gathered !== 0) return 'nothing is pending'
  if (!isActive(state) && facts.timersArmed !== 0) return 'nothing is armed'
  if (state === 'Closed' && facts.waiting !== 0) return 'nothing waits'
  if (state === 'Closed' && facts.tickets !== 0) return 'everything is answered'
  return null
}
