// An assignor of the user's own, for the classic protocol (Kafka's ConsumerPartitionAssignor). Its functions run in the thread that made the consumer; the
// membership asks for them across the port (caller-assignors, assignor-answers).
import type { RebalanceProtocol } from '@odradek/shared/client/assignors/assignor'
import { isFunction, isObject } from '@odradek/shared/client/options'
import type { ClusterFacts, GroupMetadata, TopicPartition } from '@odradek/shared/contracts/consumer.contract'

/** Kafka's own, which every client understands under these names (`partition.assignment.strategy`). */
const builtInAssignors = ['range', 'roundrobin', 'sticky', 'cooperative-sticky'] as const

export type AssignorName = (typeof builtInAssignors)[number]

export function isAssignorName(given: unknown): given is AssignorName {
  return (builtInAssignors as readonly unknown[]).includes(given)
}

/**
 * Divides a group's partitions as you like; goes into `partitionAssignmentStrategy`. Every member of the group must offer an assignor of this name. While a
 * function runs (it may be asynchronous) this member's rebalance waits. What one throws reaches the reader as ODK_ASSIGNOR_FAILED, and the member tries again.
 */
export interface PartitionAssignor {
  /** Java: `name()`. Not one of the built-in names. */
  readonly name: string
  /** Java: `supportedProtocols()`. Default `['EAGER']`. A group rebalances COOPERATIVE only when all assignors of its members can. */
  readonly supportedProtocols?: readonly RebalanceProtocol[]
  /** Asked before each join: what the leader's `assign` will see as this member's `userData`. Default none. */
  subscriptionUserData?(topics: readonly string[]): Uint8Array | null | Promise<Uint8Array | null>
  /**
   * Asked of the group's leader only; members by member id. Members that the answer leaves out get nothing. A COOPERATIVE assignor must not give a partition
   * to one member while another still owns it (KIP-429): such an answer is refused.
   */
  assign(
    cluster: AssignorCluster,
    members: ReadonlyMap<string, MemberSubscription>,
  ): GroupAssignment | Promise<GroupAssignment>
  /** Told on every member what the leader gave it, before `onAssigned`. */
  onAssignment?(assignment: MemberAssignment, member: GroupMetadata): void | Promise<void>
}

/** A member as the leader sees it (Java: Subscription). */
export interface MemberSubscription {
  readonly topics: readonly string[]
  /** What it answered to `subscriptionUserData`. */
  readonly userData: Uint8Array | null
  /** What it owns while it joins: nothing under EAGER. */
  readonly ownedPartitions: readonly TopicPartition[]
  /** Generation in which it owned them; -1 unknown. */
  readonly generationId: number
  readonly groupInstanceId: string | null
  /** Its `clientRack`. */
  readonly rackId: string | null
}

/** What the leader knows of the cluster when it assigns (Java: Cluster). */
export interface AssignorCluster {
  readonly brokers: ClusterFacts['brokers']
  /** Topics that some member subscribes to and that exist; partitions by number, `leader` -1 when there is none, `replicas` as node ids. */
  readonly topics: ReadonlyMap<
    string,
    { readonly partitions: readonly { readonly leader: number; readonly replicas: readonly number[] }[] }
  >
}

/** One member's share (Java: Assignment). */
export interface MemberAssignment {
  readonly partitions: readonly TopicPartition[]
  /** For the member's `onAssignment`. Default none. */
  readonly userData?: Uint8Array | null
}

/** By member id. */
export type GroupAssignment = ReadonlyMap<string, MemberAssignment>

const PROTOCOLS: readonly unknown[] = ['EAGER', 'COOPERATIVE']

/** Whether it can be used as an assignor, as far as can be seen without calling it. */
export function isPartitionAssignor(given: unknown): given is PartitionAssignor {
  if (!isObject(given)) return false
  const {
    name,
    assign,
    subscriptionUserData,
    onAssignment,
    supportedProtocols = ['EAGER'],
  } = given as PartitionAssignor
  if (typeof name !== 'string' || name === '' || isAssignorName(name) || !isFunction(assign)) return false
  if (![subscriptionUserData, onAssignment].every(each => each === undefined || isFunction(each))) return false
  return (
    Array.isArray(supportedProtocols) &&
    supportedProtocols.length > 0 &&
    supportedProtocols.every(protocol => PROTOCOLS.includes(protocol))
  )
}
