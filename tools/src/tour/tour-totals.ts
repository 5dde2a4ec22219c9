// The tour's last act: totals per key by an exactly-once pipeline in a thread of its own, which crashes in mid-transaction and goes on; then the proof that they
// equal what is counted directly.
import { BroadcastChannel, setEnvironmentData } from 'node:worker_threads'
import { builtUrl } from '@odradek/shared/actor/built-url'
import { systemClock } from '@odradek/shared/base/clock'
import { json, string } from '@odradek/shared/client/codecs'
import { topic } from '@odradek/shared/client/topic'
import { CommandError } from '../cli/command-error.ts'
import { type Admin, type Broker, createAdmin, createConsumer, type Pipeline, pipeline } from '../index.ts'
import { Backlog } from './backlog.ts'
import { count, type Measure, measureOf, type Total, totalKey } from './running-totals.rules.ts'
import {
  type FromTransform,
  TOTALS_ENVIRONMENT,
  type ToTransform,
  type TotalsEnvironment,
  type TotalValue,
} from './totals-messages.ts'
import { SESSION_MS } from './tour-group.ts'
import type { CrashFigures } from './tour-report.rules.ts'

export const TOTALS_GROUP = 'odradek-tour-totals'
/** The pipeline's only thread is its first. */
const TRANSACTIONAL_ID = `${TOTALS_GROUP}-0`
const COMMIT = { records: 10_000, ms: 500 }
const LOOK_MS = 50
/** Without progress for so long, it is given up. */
const STALL_MS = 60_000

type Totals = ReadonlyMap<string, Total>

export interface TotalsFigures {
  /** What earlier runs had counted. */
  readonly found: Totals
  readonly totals: Totals
  readonly crash: CrashFigures | null
  /** Records that the pipeline was given, those of undone transactions as often as they came. */
  readonly processed: number
  readonly seconds: number
}

export interface TotalsOptions {
  readonly broker: Broker
  readonly from: string
  readonly to: string
  readonly measure: Measure
  /** Records that wait in the input. */
  readonly records: number
  /** What earlier runs had counted, as soon as it is known. */
  readonly began: (found: Totals) => void
  readonly progress: (counted: number) => void
  readonly signal: AbortSignal
}

/** What the output topic holds: the last total of each key. Throws CommandError when they were made of something else. */
async function committedTotals(broker: Broker, name: string, measure: Measure): Promise<Map<string, Total>> {
  const totals = new Map<string, Total>()
  const typed = topic(name, { key: string(), value: json<TotalValue>() })
  await readTo(broker, typed, null, ({ key, value }) => {
    if (key === null || value === null) return
    if (value.of !== measure) {
      throw new CommandError(
        `topic ${name} holds totals of another measure (${value.of}); choose another --topic or --dir`,
      )
    }
    totals.set(key, { records: value.records, sum: value.sum })
  })
  return totals
}

/** Adds what plain reading counts: the records of the topic before `ends`. */
export async function countDirectly(
  { broker, from, measure }: Pick<TotalsOptions, 'broker' | 'from' | 'measure'>,
  ends: readonly number[],
  totals: Map<string, Total>,
): Promise<void> {
  const amountOf = measureOf(measure)
  await readTo(broker, topic(from, { key: string(), value: string() }), ends, ({ key, value, partition }) => {
    count(totals, totalKey(key, partition), amountOf(value ?? ''))
  })
}

/** Runs the pipeline until everything is counted, with a crash on the way. */
export async function runTotals(options: TotalsOptions): Promise<TotalsFigures> {
  await using act = new TotalsAct(options)
  return await act.run()
}

class TotalsAct implements AsyncDisposable {
  readonly #options: TotalsOptions
  readonly #channel: BroadcastChannel
  readonly #admin: Admin
  readonly #pipeline: Pipeline
  readonly #environment: TotalsEnvironment
  #crash: { -readonly [name in keyof CrashFigures]?: CrashFigures[name] } & { atMs?: number } = {}
  #found: Totals | null = null
  #failure: unknown = null

