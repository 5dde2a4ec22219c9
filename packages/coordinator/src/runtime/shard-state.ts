// The shard's machine as the runner uses it: an event goes in, the effects come out as data, after the machine has arrived in its new
// state. The runner's effects ask for that state, which XState only shows when all of a transition's actions have run.
import { type MachineHost, type MachineRun, runMachine } from '@odradek/shared/actor/machine-runner'
import { type ShardEvent, type ShardStateName, shardMachine } from './shard.machine.ts'

/** An effect of the machine by name. */
export type ShardEffect =
  | {
      readonly name: 'startLoading' | 'cancelRetry' | 'finishLoading' | 'admitWaiting' | 'sendNext' | 'refuseEverything'
    }
  | { readonly name: 'abandonPending' | 'armRetry'; readonly reason: string }

export class ShardState {
  readonly #run: MachineRun<typeof shardMachine>
  #effects: ShardEffect[] = []

  constructor(host: MachineHost, subject: string) {
    const emit = (effect: ShardEffect) => {
      this.#effects.push(effect)
    }
    this.#run = runMachine(host, shardMachine, {
      subject,
      effects: {
        startLoading: () => emit({ name: 'startLoading' }),
        cancelRetry: () => emit({ name: 'cancelRetry' }),
        finishLoading: () => emit({ name: 'finishLoading' }),
        admitWaiting: () => emit({ name: 'admitWaiting' }),
        sendNext: () => emit({ name: 'sendNext' }),
        refuseEverything: () => emit({ name: 'refuseEverything' }),
        abandonPending: ({ reason }) => emit({ name: 'abandonPending', reason }),
        armRetry: ({ reason }) => emit({ name: 'armRetry', reason }),
      },
    })
  }

  get current(): ShardStateName {
    return this.#run.state as ShardStateName
  }

  get isActive(): boolean {
    return this.current.startsWith('Active')
  }

  /** Events that no state handled. */
  get refused(): number {
    return this.#run.refused
  }

  /** Moves on and returns what is to be done, in order. A closed machine ignores everything. */
  send(event: ShardEvent): readonly ShardEffect[] {
    if (this.#run.isDone) return []
    this.#run.send(event)
    const effects = this.#effects
    this.#effects = []
    return effects
  }
}
