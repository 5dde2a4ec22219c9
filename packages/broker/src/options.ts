// What `createBroker` takes, checked at the door: each mistake is named with what was given and what would be right.
import type { Log } from '@odradek/shared/actor/actor'
import type { BusyPoll } from '@odradek/shared/actor/actor-system'
import type { PlacementChoice } from '@odradek/shared/actor/system-core'
import { KafkaError } from '@odradek/shared/base/errors'
import {
  anything,
  custom,
  integer,
  isAbortSignal,
  isFunction,
  isObject,
  type OptionTable,
  parseOptions,
} from '@odradek/shared/client/options'
import { topicNameProblem } from '@odradek/shared/client/topic'
import { brokerConfigs } from '@odradek/shared/configs/broker-configs'
import { readGivenConfigs } from '@odradek/shared/configs/given-configs'
import { withOptionConfigs } from './option-configs.rules.ts'

/** One address to listen on. */
export interface ListenOptions {
  /** Default 127.0.0.1: loopback only unless told otherwise. */
  readonly host?: string
  /** Default 0: any free port. */
  readonly port?: number
  /** TLS: what `tls.createServer` takes (`cert` and `key` as PEM texts, ...). */
  readonly tls?: { readonly [name: string]: unknown }
  /** What clients are told instead of the address that is listened on. */
  readonly advertised?: { readonly host: string; readonly port: number }
}

export interface BrokerOptions {
  /** `false`: no network door (in-process clients only). Default: `{ host: '127.0.0.1', port: 0 }`. Several: an array. */
  readonly listen?: boolean | ListenOptions | readonly ListenOptions[]
  /** Directory of the logs (Kafka's `log.dirs`), created if missing. Without it and without `storage: 'memory'`: ./data. */
  readonly dir?: string
  /** `'memory'`: logs are kept in memory and are gone with the broker. Default `'lmdb'`. */
  readonly storage?: 'lmdb' | 'memory'
  /**
   * Threads that leaders, senders and consumers are spread over: each gets one of its own while there are, then they share. 'auto' (default): one per core besides
   * the caller's, so one on two cores. More of them isolate: a slow disk, or a compaction, holds up those who share its thread. 0: all in this thread.
   */
  readonly threads?: number | 'auto'
  /**
   * Which actors share a thread of their own: those given the same name do, and it takes no others. Asked for the broker, partition leaders (`orders-3`), senders and
   * consumers, by `kind` and `name` as `actors()` shows them. Undefined: a thread of its own while there are, then the emptiest. Names for which no thread is left
   * are as undefined, so it changes nothing with fewer than two threads. Default: with at most four threads, coordinators (the leaders of `__consumer_offsets` and
   * `__transaction_state`) share the broker's; undefined for all others.
   */
  readonly placement?: PlacementChoice
  /**
   * Who looks for what comes next before he sleeps, where such waits were short lately: who asks and answers in turns then pays for no thread's sleep and waking, a third of
   * the time of a small transaction. `off`: nobody. `threads`: those of the broker, for up to 200 us. `all`: the caller's as well, for up to 500 us, which
   * makes transactions in turns faster by another third; its event loop is then never idle while somebody waits for answers, and tools that judge a process by that
   * (`eventLoopUtilization`) find it busy. A core that looks seems busy and is free for whoever has work. Default: `threads` where each of them, and the
   * caller's, can have a core, else `off`.
   */
  readonly busyPoll?: BusyPoll
  /** Topics to create if they do not exist: name to number of partitions, or to partitions and configs. */
  readonly topics?: { readonly [name: string]: number | TopicOptions }
  /**
   * Kafka broker configs, dotted or camelCase. Defaults are Kafka's but for three that suit one process (CONFIGS.md). `log.dirs` (one directory), `node.id` and
   * `broker.rack` are as the options `dir`, `nodeId` and `rack`.
   */
  readonly config?: { readonly [name: string]: string | number | boolean | readonly string[] }
  /** Kafka's `node.id`; default 1. */
  readonly nodeId?: number
  /** Kafka's `broker.rack`. */
  readonly rack?: string
  /** Makes ids and backoffs repeatable (study and tests). */
  readonly seed?: number
  /** pino-shaped; default: silent. */
  readonly logger?: Log
  /** False: an open broker does not keep the process alive. Default true, as for a server. */
  readonly keepAlive?: boolean
  /** Closes the broker. */
  readonly signal?: AbortSignal
}

