// `pnpm bench:txn [--rounds N] [FILTER...]`: transactions over TCP against our broker and Apache Kafka, side by side on this machine, alternating, by the same unmodified
// clients. Prints rates and commit latencies, ours / Kafka's; of a client that brings a broker of its own, in memory and in its own process, what it comes to on that one, too.
// FILTER: only loads whose name holds one of them.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { createProducer } from '@odradek/producer'
import { createAdmin } from '@odradek/shared/client/admin'
import { apacheKafkaMissing, kafkaClassPath } from '../apache-kafka/apache-kafka.ts'
import { countFlag } from '../bench/bench-flags.rules.ts'
import { median } from '../bench/median.rules.ts'
import { type Server, startKafka, startOdradek } from '../bench-tcp/server.ts'
import { pythonMissing } from '../conformance/drivers.ts'
import { type BuiltLoad, buildFranzGo, goMissing } from './franz-go.ts'

const run = promisify(execFile)
const { values: flags, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '2' } },
})
const ROUNDS = countFlag('--rounds', flags.rounds)
const SECONDS = '3'
const PARTITIONS = 4
/** What pipelines read: more than any of them gets through in its time (at 600,000/s). */
const INPUT_RECORDS = 3_000_000

interface Figures {
  readonly transactionsPerSecond: number
  readonly recordsPerSecond: number
  /** Of commits, in milliseconds. */
  readonly p50: number
  readonly p99: number
}

interface Load {
  readonly name: string
  drive(servers: string): Promise<Figures>
  /** Against the client's own broker, which has nothing else to do: more than this no broker gets out of it. */
  driveAlone?(): Promise<Figures>
}

const CLIENTS = new URL('../../bench/clients/', import.meta.url)
const JAVA = fileURLToPath(new URL('TransactionLoad.java', CLIENTS))
const PYTHON = fileURLToPath(new URL('transaction_load.py', CLIENTS))
const NODE = fileURLToPath(new URL('./client/main.js', import.meta.url))

async function figuresOf(file: string, args: readonly string[]): Promise<Figures> {
  const { stdout } = await run(file, args)
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Figures
}

/** What `TransactionLoad.java` exits with when its client has sent a commit before the records (tools/conformance/FINDINGS.md, Java 2). */
const RUN_AGAIN = 75
const JAVA_RUNS_MAX = 5

async function java(mode: string, servers: string, records: string): Promise<Figures> {
  const args = ['-Xmx512m', '-cp', kafkaClassPath(), JAVA, mode, servers, 'in', 'out', records, SECONDS]
  for (let run = 1; ; run++) {
    try {
      return await figuresOf('java', args)
    } catch (error) {
      if ((error as { readonly code?: unknown }).code !== RUN_AGAIN || run === JAVA_RUNS_MAX) throw error
    }
  }
}
const python = (servers: string) => figuresOf(process.env.ODRADEK_PYTHON!, [PYTHON, servers, 'out', '1', SECONDS])
const node = (name: string, mode: string, servers: string, records: string) =>
  figuresOf(process.execPath, [NODE, name, mode, servers, 'in', 'out', records, SECONDS])

/** The one client here without a virtual machine or a wait of its own between a transaction's requests: what the broker itself allows. */
let franzGo: BuiltLoad | undefined
const isFranzGo = ({ name }: Load) => name.endsWith('franz-go')
const go = (mode: string, servers: string, records: string) =>
  figuresOf(franzGo!.file, [mode, servers, 'in', 'out', records, SECONDS])

const loads: readonly Load[] = [
  { name: 'one record, franz-go', drive: servers => go('transactions', servers, '1') },
  { name: 'one record, librdkafka', drive: python, driveAlone: () => python('mock') },
  { name: 'one record, Java', drive: servers => java('transactions', servers, '1') },
  ...['kafkajs', 'platformatic', 'odradek'].map(name => ({
    name: `one record, ${name}`,
    drive: (servers: string) => node(name, 'transactions', servers, '1'),
  })),
  ...['100', '1000'].flatMap(records => [
    { name: `pipeline of ${records}, franz-go`, drive: (servers: string) => go('pipeline', servers, records) },
    { name: `pipeline of ${records}, Java`, drive: (servers: string) => java('pipeline', servers, records) },
    {
      name: `pipeline of ${records}, odradek`,
      drive: (servers: string) => node('odradek', 'pipeline', servers, records),
    },
  ]),
]

