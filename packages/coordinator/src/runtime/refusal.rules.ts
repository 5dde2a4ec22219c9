// Why a shard did not do what it was asked, and which of Kafka's error codes says so. Kafka's mapping of append errors to
// coordinator errors (GroupCoordinatorService, TransactionStateManager) is kept.
import { errors } from '@odradek/shared/protocol/error-codes'

/**
 * - `loading`: it met a shard that was still loading, and the wait was over before the load;
 * - `full`: the shard's bounded waiting room or its list of pending requests was full;
 * - `failed`: the shard's partition has no working leader, and none came in time;
 * - `closed`: the shard is closing, or this coordinator does not lead it;
 * - `tooLarge`: the records of the decision do not fit one batch; nothing was appended;
 * - `appendRefused`: the leader refused the append for a reason of its own; nothing was appended;
 * - `unknown`: the append failed or was not answered; it may or may not be in the log.
 */
export type RefusalReason = 'loading' | 'full' | 'failed' | 'closed' | 'tooLarge' | 'appendRefused' | 'unknown'

export interface Refusal {
  readonly reason: RefusalReason
  /** Kafka's number for it, as a group or transaction coordinator answers. */
  readonly errorCode: number
  readonly message: string
}

/** The refusal of a coordinator. `leaderErrorCode` is what the leader answered, for `appendRefused` and `unknown`. */
export function refusalOf(reason: RefusalReason, message: string, leaderErrorCode = 0): Refusal {
  return { reason, errorCode: coordinatorErrorOf(reason, leaderErrorCode), message }
}

function coordinatorErrorOf(reason: RefusalReason, leaderErrorCode: number): number {
  switch (reason) {
    case 'loading':
      return errors.COORDINATOR_LOAD_IN_PROGRESS.code
    case 'full':
    case 'failed':
      return errors.COORDINATOR_NOT_AVAILABLE.code
    case 'closed':
      return errors.NOT_COORDINATOR.code
    case 'tooLarge':
      return errors.UNKNOWN_SERVER_ERROR.code
    case 'appendRefused':
    case 'unknown':
      return appendErrorOf(leaderErrorCode)
  }
}

function appendErrorOf(leaderErrorCode: number): number {
  switch (leaderErrorCode) {
    case errors.NONE.code:
    case errors.UNKNOWN_TOPIC_OR_PARTITION.code:
    case errors.NOT_ENOUGH_REPLICAS.code:
    case errors.NOT_ENOUGH_REPLICAS_AFTER_APPEND.code:
    case errors.REQUEST_TIMED_OUT.code:
      return errors.COORDINATOR_NOT_AVAILABLE.code
    case errors.NOT_LEADER_OR_FOLLOWER.code:
    case errors.KAFKA_STORAGE_ERROR.code:
      return errors.NOT_COORDINATOR.code
    case errors.MESSAGE_TOO_LARGE.code:
    case errors.RECORD_LIST_TOO_LARGE.code:
    case errors.INVALID_FETCH_SIZE.code:
      return errors.UNKNOWN_SERVER_ERROR.code
    default:
      return leaderErrorCode
  }
}
