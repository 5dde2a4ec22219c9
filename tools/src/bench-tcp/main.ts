// `pnpm bench:tcp`: our broker and Apache Kafka side by side on this machine, alternating, driven by the same unmodified clients. Prints ratios (ours / Kafka's)
// of throughput, broker CPU per record, memory and start time.
import { createAdmin } from '@odradek/shared/client/admin'
import { apacheKafkaMissing } from '../apache-kafka/apache-kafka.ts'
import { type Load, loadsOf } from './loads.ts'
import { cpuMicros, residentBytes, type Server, startKafka, startOdradek } from './server.ts'

const ROUNDS = Number(process.env.ODRADEK_BENCH_ROUNDS ?? 3)

interface Row {
  readonly load: string
  readonly server: Server['name']
  readonly perSecond: number
  readonly cpuPerRecord: number
}

async function measure(server: Server, load: Load, topic: string): Promise<Row> {
  const before = cpuMicros(server.pid)
  const perSecond = await load.drive(server.bootstrapServers, topic)
  return {
    load: load.name,
    server: server.name,
    perSecond,
    cpuPerRecord: (cpuMicros(server.pid) - before) / load.records,
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}

function report(rows: readonly Row[]): void {
  console.log(
    '| load | records/s, ours / Kafka | ratio | broker CPU us per record, ours / Kafka | ratio |\n|---|---|---|---|---|',
  )
  for (const load of new Set(rows.map(row => row.load))) {
    const of = (server: Server['name'], pick: (row: Row) => number) =>
      median(rows.filter(row => row.load === load && row.server === server).map(pick))
    const [speed, kafkaSpeed] = [of('odradek', row => row.perSecond), of('kafka', row => row.perSecond)]
    const [cpu, kafkaCpu] = [of('odradek', row => row.cpuPerRecord), of('kafka', row => row.cpuPerRecord)]
    const speeds = `${(speed / 1000).toFixed(0)} k / ${(kafkaSpeed / 1000).toFixed(0)} k | ${(speed / kafkaSpeed).toFixed(2)}`
    console.log(`| ${load} | ${speeds} | ${cpu.toFixed(2)} / ${kafkaCpu.toFixed(2)} | ${(cpu / kafkaCpu).toFixed(2)} |`)
  }
}

async function compare(): Promise<void> {
  const missing = apacheKafkaMissing()
  if (missing) throw new Error(missing)
  const servers = [await startOdradek(), await startKafka()]
  const rows: Row[] = []
  try {
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [valueBytes, records] of [
        [100, 1_000_000],
        [1024, 200_000],
      ] as const) {
        // The first round warms both up.
        const topic = `bench-${round}-${valueBytes}`
        for (const server of servers) {
          await using admin = createAdmin({ bootstrapServers: server.bootstrapServers })
          await admin.topics.create({ name: topic, partitions: 1 })
        }
        for (const load of loadsOf(valueBytes, records))
          for (const server of round % 2 ? servers : servers.toReversed()) {
            const row = await measure(server, load, topic)
            if (round > 0) rows.push(row)
          }
      }
    }
    report(rows)
    const [ours, kafka] = servers as [Server, Server]
    const [memory, kafkaMemory] = [residentBytes(ours.pid), residentBytes(kafka.pid)]
    const mib = (bytes: number) => (bytes / 1024 / 1024).toFixed(0)
    for (const kind of ['all', 'own'] as const) {
      const ratio = (memory[kind] / kafkaMemory[kind]).toFixed(2)
      console.log(
        `\nresident after the load (${kind}): ${mib(memory[kind])} / ${mib(kafkaMemory[kind])} MiB, ratio ${ratio}`,
      )
    }
    console.log(
      `start: ${ours.startMs.toFixed(0)} / ${kafka.startMs.toFixed(0)} ms (Kafka's with formatting its directory), ratio ${(ours.startMs / kafka.startMs).toFixed(3)}`,
    )
  } finally {
    await Promise.all(servers.map(server => server.stop()))
  }
}

await compare()
