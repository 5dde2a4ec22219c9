import { expect, test } from 'vitest'
import { pauseAfter } from './succession.rules.ts'

const after = (pauseMs: number, times: number, joinedMs: number, endMs: number) =>
  Array.from({ length: times }).reduce<number>(pause => pauseAfter(pause, joinedMs, endMs), pauseMs)

test('a transaction that was put off makes the next one wait longer, up to 10 ms', () => {
  expect(after(0, 1, 21, 1)).toBe(1)
  expect(after(0, 5, 21, 1)).toBe(5)
  expect(after(0, 50, 21, 1)).toBe(10)
})

test('one that was not lets it wait less, down to nothing', () => {
  expect(after(5, 10, 2, 1)).toBeCloseTo(4)
  expect(after(5, 1_000, 2, 1)).toBe(0)
})

test('a cluster that is slow at everything is not waited for', () => {
  expect(after(0, 20, 60, 50)).toBe(0)
  expect(after(0, 20, 80, 50)).toBe(10)
})
