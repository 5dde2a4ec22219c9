// `odradek load produce|consume|e2e|txn`: flags, live lines, the result for people and as JSON.
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { CompressionType } from '@odradek/shared/records/compression/compression-type'
import { Command, InvalidArgumentError, Option } from 'commander'
import { CommandError, usageError } from '../cli/command-error.ts'
import { exitCodes } from '../cli/exit-codes.ts'
import { type ClusterFlags, clusterOptions } from '../cli/terminal/cluster-flags.ts'
import {
  checkedFlag,
  compressionOption,
  durationOption,
  integerFlag,
  integerOrWordFlag,
  pairFlag,
  severalFlag,
  threadsFlag,
} from '../cli/terminal/flags.ts'
import { withExamples } from '../cli/terminal/help.ts'
import { onInterrupt } from '../cli/terminal/interrupts.ts'
import { whole } from '../cli/terminal/numbers.rules.ts'
import type { Terminal } from '../cli/terminal/terminal.ts'
import type { LoadCluster } from './load-cluster.ts'
import type { LoadKind, LoadPlan } from './load-plan.ts'
import { LOAD_RECORD_BYTES_MIN } from './load-record.records.ts'
import { type LoadResult, resultLines, type SecondOfLoad } from './load-result.rules.ts'
import { readThreshold, type Threshold } from './thresholds.rules.ts'

interface Flags extends ClusterFlags {
  readonly embedded: boolean
  readonly dir?: string
  readonly threads: number | 'auto'
  readonly set?: readonly (readonly [string, string])[]
  readonly topic: string
  readonly workers: number
  readonly partitions: number
  readonly size: number
  readonly records?: number
  readonly duration: number
  readonly rate: number | 'max'
  readonly acks: 'all' | 0 | 1
  readonly batchSize: number
  readonly lingerMs: number
  readonly compression: CompressionType
  readonly sendRecords?: number
  readonly inFlight?: number
  readonly payload: 'text' | 'random'
  readonly warmup: number
  readonly transactionRecords: number
  readonly abortShare: number
  readonly threshold?: readonly Threshold[]
  readonly json?: string
  readonly progress: boolean
}

const SUMMARIES: { readonly [kind in LoadKind]: string } = {
  produce: 'client threads send; latency from the intended send to the acknowledgement',
  consume: 'client threads read what is in the topic; an embedded broker is filled first',
  e2e: 'client threads send and others receive; every record is checked for loss, order and doubles',
  txn: 'client threads send in transactions, one after another, and others read what is committed; every record is checked',
}

export function loadCommand(terminal: Terminal): Command {
  const command = new Command('load').description(
    'Drives an embedded broker or any Kafka cluster from threads over all cores. With a rate, latency counts from the time at which a record should have ' +
      'been sent (corrected for coordinated omission); warm-up is not measured. Ends with 3 if a --threshold is broken or a check fails.',
  )
  for (const kind of ['produce', 'consume', 'e2e', 'txn'] as const) command.addCommand(kindCommand(terminal, kind))
  return withExamples(command, [
    ['load e2e --embedded --duration 30s'],
    ['load produce -b kafka-1:9092 --size 1024 --compression lz4'],
    ['load consume --embedded --records 1000000 --json result.json'],
    ["load e2e --embedded --rate 50000 --threshold 'e2e.p99<20ms'", 'for CI'],
    ['load txn --embedded --transaction-records 10 --abort-share 0.1'],
  ])
}

function kindCommand(terminal: Terminal, kind: LoadKind): Command {
  const cores = availableParallelism()
  const command = clusterOptions(new Command(kind).description(SUMMARIES[kind]))
    .option('--embedded', 'drive a broker in this process instead of --bootstrap-server', false)
    .option('--dir <dir>', 'with --embedded: where its LMDB logs are (default: in memory)')
    .option(
      '--threads <n>',
      "with --embedded: the broker's threads, 0 to 256, or auto by the cores",
      threadsFlag,
      'auto',
    )
    .option('--set <name=value>', 'with --embedded: a broker config, such as flush.messages=1', severalFlag(pairFlag))
    .option('--topic <name>', 'where records go; created if it does not exist', 'odradek-load')
    .option('--workers <n>', 'client threads per side', integerFlag({ min: 1, max: 256 }), Math.max(1, cores >> 1))
    .option('--partitions <n>', 'how many a new topic has', integerFlag({ min: 1, max: 10_000 }), 4)
    .option('--size <bytes>', 'bytes of a value', integerFlag({ min: LOAD_RECORD_BYTES_MIN, max: 2 ** 30 }), 100)
    .option('--records <n>', 'measure so many records', integerFlag({ min: 1 }))
    .addOption(durationOption('--duration <time>', 'measure so long, if --records is not given', 10_000))
    .addOption(rateOption(kind === 'txn' ? 'transactions' : 'records'))
    .addOption(durationOption('--warmup <time>', 'sent before, and not measured', 1_000))
    .option('--batch-size <bytes>', "the producer's batch.size", integerFlag({ max: 2 ** 31 - 1 }), 65_536)
    .option('--linger-ms <ms>', "the producer's linger.ms", integerFlag(), 5)
    .addOption(compressionOption('--compression <codec>', 'of batches'))
    .addOption(new Option('--payload <kind>', 'what values are made of').choices(['text', 'random']).default('text'))
    .option(
      '--threshold <expression>',
      "must hold, such as 'publish.p99<50ms'; may be repeated",
      severalFlag(checkedFlag(readThreshold)),
    )
    .option('--json <file>', 'write the result as JSON; - for standard output')
    .option('--no-progress', 'no live line per second')
  return (kind === 'txn' ? transactionOptions(command) : sendOptions(command)).action((flags: Flags) =>
    load(terminal, kind, flags),
  )
}

function sendOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--acks <acks>', 'whose acknowledgement is waited for').choices(['all', '0', '1']).default('all'),
    )
    .option(
      '--send-records <n>',
      'records per send call; 1: a promise per record',
      integerFlag({ min: 1, max: 100_000 }),
      500,
    )
    .option(
      '--in-flight <n>',
      'records that a worker has sent and not seen acknowledged, at most',
      integerFlag({ min: 1 }),
      50_000,
    )
}

function transactionOptions(command: Command): Command {
  return command
    .option(
      '--transaction-records <n>',
      'records of a transaction, spread over the partitions',
      integerFlag({ min: 1, max: 1_000_000 }),
      100,
    )
    .option('--abort-share <share>', 'of transactions that are aborted, from 0 to 1', shareFlag, 0)
}

function shareFlag(given: string): number {
  const share = Number(given)
  if (given.trim() !== '' && share >= 0 && share <= 1) return share
  throw new InvalidArgumentError('It takes a number from 0 to 1.')
}

function rateOption(what: string): Option {
  return new Option('--rate <n>', `${what} per second over all workers, or max: as fast as it goes`)
    .argParser(integerOrWordFlag('max', { min: 1 }))
    .default('max')
}

function planOf(kind: LoadKind, flags: Flags): LoadPlan {
  return {
    kind,
    topic: flags.topic,
    partitions: flags.partitions,
    workers: flags.workers,
    size: flags.size,
    records: flags.records ?? null,
    durationMs: flags.duration,
    warmupMs: flags.warmup,
    rate: flags.rate === 'max' ? null : flags.rate,
    acks: flags.acks === 'all' || kind === 'txn' ? 'all' : (Number(flags.acks) as 0 | 1),
    batchSize: flags.batchSize,
    lingerMs: flags.lingerMs,
    compression: flags.compression,
    sendRecords: flags.sendRecords ?? 1,
    inFlightMax: Math.max(flags.inFlight ?? 1, flags.sendRecords ?? 1),
    payload: flags.payload,
    transaction: kind === 'txn' ? { records: flags.transactionRecords, abortShare: flags.abortShare } : null,
    runId: Math.floor(Math.random() * 2 ** 32),
  }
}

async function load(terminal: Terminal, kind: LoadKind, flags: Flags): Promise<void> {
  if (flags.embedded && flags.bootstrapServer !== undefined)
    throw usageError('--embedded and --bootstrap-server exclude each other')
  const plan = planOf(kind, flags)
  using interrupts = onInterrupt()
  await using cluster = await openCluster(flags)
  await cluster.createTopic(plan.topic, plan.partitions)
  const partitions = (await cluster.ends(plan.topic)).length
  const { runLoad } = await import('./load-run.ts')
  const common = { cluster, signal: interrupts.signal, second: flags.progress ? liveLine(terminal) : () => undefined }
  if (kind === 'consume' && flags.embedded) {
    terminal.note('filling the topic (not measured)')
    await runLoad({
      ...common,
      plan: { ...plan, partitions, kind: 'produce', warmupMs: 0, rate: null },
      thresholds: [],
    })
  }
  const result = await runLoad({ ...common, plan: { ...plan, partitions }, thresholds: flags.threshold ?? [] })
  report(terminal, result, flags.json)
  if (interrupts.signal.aborted) throw new CommandError('interrupted', exitCodes.interrupted)
  conclude(result)
}

async function openCluster(flags: Flags): Promise<LoadCluster> {
  if (flags.embedded) {
    const { embeddedCluster } = await import('./load-cluster.ts')
    const { dir, threads, topic, partitions } = flags
    return embeddedCluster({ dir, threads, topic, partitions, config: Object.fromEntries(flags.set ?? []) })
  }
  if (flags.dir !== undefined || flags.set !== undefined) throw usageError('--dir and --set go with --embedded')
  const { wireCluster } = await import('./wire-cluster.ts')
  return wireCluster(flags)
}

function liveLine(terminal: Terminal): (second: SecondOfLoad) => void {
  return ({ t, warmup, acknowledged, received }) =>
    terminal.live(
      `${t} s${warmup ? ' (warm-up)' : ''}  acknowledged ${whole(acknowledged)}/s  received ${whole(received)}/s`,
    )
}

function report(terminal: Terminal, result: LoadResult, json: string | undefined): void {
  if (json !== '-') for (const line of resultLines(result)) terminal.print(line)
  if (json === undefined) return
  const text = JSON.stringify(result, null, 2)
  if (json === '-') terminal.print(text)
  else writeFileSync(json, `${text}\n`)
}

function conclude({ totals, checks, failed, failure, thresholds }: LoadResult): void {
  if (failed > 0) throw new CommandError(`${failed} records failed: ${failure}`)
  const broken = thresholds.filter(({ holds }) => !holds).map(({ threshold }) => threshold)
  if (broken.length > 0) throw new CommandError(`broken: ${broken.join(', ')}`, exitCodes.broken)
  if (checks !== null && checks.lost + checks.duplicated + checks.disordered + checks.aborted > 0) {
    const what = 'records were lost, duplicated, disordered, or read though aborted'
    throw new CommandError(what, exitCodes.broken)
  }
  if (totals.records === 0) throw new CommandError('nothing was measured: no record came through')
}
