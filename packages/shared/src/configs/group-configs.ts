// Group configs of Kafka 4.3 (Java: GroupConfig), per group; the broker configs behind them give the defaults.
import { config, configTable } from './config-spec.ts'

const acts = true

export const groupConfigs = configTable([
  config(
    'consumer.assignment.interval.ms',
    'int',
    0,
    'How long the target of a consumer group stays before it is computed anew, in milliseconds.',
    {
      acts,
      valid: { min: 0 },
      synonym: 'group.consumer.assignment.interval.ms',
    },
  ),
  config(
    'consumer.heartbeat.interval.ms',
    'int',
    5_000,
    'How often members of a consumer group report, in milliseconds.',
    {
      acts,
      valid: { min: 1 },
      synonym: 'group.consumer.heartbeat.interval.ms',
    },
  ),
  config(
    'consumer.session.timeout.ms',
    'int',
    45_000,
    'After how much silence a member of a consumer group is removed, in milliseconds.',
    {
      acts,
      valid: { min: 1 },
      synonym: 'group.consumer.session.timeout.ms',
    },
  ),
  config(
    'share.assignment.interval.ms',
    'int',
    1_000,
    'How long the target of a share group stays before it is computed anew, in milliseconds.',
    { valid: { min: 0 } },
  ),
  config(
    'share.auto.offset.reset',
    'string',
    'latest',
    'Where a share group begins without a position: earliest, latest or by_duration:P...',
    { valid: { notEmpty: true } },
  ),
  config(
    'share.delivery.count.limit',
    'int',
    5,
    'How often a record is offered to a share group before it is given up.',
    { valid: { min: 2 } },
  ),
  config('share.heartbeat.interval.ms', 'int', 5_000, 'How often members of a share group report, in milliseconds.', {
    valid: { min: 1 },
  }),
  config(
    'share.isolation.level',
    'string',
    'read_uncommitted',
    'Whether a share group sees undecided and aborted records.',
    {
      valid: { oneOf: ['read_committed', 'read_uncommitted'] },
    },
  ),
  config(
    'share.partition.max.record.locks',
    'int',
    2_000,
    'The most records of one partition that members of a share group may hold.',
    { valid: { min: 100 } },
  ),
  config(
    'share.record.lock.duration.ms',
    'int',
    30_000,
    'How long a share group member holds a record, in milliseconds.',
    { valid: { min: 1_000 } },
  ),
  config(
    'share.renew.acknowledge.enable',
    'boolean',
    true,
    'Whether members of a share group may hold a record for longer.',
  ),
  config(
    'share.session.timeout.ms',
    'int',
    45_000,
    'After how much silence a member of a share group is removed, in milliseconds.',
    { valid: { min: 1 } },
  ),
  config(
    'streams.assignment.interval.ms',
    'int',
    1_000,
    'How long the target of a streams group stays before it is computed anew, in milliseconds.',
    { valid: { min: 0 } },
  ),
  config(
    'streams.heartbeat.interval.ms',
    'int',
    5_000,
    'How often members of a streams group report, in milliseconds.',
    { valid: { min: 1 } },
  ),
  config(
    'streams.initial.rebalance.delay.ms',
    'int',
    3_000,
    'How long a new streams group waits for more members, in milliseconds.',
    { valid: { min: 0 } },
  ),
  config('streams.num.standby.replicas', 'int', 0, "Standby copies of a streams group's state.", { valid: { min: 0 } }),
  config(
    'streams.session.timeout.ms',
    'int',
    45_000,
    'After how much silence a member of a streams group is removed, in milliseconds.',
    { valid: { min: 1 } },
  ),
])
