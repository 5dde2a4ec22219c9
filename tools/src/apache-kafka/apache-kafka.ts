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

/** Listeners beside the plain one, by security protocol (`SASL_PLAINTEXT`, `SASL_SSL`, ...); what each needs else stands in the node's configs. */
export interface SecuredListeners {
  readonly protocols: readonly string[]
  /** SCRAM users as `kafka-storage format --add-scram` takes them: `SCRAM-SHA-256=[name=u,password=p]`. */
  readonly scram: readonly string[]
}

export interface ApacheKafka {
  readonly bootstrapServers: string
  /** Addresses of the secured listeners, by protocol. */
  readonly secured: { readonly [protocol: string]: string }
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
  listeners = { protocols: [], scram: [] } as SecuredListeners,
} = {}): Promise<ApacheKafka> {
  const missing = apacheKafkaMissing()
  if (missing) throw new Error(missing)
  const dir = mkdtempSync(join(tmpdir(), 'apache-kafka-'))
  const [port, controllerPort] = [await freePort(), await freePort()]
  const secured: { [protocol: string]: string } = {}
  for (const protocol of listeners.protocols) secured[protocol] = `127.0.0.1:${await freePort()}`
  const properties = join(dir, 'server.properties')
  writeFileSync(properties, serverProperties(dir, { port, controllerPort, secured }, configs))
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
    ...listeners.scram.flatMap(user => ['--add-scram', user]),
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
    secured,
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
  {
    port,
    controllerPort,
    secured,
  }: {
    readonly port: number
    readonly controllerPort: number
    readonly secured: { readonly [protocol: string]: string }
  },
  configs: { readonly [name: string]: string },
): string {
  const clients = [`PLAINTEXT://127.0.0.1:${port}`]
  for (const [protocol, address] of Object.entries(secured)) clients.push(`${protocol}://${address}`)
  const protocols = ['CONTROLLER:PLAINTEXT', ...['PLAINTEXT', ...Object.keys(secured)].map(name => `${name}:${name}`)]
  const all = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}`,
    listeners: `${clients.join()},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': clients.join(),
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': protocols.join(),
    'log.dirs': join(dir, 'logs'),
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    ...configs,
  }
  return (
    Object.entries(all)
      // Java's properties: a value of several lines is written in one.
      .map(([name, value]) => `${name}=${value.replaceAll('\n', '\\n')}\n`)
      .join('')
  )
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
