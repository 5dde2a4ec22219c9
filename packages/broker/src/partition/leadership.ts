// What the parts of a partition leader share: its log, its configs as of now, and where the log stands for readers. Made when the log
// was opened; changed only by a commit (`GroupCommitter`) and by `configure`.
import { type ErrorName, errors } from '@odradek/shared/protocol/error-codes'
import { LogCorruptionError, LogIOError, OffsetOutOfRangeError } from '../log/log-errors.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import type { PartitionState } from './group-commit.rules.ts'
import type { LeaderConfig } from './leader-config.rules.ts'
import type { LogPosition } from './list-offsets.rules.ts'
import { lastStableOffset, loadOngoing, oldestUndecided } from './transaction-index.rules.ts'

export class Leadership implements LogPosition {
  readonly log: PartitionLog
  readonly leaderEpoch: number
  readonly state: PartitionState
  config: LeaderConfig
  /** First offset that no reader sees; with one node the log end as of the last commit. Never goes back. */
  highWatermark: number
  /** First offset of the oldest undecided transaction, or the high watermark. */
  firstUnstableOffset: number
  /** The ruler of `fetch-wait.rules` at the last stable offset. */
  stablePosition = 0

  constructor(log: PartitionLog, leaderEpoch: number, config: LeaderConfig) {
    this.log = log
    this.leaderEpoch = leaderEpoch
    this.config = config
    const states = log.producerStates()
    this.state = {
      logEndOffset: log.logEndOffset,
      position: 0,
      producers: new Map(
        states
          .toSorted((a, b) => a.lastTimestamp - b.lastTimestamp)
          .map(state => [state.producerId, { state, lastAppendMs: state.lastTimestamp }]),
      ),
      ongoing: loadOngoing(states),
      verifications: new Map(),
    }
    this.highWatermark = log.logEndOffset
    this.firstUnstableOffset = lastStableOffset(log.logEndOffset, oldestUndecided(this.state.ongoing))
  }

  get logStartOffset(): number {
    return this.log.logStartOffset
  }

  /** First offset that read_committed does not see. Never goes back, nor behind the log start (when records of an open transaction go). */
  get lastStableOffset(): number {
    return Math.max(this.firstUnstableOffset, this.log.logStartOffset)
  }

  /** Null, or why a request by somebody who believes in `currentLeaderEpoch` is refused (KIP-320). */
  epochRefusal(currentLeaderEpoch: number): ErrorName | null {
    if (currentLeaderEpoch < 0 || currentLeaderEpoch === this.leaderEpoch) return null
    return currentLeaderEpoch < this.leaderEpoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH'
  }
}

/** Kafka's code for what a log threw; what is no log error is a bug and goes on. */
export function logErrorCode(error: unknown): number {
  if (error instanceof OffsetOutOfRangeError) return errors.OFFSET_OUT_OF_RANGE.code
  if (error instanceof LogIOError || error instanceof LogCorruptionError) return errors.KAFKA_STORAGE_ERROR.code
  throw error
}
