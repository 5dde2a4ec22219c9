// What is promised holds over a network that delays, stalls and cuts connections while requests and answers are on their way: our clients over TCP, with our
// broker and with Apache Kafka (whose own words to itself, as markers of transactions, take the same way).
import { createBroker } from '@odradek/broker/create-broker'
import { createConsumer } from '@odradek/consumer/create-consumer'
import { createProducer } from '@odradek/producer/create-producer'
import { createAdmin } from '@odradek/shared/client/admin'
import { string } from '@odradek/shared/client/codecs'
import { topic } from '@odradek/shared/client/topic'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { apacheKafkaMissing, startApacheKafka } from '../apache-kafka/apache-kafka.ts'
import { freePort } from '../apache-kafka/free-port.ts'
import { pipeline } from '../pipeline/pipeline.ts'
import { BadNetwork } from './bad-network.ts'

interface Broker {
  /** Where it listens itself. */
  readonly port: number
  close(): Promise<void>
}

const config = { 'group.initial.rebalance.delay.ms': '0', 'group.min.session.timeout.ms': '500' }
const brokers: readonly { name: string; missing: string | null; start(advertised: number): Promise<Broker> }[] = [
  {
    name: 'TCP',
    missing: null,
    async start(advertised) {
      const port = await freePort()
      const listen = { port, advertised: { host: '127.0.0.1', port: advertised } }
      const broker = await createBroker({ storage: 'memory', config, listen })
      return { port, close: () => broker.close() }
    },
  },
  {
    name: 'Apache Kafka',
    missing: apacheKafkaMissing(),
    async start(advertised) {
      const address = `PLAINTEXT://127.0.0.1:${advertised}`
      const kafka = await startApacheKafka({ configs: { ...config, 'advertised.listeners': address } })
      return { port: kafka.port, close: () => kafka.stop() }
    },
  },
]

const SEED = 7
const BAD = { cut: 0.004, stall: 0.004, stallMs: 1_200, delayMaxMs: 4 }
/** Overdue sooner than a stall is over. */
const impatient = { requestTimeoutMs: 1_000 }
const member = { heartbeatIntervalMs: 100, sessionTimeoutMs: 6_000, ...impatient }
const ROUNDS = 30
const KEYS = 20
const words = (name: string) => topic(name, { key: string(), value: string() })

describe.each(brokers)('over $name', ({ missing, start }) => {
  describe.skipIf(missing !== null)(missing ?? 'a bad network', () => {
    let network: BadNetwork
    let broker: Broker
    let bootstrapServers: string
    beforeAll(async () => {
      network = await BadNetwork.open(SEED)
      broker = await start(network.port)
      network.leadTo(broker.port)
      bootstrapServers = `127.0.0.1:${network.port}`
    })
    afterEach(() => network.become(null))
    afterAll(async () => {
      await broker?.close()
      await network?.close()
    })

    async function made(...names: readonly string[]) {
      await using admin = createAdmin({ bootstrapServers })
      for (const name of names) await admin.topics.create([{ name, partitions: 3 }])
    }

    /** Sends `key:round` for every key, a round after the other, while the network is bad, and until it has cut something. */
    async function feed(name: string): Promise<number> {
      await using producer = createProducer({ bootstrapServers, lingerMs: 0, ...impatient })
      network.become(BAD)
      const before = network.cuts
      let round = 0
      for (; round < ROUNDS || network.cuts === before; round++) {
        const value = `${round}`
        await producer.send(
          words(name),
          Array.from({ length: KEYS }, (_, k) => ({ key: `k${k}`, value })),
        )
      }
      return round
    }

    /** The values of every key, until so many have come in all and no more do. */
    async function read(name: string, count: number) {
      await using reader = createConsumer({
        bootstrapServers,
        isolationLevel: 'readCommitted',
        autoOffsetReset: 'earliest',
        ...impatient,
      })
      await reader.subscribe(words(name))
      const seen: { [key: string]: string[] } = {}
      let total = 0
      for (let quiet = 0; quiet < 2; ) {
        const records = await reader.poll(300)
        for (const { key, value } of records) {
          seen[key!] ??= []
          seen[key!]!.push(value!)
        }
        total += records.length
        quiet = records.length === 0 && total >= count ? quiet + 1 : 0
      }
      return seen
    }

    /** Every round once, in order, for each key. */
    const expected = (rounds: number) => {
      const values = Array.from({ length: rounds }, (_, round) => `${round}`)
      return Object.fromEntries(Array.from({ length: KEYS }, (_, k) => [`k${k}`, values]))
    }

    test('what an idempotent producer sends is there once, in order', async () => {
      await made('sent')
      const rounds = await feed('sent')
      expect(await read('sent', rounds * KEYS)).toEqual(expected(rounds))
    })

    test('a group reads everything at least once, and what it committed was read', async () => {
      await made('shared')
      const seen = new Set<string>()
      const group = { bootstrapServers, groupId: 'readers', autoOffsetReset: 'earliest', ...member } as const
      const members = Array.from({ length: 3 }, () => createConsumer({ ...group, autoCommitIntervalMs: 200 }))
      const reading = members.map(each =>
        each.each(words('shared'), ({ key, value }) => void seen.add(`${key}:${value}`)),
      )
      const rounds = await feed('shared')
      await members[0]!.close()
      network.become(null)
      await expect.poll(() => seen.size).toBe(rounds * KEYS)
      await Promise.all(members.map(each => each.close()))
      await Promise.all(reading)
      await using looking = createConsumer(group)
      const partitions = [0, 1, 2].map(partition => ({ topic: 'shared', partition }))
      const [ends, committed] = [await looking.endOffsets(partitions), await looking.committed(partitions)]
      expect(committed.map(offset => offset ?? 0n)).toEqual(ends)
    })

    test('pipelines copy every record once, in order', async () => {
      await made('input', 'output')
      const copy = ({ key, value }: { key: string | null; value: string | null }) => ({ key, value })
      const lanes = [0, 1, 2].map(lane =>
        pipeline(words('input'), words('output'), copy, {
          bootstrapServers,
          transactionalId: `copying-${lane}`,
          groupId: 'copying',
          commitEvery: 40,
          consumer: member,
          producer: impatient,
        }),
      )
      const rounds = await feed('input')
      await lanes[0]!.close()
      network.become(null)
      expect(await read('output', rounds * KEYS)).toEqual(expected(rounds))
      await Promise.all(lanes.map(lane => lane.close()))
      await Promise.all(lanes.map(lane => lane.done))
    })
  })
})
