// Every option of a consumer: Java's names in camelCase (dotted names work too), Java 4.x defaults; read and checked at the door.
import { KafkaError } from '@odradek/shared/base/errors'
import { limits } from '@odradek/shared/base/limits'
import type { LinkInput } from '@odradek/shared/client/cluster-link'
import {
  type CommonClientOptions,
  commonOptionHints,
  commonOptions,
  type ResolvedCommonOptions,
} from '@odradek/shared/client/common-options'
import {
  anything,
  byteCount,
  custom,
  flag,
  integer,
  isFunction,
  isObject,
  milliseconds,
  type OptionTable,
  oneOf,
  parseOptions,
  text,
} from '@odradek/shared/client/options'
import type {
  ConsumerInput,
  GroupInput,
  OffsetReset,
  TopicPartition,
} from '@odradek/shared/contracts/consumer.contract'
import type { ConsumerRecord } from './consumer-record.ts'
import { readDuration } from './duration.rules.ts'
import { type AssignorName, isAssignorName, isPartitionAssignor, type PartitionAssignor } from './partition-assignor.ts'

/** Runs when the group gave or took partitions; awaited before the rebalance goes on. Seeks and commits made inside take effect first. */
export type RebalanceHook = (partitions: readonly TopicPartition[]) => void | Promise<void>

/** Watches what goes through a consumer (Java: ConsumerInterceptor). What an interceptor throws is ignored. */
export interface ConsumerInterceptor {
  /** A record is about to be handed out. */
  onConsume?(record: ConsumerRecord<any, any>): void
  /** Offsets were committed. */
  onCommit?(offsets: readonly (TopicPartition & { readonly offset: bigint })[]): void
}

/**
 * What to do with a record whose key or value its codec refuses. `fail` (default): reading the key or value throws ODK_DECODE_FAILED. `skip`: it is
 * left out. A function decides per record. The last two decode keys and values before a record is handed out.
 */
export type DecodeErrorPolicy =
  | 'fail'
  | 'skip'
  | ((error: KafkaError, at: TopicPartition & { readonly offset: bigint }) => 'fail' | 'skip')

export type AssignorChoice = AssignorName | PartitionAssignor

export interface ConsumerOptions extends CommonClientOptions {
  /** `group.id`. Without it: manual assignment or whole topics, no commits. */
  readonly groupId?: string
  /** `group.instance.id`: static membership (KIP-345). */
  readonly groupInstanceId?: string
  /** `group.protocol`: `classic` (default) or `consumer` (KIP-848). */
  readonly groupProtocol?: 'classic' | 'consumer'
  /** `group.remote.assignor`: the coordinator's assignor (consumer protocol). Default: the coordinator's choice. */
  readonly groupRemoteAssignor?: string
  /**
   * `partition.assignment.strategy`: names, or assignors of your own; most wanted first, several at once for rolling upgrades. Default `range`,
   * `cooperative-sticky`.
   */
  readonly partitionAssignmentStrategy?: AssignorChoice | readonly AssignorChoice[]
  /** `session.timeout.ms`. Default 45000. */
  readonly sessionTimeoutMs?: number
  /** `heartbeat.interval.ms`. Default 3000. */
  readonly heartbeatIntervalMs?: number
  /** `max.poll.interval.ms`: longest time over the records in hand before the member leaves the group. Default 300000. */
  readonly maxPollIntervalMs?: number
  /** `max.poll.records`: most that one `poll` returns. Default 500. */
  readonly maxPollRecords?: number
  /** `enable.auto.commit`: commits what was processed at intervals, on revocation and on close. Default true with a group. */
  readonly enableAutoCommit?: boolean
  /** `auto.commit.interval.ms`. Default 5000. */
  readonly autoCommitIntervalMs?: number
  /** `auto.offset.reset`: `latest` (default), `earliest`, `none`, or `by_duration:PT1H` (ISO 8601; KIP-1106). */
  readonly autoOffsetReset?: 'earliest' | 'latest' | 'none' | `by_duration:${string}`
  /** `isolation.level`. Default `readUncommitted`. */
  readonly isolationLevel?: 'readUncommitted' | 'readCommitted'
  /** `fetch.min.bytes`. Default 1. */
  readonly fetchMinBytes?: number
  /** `fetch.max.bytes`: of one response. Default 52428800. */
  readonly fetchMaxBytes?: number
  /** `fetch.max.wait.ms`. Default 500. */
  readonly fetchMaxWaitMs?: number
  /** `max.partition.fetch.bytes`. Default 1048576. */
  readonly maxPartitionFetchBytes?: number
  /** Bytes that are fetched ahead of the reader, over all partitions. Default 16777216. */
  readonly prefetchBytesMax?: number
  /** The same in records. Default 500000. */
  readonly prefetchRecordsMax?: number
  /** `check.crcs`. Default true. */
  readonly checkCrcs?: boolean
  /** `allow.auto.create.topics`. Default true. */
  readonly allowAutoCreateTopics?: boolean
  /** `default.api.timeout.ms`: bound of commit, committed, position and the like. Default 60000. */
  readonly defaultApiTimeoutMs?: number
  /** `client.rack`. */
  readonly clientRack?: string
  /** What happens to a record that its codec refuses. Default `fail`. */
  readonly onDecodeError?: DecodeErrorPolicy
  /** Partitions that the group gave (Java: `onPartitionsAssigned`). */
  readonly onAssigned?: RebalanceHook
  /** Partitions that the group takes back, while they can still be committed (Java: `onPartitionsRevoked`). */
  readonly onRevoked?: RebalanceHook
  /** Partitions that were lost without a chance to commit. Default: `onRevoked` is called. */
  readonly onLost?: RebalanceHook
  /** `interceptor.classes`, as objects; called in this order. Default none. */
  readonly interceptors?: readonly ConsumerInterceptor[]
}

