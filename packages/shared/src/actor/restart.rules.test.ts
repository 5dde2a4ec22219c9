import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RESTART_DELAY_MAX_MS, RESTART_WINDOW_MS, RESTARTS_MAX, restartAfter } from './restart.rules.ts'

describe('restart after death', () => {
  it('doubles the delay with each death in the window', () => {
    let deaths: readonly number[] = []
    const delays = [0, 1, 2, 3].map(now => {
      const decision = restartAfter(deaths, now, 0)
      deaths = decision.deaths
      return decision.delayMs
    })
    expect(delays).toEqual([10, 20, 40, 80])
  })

  it('forgets deaths that are longer ago than the window', () => {
    expect(restartAfter([0, 1, 2], RESTART_WINDOW_MS + 10, 0)).toEqual({
      deaths: [RESTART_WINDOW_MS + 10],
      delayMs: 10,
    })
  })

  it('gives up when the window holds too many', () => {
    const deaths = Array.from({ length: RESTARTS_MAX }, (_, n) => n)
    expect(restartAfter(deaths.slice(1), 100, 0).delayMs).toBe(RESTART_DELAY_MAX_MS)
    expect(restartAfter(deaths, 100, 0).delayMs).toBeNull()
  })

  it('takes between half and all of the delay, whatever chance says', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1_000), { maxLength: RESTARTS_MAX - 1 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (deaths, chance) => {
          const { delayMs: full } = restartAfter(deaths, 1_000, 0)
          const { delayMs } = restartAfter(deaths, 1_000, chance)
          expect(delayMs).toBeLessThanOrEqual(full!)
          expect(delayMs).toBeGreaterThanOrEqual(full! / 2)
        },
      ),
    )
  })
})
