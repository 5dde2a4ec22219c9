// A machine that runs by itself in a test: its effects do nothing but leave their names.
import type { AnyStateMachine } from 'xstate'
import { type EffectsOf, type MachineRun, runMachine } from './machine-runner.ts'
import { runTable, type TableEffects, type TableRun } from './machine-table-run.ts'

export interface Recorded<Run> {
  readonly run: Run
  /** Names of the effects so far, in order; may be emptied. */
  readonly effects: string[]
}

/** What would be an actor's death is thrown. */
const host = {
  trace: { on: false, transition() {} },
  fail(reason: unknown) {
    throw reason
  },
}

/** Starts it. */
export function recordedMachine<M extends AnyStateMachine>(machine: M): Recorded<MachineRun<M>> {
  const { recorder, effects } = recording()
  return { run: runMachine(host, machine, { effects: recorder as EffectsOf<M> }), effects }
}

/** The same for one that runs by its table. */
export function recordedTable<M extends AnyStateMachine>(machine: M): Recorded<TableRun<M>> {
  const { recorder, effects } = recording()
  return { run: runTable(host, machine, { effects: recorder as TableEffects<M> }), effects }
}

function recording() {
  const effects: string[] = []
  return { effects, recorder: new Proxy({}, { get: (_, name) => () => void effects.push(String(name)) }) }
}
