// What attempts at the group's coordinator share: what they need of the consumer, the wait between two of them (for the backoff, or until the member is in another epoch if that
// is why it was refused), and what a caller is told when there is no other.
import type { Clock } from '@odradek/shared/base/clock'
import { KafkaError, PortError } from '@odradek/shared/base/errors'
import type { Random } from '@odradek/shared/base/random'
import { backoffMs } from '@odradek/shared/client/backoff.rules'
import type { ClusterLink } from '@odradek/shared/client/cluster-link'
import type { ConsumerInput, GroupMetadata } from '@odradek/shared/contracts/consumer.contract'
import type { ErrorName } from '@odradek/shared/protocol/error-codes'
import type { CommitVerdict } from './commits.rules.ts'
import { brokerError, errorData, portError } from './consumer-errors.ts'

/** What attempts at the coordinator need of the consumer. */
export interface AttemptsHost {
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
  readonly link: ClusterLink
  readonly input: ConsumerInput
  /** The member as it is now; a manual assignment commits with generation -1 and no member id. */
  metadata(): GroupMetadata
  /** The coordinator said that the member is no longer what it believes. */
  fenced(error: ErrorName): void
}

export class AttemptPauses {
  readonly #host: AttemptsHost
  /** Requests that were refused for the member's epoch, until it has another. */
  readonly #stale = new Set<() => void>()

  constructor(host: AttemptsHost) {
    this.#host = host
  }

  /** The member is another than it was, or in another epoch. */
  memberChanged(): void {
    for (const goOn of [...this.#stale]) goOn()
  }

  /** A refusal of who the member was before it joined anew says nothing of who it is now. */
  isStill(askedAs: GroupMetadata | null): boolean {
    const { memberId, generationId } = this.#host.metadata()
    return askedAs?.memberId === memberId && askedAs.generationId === generationId
  }

  /** `tries`: attempts before the one that failed. Resolves at once when the epoch that was refused is no longer the member's. */
  async pause(tries: number, { isStale, askedAs }: { isStale: boolean; askedAs: GroupMetadata | null }): Promise<void> {
    // The answer that brings the epoch may have come before the refusal, or comes any moment.
    if (isStale && !this.isStill(askedAs)) return
    const { clock, random, input } = this.#host
    const backoff = { initialMs: input.retryBackoffMs, maxMs: input.retryBackoffMaxMs }
    const waitMs = backoffMs(backoff, tries, random.float())
    await new Promise<void>(resolve => {
      const goOn = () => {
        timer.cancel()
        this.#stale.delete(goOn)
        resolve()
      }
      const timer = clock.after(waitMs, goOn)
      if (isStale) this.#stale.add(goOn)
    })
  }
}

/** Nobody answered, but somebody may: a lost coordinator, or one that does not answer, is looked for again. */
export function isUnanswered(thrown: unknown): boolean {
  if (thrown instanceof PortError) return !thrown.code.startsWith('ODK_')
  return thrown instanceof KafkaError && thrown.retriable
}

/** What its caller is told of a verdict that no other attempt would change; null: another one may. `what` was asked. */
export function refusalOf(what: string, verdict: CommitVerdict, errorCode: number): PortError | null {
  if (verdict === 'rejoin') return portError(brokerError(what, errorCode, 'ODK_COMMIT_FAILED'))
  return verdict === 'fatal' ? portError(brokerError(what, errorCode)) : null
}

export function tookTooLong(what: string): PortError {
  return portError(errorData('ODK_TIMEOUT', `${what} took longer than its deadline`))
}

export function consumerClosed(what: string): PortError {
  return portError(errorData('ODK_CONSUMER_CLOSED', `${what}: the consumer was closed`))
}
