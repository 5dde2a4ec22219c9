// Rows about single records: latency at a low rate, and group commit with an fsync each.
import { createConsumer } from '@odradek/consumer'
import { createProducer } from '@odradek/producer'
import { Latencies } from '../../load/latencies.ts'
import { bareLatency, type SingleLoad } from '../bare-latency.ts'
import { benchBroker } from '../bench-broker.ts'
import { inDirectory } from '../bench-directory.ts'
import { atLeast, atMost, type BenchFigure, type BenchRow, reported } from '../bench-row.ts'
import { metronome } from '../metronome.ts'

const LOAD: SingleLoad = { rate: 1_000, warmUp: 2_000, records: 8_000, value: Buffer.alloc(100, 'x') }

async function single(): Promise<BenchFigure[]> {
  const bare = await bareLatency(LOAD)
  const { received, acknowledged } = await houseLatency(LOAD)
  return [
    atMost('received p50 ms', received.p50, 0.4),
    atMost('received p99 ms', received.p99, 2),
    reported('received p99.9 ms', received.p999),
    reported('acknowledged p50 ms', acknowledged.p50),
    reported('acknowledged p99 ms', acknowledged.p99),
    reported('bare received p50 ms', bare.p50),
    reported('bare received p99 ms', bare.p99),
  ]
}

function houseLatency({ rate, warmUp, records, value }: SingleLoad) {
  return inDirectory(async dir => {
    await using broker = await benchBroker({ dir, listen: false, topics: { bench: 1 } })
    await using producer = createProducer({ bootstrapServers: broker, lingerMs: 0 })
    await using consumer = createConsumer({ bootstrapServers: broker, autoOffsetReset: 'earliest' })
    const [acknowledged, received] = [new Latencies(), new Latencies()]
    const intended: number[] = []
    const stop = new AbortController()
    let seen = 0
    const reading = consumer.each(
      'bench',
      () => {
        const index = seen++
        if (index >= warmUp) received.record(performance.now() - intended[index]!)
        if (seen === warmUp + records) stop.abort()
      },
      { signal: stop.signal },
    )
    await metronome({ intervalMs: 1_000 / rate, ticks: warmUp + records, delayMs: 200 }, (index, due) => {
      intended.push(due)
      producer.send('bench', { value }).then(() => {
        if (index >= warmUp) acknowledged.record(performance.now() - due)
      })
    })
    await reading
    return { received: received.figures(), acknowledged: acknowledged.figures() }
  })
}

const SENDERS = 64
const FSYNC_SECONDS = 5

function groupCommit(): Promise<BenchFigure[]> {
  return inDirectory(async dir => {
    const config = { 'log.flush.interval.messages': '1' }
    await using broker = await benchBroker({ dir, listen: false, topics: { bench: 1 }, config })
    await using producer = createProducer({ bootstrapServers: broker, lingerMs: 0 })
    const value = Buffer.alloc(100, 'x')
    await producer.send('bench', { value })
    const endAt = performance.now() + FSYNC_SECONDS * 1_000
    let sent = 0
    const sender = async () => {
      while (performance.now() < endAt) {
        await producer.send('bench', { value })
        sent++
      }
    }
    await Promise.all(Array.from({ length: SENDERS }, sender))
    return [atLeast('records/s', sent / FSYNC_SECONDS, 50_000)]
  })
}

export const latencyRows: readonly BenchRow[] = [
  { name: 'single', what: 'single record sent to received, 1,000/s, linger 0', run: single },
  { name: 'fsync', what: 'fsync on every commit, 64 senders each awaiting its record', run: groupCommit },
]
