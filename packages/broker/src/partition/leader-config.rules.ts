// The topic and broker configs that a partition leader obeys, parsed once from Kafka's spelling. Values were validated where they
// were set; here a value that does not parse is a bug of the caller. Called at start and by `configure`.
import { assert } from '@odradek/shared/base/assert'
import type { CompressionType } from '@odradek/shared/records/compression/compression-type'
import type { CompactionPolicy, LogConfig } from '../log/partition-log.ts'

/** Kafka's names in camelCase. Sizes in bytes, times in milliseconds; -1 = no limit where Kafka allows it. */
export interface LeaderConfig {
  /** `max.message.bytes`: the largest batch, as received and as stored. */
  readonly maxMessageBytes: number
  /** `message.timestamp.type`. */
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  /** `message.timestamp.before.max.ms`: how far behind the leader's clock a record may be. */
  readonly timestampBeforeMaxMs: number
  /** `message.timestamp.after.max.ms`: how far ahead of the leader's clock a record may be. */
  readonly timestampAfterMaxMs: number
  /** `cleanup.policy` contains `compact`: every record needs a key. */
  readonly compacted: boolean
  /** `cleanup.policy` contains `delete`: retention and DeleteRecords apply. */
  readonly deleted: boolean
  /** `compression.type`: what batches are stored as; `producer` keeps what came. */
  readonly compressionType: CompressionType | 'producer'
  /** `retention.ms`. */
  readonly retentionMs: number
  /** `retention.bytes`. */
  readonly retentionBytes: number
  /** `log.retention.check.interval.ms` of the broker. */
  readonly retentionCheckIntervalMs: number
  /** `log.flush.offset.checkpoint.interval.ms` of the broker: how long the last appends of a quiet log wait for a checkpoint. */
  readonly checkpointIntervalMs: number
  /** `producer.id.expiration.ms` of the broker. */
  readonly producerIdExpirationMs: number
  /** `producer.id.expiration.check.interval.ms` of the broker. */
  readonly producerIdExpirationCheckIntervalMs: number
  /** `transaction.partition.verification.enable` of the broker (KIP-890). */
  readonly transactionVerificationEnabled: boolean
  /** `transaction.max.timeout.ms` of the broker: no transaction is meant to stay open longer. */
  readonly transactionMaxTimeoutMs: number
  /** `log.cleaner.backoff.ms` of the broker: how long compaction rests between two looks. */
  readonly cleanerBackoffMs: number
  /** What compaction obeys, but for the time. */
  readonly compaction: Omit<CompactionPolicy, 'now' | 'decompressedBytesMax'>
  /** What the log itself obeys. */
  readonly log: LogConfig
}

/** Kafka 4.x's defaults for what a leader reads. */
const DEFAULTS: { readonly [name: string]: string } = {
  'max.message.bytes': '1048588',
  'message.timestamp.type': 'CreateTime',
  'message.timestamp.before.max.ms': '9223372036854775807',
  'message.timestamp.after.max.ms': '3600000',
  'cleanup.policy': 'delete',
  'compression.type': 'producer',
  'retention.ms': '604800000',
  'retention.bytes': '-1',
  'segment.bytes': '1073741824',
  'segment.ms': '604800000',
  'min.cleanable.dirty.ratio': '0.5',
  'min.compaction.lag.ms': '0',
  'max.compaction.lag.ms': '9223372036854775807',
  'delete.retention.ms': '86400000',
  'log.cleaner.backoff.ms': '15000',
  'log.cleaner.dedupe.buffer.size': '134217728',
  'flush.messages': '9223372036854775807',
  'flush.ms': '9223372036854775807',
  'log.retention.check.interval.ms': '300000',
  'log.flush.offset.checkpoint.interval.ms': '60000',
  'producer.id.expiration.ms': '86400000',
  'producer.id.expiration.check.interval.ms': '600000',
  'transaction.partition.verification.enable': 'true',
  'transaction.max.timeout.ms': '900000',
}

