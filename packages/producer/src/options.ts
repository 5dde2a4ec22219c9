// The options of a producer: names, defaults and meaning of the Java producer (4.x), checked at the door.
import { KafkaError } from '@odradek/shared/base/errors'
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
  milliseconds,
  type OptionTable,
  oneOf,
  parseOptions,
  text,
} from '@odradek/shared/client/options'
import type { CompressionType } from '@odradek/shared/records/compression/compression-type'
import type { SenderPolicy } from './sender-policy.ts'

/** What a partitioner of your own is given. Return a partition in 0..partitionCount - 1. */
export interface PartitionerInput {
  readonly topic: string
  /** Encoded; null when the record has none. A view, valid during the call. */
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly partitionCount: number
  /** Partitions that have a leader now. */
  readonly available: readonly number[]
}

export type PartitionerFunction = (input: PartitionerInput) => number
export type Partitioner = 'default' | 'roundRobin' | PartitionerFunction

/** Sees every record and its outcome; what it throws is logged and ignored (`ProducerInterceptor`). */
export interface ProducerInterceptor {
  /** Returns the record to send instead; before key and value are encoded. */
  onSend?(topic: string, record: InterceptedRecord): InterceptedRecord
  /** Called once per record, before its promise settles. */
  onAcknowledgement?(outcome: {
    readonly topic: string
    readonly partition: number
    /** -1 when it is not known. */
    readonly offset: bigint
    readonly timestamp: number
    readonly error: KafkaError | null
  }): void
}

/** A record as an interceptor sees it. */
export interface InterceptedRecord {
  readonly key?: unknown
  readonly value: unknown
  readonly partition?: number
  readonly timestamp?: number
  readonly headers?: HeadersInput
}

/** Headers: pairs in order (keys may repeat), or an object. Text becomes UTF-8. */
export type HeadersInput = readonly (readonly [string, HeaderValue])[] | { readonly [key: string]: HeaderValue }
export type HeaderValue = Uint8Array | string | null

export interface ProducerOptions extends CommonClientOptions {
  /** Acknowledgements of a send: `'all'` (default) all in-sync replicas, 1 the leader, 0 none (`acks`). */
  readonly acks?: 'all' | 0 | 1 | -1
  /** No duplicates and no reordering through retries (`enable.idempotence`). Default true, unless other options given exclude it. */
  readonly enableIdempotence?: boolean
  /** Largest batch of a partition, bytes, before compression (`batch.size`). Default 16384. */
  readonly batchSize?: number
  /** How long a batch that is not full waits for more records (`linger.ms`). Default 5; 0: until the end of the turn. */
  readonly lingerMs?: number
  /** Bytes of records that may wait or be in flight (`buffer.memory`). Default 33554432. */
  readonly bufferMemory?: number
  /** Longest wait for room in `bufferMemory`, for metadata, and of transactional calls (`max.block.ms`). Default 60000. */
  readonly maxBlockMs?: number
  /** Largest record, and largest Produce request with several partitions, bytes (`max.request.size`). Default 1048576. */
  readonly maxRequestSize?: number
  /** From `send` to acknowledgement or failure (`delivery.timeout.ms`); at least lingerMs + requestTimeoutMs. Default 120000. */
  readonly deliveryTimeoutMs?: number
  /** Most repetitions of a request with a batch (`retries`). Default 2147483647. */
  readonly retries?: number
  /** Name under which transactions survive restarts and fence older producers (`transactional.id`). Implies idempotence. */
  readonly transactionalId?: string
  /** The coordinator aborts a transaction that is open longer (`transaction.timeout.ms`). Default 60000. */
  readonly transactionTimeoutMs?: number
  /** Requests without a reply per connection (`max.in.flight.requests.per.connection`); at most 5 with idempotence. Default 5. */
  readonly maxInFlightRequestsPerConnection?: number
  /** Codec of batches (`compression.type`). Default 'none'. */
  readonly compressionType?: CompressionType
  /** Level of that codec (`compression.gzip.level`, `compression.zstd.level`, ...); default the codec's own. */
  readonly compressionLevel?: number
  /** `'default'`: by key (murmur2), sticky without; `'roundRobin'`; or a function (`partitioner.class`). */
  readonly partitioner?: Partitioner
  /** Records with keys are spread like those without (`partitioner.ignore.keys`). Default false. */
  readonly partitionerIgnoreKeys?: boolean
  /** Records without key prefer partitions with short queues (`partitioner.adaptive.partitioning.enable`). Default true. */
  readonly partitionerAdaptivePartitioningEnable?: boolean
  /** See and may replace each record, in this order (`interceptor.classes`, as objects). Default none. */
  readonly interceptors?: readonly ProducerInterceptor[]
}

