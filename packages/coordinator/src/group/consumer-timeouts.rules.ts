// How long members of a consumer group may be silent, how often they report, and how often the group is divided anew: what the group itself says, within the broker's bounds, else the
// broker's own word (Java: GroupConfig.evaluate, GroupMetadataManager.consumerGroupSessionTimeoutMs). Pure.
import type { GroupContext } from './groups.ts'

type Known = Pick<GroupContext, 'settings' | 'groupConfigs'>

/** Ms. */
export function consumerSessionTimeout(groupId: string, { settings, groupConfigs }: Known): number {
  const own = groupConfigs(groupId)['consumer.session.timeout.ms']
  if (own === undefined) return settings.consumerSessionTimeoutMs
  return within(Number(own), settings.consumerSessionTimeoutMinMs, settings.consumerSessionTimeoutMaxMs)
}

/** Ms. */
export function consumerHeartbeatInterval(groupId: string, { settings, groupConfigs }: Known): number {
  const own = groupConfigs(groupId)['consumer.heartbeat.interval.ms']
  if (own === undefined) return settings.consumerHeartbeatIntervalMs
  return within(Number(own), settings.consumerHeartbeatIntervalMinMs, settings.consumerHeartbeatIntervalMaxMs)
}

/** Ms between two computations of the target. */
export function consumerAssignmentInterval(groupId: string, { settings, groupConfigs }: Known): number {
  const own = groupConfigs(groupId)['consumer.assignment.interval.ms']
  if (own === undefined) return settings.consumerAssignmentIntervalMs
  return within(Number(own), settings.consumerAssignmentIntervalMinMs, settings.consumerAssignmentIntervalMaxMs)
}

function within(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(max, value))
}
