import { expect, test } from 'vitest'
import type { Clock } from '../base/clock.ts'
import { LoopDelayGauge } from './loop-delay.ts'

/** A clock whose one timer fires when the test says so, as late as it says. */
function loop() {
  let now = 0
  let armed: { readonly at: number; readonly fire: () => void } | null = null
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    after(delayMs, fire) {
      armed = { at: now + delayMs, fire }
      return { cancel: () => {} }
    },
  }
  return {
    clock,
    get sleeps() {
      return armed === null
    },
    look(lateMs: number) {
      const { at, fire } = armed!
      armed = null
      now = at + lateMs
      fire()
    },
  }
}

test('a thread that has no turns is not woken to look at its clock', () => {
  const thread = loop()
  const gauge = new LoopDelayGauge(thread.clock)
  expect(gauge.isLooking).toBe(false)
  expect(thread.sleeps).toBe(true)
  expect(gauge.read()).toMatchObject({ p50Ms: 0, p99Ms: 0, maxMs: 0 })
})

test('looking begins with a turn and ends a second after the last one', () => {
  const thread = loop()
  const gauge = new LoopDelayGauge(thread.clock)
  gauge.turned()
  for (let looks = 0; looks < 19; looks++) thread.look(0)
  gauge.turned()
  for (let looks = 0; looks < 20; looks++) {
    expect(gauge.isLooking).toBe(true)
    thread.look(0)
  }
  expect(gauge.isLooking).toBe(false)
  expect(thread.sleeps).toBe(true)
  gauge.turned()
  expect(thread.sleeps).toBe(false)
})

test('delays are those of looks, and time asleep is none', () => {
  const thread = loop()
  const gauge = new LoopDelayGauge(thread.clock)
  gauge.turned()
  for (let looks = 0; looks < 20; looks++) thread.look(looks === 7 ? 80 : 2)
  gauge.turned()
  thread.look(2)
  const { p50Ms, maxMs } = gauge.read()
  expect(p50Ms).toBeCloseTo(2, 1)
  expect(maxMs).toBeGreaterThan(79)
  expect(maxMs).toBeLessThan(81)
})
