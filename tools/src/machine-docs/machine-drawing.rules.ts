// A machine's graph as text: a Mermaid state diagram, and a table in Markdown. Pure.
import type { GraphEdge, GraphState, MachineGraph } from './machine-graph.rules.ts'

/** A Mermaid `stateDiagram-v2`. Events that stay in their state without an effect are left out, the table has them. */
export function mermaidOf({ states, edges }: MachineGraph): string {
  const lines = ['stateDiagram-v2']
  const draw = (parent: string | null, indent: string) => {
    for (const state of states.filter(each => each.parent === parent)) {
      const hasChildren = states.some(each => each.parent === state.path)
      if (hasChildren) {
        lines.push(`${indent}state ${nodeOf(state.path)} {`)
        draw(state.path, `${indent}  `)
        lines.push(`${indent}}`)
      } else if (nodeOf(state.path) !== state.path)
        lines.push(`${indent}state "${lastOf(state.path)}" as ${nodeOf(state.path)}`)
      if (state.isInitial) lines.push(`${indent}[*] --> ${nodeOf(state.path)}`)
      if (state.isFinal) lines.push(`${indent}${nodeOf(state.path)} --> [*]`)
    }
  }
  draw(null, '  ')
  for (const [route, labels] of routes(edges)) lines.push(`  ${route}: ${labels.join(' | ')}`)
  return lines.join('\n')
}

/** Edges with the same ends share an arrow. */
function routes(edges: readonly GraphEdge[]): Map<string, string[]> {
  const byRoute = new Map<string, string[]>()
  for (const { from, to, event, guard, effects } of edges) {
    if (from === '' || (to === null && effects.length === 0)) continue
    const route = `${nodeOf(from)} --> ${nodeOf(to ?? from)}`
    const label = [event === '' ? 'at once' : event, ...(guard === null ? [] : [`[${guard}]`])].join(' ')
    byRoute.set(route, [...(byRoute.get(route) ?? []), label])
  }
  return byRoute
}

function nodeOf(path: string): string {
  return path.replaceAll('.', '_')
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1)
}

/** States with what they do on entry and exit, then every transition. */
export function tablesOf({ states, edges }: MachineGraph): string {
  return [
    '| state | entry | exit | tags |',
    '|---|---|---|---|',
    ...states.map(stateRow),
    '',
    '| in | on | if | becomes | effects |',
    '|---|---|---|---|---|',
    ...edges.map(edgeRow),
  ].join('\n')
}

function stateRow({ path, isInitial, isFinal, entry, exit, tags }: GraphState): string {
  const mark = `${isInitial ? ' (initial)' : ''}${isFinal ? ' (final)' : ''}`
  return row(`${path}${mark}`, entry.join(', '), exit.join(', '), tags.join(', '))
}

function edgeRow({ from, event, guard, to, effects }: GraphEdge): string {
  return row(
    from === '' ? 'any' : from,
    event === '' ? 'at once' : `\`${event}\``,
    guard ?? '',
    to ?? 'stays',
    effects.join(', '),
  )
}

function row(...cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`.replace(/ {2}\|/g, ' |')
}