/** All options with values. */
export interface ResolvedProducerOptions extends ResolvedCommonOptions {
  readonly acks: 0 | 1 | -1
  readonly enableIdempotence: boolean
  readonly batchSize: number
  readonly lingerMs: number
  readonly bufferMemory: number
  readonly maxBlockMs: number
  readonly maxRequestSize: number
  readonly deliveryTimeoutMs: number
  readonly retries: number
  readonly transactionalId: string | undefined
  readonly transactionTimeoutMs: number
  readonly maxInFlightRequestsPerConnection: number
  readonly compressionType: CompressionType
  readonly compressionLevel: number | undefined
  readonly partitioner: Partitioner
  readonly partitionerIgnoreKeys: boolean
  readonly partitionerAdaptivePartitioningEnable: boolean
  readonly interceptors: readonly ProducerInterceptor[]
}

const INT32_MAX = 2 ** 31 - 1
const MIB = 1024 * 1024

const table: OptionTable<ResolvedProducerOptions> = {
  ...commonOptions('odradek-producer'),
  acks: custom<0 | 1 | -1>('acks', "'all', 1 or 0", readAcks, -1),
  enableIdempotence: flag('enable.idempotence', true),
  batchSize: byteCount('batch.size', 16_384, { max: INT32_MAX }),
  lingerMs: milliseconds('linger.ms', 5),
  bufferMemory: byteCount('buffer.memory', 32 * MIB),
  maxBlockMs: milliseconds('max.block.ms', 60_000),
  maxRequestSize: byteCount('max.request.size', MIB, { max: INT32_MAX }),
  deliveryTimeoutMs: milliseconds('delivery.timeout.ms', 120_000),
  retries: integer('retries', INT32_MAX),
  transactionalId: text('transactional.id'),
  transactionTimeoutMs: milliseconds('transaction.timeout.ms', 60_000),
  maxInFlightRequestsPerConnection: integer('max.in.flight.requests.per.connection', 5, { min: 1 }),
  compressionType: oneOf<CompressionType>('compression.type', ['none', 'gzip', 'snappy', 'lz4', 'zstd'], 'none'),
  compressionLevel: custom<number | undefined>(
    null,
    'an integer',
    given => (Number.isInteger(given) ? (given as number) : undefined),
    undefined,
  ),
  partitioner: custom<Partitioner>(
    'partitioner.class',
    "'default', 'roundRobin' or a function",
    readPartitioner,
    'default',
  ),
  partitionerIgnoreKeys: flag('partitioner.ignore.keys', false),
  partitionerAdaptivePartitioningEnable: flag('partitioner.adaptive.partitioning.enable', true),
  interceptors: anything<readonly ProducerInterceptor[]>(
    'interceptor.classes',
    'a list of interceptors',
    Array.isArray,
    [],
  ),
}

const hints: { readonly [name: string]: string } = {
  ...commonOptionHints,
  'key.serializer': 'codecs belong to the topic: topic(name, { key, value })',
  'value.serializer': 'codecs belong to the topic: topic(name, { key, value })',
  keySerializer: 'codecs belong to the topic: topic(name, { key, value })',
  valueSerializer: 'codecs belong to the topic: topic(name, { key, value })',
  'compression.gzip.level': 'use compressionLevel',
  'compression.lz4.level': 'use compressionLevel',
  'compression.zstd.level': 'use compressionLevel',
  compression: 'it is called compressionType',
  idempotent: 'it is called enableIdempotence',
  maxInFlightRequests: 'it is called maxInFlightRequestsPerConnection',
  createPartitioner: 'it is called partitioner',
  allowAutoTopicCreation: 'topics are created if the broker allows it: auto.create.topics.enable',
  topic: 'give it to send',
  groupId: 'it belongs to a consumer',
}

