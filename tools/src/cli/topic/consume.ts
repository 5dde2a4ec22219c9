// `odradek topic consume`: prints records at speed, from where it is told to, until it is told to.
import {
  type Consumer,
  type ConsumerRecord,
  createConsumer,
  type PartitionToAssign,
  type RecordBatch,
} from '@odradek/consumer'
import { nameOf } from '@odradek/consumer/partition-names.rules'
import { createAdmin } from '@odradek/shared/client/admin'
import { CommandError, usageError } from '../command-error.ts'
import { exitCodes } from '../exit-codes.ts'
import { partitionsOf } from '../partitions.ts'
import { type ClusterFlags, clientOptions } from '../terminal/cluster-flags.ts'
import { onInterrupt } from '../terminal/interrupts.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { formatPrinter, jsonPrinter, type RecordPrinter, readPlace, type StartPlace } from './record-format.rules.ts'
import { unescaped } from './record-lines.rules.ts'

export interface ConsumeFlags extends ClusterFlags {
  readonly offset?: string
  readonly exit: boolean
  readonly count?: number
  readonly partition?: number
  readonly group?: string
  readonly format?: string
  readonly K?: string
  readonly J: boolean
  readonly Z: boolean
  readonly isolation: 'read-uncommitted' | 'read-committed'
  readonly quiet: boolean
}

export async function consumeRecords(terminal: Terminal, names: readonly string[], flags: ConsumeFlags): Promise<void> {
  const print = printerOf(flags)
  const place = placeOf(flags)
  using interrupts = onInterrupt()
  await using consumer = createConsumer({
    ...clientOptions(flags),
    clientId: 'odradek-consume',
    autoOffsetReset: place.kind === 'beginning' ? 'earliest' : 'latest',
    isolationLevel: flags.isolation === 'read-committed' ? 'readCommitted' : 'readUncommitted',
    ...(flags.group === undefined ? {} : { groupId: flags.group, enableAutoCommit: !commitsItself(flags) }),
  })
  const ends = flags.exit ? await endsOf(names, flags) : null
  if (flags.group === undefined) await consumer.assign(await assignmentOf(names, place, flags))
  const reader = new Reader(terminal, {
    print,
    limit: flags.count ?? Number.POSITIVE_INFINITY,
    ends,
    quiet: flags.quiet,
    commits: commitsItself(flags),
  })
  if (!reader.isDone) await reader.read(consumer, flags.group === undefined ? undefined : names, interrupts.signal)
  if (interrupts.signal.aborted) throw new CommandError('', exitCodes.interrupted)
}

/** With a count, reading ends in the middle of what arrived: the reader says up to where, record by record. */
function commitsItself({ group, count }: ConsumeFlags): boolean {
  return group !== undefined && count !== undefined
}

function printerOf({ J, format, K, Z }: ConsumeFlags): RecordPrinter {
  if (J) return jsonPrinter
  const text =
    format === undefined
      ? K === undefined
        ? '%s\n'
        : `%k${unescaped(K).replaceAll('%', '%%')}%s\n`
      : unescaped(format)
  try {
    return formatPrinter(text, Z ? 'NULL' : '')
  } catch (error) {
    throw usageError((error as Error).message)
  }
}

function placeOf({ offset, group }: ConsumeFlags): StartPlace {
  if (offset === undefined) return { kind: group === undefined ? 'end' : 'committed' }
  try {
    const place = readPlace(offset)
    if (group !== undefined && !['beginning', 'end', 'committed'].includes(place.kind))
      throw new TypeError('with -g, -o takes beginning or end: where to begin without a committed offset')
    return place
  } catch (error) {
    throw usageError((error as Error).message)
  }
}

