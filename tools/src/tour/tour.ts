// The tour: opens a broker on a directory, finds what earlier runs left, sends and receives at the same time, verifies, and tells what happened.
import { systemClock } from '@odradek/shared/base/clock'
import { KafkaError } from '@odradek/shared/base/errors'
import { CommandError } from '../cli/command-error.ts'
import { exitCodes } from '../cli/exit-codes.ts'
import type { Terminal } from '../cli/terminal/terminal.ts'
import { type Broker, createBroker, createConsumer } from '../index.ts'
import { fileSource, type RecordSource } from './input-file.ts'
import { startProgress } from './progress.ts'
import type { TourOptions } from './tour-options.ts'
import { Receiver } from './tour-receiving.ts'
import { number, reportLines, type TourFigures } from './tour-report.rules.ts'
import { sendAll } from './tour-sending.ts'
import { verify } from './verification.rules.ts'

const KAFKA_PORT = 9092

/** Resolves with the broker still open when it shall serve on. Throws CommandError when anything does not hold. */
export async function runTour(terminal: Terminal, options: TourOptions, signal: AbortSignal): Promise<void> {
  const source = await sourceOf(options)
  const serves = options.thenServe && terminal.isInteractive
  const startedAt = systemClock.monotonic()
  await using broker = await openBroker(options, serves)
  terminal.note(
    `broker: ready in ${(systemClock.monotonic() - startedAt).toFixed(0)} ms, logs in ${options.dir}, topic ${options.topic} with ${options.partitions} partitions`,
  )
  const { figures, failure } = await sendAndReceive(terminal, { broker, source, options, signal })
  if (figures.verdict.sent === 0 && !signal.aborted)
    throw failure ?? new CommandError(`${source.name} holds no records`)
  for (const line of reportLines(figures)) terminal.print(line)
  terminal.print(`The logs are in ${options.dir}: look at them with \`odradek log stats ${options.dir}\`.`)
  if (figures.verdict.sent > 0 && (!figures.verdict.holds || figures.gaps > 0))
    throw new CommandError('the verification does not hold', exitCodes.broken)
  if (failure !== undefined) throw failure
  if (signal.aborted) throw new CommandError('interrupted; what was sent is in the logs', exitCodes.interrupted)
  if (serves) await serveUntil(terminal, broker, signal)
}

async function sourceOf({ input, key, records }: TourOptions): Promise<RecordSource> {
  if (input !== undefined) return fileSource(input, key, records)
  const { flightSource } = await import('./flights.ts')
  return flightSource(records)
}

async function openBroker(options: TourOptions, serves: boolean): Promise<Broker> {
  const { dir, topic, partitions } = options
  const common = { dir, topics: { [topic]: partitions } }
  if (!serves) return createBroker({ ...common, listen: false })
  try {
    return await createBroker({ ...common, listen: { port: KAFKA_PORT } })
  } catch (error) {
    if (!(error instanceof KafkaError) || error.code !== 'ODK_LISTEN_FAILED') throw error
    return createBroker(common)
  }
}

interface Work {
  readonly broker: Broker
  readonly source: RecordSource
  readonly options: TourOptions
  readonly signal: AbortSignal
}

async function sendAndReceive(
  terminal: Terminal,
  { broker, source, options, signal }: Work,
): Promise<{ readonly figures: TourFigures; readonly failure: unknown }> {
  const { topic } = options
  const { beginnings, ends: starts } = await offsetsOf(broker, topic)
  const earlier = starts.reduce((sum, start, partition) => sum + start - beginnings[partition]!, 0)
  if (earlier > 0)
    terminal.note(`found: ${number(earlier)} records of earlier runs in ${options.dir}; this run adds to them`)
  const progress = await startProgress(terminal, `send and receive ${source.name}`, source.total)
  const startedAt = systemClock.monotonic()
  const receiving = { topic, beginnings, starts, progress: progress.update, signal: new AbortController().signal }
  const receiver = new Receiver(broker, receiving)
  const sending = await sendAll(broker, source, topic, { progress: () => undefined, signal }).catch(thrown => {
    progress.stop()
    throw thrown
  })
  const received = await receiver.finish((await offsetsOf(broker, topic)).ends)
  const seconds = (systemClock.monotonic() - startedAt) / 1_000
  progress.done(`${number(received.received.size)} records`)
  const threadOf = (kind: string, name: string) =>
    sending.actors.find(({ address }) => address.kind === kind && address.name === name)?.thread ?? null
  const figures: TourFigures = {
    source: source.name,
    keyName: source.keyName,
    topic,
    partitions: received.partitions.map((tally, partition) => ({
      partition,
      thread: threadOf('partition-leader', `${topic}-${partition}`),
      ...tally,
    })),
    verdict: verify(sending.sent, received.received),
    gaps: received.gaps,
    bytes: sending.bytes,
    seconds,
    sendLatency: sending.latencies.figures(),
    endToEndLatency: received.latencies.figures(),
    threads: [
      { what: 'the producer sends', thread: threadOf('sender', 'tour-producer') },
      { what: 'the consumer fetches', thread: threadOf('consumer', 'tour-consumer') },
    ],
    dir: options.dir,
  }
  return { figures, failure: sending.failure }
}

async function offsetsOf(
  broker: Broker,
  topic: string,
): Promise<{ readonly beginnings: readonly number[]; readonly ends: readonly number[] }> {
  await using consumer = createConsumer({ bootstrapServers: broker, clientId: 'tour-offsets' })
  const partitions = (await consumer.partitionsFor(topic)).map(partition => ({ topic, partition }))
  const beginnings = (await consumer.beginningOffsets(partitions)).map(Number)
  const ends = (await consumer.endOffsets(partitions)).map(Number)
  return { beginnings, ends }
}

async function serveUntil(terminal: Terminal, broker: Broker, signal: AbortSignal): Promise<void> {
  terminal.note(`serving on ${broker.bootstrapServers}: any Kafka client may read and write now; Ctrl-C ends it`)
  await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
  terminal.note('closing')
}