/** Reads and checks what the user gave, and how options fit together (`ProducerConfig.postProcessAndValidateIdempotenceConfigs`). */
export function readProducerOptions(given: ProducerOptions): ResolvedProducerOptions {
  const parsed = parseOptions('createProducer', table, given, hints)
  const { options } = parsed
  const enableIdempotence = idempotence(options, parsed.given)
  const deliveryTimeoutMs = deliveryTimeout(options, parsed.given)
  return { ...options, enableIdempotence, deliveryTimeoutMs }
}

/** On by default; off when other options that were given exclude it; a conflict when it was asked for all the same. */
function idempotence(options: ResolvedProducerOptions, given: ReadonlySet<string>): boolean {
  if (!options.enableIdempotence) {
    if (options.transactionalId === undefined) return false
    throw new KafkaError('ODK_OPTION_CONFLICT', 'createProducer: transactionalId needs enableIdempotence')
  }
  const obstacle =
    options.acks !== -1
      ? `acks ${options.acks}`
      : options.retries === 0
        ? 'retries 0'
        : options.maxInFlightRequestsPerConnection > 5
          ? `maxInFlightRequestsPerConnection ${options.maxInFlightRequestsPerConnection}`
          : undefined
  if (obstacle === undefined) return true
  const wish = options.transactionalId !== undefined ? 'transactionalId' : 'enableIdempotence'
  if (given.has(wish)) {
    throw new KafkaError('ODK_OPTION_CONFLICT', `createProducer: ${wish} does not go with ${obstacle}`)
  }
  return false
}

function deliveryTimeout(options: ResolvedProducerOptions, given: ReadonlySet<string>): number {
  const least = Math.min(options.lingerMs + options.requestTimeoutMs, INT32_MAX)
  if (options.deliveryTimeoutMs >= least) return options.deliveryTimeoutMs
  if (!given.has('deliveryTimeoutMs')) return least
  throw new KafkaError(
    'ODK_OPTION_CONFLICT',
    `createProducer: deliveryTimeoutMs must be at least lingerMs + requestTimeoutMs (${least}), got ${options.deliveryTimeoutMs}`,
  )
}

/** The part of the options that crosses to the sender. */
export function senderPolicyOf(options: ResolvedProducerOptions): SenderPolicy {
  return {
    idempotent: options.enableIdempotence,
    transactionalId: options.transactionalId ?? null,
    transactionTimeoutMs: options.transactionTimeoutMs,
    retries: options.retries,
    retryBackoffMs: options.retryBackoffMs,
    retryBackoffMaxMs: options.retryBackoffMaxMs,
    requestTimeoutMs: options.requestTimeoutMs,
    maxInFlightRequestsPerConnection: options.maxInFlightRequestsPerConnection,
    maxRequestSize: options.maxRequestSize,
    compressionType: options.compressionType,
    compressionLevel: options.compressionLevel,
    metadataMaxAgeMs: options.metadataMaxAgeMs,
  }
}

/** `'all'`, `'1'`, 0 ... as Kafka's number, or undefined. */
export function readAcks(given: unknown): 0 | 1 | -1 | undefined {
  switch (String(given)) {
    case 'all':
    case '-1':
      return -1
    case '0':
      return 0
    case '1':
      return 1
    default:
      return undefined
  }
}

function readPartitioner(given: unknown): Partitioner | undefined {
  if (isFunction(given)) return given as Partitioner
  if (given === 'default' || given === 'roundRobin') return given
  return given === 'org.apache.kafka.clients.producer.RoundRobinPartitioner' ? 'roundRobin' : undefined
}
