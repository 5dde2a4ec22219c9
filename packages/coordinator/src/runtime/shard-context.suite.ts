// The actor context of a shard that a test runs by itself: no lane, a clock that is moved by hand, chance from one seed.
import { type Limits, limits } from '@odradek/shared/base/limits'
import { seededRandom } from '@odradek/shared/base/random'
import type { FakeClock } from './fake-clock.suite.ts'

const silent = () => {}

/** `fail` hears of bugs: what would end the actor. */
export function shardContext(clock: FakeClock, fail: (reason: unknown) => void, changed: Partial<Limits> = {}) {
  return {
    clock,
    random: seededRandom(1),
    log: { debug: silent, info: silent, warn: silent, error: silent },
    limits: { ...limits, ...changed },
    defer: (work: () => void) => queueMicrotask(work),
    trace: { on: false, transition: silent },
    fail,
  }
}

/** Lets everything happen that needs no time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 60; turn++) await Promise.resolve()
}
