// Runs a machine without guards and context by its table of steps: what `runMachine` does for any machine, at a look-up per event instead of some microseconds of
// XState. For machines that take several steps per request; what they remember lives with the hands, whose effects get the event. The graph that is
// drawn, tested and traced is the graph that runs.
import { type AnyStateMachine, type EventFrom, initialTransition } from 'xstate'
import { assert } from '../base/assert.ts'
import { type EffectsOf, type MachineHost, stateName } from './machine-runner.ts'
import { type MachineStep, machineSteps } from './machine-steps.ts'

/** What the actor provides: every effect that the machine's setup names, except `refuse`. */
export type TableEffects<M extends AnyStateMachine> = {
  readonly [Name in keyof EffectsOf<M>]: (event: EventFrom<M>) => void
}

export interface RunTableOptions<M extends AnyStateMachine> {
  /** Shown in traces where an actor runs the machine for several. */
  readonly subject?: string
  readonly effects: TableEffects<M>
  /** Called when an event, and all that its effects sent, has been handled. */
  readonly settled?: () => void
}

type StepOf = (from: string, event: string) => MachineStep
type Effects = { readonly [name: string]: (event: unknown) => void }

/** Tables are made once per machine, not once per actor. */
const tables = new WeakMap<AnyStateMachine, { readonly initial: string; readonly stepOf: StepOf }>()

/** Runs the machine from its initial state, which must have no entry effects. */
export function runTable<M extends AnyStateMachine>(
  host: MachineHost,
  machine: M,
  options: RunTableOptions<M>,
): TableRun<M> {
  return new TableRun(host, machine, options)
}

/** A machine that runs by its table. */
export class TableRun<M extends AnyStateMachine> {
  readonly #host: MachineHost
  readonly #identity: { readonly machine: string; readonly subject?: string }
  readonly #stepOf: StepOf
  readonly #effects: Effects
  readonly #settled: () => void
  #state: string
  #isDone = false
  readonly #waiting: EventFrom<M>[] = []
  #isBusy = false
  #refused = 0

  constructor(host: MachineHost, machine: M, { subject, effects, settled = () => {} }: RunTableOptions<M>) {
    const { initial, stepOf } = tableOf(machine)
    this.#host = host
    this.#identity = { machine: machine.id, ...(subject === undefined ? {} : { subject }) }
    this.#stepOf = stepOf
    this.#effects = effects as unknown as Effects
    this.#settled = settled
    this.#state = initial
  }

  get state(): string {
    return this.#state
  }

  /** Events that no state handled, or that came after the machine's end. */
  get refused(): number {
    return this.#refused
  }

  /** Handles the event now, or after the one that is being handled. A machine in a final state refuses it. */
  send(event: EventFrom<M>): void {
    this.#waiting.push(event)
    if (this.#isBusy) return
    this.#isBusy = true
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) this.#take(next)
    this.#isBusy = false
    this.#run(this.#settled)
  }

  #take(event: EventFrom<M>): void {
    if (this.#isDone) {
      this.#refused++
      return
    }
    const { type } = event as { type: string }
    const from = this.#state
    const { to, effects, isFinal } = this.#stepOf(from, type)
    this.#state = to
    this.#isDone = isFinal
    for (const name of effects) this.#perform(name, event)
    const { trace } = this.#host
    if (trace.on) trace.transition({ ...this.#identity, from, to, event: type, effects })
  }

  #perform(name: string, event: unknown): void {
    if (name === 'refuse') this.#refused++
    else this.#run(this.#effects[name]!, event)
  }

  /** An effect must not throw: that is its actor's death. */
  #run(effect: (event: unknown) => void, event?: unknown): void {
    try {
      effect(event)
    } catch (thrown) {
      this.#host.fail(thrown)
    }
  }
}

function tableOf(machine: AnyStateMachine) {
  let table = tables.get(machine)
  if (table === undefined) {
    assert(machine.config.on?.['*'] !== undefined, `${machine.id}: the root must refuse unknown events with '*'`)
    const [snapshot, actions] = initialTransition(machine)
    assert(actions.length === 0, `${machine.id}: a table begins without effects`)
    table = { initial: stateName(snapshot.value), stepOf: machineSteps(machine) }
    tables.set(machine, table)
  }
  return table
}
