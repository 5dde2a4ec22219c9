import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../base/limits.ts'
import { restartAfter } from './restart.rules.ts'

const { restartWindowMs, restartsMax, restartDelayMaxMs } = limits

describe('restart after death', () => {
  it('doubles the delay with each death in the window', () => {
    let deaths: readonly number[] = []
    const delays = [0, 1, 2, 3].map(now => {
      const decision = restartAfter(limits, deaths, { now, chance: 0 })
      deaths = decision.deaths
      return decision.delayMs
    })
    expect(delays).toEqual([10, 20, 40, 80])
  })

  it('forgets deaths that are longer ago than the window', () => {
    expect(restartAfter(limits, [0, 1, 2], { now: restartWindowMs + 10, chance: 0 })).toEqual({
      deaths: [restartWindowMs + 10],
      delayMs: 10,
    })
  })

  it('gives up when the window holds too many', () => {
    const deaths = Array.from({ length: restartsMax }, (_, n) => n)
    expect(restartAfter(limits, deaths.slice(1), { now: 100, chance: 0 }).delayMs).toBe(restartDelayMaxMs)
    expect(restartAfter(limits, deaths, { now: 100, chance: 0 }).delayMs).toBeNull()
  })

  it('takes between half and all of the delay, whatever chance says', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1_000), { maxLength: restartsMax - 1 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (deaths, chance) => {
          const { delayMs: full } = restartAfter(limits, deaths, { now: 1_000, chance: 0 })
          const { delayMs } = restartAfter(limits, deaths, { now: 1_000, chance })
          expect(delayMs).toBeLessThanOrEqual(full!)
          expect(delayMs).toBeGreaterThanOrEqual(full! / 2)
        },
      ),
    )
  })
})
