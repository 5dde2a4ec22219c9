// A machine as states and edges: what tables, diagrams and JSON are made of. Pure.
import type { ActionDefinition, StateNode, TransitionDefinition } from './machines.ts'

export interface GraphState {
  /** `Leading.Writable`: the path below the machine. */
  readonly path: string
  readonly parent: string | null
  readonly isInitial: boolean
  readonly isFinal: boolean
  readonly tags: readonly string[]
  readonly entry: readonly string[]
  readonly exit: readonly string[]
}

export interface GraphEdge {
  /** Empty: the machine itself, in whatever state. */
  readonly from: string
  /** Empty: at once, without an event. */
  readonly event: string
  readonly guard: string | null
  /** Null: the state is not left. */
  readonly to: string | null
  readonly effects: readonly string[]
}

export interface MachineGraph {
  readonly states: readonly GraphState[]
  readonly edges: readonly GraphEdge[]
}

/** States in the order they are written, edges in the order they are tried. */
export function graphOf(root: StateNode): MachineGraph {
  const states: GraphState[] = []
  const edges: GraphEdge[] = []
  const visit = (state: StateNode, parent: StateNode | null) => {
    const path = pathOf(state.id)
    if (parent !== null) states.push(stateOf(state, parent))
    for (const transition of [...(state.always ?? []), ...[...state.transitions.values()].flat()])
      edges.push(edgeOf(path, transition))
    for (const child of Object.values(state.states)) visit(child, state)
  }
  visit(root, null)
  return { states, edges }
}

function stateOf(state: StateNode, parent: StateNode): GraphState {
  const parentPath = pathOf(parent.id)
  return {
    path: pathOf(state.id),
    parent: parentPath === '' ? null : parentPath,
    isInitial: parent.initial?.target.some(target => idOf(target) === state.id) ?? false,
    isFinal: state.type === 'final',
    tags: state.tags,
    entry: effectNames(state.entry),
    exit: effectNames(state.exit),
  }
}

function edgeOf(from: string, { eventType, guard, target, actions }: TransitionDefinition): GraphEdge {
  const to = target?.[0]
  return {
    from,
    event: eventType,
    guard: guardName(guard),
    to: to === undefined ? null : pathOf(to.id),
    effects: effectNames(actions),
  }
}

/** Context changes (`assign`) have no name of their own and are not effects. */
function effectNames(actions: readonly ActionDefinition[]): string[] {
  return actions
    .map(action => (typeof action === 'string' ? action : typeof action === 'function' ? 'xstate.assign' : action.type))
    .filter(name => !name.startsWith('xstate.'))
}

function guardName(guard: unknown): string | null {
  if (guard === undefined || guard === null) return null
  if (typeof guard === 'string') return guard
  if (typeof guard === 'function') return guard.name || 'guard'
  return String((guard as { readonly type: string }).type)
}

function idOf(target: unknown): string {
  return typeof target === 'string' ? target.replace(/^#/, '') : (target as { readonly id: string }).id
}

/** Without the machine's own name. */
function pathOf(id: string): string {
  const dot = id.indexOf('.')
  return dot < 0 ? '' : id.slice(dot + 1)
}
