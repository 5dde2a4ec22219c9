// What the caller has finished, committed at intervals when `enable.auto.commit` asks for it; and the watch over `max.poll.interval.ms`.
// Owned by the consumer actor, so neither depends on the caller's event loop. Commits what was processed, never what was only fetched.
import type { Clock, Timer } from '@odradek/shared/base/clock'
import { type ErrorData, PortError } from '@odradek/shared/base/errors'
import type { CommittedOffset, Processed, TopicPartition } from '@odradek/shared/contracts/consumer.contract'
import type { OffsetCommits } from './offset-commits.ts'

export interface AutoCommitHost {
  readonly clock: Clock
  readonly commits: OffsetCommits
  /** Undefined when the partition is not ours any more: what was processed of it was committed at its revocation. */
  partitionOf(key: number): TopicPartition | undefined
  /** Null: no automatic commits. */
  readonly intervalMs: number | null
  readonly deadlineMs: number
  /** Null without a group. */
  readonly maxPollIntervalMs: number | null
  /** The caller holds records that it has not finished. */
  isOwed(): boolean
  pollExpired(): void
  committed(offsets: readonly CommittedOffset[], error: ErrorData | null): void
}

export class AutoCommit {
  readonly #host: AutoCommitHost
  readonly #processed = new Map<number, Processed>()
  #commitTimer: Timer | null = null
  #pollTimer: Timer | null = null
  #progressAtMs: number

  constructor(host: AutoCommitHost) {
    this.#host = host
    this.#progressAtMs = host.clock.monotonic()
    this.#armCommit()
    this.#armPoll()
  }

  /** The caller finished records, or said that it is waiting for some. */
  progressed(processed: readonly Processed[]): void {
    this.#progressAtMs = this.#host.clock.monotonic()
    if (this.#host.intervalMs === null) return
    for (const entry of processed) this.#processed.set(entry.key, entry)
  }

  close(): void {
    this.#commitTimer?.cancel()
    this.#pollTimer?.cancel()
  }

  #armCommit(): void {
    const { intervalMs, clock } = this.#host
    if (intervalMs !== null) this.#commitTimer = clock.after(intervalMs, () => void this.#commit())
  }

  async #commit(): Promise<void> {
    const offsets: CommittedOffset[] = []
    const entries = [...this.#processed.values()]
    for (const { key, offset, leaderEpoch } of entries) {
      const partition = this.#host.partitionOf(key)
      if (partition === undefined) continue
      offsets.push({ topic: partition.topic, partition: partition.partition, offset, leaderEpoch, metadata: '' })
    }
    this.#processed.clear()
    if (offsets.length > 0) {
      const error = await this.#host.commits.commit(offsets, this.#host.deadlineMs).then(
        () => null,
        (refused: unknown) => dataOf(refused),
      )
      if (error !== null) this.#keep(entries)
      this.#host.committed(offsets, error)
    }
    this.#armCommit()
  }

  /** Not committed, perhaps because the group is rebalancing: the next commit takes along what is not outdated by then. */
  #keep(entries: readonly Processed[]): void {
    for (const entry of entries) if (!this.#processed.has(entry.key)) this.#processed.set(entry.key, entry)
  }

  #armPoll(): void {
    const { maxPollIntervalMs, clock } = this.#host
    if (maxPollIntervalMs === null) return
    const idleMs = this.#host.isOwed() ? clock.monotonic() - this.#progressAtMs : 0
    if (idleMs >= maxPollIntervalMs) this.#host.pollExpired()
    const waitMs = idleMs >= maxPollIntervalMs ? maxPollIntervalMs : maxPollIntervalMs - idleMs
    this.#pollTimer = clock.after(waitMs, () => this.#armPoll())
  }
}

function dataOf(refused: unknown): ErrorData {
  if (refused instanceof PortError) return { code: refused.code, message: refused.message, detail: refused.detail }
  return { code: 'ODK_BROKER_ERROR', message: String(refused) }
}