async function prepare({ bootstrapServers }: Server, wantsInput: boolean): Promise<void> {
  await using admin = createAdmin({ bootstrapServers })
  for (const name of ['in', 'out']) await admin.topics.create({ name, partitions: PARTITIONS })
  if (!wantsInput) return
  await using producer = createProducer({ bootstrapServers, batchSize: 65_536 })
  const array = Array.from({ length: 500 }, () => ({ value: Buffer.alloc(100, 'x') }))
  const inFlight: Promise<unknown>[] = []
  for (let sent = 0; sent < INPUT_RECORDS; sent += array.length) {
    inFlight.push(producer.send('in', array))
    if (inFlight.length >= 64) await inFlight.shift()
  }
  await Promise.all(inFlight)
}

function middle(runs: readonly Figures[], figure: keyof Figures): number {
  return median(runs.map(each => each[figure]))
}

function report(name: string, ours: readonly Figures[], kafka: readonly Figures[]): void {
  const rate = name.startsWith('pipeline') ? 'recordsPerSecond' : 'transactionsPerSecond'
  const [speed, theirs] = [middle(ours, rate), middle(kafka, rate)]
  const latency = (figure: 'p50' | 'p99') =>
    middle(ours, figure) > 0 && middle(kafka, figure) > 0
      ? `${middle(ours, figure).toFixed(2)} / ${middle(kafka, figure).toFixed(2)}`
      : ''
  console.log(
    `| ${name} | ${Math.round(speed)} / ${Math.round(theirs)} | ${(speed / theirs).toFixed(1)} | ${latency('p50')} | ${latency('p99')} |`,
  )
}

function reportAlone(name: string, alone: readonly Figures[], kafka: readonly Figures[]): void {
  const [speed, theirs] = [middle(alone, 'transactionsPerSecond'), middle(kafka, 'transactionsPerSecond')]
  const [p50, p99] = [middle(alone, 'p50').toFixed(2), middle(alone, 'p99').toFixed(2)]
  console.log(
    `| ${name}, on its own broker | ${Math.round(speed)} | ${(speed / theirs).toFixed(1)} | ${p50} | ${p99} |`,
  )
}

async function compare(): Promise<void> {
  const missing = apacheKafkaMissing() ?? pythonMissing()
  if (missing) throw new Error(missing)
  const asked = loads.filter(({ name }) => filters.length === 0 || filters.some(filter => name.includes(filter)))
  const wantsGo = asked.some(isFranzGo)
  const noGo = wantsGo ? goMissing() : null
  if (noGo !== null) console.error(`left out: ${noGo}`)
  using built = wantsGo && noGo === null ? buildFranzGo() : null
  franzGo = built ?? undefined
  const chosen = asked.filter(load => !isFranzGo(load) || built !== null)
  const servers = [await startOdradek(), await startKafka()] as const
  try {
    const wantsInput = chosen.some(({ name }) => name.startsWith('pipeline'))
    for (const server of servers) await prepare(server, wantsInput)
    console.log('| load | per second, ours / Kafka | ratio | commit p50 ms | commit p99 ms |\n|---|---|---|---|---|')
    for (const { name, drive, driveAlone } of chosen) {
      const figures = { odradek: [] as Figures[], kafka: [] as Figures[], alone: [] as Figures[] }
      for (let round = 0; round < ROUNDS; round++) {
        for (const server of round % 2 ? servers : servers.toReversed())
          figures[server.name].push(await drive(server.bootstrapServers))
        if (driveAlone !== undefined) figures.alone.push(await driveAlone())
      }
      report(name, figures.odradek, figures.kafka)
      if (driveAlone !== undefined) reportAlone(name, figures.alone, figures.kafka)
    }
  } finally {
    await Promise.all(servers.map(server => server.stop()))
  }
}

await compare()
