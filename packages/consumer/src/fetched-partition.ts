// What the consumer's thread knows of one assigned partition. Mutable, owned by the fetcher; the decisions are in positions.rules.
import type { ErrorData } from '@odradek/shared/base/errors'
import type { Delivery } from '@odradek/shared/contracts/consumer.contract'
import { INITIAL_POSITION, type PartitionPosition } from './positions.rules.ts'

export interface FetchedPartition {
  readonly key: number
  readonly topic: string
  readonly partition: number
  /** Grows with every seek and pause; what carries an older one is stale. */
  epoch: number
  /** Counts what leaves lookups on their way without a meaning: a seek, a pause, a commit that says anew where to begin. */
  course: number
  position: PartitionPosition
  /** Where reading began since the last seek or reset; -1 while it is unknown. */
  beganAt: number
  paused: boolean
  /** Newly assigned by the group, and the caller's hook has not run: what is found and fetched meanwhile is not handed out, for the hook may seek. */
  held: boolean
  /** Commits of it that the caller made while it was held, and that are not answered: where to begin is asked after them. */
  commits: number
  /** Reading begins where the caller sought to, whatever is committed. */
  sought: boolean
  /** A request that decides the position is in flight (committed offset, ListOffsets, OffsetForLeaderEpoch). */
  lookingUp: boolean
  /** What was raised to the user; nothing is fetched until a seek. */
  failure: ErrorData | null
  /** Monotonic milliseconds before which nothing is asked; 0 now. */
  retryAtMs: number
  attempts: number
  /** Kafka's code of what the log was told of this partition; 0: it was well since. */
  trouble: number
  bufferedBytes: number
  /** Called once the position is known (or the partition failed or went). */
  readonly waiting: (() => void)[]
}

export function fetchedPartition(key: number, topic: string, partition: number): FetchedPartition {
  return {
    key,
    topic,
    partition,
    epoch: 0,
    course: 0,
    position: INITIAL_POSITION,
    beganAt: -1,
    paused: false,
    held: false,
    commits: 0,
    sought: false,
    lookingUp: false,
    failure: null,
    retryAtMs: 0,
    attempts: 0,
    trouble: 0,
    bufferedBytes: 0,
    waiting: [],
  }
}

/** A delivery that waits for the caller's credit. */
export interface Ready {
  readonly partition: FetchedPartition
  readonly delivery: Delivery
  readonly recordCount: number
}
