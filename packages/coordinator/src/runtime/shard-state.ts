// The shard's machine as the runner uses it: an event goes in, the effects come out as data, after the machine has arrived in its new
// state. Reports transitions to the trace. Carries out nothing.
import type { TransitionTrace } from '@odradek/shared/actor/trace'
import { createActor } from 'xstate'
import { type ShardEvent, type ShardStateName, shardMachine } from './shard.machine.ts'

/** An effect of the machine by name. */
export type ShardEffect =
  | {
      readonly name: 'startLoading' | 'cancelRetry' | 'finishLoading' | 'admitWaiting' | 'sendNext' | 'refuseEverything'
    }
  | { readonly name: 'abandonPending' | 'armRetry'; readonly reason: string }
  | { readonly name: 'countUnexpected'; readonly event: string }

export class ShardState {
  readonly #name: string
  readonly #trace: TransitionTrace
  readonly #machine
  #effects: ShardEffect[] = []
  #current: ShardStateName = 'Initial'

  constructor(name: string, trace: TransitionTrace) {
    this.#name = name
    this.#trace = trace
    const emit = (effect: ShardEffect) => {
      this.#effects.push(effect)
    }
    this.#machine = createActor(
      shardMachine.provide({
        actions: {
          startLoading: () => emit({ name: 'startLoading' }),
          cancelRetry: () => emit({ name: 'cancelRetry' }),
          finishLoading: () => emit({ name: 'finishLoading' }),
          admitWaiting: () => emit({ name: 'admitWaiting' }),
          sendNext: () => emit({ name: 'sendNext' }),
          refuseEverything: () => emit({ name: 'refuseEverything' }),
          abandonPending: (_, { reason }) => emit({ name: 'abandonPending', reason }),
          armRetry: (_, { reason }) => emit({ name: 'armRetry', reason }),
          countUnexpected: (_, { event }) => emit({ name: 'countUnexpected', event }),
        },
      }),
    )
    this.#machine.start()
  }

  get current(): ShardStateName {
    return this.#current
  }

  get isActive(): boolean {
    return this.#current.startsWith('Active')
  }

  /** Moves on and returns what is to be done, in order. A closed machine ignores everything. */
  send(event: ShardEvent): readonly ShardEffect[] {
    if (this.#current === 'Closed') return []
    const from = this.#current
    this.#machine.send(event)
    this.#current = nameOf(this.#machine.getSnapshot().value)
    const effects = this.#effects
    this.#effects = []
    if (this.#trace.on) {
      this.#trace.transition({
        machine: this.#name,
        from,
        to: this.#current,
        event: event.type,
        effects: effects.map(({ name }) => name),
      })
    }
    return effects
  }
}

function nameOf(value: string | object): ShardStateName {
  if (typeof value === 'string') return value as ShardStateName
  const [[outer, inner]] = Object.entries(value) as [[string, string]]
  return `${outer}.${inner}` as ShardStateName
}
