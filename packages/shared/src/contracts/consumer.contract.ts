// What a consumer's own thread understands, and what it tells the caller. The caller (create-consumer, in the user's thread) decodes records,
// runs the user's functions and hooks; the actor fetches ahead, is the member of the group, and commits. A partition is known by a `key`
// that is new with every assignment; `epoch` grows with every seek and pause, so that what was on its way is recognised as stale.
import { ask, defineContract, tell } from '../actor/contract.ts'
import type { ErrorData } from '../base/errors.ts'
import type { LinkInput } from './link-input.ts'

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface AssignedPartition extends TopicPartition {
  /** New with every assignment, never reused within a consumer. */
  readonly key: number
}

/** A partition's offset, as committed or to be committed. */
export interface CommittedOffset extends TopicPartition {
  /** Next offset to read. */
  readonly offset: number
  /** Leader epoch of the record before; -1 unknown. */
  readonly leaderEpoch: number
  readonly metadata: string
}

/** A place to read from: an offset, or what ListOffsets finds for a timestamp (-1 latest, -2 earliest, else milliseconds). */
export type SeekTarget = { readonly offset: number } | { readonly timestamp: number }

/**
 * Records of one partition, ready to be decoded: whole v2 batches, CRC checked, not compressed, control batches and what the isolation level
 * hides left out. `records` is an own exact buffer (transferred); only `length` bytes at `from` count, and it may be empty when only
 * hidden records were read.
 */
export interface Delivery {
  readonly key: number
  readonly epoch: number
  readonly records: Uint8Array
  readonly from: number
  readonly length: number
  /** Records below are to be skipped: the first batch may begin before the position. */
  readonly startOffset: number
  /** The position after all of it. */
  readonly nextOffset: number
  readonly leaderEpoch: number
  /** Bytes to give back as credit. */
  readonly credit: number
  readonly highWatermark: number
  readonly lastStableOffset: number
}

/** How far the caller has finished one partition. */
export interface Processed {
  readonly key: number
  readonly offset: number
  readonly leaderEpoch: number
}

/** Reported while there is something to report: at least every few hundred milliseconds, and whenever a delivery is finished. */
export interface Progress {
  /** Credit given back, in bytes. */
  readonly credit: number
  readonly processed: readonly Processed[]
}

/** The group changed what is ours. The caller stops the revoked ones, runs hooks, and answers `rebalanced`. */
export interface Rebalance {
  readonly id: number
  readonly revoked: readonly number[]
  /** Lost without a chance to commit: `onLost` instead of `onRevoked`. */
  readonly lost: readonly number[]
  readonly assigned: readonly AssignedPartition[]
  /** `onAssigned` is called even when nothing was assigned: the rebalance is over. */
  readonly ends: boolean
}

export interface PartitionState {
  /** Where reading began since the last assignment, seek or reset; -1 unknown yet. */
  readonly position: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
}

export interface Subscription {
  readonly topics: readonly string[]
  /** Source and flags of a regular expression over topic names instead of names. */
  readonly pattern: { readonly source: string; readonly flags: string } | null
}

