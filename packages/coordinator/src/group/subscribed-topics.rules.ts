// What a consumer group subscribes to, and when that has become something else: a hash over names, ids and partition counts (KIP-1101). Pure.
import { type ConsumerGroup, topicsOfMember } from './consumer-group.ts'
import type { Topics } from './topic-view.ts'

/** Names of all topics that members subscribe to, existing or not. */
function subscribedTopics(group: ConsumerGroup): Set<string> {
  const names = new Set<string>()
  for (const member of group.members.values()) for (const topic of topicsOfMember(group, member)) names.add(topic)
  return names
}

/** 0 while no subscribed topic exists. Fits a JS number exactly (52 bits). */
export function metadataHashOf(group: ConsumerGroup, topics: Topics): number {
  let low = 0x811c9dc5
  let high = 0x01000193
  let isEmpty = true
  for (const name of [...subscribedTopics(group)].sort()) {
    const facts = topics.byName(name)
    if (facts === undefined) continue
    isEmpty = false
    const text = `${facts.topicId} ${facts.partitions} ${name}\n`
    for (let at = 0; at < text.length; at++) {
      low = Math.imul(low ^ text.charCodeAt(at), 0x01000193)
      high = Math.imul(high ^ text.charCodeAt(at), 0x85ebca6b) ^ (low >>> 15)
    }
  }
  return isEmpty ? 0 : (high >>> 12) * 2 ** 32 + (low >>> 0)
}
