// The leader's timers: flush by `flush.ms`, checkpoints of logs that went quiet, retention, expiry of producers. Each is armed from the log's own deadlines, so an idle
// partition does nothing between them.
import type { ActorContext } from '@odradek/shared/actor/actor'
import type { Timer } from '@odradek/shared/base/clock'
import { LeaderCompaction } from './leader-compaction.ts'
import { type Leadership, logErrorCode } from './leadership.ts'
import { isExpired } from './producer-state.rules.ts'
import { retentionDelayMs, retentionPolicy } from './retention.rules.ts'
import { lateTransactions } from './transaction-index.rules.ts'
import { isVerificationExpired } from './verification.rules.ts'

/** How long a failed flush waits before it is tried again. */
const FLUSH_RETRY_MS = 1_000

export class LeaderHousekeeping {
  readonly #leadership: Leadership
  readonly #context: ActorContext
  #flush: Timer | undefined
  #checkpoint: Timer | undefined
  #retention: Timer | undefined
  #expiry: Timer | undefined
  readonly #compaction: LeaderCompaction

  readonly #flushFailed: (reason: string) => void

  /** `flushFailed`: the log must be opened anew. */
  constructor(leadership: Leadership, context: ActorContext, flushFailed: (reason: string) => void) {
    this.#flushFailed = flushFailed
    this.#leadership = leadership
    this.#context = context
    this.#compaction = new LeaderCompaction(leadership, context)
  }

  start(): void {
    this.#armFlush()
    this.#armCheckpoint()
    this.#armRetention()
    this.#armExpiry()
    this.#compaction.start()
  }

  stop(): void {
    for (const timer of [this.#flush, this.#checkpoint, this.#retention, this.#expiry]) timer?.cancel()
    this.#flush = undefined
    this.#checkpoint = undefined
    this.#compaction.stop()
  }

  /** Something was appended: `flush.ms` may have begun to run, and a checkpoint is owed. */
  appended(): void {
    if (this.#flush === undefined) this.#armFlush()
    if (this.#checkpoint === undefined) this.#armCheckpoint()
    this.#compaction.appended()
  }

  /** Configs changed: deadlines may have. */
  restart(): void {
    this.stop()
    this.start()
  }

  /** Lets go of what no policy keeps. Also after DeleteRecords. */
  retain(): void {
    const { log, config } = this.#leadership
    const policy = retentionPolicy(config, this.#context.clock.now())
    const { deleted, logStartOffset } = this.#context.gate.run(() => log.retain(policy))
    if (deleted.length > 0) {
      this.#context.log.info({ segments: deleted.length, logStartOffset }, 'retention deleted segments')
    }
  }

  /** Fsync now; the answer's error code. */
  flush(): number {
    try {
      this.#context.gate.run(() => this.#leadership.log.flush())
      return 0
    } catch (error) {
      this.#complain(error, 'flush')
      if (this.#leadership.log.hasFailed) this.#flushFailed((error as Error).message)
      return logErrorCode(error)
    }
  }

  #armFlush(leastMs = 0): void {
    const { log, config } = this.#leadership
    const due = log.flushDueMs(config.log)
    if (due === undefined || !Number.isFinite(due)) return
    const delayMs = Math.max(Math.min(due - this.#context.clock.now(), config.log.flushMs), leastMs)
    this.#flush = this.#context.clock.after(delayMs, () => {
      this.#flush = undefined
      const isDue = this.#hasCome(log.flushDueMs(this.#leadership.config.log), due)
      const failed = isDue && this.flush() !== 0
      this.#armFlush(failed ? FLUSH_RETRY_MS : 0)
    })
  }

  /**
   * Whether what is due at `dueMs` of the wall clock is due now. Also when a timer that was armed for it has come: the wall clock may have been set back
   * meanwhile, and what may wait a second must not wait for hours.
   */
  #hasCome(dueMs: number | undefined, armedForMs: number): boolean {
    return dueMs !== undefined && (dueMs === armedForMs || dueMs <= this.#context.clock.now())
  }

  /** Appends begin checkpoints by themselves while they keep coming; this covers the last ones before a silence. */
  #armCheckpoint(): void {
    const { log, config } = this.#leadership
    const due = log.checkpointDueMs(config.checkpointIntervalMs)
    if (due === undefined) return
    const delayMs = Math.min(due - this.#context.clock.now(), config.checkpointIntervalMs)
    this.#checkpoint = this.#context.clock.after(delayMs, () => {
      this.#checkpoint = undefined
      if (this.#hasCome(log.checkpointDueMs(this.#leadership.config.checkpointIntervalMs), due)) {
        this.#context.gate.run(() => void log.checkpoint())
      }
      this.#armCheckpoint()
    })
  }

  #armRetention(): void {
    const { log, config } = this.#leadership
    const policy = retentionPolicy(config, this.#context.clock.now())
    const delayMs = retentionDelayMs(log.segments(), policy, config.retentionCheckIntervalMs)
    this.#retention = this.#context.clock.after(delayMs, () => {
      try {
        this.retain()
      } catch (error) {
        this.#complain(error, 'retention')
      }
      this.#armRetention()
    })
  }

  #armExpiry(): void {
    const { producerIdExpirationCheckIntervalMs } = this.#leadership.config
    this.#expiry = this.#context.clock.after(producerIdExpirationCheckIntervalMs, () => {
      try {
        this.#expire()
      } catch (error) {
        this.#complain(error, 'expiry of producers')
      }
      this.#armExpiry()
    })
  }

  /** Forgets silent producers in the log first, then here: memory never runs ahead of the log. */
  #expire(): void {
    const { state, log, config } = this.#leadership
    const now = this.#context.clock.now()
    const { producerIdExpirationMs } = config
    for (const [producerId, pending] of state.verifications) {
      if (isVerificationExpired(pending, now, producerIdExpirationMs)) state.verifications.delete(producerId)
    }
    const states = [...state.producers.values()].map(known => known.state)
    this.#context.report('LateTransactions', lateTransactions(states, { ...config, now }))
    const expired: number[] = []
    for (const [producerId, known] of state.producers) {
      if (isExpired(known.state, known.lastAppendMs, now, producerIdExpirationMs)) expired.push(producerId)
    }
    if (expired.length === 0) return
    const { highWatermark, lastStableOffset } = log
    const group = { batches: [], expiredProducers: expired, highWatermark, lastStableOffset, now }
    this.#context.gate.run(() => log.append(group, config.log))
    for (const producerId of expired) state.producers.delete(producerId)
  }

  /** An I/O error is told and met again at the next deadline; a bug goes on as a throw. */
  #complain(error: unknown, what: string): void {
    logErrorCode(error)
    this.#context.log.warn({ reason: (error as Error).message }, `${what} failed; it will be tried again`)
  }
}
