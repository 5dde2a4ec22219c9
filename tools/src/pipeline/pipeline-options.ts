// The options of a pipeline: its own, and what it hands on to its consumers and producers. Read and checked at the door.
import type { ConsumerOptions } from '@odradek/consumer/consumer-options'
import { onErrorOption } from '@odradek/consumer/handler-failure-choice'
import type { ProducerOptions } from '@odradek/producer/options'
import { KafkaError } from '@odradek/shared/base/errors'
import { limits } from '@odradek/shared/base/limits'
import {
  type BootstrapServers,
  type ClusterOptions,
  type TlsOption,
  tlsOption,
} from '@odradek/shared/client/common-options'
import {
  anything,
  custom,
  integer,
  isAbortSignal,
  isObject,
  type OptionTable,
  parseOptions,
  text,
} from '@odradek/shared/client/options'
import { readSasl, SASL_EXPECTED, type SaslOption } from '@odradek/shared/client/sasl-option'
import type { CommitEvery } from './pipeline.rules.ts'
import type { OnError } from './pipeline-function.ts'

export interface PipelineOptions {
  /** Where both topics are: an embedded broker, or `'host:port,...'`. */
  readonly bootstrapServers: BootstrapServers
  /** As of every client: TLS for brokers over TCP. */
  readonly tls?: TlsOption
  /** As of every client: credentials for brokers over TCP. */
  readonly sasl?: SaslOption
  /**
   * `transactional.id` of its producer; a module's threads add `-0`, `-1`, ... to it. One per running instance, the same over its restarts: a second instance with the same id ends the first.
   */
  readonly transactionalId: string
  /** Group of its consumers. Instances of one pipeline share it, and share the partitions. */
  readonly groupId: string
  /** When a transaction is committed: after so many records read, or `{ records, ms }`, whichever comes first. Default 1000 records, 100 ms. */
  readonly commitEvery?: number | Partial<CommitEvery>
  /** Threads, for a pipeline in a module. Default 1. More than there are partitions: the rest stands by. */
  readonly threads?: number
  /**
   * What is done about a record for which the function throws: `stop` (default), `skip`, `retry` (the transaction is undone and read again after a wait), or a
   * function that chooses (a module exports it as `onError` instead).
   */
  readonly onError?: OnError
  /** Options of its consumers, such as `maxPollIntervalMs`. Not those that make it exactly once. */
  readonly consumer?: Partial<ConsumerOptions>
  /** Options of its producers, such as `compressionType`. `batchSize` is 131072 unless given: a transaction without keys goes to one partition. */
  readonly producer?: Partial<ProducerOptions>
  /** Ends it, as `close` does. */
  readonly signal?: AbortSignal
}

interface ResolvedPipelineOptions {
  readonly bootstrapServers: BootstrapServers
  readonly tls: TlsOption
  readonly sasl: SaslOption | undefined
  readonly transactionalId: string | undefined
  readonly groupId: string | undefined
  readonly commitEvery: CommitEvery
  readonly threads: number
  readonly onError: OnError
  readonly consumer: Partial<ConsumerOptions>
  readonly producer: Partial<ProducerOptions>
  readonly signal: AbortSignal | undefined
}

/** Checked: what is required is there. */
export type ReadPipelineOptions = ResolvedPipelineOptions & {
  readonly cluster: ClusterOptions
  readonly transactionalId: string
  readonly groupId: string
}

const DEFAULT_EVERY: CommitEvery = { records: 1_000, ms: 100 }

const table: OptionTable<ResolvedPipelineOptions> = {
  bootstrapServers: anything<BootstrapServers>(
    'bootstrap.servers',
    "a broker, 'host:port,...', or a list of 'host:port'",
    given => isObject(given) || typeof given === 'string' || Array.isArray(given),
    '',
  ),
  tls: tlsOption,
  sasl: anything<SaslOption | undefined>(null, SASL_EXPECTED, given => readSasl(given) !== undefined, undefined),
  transactionalId: text('transactional.id'),
  groupId: text('group.id'),
  commitEvery: custom<CommitEvery>(
    null,
    'a number of records, or { records, ms }, at least 1 each',
    readEvery,
    DEFAULT_EVERY,
  ),
  threads: integer(null, 1, { min: 1, max: limits.moduleThreadsMax }),
  onError: onErrorOption<OnError>(),
  consumer: anything<Partial<ConsumerOptions>>(null, 'an object of consumer options', isObject, {}),
  producer: anything<Partial<ProducerOptions>>(null, 'an object of producer options', isObject, {}),
  signal: anything<AbortSignal | undefined>(null, 'an AbortSignal', isAbortSignal, undefined),
}

/** What makes it exactly once is not up for choice. */
const FIXED = {
  consumer: [
    'groupId',
    'enableAutoCommit',
    'isolationLevel',
    'onAssigned',
    'onRevoked',
    'onLost',
    'bootstrapServers',
    'tls',
    'sasl',
  ],
  producer: ['transactionalId', 'enableIdempotence', 'acks', 'bootstrapServers', 'tls', 'sasl'],
} as const

/** Throws KafkaError ODK_OPTION_UNKNOWN, ODK_OPTION_INVALID, ODK_OPTION_MISSING or ODK_OPTION_CONFLICT. */
export function readPipelineOptions(given: PipelineOptions): ReadPipelineOptions {
  const { options } = parseOptions('pipeline', table, given, {})
  const { transactionalId, groupId, bootstrapServers, tls, sasl } = options
  if (bootstrapServers === '') missing('bootstrapServers')
  for (const part of ['consumer', 'producer'] as const) {
    const fixed = FIXED[part].find(name => name in options[part])
    if (fixed === undefined) continue
    const where = fixed in table ? `; give ${fixed} beside ${part}` : ''
    throw new KafkaError('ODK_OPTION_CONFLICT', `pipeline: ${part}.${fixed} is set by the pipeline itself${where}`)
  }
  return {
    ...options,
    cluster: { bootstrapServers, tls, ...(sasl && { sasl }) },
    transactionalId: transactionalId ?? missing('transactionalId'),
    groupId: groupId ?? missing('groupId'),
  }
}

function readEvery(given: unknown): CommitEvery | undefined {
  const { records = DEFAULT_EVERY.records, ms = DEFAULT_EVERY.ms } = (
    isObject(given) ? given : { records: given }
  ) as Partial<CommitEvery>
  return Number.isInteger(records) && records >= 1 && Number.isInteger(ms) && ms >= 1 ? { records, ms } : undefined
}

function missing(name: string): never {
  throw new KafkaError('ODK_OPTION_MISSING', `pipeline: ${name} is missing`)
}
