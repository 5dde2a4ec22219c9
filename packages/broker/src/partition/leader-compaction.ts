// When a leader compacts its log (`cleanup.policy` contains `compact`), on its own thread in slices between which appends and fetches are served.
// A look is due `log.cleaner.backoff.ms` after an append, or when time alone makes records old enough; an idle log arms nothing.
// Of the leaders of one thread one compacts at a time, so that keys take the memory of one round (Kafka: `log.cleaner.threads`).
import type { ActorContext } from '@odradek/shared/actor/actor'
import type { Timer } from '@odradek/shared/base/clock'
import type { Compaction, CompactionPolicy } from '../log/partition-log.ts'
import { type Leadership, logErrorCode } from './leadership.ts'

/** Between two slices: as long as a slice takes, about, so that others get half of the thread. */
const PAUSE_MS = 1

/** Who of a thread's leaders compacts now. */
interface Turn {
  taken: boolean
}

export class LeaderCompaction {
  readonly #leadership: Leadership
  readonly #context: ActorContext
  readonly #turn: Turn
  #timer: Timer | undefined
  #round: Compaction | undefined
  /** Something was appended since the last look. */
  #appended = true
  /** A round met damage: it would meet it again. */
  #isUncleanable = false

  constructor(leadership: Leadership, context: ActorContext) {
    this.#leadership = leadership
    this.#context = context
    this.#turn = context.resources.get('log-cleaner-turn', () => ({ taken: false }))
    // The thread's turn outlives an actor that was killed.
    context.onEnd(() => this.#giveBack())
  }

  start(): void {
    if (this.#leadership.config.compacted && !this.#isUncleanable) this.#arm()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#end()
  }

  appended(): void {
    if (this.#appended) return
    this.#appended = true
    if (this.#round !== undefined) return
    // The timer that is armed, if any, waits for what time alone does.
    this.#timer?.cancel()
    this.#timer = undefined
    this.start()
  }

  #arm(): void {
    const { cleanerBackoffMs } = this.#leadership.config
    const due = this.#appended ? 0 : this.#dueMs()
    if (due === undefined) return
    const delayMs = Math.max(due - this.#context.clock.now(), cleanerBackoffMs)
    this.#timer = this.#context.clock.after(delayMs, () => {
      this.#timer = undefined
      this.#try(() => this.#look())
    })
  }

  /** When time alone asks for the next look; undefined when only an append can. */
  #dueMs(): number | undefined {
    const { log } = this.#leadership
    const due = [log.compactionDueMs(this.#policy()), this.#rollDueMs()].filter(at => at !== undefined)
    return due.length === 0 ? undefined : Math.min(...due)
  }

  /** The active segment is never compacted, so a log that went quiet is rolled when its oldest record there is too old. */
  #rollDueMs(): number | undefined {
    const { log, config } = this.#leadership
    const active = log.segments().at(-1)
    if (active === undefined || active.firstAppendMs < 0) return undefined
    const due = active.firstAppendMs + config.log.segmentMs
    return Number.isSafeInteger(due) ? due : undefined
  }

  #look(): void {
    const { log } = this.#leadership
    const now = this.#context.clock.now()
    if (this.#turn.taken) {
      this.#arm()
      return
    }
    this.#appended = false
    const rollDue = this.#rollDueMs()
    this.#context.gate.run(() => {
      if (rollDue !== undefined && rollDue <= now) log.roll(now)
      this.#round = log.beginCompaction(this.#policy())
    })
    if (this.#round === undefined) {
      this.#arm()
      return
    }
    this.#turn.taken = true
    this.#slice()
  }

  #slice(): void {
    const round = this.#round
    if (round === undefined) return
    const progress = this.#context.gate.run(() => round.step(this.#context.limits.compactionSliceBytes))
    if (progress.state === 'waiting') {
      void progress.until.then(() => {
        // The round may have ended meanwhile, and another have begun.
        if (this.#round === round) this.#try(() => this.#slice())
      })
      return
    }
    if (progress.state === 'more') {
      this.#timer = this.#context.clock.after(PAUSE_MS, () => {
        this.#timer = undefined
        this.#try(() => this.#slice())
      })
      return
    }
    this.#context.log.info({ ...progress.outcome }, 'compacted the log')
    // What did not fit into this round is looked at next.
    this.#appended = true
    this.#end()
    this.#arm()
  }

  #end(): void {
    if (this.#round === undefined) return
    const round = this.#round
    this.#giveBack()
    this.#context.gate.run(() => round.abandon())
  }

  #giveBack(): void {
    if (this.#round !== undefined) this.#turn.taken = false
    this.#round = undefined
  }

  /** An I/O error is told and met again at the next look; damage ends compaction of this log until it is opened again. */
  #try(work: () => void): void {
    try {
      work()
    } catch (error) {
      logErrorCode(error)
      this.#isUncleanable = (error as Error).name === 'LogCorruptionError'
      this.#context.log.warn({ reason: (error as Error).message }, 'compaction failed; the log is as it was')
      this.#end()
      this.start()
    }
  }

  #policy(): CompactionPolicy {
    const { config } = this.#leadership
    const { clock, limits } = this.#context
    return { ...config.compaction, now: clock.now(), decompressedBytesMax: limits.appendDecompressedBytesMax }
  }
}
