// What the answers to OffsetCommit and OffsetFetch mean to a consumer (Kafka's ConsumerCoordinator and CommitRequestManager). Pure.
import { errors } from '@odradek/shared/protocol/error-codes'

/**
 * `retry`: the same request again after a wait; `refind`: after looking for the coordinator again; `stale`: the member's epoch changed,
 * again with the new one; `rejoin`: the member is no longer part of the group as it believed, the commit is refused for good; `fatal`: refused.
 */
export type CommitVerdict = 'ok' | 'retry' | 'refind' | 'stale' | 'rejoin' | 'fatal'

function commitVerdict(errorCode: number): CommitVerdict {
  switch (errorCode) {
    case errors.NONE.code:
      return 'ok'
    case errors.COORDINATOR_LOAD_IN_PROGRESS.code:
    case errors.UNKNOWN_TOPIC_OR_PARTITION.code:
    case errors.UNSTABLE_OFFSET_COMMIT.code:
      return 'retry'
    case errors.COORDINATOR_NOT_AVAILABLE.code:
    case errors.NOT_COORDINATOR.code:
    case errors.REQUEST_TIMED_OUT.code:
      return 'refind'
    case errors.STALE_MEMBER_EPOCH.code:
      return 'stale'
    case errors.UNKNOWN_MEMBER_ID.code:
    case errors.ILLEGAL_GENERATION.code:
    case errors.FENCED_INSTANCE_ID.code:
    case errors.REBALANCE_IN_PROGRESS.code:
      return 'rejoin'
    default:
      return 'fatal'
  }
}

/** The worst of several partitions' verdicts decides for the request. */
export function worstVerdict(errorCodes: Iterable<number>): {
  readonly verdict: CommitVerdict
  readonly errorCode: number
} {
  const severity: readonly CommitVerdict[] = ['ok', 'retry', 'refind', 'stale', 'rejoin', 'fatal']
  let worst = 0
  let code = 0
  for (const errorCode of errorCodes) {
    const rank = severity.indexOf(commitVerdict(errorCode))
    if (rank <= worst) continue
    worst = rank
    code = errorCode
  }
  return { verdict: severity[worst]!, errorCode: code }
}
