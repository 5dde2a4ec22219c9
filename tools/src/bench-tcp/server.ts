// The two servers that are compared, each a process of its own, in an environment that asks nothing of its runtime, with what the kernel says of it.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { startApacheKafka } from '../apache-kafka/apache-kafka.ts'
import { ownServer } from '../cli/serve/own-server.ts'
import { plainEnvironment } from './environment.rules.ts'

export interface Server {
  readonly name: 'odradek' | 'kafka'
  readonly bootstrapServers: string
  readonly pid: number
  /** From the start of the process until it answered. Milliseconds. */
  readonly startMs: number
  stop(): Promise<void>
}

type Configs = { readonly [name: string]: string }

/** `configs` are broker configs in Kafka's names. ODRADEK_BROKER_NODE_OPTIONS goes to its Node, such as `--cpu-prof`. */
export async function startOdradek(configs: Configs = {}): Promise<Server> {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-bench-'))
  const begun = performance.now()
  const program = fileURLToPath(new URL('../cli/odradek.cjs', import.meta.url))
  const nodeOptions = process.env.ODRADEK_BROKER_NODE_OPTIONS?.split(' ') ?? []
  const settings = Object.entries(configs).flatMap(([name, value]) => ['--set', `${name}=${value}`])
  const serve = [...ownServer, '--dir', dir, ...settings]
  const child = spawn(process.execPath, [...nodeOptions, program, ...serve], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: plainEnvironment(process.env),
  })
  const ready = await new Promise<string>(resolve => createInterface({ input: child.stdout }).once('line', resolve))
  const startMs = performance.now() - begun
  return {
    name: 'odradek',
    bootstrapServers: (JSON.parse(ready) as { bootstrapServers: string }).bootstrapServers,
    pid: child.pid!,
    startMs,
    async stop() {
      const ended = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

export async function startKafka(configs: Configs = {}): Promise<Server> {
  const begun = performance.now()
  const kafka = await startApacheKafka({ heap: '1g', configs, environment: plainEnvironment(process.env) })
  const { bootstrapServers, pid } = kafka
  return { name: 'kafka', bootstrapServers, pid, startMs: performance.now() - begun, stop: () => kafka.stop() }
}

const TICKS_PER_SECOND = 100

/** CPU time of all threads of a process so far, user and system. Microseconds. */
export function cpuMicros(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / TICKS_PER_SECOND
}

/** Resident memory now: all of it, and without pages of mapped files, which the kernel may take back at any time (our logs are mapped). Bytes. */
export function residentBytes(pid: number): { readonly all: number; readonly own: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const field = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)![1]) * 1024
  return { all: field('VmRSS'), own: field('RssAnon') }
}
