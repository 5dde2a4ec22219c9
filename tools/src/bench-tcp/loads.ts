// What is driven through both servers: Kafka's own perf tools (Java client) and kcat (librdkafka), unmodified, default settings.
import { execFile, spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { kafkaClassPath } from '../apache-kafka/apache-kafka.ts'

const run = promisify(execFile)

export interface Load {
  readonly name: string
  readonly client: 'Java' | 'librdkafka' | 'kafkajs' | 'odradek'
  readonly records: number
  readonly valueBytes: number
  /** Drives it; gives records per second as the client measured them, or by the clock when it does not say. */
  readonly drive: (bootstrapServers: string, topic: string) => Promise<number>
}

/** What a broker spends on one reading of a topic is 2 to 15 ticks of 10 ms, so a consumer's load reads it so many times. */
const READINGS = 5

/** Records per second over all readings. */
async function readAgain(consume: () => Promise<number>): Promise<number> {
  let secondsPerRecord = 0
  for (let reading = 0; reading < READINGS; reading++) secondsPerRecord += 1 / (await consume())
  return READINGS / secondsPerRecord
}

function labelOf(valueBytes: number): string {
  return valueBytes >= 1024 ? `${valueBytes / 1024} KiB` : `${valueBytes} B`
}

/** What one client does: it produces before it consumes, so that it has something to read when it is driven alone. */
export function bothWays(
  client: Load['client'],
  { valueBytes, records }: Pick<Load, 'valueBytes' | 'records'>,
  produce: (servers: string, topic: string, records: number, valueBytes: number) => Promise<number>,
  consume: (servers: string, topic: string, records: number) => Promise<number>,
): readonly Load[] {
  const of = (verb: string) => ({ name: `${verb} ${labelOf(valueBytes)}, ${client}`, client, valueBytes })
  return [
    { ...of('produce'), records, drive: (servers, topic) => produce(servers, topic, records, valueBytes) },
    {
      ...of('consume'),
      records: READINGS * records,
      drive: (servers, topic) => readAgain(() => consume(servers, topic, records)),
    },
  ]
}

export function toolLoads(valueBytes: number, records: number): readonly Load[] {
  const values = { records, valueBytes }
  return [
    ...bothWays('Java', values, javaProduce, javaConsume),
    ...bothWays('librdkafka', values, kcatProduce, kcatConsume),
  ]
}

async function tool(main: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run('java', ['-Xmx256m', '-cp', kafkaClassPath(), main, ...args], {
    maxBuffer: 16 * 1024 * 1024,
  })
  return stdout
}

async function javaProduce(servers: string, topic: string, records: number, valueBytes: number): Promise<number> {
  const printed = await tool('org.apache.kafka.tools.ProducerPerformance', [
    ...['--topic', topic, '--num-records', String(records), '--record-size', String(valueBytes)],
    ...['--throughput', '-1', '--bootstrap-server', servers],
  ])
  return Number(/([\d.]+) records\/sec/.exec(printed.trim().split('\n').at(-1)!)![1])
}

async function javaConsume(servers: string, topic: string, records: number): Promise<number> {
  const printed = await tool('org.apache.kafka.tools.ConsumerPerformance', [
    ...['--bootstrap-server', servers, '--topic', topic, '--num-records', String(records), '--timeout', '60000'],
  ])
  // start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec
  return Number(printed.trim().split('\n').at(-1)!.split(',')[9])
}

async function kcatConsume(servers: string, topic: string, records: number): Promise<number> {
  const begun = performance.now()
  await run('kcat', ['-b', servers, '-C', '-t', topic, '-o', 'beginning', '-c', String(records), '-q', '-f', ''], {
    maxBuffer: 1024,
  })
  return records / ((performance.now() - begun) / 1000)
}

async function kcatProduce(servers: string, topic: string, records: number, valueBytes: number): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'kcat-lines-'))
  const file = join(dir, 'lines')
  writeFileSync(file, `${'x'.repeat(valueBytes)}\n`.repeat(records))
  const input = openSync(file, 'r')
  const begun = performance.now()
  const child = spawn('kcat', ['-b', servers, '-P', '-t', topic], { stdio: [input, 'ignore', 'ignore'] })
  const code = await new Promise<number | null>(resolve => child.once('exit', resolve))
  if (code !== 0) throw new Error(`kcat ended with exit code ${code}`)
  const seconds = (performance.now() - begun) / 1000
  closeSync(input)
  rmSync(dir, { recursive: true })
  return records / seconds
}
