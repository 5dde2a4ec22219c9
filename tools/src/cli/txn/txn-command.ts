// `odradek txn ...`: transactions of any cluster, and ending those that hang.
import { nameOf } from '@odradek/consumer/partition-names.rules'
import { transactionStatuses } from '@odradek/coordinator/transaction/transaction.records'
import { type Admin, createAdmin, type PartitionId } from '@odradek/shared/client/admin'
import { Command } from 'commander'
import { CommandError, usageError } from '../command-error.ts'
import { partitionsOf } from '../partitions.ts'
import { type ClusterFlags, clientOptions, clusterOptions } from '../terminal/cluster-flags.ts'
import { durationOption, integerFlag, wordsFlag } from '../terminal/flags.ts'
import { withExamples } from '../terminal/help.ts'
import { type OutputFormat, outputOption, printRows } from '../terminal/table.ts'
import type { Terminal } from '../terminal/terminal.ts'

interface ViewFlags extends ClusterFlags {
  readonly output: OutputFormat
}

interface ListFlags extends ViewFlags {
  readonly state?: readonly string[]
  readonly longerThan?: number
  readonly pattern?: string
}

interface FindFlags extends ViewFlags {
  readonly topic?: string
  readonly partition?: number
  readonly maxTransactionTimeout: number
}

interface AbortFlags extends ClusterFlags {
  readonly id?: string
  readonly topic?: string
  readonly partition?: number
  readonly startOffset?: number
}

export function txnCommand(terminal: Terminal): Command {
  const command = new Command('txn').description('transactions of any cluster, and ending those that hang')
  const add = (name: string, summary: string) => clusterOptions(command.command(name).description(summary))
  add('list', 'transactional ids and their state')
    .option('--state <state,...>', 'only in these states, such as Ongoing', wordsFlag([...transactionStatuses].sort()))
    .addOption(durationOption('--longer-than <duration>', 'only those open for longer than 500ms, 10s, 2m'))
    .option('--pattern <regex>', 'only ids that it matches as a whole')
    .addOption(outputOption())
    .action((flags: ListFlags) => list(terminal, flags))
  add('describe', 'producer, state, partitions of transactional ids')
    .argument('<id...>')
    .addOption(outputOption())
    .action((ids: readonly string[], flags: ViewFlags) => describe(terminal, ids, flags))
  add('find-hanging', 'open transactions of partitions that no coordinator will end')
    .option('--topic <name>', 'only this topic (default: all)')
    .option('--partition <n>', 'only this partition of the topic', integerFlag())
    .addOption(durationOption('--max-transaction-timeout <duration>', 'younger ones are not suspected', 15 * 60_000))
    .addOption(outputOption())
    .action((flags: FindFlags) => findHanging(terminal, flags))
  add('abort', 'end an open transaction: by its id through the coordinator, or a hanging one in its partition')
    .option('--id <id>', 'its transactional id; its producer is fenced')
    .option('--topic <name>', 'where a hanging one is')
    .option('--partition <n>', 'where a hanging one is', integerFlag())
    .option('--start-offset <n>', 'where a hanging one begins, as find-hanging tells', integerFlag())
    .action((flags: AbortFlags) => abort(terminal, flags))
  return withExamples(command, [
    ['txn list --state Ongoing --longer-than 5m'],
    ['txn describe billing-0'],
    ['txn find-hanging --topic orders'],
    ['txn abort --id billing-0'],
    ['txn abort --topic orders --partition 0 --start-offset 42', 'one that hangs'],
  ])
}

async function list(terminal: Terminal, flags: ListFlags): Promise<void> {
  const { state, longerThan, pattern } = flags
  await using admin = createAdmin(clientOptions(flags))
  const transactions = await admin.transactions.list({
    ...(state === undefined ? {} : { states: state }),
    ...(longerThan === undefined ? {} : { longerThanMs: longerThan }),
    ...(pattern === undefined ? {} : { pattern }),
  })
  printRows(terminal, flags.output, transactions, [
    { title: 'ID', of: each => each.transactionalId },
    { title: 'PRODUCER', of: each => each.producerId, align: 'right' },
    { title: 'STATE', of: each => each.state },
  ])
}

