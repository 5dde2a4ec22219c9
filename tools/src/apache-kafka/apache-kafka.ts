// A real Kafka node (KRaft, one process, from jars) on loopback, for tests and benchmarks that compare with it. Where the jars are is said by
// ODRADEK_KAFKA_JARS (`.ci/install` fetches them); without them, or without Java, `apacheKafkaMissing` says how to get them.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { systemClock } from '@odradek/shared/base/clock'
import { systemRandom } from '@odradek/shared/base/random'
import { freePort } from './free-port.ts'

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
  readonly secured: Secured
  readonly pid: number
  readonly port: number
  /** Configs, logs, and what it said (`kafka.log`: nothing unless the jars have a binding of slf4j). Gone after `stop`. */
  readonly dir: string
  /** SIGKILL, as a crash; the directory stays. */
  kill(): Promise<void>
  /** Starts again on the same port and directory. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export interface ApacheKafkaOptions {
  /** As for the JVM. Default `512m`. */
  readonly heap?: string
  readonly configs?: Configs
  /**
   * The controller is a process of its own, which outlives a kill and takes the broker off its list before the broker comes back. Without it a broker that is
   * killed and comes back at once forgets the markers of its decided transactions (KAFKA-20734; FINDINGS.md, "Apache Kafka"). Default false.
   */
  readonly isControllerApart?: boolean
  /** Default none. */
  readonly listeners?: SecuredListeners
  /** Variables of the processes. Default those of this process. */
  readonly environment?: NodeJS.ProcessEnv
}

type Configs = { readonly [name: string]: string }
type Secured = { readonly [protocol: string]: string }

/** Starts a node with Kafka's default configs but one replica everywhere; resolves when it answers. */
export async function startApacheKafka(options: ApacheKafkaOptions = {}): Promise<ApacheKafka> {
  const { heap = '512m', configs = {}, isControllerApart = false, listeners = { protocols: [], scram: [] } } = options
  const { environment = process.env } = options
  const missing = apacheKafkaMissing()
  if (missing) throw new Error(missing)
  const dir = mkdtempSync(join(tmpdir(), 'apache-kafka-'))
  const said = openSync(join(dir, 'kafka.log'), 'a')
  const [port, controllerPort] = [await freePort(), await freePort()]
  const secured: { [protocol: string]: string } = {}
  for (const protocol of listeners.protocols) secured[protocol] = `127.0.0.1:${await freePort()}`
  const clusterId = systemRandom().uuid()
  const node = async (roles: Roles) => {
    const properties = join(dir, `${roles}.properties`)
    writeFileSync(properties, serverProperties(roles, { dir, port, controllerPort, secured, configs }))
    const users = listeners.scram.flatMap(user => ['--add-scram', user])
    const asQuorum = roles === 'broker' ? [] : ['--standalone', ...users]
    await java(environment, 'kafka.tools.StorageTool', 'format', ...asQuorum, '-t', clusterId, '-c', properties)
    return new Jvm({ properties, heap, said, environment })
  }
  const controller = isControllerApart ? await node('controller') : null
  controller?.start()
  const broker = await node(controller ? 'broker' : 'broker,controller')
  const start = async () => {
    broker.start()
    await answers(port, broker.process)
  }
  const stop = async () => {
    await Promise.all([broker.kill(), controller?.kill()])
    closeSync(said)
    rmSync(dir, { recursive: true, force: true })
  }
  await start().catch(async error => {
    await stop()
    throw error
  })
  return {
    bootstrapServers: `127.0.0.1:${port}`,
    secured,
    port,
    dir,
    get pid() {
      return broker.process.pid!
    },
    kill: () => broker.kill(),
    async restart() {
      const address = `127.0.0.1:${controllerPort}`
      if (controller)
        await java(environment, CLUSTER_TOOL, 'unregister', '--bootstrap-controller', address, '--id', BROKER_ID)
      await start()
    },
    stop,
  }
}

const CLUSTER_TOOL = 'org.apache.kafka.tools.ClusterTool'
const BROKER_ID = '1'
const CONTROLLER_ID = '2'

/** Runs a tool of Kafka to its end. */
async function java(environment: NodeJS.ProcessEnv, main: string, ...args: readonly string[]): Promise<void> {
  await run('java', ['-cp', kafkaClassPath(), main, ...args], { env: environment })
}

interface JvmOptions {
  readonly properties: string
  readonly heap: string
  /** The file that takes what it prints. */
  readonly said: number
  readonly environment: NodeJS.ProcessEnv
}

/** One process of the node, which may be started again after it was killed. */
class Jvm {
  process!: ChildProcess
  readonly #options: JvmOptions

  constructor(options: JvmOptions) {
    this.#options = options
  }

  start(): void {
    const { properties, heap, said, environment } = this.#options
    const args = [`-Xmx${heap}`, `-Xms${heap}`, '-cp', kafkaClassPath(), 'kafka.Kafka', properties]
    this.process = spawn('java', args, { stdio: ['ignore', said, said], env: environment })
  }

  async kill(): Promise<void> {
    const { process: child } = this
    const hasEnded = child.exitCode !== null || child.signalCode !== null
    const ended = hasEnded ? undefined : new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }
}

type Roles = 'broker' | 'controller' | 'broker,controller'

interface Place {
  readonly dir: string
  readonly port: number
  readonly controllerPort: number
  readonly secured: Secured
  readonly configs: Configs
}

function serverProperties(roles: Roles, { dir, port, controllerPort, secured, configs }: Place): string {
  const clients = Object.entries({ PLAINTEXT: `127.0.0.1:${port}`, ...secured })
  const forClients = clients.map(([protocol, address]) => `${protocol}://${address}`).join()
  const protocols = ['CONTROLLER:PLAINTEXT', ...clients.map(([protocol]) => `${protocol}:${protocol}`)]
  const forController = `CONTROLLER://127.0.0.1:${controllerPort}`
  const listeners = {
    broker: forClients,
    controller: forController,
    'broker,controller': `${forClients},${forController}`,
  }
  const asController = {
    'process.roles': roles,
    'node.id': roles === 'controller' ? CONTROLLER_ID : BROKER_ID,
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}`,
    listeners: listeners[roles],
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': protocols.join(),
    'log.dirs': join(dir, roles === 'controller' ? 'controller-logs' : 'logs'),
  }
  const asBroker = {
    'advertised.listeners': forClients,
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    ...configs,
  }
  const all = roles === 'controller' ? asController : { ...asController, ...asBroker }
  return (
    Object.entries(all)
      // Java's properties: a value of several lines is written in one.
      .map(([name, value]) => `${name}=${value.replaceAll('\n', '\\n')}\n`)
      .join('')
  )
}

const START_DEADLINE_MS = 300_000

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
