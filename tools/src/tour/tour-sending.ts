// The tour's producer side: chunks of records in their order, a bounded number of sends in flight, acknowledgements taken in input order.

import { systemClock } from '@odradek/shared/base/clock'
import { bytes, string } from '@odradek/shared/client/codecs'
import { type Topic, topic } from '@odradek/shared/client/topic'
import { type Acknowledgements, type Broker, createProducer, type Producer } from '../index.ts'
import { Latencies } from '../load/latencies.ts'
import { SentBook } from './deliveries.rules.ts'
import { fingerprintOf } from './fingerprint.ts'
import type { RecordSource } from './input-file.ts'
import type { TourRecord } from './input-lines.rules.ts'
import { count, type Measure, measureOf, type Total, totalKey } from './running-totals.rules.ts'

/** The tour's topic: text keys, values as bytes. */
function tourTopic(name: string) {
  return topic(name, { key: string(), value: bytes() })
}

export interface Sending {
  readonly sent: SentBook
  /** Counted directly from the input, by key. */
  readonly totals: ReadonlyMap<string, Total>
  readonly bytes: number
  readonly latencies: Latencies
  /** Why the input ended before its end; everything before that was sent. */
  readonly failure: unknown
  /** Every actor at the end of the sending, when all of them were at work. */
  readonly actors: Awaited<ReturnType<Broker['actors']>>
}

const SENDS_IN_FLIGHT = 64
/** After so many sends the thread does what else it has to do: hear the group, draw progress. */
const SENDS_PER_TURN = 8

interface Flight {
  readonly records: readonly TourRecord[]
  readonly fingerprints: readonly number[]
  readonly acknowledged: Promise<Acknowledgements>
}

export interface SendingOptions {
  readonly topic: string
  /** Per partition: where this run's records begin. */
  readonly starts: readonly number[]
  readonly measure: Measure
  readonly signal: AbortSignal
}

/** Sends everything, or what there was until the signal; resolves when all that was sent is acknowledged. */
export async function sendAll(
  broker: Broker,
  source: RecordSource,
  { topic: topicName, starts, measure, signal }: SendingOptions,
): Promise<Sending> {
  await using producer = createProducer({ bootstrapServers: broker, clientId: 'tour-producer', batchSize: 65_536 })
  const to = tourTopic(topicName)
  const sent = new SentBook(starts)
  const totals = new Map<string, Total>()
  const amountOf = measureOf(measure)
  const latencies = new Latencies()
  const flights: Flight[] = []
  let bytesSent = 0
  const settle = async ({ records, fingerprints, acknowledged }: Flight) => {
    const acknowledgements = await acknowledged
    records.forEach(({ key, value }, index) => {
      const { partition, offset } = acknowledgements.at(index)!
      sent.add(key, { partition, offset: Number(offset) }, fingerprints[index]!)
      count(totals, totalKey(key, partition), amountOf(value))
    })
  }
  let failure: unknown
  const chunks = source.chunks()[Symbol.asyncIterator]()
  for (let sends = 1; !signal.aborted; sends++) {
    if (sends % SENDS_PER_TURN === 0) await new Promise<void>(resolve => systemClock.after(0, resolve))
    const chunk = await chunks.next().catch(thrown => {
      failure = thrown
      return { done: true, value: [] }
    })
    if (chunk.done) break
    const values = chunk.value.map(({ value }) => Buffer.from(value))
    for (const value of values) bytesSent += value.length
    flights.push(send(producer, to, chunk.value, values, latencies))
    if (flights.length >= SENDS_IN_FLIGHT) await settle(flights.shift()!)
  }
  for (const flight of flights) await settle(flight)
  return { sent, totals, bytes: bytesSent, latencies, failure, actors: await broker.actors() }
}

function send(
  producer: Producer,
  to: Topic<any, any>,
  records: readonly TourRecord[],
  values: readonly Uint8Array[],
  latencies: Latencies,
): Flight {
  const startedAt = systemClock.monotonic()
  const acknowledged = producer.send(
    to,
    records.map(({ key }, index) => ({ key, value: values[index]! })),
  ) as Promise<Acknowledgements>
  acknowledged.then(
    () => latencies.record(systemClock.monotonic() - startedAt, records.length),
    () => undefined,
  )
  return { records, fingerprints: records.map(({ key }, index) => fingerprintOf(key, values[index]!)), acknowledged }
}
