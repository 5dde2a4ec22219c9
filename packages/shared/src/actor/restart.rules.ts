// How soon a dead actor starts again, and when its supervisor gives up. Pure: time and chance are arguments.
import type { Limits } from '../base/limits.ts'

/** The bounds of restarts, from `limits`. */
export type RestartPolicy = Pick<Limits, 'restartsMax' | 'restartWindowMs' | 'restartDelayMinMs' | 'restartDelayMaxMs'>

export interface Death {
  /** Monotonic milliseconds. */
  readonly now: number
  /** In [0, 1). */
  readonly chance: number
}

export interface RestartDecision {
  /** Times of the deaths that count, this one included. */
  readonly deaths: readonly number[]
  /** Milliseconds until the next start; null: give up. */
  readonly delayMs: number | null
}

/**
 * The decision after a death. The delay doubles with each death in the window, less up to half by chance, so that actors that died
 * together do not come back together.
 */
export function restartAfter(
  policy: RestartPolicy,
  deaths: readonly number[],
  { now, chance }: Death,
): RestartDecision {
  const counted = [...deaths.filter(at => now - at < policy.restartWindowMs), now]
  if (counted.length > policy.restartsMax) return { deaths: counted, delayMs: null }
  const full = Math.min(policy.restartDelayMaxMs, policy.restartDelayMinMs * 2 ** (counted.length - 1))
  return { deaths: counted, delayMs: full * (1 - chance / 2) }
}
