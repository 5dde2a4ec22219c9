// `odradek cluster info|api-versions|health`.
import { nameOf } from '@odradek/consumer/partition-names.rules'
import { createAdmin } from '@odradek/shared/client/admin'
import { apiOf } from '@odradek/shared/protocol/api-table'
import { Command } from 'commander'
import { CommandError } from '../command-error.ts'
import { type ClusterFlags, clientOptions, clusterOptions } from '../terminal/cluster-flags.ts'
import { withExamples } from '../terminal/help.ts'
import { type OutputFormat, outputOption, printRows, printValue } from '../terminal/table.ts'
import type { Terminal } from '../terminal/terminal.ts'

interface Flags extends ClusterFlags {
  readonly output: OutputFormat
}

export function clusterCommand(terminal: Terminal): Command {
  const command = new Command('cluster').description('brokers, what they speak, whether they are well')
  const add = (name: string, summary: string, run: (terminal: Terminal, flags: Flags) => Promise<void>) =>
    clusterOptions(command.command(name).description(summary))
      .addOption(outputOption())
      .action((flags: Flags) => run(terminal, flags))
  add('info', 'id, controller, brokers', info)
  add('api-versions', 'the APIs and versions that a broker speaks', apiVersions)
  add('health', 'whether all is well; ends with 1 when partitions have no leader or too few replicas', health)
  return withExamples(command, [
    ['cluster info'],
    ['cluster api-versions -b kafka-1:9092,kafka-2:9092'],
    ['cluster health -X security.protocol=SSL -X ssl.ca.location=ca.pem'],
  ])
}

async function info(terminal: Terminal, flags: Flags): Promise<void> {
  await using admin = createAdmin(clientOptions(flags))
  const cluster = await admin.cluster.describe()
  if (flags.output === 'json' || flags.output === 'yaml') return printValue(terminal, flags.output, cluster)
  terminal.print(`cluster ${cluster.clusterId}  controller ${cluster.controllerId}`)
  printRows(terminal, flags.output, cluster.brokers, [
    { title: 'BROKER', of: broker => broker.nodeId, align: 'right' },
    { title: 'ADDRESS', of: broker => `${broker.host}:${broker.port}` },
    { title: 'RACK', of: broker => broker.rack },
  ])
}

async function apiVersions(terminal: Terminal, flags: Flags): Promise<void> {
  await using admin = createAdmin(clientOptions(flags))
  const { apis, finalizedFeatures, supportedFeatures } = await admin.cluster.apiVersions()
  const named = apis.map(api => ({ ...api, name: apiOf(api.apiKey)?.name ?? 'unknown' }))
  if (flags.output === 'json' || flags.output === 'yaml')
    return printValue(terminal, flags.output, { apis: named, supportedFeatures, finalizedFeatures })
  printRows(terminal, flags.output, named, [
    { title: 'KEY', of: api => api.apiKey, align: 'right' },
    { title: 'API', of: api => api.name },
    { title: 'MIN', of: api => api.minVersion, align: 'right' },
    { title: 'MAX', of: api => api.maxVersion, align: 'right' },
  ])
  for (const { name, level } of finalizedFeatures) terminal.print(`feature ${name}=${level}`)
}

async function health(terminal: Terminal, flags: Flags): Promise<void> {
  await using admin = createAdmin(clientOptions(flags))
  const { clusterId, brokers } = await admin.cluster.describe()
  const listed = await admin.topics.list({ includeInternal: true })
  const topics = await admin.topics.describe(listed.map(({ name }) => name))
  const partitions = topics.flatMap(({ name, partitions: each }) =>
    each.map(partition => ({ topic: name, ...partition })),
  )
  const offline = partitions.filter(({ leader }) => leader < 0).map(nameOf)
  const underReplicated = partitions.filter(({ isr, replicas }) => isr.length < replicas.length).map(nameOf)
  const ok = offline.length === 0 && underReplicated.length === 0
  const report = {
    ok,
    clusterId,
    brokers: brokers.length,
    topics: topics.length,
    partitions: partitions.length,
    offline,
    underReplicated,
  }
  if (flags.output === 'json' || flags.output === 'yaml') printValue(terminal, flags.output, report)
  else {
    terminal.print(
      `${ok ? 'ok' : 'not well'}: ${brokers.length} brokers, ${topics.length} topics, ${partitions.length} partitions`,
    )
    for (const name of offline) terminal.print(`no leader: ${name}`)
    for (const name of underReplicated) terminal.print(`under-replicated: ${name}`)
  }
  if (!ok) throw new CommandError('')
}
