// `pnpm bench:groups [FILTER]`: rebalances over TCP against our broker and Apache Kafka, side by side on this machine, alternating, by the same unmodified clients: a
// third member joins and leaves a group under load, until every partition delivers again. Prints ratios, ours to Kafka's. FILTER: part of a client's or strategy's name.
import { createAdmin } from '@odradek/shared/client/admin'
import { apacheKafkaMissing } from '../apache-kafka/apache-kafka.ts'
import { median } from '../bench/median.rules.ts'
import { type Figure, ratioTable, type Sample } from '../bench-tcp/ratios.rules.ts'
import { type Server, startKafka, startOdradek } from '../bench-tcp/server.ts'
import { drivenMemberKinds } from '../conformance/driven-members.ts'
import type { MemberKind, Strategy } from '../conformance/group-member.ts'
import { nodeMemberKinds } from '../conformance/node-members.ts'
import { GroupClock, PARTITIONS } from './group-clock.ts'

/** The same on both: no wait for more members, and how often members of the consumer protocol report. */
const CONFIGS = {
  'group.initial.rebalance.delay.ms': '0',
  'group.consumer.min.heartbeat.interval.ms': '100',
  'group.consumer.heartbeat.interval.ms': '200',
}
const strategies: readonly Strategy[] = ['range', 'cooperative-sticky', 'consumer', 'own']
const clients = ['librdkafka', 'Java', 'kafkajs']
/** Rounds that count; one before them warms both up. */
const ROUNDS = Number(process.env.ODRADEK_BENCH_ROUNDS ?? 5)
const filter = process.argv[2] ?? ''

const joins: Figure = { name: 'third joins, p50 ms', digits: 0, atMost: 1 }
const leaves: Figure = { name: 'third leaves, p50 ms', digits: 0, atMost: 1 }

async function measure(server: Server, kind: MemberKind, strategy: Strategy): Promise<Sample[]> {
  const line = `${kind.name}, ${strategy === 'own' ? 'its own assigner' : strategy}`
  const topic = `${kind.name}-${strategy}`
  await using admin = createAdmin({ bootstrapServers: server.bootstrapServers })
  await admin.topics.create([{ name: topic, partitions: PARTITIONS }])
  const house = await kind.open(server.bootstrapServers)
  const group = new GroupClock(house, server.bootstrapServers, topic, strategy)
  const [joined, left]: [number[], number[]] = [[], []]
  try {
    await group.join()
    await group.join()
    for (let round = 0; round <= ROUNDS; round++) {
      const joinMs = await group.join()
      const leaveMs = await group.leave()
      if (round > 0) joined.push(joinMs)
      if (round > 0) left.push(leaveMs)
    }
  } finally {
    await group.close()
    await house.close()
  }
  console.error(`${line}, ${server.name}: join ${median(joined).toFixed(0)} ms, leave ${median(left).toFixed(0)} ms`)
  const sample = (figure: Figure, values: number[]): Sample => ({
    line,
    figure,
    server: server.name,
    value: median(values),
  })
  return [sample(joins, joined), sample(leaves, left)]
}

async function compare(): Promise<void> {
  const missing = apacheKafkaMissing()
  if (missing) throw new Error(missing)
  const servers: Server[] = []
  const samples: Sample[] = []
  try {
    servers.push(await startOdradek(CONFIGS))
    servers.push(await startKafka(CONFIGS))
    for (const kind of [...drivenMemberKinds, ...nodeMemberKinds]) {
      if (!clients.includes(kind.name) || kind.missing !== null) continue
      for (const strategy of strategies.filter(each => kind.strategies.includes(each))) {
        if (!`${kind.name}, ${strategy}`.includes(filter)) continue
        for (const server of servers) samples.push(...(await measure(server, kind, strategy)))
      }
    }
    for (const row of ratioTable(samples)) console.log(row)
  } finally {
    await Promise.all(servers.map(server => server.stop()))
  }
}

await compare()
