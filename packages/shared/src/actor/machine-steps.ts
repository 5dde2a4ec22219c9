// A machine without guards and context as a table: where an event leads from a state, and with which effects. For machines of which there
// are too many to run each (one per transactional id): the state is a word in the owner's data, and a step is looked up. XState computes each
// step once; its pure transition costs about 20 us, a look-up less than 0.1.
import { type AnyStateMachine, type StateValue, transition } from 'xstate'
import { assert } from '../base/assert.ts'
import { stateName } from './machine-runner.ts'

export interface MachineStep {
  /** The leaf that is entered, such as `PrepareCommit.logging`. */
  readonly to: string
  /** Effects by name, in order: exit, transition, entry. `refuse`: the machine does not know this event there. */
  readonly effects: readonly string[]
  /** Nothing leads on from there. */
  readonly isFinal: boolean
}

/** The steps of a machine: from a leaf, by an event's type. Throws for a machine with guards, whose steps depend on more than that. */
export function machineSteps(machine: AnyStateMachine): (from: string, event: string) => MachineStep {
  assert(Object.keys(machine.implementations.guards).length === 0, `${machine.id}: a table has no guards`)
  // Two look-ups of strings that are at hand are cheaper than one of a string that is put together for it.
  const stepsFrom = new Map<string, Map<string, MachineStep>>()
  return (from, type) => {
    let steps = stepsFrom.get(from)
    if (steps === undefined) {
      steps = new Map()
      stepsFrom.set(from, steps)
    }
    let step = steps.get(type)
    if (step === undefined) {
      step = stepOf(machine, from, type)
      steps.set(type, step)
    }
    return step
  }
}

function stepOf(machine: AnyStateMachine, from: string, type: string): MachineStep {
  const [next, actions] = transition(machine, machine.resolveState({ value: stateValue(from), context: {} }), { type })
  return { to: stateName(next.value), effects: actions.map(action => action.type), isFinal: next.status === 'done' }
}

/** `A.b` -> { A: 'b' }. */
function stateValue(leaf: string): StateValue {
  const [outermost, ...inner] = leaf.split('.') as [string, ...string[]]
  return inner.length === 0 ? outermost : { [outermost]: stateValue(inner.join('.')) }
}
