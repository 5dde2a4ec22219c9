// `odradek actor list|graph|trace`: who runs in a broker of another process, what its machines do, and how machines look.

import { join } from 'node:path'
import { nearestName } from '@odradek/shared/base/suggestion'
import { Command, Option } from 'commander'
import { mermaidOf, tablesOf } from '../../machine-docs/machine-drawing.rules.ts'
import { graphOf } from '../../machine-docs/machine-graph.rules.ts'
import { machines } from '../../machine-docs/machines.ts'
import { WINDOW_FILE } from '../../watch/window.ts'
import { usageError } from '../command-error.ts'
import { integerFlag, severalFlag } from '../terminal/flags.ts'
import { withExamples } from '../terminal/help.ts'
import { type OutputFormat, outputOption, printRows, printValue } from '../terminal/table.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { listActors, type TraceFlags, traceActors } from './running-actors.ts'

/** Where the broker to look into is. */
interface WindowFlags {
  readonly dir?: string
  readonly window?: string
}

export function actorCommand(terminal: Terminal): Command {
  const command = new Command('actor').description('actors and their state machines')
  command
    .command('list')
    .description('the state machines that actors run; with --dir or --window the actors that run now in that broker')
    .addOption(dirOption())
    .addOption(windowOption())
    .addOption(outputOption())
    .action(async ({ output, ...flags }: WindowFlags & { output: OutputFormat }) => {
      if (flags.dir === undefined && flags.window === undefined) await listMachines(terminal, output)
      else await listActors(terminal, windowOf(flags), output)
    })
  command
    .command('graph')
    .description('draw a state machine')
    .argument('<machine>', `one of ${machines.map(({ name }) => name).join(', ')}`)
    .addOption(
      new Option('--format <format>', 'how to draw it').choices(['mermaid', 'table', 'json']).default('mermaid'),
    )
    .action((name: string, { format }: { format: string }) => graph(terminal, name, format))
  command
    .command('trace')
    .description('print the transitions of the machines of a running broker, until Ctrl-C or its end')
    .addOption(dirOption().default('./data'))
    .addOption(windowOption())
    .option('--machine <name>', 'only of this machine; may be repeated', severalFlag(knownMachine))
    .option(
      '--kind <kind>',
      'only of actors of this kind, such as partition-leader; may be repeated',
      severalFlag(String),
    )
    .option('--name <name>', 'only of the actor of this name, such as orders-3; may be repeated', severalFlag(String))
    .option('-n, --count <n>', 'end after so many', integerFlag({ min: 1 }))
    .option('--json', 'one JSON object per transition', false)
    .action((flags: WindowFlags & TraceFlags) => traceActors(terminal, windowOf(flags), flags))
  return withExamples(command, [
    ['actor list', 'the machines that there are'],
    ['actor list --dir ./data', 'the actors of a broker that runs'],
    ['actor graph transaction --format table'],
    ['actor trace --dir ./data --machine shard -n 20'],
  ])
}

function dirOption(): Option {
  return new Option('--dir <dir>', 'the directory of a broker that `odradek serve` runs')
}

function windowOption(): Option {
  return new Option('--window <path>', 'the window of a broker, if it is not watch.sock in its directory')
}

function windowOf({ dir, window }: WindowFlags): string {
  return window ?? join(dir ?? './data', WINDOW_FILE)
}

function knownMachine(name: string): string {
  if (machines.some(each => each.name === name)) return name
  throw noSuchMachine(name)
}

function noSuchMachine(name: string): Error {
  const names = machines.map(each => each.name)
  const near = nearestName(name, names)
  const hint = near === undefined ? '' : `; did you mean ${near}?`
  return usageError(`there is no machine '${name}'${hint}\nmachines: ${names.join(', ')}`)
}

async function listMachines(terminal: Terminal, format: OutputFormat): Promise<void> {
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
  if (machine === undefined) throw noSuchMachine(name)
  const drawn = graphOf((await machine.load()).root)
  if (format === 'json') printValue(terminal, 'json', { machine: name, ...drawn })
  else terminal.print(format === 'table' ? tablesOf(drawn) : mermaidOf(drawn))
}
