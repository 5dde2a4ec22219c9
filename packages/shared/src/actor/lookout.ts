// A lane that has nothing left to do looks for more for a moment before its thread sleeps, where that has paid lately. To put a thread to sleep and to wake it costs both
// threads some ten microseconds each, on virtual machines several times as much; who speaks with one that looks pays neither. As Linux does for network
// devices (`net.core.busy_read`) and idle guests (`haltpoll`). Decision 0043.
import type { Clock } from '../base/clock.ts'

/** Short waits, less what long ones take, that begin the looking. */
const BEGIN_AFTER = 4
/** Where looking did not last, it takes twice as many the next time, up to this: what comes at a pace of its own must not be looked for again and again. */
const BEGIN_AFTER_MAX = 1_024
/** Looks that found something from which on it has lasted. */
const LASTED = 64
/** What a long wait takes: a look that found nothing cost as much as several that found something saved. */
const MISS = 4
/** What many short waits in a row are worth at most: the second long one ends the looking. */
const CREDIT_MAX = 8
/** What sleeping adds to a wait that is answered at once: two threads that wake. Milliseconds. */
const WAKINGS_MS = 0.1

export interface LookoutOptions {
  readonly clock: Pick<Clock, 'monotonic'>
  /** The longest wait that is looked through. Milliseconds. */
  readonly maxMs: number
  /** Calls `look` once after whatever else has come has been handled, without the thread sleeping in between. */
  readonly again: (look: () => void) => void
}

/** Of one lane, which tells it when it has nothing to do and when it has again. */
export class Lookout {
  readonly #options: LookoutOptions
  /** Monotonic milliseconds; null: there is something to do. */
  #idleSince: number | null = null
  #isLooking = false
  /** Whether waits are begun looking. */
  #pays = false
  /** While it does not pay: short waits lately, and how many it takes. */
  #short = 0
  #beginAfter = BEGIN_AFTER
  /** While it pays: how much is left, and what was found. */
  #credit = 0
  #found = 0

  constructor(options: LookoutOptions) {
    this.#options = options
  }

  /** Whether the next wait is begun looking. */
  get pays(): boolean {
    return this.#pays
  }

  /** Nothing is left to do. */
  idle(): void {
    if (this.#idleSince !== null) return
    const { clock, again } = this.#options
    this.#idleSince = clock.monotonic()
    if (!this.#pays || this.#isLooking) return
    this.#isLooking = true
    again(this.#look)
  }

  /** Something came. */
  awake(): void {
    if (this.#idleSince === null) return
    const { clock, maxMs } = this.#options
    const waited = clock.monotonic() - this.#idleSince
    this.#idleSince = null
    if (this.#pays) this.#looked(waited <= maxMs)
    else this.#slept(waited <= maxMs + WAKINGS_MS)
  }

  #slept(isShort: boolean): void {
    this.#short = isShort ? this.#short + 1 : Math.max(this.#short - MISS, 0)
    if (this.#short < this.#beginAfter) return
    this.#pays = true
    this.#credit = CREDIT_MAX
    this.#found = 0
  }

  #looked(isShort: boolean): void {
    if (isShort) {
      this.#found++
      this.#credit = Math.min(this.#credit + 1, CREDIT_MAX)
      return
    }
    this.#credit -= MISS
    if (this.#credit > 0) return
    this.#pays = false
    this.#short = 0
    this.#beginAfter = this.#found >= LASTED ? BEGIN_AFTER : Math.min(this.#beginAfter * 2, BEGIN_AFTER_MAX)
  }

  readonly #look = (): void => {
    const { clock, maxMs, again } = this.#options
    if (this.#idleSince !== null && clock.monotonic() - this.#idleSince <= maxMs) again(this.#look)
    else this.#isLooking = false
  }
}
