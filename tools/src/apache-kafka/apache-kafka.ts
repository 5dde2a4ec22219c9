// A real Kafka node (KRaft, one process, from jars) on loopback, for tests and benchmarks that compare with it. Where the jars are is said by
// ODRADEK_KAFKA_JARS (`.ci/install` fetches them); without them, or without Java, `apacheKafkaMissing` says how to get them.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { systemClock } from '@odradek/shared/base/clock'

const run = promisify(execFile)

/** Why no Apache Kafka can be started here, with what to do; null when it can. */
export function apacheKafkaMissing(): string | null {
  const jars = process.env.ODRADEK_KAFKA_JARS
  if (jars && existsSync(jars) && readdirSync(jars).some(name => name.startsWith('kafka-server'))) return null
  return 'Apache Kafka is not here: run `bash .ci/install DIR` (needs Java 17 and Maven) and `source DIR/env`'
}

/** The class path of all jars, for Kafka and its tools. */
export function kafkaClassPath(): string {
  return `${process.env.ODRADEK_KAFKA_JARS}/*`
}

export interface ApacheKafka {
  readonly bootstrapServers: string
  readonly pid: number
  /** SIGKILL, as a crash; the directory stays. */
  kill(): Promise<void>
  /** Starts again on the same port and directory. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** Starts a node with Kafka's default configs but one replica everywhere; resolves when it answers. `heap` as for the JVM, default 512m. */
export async function startApacheKafka({
  heap = '512m',
  configs = {} as { readonly [name: string]: string },
} = {}): Promise<ApacheKafka> {
  const missing = apacheKafkaMissing()
  if (missing) throw new Error(missing)
  const dir = mkdtempSync(join(tmpdir(), 'apache-kafka-'))
  const [port, controllerPort] = [await freePort(), await freePort()]
  const properties = join(dir, 'server.properties')
  writeFileSync(properties, serverProperties(dir, port, controllerPort, configs))
  const java = ['-cp', kafkaClassPath()]
  const { stdout } = await run('java', [...java, 'kafka.tools.StorageTool', 'random-uuid'])
  await run('java', [
    ...java,
    'kafka.tools.StorageTool',
    'format',
    '--standalone',
    '-t',
    stdout.trim(),
    '-c',
    properties,
  ])
  const start = () =>
    spawn('java', [`-Xmx${heap}`, `-Xms${heap}`, ...java, 'kafka.Kafka', properties], {
      stdio: ['ignore', 'ignore', 'ignore'],
    })
  let child = start()
  const kill = async () => {
    const ended =
      child.exitCode === null && child.signalCode === null
        ? new Promise(resolve => child.once('exit', resolve))
        : undefined
    child.kill('SIGKILL')
    await ended
  }
  await answers(port, child)
  return {
    bootstrapServers: `127.0.0.1:${port}`,
    get pid() {
      return child.pid!
    },
    kill,
    async restart() {
      child = start()
      await answers(port, child)
    },
    async stop() {
      await kill()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function serverProperties(
  dir: string,
  port: number,
  controllerPort: number,
  configs: { readonly [name: string]: string },
): string {
  const all = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': join(dir, 'logs'),
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    ...configs,
  }
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

const START_DEADLINE_MS = 90_000

async function answers(port: number, child: ChildProcess): Promise<void> {
  const deadline = systemClock.monotonic() + START_DEADLINE_MS
  while (systemClock.monotonic() < deadline) {
    if (child.exitCode !== null) throw new Error(`Apache Kafka ended with exit code ${child.exitCode} while it started`)
    if (await accepts(port)) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  throw new Error(`Apache Kafka did not listen on port ${port} within ${START_DEADLINE_MS} ms`)
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
