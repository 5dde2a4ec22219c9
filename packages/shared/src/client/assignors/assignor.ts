// What a partition assignor is: used by the leader of a classic group (the client) and, where the algorithm is the same, by tests of the
// coordinator. Assignors are pure: same members and topics, same assignment, on every machine.

export interface AssignorPartition {
  readonly topic: string
  readonly partition: number
}

/** A member as the leader of a group sees it. */
export interface AssignorMember {
  readonly memberId: string
  /** Static members are ordered by it, so that they keep their place when they come back under another member id. */
  readonly groupInstanceId: string | null
  readonly topics: readonly string[]
  /** What it owned before; only cooperative and sticky members say. */
  readonly ownedPartitions: readonly AssignorPartition[]
  /** Generation in which it owned them; -1 unknown. */
  readonly generationId: number
  readonly rackId: string | null
  readonly userData: Uint8Array | null
}

/** A topic that exists. `racks`: per partition the racks of its replicas; null when the cluster names no racks. */
export interface AssignorTopic {
  readonly partitions: number
  readonly racks?: readonly (readonly string[])[] | null
}

export interface AssignorInput {
  readonly members: readonly AssignorMember[]
  /** Topics that exist, by name. */
  readonly topics: ReadonlyMap<string, AssignorTopic>
}

/** By member id, for every member. */
export type Assignment = Map<string, AssignorPartition[]>

/** EAGER members give everything up before they join, COOPERATIVE ones only what the new assignment takes (KIP-429). */
export type RebalanceProtocol = 'EAGER' | 'COOPERATIVE'

/** What a member that rejoins tells its assignor. */
export interface MemberMemory {
  readonly ownedPartitions: readonly AssignorPartition[]
  readonly generationId: number
}

export interface Assignor {
  /** As in `partition.assignment.strategy` and JoinGroup. */
  readonly name: string
  readonly protocols: readonly RebalanceProtocol[]
  /** Called by the group's leader. */
  assign(input: AssignorInput): Assignment
  /** User data for the subscription; `memory` is the last assignment. Default: none. */
  userData?(memory: MemberMemory): Uint8Array | null
}
