// The tour: opens a broker on a directory, finds what earlier runs left, and goes through its acts: records through producer, leaders and a consumer group, of which
// a member dies; then an exactly-once pipeline that crashes. Verifies each, and tells what happened.
import { availableParallelism } from 'node:os'
import { nameOf } from '@odradek/consumer/partition-names.rules'
import { threadBudget } from '@odradek/shared/actor/placement.rules'
import { systemClock } from '@odradek/shared/base/clock'
import { KafkaError } from '@odradek/shared/base/errors'
import { CommandError } from '../cli/command-error.ts'
import { exitCodes } from '../cli/exit-codes.ts'
import { whole } from '../cli/terminal/numbers.rules.ts'
import type { Terminal } from '../cli/terminal/terminal.ts'
import { type Broker, type BrokerOptions, createBroker } from '../index.ts'
import { isCheckout } from '../pack/freshness.ts'
import { Backlog, backlogOf, type TopicOffsets, topicOffsets } from './backlog.ts'
import { verify } from './deliveries.rules.ts'
import { fileSource, type RecordSource } from './input-file.ts'
import { startProgress } from './progress.ts'
import { MEMBERS, TOUR_GROUP, TourGroup } from './tour-group.ts'
import type { TourOptions } from './tour-options.ts'
import {
  type CountingFigures,
  countingHolds,
  countingLines,
  type RebalanceFigures,
  roadHolds,
  roadLines,
  type TourFigures,
} from './tour-report.rules.ts'
import { type Sending, sendAll } from './tour-sending.ts'
import { countDirectly, runTotals, TOTALS_GROUP } from './tour-totals.ts'

/** How the program is called here. */
const PROGRAM = isCheckout ? 'npx -y pnpm@12 -s odradek' : 'odradek'
const KAFKA_PORT = 9092
/** Besides leaders: the broker, a coordinator, the sender and the members of the group. */
const OTHER_ACTORS = 3 + MEMBERS
/** With an input of unknown length, the member is killed after so many records, or when all are sent. */
const KILL_AFTER = 100_000

interface Tour {
  readonly terminal: Terminal
  readonly broker: Broker
  readonly source: RecordSource
  readonly topic: string
  readonly totalsTopic: string
  readonly dir: string
  readonly signal: AbortSignal
}

/** Resolves with the broker still open when it shall serve on. Throws CommandError when anything does not hold. */
export async function runTour(terminal: Terminal, options: TourOptions, signal: AbortSignal): Promise<void> {
  const source = await sourceOf(options)
  const topic = options.topic ?? source.topic
  const totalsTopic = `${topic}-totals`
  const serves = options.thenServe && terminal.isInteractive
  const startedAt = systemClock.monotonic()
  await using broker = await openBroker(options, { topic, totalsTopic, serves })
  terminal.note(
    `broker: ready in ${(systemClock.monotonic() - startedAt).toFixed(0)} ms, logs in ${options.dir}, topic ${topic} with ${options.partitions} partitions`,
  )
  await acts({ terminal, broker, source, topic, totalsTopic, dir: options.dir, signal })
  if (serves) await serveUntil(terminal, broker, signal)
}

async function acts(tour: Tour): Promise<void> {
  const { terminal, source, dir, signal } = tour
  const words = { ...source, source: source.name }
  const starts = await topicOffsets(tour.broker, tour.topic)
  const { figures, sending } = await road(tour, starts)
  if (sending.sent.size === 0) {
    if (signal.aborted) interrupted()
    throw sending.failure ?? new CommandError(`${source.name} holds no records`)
  }
  for (const line of roadLines(figures, words)) terminal.print(line)
  if (!roadHolds(figures)) throw new CommandError('the verification does not hold', exitCodes.broken)
  if (signal.aborted) interrupted()
  const counted = await counting(tour, starts.ends, sending)
  for (const line of countingLines(counted, words)) terminal.print(line)
  terminal.print(`The logs are in ${dir}: look at them with \`${PROGRAM} log stats ${dir}\`.`)
  if (!countingHolds(counted)) throw new CommandError('the totals are not those of the input', exitCodes.broken)
  if (sending.failure !== undefined) throw sending.failure
}

function interrupted(): never {
  throw new CommandError('interrupted; what was sent is in the logs', exitCodes.interrupted)
}

async function sourceOf({ input, key, records }: TourOptions): Promise<RecordSource> {
  if (input !== undefined) return fileSource(input, key, records)
  const { flightSource } = await import('./flights.ts')
  return flightSource(records)
}

async function openBroker(
  { dir, partitions }: TourOptions,
  { topic, totalsTopic, serves }: { readonly topic: string; readonly totalsTopic: string; readonly serves: boolean },
): Promise<Broker> {
  const topics: BrokerOptions['topics'] = {
    // Totals are held against all of the input, so nothing of it expires.
    [topic]: { partitions, configs: { 'retention.ms': '-1' } },
    [totalsTopic]: { partitions, configs: { 'cleanup.policy': 'compact' } },
  }
  // By default leaders of a small machine share threads: here they are shown apart.
  const threads = Math.max(threadBudget(availableParallelism()), partitions + OTHER_ACTORS)
  const common = { dir, topics, threads, config: { 'group.min.session.timeout.ms': '1000' } }
  if (!serves) return createBroker({ ...common, listen: false })
  try {
    return await createBroker({ ...common, listen: { port: KAFKA_PORT } })
  } catch (error) {
    if (!(error instanceof KafkaError) || error.code !== 'ODK_LISTEN_FAILED') throw error
    return createBroker(common)
  }
}

