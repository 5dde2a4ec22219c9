// Runs an XState machine inside an actor: the machine says when, the actor's effects are the hands. How every machine is written:
//
//   // gate-keeper.machine.ts: setup declares the vocabulary, effects by name with typed params and no behaviour of their own.
//   const vocabulary = setup({
//     types: {} as { context: { waiting: number }; events: { type: 'guest.came' } | { type: 'timer.fired' } },
//     actions: { armTimer: effect<{ delayMs: number }>(), open: effect(), refuse: effect() },
//   })
//   const countGuest = vocabulary.assign({ waiting: ({ context }) => context.waiting + 1 })   // context changes are constants beside it
//   export const gateKeeperMachine = vocabulary.createMachine({
//     on: { '*': { actions: 'refuse' } },                                                    // nothing is dropped silently
//     states: { Closed: { on: { 'guest.came': { actions: [countGuest, { type: 'armTimer', params: { delayMs: 5 } }] } } } }, ...
//
//   // gate-keeper.actor.ts
//   const machine = runMachine(context, gateKeeperMachine, { effects: { armTimer: ({ delayMs }) => ..., open: () => ... } })
//   machine.send({ type: 'guest.came' })
//
// An effect must not throw: what can fail comes back as an event; a throw is the actor's death. Events sent by effects wait until the
// current one is done. `refuse` is the runner's own: it counts. Transitions are traced while somebody watches.
import {
  type Actor,
  type AnyStateMachine,
  createActor,
  type EventFrom,
  type InputFrom,
  type SnapshotFrom,
  type StateMachine,
  type StateValue,
} from 'xstate'
import { assert } from '../base/assert.ts'
import type { ActorContext } from './actor.ts'

/** Declares an effect in `setup({ actions })`: a name and the type of its params; whoever runs the machine provides what it does. */
export function effect<Params = undefined>(): (args: unknown, params: Params) => void {
  return () => {}
}

type ActionOf<M> =
  M extends StateMachine<any, any, any, any, infer A, any, any, any, any, any, any, any, any, any> ? A : never

/** What the actor provides for a machine: every effect that its setup names, except `refuse`. */
export type EffectsOf<M extends AnyStateMachine> = {
  readonly [A in ActionOf<M> as Exclude<A['type'], 'refuse'>]: (params: A['params'], event: EventFrom<M>) => void
}

export interface RunMachineOptions<M extends AnyStateMachine> {
  /** Shown in traces where an actor runs the machine for several. */
  readonly subject?: string
  readonly effects: EffectsOf<M>
  readonly input?: InputFrom<M>
}

type EffectTable = { readonly [name: string]: (params: unknown, event: unknown) => void }

/** What the runner needs of an actor's context. */
export type MachineHost = Pick<ActorContext, 'trace' | 'fail'>

const effectsOfActor = new WeakMap<object, MachineRun<any>>()
const provided = new WeakMap<AnyStateMachine, AnyStateMachine>()

/** Starts the machine (its initial state's entry effects run now) and keeps it until it reaches a final state or the actor ends. */
export function runMachine<M extends AnyStateMachine>(
  host: MachineHost,
  machine: M,
  options: RunMachineOptions<M>,
): MachineRun<M> {
  return new MachineRun(host, machine, options)
}

/** A machine that runs. */
export class MachineRun<M extends AnyStateMachine> {
  readonly #host: MachineHost
  readonly #identity: { readonly machine: string; readonly subject?: string }
  readonly #effects: EffectTable
  readonly #actor: Actor<M>
  #waiting: EventFrom<M>[] = []
  #busy = true
  #effectsRun: string[] = []
  #refused = 0
  #lastRefused = ''

  constructor(host: MachineHost, machine: M, options: RunMachineOptions<M>) {
    assert(machine.config.on?.['*'] !== undefined, `${machine.id}: the root must refuse unknown events with '*'`)
    this.#host = host
    const { subject } = options
    this.#identity = { machine: machine.id, ...(subject === undefined ? {} : { subject }) }
    this.#effects = options.effects as unknown as EffectTable
    this.#actor = createActor(withDispatch(machine) as M, { input: options.input } as never) as Actor<M>
    this.#actor.subscribe({ error: thrown => this.#host.fail(thrown) })
    effectsOfActor.set(this.#actor, this)
    this.#actor.start()
    this.#busy = false
    this.#drain()
  }

  /** Handles the event now, or after the one that is being handled. */
  send(event: EventFrom<M>): void {
    this.#waiting.push(event)
    if (!this.#busy) this.#drain()
  }

  get snapshot(): SnapshotFrom<M> {
    return this.#actor.getSnapshot() as SnapshotFrom<M>
  }

  /** The state as one word: `Leading`, or `Leading.writable` when nested; parallel regions are joined with `|`. */
  get state(): string {
    return stateName((this.snapshot as { value: StateValue }).value)
  }

  get context(): SnapshotFrom<M> extends { context: infer C } ? C : never {
    return (this.snapshot as { context: never }).context
  }

  hasTag(tag: string): boolean {
    return (this.snapshot as { hasTag(tag: string): boolean }).hasTag(tag)
  }

  get isDone(): boolean {
    return (this.snapshot as { status: string }).status === 'done'
  }

  /** Events that no state handled, or that came after the machine's end; show it in `describe`. */
  get refused(): number {
    return this.#refused
  }

  /** Type of the event that was refused last. */
  get lastRefused(): string {
    return this.#lastRefused
  }

  #drain(): void {
    this.#busy = true
    for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) {
      if (this.isDone) this.#refuse(event)
      else if (this.#host.trace.on) this.#sendTraced(event)
      else this.#actor.send(event as never)
    }
    this.#busy = false
  }

  #sendTraced(event: EventFrom<M>): void {
    const from = this.state
    this.#effectsRun = []
    this.#actor.send(event as never)
    const effects = this.#effectsRun
    this.#host.trace.transition({
      ...this.#identity,
      from,
      to: this.state,
      event: (event as { type: string }).type,
      effects,
    })
  }

  #refuse({ type }: { readonly type: string }): void {
    this.#refused++
    this.#lastRefused = type
  }

  /** Called by the machine's actions. */
  runEffect(name: string, params: unknown, event: { type: string }): void {
    if (this.#host.trace.on) this.#effectsRun.push(name)
    if (name === 'refuse') {
      this.#refuse(event)
      return
    }
    try {
      this.#effects[name]!(params, event)
    } catch (thrown) {
      this.#host.fail(thrown)
    }
  }
}

/** The machine with every effect replaced by a look-up of whoever runs it; made once per machine, not once per actor. */
function withDispatch(machine: AnyStateMachine): AnyStateMachine {
  let dispatching = provided.get(machine)
  if (dispatching === undefined) {
    const actions: { [name: string]: unknown } = {}
    for (const [name, action] of Object.entries(machine.implementations.actions)) {
      // XState's own actions (assign, raise, ...) carry a resolver: they are the machine's, not effects.
      if (action !== undefined && 'resolve' in action) continue
      actions[name] = ({ self, event }: { self: object; event: { type: string } }, params: unknown) =>
        effectsOfActor.get(self)?.runEffect(name, params, event)
    }
    dispatching = machine.provide({ actions: actions as never })
    provided.set(machine, dispatching)
  }
  return dispatching
}

/** A state value in one line. */
export function stateName(value: StateValue): string {
  if (typeof value === 'string') return value
  return Object.entries(value)
    .map(([region, inner]) => {
      const rest = inner === undefined ? '' : stateName(inner)
      return rest === '' ? region : `${region}.${rest}`
    })
    .join('|')
}
