// The road that users take: `createBroker`, a producer and a consumer through the public API, both in the main thread.
import { createConsumer } from '@odradek/consumer'
import { createProducer, type Producer } from '@odradek/producer'
import { bytes } from '@odradek/shared/client/codecs'
import { topic } from '@odradek/shared/client/topic'
import type { CompressionType } from '@odradek/shared/records/compression/compression-type'
import { type PipelineFigures, type PipelineLoad, warmRecords } from './bare-pipeline.ts'
import { benchBroker } from './bench-broker.ts'
import { inDirectory } from './bench-directory.ts'

export interface PublicLoad extends PipelineLoad {
  readonly compression?: CompressionType
  /** What every record holds; default: one letter repeated. */
  readonly value?: Uint8Array
  readonly lingerMs?: number
  readonly config?: { readonly [name: string]: string }
  /** How records are handed over. Default: arrays of 500, awaited. */
  readonly send?: Sender
}

/** Hands `records` records to the producer; resolves when all are acknowledged. */
export type Sender = (producer: Producer, value: Uint8Array, records: number) => Promise<void>

const TOPIC = topic('bench', { value: bytes() })
const ARRAY_RECORDS = 500
const ARRAYS_IN_FLIGHT = 64

/** Sends and receives at the same time; as much as `warmRecords` says is sent first. */
export function publicPipeline(load: PublicLoad): Promise<PipelineFigures> {
  return inDirectory(async dir => {
    const { records, partitions, batchBytes, compression = 'none', lingerMs = 5, config = {} } = load
    await using broker = await benchBroker({ dir, listen: false, topics: { bench: partitions }, config })
    const common = { bootstrapServers: broker }
    await using producer = createProducer({ ...common, batchSize: batchBytes, lingerMs, compressionType: compression })
    await using consumer = createConsumer({ ...common, autoOffsetReset: 'earliest' })
    const value = load.value ?? Buffer.alloc(load.valueBytes, 'x')
    const warm = warmRecords(load)
    const stop = new AbortController()
    const seen = { records: 0, bytes: 0 }
    let reached: (() => void) | null = null
    let goal = warm
    const reading = consumer.batch(
      TOPIC,
      batch => {
        batch.forEach(record => {
          seen.bytes += record.value!.length
        })
        seen.records += Number(batch.nextOffset) - (positions.get(batch.partition) ?? 0)
        positions.set(batch.partition, Number(batch.nextOffset))
        if (seen.records >= goal) reached?.()
      },
      { signal: stop.signal },
    )
    const positions = new Map<number, number>()
    const until = (count: number) =>
      new Promise<void>(resolve => {
        goal = count
        reached = resolve
        if (seen.records >= count) resolve()
      })
    const send = load.send ?? sendArrays
    await Promise.all([send(producer, value, warm), until(warm)])
    const cpu = process.cpuUsage()
    const startedAt = performance.now()
    await Promise.all([send(producer, value, records), until(warm + records)])
    const seconds = (performance.now() - startedAt) / 1_000
    const { user, system } = process.cpuUsage(cpu)
    stop.abort()
    await reading
    return { recordsPerSecond: records / seconds, cpuUser: user / records, cpuSystem: system / records }
  })
}

/** Arrays of 500, a bounded number unacknowledged. */
async function sendArrays(producer: Producer, value: Uint8Array, records: number): Promise<void> {
  const array = Array.from({ length: ARRAY_RECORDS }, () => ({ value }))
  const inFlight: Promise<unknown>[] = []
  for (let sent = 0; sent < records; sent += ARRAY_RECORDS) {
    inFlight.push(producer.send(TOPIC, sent + ARRAY_RECORDS <= records ? array : array.slice(0, records - sent)))
    if (inFlight.length >= ARRAYS_IN_FLIGHT) await inFlight.shift()
  }
  await Promise.all(inFlight)
}

/** One `enqueue` per record, no promise. */
export async function sendEnqueued(producer: Producer, value: Uint8Array, records: number): Promise<void> {
  const record = { value }
  for (let sent = 0; sent < records; sent++) if (!producer.enqueue(TOPIC, record)) await producer.writable()
  await producer.flush()
}

/** One promise per record, many unacknowledged. */
export async function sendAwaited(producer: Producer, value: Uint8Array, records: number): Promise<void> {
  const inFlightMax = 10_000
  const record = { value }
  let [sent, outstanding] = [0, 0]
  let wake: (() => void) | null = null
  const done = () => {
    outstanding--
    const waiting = wake
    // Settled once: Node is told of every call of a resolver that has been called, which costs more than the call.
    wake = null
    waiting?.()
  }
  while (sent < records) {
    while (sent < records && outstanding < inFlightMax) {
      outstanding++
      sent++
      producer.send(TOPIC, record).then(done)
    }
    await new Promise<void>(resolve => {
      wake = resolve
    })
  }
  await producer.flush()
}
