// The timers of one shard, by key: `armTimer` and `cancelTimer` of a decision. Called by the shard runner only.
import type { Clock, Timer } from '@odradek/shared/base/clock'

export class TimerTable {
  readonly #clock: Clock
  readonly #timers = new Map<string, Timer>()
  #high = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#timers.size
  }

  /** The most that were ever armed at once. */
  get high(): number {
    return this.#high
  }

  isArmed(key: string): boolean {
    return this.#timers.has(key)
  }

  /** Calls `fire` once after `delayMs`, unless the key is armed anew or cancelled before. */
  arm(key: string, delayMs: number, fire: () => void): void {
    this.#timers.get(key)?.cancel()
    const timer = this.#clock.after(delayMs, () => {
      if (this.#timers.get(key) !== timer) return
      this.#timers.delete(key)
      fire()
    })
    this.#timers.set(key, timer)
    this.#high = Math.max(this.#high, this.#timers.size)
  }

  cancel(key: string): void {
    this.#timers.get(key)?.cancel()
    this.#timers.delete(key)
  }

  clear(): void {
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
  }
}