/** First act: everything through the producer, the leaders and a group that loses a member on the way. */
async function road(
  tour: Tour,
  { beginnings, ends: starts }: TopicOffsets,
): Promise<{ readonly figures: TourFigures; readonly sending: Sending }> {
  const { terminal, broker, source, topic, signal, dir } = tour
  const earlier = starts.map((start, partition) => start - beginnings[partition]!)
  const old = earlier.reduce((sum, each) => sum + each, 0)
  if (old > 0) terminal.note(`found: ${whole(old)} records of earlier runs in ${dir}; this run adds to them`)
  const progress = await startProgress(terminal, `send and receive ${source.name}`, source.total)
  await using group = new TourGroup(broker, topic, starts, progress.update)
  try {
    const members = await group.ready()
    const startedAt = systemClock.monotonic()
    const elapsed = () => (systemClock.monotonic() - startedAt) / 1_000
    let sentSeconds = 0
    const sending = sendAll(broker, source, { topic, starts, measure: source.measure, signal }).finally(() => {
      sentSeconds = elapsed()
    })
    // It is awaited below, unless the group fails first.
    sending.catch(() => undefined)
    const rebalance = await killInMidStream(group, sending, source.total, signal)
    const sent = await sending
    await group.until(() => group.book.received >= sent.sent.size)
    const seconds = elapsed()
    await using left = new Backlog(broker, topic, TOUR_GROUP)
    await group.until(async () => (await left.records()) === 0)
    await group.close()
    progress.done(`${whole(group.book.received)} records`)
    return {
      figures: figuresOf(tour, {
        earlier,
        group,
        members,
        sent,
        rebalance,
        sentSeconds,
        seconds,
        uncommitted: await left.records(),
      }),
      sending: sent,
    }
  } catch (thrown) {
    progress.stop()
    throw thrown
  }
}

/** Null when there was nothing to kill it over. */
async function killInMidStream(
  group: TourGroup,
  sending: Promise<Sending>,
  total: number | null,
  signal: AbortSignal,
): Promise<RebalanceFigures | null> {
  const due = total === null ? KILL_AFTER : total / 2
  let sent: Sending | null = null
  const watched = sending.then(done => {
    sent = done
  })
  await Promise.race([group.until(() => sent !== null || group.book.received >= due), watched])
  const isEmpty = (sent as Sending | null)?.sent.size === 0
  return isEmpty || signal.aborted ? null : group.killOne()
}

interface Run {
  readonly earlier: readonly number[]
  readonly group: TourGroup
  readonly sent: Sending
  readonly members: readonly number[]
  readonly rebalance: RebalanceFigures | null
  readonly sentSeconds: number
  readonly seconds: number
  readonly uncommitted: number
}

function figuresOf({ topic }: Tour, run: Run): TourFigures {
  const { earlier, group, sent, members, rebalance, sentSeconds, seconds, uncommitted } = run
  const threadOf = (kind: string, name: string) =>
    sent.actors.find(({ address }) => address.kind === kind && address.name === name)?.thread ?? null
  return {
    partitions: earlier.map((count, partition) => ({
      partition,
      thread: threadOf('partition-leader', nameOf({ topic, partition })),
      earlier: count,
      received: group.book.partitions[partition]!.places.length,
    })),
    verdict: verify(sent.sent, group.book),
    uncommitted,
    bytes: sent.bytes,
    sentSeconds,
    seconds,
    sendLatency: sent.latencies.figures(),
    endToEndLatency: group.latencies.figures(),
    producerThread: threadOf('sender', 'tour-producer'),
    members,
    rebalance,
  }
}

/** Last act: totals by a pipeline that crashes, beside those of the input. */
async function counting(tour: Tour, starts: readonly number[], sending: Sending): Promise<CountingFigures> {
  const { terminal, broker, topic: from, totalsTopic: to, signal, dir } = tour
  const { measure, recordName } = tour.source
  const records = await backlogOf(broker, from, TOTALS_GROUP)
  const progress = await startProgress(terminal, `count ${recordName} exactly once`, records)
  const began = (found: ReadonlyMap<string, { readonly records: number }>) => {
    const before = [...found.values()].reduce((sum, total) => sum + total.records, 0)
    if (before > 0)
      terminal.note(
        `found: totals of ${whole(before)} ${recordName} of earlier runs in ${dir}; the pipeline goes on there`,
      )
  }
  const options = { broker, from, to, measure, records, began, progress: progress.update, signal }
  const counted = await runTotals(options).finally(() => progress.stop())
  if (signal.aborted) interrupted()
  const expected = new Map(sending.totals)
  await countDirectly({ broker, from, measure }, starts, expected)
  return { topic: to, expected, records, ...counted }
}

async function serveUntil(terminal: Terminal, broker: Broker, signal: AbortSignal): Promise<void> {
  terminal.note(`serving on ${broker.bootstrapServers}: any Kafka client may read and write now; Ctrl-C ends it`)
  await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
  terminal.note('closing')
}
