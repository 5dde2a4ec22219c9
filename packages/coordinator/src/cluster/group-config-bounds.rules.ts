// What a group's own configs may be: within the broker's bounds, and sessions longer than heartbeats (Java: GroupConfig.validate). Only the
// consumer protocol's are checked, as only they act here. Pure.
import { ApiError } from './api-error.ts'

const timings = ['heartbeat.interval.ms', 'session.timeout.ms']
const assignmentInterval = 'assignment.interval.ms'

export interface GroupConfigValues {
  /** Whether the group itself says it, with what is about to change. */
  readonly isOwn: (name: string) => boolean
  /** In force for the group, with what is about to change; by Kafka's name of a group config. */
  readonly group: (name: string) => number
  /** In force on the broker. */
  readonly broker: (name: string) => number
}

/** Throws INVALID_CONFIG, in Kafka's words. */
export function checkGroupBounds({ isOwn, group, broker }: GroupConfigValues): void {
  const bounded = isOwn(`consumer.${assignmentInterval}`) ? [...timings, assignmentInterval] : timings
  for (const timing of bounded) {
    const name = `consumer.${timing}`
    const [min, max] = [`group.consumer.min.${timing}`, `group.consumer.max.${timing}`]
    if (group(name) < broker(min)) throw refused(`${name} must be greater than or equal to ${min}`)
    if (group(name) > broker(max)) throw refused(`${name} must be less than or equal to ${max}`)
  }
  const [heartbeat, session] = timings.map(timing => `consumer.${timing}`) as [string, string]
  if (group(session) <= group(heartbeat)) throw refused(`${session} must be greater than ${heartbeat}`)
}

function refused(message: string): ApiError {
  return new ApiError('INVALID_CONFIG', message)
}
