// What the admin tells of groups.
import type { PartitionId } from './records-admin.ts'

/** `unknown`: the broker is too old to say. */
export type GroupType = 'classic' | 'consumer' | 'share' | 'streams' | 'unknown'

export interface GroupListing {
  readonly groupId: string
  readonly type: GroupType
  /** `consumer` for consumers, `connect` for Kafka Connect; '' when the group holds only offsets. */
  readonly protocolType: string
  /** In Kafka's words: Stable, Empty, PreparingRebalance, ...; '' when the broker is too old to say. */
  readonly state: string
}

export interface GroupMember {
  readonly memberId: string
  /** Of a static member (KIP-345). */
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly host: string
  readonly rackId: string | null
  /** Null in a classic group. */
  readonly memberEpoch: number | null
  readonly assignment: readonly PartitionId[]
  /** What the coordinator wants it to have; null in a classic group. */
  readonly targetAssignment: readonly PartitionId[] | null
  /** Whether it speaks the consumer protocol (KIP-848); null when the broker does not say. */
  readonly isUpgraded: boolean | null
}

export interface GroupDescription {
  readonly groupId: string
  readonly type: 'classic' | 'consumer'
  readonly state: string
  readonly protocolType: string
  /** Partition assignor; '' without members. */
  readonly assignor: string
  /** Null in a classic group. */
  readonly groupEpoch: number | null
  /** Null in a classic group. */
  readonly targetAssignmentEpoch: number | null
  readonly coordinator: { readonly nodeId: number; readonly host: string; readonly port: number }
  readonly members: readonly GroupMember[]
}

export interface CommittedOffset extends PartitionId {
  /** Where the group goes on. */
  readonly offset: bigint
  /** -1 unknown. */
  readonly leaderEpoch: number
  readonly metadata: string
}

export interface OffsetReset extends PartitionId {
  readonly offset: bigint | number
  /** -1 (default): unknown. */
  readonly leaderEpoch?: number
  readonly metadata?: string
}
