// Broker configs about topics and their logs, Kafka 4.3 (Java: ServerLogConfigs, CleanerConfig, ReplicationConfigs): mostly the defaults of topic configs.
import { type ConfigSpec, config, DAY_MS, HOUR_MS, LONG_MAX, MIB } from './config-spec.ts'

const acts = true
const readOnly = 'read-only'
const clusterWide = 'cluster-wide'

export const brokerLogConfigs: readonly ConfigSpec[] = [
  config('auto.create.topics.enable', 'boolean', true, 'Whether a client that names an unknown topic creates it.', {
    acts,
    importance: 'high',
    update: readOnly,
  }),
  config('compression.type', 'string', 'producer', 'Default of the topic config compression.type.', {
    importance: 'high',
    update: clusterWide,
    valid: { oneOf: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'] },
  }),
  config('compression.gzip.level', 'int', -1, 'Default of the topic config compression.gzip.level.', {
    update: clusterWide,
    valid: { min: -1, max: 9, except: 0 },
  }),
  config('compression.lz4.level', 'int', 9, 'Default of the topic config compression.lz4.level.', {
    update: clusterWide,
    valid: { min: 1, max: 17 },
  }),
  config('compression.zstd.level', 'int', 3, 'Default of the topic config compression.zstd.level.', {
    update: clusterWide,
    valid: { min: -131_072, max: 22 },
  }),
  config('default.replication.factor', 'int', 1, 'Replicas of a topic that does not say how many.', {
    acts,
    update: readOnly,
    valid: { min: 1 },
  }),
  config('delete.topic.enable', 'boolean', true, 'Whether topics may be deleted.', {
    acts,
    importance: 'high',
    update: readOnly,
  }),
  config(
    'log.cleaner.backoff.ms',
    'long',
    15_000,
    'How long compaction rests when there is nothing to do, in milliseconds.',
    { acts, update: clusterWide, valid: { min: 0 } },
  ),
  config(
    'log.cleaner.dedupe.buffer.size',
    'long',
    128 * MIB,
    'Memory that compaction of one log may use for keys, in bytes; with less it takes more rounds.',
    { acts, update: clusterWide },
  ),
  config('log.cleaner.delete.retention.ms', 'long', DAY_MS, 'Default of the topic config delete.retention.ms.', {
    acts,
    update: clusterWide,
    valid: { min: 0 },
  }),
  config('log.cleaner.max.compaction.lag.ms', 'long', LONG_MAX, 'Default of the topic config max.compaction.lag.ms.', {
    acts,
    update: clusterWide,
    valid: { min: 1 },
  }),
  config('log.cleaner.min.cleanable.ratio', 'double', 0.5, 'Default of the topic config min.cleanable.dirty.ratio.', {
    acts,
    update: clusterWide,
    valid: { min: 0, max: 1 },
  }),
  config('log.cleaner.min.compaction.lag.ms', 'long', 0, 'Default of the topic config min.compaction.lag.ms.', {
    acts,
    update: clusterWide,
    valid: { min: 0 },
  }),
  config('log.cleaner.threads', 'int', 1, 'Threads that compact logs.', { update: clusterWide, valid: { min: 0 } }),
  config('log.cleanup.policy', 'list', 'delete', 'Default of the topic config cleanup.policy.', {
    acts,
    update: clusterWide,
    valid: { oneOf: ['compact', 'delete'] },
  }),
  config('log.dir', 'list', '/tmp/kafka-logs', 'Where logs lie when log.dirs is not given.', {
    importance: 'high',
    update: readOnly,
    valid: { notEmpty: true },
  }),
  config('log.dirs', 'list', null, 'Where logs lie.', {
    acts,
    importance: 'high',
    update: readOnly,
    valid: { notEmpty: true },
  }),
  config('log.flush.interval.messages', 'long', LONG_MAX, 'Default of the topic config flush.messages.', {
    acts,
    importance: 'high',
    update: clusterWide,
    valid: { min: 1 },
  }),
  config(
    'log.flush.interval.ms',
    'long',
    null,
    'Default of the topic config flush.ms; without it, log.flush.scheduler.interval.ms.',
    { acts, importance: 'high', update: clusterWide },
  ),
  config(
    'log.flush.scheduler.interval.ms',
    'long',
    LONG_MAX,
    'How often logs are looked at for a flush by time, in milliseconds.',
    { acts, importance: 'high', update: readOnly },
  ),
  config(
    'log.flush.offset.checkpoint.interval.ms',
    'int',
    60_000,
    'How long appends of a log that went quiet wait for a checkpoint, which bounds what power loss may take, in milliseconds.',
    { acts, importance: 'high', update: readOnly, valid: { min: 0 } },
  ),
  config('log.index.interval.bytes', 'int', 4_096, 'Default of the topic config index.interval.bytes.', {
    update: clusterWide,
    valid: { min: 0 },
  }),
  config('log.index.size.max.bytes', 'int', 10 * MIB, 'Default of the topic config segment.index.bytes.', {
    update: clusterWide,
    valid: { min: 4 },
  }),
  config('log.local.retention.bytes', 'long', -2, 'Default of the topic config local.retention.bytes.', {
    update: clusterWide,
    valid: { min: -2 },
  }),
  config('log.local.retention.ms', 'long', -2, 'Default of the topic config local.retention.ms.', {
    update: clusterWide,
    valid: { min: -2 },
  }),
  config(
    'log.message.timestamp.after.max.ms',
    'long',
    HOUR_MS,
    'Default of the topic config message.timestamp.after.max.ms.',
    { acts, update: clusterWide, valid: { min: 0 } },
  ),
  config(
    'log.message.timestamp.before.max.ms',
    'long',
    LONG_MAX,
    'Default of the topic config message.timestamp.before.max.ms.',
    { acts, update: clusterWide, valid: { min: 0 } },
  ),
  config('log.message.timestamp.type', 'string', 'CreateTime', 'Default of the topic config message.timestamp.type.', {
    acts,
    update: clusterWide,
    valid: { oneOf: ['CreateTime', 'LogAppendTime'] },
  }),
  config('log.preallocate', 'boolean', false, 'Default of the topic config preallocate.', { update: clusterWide }),
  config('log.retention.bytes', 'long', -1, 'Default of the topic config retention.bytes.', {
    acts,
    importance: 'high',
    update: clusterWide,
  }),
  config(
    'log.retention.check.interval.ms',
    'long',
    300_000,
    'How often logs are looked at for retention, in milliseconds.',
    { acts, update: readOnly, valid: { min: 1 } },
  ),
  config(
    'log.retention.hours',
    'int',
    168,
    'Default of the topic config retention.ms, in hours, when neither minutes nor milliseconds are given.',
    { acts, importance: 'high', update: readOnly },
  ),
  config(
    'log.retention.minutes',
    'int',
    null,
    'Default of the topic config retention.ms, in minutes, when no milliseconds are given.',
    { acts, importance: 'high', update: readOnly },
  ),
  config('log.retention.ms', 'long', null, 'Default of the topic config retention.ms; -1 for ever.', {
    acts,
    importance: 'high',
    update: clusterWide,
  }),
  config(
    'log.roll.hours',
    'int',
    168,
    'Default of the topic config segment.ms, in hours, when log.roll.ms is not given.',
    { acts, importance: 'high', update: readOnly, valid: { min: 1 } },
  ),
  config('log.roll.jitter.hours', 'int', 0, 'Default of the topic config segment.jitter.ms, in hours.', {
    acts,
    importance: 'high',
    update: readOnly,
    valid: { min: 0 },
  }),
  config('log.roll.jitter.ms', 'long', null, 'Default of the topic config segment.jitter.ms.', {
    acts,
    importance: 'high',
    update: clusterWide,
  }),
  config('log.roll.ms', 'long', null, 'Default of the topic config segment.ms.', {
    acts,
    importance: 'high',
    update: clusterWide,
  }),
  config('log.segment.bytes', 'int', 1024 * MIB, 'Default of the topic config segment.bytes.', {
    acts,
    importance: 'high',
    update: clusterWide,
    valid: { min: MIB },
  }),
  config('log.segment.delete.delay.ms', 'long', 60_000, 'Default of the topic config file.delete.delay.ms.', {
    importance: 'high',
    update: clusterWide,
    valid: { min: 0 },
  }),
  config('message.max.bytes', 'int', 1_048_588, 'Default of the topic config max.message.bytes.', {
    acts,
    importance: 'high',
    update: clusterWide,
    valid: { min: 0 },
  }),
  config('min.insync.replicas', 'int', 1, 'Default of the topic config min.insync.replicas.', {
    acts,
    importance: 'high',
    update: clusterWide,
    valid: { min: 1 },
  }),
  config('num.partitions', 'int', 1, 'Partitions of a topic that does not say how many.', {
    acts,
    update: readOnly,
    valid: { min: 1 },
  }),
  config(
    'unclean.leader.election.enable',
    'boolean',
    false,
    'Default of the topic config unclean.leader.election.enable.',
    { importance: 'high', update: clusterWide },
  ),
]
