// `pnpm bench:tcp [--quick] [--rounds N] [--warm N] [--add FILE] [SECTION[:CLIENT]...]`: our broker (`odradek serve` as users run it) and Apache Kafka side by side on this
// machine, alternating, driven by the same unmodified clients. Sections: start, 100, 1024 (throughput and broker CPU by value size), latency, attack; all without a
// name. Prints ratios, ours to Kafka's. `--add FILE` keeps what was measured, to be told with other runs by `--table FILE`, which measures nothing.
import { parseArgs } from 'node:util'
import { createAdmin } from '@odradek/shared/client/admin'
import { apacheKafkaMissing } from '../apache-kafka/apache-kafka.ts'
import { countFlag } from '../bench/bench-flags.rules.ts'
import { measureAttack } from './attack.ts'
import { latencyClients } from './latency.ts'
import { type Load, toolLoads } from './loads.ts'
import { nodeLoads } from './node-loads.ts'
import { type Figure, ratioTable } from './ratios.rules.ts'
import { SampleBook, samplesIn } from './sample-file.ts'
import { drivenSections, sectionsOf } from './sections.rules.ts'
import { cpuMicros, residentBytes, type Server, startKafka, startOdradek } from './server.ts'

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    warm: { type: 'string', default: '1' },
    add: { type: 'string' },
    table: { type: 'string' },
  },
})
const { quick } = flags
const sections = sectionsOf(positionals)

/** Rounds that count, and rounds before them that warm both up. An even number: who goes second in a round pays for pages that the first one did not free. */
const ROUNDS = countFlag('--rounds', flags.rounds ?? (quick ? '2' : '4'))
const WARM_ROUNDS = countFlag('--warm', flags.warm, 0)
/** Numbers of all rounds; those that do not count are negative. */
const rounds = Array.from({ length: WARM_ROUNDS + ROUNDS }, (_, index) => index - WARM_ROUNDS)
const sizes = [
  { valueBytes: 100, records: quick ? 500_000 : 1_000_000, atMost: 0.7 },
  { valueBytes: 1024, records: quick ? 100_000 : 200_000, atMost: 1 },
] as const
const LATENCY_RECORDS = quick ? 800 : 2_000
const ATTACK_WINDOWS = quick ? 2 : 4

const speed: Figure = { name: 'records/s', digits: 0, atLeast: 1 }
const book = new SampleBook(flags.add)

function note(line: string, figure: Figure, server: Server, value: number): void {
  book.note({ line, figure, server: server.name, value })
  console.error(`${line}, ${server.name}: ${value.toFixed(figure.digits)} ${figure.name}`)
}

async function fresh(servers: readonly Server[], topic: string): Promise<void> {
  for (const server of servers) {
    await using admin = createAdmin({ bootstrapServers: server.bootstrapServers })
    await admin.topics.create({ name: topic, partitions: 1 })
  }
}

/** Who goes first changes from round to round. */
function inTurn(servers: readonly Server[], round: number): readonly Server[] {
  return round % 2 ? servers : servers.toReversed()
}

async function throughput(servers: readonly Server[], { valueBytes, records, atMost }: (typeof sizes)[number]) {
  // Clients on Node take longer for each record: a quarter is as much work.
  const loads = [...toolLoads(valueBytes, records), ...nodeLoads(valueBytes, records / 4)].filter(({ client }) =>
    sections.has(String(valueBytes), client),
  )
  for (const round of rounds) {
    const topic = `bench-${valueBytes}-${round}`
    await fresh(servers, topic)
    for (const load of loads)
      for (const server of inTurn(servers, round)) {
        const { perSecond, cpuPerRecord } = await drive(server, load, topic)
        if (round < 0) continue
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
  const clients = latencyClients.filter(({ client }) => sections.has('latency', client))
  for (const round of rounds)
    for (const client of clients) {
      const topic = `latency-${client.client}-${round}`
      await fresh(servers, topic)
      for (const server of inTurn(servers, round)) {
        const { p50, p99 } = await client.measure(server.bootstrapServers, topic, LATENCY_RECORDS)
        if (round < 0) continue
        const line = `single records, ${client.client}`
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

/** Each as a user starts it, in an empty directory, alone on the machine. */
async function starts(): Promise<void> {
  for (const round of rounds) {
    for (const start of round % 2 ? [startOdradek, startKafka] : [startKafka, startOdradek]) {
      const server = await start()
      await server.stop()
      if (round < 0) continue
      note(
        'start',
        { name: 'ms (Kafka: with formatting its directory)', digits: 0, atMost: 0.05 },
        server,
        server.startMs,
      )
    }
  }
}

function memory(servers: readonly Server[]): void {
  for (const server of servers) {
    const { all, own } = residentBytes(server.pid)
    note(
      'after the load',
      { name: 'resident MiB, without mapped files', digits: 0, atMost: 0.25 },
      server,
      own / 2 ** 20,
    )
    note('after the load', { name: 'resident MiB', digits: 0, atMost: 0.25 }, server, all / 2 ** 20)
  }
}

async function compare(): Promise<void> {
  const missing = apacheKafkaMissing()
  if (missing) throw new Error(missing)
  if (sections.has('start')) await starts()
  if (drivenSections.some(section => sections.has(section))) await compareServers()
}

async function compareServers(): Promise<void> {
  const servers: Server[] = []
  try {
    servers.push(await startOdradek())
    servers.push(await startKafka())
    for (const size of sizes) if (sections.has(String(size.valueBytes))) await throughput(servers, size)
    if (sections.has('100') || sections.has('1024')) memory(servers)
    if (sections.has('latency')) await latency(servers)
    if (sections.has('attack')) await attack(servers)
  } finally {
    await Promise.all(servers.map(server => server.stop()))
  }
}

if (!flags.table) await compare()
for (const line of ratioTable(flags.table ? samplesIn(flags.table) : book.samples)) console.log(line)
