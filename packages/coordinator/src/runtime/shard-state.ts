// The shard's machine as the runner uses it: an event goes in, the effects come out as data, in order. A shard takes two steps per append, so
// they are looked up instead of being computed by XState each time.

import type { MachineHost } from '@odradek/shared/actor/machine-runner'
import { machineSteps } from '@odradek/shared/actor/machine-steps'
import { reasonOf, type ShardEvent, type ShardStateName, shardMachine } from './shard.machine.ts'

/** An effect of the machine by name. */
export type ShardEffect =
  | {
      readonly name: 'startLoading' | 'cancelRetry' | 'finishLoading' | 'admitWaiting' | 'sendNext' | 'refuseEverything'
    }
  | { readonly name: 'abandonPending' | 'armRetry'; readonly reason: string }

const stepOf = machineSteps(shardMachine)
const NOTHING: readonly ShardEffect[] = []

export class ShardState {
  readonly #host: Pick<MachineHost, 'trace'>
  readonly #subject: string
  #state: ShardStateName = 'Initial'
  #refused = 0

  constructor(host: Pick<MachineHost, 'trace'>, subject: string) {
    this.#host = host
    this.#subject = subject
  }

  get current(): ShardStateName {
    return this.#state
  }

  get isActive(): boolean {
    return this.#state.startsWith('Active')
  }

  /** Events that no state handled. */
  get refused(): number {
    return this.#refused
  }

  /** Moves on and returns what is to be done, in order. A closed machine ignores everything. */
  send(event: ShardEvent): readonly ShardEffect[] {
    if (this.#state === 'Closed') return NOTHING
    const from = this.#state
    const { to, effects } = stepOf(from, event.type)
    this.#state = to as ShardStateName
    const { trace } = this.#host
    if (trace.on) {
      trace.transition({ machine: shardMachine.id, subject: this.#subject, from, to, event: event.type, effects })
    }
    if (effects.length === 0) return NOTHING
    if (effects[0] === 'refuse') {
      this.#refused++
      return NOTHING
    }
    return effects.map(name => withReason(name as ShardEffect['name'], event))
  }
}

function withReason(name: ShardEffect['name'], event: ShardEvent): ShardEffect {
  return name === 'abandonPending' || name === 'armRetry' ? { name, ...reasonOf({ event }) } : { name }
}