/** Everything has a value. */
export interface ResolvedConsumerOptions extends ResolvedCommonOptions {
  readonly groupId: string | undefined
  readonly groupInstanceId: string | undefined
  readonly groupProtocol: 'classic' | 'consumer'
  readonly groupRemoteAssignor: string | undefined
  readonly partitionAssignmentStrategy: readonly AssignorChoice[]
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly maxPollIntervalMs: number
  readonly maxPollRecords: number
  readonly enableAutoCommit: boolean
  readonly autoCommitIntervalMs: number
  readonly autoOffsetReset: OffsetReset
  readonly isolationLevel: 'readUncommitted' | 'readCommitted'
  readonly fetchMinBytes: number
  readonly fetchMaxBytes: number
  readonly fetchMaxWaitMs: number
  readonly maxPartitionFetchBytes: number
  readonly prefetchBytesMax: number
  readonly prefetchRecordsMax: number
  readonly checkCrcs: boolean
  readonly allowAutoCreateTopics: boolean
  readonly defaultApiTimeoutMs: number
  readonly clientRack: string
  readonly onDecodeError: DecodeErrorPolicy
  readonly onAssigned: RebalanceHook | undefined
  readonly onRevoked: RebalanceHook | undefined
  readonly onLost: RebalanceHook | undefined
  readonly interceptors: readonly ConsumerInterceptor[]
}

/** Java's spellings of the built-in assignors. */
const ASSIGNOR_CLASSES: { readonly [className: string]: AssignorName } = {
  'org.apache.kafka.clients.consumer.RangeAssignor': 'range',
  'org.apache.kafka.clients.consumer.RoundRobinAssignor': 'roundrobin',
  'org.apache.kafka.clients.consumer.StickyAssignor': 'sticky',
  'org.apache.kafka.clients.consumer.CooperativeStickyAssignor': 'cooperative-sticky',
}

const hook = (name: string) => anything<RebalanceHook | undefined>(null, `a function (${name})`, isFunction, undefined)

