// What the group coordinator's answers mean to a member of a classic group (Kafka's AbstractCoordinator), and how assignments differ. Pure.
import type { TopicPartition } from '@odradek/shared/contracts/consumer.contract'
import { errors } from '@odradek/shared/protocol/error-codes'
import { among, nameOf } from './partition-names.rules.ts'

/**
 * `retry`: again after a wait; `refind`: the coordinator moved or is gone; `again`: at once, with the member id that was given (KIP-394);
 * `rebalance`: the group is rebalancing, join; `lost`: the member is not known (any more) under this id, what it owned is lost; `outdated`: the group is in another
 * generation, what the member owned is lost, but its id may still be good (Kafka's resetStateOnResponseError keeps it, so that the group need not wait for a
 * member that will never come); `fatal`: nothing helps.
 */
export type MembershipVerdict = 'ok' | 'retry' | 'refind' | 'again' | 'rebalance' | 'lost' | 'outdated' | 'fatal'

export function membershipVerdict(errorCode: number): MembershipVerdict {
  switch (errorCode) {
    case errors.NONE.code:
      return 'ok'
    case errors.COORDINATOR_LOAD_IN_PROGRESS.code:
      return 'retry'
    case errors.COORDINATOR_NOT_AVAILABLE.code:
    case errors.NOT_COORDINATOR.code:
    case errors.REQUEST_TIMED_OUT.code:
      return 'refind'
    case errors.MEMBER_ID_REQUIRED.code:
      return 'again'
    case errors.REBALANCE_IN_PROGRESS.code:
      return 'rebalance'
    case errors.UNKNOWN_MEMBER_ID.code:
      return 'lost'
    case errors.ILLEGAL_GENERATION.code:
      return 'outdated'
    default:
      return 'fatal'
  }
}

export interface AssignmentDifference {
  readonly revoked: readonly TopicPartition[]
  readonly added: readonly TopicPartition[]
}

/** What goes and what comes between two assignments. */
export function assignmentDifference(
  owned: readonly TopicPartition[],
  assigned: readonly TopicPartition[],
): AssignmentDifference {
  const [have, want] = [among(owned), among(assigned)]
  return {
    revoked: owned.filter(partition => !want(partition)),
    added: assigned.filter(partition => !have(partition)),
  }
}

/** Partitions of topics that the member does not subscribe any more: a cooperative member revokes them before it joins. */
export function unsubscribed(owned: readonly TopicPartition[], topics: readonly string[]): readonly TopicPartition[] {
  return owned.filter(({ topic }) => !topics.includes(topic))
}

/**
 * Partitions that an assignment gives to one member while another, which has not revoked them, still owns them: a COOPERATIVE assignor must leave
 * them out until the next round (Kafka's validateCooperativeAssignment).
 */
export function takenTooEarly(
  members: readonly { readonly memberId: string; readonly ownedPartitions: readonly TopicPartition[] }[],
  shares: readonly { readonly memberId: string; readonly partitions: readonly TopicPartition[] }[],
): readonly TopicPartition[] {
  const owned = new Map(members.map(member => [member.memberId, new Set(member.ownedPartitions.map(nameOf))]))
  const all = new Set([...owned.values()].flatMap(names => [...names]))
  return shares.flatMap(({ memberId, partitions }) =>
    partitions.filter(partition => all.has(nameOf(partition)) && !owned.get(memberId)?.has(nameOf(partition))),
  )
}

/** Partitions that have an owner, and that the assignment gives to nobody: the next round does, when they were given up (KIP-429). */
export function withheld(
  members: readonly { readonly ownedPartitions: readonly TopicPartition[] }[],
  shares: readonly { readonly partitions: readonly TopicPartition[] }[],
): readonly TopicPartition[] {
  const isGiven = among(shares.flatMap(({ partitions }) => partitions))
  return members.flatMap(({ ownedPartitions }) => ownedPartitions).filter(owned => !isGiven(owned))
}

/** Names that a subscription stands for. Internal topics are left out of patterns (`exclude.internal.topics`). */
export function matchingTopics(
  subscription: {
    readonly topics: readonly string[]
    readonly pattern: { readonly source: string; readonly flags: string } | null
  },
  known: readonly { readonly name: string; readonly isInternal: boolean }[],
): readonly string[] {
  if (subscription.pattern === null) return [...subscription.topics].sort()
  const { source, flags } = subscription.pattern
  // Without `g` and `y`, which would make `test` remember where it was. A pattern matches whole names, as in Java.
  const pattern = new RegExp(`^(?:${source})$`, flags.replace(/[gy]/g, ''))
  return known
    .filter(({ name, isInternal }) => !isInternal && pattern.test(name))
    .map(({ name }) => name)
    .sort()
}
