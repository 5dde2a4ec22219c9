// A client in Node under transactions, in a process of its own: `node client/main.js NAME transactions|pipeline SERVERS FROM TO RECORDS SECONDS`. Default
// settings, but no lingering where a client lingers. Prints one line of JSON, as the clients in `tools/bench/clients` do.
import { createProducer } from '@odradek/producer'
import { Producer as PlatformaticProducer } from '@platformatic/kafka'
import { kafkajsAt } from '../../conformance/kafkajs.ts'
import { Latencies } from '../../load/latencies.ts'
import { pipeline } from '../../pipeline/pipeline.ts'

const WARM_MS = 2_000
const VALUE = Buffer.alloc(100, 'x')

/** Runs one transaction of so many records; resolves with how long its commit took, in milliseconds. */
type Transact = () => Promise<number>
interface Opened {
  readonly transact: Transact
  close(): Promise<unknown>
}

const clients: { readonly [name: string]: (servers: string, to: string, records: number) => Promise<Opened> } = {
  async odradek(servers, topic, records) {
    const producer = createProducer({ bootstrapServers: servers, transactionalId: 'bench-odradek', lingerMs: 0 })
    const values = Array.from({ length: records }, () => ({ value: VALUE }))
    return {
      async transact() {
        const transaction = await producer.begin()
        void transaction.send(topic, values)
        return took(() => transaction.commit())
      },
      close: () => producer.close(),
    }
  },
  async kafkajs(servers, topic, records) {
    const producer = kafkajsAt(servers, 'bench').producer({
      transactionalId: 'bench-kafkajs',
      idempotent: true,
      maxInFlightRequests: 1,
    })
    await producer.connect()
    const messages = Array.from({ length: records }, () => ({ value: VALUE }))
    return {
      async transact() {
        const transaction = await producer.transaction()
        await transaction.send({ topic, messages })
        return took(() => transaction.commit())
      },
      close: () => producer.disconnect(),
    }
  },
  async platformatic(servers, topic, records) {
    const producer = new PlatformaticProducer({
      clientId: 'bench',
      bootstrapBrokers: [servers],
      transactionalId: 'bench-platformatic',
      idempotent: true,
      // The client's own default is 0, which names a producer.
      producerId: -1n,
      producerEpoch: -1,
    })
    const messages = Array.from({ length: records }, () => ({ topic, value: VALUE }))
    return {
      async transact() {
        const transaction = await producer.beginTransaction()
        await transaction.send({ messages })
        return took(() => transaction.commit())
      },
      close: () => producer.close(),
    }
  },
}

async function took(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

async function sequence(name: string, servers: string, to: string, records: number, seconds: number): Promise<object> {
  const { transact, close } = await clients[name]!(servers, to, records)
  for (const warmUntil = performance.now() + WARM_MS; performance.now() < warmUntil; ) await transact()
  const commits = new Latencies()
  let transactions = 0
  const begun = performance.now()
  for (; performance.now() < begun + seconds * 1_000; transactions++) commits.record(await transact())
  const perSecond = (transactions * 1_000) / (performance.now() - begun)
  await close()
  const { p50, p99 } = commits.figures()
  return { transactionsPerSecond: perSecond, recordsPerSecond: perSecond * records, p50, p99 }
}

async function throughPipeline(servers: string, from: string, to: string, records: number, seconds: number) {
  const running = pipeline(from, to, ({ value }) => ({ value }), {
    bootstrapServers: servers,
    transactionalId: 'bench-odradek-pipeline',
    groupId: `bench-odradek-${process.pid}`,
    commitEvery: { records, ms: 1_000 },
    consumer: { autoOffsetReset: 'earliest' },
  })
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise(resolve => setTimeout(resolve, 5))
  }
  await until(() => running.metrics().transactions > 0)
  const warmUntil = performance.now() + WARM_MS
  await until(() => performance.now() > warmUntil)
  const [before, begun] = [running.metrics().transactions, performance.now()]
  await until(() => performance.now() > begun + seconds * 1_000)
  const perSecond = ((running.metrics().transactions - before) * 1_000) / (performance.now() - begun)
  await running.close()
  return { transactionsPerSecond: perSecond, recordsPerSecond: perSecond * records, p50: 0, p99: 0 }
}

const [name, mode, servers, from, to, records, seconds] = process.argv.slice(2) as [
  ...[string, string, string, string, string, string, string],
]
const figures =
  mode === 'pipeline'
    ? await throughPipeline(servers, from, to, Number(records), Number(seconds))
    : await sequence(name, servers, to, Number(records), Number(seconds))
console.log(JSON.stringify(figures))
process.exit(0)