const table: OptionTable<ResolvedConsumerOptions> = {
  ...commonOptions('odradek-consumer'),
  groupId: text('group.id'),
  groupInstanceId: text('group.instance.id'),
  groupProtocol: oneOf('group.protocol', ['classic', 'consumer'], 'classic', {
    CLASSIC: 'classic',
    CONSUMER: 'consumer',
  }),
  groupRemoteAssignor: text('group.remote.assignor'),
  partitionAssignmentStrategy: custom(
    'partition.assignment.strategy',
    "one or several of 'range', 'roundrobin', 'sticky', 'cooperative-sticky', or { name, assign, ... } under a name of its own",
    readAssignors,
    ['range', 'cooperative-sticky'] as readonly AssignorChoice[],
  ),
  sessionTimeoutMs: milliseconds('session.timeout.ms', 45_000, { min: 1 }),
  heartbeatIntervalMs: milliseconds('heartbeat.interval.ms', 3_000, { min: 1 }),
  maxPollIntervalMs: milliseconds('max.poll.interval.ms', 300_000, { min: 1 }),
  maxPollRecords: integer('max.poll.records', 500, { min: 1 }),
  enableAutoCommit: flag('enable.auto.commit', true),
  autoCommitIntervalMs: milliseconds('auto.commit.interval.ms', 5_000, { min: 1 }),
  autoOffsetReset: custom<OffsetReset>(
    'auto.offset.reset',
    "'earliest', 'latest', 'none' or 'by_duration:' with an ISO 8601 duration such as PT1H",
    readReset,
    { kind: 'latest' },
  ),
  isolationLevel: oneOf('isolation.level', ['readUncommitted', 'readCommitted'], 'readUncommitted', {
    read_uncommitted: 'readUncommitted',
    read_committed: 'readCommitted',
  }),
  fetchMinBytes: byteCount('fetch.min.bytes', 1, { max: 2 ** 31 - 1 }),
  fetchMaxBytes: byteCount('fetch.max.bytes', 52_428_800, { max: 2 ** 31 - 1 }),
  fetchMaxWaitMs: milliseconds('fetch.max.wait.ms', 500),
  maxPartitionFetchBytes: byteCount('max.partition.fetch.bytes', 1_048_576, { max: 2 ** 31 - 1 }),
  prefetchBytesMax: byteCount(null, limits.consumerPrefetchBytes, { min: 1 }),
  prefetchRecordsMax: integer(null, limits.consumerPrefetchRecords, { min: 1 }),
  checkCrcs: flag('check.crcs', true),
  allowAutoCreateTopics: flag('allow.auto.create.topics', true),
  defaultApiTimeoutMs: milliseconds('default.api.timeout.ms', 60_000),
  clientRack: custom('client.rack', 'a string', given => (typeof given === 'string' ? given : undefined), ''),
  onDecodeError: anything<DecodeErrorPolicy>(null, "'fail', 'skip' or a function", isDecodePolicy, 'fail'),
  onAssigned: hook('onAssigned'),
  onRevoked: hook('onRevoked'),
  onLost: hook('onLost'),
  interceptors: anything<readonly ConsumerInterceptor[]>(null, 'a list of interceptors', isInterceptors, []),
}

const hints: { readonly [name: string]: string } = {
  ...commonOptionHints,
  'key.deserializer': 'codecs belong to the topic: topic(name, { key, value })',
  'value.deserializer': 'codecs belong to the topic: topic(name, { key, value })',
  'interceptor.classes': 'it is called interceptors and takes objects',
  topic: 'give it to stream, each, batch or subscribe',
  topics: 'give them to stream, each, batch or subscribe',
  rebalanceTimeout: 'it is called maxPollIntervalMs, as in Java',
  partitionAssigners: 'it is called partitionAssignmentStrategy',
  readUncommitted: "use isolationLevel: 'readUncommitted'",
  allowAutoTopicCreation: 'it is called allowAutoCreateTopics',
  fromBeginning: "use autoOffsetReset: 'earliest'",
}

/** Reads and checks what the user gave; `call` is named in errors. Throws KafkaError ODK_OPTION_UNKNOWN, ODK_OPTION_INVALID or ODK_OPTION_CONFLICT. */
export function readConsumerOptions(given: ConsumerOptions, call = 'createConsumer'): ResolvedConsumerOptions {
  const { options, given: names } = parseOptions(call, table, given, hints)
  if (!names.has('bootstrapServers')) conflict(call, 'bootstrapServers is required: a broker, or host:port')
  if (options.groupId === undefined) {
    if (names.has('enableAutoCommit') && options.enableAutoCommit) conflict(call, 'enableAutoCommit needs a groupId')
    if (options.groupInstanceId !== undefined) conflict(call, 'groupInstanceId needs a groupId')
  }
  if (options.groupProtocol === 'classic' && options.heartbeatIntervalMs >= options.sessionTimeoutMs) {
    conflict(call, 'heartbeatIntervalMs must be less than sessionTimeoutMs, typically a third')
  }
  if (options.groupProtocol === 'classic' && options.groupRemoteAssignor !== undefined) {
    conflict(call, "groupRemoteAssignor needs groupProtocol: 'consumer'")
  }
  if (options.groupProtocol === 'consumer' && names.has('partitionAssignmentStrategy')) {
    conflict(call, "partitionAssignmentStrategy needs groupProtocol: 'classic'; use groupRemoteAssignor")
  }
  if (options.fetchMaxWaitMs > options.requestTimeoutMs)
    conflict(call, 'fetchMaxWaitMs must not exceed requestTimeoutMs')
  return options
}

