// What a member of a consumer group that speaks the classic protocol is given in SyncGroup: its partitions, framed as the leader of a classic group would. Pure.
import { consumerProtocolAssignment } from '@odradek/shared/protocol/stored/consumer-protocol.records'
import { encodeVersioned } from '@odradek/shared/protocol/stored/versioned'
import { type ConsumerMember, partitionList } from './consumer-group.ts'
import type { Topics } from './topic-view.ts'

const VERSION_MAX = 3

/** In the version of the member's own subscription. */
export function consumerAssignmentBytes({ assigned, classic }: ConsumerMember, topics: Topics): Uint8Array {
  const metadata = classic?.supportedProtocols[0]?.metadata ?? new Uint8Array(2)
  const version = Math.max(0, Math.min(VERSION_MAX, (metadata[0]! << 8) | metadata[1]!))
  const assignedPartitions = partitionList(assigned).flatMap(({ topicId, partitions }) => {
    const topic = topics.byId(topicId)?.topic
    return topic === undefined ? [] : [{ topic, partitions }]
  })
  return encodeVersioned(consumerProtocolAssignment, version, { assignedPartitions, userData: null })
}
