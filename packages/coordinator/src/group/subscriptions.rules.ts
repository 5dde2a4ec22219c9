// What members of classic groups subscribe to, as far as the coordinator looks inside their metadata: it does so for consumers only, to
// protect offsets that are in use (KIP-496). Pure.
import {
  type ConsumerProtocolSubscription,
  consumerProtocolSubscription,
} from '@odradek/shared/protocol/stored/consumer-protocol.records'
import { decodeVersionedLenient } from '@odradek/shared/protocol/stored/versioned'
import { type ClassicGroup, CONSUMER_PROTOCOL_TYPE } from './classic-group.ts'

const NO_TOPICS: ReadonlySet<string> = new Set()

/** The topics of all members; null: unknown, because they are no consumers or speak a dialect. */
export function subscribedTopicsOf({ protocolType, protocolName, members }: ClassicGroup): ReadonlySet<string> | null {
  if (protocolType !== CONSUMER_PROTOCOL_TYPE) return null
  if (members.size === 0) return NO_TOPICS
  const topics = new Set<string>()
  for (const { protocols } of members.values()) {
    const chosen = protocols.find(({ name }) => name === protocolName)
    const subscription = chosen === undefined ? null : readSubscription(chosen.metadata)
    if (subscription === null) return null
    for (const topic of subscription.topics) topics.add(topic)
  }
  return topics
}

/** Null for what is no subscription of any version. */
export function readSubscription(metadata: Uint8Array): ConsumerProtocolSubscription | null {
  try {
    return decodeVersionedLenient(consumerProtocolSubscription, metadata)
  } catch {
    return null
  }
}

/** Whether the group reads the topic now, so that its offsets must stay (Java: ClassicGroup.isSubscribedToTopic). */
export function isClassicSubscribed({ subscribedTopics, protocolType }: ClassicGroup, topic: string): boolean {
  return subscribedTopics === null ? protocolType === CONSUMER_PROTOCOL_TYPE : subscribedTopics.has(topic)
}