/** Partitions without a group, each with the offset to begin at. */
async function assignmentOf(
  names: readonly string[],
  place: StartPlace,
  flags: ConsumeFlags,
): Promise<PartitionToAssign[]> {
  await using admin = createAdmin(clientOptions(flags))
  const partitions = await partitionsOf(admin, names, flags.partition)
  const where =
    place.kind === 'beginning' ? 'earliest' : place.kind === 'time' ? { timestamp: place.timestamp } : 'latest'
  if (place.kind === 'offset') return partitions.map(each => ({ ...each, offset: place.offset }))
  const found = await admin.records.offsets(partitions, where)
  const ends = place.kind === 'time' ? await admin.records.offsets(partitions, 'latest') : found
  return found.map(({ topic, partition, offset }, index) => {
    const at = offset ?? ends[index]!.offset ?? 0n
    const back = place.kind === 'fromEnd' ? BigInt(place.count) : 0n
    return { topic, partition, offset: at > back ? at - back : 0n }
  })
}

/** `-e`: where reading ends, by partition; those that hold nothing are left out. */
async function endsOf(names: readonly string[], flags: ConsumeFlags): Promise<Map<string, bigint>> {
  await using admin = createAdmin(clientOptions(flags))
  const partitions = await partitionsOf(admin, names, flags.partition)
  const latest = await admin.records.offsets(partitions, 'latest')
  const earliest = await admin.records.offsets(partitions, 'earliest')
  return new Map(
    latest.flatMap((end, index) =>
      end.offset !== null && end.offset > (earliest[index]!.offset ?? 0n) ? [[nameOf(end), end.offset]] : [],
    ),
  )
}

interface ReaderOptions {
  readonly print: RecordPrinter
  readonly limit: number
  readonly ends: Map<string, bigint> | null
  readonly quiet: boolean
  /** Commits what was printed after each batch, instead of whole batches at intervals. */
  readonly commits: boolean
}

const FLUSH_BYTES = 64 * 1024

/** Prints what a consumer delivers, buffered per delivery. */
class Reader {
  readonly #terminal: Terminal
  readonly #options: ReaderOptions
  readonly #stop = new AbortController()
  #parts: Buffer[] = []
  #text = ''
  #bytes = 0
  #printed = 0

  constructor(terminal: Terminal, options: ReaderOptions) {
    this.#terminal = terminal
    this.#options = options
  }

  /** Nothing to wait for. */
  get isDone(): boolean {
    return this.#options.ends?.size === 0
  }

  async read(consumer: Consumer, topics: readonly string[] | undefined, signal: AbortSignal): Promise<void> {
    await consumer.batch(
      topics,
      async batch => {
        const { topic, partition } = batch
        const offset = await this.#print(batch)
        if (this.#options.commits) await consumer.commit([{ topic, partition, offset }])
        this.#reached(nameOf(batch), batch.nextOffset)
      },
      { signal: AbortSignal.any([signal, this.#stop.signal]) },
    )
  }

  /** Prints as many as are wanted; returns the offset to go on from. */
  async #print(batch: RecordBatch<ConsumerRecord>): Promise<bigint> {
    let next = batch.nextOffset
    for (const record of batch) {
      if (this.#printed >= this.#options.limit) {
        next = record.offset
        break
      }
      this.#options.print(record as never, part => this.#add(part))
      this.#printed++
      if (this.#bytes >= FLUSH_BYTES) await this.#flush()
    }
    await this.#flush()
    return next
  }

  #add(part: string | Uint8Array): void {
    if (typeof part === 'string') this.#text += part
    else {
      this.#settleText()
      this.#parts.push(Buffer.from(part))
    }
    this.#bytes += part.length
  }

  #settleText(): void {
    if (this.#text !== '') this.#parts.push(Buffer.from(this.#text))
    this.#text = ''
  }

  async #flush(): Promise<void> {
    this.#settleText()
    const chunk = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts)
    this.#parts = []
    this.#bytes = 0
    if (chunk.length > 0 && !this.#terminal.write(chunk)) await this.#terminal.drained()
  }

  #reached(partition: string, nextOffset: bigint): void {
    const { ends, limit, quiet } = this.#options
    const end = ends?.get(partition)
    if (end !== undefined && nextOffset >= end) {
      ends!.delete(partition)
      if (!quiet) this.#terminal.note(`reached the end of ${partition} at offset ${nextOffset}`)
    }
    if (this.#printed >= limit || ends?.size === 0) this.#stop.abort()
  }
}
