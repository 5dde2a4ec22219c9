// The consumer protocol's metadata of classic groups: what members and their leader put into JoinGroup and SyncGroup (Kafka's ConsumerProtocol).
import {
  consumerProtocolAssignment,
  consumerProtocolSubscription,
} from '../../protocol/stored/consumer-protocol.records.ts'
import { decodeVersionedLenient, encodeVersioned } from '../../protocol/stored/versioned.ts'
import type { AssignorMember, AssignorPartition } from './assignor.ts'

const VERSION = 3

/** What a member says of itself when it joins. */
export type SubscriptionFacts = Pick<
  AssignorMember,
  'topics' | 'ownedPartitions' | 'generationId' | 'rackId' | 'userData'
>

export function encodeSubscription({
  topics,
  ownedPartitions,
  generationId,
  rackId,
  userData,
}: SubscriptionFacts): Uint8Array {
  return encodeVersioned(consumerProtocolSubscription, VERSION, {
    topics: [...topics].sort(),
    userData,
    ownedPartitions: byTopic(ownedPartitions),
    generationId,
    rackId,
  })
}

/** Throws ProtocolError for what is no subscription of any version. */
export function decodeSubscription(bytes: Uint8Array): SubscriptionFacts {
  const read = decodeVersionedLenient(consumerProtocolSubscription, bytes)
  return {
    topics: read.topics,
    userData: read.userData,
    ownedPartitions: flat(read.ownedPartitions),
    generationId: read.generationId,
    rackId: read.rackId,
  }
}

export function encodeAssignment(
  partitions: readonly AssignorPartition[],
  userData: Uint8Array | null = null,
): Uint8Array {
  return encodeVersioned(consumerProtocolAssignment, VERSION, { assignedPartitions: byTopic(partitions), userData })
}

/** What the leader gave to one member. */
export interface MemberShare {
  readonly partitions: readonly AssignorPartition[]
  readonly userData: Uint8Array | null
}

/** Empty bytes are an empty assignment: what the coordinator gives to members that the leader left out. */
export function decodeShare(bytes: Uint8Array): MemberShare {
  if (bytes.length === 0) return { partitions: [], userData: null }
  const { assignedPartitions, userData } = decodeVersionedLenient(consumerProtocolAssignment, bytes)
  return { partitions: flat(assignedPartitions), userData }
}

export function decodeAssignment(bytes: Uint8Array): readonly AssignorPartition[] {
  return decodeShare(bytes).partitions
}

function byTopic(partitions: readonly AssignorPartition[]): { topic: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of partitions) {
    const list = topics.get(topic)
    if (list === undefined) topics.set(topic, [partition])
    else list.push(partition)
  }
  return [...topics].map(([topic, list]) => ({ topic, partitions: list }))
}

function flat(
  topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
): AssignorPartition[] {
  return topics.flatMap(({ topic, partitions }) => partitions.map(partition => ({ topic, partition })))
}
