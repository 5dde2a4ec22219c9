// Time as a thing that is handed around. The real clock lives in this folder (the only one that may call the platform's);
// the simulated host brings its own. Everybody else gets a Clock from its context.

/** Handle of an armed timer; opaque. */
export interface Timer {
  /** Disarms the timer; harmless when it has fired or was cancelled. */
  cancel(): void
}

export interface Clock {
  /** Wall clock, milliseconds since 1970, integer. May jump; use for timestamps that others see. */
  now(): number
  /** Milliseconds of a clock that never goes back, fractional. Use for durations and deadlines. */
  monotonic(): number
  /**
   * Calls `fire` once, not before `delayMs` (clamped to 0..2^31-1) have passed. Timers of an actor are disarmed when it ends.
   * An armed timer does not keep a process alive by itself.
   */
  after(delayMs: number, fire: () => void): Timer
}

const LONGEST_MS = 2 ** 31 - 1

/** The platform's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, fire) {
    const handle = setTimeout(fire, Math.min(Math.max(delayMs, 0), LONGEST_MS))
    handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
}
