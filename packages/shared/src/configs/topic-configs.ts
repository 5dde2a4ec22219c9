// Every topic config of Kafka 4.3 (Java: TopicConfig, LogConfig, QuotaConfig). Those marked `acts` change what our leaders do; the
// others (tiered storage, replication, file layout of Kafka's own logs) are accepted, stored and described.
import { config, configTable, DAY_MS, HOUR_MS, INT_MAX, LONG_MAX, MIB } from './config-spec.ts'

const acts = true

export const topicConfigs = configTable([
  config(
    'cleanup.policy',
    'list',
    'delete',
    'What happens to old segments: delete drops them by age and size, compact keeps the last record per key; both may be given.',
    {
      acts,
      valid: { oneOf: ['compact', 'delete'] },
      synonym: 'log.cleanup.policy',
    },
  ),
  config(
    'compression.type',
    'string',
    'producer',
    'Codec in which the log holds batches: producer keeps what was sent, uncompressed takes compression off.',
    {
      valid: { oneOf: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'] },
      synonym: 'compression.type',
    },
  ),
  config(
    'compression.gzip.level',
    'int',
    -1,
    "Level when compression.type is gzip: 1 (fast) to 9 (small), -1 for the codec's own default.",
    {
      valid: { min: -1, max: 9, except: 0 },
      synonym: 'compression.gzip.level',
    },
  ),
  config('compression.lz4.level', 'int', 9, 'Level when compression.type is lz4: 1 (fast) to 17 (small).', {
    valid: { min: 1, max: 17 },
    synonym: 'compression.lz4.level',
  }),
  config('compression.zstd.level', 'int', 3, 'Level when compression.type is zstd: -131072 (fast) to 22 (small).', {
    valid: { min: -131_072, max: 22 },
    synonym: 'compression.zstd.level',
  }),
  config(
    'delete.retention.ms',
    'long',
    DAY_MS,
    'How long compaction keeps tombstones, in milliseconds; a reader that starts at the beginning has this long to see them.',
    {
      acts,
      valid: { min: 0 },
      synonym: 'log.cleaner.delete.retention.ms',
    },
  ),
  config('file.delete.delay.ms', 'long', 60_000, 'How long a removed file stays on disk, in milliseconds.', {
    valid: { min: 0 },
    synonym: 'log.segment.delete.delay.ms',
  }),
  config(
    'flush.messages',
    'long',
    LONG_MAX,
    'After how many records the log is forced to disk. 1: every acknowledged record survives a power loss.',
    {
      acts,
      valid: { min: 1 },
      synonym: 'log.flush.interval.messages',
    },
  ),
  config('flush.ms', 'long', LONG_MAX, 'After how many milliseconds what was written is forced to disk.', {
    acts,
    valid: { min: 0 },
    synonym: [{ name: 'log.flush.interval.ms' }, { name: 'log.flush.scheduler.interval.ms' }],
  }),
  config(
    'follower.replication.throttled.replicas',
    'list',
    '',
    'Followers whose replication is throttled: * or partition:broker pairs.',
  ),
  config(
    'index.interval.bytes',
    'int',
    4_096,
    "Bytes between two entries of Kafka's offset index. Our logs are indexed by themselves.",
    {
      valid: { min: 0 },
      synonym: 'log.index.interval.bytes',
    },
  ),
  config(
    'leader.replication.throttled.replicas',
    'list',
    '',
    'Leaders whose replication is throttled: * or partition:broker pairs.',
  ),
  config(
    'local.retention.bytes',
    'long',
    -2,
    'Tiered storage: bytes of a partition that stay local; -2 means retention.bytes.',
    {
      valid: { min: -2 },
      synonym: 'log.local.retention.bytes',
    },
  ),
  config(
    'local.retention.ms',
    'long',
    -2,
    'Tiered storage: milliseconds that segments stay local; -2 means retention.ms.',
    {
      valid: { min: -2 },
      synonym: 'log.local.retention.ms',
    },
  ),
  config('max.compaction.lag.ms', 'long', LONG_MAX, 'The longest that a record stays uncompacted, in milliseconds.', {
    acts,
    valid: { min: 1 },
    synonym: 'log.cleaner.max.compaction.lag.ms',
  }),
  config('max.message.bytes', 'int', 1_048_588, 'The largest record batch that is accepted, in bytes, as it is sent.', {
    acts,
    valid: { min: 0 },
    synonym: 'message.max.bytes',
  }),
  config(
    'message.timestamp.after.max.ms',
    'long',
    HOUR_MS,
    "How far ahead of the broker a record's time may be, in milliseconds (CreateTime only).",
    {
      acts,
      valid: { min: 0 },
      synonym: 'log.message.timestamp.after.max.ms',
    },
  ),
  config(
    'message.timestamp.before.max.ms',
    'long',
    LONG_MAX,
    "How far behind the broker a record's time may be, in milliseconds (CreateTime only).",
    {
      acts,
      valid: { min: 0 },
      synonym: 'log.message.timestamp.before.max.ms',
    },
  ),
  config(
    'message.timestamp.type',
    'string',
    'CreateTime',
    "Whose time a record has: the producer's (CreateTime) or the leader's at append (LogAppendTime).",
    {
      acts,
      valid: { oneOf: ['CreateTime', 'LogAppendTime'] },
      synonym: 'log.message.timestamp.type',
    },
  ),
  config(
    'min.cleanable.dirty.ratio',
    'double',
    0.5,
    'How much of a log must be uncompacted before compaction starts, from 0 to 1.',
    {
      acts,
      valid: { min: 0, max: 1 },
      synonym: 'log.cleaner.min.cleanable.ratio',
    },
  ),
  config('min.compaction.lag.ms', 'long', 0, 'The least that a record stays uncompacted, in milliseconds.', {
    acts,
    valid: { min: 0 },
    synonym: 'log.cleaner.min.compaction.lag.ms',
  }),
  config(
    'min.insync.replicas',
    'int',
    1,
    'How many replicas must have a record before acks=all is answered; more than there are brokers refuses such writes.',
    {
      acts,
      valid: { min: 1 },
      synonym: 'min.insync.replicas',
    },
  ),
  config('preallocate', 'boolean', false, 'Whether files are made in full size at once.', {
    synonym: 'log.preallocate',
  }),
  config(
    'remote.log.copy.disable',
    'boolean',
    false,
    'Tiered storage: no more copying, what is remote stays readable.',
  ),
  config(
    'remote.log.delete.on.disable',
    'boolean',
    false,
    'Tiered storage: remote data is deleted when it is switched off.',
  ),
  config('remote.storage.enable', 'boolean', false, 'Tiered storage for this topic.'),
  config(
    'retention.bytes',
    'long',
    -1,
    'How large a partition may grow before old segments are dropped, in bytes; -1 for no limit.',
    {
      acts,
      synonym: 'log.retention.bytes',
    },
  ),
  config(
    'retention.ms',
    'long',
    7 * DAY_MS,
    'How long records are kept before their segment is dropped, in milliseconds; -1 for ever.',
    {
      acts,
      valid: { min: -1 },
      synonym: [
        { name: 'log.retention.ms' },
        { name: 'log.retention.minutes', factor: 60_000 },
        { name: 'log.retention.hours', factor: HOUR_MS },
      ],
    },
  ),
  config(
    'segment.bytes',
    'int',
    1024 * MIB,
    'How large a segment may grow, in bytes. Retention and compaction work on whole segments.',
    {
      acts,
      valid: { min: MIB },
      synonym: 'log.segment.bytes',
    },
  ),
  config(
    'segment.index.bytes',
    'int',
    10 * MIB,
    "Size of Kafka's offset index, in bytes. Our logs are indexed by themselves.",
    {
      valid: { min: 4 },
      synonym: 'log.index.size.max.bytes',
    },
  ),
  config(
    'segment.jitter.ms',
    'long',
    0,
    'At most this many milliseconds are taken off segment.ms, by chance, so that not all logs roll at once.',
    {
      acts,
      valid: { min: 0 },
      synonym: [{ name: 'log.roll.jitter.ms' }, { name: 'log.roll.jitter.hours', factor: HOUR_MS }],
    },
  ),
  config('segment.ms', 'long', 7 * DAY_MS, 'How old a segment may grow before a new one begins, in milliseconds.', {
    acts,
    valid: { min: 1 },
    synonym: [{ name: 'log.roll.ms' }, { name: 'log.roll.hours', factor: HOUR_MS }],
  }),
  config(
    'unclean.leader.election.enable',
    'boolean',
    false,
    'Whether a replica that is not in sync may become leader, with loss of data.',
    {
      synonym: 'unclean.leader.election.enable',
    },
  ),
  config('internal.segment.bytes', 'int', null, 'Size of a segment below what segment.bytes allows; for tests.', {
    acts,
    valid: { min: 1, max: INT_MAX },
  }),
])
