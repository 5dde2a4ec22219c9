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

test('waits that are too long end it: two looks find nothing, whatever was before', () => {
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

test('a wait that was slept through may be longer by what the waking takes', () => {
  for (let n = 0; n < 4; n++) wait(MAX_MS + 0.09)
  expect(lookout.pays).toBe(true)
  wait(MAX_MS + 0.09)
  wait(MAX_MS + 0.09)
  expect(lookout.pays).toBe(false)
  for (let n = 0; n < 100; n++) wait(MAX_MS + 0.11)
  expect(lookout.pays).toBe(false)
})

/** Waits so long that sleepers take them for short and lookers do not, so often; returns how many of them were looked through in vain. */
function looksInVain(waits: number): number {
  let vain = 0
  for (let n = 0; n < waits; n++) {
    if (lookout.pays) vain++
    wait(MAX_MS + 0.09)
  }
  return vain
}

test('what comes at a pace of its own is looked for less and less', () => {
  // 4, 8, 16 ... 1,024 short waits before the next two looks.
  expect(looksInVain(2_100)).toBe(18)
  expect(looksInVain(10_260)).toBe(20)
})

test('looking that has lasted begins as soon as at first again', () => {
  looksInVain(2_100)
  for (let n = 0; n < 1_024 + 64; n++) wait(0.01)
  expect(lookout.pays).toBe(true)
  while (lookout.pays) wait(50)
  for (let n = 0; n < 4; n++) wait(0.01)
  expect(lookout.pays).toBe(true)
})

test('a lane that is busy again and again without having been idle changes nothing', () => {
  for (let n = 0; n < 100; n++) lookout.awake()
  expect(lookout.pays).toBe(false)
})
