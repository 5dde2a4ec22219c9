// When a supervised actor is started, restarted, closed or given up. One machine per actor, run by system-core.
//
//            actor.started            actor.died                     (limit reached, or onDeath: 'stop')
//  Starting ---------------> Running ------------> BackingOff       ----------------------------------> Failed
//     ^                         |                      |   ^
//     |    backoff.elapsed      | actor.close          |   | actor.notStarted (not the first time)
//     +-------------------------|----------------------+   |
//                               v                          |
//                            Closing --actor.ended--> Closed      actor.close in any other state leads there too
//
// Starting: an incarnation is being started on its lane; its address is not known to anyone.
// Running: the incarnation answers; its spawner knows its address.
// BackingOff: no incarnation exists; a timer is armed.
// Closing: the actor was told to end; Closed, Failed: it will never run again, its spawner was told.
import { setup } from 'xstate'
import { effect } from './machine-runner.ts'
import { type Death, type RestartPolicy, restartAfter } from './restart.rules.ts'

export interface SupervisorContext {
  readonly onDeath: 'restart' | 'stop'
  readonly policy: RestartPolicy
  /** Of the latest start; the first is 1. */
  readonly incarnation: number
  readonly deaths: readonly number[]
  /** Milliseconds until the next start; null when the supervisor gives up. */
  readonly delayMs: number | null
  /** Why it is not running. */
  readonly reason: string
}

export type SupervisorEvent =
  | { readonly type: 'actor.started' }
  | ({ readonly type: 'actor.notStarted'; readonly reason: string } & Death)
  | ({ readonly type: 'actor.died'; readonly reason: string } & Death)
  | { readonly type: 'backoff.elapsed' }
  | { readonly type: 'actor.close' }
  | { readonly type: 'actor.ended' }

const vocabulary = setup({
  types: {} as {
    context: SupervisorContext
    events: SupervisorEvent
    input: { readonly onDeath: 'restart' | 'stop'; readonly policy: RestartPolicy }
  },
  actions: {
    /** Start the incarnation; answer `actor.started` or `actor.notStarted`. */
    startActor: effect<{ incarnation: number }>(),
    /** End the actor in order; answer `actor.ended`. */
    closeActor: effect(),
    /** Fire `backoff.elapsed` after the delay. */
    armBackoff: effect<{ delayMs: number }>(),
    cancelBackoff: effect(),
    /** The spawner learns the new address. */
    announceRunning: effect(),
    /** The spawner learns that the actor will never run again. */
    announceEnd: effect<{ reason: string }>(),
    refuse: effect(),
  },
  guards: {
    isFirst: ({ context }) => context.incarnation === 1,
    /** Whether restartAfter would give up, or the policy is not to restart. */
    givesUp: ({ context, event }) => {
      if (context.onDeath === 'stop') return true
      if (event.type !== 'actor.died' && event.type !== 'actor.notStarted') return false
      return restartAfter(context.policy, context.deaths, event).delayMs === null
    },
  },
})

const countStart = vocabulary.assign({ incarnation: ({ context }) => context.incarnation + 1 })

const recordDeath = vocabulary.assign(({ context, event }) => {
  if (event.type !== 'actor.died' && event.type !== 'actor.notStarted') return {}
  return { ...restartAfter(context.policy, context.deaths, event), reason: event.reason }
})

const recordClose = vocabulary.assign({ reason: 'closed' })

const onDeath = [
  { guard: 'givesUp', target: 'Failed', actions: recordDeath },
  { target: 'BackingOff', actions: recordDeath },
] as const

export const supervisorMachine = vocabulary.createMachine({
  id: 'supervisor',
  initial: 'Starting',
  context: ({ input }) => ({ ...input, incarnation: 0, deaths: [], delayMs: null, reason: '' }),
  on: { '*': { actions: 'refuse' } },
  states: {
    Starting: {
      entry: [countStart, { type: 'startActor', params: ({ context }) => ({ incarnation: context.incarnation }) }],
      on: {
        'actor.started': { target: 'Running', actions: 'announceRunning' },
        'actor.notStarted': [{ guard: 'isFirst', target: 'Failed', actions: recordDeath }, ...onDeath],
        'actor.close': 'Closing',
      },
    },
    Running: {
      on: { 'actor.died': [...onDeath], 'actor.close': 'Closing' },
    },
    BackingOff: {
      entry: { type: 'armBackoff', params: ({ context }) => ({ delayMs: context.delayMs ?? 0 }) },
      on: {
        'backoff.elapsed': 'Starting',
        'actor.close': { target: 'Closing', actions: 'cancelBackoff' },
      },
    },
    Closing: {
      entry: [recordClose, 'closeActor'],
      on: {
        'actor.ended': 'Closed',
        // It was on its way: a start that finishes late, or a death instead of an orderly end, changes nothing any more.
        'actor.started': {},
        'actor.notStarted': {},
        'actor.died': {},
        'actor.close': {},
      },
    },
    Closed: {
      entry: { type: 'announceEnd', params: ({ context }) => ({ reason: context.reason }) },
      on: { 'actor.*': {} },
    },
    Failed: {
      entry: { type: 'announceEnd', params: ({ context }) => ({ reason: context.reason }) },
      on: { 'actor.*': {} },
    },
  },
})
