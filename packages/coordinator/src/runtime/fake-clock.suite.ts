// A clock that tests of the runtime move by hand.
import type { Clock, Timer } from '@odradek/shared/base/clock'

export class FakeClock implements Clock {
  #now = 1_000_000
  readonly #start = this.#now
  #timers: { at: number; fire: () => void }[] = []

  get armed(): number {
    return this.#timers.length
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now - this.#start
  }

  after(delayMs: number, fire: () => void): Timer {
    const timer = { at: this.#now + delayMs, fire }
    this.#timers.push(timer)
    return {
      cancel: () => {
        this.#timers = this.#timers.filter(other => other !== timer)
      },
    }
  }

  /** Moves on and fires what is due, in order of time. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.#timers = this.#timers.filter(other => other !== due)
      this.#now = Math.max(this.#now, due.at)
      due.fire()
    }
    this.#now = end
  }
}
