// Keeps the link's metadata fresh for one consumer: refreshes what somebody misses, one refresh at a time and with backoff, and everything
// when it has grown old. Used by the consumer actor only.

import type { Clock, Timer } from '@odradek/shared/base/clock'
import type { ErrorData } from '@odradek/shared/base/errors'
import type { Random } from '@odradek/shared/base/random'
import { backoffMs } from '@odradek/shared/client/backoff.rules'
import type { ClusterLink } from '@odradek/shared/client/cluster-link'
import type { ConsumerInput } from '@odradek/shared/contracts/consumer.contract'
import { hopeless } from './consumer-errors.ts'

export interface MetadataKeeperHost {
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
}

export class MetadataKeeper {
  readonly #host: MetadataKeeperHost
  readonly #link: ClusterLink
  readonly #input: ConsumerInput
  /** What the consumer reads: names, or null for all topics (a pattern). */
  readonly #topics: () => readonly string[] | null
  readonly #onRefreshed: () => void
  /** What the user must hear. */
  readonly #fail: (error: ErrorData) => void
  #refreshing = false
  #wanted = false
  #attempts = 0
  #lastMs: number
  #timer: Timer | null = null

  constructor(
    host: MetadataKeeperHost,
    link: ClusterLink,
    input: ConsumerInput,
    topics: () => readonly string[] | null,
    onRefreshed: () => void,
    fail: (error: ErrorData) => void,
  ) {
    this.#host = host
    this.#link = link
    this.#input = input
    this.#topics = topics
    this.#onRefreshed = onRefreshed
    this.#fail = fail
    this.#lastMs = host.clock.monotonic()
    this.#arm()
  }

  /** Something is missing or was found to be out of date. */
  want(): void {
    if (this.#wanted) return
    this.#wanted = true
    this.#arm()
  }

  /** Refreshes now, for a caller that waits. */
  async refresh(topics: readonly string[] | null): Promise<void> {
    const { allowAutoCreateTopics, requestTimeoutMs } = this.#input
    const { signal } = this.#host
    await this.#link.refresh(topics, {
      allowAutoTopicCreation: allowAutoCreateTopics,
      deadlineMs: requestTimeoutMs,
      signal,
    })
  }

  close(): void {
    this.#timer?.cancel()
  }

  #arm(): void {
    if (this.#refreshing) return
    this.#timer?.cancel()
    const { retryBackoffMs, retryBackoffMaxMs, metadataMaxAgeMs } = this.#input
    const backoff = { initialMs: retryBackoffMs, maxMs: retryBackoffMaxMs }
    const retryMs = this.#attempts === 0 ? 0 : backoffMs(backoff, this.#attempts - 1, this.#host.random.float())
    const waitMs = this.#wanted ? retryMs : metadataMaxAgeMs
    const spentMs = this.#host.clock.monotonic() - this.#lastMs
    this.#timer = this.#host.clock.after(Math.max(0, waitMs - spentMs), () => void this.#run())
  }

  async #run(): Promise<void> {
    const topics = this.#topics()
    // Wanting again soon after a refresh means that it did not help: back off.
    this.#attempts = this.#wanted ? this.#attempts + 1 : 0
    this.#wanted = false
    this.#refreshing = true
    try {
      if (topics === null || topics.length > 0) await this.refresh(topics)
    } catch (thrown) {
      this.#wanted = true
      const error = hopeless(thrown)
      if (error !== null) this.#fail(error)
    }
    this.#refreshing = false
    this.#lastMs = this.#host.clock.monotonic()
    if (this.#host.signal.aborted) return
    this.#onRefreshed()
    this.#arm()
  }

  /** Metadata was good: the next want is served at once. */
  helped(): void {
    this.#attempts = 0
  }
}
