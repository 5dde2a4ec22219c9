// `odradek topic list|describe|offsets`.
import { type Admin, type ConfigEntry, createAdmin, type TopicDescription } from '@odradek/shared/client/admin'
import { usageError } from '../command-error.ts'
import { partitionsOf } from '../partitions.ts'
import { type ClusterFlags, clientOptions } from '../terminal/cluster-flags.ts'
import { type OutputFormat, printRows, printValue } from '../terminal/table.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { kafkaOffsetLine, kafkaTopicLines } from './kafka-style.rules.ts'

interface ViewFlags extends ClusterFlags {
  readonly output: OutputFormat
  readonly style?: 'kafka'
}

export async function listTopics(terminal: Terminal, flags: ViewFlags & { readonly internal: boolean }): Promise<void> {
  await using admin = createAdmin(clientOptions(flags))
  const topics = await admin.topics.list({ includeInternal: flags.internal || flags.style === 'kafka' })
  if (flags.style === 'kafka') {
    for (const { name } of topics) terminal.print(name)
    return
  }
  printRows(terminal, flags.output, topics, [
    { title: 'TOPIC', of: topic => topic.name },
    { title: 'PARTITIONS', of: topic => topic.partitions, align: 'right' },
    { title: 'INTERNAL', of: topic => topic.isInternal, wide: true },
    { title: 'ID', of: topic => topic.topicId, wide: true },
  ])
}

type DescribedTopic = TopicDescription & { readonly configs: readonly ConfigEntry[] }

export async function describeTopics(terminal: Terminal, names: readonly string[], flags: ViewFlags): Promise<void> {
  await using admin = createAdmin(clientOptions(flags))
  const topics = await describedTopics(admin, names.length > 0 ? names : await allNames(admin))
  if (flags.style === 'kafka') {
    for (const topic of topics)
      for (const line of kafkaTopicLines(
        topic,
        topic.configs.filter(({ source }) => source !== 'default'),
      ))
        terminal.print(line)
  } else if (flags.output === 'json' || flags.output === 'yaml') {
    printValue(
      terminal,
      flags.output,
      topics.map(topic => ({
        ...topic,
        configs: Object.fromEntries(ownConfigs(topic).map(({ name, value }) => [name, value])),
      })),
    )
  } else
    topics.forEach((topic, index) => {
      if (index > 0) terminal.print('')
      describeOne(terminal, topic, flags.output)
    })
}

function describeOne(terminal: Terminal, topic: DescribedTopic, format: OutputFormat): void {
  const replicas = topic.partitions[0]?.replicas.length ?? 0
  const set = ownConfigs(topic).map(({ name, value }) => `${name}=${value}`)
  terminal.print(
    `${topic.name}  id ${topic.topicId}  partitions ${topic.partitions.length}  replicas ${replicas}${topic.isInternal ? '  internal' : ''}`,
  )
  if (set.length > 0) terminal.print(`configs  ${set.join(' ')}`)
  printRows(terminal, format, topic.partitions, [
    { title: 'PARTITION', of: each => each.partition, align: 'right' },
    { title: 'LEADER', of: each => each.leader, align: 'right' },
    { title: 'EPOCH', of: each => each.leaderEpoch, align: 'right' },
    { title: 'REPLICAS', of: each => each.replicas.join(',') },
    { title: 'ISR', of: each => each.isr.join(',') },
    { title: 'ELR', of: each => each.elr?.join(','), wide: true },
    { title: 'OFFLINE', of: each => each.offlineReplicas.join(','), wide: true },
  ])
}

/** What was set for the topic itself. */
function ownConfigs({ configs }: DescribedTopic): readonly ConfigEntry[] {
  return configs.filter(({ source }) => source === 'topic')
}

async function describedTopics(admin: Admin, names: readonly string[]): Promise<DescribedTopic[]> {
  if (names.length === 0) return []
  const topics = await admin.topics.describe(names)
  const configs = await admin.configs.describe(names.map(name => ({ type: 'topic' as const, name })))
  const byName = new Map(configs.map(({ name, entries }) => [name, entries]))
  const order = new Map(names.map((name, index) => [name, index]))
  return topics
    .map(topic => ({ ...topic, configs: byName.get(topic.name) ?? [] }))
    .sort((a, b) => order.get(a.name)! - order.get(b.name)!)
}

async function allNames(admin: Admin): Promise<readonly string[]> {
  return (await admin.topics.list()).map(({ name }) => name)
}

export async function showOffsets(
  terminal: Terminal,
  names: readonly string[],
  flags: ViewFlags & { readonly time?: string },
): Promise<void> {
  const place = placeOf(flags.time ?? 'latest')
  await using admin = createAdmin(clientOptions(flags))
  const partitions = await partitionsOf(admin, names.length > 0 ? names : await allNames(admin))
  const ends = await admin.records.offsets(partitions, place)
  if (flags.style === 'kafka') {
    for (const each of ends) terminal.print(kafkaOffsetLine(each))
    return
  }
  const beginnings = flags.time === undefined ? await admin.records.offsets(partitions, 'earliest') : []
  const rows = ends.map(({ topic, partition, offset }, index) =>
    flags.time === undefined
      ? { topic, partition, earliest: beginnings[index]?.offset ?? null, latest: offset }
      : { topic, partition, offset },
  )
  const offsetColumns = ['earliest', 'latest', 'offset'].filter(name => rows.some(row => name in row))
  printRows<{ readonly [name: string]: unknown }>(terminal, flags.output, rows, [
    { title: 'TOPIC', of: row => String(row.topic) },
    { title: 'PARTITION', of: row => Number(row.partition), align: 'right' },
    ...offsetColumns.map(name => ({
      title: name.toUpperCase(),
      of: (row: { readonly [name: string]: unknown }) => row[name] as bigint,
      align: 'right' as const,
    })),
  ])
}

function placeOf(time: string) {
  if (time === 'earliest' || time === '-2') return 'earliest' as const
  if (time === 'latest' || time === '-1') return 'latest' as const
  if (time === 'max-timestamp' || time === '-3') return 'maxTimestamp' as const
  if (/^\d+$/.test(time)) return { timestamp: Number(time) }
  throw usageError(`--time takes earliest, latest, max-timestamp or milliseconds since 1970, got '${time}'`)
}
