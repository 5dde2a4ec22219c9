// `odradek config describe|set|unset`: configs of topics, brokers and groups.
import { type ConfigResource, createAdmin } from '@odradek/shared/client/admin'
import { Command } from 'commander'
import { usageError } from '../command-error.ts'
import { type ClusterFlags, clientOptions, clusterOptions } from '../terminal/cluster-flags.ts'
import { pairFlag, severalFlag } from '../terminal/flags.ts'
import { withExamples } from '../terminal/help.ts'
import { type OutputFormat, outputOption, printRows, styleOption } from '../terminal/table.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { kafkaConfigLines } from './kafka-configs.rules.ts'

interface DescribeFlags extends ClusterFlags {
  readonly output: OutputFormat
  readonly all: boolean
  readonly documentation: boolean
  readonly style?: 'kafka'
}

type Pairs = readonly (readonly [name: string, value: string])[]

const RESOURCE = 'topic/NAME, broker/ID, broker/ (all brokers) or group/NAME; a plain name is a topic'

export function configCommand(terminal: Terminal): Command {
  const command = new Command('config').description('configs of topics, brokers and groups')
  clusterOptions(command.command('describe').description('what was set; with --all also defaults'))
    .argument('<resource>', RESOURCE)
    .option('--all', 'also what has its default', false)
    .option('--documentation', 'what each config means', false)
    .addOption(outputOption())
    .addOption(styleOption())
    .action((resource: string, flags: DescribeFlags) => describe(terminal, resource, flags))
  clusterOptions(command.command('set').description('change configs, leave others alone'))
    .argument('<resource>', RESOURCE)
    .argument('<name=value...>', 'such as retention.ms=3600000', severalFlag(pairFlag))
    .action((resource: string, pairs: Pairs, flags: ClusterFlags) => set(terminal, resource, pairs, flags))
  clusterOptions(command.command('unset').description('back to the default'))
    .argument('<resource>', RESOURCE)
    .argument('<name...>', 'such as retention.ms')
    .action((resource: string, names: readonly string[], flags: ClusterFlags) =>
      unset(terminal, resource, names, flags),
    )
  return withExamples(command, [
    ['config describe orders'],
    ['config describe broker/1 --all --documentation'],
    ['config set orders retention.ms=3600000 cleanup.policy=compact,delete'],
    ['config set group/billing consumer.session.timeout.ms=30000'],
    ['config unset orders retention.ms'],
  ])
}

function resourceOf(given: string): ConfigResource {
  const at = given.indexOf('/')
  if (at < 0) return { type: 'topic', name: given }
  const type = given.slice(0, at)
  if (type !== 'topic' && type !== 'broker' && type !== 'group')
    throw usageError(`'${given}' is no resource: write ${RESOURCE}`)
  return { type, name: given.slice(at + 1) }
}

async function describe(terminal: Terminal, given: string, flags: DescribeFlags): Promise<void> {
  const resource = resourceOf(given)
  await using admin = createAdmin(clientOptions(flags))
  const [described] = await admin.configs.describe(resource, { includeDocumentation: flags.documentation })
  const entries = described!.entries.filter(
    ({ source }) => flags.all || source === resource.type || (resource.type === 'broker' && source !== 'default'),
  )
  if (flags.style === 'kafka') {
    for (const line of kafkaConfigLines(resource, entries, flags.all)) terminal.print(line)
    return
  }
  const sorted = [...entries].sort((a, b) => (a.name < b.name ? -1 : 1))
  printRows(terminal, flags.output, sorted, [
    { title: 'NAME', of: entry => entry.name },
    { title: 'VALUE', of: entry => (entry.isSensitive ? '(secret)' : entry.value) },
    { title: 'SOURCE', of: entry => entry.source },
    { title: 'READ-ONLY', of: entry => entry.isReadOnly, wide: true },
    ...(flags.documentation ? [{ title: 'MEANING', of: (entry: (typeof sorted)[number]) => entry.documentation }] : []),
  ])
}

async function set(terminal: Terminal, given: string, pairs: Pairs, flags: ClusterFlags): Promise<void> {
  const changes = Object.fromEntries(pairs)
  await using admin = createAdmin(clientOptions(flags))
  await admin.configs.set({ ...resourceOf(given), set: changes })
  terminal.print(`Set ${Object.keys(changes).join(', ')} of ${given}.`)
}

async function unset(terminal: Terminal, given: string, names: readonly string[], flags: ClusterFlags): Promise<void> {
  await using admin = createAdmin(clientOptions(flags))
  await admin.configs.set({ ...resourceOf(given), unset: names })
  terminal.print(`Unset ${names.join(', ')} of ${given}.`)
}
