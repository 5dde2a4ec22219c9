// How long members of a consumer group may be silent and how often they report: what the group itself says, within the broker's bounds, else the
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

function within(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(max, value))
}
