// Walks a machine for its tests: one step with the names of its effects, and every state that can be reached with a shortest way to it.
import { recordedMachine } from '@odradek/shared/actor/recorded-machine.suite'

type Machine = Parameters<typeof recordedMachine>[0]

export interface Walked {
  readonly state: string
  readonly context: object
  readonly heartbeating: boolean
  /** Effects of all steps, in order. */
  readonly effects: readonly string[]
  readonly refused: number
  /** Reached its end: nothing can happen any more. */
  readonly isDone: boolean
}

/** Runs a new machine through the events. */
export function walk(machine: Machine, events: readonly { readonly type: string }[]): Walked {
  const { run, effects } = recordedMachine(machine)
  for (const event of events) run.send(event as never)
  const { state, refused, isDone } = run
  return { state, context: run.context as object, heartbeating: run.hasTag('heartbeating'), effects, refused, isDone }
}

/** Effects of the last event alone. */
export function step(machine: Machine, before: readonly { readonly type: string }[], event: { readonly type: string }) {
  const { effects } = walk(machine, before)
  const after = walk(machine, [...before, event])
  return { state: after.state, effects: after.effects.slice(effects.length), refused: after.refused }
}

/** A shortest way to every reachable state (context included). */
export function shortestPaths(machine: Machine, events: readonly { readonly type: string }[]) {
  const keyOf = ({ state, context }: Walked) => `${state} ${JSON.stringify(context)}`
  const found = new Map<string, readonly { readonly type: string }[]>([[keyOf(walk(machine, [])), []]])
  for (const path of found.values()) {
    if (walk(machine, path).isDone) continue
    for (const event of events) {
      const key = keyOf(walk(machine, [...path, event]))
      if (!found.has(key)) found.set(key, [...path, event])
    }
  }
  return [...found.values()]
}
