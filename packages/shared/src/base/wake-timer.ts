// One timer for many moments: keeps the earliest. Used where arming a timer per batch would cost more than the batch.
import type { Clock, Timer } from './clock.ts'

/** Added to every wait, so that rounding never makes a timer fire before its moment, find nothing due, and arm itself for no time at all. */
const ROUNDING_MS = 0.001

export class WakeTimer {
  readonly #clock: Clock
  readonly #wake: () => void
  #timer: Timer | null = null
  #at = Number.POSITIVE_INFINITY

  constructor(clock: Clock, wake: () => void) {
    this.#clock = clock
    this.#wake = wake
  }

  /** Wakes at this monotonic time, or earlier if an earlier time is asked for. */
  wakeAt(at: number): void {
    if (at >= this.#at) return
    this.cancel()
    this.#at = at
    const delayMs = Math.max(0, at - this.#clock.monotonic()) + ROUNDING_MS
    this.#timer = this.#clock.after(delayMs, () => {
      this.#timer = null
      this.#at = Number.POSITIVE_INFINITY
      this.#wake()
    })
  }

  cancel(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#at = Number.POSITIVE_INFINITY
  }
}