/** The group as the member sees it; what a transactional producer needs to send offsets (KIP-447). */
export interface GroupMetadata {
  readonly groupId: string
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

/** An assignor whose functions live in the caller's thread. */
export interface CallerAssignor {
  readonly name: string
  readonly protocols: readonly ('EAGER' | 'COOPERATIVE')[]
}

/** A member of the group as its leader hands it to an assignor of the caller. */
export interface GroupMemberFacts {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly topics: readonly string[]
  readonly ownedPartitions: readonly TopicPartition[]
  readonly generationId: number
  readonly rackId: string | null
  readonly userData: Uint8Array | null
}

/** What the leader knows of the cluster. */
export interface ClusterFacts {
  readonly brokers: readonly {
    readonly nodeId: number
    readonly host: string
    readonly port: number
    readonly rack: string | null
  }[]
  /** Topics of the group that exist. */
  readonly topics: readonly {
    readonly name: string
    /** By partition number; `leader` is -1 when there is none. */
    readonly partitions: readonly { readonly leader: number; readonly replicas: readonly number[] }[]
  }[]
}

/** What an assignor of the caller is asked (Kafka's ConsumerPartitionAssignor). */
export type AssignorCall =
  | { readonly kind: 'subscriptionUserData'; readonly topics: readonly string[] }
  | { readonly kind: 'assign'; readonly cluster: ClusterFacts; readonly members: readonly GroupMemberFacts[] }
  | {
      readonly kind: 'onAssignment'
      readonly partitions: readonly TopicPartition[]
      readonly userData: Uint8Array | null
      readonly member: GroupMetadata
    }

/** One member's part of what `assign` answered. */
export interface AssignedShare {
  readonly memberId: string
  readonly partitions: readonly TopicPartition[]
  readonly userData: Uint8Array | null
}

/** `userData` answers `subscriptionUserData`, `shares` answers `assign`; the other is empty. */
export interface AssignorAnswer {
  readonly userData: Uint8Array | null
  readonly shares: readonly AssignedShare[]
}

function bytesOfCall(call: AssignorCall): (Uint8Array | null)[] {
  if (call.kind === 'assign') return call.members.map(({ userData }) => userData)
  return call.kind === 'onAssignment' ? [call.userData] : []
}

function bytesOfAnswer({ userData, shares }: AssignorAnswer): (Uint8Array | null)[] {
  return [userData, ...shares.map(share => share.userData)]
}

export const consumer = defineContract({
  kind: 'consumer',
  asks: {
    /** Reads exactly these partitions, without a group's coordination. Without an offset: the committed one, else by reset policy. */
    assign: ask<
      { readonly partitions: readonly (TopicPartition & { readonly offset?: number })[] },
      { readonly assigned: readonly AssignedPartition[] }
    >(),
    /** Joins the group for these topics; assignments come as `rebalance` news. */
    subscribe: ask<Subscription, Record<string, never>>(),
    /** Leaves the group or drops the manual assignment. */
    unsubscribe: ask<Record<string, never>, Record<string, never>>({ deadlineMs: 60_000 }),
    /** Resolves when the position is known. The deadline is the asker's. */
    position: ask<{ readonly key: number }, PartitionState>({ deadlineMs: 60_000 }),
    /** What is known now, without waiting. */
    partitionState: ask<{ readonly key: number }, PartitionState>(),
    listOffsets: ask<
      { readonly partitions: readonly TopicPartition[]; readonly timestamp: number },
      { readonly offsets: readonly (TopicPartition & { readonly offset: number; readonly timestamp: number })[] }
    >({ deadlineMs: 60_000 }),
    partitionsFor: ask<{ readonly topic: string }, { readonly partitions: readonly number[] }>({ deadlineMs: 60_000 }),
    /** Commits and retries what is retriable until the deadline. Commits of one consumer are sent in order. */
    commit: ask<{ readonly offsets: readonly CommittedOffset[] }, Record<string, never>>({ deadlineMs: 60_000 }),
    committed: ask<
      { readonly partitions: readonly TopicPartition[] },
      { readonly offsets: readonly CommittedOffset[] }
    >({ deadlineMs: 60_000 }),
    enforceRebalance: ask<{ readonly reason: string }, Record<string, never>>(),
  },
  tells: {
    progress: tell<Progress>(),
    /** Moves the position; the epoch is the new one. */
    seek: tell<{ readonly key: number; readonly epoch: number; readonly target: SeekTarget }>(),
    /** Stops fetching; continues later from `offset` (the caller's position, -1: keep). */
    pause: tell<{ readonly key: number; readonly epoch: number; readonly offset: number }>(),
    resume: tell<{ readonly key: number }>(),
    /** The caller is done with a `rebalance`; `offsets` are to be committed before the group hears of it. */
    rebalanced: tell<{ readonly id: number; readonly offsets: readonly CommittedOffset[] }>(),
    /** The caller's assignor answered `assignorCalled`, or threw. */
    assignorAnswered: tell<{
      readonly id: number
      readonly answer: AssignorAnswer | null
      readonly error: ErrorData | null
    }>({ buffers: ({ answer }) => (answer === null ? [] : bytesOfAnswer(answer)) }),
  },
  news: {
    deliveries: tell<{ readonly deliveries: readonly Delivery[] }>({
      buffers: message => message.deliveries.map(delivery => delivery.records),
    }),
    rebalance: tell<Rebalance>(),
    /** What the member is from now on: before the partitions that come with it, and before others go. */
    memberChanged: tell<GroupMetadata>({ isVital: true }),
    /** The membership needs an assignor that is the caller's; it waits for `assignorAnswered`. */
    assignorCalled: tell<{ readonly id: number; readonly assignor: string; readonly call: AssignorCall }>({
      buffers: ({ call }) => bytesOfCall(call),
    }),
    /** Something the user must hear: an error of one partition (`key`), or of the consumer (null). */
    failed: tell<{ readonly key: number | null; readonly error: ErrorData }>(),
    /** An automatic commit was answered, for interceptors and metrics. */
    autoCommitted: tell<{ readonly offsets: readonly CommittedOffset[]; readonly error: ErrorData | null }>(),
  },
})
export type ConsumerContract = typeof consumer

/** `auto.offset.reset`. */
export type OffsetReset =
  | { readonly kind: 'earliest' }
  | { readonly kind: 'latest' }
  | { readonly kind: 'none' }
  | { readonly kind: 'byDuration'; readonly durationMs: number }

/** The membership's part of the options. */
export interface GroupInput {
  readonly groupId: string
  readonly groupInstanceId: string | null
  readonly groupProtocol: 'classic' | 'consumer'
  /** Most wanted first (classic): a built-in assignor by its name, or one of the caller's. */
  readonly partitionAssignmentStrategy: readonly (string | CallerAssignor)[]
  /** Server-side assignor (consumer protocol); null: the coordinator's default. */
  readonly groupRemoteAssignor: string | null
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly maxPollIntervalMs: number
  /** Null: no automatic commits. */
  readonly autoCommitIntervalMs: number | null
}

/** What a consumer actor is started with. */
export interface ConsumerInput {
  readonly link: LinkInput
  readonly isolationLevel: number
  readonly checkCrcs: boolean
  readonly autoOffsetReset: OffsetReset
  readonly allowAutoCreateTopics: boolean
  readonly fetchMinBytes: number
  readonly fetchMaxBytes: number
  readonly fetchMaxWaitMs: number
  readonly maxPartitionFetchBytes: number
  readonly prefetchBytesMax: number
  readonly prefetchRecordsMax: number
  /** Most bytes delivered and not yet finished by the caller. */
  readonly windowBytes: number
  readonly clientRack: string
  readonly requestTimeoutMs: number
  readonly defaultApiTimeoutMs: number
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
  readonly metadataMaxAgeMs: number
  /** Null: no group, so no commits and no committed offsets. */
  readonly group: GroupInput | null
}
