// How late a thread's event loop is: what its actors, sockets and timers wait for when one of them hogs it. A timer looks at the clock while the thread
// has turns, and no longer: an idle broker sleeps (twenty looks a second, all the time, were a third of a percent of a core).
import { createHistogram, performance } from 'node:perf_hooks'
import type { Clock } from '../base/clock.ts'

/** Of one thread, over the times in which it had something to do. */
export interface LoopDelay {
  /** Milliseconds by which a timer fired late. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Part of the time since the thread started that the loop was not waiting for something to happen, 0 to 1. */
  readonly utilization: number
}

/** Between two looks at the clock. */
const LOOK_MS = 50
/** Looks without a turn in between after which nothing is looked at until the next turn. */
const QUIET_LOOKS = 20
const NS_PER_MS = 1e6

/** Watches the loop of the thread that it is made on, without keeping the thread alive. */
export class LoopDelayGauge {
  readonly #clock: Clock
  readonly #late = createHistogram()
  #quietLooks = QUIET_LOOKS
  #dueAt = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** False while the thread has had nothing to do for a second. */
  get isLooking(): boolean {
    return this.#quietLooks < QUIET_LOOKS
  }

  /** A lane of the thread is about to have a turn. */
  turned(): void {
    const slept = !this.isLooking
    this.#quietLooks = 0
    if (slept) this.#armLook()
  }

  /** What was measured so far. */
  read(): LoopDelay {
    const late = this.#late
    const ms = (ns: number) => (late.count === 0 ? 0 : ns / NS_PER_MS)
    return {
      p50Ms: ms(late.percentile(50)),
      p99Ms: ms(late.percentile(99)),
      maxMs: ms(late.max),
      utilization: performance.eventLoopUtilization().utilization,
    }
  }

  #armLook(): void {
    this.#dueAt = this.#clock.monotonic() + LOOK_MS
    this.#clock.after(LOOK_MS, this.#look)
  }

  readonly #look = (): void => {
    const lateNs = Math.round((this.#clock.monotonic() - this.#dueAt) * NS_PER_MS)
    this.#late.record(Math.max(1, lateNs))
    this.#quietLooks++
    if (this.isLooking) this.#armLook()
  }
}
