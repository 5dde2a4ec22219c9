// A group of the consumer protocol (KIP-848) as data. All of it is durable: it changes by replay alone (`replay.ts`). The coordinator
// divides the partitions itself and leads each member from what it has to what it should have, one heartbeat at a time.
//
//   group epoch        grows with every change of members, subscriptions or topics
//   assignment epoch   the group epoch that the target assignment was computed for
//   member epoch       how far the member has come: equal to the assignment epoch once it is reconciled

/** Partitions by topic id. */
export type Partitions = ReadonlyMap<string, ReadonlySet<number>>

/** Partitions by topic id, each with the member epoch in which it was assigned (KIP-1251). */
export type OwnedPartitions = ReadonlyMap<string, ReadonlyMap<number, number>>

/**
 * Java: MemberState. Stable: reconciled with the target of its epoch. UnrevokedPartitions: it has to give some up first.
 * UnreleasedPartitions: it waits for others to give some up.
 */
export type ConsumerMemberState = 'Stable' | 'UnrevokedPartitions' | 'UnreleasedPartitions' | 'Unknown'

/** Of a member that speaks the classic protocol in a consumer group (upgrade and downgrade). */
export interface ClassicProtocolFacts {
  readonly sessionTimeoutMs: number
  readonly supportedProtocols: readonly { readonly name: string; readonly metadata: Uint8Array }[]
}

/** Replaced, never changed. */
export interface ConsumerMember {
  readonly memberId: string
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  /** Null: the group's choice. */
  readonly serverAssignor: string | null
  readonly subscribedTopicNames: readonly string[]
  /** Null or empty: none. */
  readonly subscribedTopicRegex: string | null
  readonly classic: ClassicProtocolFacts | null
  /** 0 until it was first reconciled; -2: a static member that left for a while. */
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  readonly state: ConsumerMemberState
  readonly assigned: OwnedPartitions
  readonly pendingRevocation: OwnedPartitions
}

/** A regular expression that members subscribe to, as it was last resolved. */
export interface ResolvedPattern {
  readonly topics: readonly string[]
  /** Of the topics (`Topics.version`) that it was resolved with; -1: loaded from the log. */
  readonly version: number
}

export interface ConsumerGroup {
  readonly type: 'consumer'
  readonly groupId: string
  groupEpoch: number
  /** Hash over subscribed topics and their partitions: another one means a new epoch (KIP-1101). */
  metadataHash: number
  assignmentEpoch: number
  /** When the target of that epoch was computed. */
  assignmentTimestampMs: number
  readonly members: Map<string, ConsumerMember>
  /** Member ids by instance id. */
  readonly staticMembers: Map<string, string>
  /** By member id. */
  readonly targetAssignment: Map<string, Partitions>
  /** Who has a partition, or has not confirmed that it gave it up: `topicId:partition` to member id. */
  readonly owners: Map<string, string>
  readonly patterns: Map<string, ResolvedPattern>
}

export const NO_PARTITIONS: Partitions = new Map()
export const NO_OWNED_PARTITIONS: OwnedPartitions = new Map()

/** Member epoch of a static member that left for a while (KIP-848). */
export const LEAVE_STATIC_EPOCH = -2
export const LEAVE_EPOCH = -1

export function emptyConsumerGroup(groupId: string): ConsumerGroup {
  return {
    type: 'consumer',
    groupId,
    groupEpoch: 0,
    metadataHash: 0,
    assignmentEpoch: 0,
    assignmentTimestampMs: 0,
    members: new Map(),
    staticMembers: new Map(),
    targetAssignment: new Map(),
    owners: new Map(),
    patterns: new Map(),
  }
}

/** A member that nobody has heard of yet. */
export function newConsumerMember(memberId: string): ConsumerMember {
  return {
    memberId,
    instanceId: null,
    rackId: null,
    clientId: '',
    clientHost: '',
    rebalanceTimeoutMs: -1,
    serverAssignor: null,
    subscribedTopicNames: [],
    subscribedTopicRegex: null,
    classic: null,
    memberEpoch: 0,
    previousMemberEpoch: -1,
    state: 'Stable',
    assigned: NO_OWNED_PARTITIONS,
    pendingRevocation: NO_OWNED_PARTITIONS,
  }
}

export function ownerKey(topicId: string, partition: number): string {
  return `${topicId}:${partition}`
}

/** Java: ConsumerGroup.ConsumerGroupState. */
export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable'

export function consumerGroupState({ members, groupEpoch, assignmentEpoch }: ConsumerGroup): ConsumerGroupState {
  if (members.size === 0) return 'Empty'
  if (groupEpoch > assignmentEpoch) return 'Assigning'
  for (const { state, memberEpoch } of members.values()) {
    if (state !== 'Stable' || memberEpoch !== assignmentEpoch) return 'Reconciling'
  }
  return 'Stable'
}

export function topicsOfMember(group: ConsumerGroup, member: ConsumerMember): ReadonlySet<string> {
  const pattern = member.subscribedTopicRegex ? group.patterns.get(member.subscribedTopicRegex) : undefined
  return new Set([...member.subscribedTopicNames, ...(pattern?.topics ?? [])])
}

export function isSubscribed(group: ConsumerGroup, topic: string): boolean {
  for (const member of group.members.values()) if (topicsOfMember(group, member).has(topic)) return true
  return false
}

/** Records name sets of partitions as lists. */
export function partitionsOf(
  list: readonly { readonly topicId: string; readonly partitions: readonly number[] }[],
): Partitions {
  return new Map(list.map(({ topicId, partitions }) => [topicId, new Set(partitions)]))
}

export function partitionList(partitions: ReadonlyMap<string, ReadonlySet<number> | ReadonlyMap<number, number>>) {
  return [...partitions].map(([topicId, set]) => ({ topicId, partitions: [...set.keys()].sort((a, b) => a - b) }))
}

/** Same partitions; epochs are not looked at. */
export function samePartitions(
  a: ReadonlyMap<string, ReadonlySet<number> | ReadonlyMap<number, number>>,
  b: ReadonlyMap<string, ReadonlySet<number> | ReadonlyMap<number, number>>,
): boolean {
  if (a.size !== b.size) return false
  for (const [topicId, partitions] of a) {
    const others = b.get(topicId)
    if (others === undefined || others.size !== partitions.size) return false
    for (const partition of partitions.keys()) if (!others.has(partition)) return false
  }
  return true
}