  constructor(options: TotalsOptions) {
    const { broker, from, to, measure, records, signal } = options
    this.#options = options
    const channel = `${TOTALS_ENVIRONMENT}-${process.pid}-${systemClock.now()}`
    this.#channel = new BroadcastChannel(channel)
    this.#channel.onmessage = event => void this.#heard((event as { readonly data: FromTransform }).data)
    this.#environment = {
      channel,
      from,
      to,
      measure,
      commitRecords: COMMIT.records,
      holdAfter: Math.floor(records / 2),
    }
    setEnvironmentData(TOTALS_ENVIRONMENT, this.#environment as never)
    this.#admin = createAdmin({ bootstrapServers: broker })
    this.#pipeline = pipeline(new URL(builtUrl(new URL('./totals-transform.ts', import.meta.url).href)), {
      bootstrapServers: broker,
      transactionalId: TOTALS_GROUP,
      groupId: TOTALS_GROUP,
      commitEvery: COMMIT,
      // A static member (KIP-345) takes its place again without a rebalance.
      consumer: { groupInstanceId: TOTALS_GROUP, sessionTimeoutMs: SESSION_MS, heartbeatIntervalMs: SESSION_MS / 8 },
      producer: { batchSize: 65_536 },
      signal,
    })
    this.#pipeline.done.catch(error => {
      this.#failure ??= error
    })
  }

  async run(): Promise<TotalsFigures> {
    const { broker, to, measure } = this.#options
    const startedAt = systemClock.monotonic()
    await this.#counted()
    const seconds = (systemClock.monotonic() - startedAt) / 1_000
    await this.#pipeline.close()
    const { records } = this.#pipeline.metrics()
    const { atMs, ...crash } = this.#crash
    const hasCrashed = crash.nextThread !== undefined
    const totals = await committedTotals(broker, to, measure)
    return {
      found: this.#found ?? totals,
      totals,
      crash: hasCrashed ? (crash as CrashFigures) : null,
      processed: records + (hasCrashed ? crash.afterRecords! : 0),
      seconds,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pipeline.close()
    await this.#admin.close()
    this.#channel.close()
  }

  /** Resolves when the group has committed all of the input, or at the signal. */
  async #counted(): Promise<void> {
    const { broker, from, progress, signal } = this.#options
    await using backlog = new Backlog(broker, from, TOTALS_GROUP)
    let [before, changedMs] = [await backlog.records(), systemClock.monotonic()]
    const total = before
    while (before > 0 && !signal.aborted) {
      if (this.#failure !== null) throw this.#failure
      await new Promise<void>(resolve => systemClock.after(LOOK_MS, resolve))
      const now = await backlog.records()
      const nowMs = systemClock.monotonic()
      if (now !== before) changedMs = nowMs
      else if (nowMs - changedMs > STALL_MS)
        throw new CommandError(`the pipeline stands still with ${now} records to go`)
      before = now
      progress(total - now)
    }
  }

  async #heard(message: FromTransform): Promise<void> {
    try {
      if (message.kind === 'begins') await this.#begin(message.thread)
      else await this.#held(message)
    } catch (thrown) {
      this.#failure ??= thrown
      this.#tell({ kind: 'failed', why: (thrown as Error).message })
    }
  }

  /** A thread begins: nothing of a predecessor is open, so what is committed is all. */
  async #begin(thread: number): Promise<void> {
    const { broker, to, measure } = this.#options
    const totals = await committedTotals(broker, to, measure)
    if (this.#found === null) this.#options.began(totals)
    this.#found ??= totals
    if (this.#crash.atMs !== undefined) {
      this.#crash.nextThread = thread
      this.#crash.downMs = systemClock.monotonic() - this.#crash.atMs
    }
    this.#tell({ kind: 'totals', totals: [...totals] })
  }

  /** It stands still: ends its thread once outputs of its transaction have reached the broker, or when few records are left. */
  async #held({ thread, records }: Extract<FromTransform, { kind: 'holds' }>): Promise<void> {
    const { state, partitions } = (await this.#admin.transactions.describe([TRANSACTIONAL_ID]))[0]!
    const isOpen = state === 'Ongoing' && partitions.length > 0
    if (!isOpen && this.#options.records - records > COMMIT.records) {
      this.#tell({ kind: 'goOn' })
      return
    }
    const some = partitions.length === 1 ? '1 partition' : `${partitions.length} partitions`
    const transaction = isOpen ? `the coordinator has it as ${state}, over ${some}` : 'nothing of it was sent yet'
    // Its successor shall not stand still.
    setEnvironmentData(TOTALS_ENVIRONMENT, { ...this.#environment, holdAfter: null } as never)
    this.#crash = { thread, afterRecords: records, transaction, atMs: systemClock.monotonic() }
    await this.#pipeline.kill(0)
  }

  #tell(message: ToTransform): void {
    this.#channel.postMessage(message)
  }
}

/** Reads committed records of a topic from its beginning to `ends`, or to where it ends now. */
async function readTo<T extends ReturnType<typeof topic<any, any>>>(
  broker: Broker,
  typed: T,
  ends: readonly number[] | null,
  visit: (record: any) => void,
): Promise<void> {
  await using consumer = createConsumer({
    bootstrapServers: broker,
    clientId: 'tour-reader',
    isolationLevel: 'readCommitted',
    autoOffsetReset: 'earliest',
    maxPollRecords: 20_000,
  })
  const partitions = (await consumer.partitionsFor(typed)).map(partition => ({ topic: typed.name, partition }))
  const begins = (await consumer.beginningOffsets(partitions)).map(Number)
  const last = ends ?? (await consumer.endOffsets(partitions)).map(Number)
  const wanted = partitions.filter(({ partition }) => begins[partition]! < last[partition]!)
  await consumer.assign(wanted.map(({ partition }) => ({ topic: typed, partition, offset: begins[partition]! })))
  const isRead = async () => {
    const positions = await Promise.all(wanted.map(at => consumer.position(at)))
    return wanted.every(({ partition }, index) => Number(positions[index]) >= last[partition]!)
  }
  while (!(await isRead())) {
    for (const record of await consumer.poll(100)) if (Number(record.offset) < last[record.partition]!) visit(record)
  }
}
