// A machine that runs by itself in a test: its effects do nothing but leave their names.
import type { AnyStateMachine } from 'xstate'
import { type EffectsOf, type MachineRun, runMachine } from './machine-runner.ts'

export interface RecordedMachine<M extends AnyStateMachine> {
  readonly run: MachineRun<M>
  /** Names of the effects so far, in order; may be emptied. */
  readonly effects: string[]
}

/** Starts it. What would be an actor's death is thrown. */
export function recordedMachine<M extends AnyStateMachine>(machine: M): RecordedMachine<M> {
  const effects: string[] = []
  const recorder = new Proxy({}, { get: (_, name) => () => effects.push(String(name)) })
  const host = {
    trace: { on: false, transition() {} },
    fail(reason: unknown) {
      throw reason
    },
  }
  return { run: runMachine(host, machine, { effects: recorder as EffectsOf<M> }), effects }
}
