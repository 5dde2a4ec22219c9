import { beforeEach, expect, test } from 'vitest'
import { Lookout } from './lookout.ts'

const MAX_MS = 0.125
let now: number
let asked: (() => void)[]
let lookout: Lookout

beforeEach(() => {
  now = 1_024
  asked = []
  lookout = new Lookout({ clock: { monotonic: () => now }, maxMs: MAX_MS, again: look => asked.push(look) })
})

/** The lane has nothing to do for so long, then something comes. */
function wait(ms: number): void {
  lookout.idle()
  now += ms
  lookout.awake()
}

/** Looks until nothing is looked for any more; returns how often. */
function lookFor(stepMs: number): number {
  let looks = 0
  for (let look = asked.shift(); look !== undefined; look = asked.shift()) {
    now += stepMs
    look()
    looks++
  }
  return looks
}

test('nothing is looked for until several waits were short', () => {
  for (let n = 0; n < 3; n++) wait(MAX_MS)
  lookout.idle()
  expect(asked).toEqual([])
  now += MAX_MS
  lookout.awake()
  lookout.idle()
  expect(asked).toHaveLength(1)
})

test('a look goes on for the longest wait, and no longer', () => {
  for (let n = 0; n < 4; n++) wait(0.01)
  lookout.idle()
  expect(lookFor(MAX_MS / 4)).toBe(5)
  expect(asked).toEqual([])
})

test('a look ends when something came, and one that is under way serves the next wait', () => {
  for (let n = 0; n < 4; n++) wait(0.01)
  lookout.idle()
  lookout.awake()
  expect(lookFor(0.01)).toBe(1)
  lookout.idle()
  lookout.awake()
  lookout.idle()
  expect(asked).toHaveLength(1)
})

test('waits that are too long end it: at most two looks find nothing, whatever was before', () => {
  for (let n = 0; n < 1_000; n++) wait(0.01)
  let missed = 0
  while (lookout.pays) {
    wait(50)
    missed++
  }
  expect(missed).toBe(2)
})

test('two short waits between long ones never pay', () => {
  for (let n = 0; n < 100; n++) {
    wait(0.01)
    wait(0.01)
    wait(50)
    expect(lookout.pays).toBe(false)
  }
})

test('a lane that is busy again and again without having been idle changes nothing', () => {
  for (let n = 0; n < 100; n++) lookout.awake()
  expect(lookout.pays).toBe(false)
})
