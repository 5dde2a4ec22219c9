// Rows about single records: latency at a low rate, and group commit with an fsync each.
import { createConsumer } from '@odradek/consumer'
import { createProducer } from '@odradek/producer'
import { Latencies } from '../../load/latencies.ts'
import { benchBroker } from '../bench-broker.ts'
import { inDirectory } from '../bench-directory.ts'
import { atLeast, atMost, type BenchFigure, type BenchRow, reported } from '../bench-row.ts'
import { metronome } from '../metronome.ts'

const RATE = 1_000
const WARM_RECORDS = 2_000
const RECORDS = 8_000

function single(): Promise<BenchFigure[]> {
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
        if (index >= WARM_RECORDS) received.record(performance.now() - intended[index]!)
        if (seen === WARM_RECORDS + RECORDS) stop.abort()
      },
      { signal: stop.signal },
    )
    const value = Buffer.alloc(100, 'x')
    await metronome({ intervalMs: 1_000 / RATE, ticks: WARM_RECORDS + RECORDS, delayMs: 200 }, (index, due) => {
      intended.push(due)
      producer.send('bench', { value }).then(() => {
        if (index >= WARM_RECORDS) acknowledged.record(performance.now() - due)
      })
    })
    await reading
    const [e2e, publish] = [received.figures(), acknowledged.figures()]
    return [
      atMost('received p50 ms', e2e.p50, 0.4),
      atMost('received p99 ms', e2e.p99, 2),
      reported('received p99.9 ms', e2e.p999),
      reported('acknowledged p50 ms', publish.p50),
      reported('acknowledged p99 ms', publish.p99),
    ]
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