/** The broker configs among them: whoever starts a leader adds their values to the topic's. */
export const leaderBrokerConfigs: readonly string[] = [
  'log.retention.check.interval.ms',
  'log.flush.offset.checkpoint.interval.ms',
  'log.cleaner.backoff.ms',
  'log.cleaner.dedupe.buffer.size',
  'producer.id.expiration.ms',
  'producer.id.expiration.check.interval.ms',
  'transaction.partition.verification.enable',
  'transaction.max.timeout.ms',
]

/** Parses the effective configs of a topic; what is missing has Kafka's default, what a leader does not read is ignored. */
export function parseLeaderConfig(configs: { readonly [name: string]: string }): LeaderConfig {
  const text = (name: string) => configs[name] ?? DEFAULTS[name]!
  const integer = (name: string) => parseInteger(name, text(name))
  const policies = text('cleanup.policy')
    .split(',')
    .map(policy => policy.trim())
  const compacted = policies.includes('compact')
  // Java: LogConfig.segmentSize.
  const segmentBytes = integer('internal.segment.bytes' in configs ? 'internal.segment.bytes' : 'segment.bytes')
  const maxCompactionLagMs = integer('max.compaction.lag.ms')
  return {
    maxMessageBytes: integer('max.message.bytes'),
    timestampType: oneOf('message.timestamp.type', text('message.timestamp.type'), TIMESTAMP_TYPES),
    timestampBeforeMaxMs: integer('message.timestamp.before.max.ms'),
    timestampAfterMaxMs: integer('message.timestamp.after.max.ms'),
    compacted,
    deleted: policies.includes('delete'),
    compressionType: parseCompressionType(text('compression.type')),
    retentionMs: integer('retention.ms'),
    retentionBytes: integer('retention.bytes'),
    retentionCheckIntervalMs: integer('log.retention.check.interval.ms'),
    checkpointIntervalMs: integer('log.flush.offset.checkpoint.interval.ms'),
    producerIdExpirationMs: integer('producer.id.expiration.ms'),
    producerIdExpirationCheckIntervalMs: integer('producer.id.expiration.check.interval.ms'),
    transactionVerificationEnabled: text('transaction.partition.verification.enable') === 'true',
    transactionMaxTimeoutMs: integer('transaction.max.timeout.ms'),
    cleanerBackoffMs: integer('log.cleaner.backoff.ms'),
    compaction: {
      minCleanableDirtyRatio: Number(text('min.cleanable.dirty.ratio')),
      minCompactionLagMs: integer('min.compaction.lag.ms'),
      maxCompactionLagMs,
      deleteRetentionMs: integer('delete.retention.ms'),
      segmentBytes,
      keyBytesMax: integer('log.cleaner.dedupe.buffer.size'),
    },
    log: {
      segmentBytes,
      // The active segment is never compacted: it must end before its first record is too old (Java: LogConfig.maxSegmentMs).
      segmentMs: compacted ? Math.min(integer('segment.ms'), maxCompactionLagMs) : integer('segment.ms'),
      flushMessages: integer('flush.messages'),
      flushMs: integer('flush.ms'),
    },
  }
}

const TIMESTAMP_TYPES = ['CreateTime', 'LogAppendTime'] as const
const COMPRESSION_TYPES = ['producer', 'uncompressed', 'none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

function parseCompressionType(text: string): CompressionType | 'producer' {
  const type = oneOf('compression.type', text, COMPRESSION_TYPES)
  return type === 'uncompressed' ? 'none' : type
}

/** Kafka's Long.MAX_VALUE and everything beyond what a number holds exactly means "no limit": Infinity compares as it should. */
function parseInteger(name: string, text: string): number {
  const value = Number(text)
  assert(text.trim() !== '' && Number.isInteger(value), `config ${name} is an integer, not '${text}'`)
  return value > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : value
}

function oneOf<const T extends string>(name: string, text: string, choices: readonly T[]): T {
  const found = choices.find(choice => choice === text)
  assert(found !== undefined, `config ${name} is one of ${choices.join(', ')}, not '${text}'`)
  return found
}