/** The plain data that the consumer's thread is started with. */
export function consumerInput(options: ResolvedConsumerOptions, link: LinkInput): ConsumerInput {
  return {
    link,
    isolationLevel: options.isolationLevel === 'readCommitted' ? 1 : 0,
    checkCrcs: options.checkCrcs,
    autoOffsetReset: options.autoOffsetReset,
    allowAutoCreateTopics: options.allowAutoCreateTopics,
    fetchMinBytes: options.fetchMinBytes,
    fetchMaxBytes: options.fetchMaxBytes,
    fetchMaxWaitMs: options.fetchMaxWaitMs,
    maxPartitionFetchBytes: options.maxPartitionFetchBytes,
    prefetchBytesMax: options.prefetchBytesMax,
    prefetchRecordsMax: options.prefetchRecordsMax,
    windowBytes: Math.min(limits.consumerWindowBytes, options.prefetchBytesMax),
    clientRack: options.clientRack,
    requestTimeoutMs: options.requestTimeoutMs,
    defaultApiTimeoutMs: options.defaultApiTimeoutMs,
    retryBackoffMs: options.retryBackoffMs,
    retryBackoffMaxMs: options.retryBackoffMaxMs,
    metadataMaxAgeMs: options.metadataMaxAgeMs,
    group: options.groupId === undefined ? null : groupInput(options, options.groupId),
  }
}

function groupInput(options: ResolvedConsumerOptions, groupId: string): GroupInput {
  return {
    groupId,
    groupInstanceId: options.groupInstanceId ?? null,
    groupProtocol: options.groupProtocol,
    partitionAssignmentStrategy: options.partitionAssignmentStrategy.map(choice =>
      typeof choice === 'string' ? choice : { name: choice.name, protocols: choice.supportedProtocols ?? ['EAGER'] },
    ),
    groupRemoteAssignor: options.groupRemoteAssignor ?? null,
    sessionTimeoutMs: options.sessionTimeoutMs,
    heartbeatIntervalMs: options.heartbeatIntervalMs,
    maxPollIntervalMs: options.maxPollIntervalMs,
    autoCommitIntervalMs: options.enableAutoCommit ? options.autoCommitIntervalMs : null,
  }
}

function readAssignors(given: unknown): readonly AssignorChoice[] | undefined {
  const list = typeof given === 'string' ? given.split(',').map(name => name.trim()) : [given].flat()
  if (list.length === 0) return undefined
  const choices = list.map(each => (isPartitionAssignor(each) ? each : builtInName(each)))
  if (!choices.every(choice => choice !== undefined)) return undefined
  const distinct = [...new Set(choices)]
  const names = new Set(distinct.map(choice => (typeof choice === 'string' ? choice : choice.name)))
  return names.size === distinct.length ? distinct : undefined
}

function builtInName(given: unknown): AssignorName | undefined {
  if (isAssignorName(given)) return given
  return typeof given === 'string' && Object.hasOwn(ASSIGNOR_CLASSES, given) ? ASSIGNOR_CLASSES[given] : undefined
}

function readReset(given: unknown): OffsetReset | undefined {
  if (given === 'earliest' || given === 'latest' || given === 'none') return { kind: given }
  if (typeof given !== 'string' || !given.startsWith('by_duration:')) return undefined
  const durationMs = readDuration(given.slice('by_duration:'.length))
  return durationMs === undefined ? undefined : { kind: 'byDuration', durationMs }
}

function isDecodePolicy(given: unknown): boolean {
  return given === 'fail' || given === 'skip' || isFunction(given)
}

function isInterceptors(given: unknown): boolean {
  return Array.isArray(given) && given.every(isObject)
}

function conflict(call: string, message: string): never {
  throw new KafkaError('ODK_OPTION_CONFLICT', `${call}: ${message}`)
}