export interface TopicOptions {
  /** Default: the broker's `num.partitions`. */
  readonly partitions?: number
  /** Kafka topic configs. */
  readonly configs?: { readonly [name: string]: string | number | boolean }
}

/** Options with defaults applied. */
export interface BrokerSettings {
  readonly listen: readonly Required<Pick<ListenOptions, 'host' | 'port'>>[] & readonly ListenOptions[]
  readonly storage: { readonly kind: 'lmdb'; readonly dir: string } | { readonly kind: 'memory' }
  readonly threads: number | 'auto'
  readonly placement: PlacementChoice | undefined
  /** Undefined: as there are cores. */
  readonly busyPoll: BusyPoll | undefined
  readonly topics: readonly {
    readonly name: string
    readonly partitions?: number
    readonly configs?: { readonly [name: string]: string }
  }[]
  readonly staticConfigs: { readonly [name: string]: string }
  readonly nodeId: number
  readonly rack: string | null
  readonly seed: number | undefined
  readonly logger: Log | undefined
  readonly keepAlive: boolean
  readonly signal: AbortSignal | undefined
}

/** What the table reads, before listeners, storage and topics are given their shape. */
interface Resolved
  extends Pick<
    BrokerSettings,
    'threads' | 'placement' | 'busyPoll' | 'nodeId' | 'rack' | 'seed' | 'logger' | 'keepAlive' | 'signal'
  > {
  readonly listen: readonly ListenOptions[]
  readonly dir: string | undefined
  readonly storage: 'lmdb' | 'memory'
  readonly topics: NonNullable<BrokerOptions['topics']>
  readonly config: NonNullable<BrokerOptions['config']>
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
const LOOPBACK: ListenOptions = { host: '127.0.0.1', port: 0 }
const optional = <T>(expects: string, accepts: (given: unknown) => boolean) =>
  anything<T | undefined>(null, expects, accepts, undefined)

const table: OptionTable<Resolved> = {
  listen: custom(
    'listeners',
    'false, true, { host, port, tls: { cert, key }, advertised: { host, port } } or an array of those, ports 0 to 65535',
    readListen,
    [LOOPBACK],
  ),
  dir: custom<string | undefined>(
    'log.dirs',
    'a path',
    given => (typeof given === 'string' && given !== '' ? given : undefined),
    undefined,
  ),
  storage: custom<'lmdb' | 'memory'>(
    null,
    "'lmdb' or 'memory'",
    given => (given === 'lmdb' || given === 'memory' ? given : undefined),
    'lmdb',
  ),
  threads: custom<number | 'auto'>(null, "'auto' or an integer from 0 to 256", readThreads, 'auto'),
  placement: anything<PlacementChoice | undefined>(
    null,
    'a function from { kind, name } to a name or undefined',
    given => typeof given === 'function',
    undefined,
  ),
  busyPoll: optional<BusyPoll>(
    "'off', 'threads' or 'all'",
    given => given === 'off' || given === 'threads' || given === 'all',
  ),
  topics: anything(null, 'an object of topic names with partitions', isObject, {}),
  config: anything(null, 'an object of Kafka broker configs', isObject, {}),
  nodeId: integer('node.id', 1),
  rack: custom<string | null>(
    'broker.rack',
    'a string',
    given => (typeof given === 'string' ? given : undefined),
    null,
  ),
  seed: optional<number>('an integer', given => Number.isSafeInteger(given)),
  logger: optional<Log>(
    'an object with debug, info, warn and error',
    given => isObject(given) && LOG_LEVELS.every(level => isFunction((given as { [level: string]: unknown })[level])),
  ),
  keepAlive: anything(null, 'true or false', given => typeof given === 'boolean', true),
  signal: optional<AbortSignal>('an AbortSignal', isAbortSignal),
}

const hints: { readonly [name: string]: string } = {
  port: 'use listen: { port }',
  host: 'use listen: { host }',
  tls: 'use listen: { tls }',
  path: 'it is called dir',
  logDir: 'it is called dir',
  memory: "use storage: 'memory'",
  partitions: 'use topics: { name: partitions }',
  configs: 'it is called config',
}

/**
 * Where an embedded broker's defaults are not Kafka's (decision 0023): a group begins with whoever is there instead of waiting 3 s for more, and internal topics
 * have as many partitions as one process can use.
 */
const embeddedConfigs = {
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.num.partitions': '4',
}

/** Throws KafkaError ODK_OPTION_UNKNOWN, ODK_OPTION_INVALID, ODK_OPTION_CONFLICT, ODK_CONFIG_UNKNOWN or ODK_CONFIG_INVALID. */
export function readBrokerOptions(given: BrokerOptions): BrokerSettings {
  const { options } = parseOptions<Resolved>('createBroker', table, withOptionConfigs(given), hints)
  if (options.storage === 'memory' && options.dir !== undefined) {
    throw new KafkaError(
      'ODK_OPTION_CONFLICT',
      `createBroker: storage 'memory' keeps nothing in a directory, but dir (log.dirs) is '${options.dir}': give one of them`,
    )
  }
  return {
    ...options,
    listen: options.listen.map(listen => ({ ...LOOPBACK, ...listen })) as BrokerSettings['listen'],
    storage: options.storage === 'memory' ? { kind: 'memory' } : { kind: 'lmdb', dir: options.dir ?? './data' },
    topics: Object.entries(options.topics).map(readTopic),
    staticConfigs: { ...embeddedConfigs, ...readGivenConfigs(options.config, brokerConfigs, 'createBroker: config') },
  }
}

function readListen(given: unknown): readonly ListenOptions[] | undefined {
  if (given === false) return []
  if (given === true) return [LOOPBACK]
  const list = Array.isArray(given) ? given : [given]
  return list.every(isListen) ? list : undefined
}

function isListen(given: unknown): boolean {
  if (!isObject(given)) return false
  const { host = '', port = 0, tls, advertised, ...rest } = given as { [name: string]: unknown }
  const known = Object.keys(rest).length === 0 && typeof host === 'string'
  return (
    known && isPort(port) && (tls === undefined || isTls(tls)) && (advertised === undefined || isAdvertised(advertised))
  )
}

/** Without a certificate every handshake would fail. */
function isTls(given: unknown): boolean {
  return isObject(given) && ('cert' in (given as object) || 'pfx' in (given as object))
}

function isAdvertised(given: unknown): boolean {
  if (!isObject(given)) return false
  const { host, port } = given as { [name: string]: unknown }
  return typeof host === 'string' && host !== '' && isPort(port)
}

function isPort(port: unknown): boolean {
  return Number.isInteger(port) && (port as number) >= 0 && (port as number) <= 65_535
}

function readThreads(given: unknown): number | 'auto' | undefined {
  if (given === 'auto') return 'auto'
  return Number.isInteger(given) && (given as number) >= 0 && (given as number) <= 256 ? (given as number) : undefined
}

function readTopic([name, wanted]: [string, number | TopicOptions]): BrokerSettings['topics'][number] {
  const problem = topicNameProblem(name)
  if (problem !== null) throw new KafkaError('ODK_OPTION_INVALID', `createBroker: topics: ${problem}`)
  const topic = typeof wanted === 'number' ? { partitions: wanted } : wanted
  const { partitions, configs, ...rest }: TopicOptions = isObject(topic) ? topic : { partitions: Number.NaN }
  const hasPartitions = partitions === undefined || (Number.isInteger(partitions) && partitions >= 1)
  const hasConfigs = configs === undefined || isObject(configs)
  if (!hasPartitions || !hasConfigs || Object.keys(rest).length > 0) {
    throw new KafkaError(
      'ODK_OPTION_INVALID',
      `createBroker: topics.${name} must be a number of partitions of at least 1, or { partitions, configs }, got ${JSON.stringify(wanted)}`,
    )
  }
  const texts = configs && Object.fromEntries(Object.entries(configs).map(([key, value]) => [key, String(value)]))
  return { name, ...(partitions === undefined ? {} : { partitions }), ...(texts ? { configs: texts } : {}) }
}
