// What a server-side assignor is (KIP-848; Java: PartitionAssignor of group-coordinator-api). Assignors are pure: the same members and topics make
// the same assignment, so a coordinator that was restarted moves nothing.
import { rangeAssignor } from './range.ts'
import { uniformAssignor } from './uniform.ts'

/** A member as an assignor sees it. */
export interface AssignedMember {
  readonly memberId: string
  /** Static members keep their place in the order when they come back under another id. */
  readonly instanceId: string | null
  /** Ids of the topics that it subscribes to and that exist. */
  readonly topics: ReadonlySet<string>
  /** What it should have had until now. */
  readonly target: ReadonlyMap<string, ReadonlySet<number>>
}

export interface AssignmentSpec {
  readonly members: readonly AssignedMember[]
  /** Partitions by topic id, of every topic that somebody subscribes to. */
  readonly topics: ReadonlyMap<string, number>
}

/** By member id, for every member: partitions by topic id. */
export type TargetAssignment = Map<string, Map<string, Set<number>>>

export type ServerAssignor = (spec: AssignmentSpec) => TargetAssignment

/** By name in `group.consumer.assignors`. */
export const serverAssignors: { readonly [name: string]: ServerAssignor } = {
  uniform: uniformAssignor,
  range: rangeAssignor,
}
