// A flat machine as a pure function. XState's own pure `transition()` costs about 20 us, and an actor per instance about 11 us and several
// kilobytes; where a room has thousands of small machines whose state lives in data (classic groups), the same definition is compiled once
// into a table that costs a fraction of a microsecond. The graph that is drawn and tested is the graph that runs: a test of each such
// machine holds the table against XState's `transition()`.
import type { AnyStateMachine, EventFrom } from 'xstate'
import { assert } from '../base/assert.ts'

/** Where an event leads, and the names of the effects in order: exit, transition, entry. */
export interface MachineStep<State extends string, Effect extends string> {
  readonly state: State
  readonly effects: readonly Effect[]
}

interface Candidate {
  readonly guard: ((args: { event: unknown }, params: undefined) => boolean) | null
  readonly state: string | null
  readonly effects: readonly string[]
}

type NamedAction = string | { readonly type: string }

/**
 * Compiles a machine without nested states, context and parametrised actions. Guards see the event alone. The root's `'*'` answers what no
 * state handles, so nothing is dropped silently.
 */
export function machineTable<State extends string, Effect extends string, M extends AnyStateMachine>(
  machine: M,
): (state: State, event: EventFrom<M>) => MachineStep<State, Effect> {
  const rows = new Map<string, Map<string, readonly Candidate[]>>()
  for (const [name, node] of Object.entries(machine.root.states)) {
    assert(Object.keys(node.states).length === 0, `${machine.id}: a table has no nested states (${name})`)
    const row = new Map<string, readonly Candidate[]>()
    const own = node.transitions as ReadonlyMap<string, readonly any[]>
    const shared = machine.root.transitions as ReadonlyMap<string, readonly any[]>
    for (const event of new Set([...own.keys(), ...shared.keys()])) {
      const definitions = [...(own.get(event) ?? []), ...(shared.get(event) ?? [])]
      row.set(
        event,
        definitions.map(definition => candidateOf(machine, name, definition)),
      )
    }
    rows.set(name, row)
  }
  return (state, event) => {
    const row = rows.get(state)
    assert(row !== undefined, `${machine.id}: no state is called ${state}`)
    for (const candidates of [row.get((event as { type: string }).type), row.get('*')]) {
      const chosen = candidates?.find(({ guard }) => guard === null || guard({ event }, undefined))
      if (chosen !== undefined) {
        return { state: (chosen.state ?? state) as State, effects: chosen.effects as readonly Effect[] }
      }
    }
    assert(false, `${machine.id}: the root must refuse unknown events with '*'`)
  }
}

function candidateOf(machine: AnyStateMachine, from: string, definition: any): Candidate {
  const { guard, actions, target, reenter, source } = definition
  const to = target?.[0]
  // A transition of the root leaves and enters even the state that it leads back to.
  const moves = to !== undefined && (to.key !== from || reenter || source === machine.root)
  const names = (list: readonly NamedAction[]) =>
    list.map(action => (typeof action === 'string' ? action : action.type))
  return {
    guard: guard === undefined ? null : (machine.implementations.guards[guard.type ?? guard] as Candidate['guard']),
    state: to?.key ?? null,
    effects: [
      ...(moves ? names(machine.root.states[from]!.exit as readonly NamedAction[]) : []),
      ...names(actions),
      ...(moves ? names(to.entry) : []),
    ],
  }
}
