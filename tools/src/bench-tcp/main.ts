// `pnpm bench:tcp [--quick] [SECTION...]`: our broker (`odradek serve` as users run it) and Apache Kafka side by side on this machine, alternating, driven by the same
// unmodified clients. Sections: 100, 1024 (throughput and broker CPU by value size), latency, attack; all without a name. Prints ratios, ours to Kafka's.
import { createAdmin } from '@odradek/shared/client/admin'
import { apacheKafkaMissing } from '../apache-kafka/apache-kafka.ts'
import { measureAttack } from './attack.ts'
import { latencyClients } from './latency.ts'
import { type Load, toolLoads } from './loads.ts'
import { nodeLoads } from './node-loads.ts'
import { type Figure, ratioTable, type Sample } from './ratios.rules.ts'
import { cpuMicros, residentBytes, type Server, startKafka, startOdradek } from './server.ts'

const quick = process.argv.includes('--quick')
const sections = process.argv.slice(2).filter(arg => !arg.startsWith('--'))
const wanted = (section: string) => sections.length === 0 || sections.includes(section)

/** Rounds that count; one before them warms both up. */
const ROUNDS = Number(process.env.ODRADEK_BENCH_ROUNDS ?? (quick ? 1 : 3))
const sizes = [
  { valueBytes: 100, records: quick ? 500_000 : 1_000_000, atMost: 0.7 },
  { valueBytes: 1024, records: quick ? 100_000 : 200_000, atMost: 1 },
] as const
const LATENCY_RECORDS = quick ? 800 : 2_000
const ATTACK_WINDOWS = quick ? 2 : 4

const speed: Figure = { name: 'records/s', digits: 0, atLeast: 1 }
const samples: Sample[] = []

function note(line: string, figure: Figure, server: Server, value: number): void {
  samples.push({ line, figure, server: server.name, value })
  console.error(`${line}, ${server.name}: ${value.toFixed(figure.digits)} ${figure.name}`)
}

async function fresh(servers: readonly Server[], topic: string): Promise<void> {
  for (const server of servers) {
    await using admin = createAdmin({ bootstrapServers: server.bootstrapServers })
    await admin.topics.create({ name: topic, partitions: 1 })
  }
}

async function throughput(servers: readonly Server[], { valueBytes, records, atMost }: (typeof sizes)[number]) {
  // Clients on Node take longer for each record: a quarter is as much work.
  const loads = [...toolLoads(valueBytes, records), ...nodeLoads(valueBytes, records / 4)]
  for (let round = 0; round <= ROUNDS; round++) {
    const topic = `bench-${valueBytes}-${round}`
    await fresh(servers, topic)
    for (const load of loads)
      for (const server of round % 2 ? servers : servers.toReversed()) {
        const { perSecond, cpuPerRecord } = await drive(server, load, topic)
        if (round === 0) continue
        note(load.name, speed, server, perSecond)
        note(load.name, { name: 'broker CPU us per record', digits: 2, atMost }, server, cpuPerRecord)
      }
  }
}

async function drive(server: Server, load: Load, topic: string) {
  const before = cpuMicros(server.pid)
  const perSecond = await load.drive(server.bootstrapServers, topic)
  return { perSecond, cpuPerRecord: (cpuMicros(server.pid) - before) / load.records }
}

async function latency(servers: readonly Server[]): Promise<void> {
  for (let round = 0; round <= ROUNDS; round++)
    for (const client of latencyClients) {
      const topic = `latency-${client.name.replaceAll(' ', '-')}-${round}`
      await fresh(servers, topic)
      for (const server of round % 2 ? servers : servers.toReversed()) {
        const { p50, p99 } = await client.measure(server.bootstrapServers, topic, LATENCY_RECORDS)
        if (round === 0) continue
        const line = `single records, ${client.name}`
        note(line, { name: 'p50 ms, send to receipt', digits: 2, atMost: 1 }, server, p50)
        note(line, { name: 'p99 ms, send to receipt', digits: 2, atMost: 1 }, server, p99)
      }
    }
}

async function attack(servers: readonly Server[]): Promise<void> {
  await fresh(servers, 'attack')
  for (const server of servers) {
    const { quietP99, attackedP99 } = await measureAttack(server.bootstrapServers, 'attack', ATTACK_WINDOWS)
    note('single records, acknowledged', { name: 'p99 ms', digits: 2 }, server, quietP99)
    note('single records, acknowledged, under attack', { name: 'p99 ms', digits: 2 }, server, attackedP99)
    note(
      'single records, acknowledged, under attack',
      { name: 'times the quiet p99', digits: 2 },
      server,
      attackedP99 / quietP99,
    )
  }
}

function memoryAndStart(servers: readonly Server[]): void {
  for (const server of servers) {
    const { all, own } = residentBytes(server.pid)
    note(
      'after the load',
      { name: 'resident MiB, without mapped files', digits: 0, atMost: 0.25 },
      server,
      own / 2 ** 20,
    )
    note('after the load', { name: 'resident MiB', digits: 0, atMost: 0.25 }, server, all / 2 ** 20)
    note(
      'start',
      { name: 'ms (Kafka: with formatting its directory)', digits: 0, atMost: 0.05 },
      server,
      server.startMs,
    )
  }
}

async function compare(): Promise<void> {
  const missing = apacheKafkaMissing()
  if (missing) throw new Error(missing)
  const servers: Server[] = []
  try {
    servers.push(await startOdradek())
    servers.push(await startKafka())
    for (const size of sizes) if (wanted(String(size.valueBytes))) await throughput(servers, size)
    memoryAndStart(servers)
    if (wanted('latency')) await latency(servers)
    if (wanted('attack')) await attack(servers)
    for (const line of ratioTable(samples)) console.log(line)
  } finally {
    await Promise.all(servers.map(server => server.stop()))
  }
}

await compare()
