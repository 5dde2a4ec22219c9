// What a failed ask means in Kafka's words: how a door answers for a leader or coordinator that it could not reach.
import { PortError } from '../../base/errors.ts'
import { errors } from '../../protocol/error-codes.ts'

/** Kafka's code for a leader that did not answer. Bugs (no PortError) are thrown on. */
export function leaderFailure(error: unknown): number {
  return portFailure(error, errors.NOT_LEADER_OR_FOLLOWER.code)
}

/** Kafka's code for a coordinator that did not answer. */
export function coordinatorFailure(error: unknown): number {
  return portFailure(error, errors.NOT_COORDINATOR.code)
}

function portFailure(error: unknown, gone: number): number {
  if (!(error instanceof PortError)) throw error
  switch (error.code) {
    case 'LINK_CLOSED':
    case 'UNREACHABLE':
      return gone
    case 'DEADLINE':
    case 'LINK_FULL':
    case 'ABORTED':
      return errors.REQUEST_TIMED_OUT.code
    default:
      return errors.UNKNOWN_SERVER_ERROR.code
  }
}
