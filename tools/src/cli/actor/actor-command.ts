// `odradek actor list|graph`: which state machines actors run, and how they look.

import { nearestName } from '@odradek/shared/base/suggestion'
import { Command, Option } from 'commander'
import { mermaidOf, tablesOf } from '../../machine-docs/machine-drawing.rules.ts'
import { graphOf } from '../../machine-docs/machine-graph.rules.ts'
import { machines } from '../../machine-docs/machines.ts'
import { usageError } from '../command-error.ts'
import { type OutputFormat, outputOption, printRows, printValue } from '../terminal/table.ts'
import type { Terminal } from '../terminal/terminal.ts'

export function actorCommand(terminal: Terminal): Command {
  const command = new Command('actor').description('actors and their state machines')
  command
    .command('list')
    .description('the state machines that actors run, and where they are written')
    .addOption(outputOption())
    .action(({ output }: { output: OutputFormat }) => list(terminal, output))
  command
    .command('graph')
    .description('draw a state machine')
    .argument('<machine>', `one of ${machines.map(({ name }) => name).join(', ')}`)
    .addOption(
      new Option('--format <format>', 'how to draw it').choices(['mermaid', 'table', 'json']).default('mermaid'),
    )
    .action((name: string, { format }: { format: string }) => graph(terminal, name, format))
  return command
}

async function list(terminal: Terminal, format: OutputFormat): Promise<void> {
  const rows = await Promise.all(
    machines.map(async ({ name, home, file, load }) => {
      const { states, edges } = graphOf((await load()).root)
      return { name, states: states.length, transitions: edges.length, source: `${home}/src/${file}.machine.ts` }
    }),
  )
  printRows(terminal, format, rows, [
    { title: 'MACHINE', of: row => row.name },
    { title: 'STATES', of: row => row.states, align: 'right' },
    { title: 'TRANSITIONS', of: row => row.transitions, align: 'right' },
    { title: 'SOURCE', of: row => row.source },
  ])
}

async function graph(terminal: Terminal, name: string, format: string): Promise<void> {
  const machine = machines.find(each => each.name === name)
  if (machine === undefined) {
    const near = nearestName(
      name,
      machines.map(each => each.name),
    )
    throw usageError(`there is no machine '${name}'${near === undefined ? '' : `; did you mean ${near}?`}`)
  }
  const drawn = graphOf((await machine.load()).root)
  if (format === 'json') printValue(terminal, 'json', { machine: name, ...drawn })
  else terminal.print(format === 'table' ? tablesOf(drawn) : mermaidOf(drawn))
}
