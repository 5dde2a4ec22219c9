// How long members of a consumer group may be silent, how often they report, and how often the group is divided anew: what the group itself says, within the
// broker's bounds, else the broker's own word (Java: GroupConfig.evaluate, GroupMetadataManager.consumerGroupSessionTimeoutMs). Pure.
import type { GroupContext } from './groups.ts'

type Known = Pick<GroupContext, 'settings' | 'groupConfigs'>

/** Ms. */
export function consumerSessionTimeout(groupId: string, { settings, groupConfigs }: Known): number {
  const { consumerSessionTimeoutMs, consumerSessionTimeoutMinMs, consumerSessionTimeoutMaxMs } = settings
  const own = groupConfigs(groupId)['consumer.session.timeout.ms']
  return within(own, consumerSessionTimeoutMs, [consumerSessionTimeoutMinMs, consumerSessionTimeoutMaxMs])
}

/** Ms. */
export function consumerHeartbeatInterval(groupId: string, { settings, groupConfigs }: Known): number {
  const { consumerHeartbeatIntervalMs, consumerHeartbeatIntervalMinMs, consumerHeartbeatIntervalMaxMs } = settings
  const own = groupConfigs(groupId)['consumer.heartbeat.interval.ms']
  return within(own, consumerHeartbeatIntervalMs, [consumerHeartbeatIntervalMinMs, consumerHeartbeatIntervalMaxMs])
}

/** Ms between two computations of the target. */
export function consumerAssignmentInterval(groupId: string, { settings, groupConfigs }: Known): number {
  const { consumerAssignmentIntervalMs, consumerAssignmentIntervalMinMs, consumerAssignmentIntervalMaxMs } = settings
  const own = groupConfigs(groupId)['consumer.assignment.interval.ms']
  return within(own, consumerAssignmentIntervalMs, [consumerAssignmentIntervalMinMs, consumerAssignmentIntervalMaxMs])
}

function within(own: string | undefined, brokers: number, [min, max]: readonly [number, number]): number {
  return own === undefined ? brokers : Math.max(min, Math.min(max, Number(own)))
}
