// A lane that has nothing left to do looks for more for a moment before its thread sleeps, where that has paid lately. To put a thread to sleep and to wake it costs both
// threads some ten microseconds each, on virtual machines several times as much; who speaks with one that looks pays neither. As Linux does for network
// devices (`net.core.busy_read`) and idle guests (`haltpoll`). Decision 0043.
import type { Clock } from '../base/clock.ts'

/** Waits that were short enough, less what missed ones take, from which on looking is thought to pay. */
const PAYS_FROM = 4
/** What many short waits in a row are worth at most: a few long ones end the looking. */
const WORTH_MAX = 8
/** What a wait that was too long takes: a look that found nothing cost as much as several that found something saved. */
const MISS = 4

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
  #worth = 0
  #isLooking = false

  constructor(options: LookoutOptions) {
    this.#options = options
  }

  /** Whether the next wait is begun looking. */
  get pays(): boolean {
    return this.#worth >= PAYS_FROM
  }

  /** Nothing is left to do. */
  idle(): void {
    if (this.#idleSince !== null) return
    const { clock, again } = this.#options
    this.#idleSince = clock.monotonic()
    if (!this.pays || this.#isLooking) return
    this.#isLooking = true
    again(this.#look)
  }

  /** Something came. */
  awake(): void {
    if (this.#idleSince === null) return
    const { clock, maxMs } = this.#options
    const isShort = clock.monotonic() - this.#idleSince <= maxMs
    this.#idleSince = null
    this.#worth = isShort ? Math.min(this.#worth + 1, WORTH_MAX) : Math.max(this.#worth - MISS, 0)
  }

  readonly #look = (): void => {
    const { clock, maxMs, again } = this.#options
    if (this.#idleSince !== null && clock.monotonic() - this.#idleSince <= maxMs) again(this.#look)
    else this.#isLooking = false
  }
}
