// How soon a dead actor starts again, and when its supervisor gives up. Pure: time and chance are arguments.

/** Milliseconds of the first backoff. */
export const RESTART_DELAY_MIN_MS = 10
/** Milliseconds of the longest backoff. */
export const RESTART_DELAY_MAX_MS = 5_000
/** Deaths within the window after which a supervisor gives up. */
export const RESTARTS_MAX = 20
/** Deaths longer ago are forgotten. Milliseconds. */
export const RESTART_WINDOW_MS = 60_000

export interface RestartDecision {
  /** Times of the deaths that count, this one included. */
  readonly deaths: readonly number[]
  /** Milliseconds until the next start; null: give up. */
  readonly delayMs: number | null
}

/**
 * The decision after a death at `now` (monotonic ms). The delay doubles with each death in the window, from 10 ms to 5 s, less up to
 * half by `chance` (in [0, 1)), so that actors that died together do not come back together.
 */
export function restartAfter(deaths: readonly number[], now: number, chance: number): RestartDecision {
  const counted = [...deaths.filter(at => now - at < RESTART_WINDOW_MS), now]
  if (counted.length > RESTARTS_MAX) return { deaths: counted, delayMs: null }
  const full = Math.min(RESTART_DELAY_MAX_MS, RESTART_DELAY_MIN_MS * 2 ** (counted.length - 1))
  return { deaths: counted, delayMs: full * (1 - chance / 2) }
}
