// `odradek topic create|delete|alter|trim`.
import type { KafkaError } from '@odradek/shared/base/errors'
import { createAdmin, PartialAdminError } from '@odradek/shared/client/admin'
import { CommandError, usageError } from '../command-error.ts'
import { partitionsOf } from '../partitions.ts'
import { type ClusterFlags, clientOptions } from '../terminal/cluster-flags.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { collisionWarning } from './kafka-style.rules.ts'

interface CreateFlags extends ClusterFlags {
  readonly partitions?: number
  readonly replicationFactor?: number
  readonly config?: readonly (readonly [string, string])[]
  readonly ifNotExists: boolean
  readonly validateOnly: boolean
  readonly style?: 'kafka'
}

export async function createTopics(terminal: Terminal, names: readonly string[], flags: CreateFlags): Promise<void> {
  await using admin = createAdmin(clientOptions(flags))
  const { partitions, replicationFactor, validateOnly } = flags
  const topics = names.map(name => ({
    name,
    ...(partitions === undefined ? {} : { partitions }),
    ...(replicationFactor === undefined ? {} : { replicationFactor }),
    configs: Object.fromEntries(flags.config ?? []),
  }))
  const outcome = await outcomeOf(admin.topics.create(topics, { validateOnly }), names)
  const verb = validateOnly ? 'Valid' : 'Created'
  if (flags.style === 'kafka') for (const name of names) noteIfAny(terminal, collisionWarning(name))
  for (const name of outcome.done) terminal.print(`${verb} topic ${name}.`)
  conclude(outcome.failures, flags.ifNotExists ? 'TOPIC_ALREADY_EXISTS' : null)
}

export async function deleteTopics(
  terminal: Terminal,
  names: readonly string[],
  flags: ClusterFlags & { readonly ifExists: boolean },
): Promise<void> {
  await using admin = createAdmin(clientOptions(flags))
  const outcome = await outcomeOf(admin.topics.delete(names), names)
  for (const name of outcome.done) terminal.print(`Deleted topic ${name}.`)
  conclude(outcome.failures, flags.ifExists ? 'UNKNOWN_TOPIC_OR_PARTITION' : null)
}

export async function alterTopic(
  terminal: Terminal,
  name: string,
  flags: ClusterFlags & { readonly partitions: number },
): Promise<void> {
  await using admin = createAdmin(clientOptions(flags))
  await admin.topics.addPartitions({ name, count: flags.partitions })
  terminal.print(`Topic ${name} has ${flags.partitions} partitions.`)
}

export async function trimTopic(
  terminal: Terminal,
  name: string,
  flags: ClusterFlags & { readonly partition?: number; readonly before?: number; readonly all: boolean },
): Promise<void> {
  if (flags.all === (flags.before !== undefined)) throw usageError('give either --before OFFSET or --all')
  await using admin = createAdmin(clientOptions(flags))
  const wanted = await partitionsOf(admin, [name], flags.partition)
  // Partitions that end before the offset are trimmed to their end, unless that one was asked for.
  const ends = await admin.records.offsets(wanted, 'latest')
  const partitions = ends.map(({ partition, offset }) => {
    const end = Number(offset ?? 0n)
    const before = flags.before ?? end
    return { topic: name, partition, offset: flags.partition === undefined ? Math.min(before, end) : before }
  })
  for (const { partition, lowWatermark } of await admin.records.deleteBefore(partitions)) {
    terminal.print(`${name}-${partition} begins at ${lowWatermark}.`)
  }
}

interface Outcome {
  readonly done: readonly string[]
  readonly failures: readonly KafkaError[]
}

async function outcomeOf(call: Promise<unknown>, names: readonly string[]): Promise<Outcome> {
  try {
    await call
    return { done: names, failures: [] }
  } catch (error) {
    if (!(error instanceof PartialAdminError)) throw error
    return { done: error.done, failures: [...error.failures.values()] }
  }
}

function conclude(failures: readonly KafkaError[], tolerated: string | null): void {
  const left = failures.filter(({ kafkaName }) => kafkaName !== tolerated)
  if (left.length > 0) throw new CommandError(left.map(({ message }) => message).join('\n'))
}

function noteIfAny(terminal: Terminal, line: string | null): void {
  if (line !== null) terminal.print(line)
}
