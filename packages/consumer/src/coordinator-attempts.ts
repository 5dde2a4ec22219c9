// Waits between two attempts at the group's coordinator: for the backoff, or until the member is in another epoch if that is why it was refused.
import type { Clock } from '@odradek/shared/base/clock'
import { KafkaError, PortError } from '@odradek/shared/base/errors'
import type { Random } from '@odradek/shared/base/random'
import { backoffMs } from '@odradek/shared/client/backoff.rules'
import type { ConsumerInput, GroupMetadata } from '@odradek/shared/contracts/consumer.contract'

export interface AttemptPausesHost {
  readonly clock: Clock
  readonly random: Random
  readonly input: ConsumerInput
  /** The member as it is now; a manual assignment commits with generation -1 and no member id. */
  metadata(): GroupMetadata
}

export class AttemptPauses {
  readonly #host: AttemptPausesHost
  /** Requests that were refused for the member's epoch, until it has another. */
  readonly #stale = new Set<() => void>()

  constructor(host: AttemptPausesHost) {
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
