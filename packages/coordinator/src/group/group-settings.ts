// What users configured of groups, read once when the shard starts (Java: GroupCoordinatorConfig). Pure.
import { brokerConfigs } from '@odradek/shared/configs/broker-configs'

export type MigrationPolicy = 'disabled' | 'downgrade' | 'upgrade' | 'bidirectional'

export interface GroupSettings {
  /** `group.min.session.timeout.ms`, `group.max.session.timeout.ms`: what classic members may ask for. */
  readonly sessionTimeoutMinMs: number
  readonly sessionTimeoutMaxMs: number
  /** `group.initial.rebalance.delay.ms` */
  readonly initialRebalanceDelayMs: number
  /** `group.max.size` */
  readonly classicSizeMax: number
  /** `group.coordinator.rebalance.protocols` names `consumer`. */
  readonly consumerProtocolEnabled: boolean
  /** `group.consumer.max.size` */
  readonly consumerSizeMax: number
  /** `group.consumer.session.timeout.ms`; a group's own config goes first. */
  readonly consumerSessionTimeoutMs: number
  /** `group.consumer.min.session.timeout.ms`, `group.consumer.max.session.timeout.ms`: what a group's own config may say. */
  readonly consumerSessionTimeoutMinMs: number
  readonly consumerSessionTimeoutMaxMs: number
  /** `group.consumer.heartbeat.interval.ms`; a group's own config goes first. */
  readonly consumerHeartbeatIntervalMs: number
  /** `group.consumer.min.heartbeat.interval.ms`, `group.consumer.max.heartbeat.interval.ms` */
  readonly consumerHeartbeatIntervalMinMs: number
  readonly consumerHeartbeatIntervalMaxMs: number
  /** `group.consumer.assignment.interval.ms`; a group's own config goes first. */
  readonly consumerAssignmentIntervalMs: number
  /** `group.consumer.min.assignment.interval.ms`, `group.consumer.max.assignment.interval.ms` */
  readonly consumerAssignmentIntervalMinMs: number
  readonly consumerAssignmentIntervalMaxMs: number
  /** `group.consumer.assignors`, the default first. */
  readonly consumerAssignors: readonly string[]
  /** `group.consumer.migration.policy` */
  readonly migrationPolicy: MigrationPolicy
  /** `offset.metadata.max.bytes` */
  readonly offsetMetadataMax: number
  /** `offsets.retention.minutes`, in ms. */
  readonly offsetsRetentionMs: number
  /** `offsets.retention.check.interval.ms` */
  readonly offsetsCheckIntervalMs: number
}

/** Of the effective broker configs; what they do not name has Kafka's default. */
export function groupSettings(configs: { readonly [name: string]: string }): GroupSettings {
  const text = (name: string) => configs[name] ?? brokerConfigs.get(name)!.defaultValue!
  const number = (name: string) => Number(text(name))
  const list = (name: string) =>
    text(name)
      .split(',')
      .map(item => item.trim())
      .filter(item => item !== '')
  return {
    sessionTimeoutMinMs: number('group.min.session.timeout.ms'),
    sessionTimeoutMaxMs: number('group.max.session.timeout.ms'),
    initialRebalanceDelayMs: number('group.initial.rebalance.delay.ms'),
    classicSizeMax: number('group.max.size'),
    consumerProtocolEnabled: list('group.coordinator.rebalance.protocols').includes('consumer'),
    consumerSizeMax: number('group.consumer.max.size'),
    consumerSessionTimeoutMs: number('group.consumer.session.timeout.ms'),
    consumerSessionTimeoutMinMs: number('group.consumer.min.session.timeout.ms'),
    consumerSessionTimeoutMaxMs: number('group.consumer.max.session.timeout.ms'),
    consumerHeartbeatIntervalMs: number('group.consumer.heartbeat.interval.ms'),
    consumerHeartbeatIntervalMinMs: number('group.consumer.min.heartbeat.interval.ms'),
    consumerHeartbeatIntervalMaxMs: number('group.consumer.max.heartbeat.interval.ms'),
    consumerAssignmentIntervalMs: number('group.consumer.assignment.interval.ms'),
    consumerAssignmentIntervalMinMs: number('group.consumer.min.assignment.interval.ms'),
    consumerAssignmentIntervalMaxMs: number('group.consumer.max.assignment.interval.ms'),
    consumerAssignors: list('group.consumer.assignors'),
    migrationPolicy: text('group.consumer.migration.policy').toLowerCase() as MigrationPolicy,
    offsetMetadataMax: number('offset.metadata.max.bytes'),
    offsetsRetentionMs: number('offsets.retention.minutes') * 60_000,
    offsetsCheckIntervalMs: number('offsets.retention.check.interval.ms'),
  }
}