async function describe(terminal: Terminal, ids: readonly string[], flags: ViewFlags): Promise<void> {
  await using admin = createAdmin(clientOptions(flags))
  const described = await admin.transactions.describe(ids)
  printRows(terminal, flags.output, described, [
    { title: 'ID', of: each => each.transactionalId },
    { title: 'STATE', of: each => each.state },
    { title: 'PRODUCER', of: each => each.producerId, align: 'right' },
    { title: 'EPOCH', of: each => each.producerEpoch, align: 'right' },
    { title: 'STARTED', of: each => (each.startTime === null ? null : new Date(each.startTime).toISOString()) },
    { title: 'TIMEOUT-MS', of: each => each.timeoutMs, align: 'right' },
    { title: 'PARTITIONS', of: each => each.partitions.map(nameOf).join(',') || null },
    { title: 'COORDINATOR', of: each => each.coordinatorId, align: 'right', wide: true },
  ])
}

async function findHanging(terminal: Terminal, flags: FindFlags): Promise<void> {
  if (flags.partition !== undefined && flags.topic === undefined) throw usageError('--partition needs --topic')
  await using admin = createAdmin(clientOptions(flags))
  const partitions = await suspectsOf(admin, flags)
  const hanging = await admin.transactions.findHanging(partitions, {
    maxTransactionTimeoutMs: flags.maxTransactionTimeout,
  })
  printRows(terminal, flags.output, hanging, [
    { title: 'TOPIC', of: each => each.topic },
    { title: 'PARTITION', of: each => each.partition, align: 'right' },
    { title: 'START-OFFSET', of: each => each.transactionStartOffset, align: 'right' },
    { title: 'PRODUCER', of: each => each.producerId, align: 'right' },
    { title: 'EPOCH', of: each => each.producerEpoch, align: 'right' },
    { title: 'COORDINATOR-EPOCH', of: each => each.coordinatorEpoch, align: 'right' },
    { title: 'LAST-WRITE', of: each => new Date(each.lastTimestamp).toISOString() },
    { title: 'ID', of: each => each.transactionalId },
  ])
}

async function suspectsOf(admin: Admin, { topic, partition }: FindFlags): Promise<readonly PartitionId[]> {
  if (topic !== undefined) return partitionsOf(admin, [topic], partition)
  const topics = await admin.topics.list({ includeInternal: true })
  return partitionsOf(
    admin,
    topics.map(({ name }) => name),
  )
}

async function abort(terminal: Terminal, flags: AbortFlags): Promise<void> {
  const { id, topic, partition, startOffset } = flags
  const isByPlace = topic !== undefined && partition !== undefined && startOffset !== undefined
  const isPlaceGiven = topic !== undefined || partition !== undefined || startOffset !== undefined
  if (id !== undefined ? isPlaceGiven : !isByPlace)
    throw usageError('it takes --id, or --topic with --partition and --start-offset')
  await using admin = createAdmin(clientOptions(flags))
  if (id !== undefined) {
    // Fencing would make an id that is not there.
    await admin.transactions.describe(id)
    await admin.transactions.terminate(id)
    terminal.print(`Ended what ${id} had open; its producer is fenced.`)
    return
  }
  const place = { topic: topic!, partition: partition! }
  const producers = await admin.transactions.producers([place])
  const target = producers.find(each => each.transactionStartOffset === BigInt(startOffset!))
  if (target === undefined)
    throw new CommandError(`${nameOf(place)} has no open transaction that begins at ${startOffset}`)
  await admin.transactions.abort({ ...target })
  terminal.print(`Aborted the transaction of producer ${target.producerId} in ${nameOf(place)}.`)
}
