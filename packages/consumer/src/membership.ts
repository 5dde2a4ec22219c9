// What the consumer actor needs of a group membership, whichever protocol it speaks: classic-membership and consumer-membership implement it.
import type { ActorContext } from '@odradek/shared/actor/actor'
import type { ErrorData } from '@odradek/shared/base/errors'
import type { ClusterLink } from '@odradek/shared/client/cluster-link'
import type {
  AssignedPartition,
  AssignorAnswer,
  AssignorCall,
  ConsumerInput,
  GroupInput,
  GroupMetadata,
  Subscription,
  TopicPartition,
} from '@odradek/shared/contracts/consumer.contract'
import type { ErrorName } from '@odradek/shared/protocol/error-codes'

export interface Membership {
  /** Joins, or changes the subscription. */
  subscribe(subscription: Subscription): void
  /** Gives everything back (hooks run) and leaves; resolves when it has left, or could not say so. */
  leave(): Promise<void>
  /** Joins again soon (Kafka's enforceRebalance). */
  enforceRebalance(reason: string): void
  /** A commit was refused because the member is not what it believes to be. */
  fenced(error: ErrorName): void
  /** Topics changed: a leader assigns anew, a pattern matches others. */
  metadataChanged(): void
  /** The caller has made no progress for `max.poll.interval.ms`. */
  pollExpired(): void
  /** The caller made progress again. */
  polled(): void
  metadata(): GroupMetadata
  /** Names of topics that are subscribed; null: all, for a pattern. */
  topics(): readonly string[] | null
  /** The machine's state, for lists. */
  state(): string
  close(): void
}

/** What a membership needs of the consumer actor. */
export interface MembershipHost {
  readonly context: Pick<ActorContext, 'clock' | 'random' | 'signal' | 'log' | 'trace' | 'fail'>
  readonly link: ClusterLink
  readonly input: ConsumerInput
  readonly group: GroupInput
  /** What is ours now. */
  owned(): readonly AssignedPartition[]
  /**
   * Stops reading what goes, lets the caller finish and run its hooks (what goes first, then what comes), then reads what comes. Resolves when the caller is done. Automatic
   * commits of what goes are made before `onRevoked`.
   */
  rebalance(change: AssignmentChange): Promise<void>
  /** `metadata()` may say something else from now on. */
  memberChanged(): void
  /** Asks an assignor that is the caller's; rejects with ODK_ASSIGNOR_FAILED when it throws. */
  askAssignor(assignor: string, call: AssignorCall): Promise<AssignorAnswer>
  /** Something the user must hear. */
  fail(error: ErrorData): void
  /** Learn topics now. */
  refresh(topics: readonly string[] | null): Promise<void>
  /** Something is missing in what is known: learn it soon, with backoff. */
  wantMetadata(): void
}

export interface AssignmentChange {
  readonly revoked: readonly TopicPartition[]
  readonly assigned: readonly TopicPartition[]
  /** The revoked ones are gone already: no commit, `onLost`. */
  readonly lost?: boolean
  /** The rebalance ends with it: `onAssigned` is called even with nothing new, as in Kafka. */
  readonly ends?: boolean
}
