import { expect, test } from 'vitest'
import { coordinatorEpochOf } from './coordinator-epoch.rules.ts'

test('each start of a coordinator has a higher epoch than all before it, under its leader epoch and the next', () => {
  const epochs = [0, 1, 2, 500_000].flatMap(leaderEpoch =>
    [0, 1, 2, 4_095].map(starts => coordinatorEpochOf(leaderEpoch, starts)),
  )
  expect(epochs).toEqual(epochs.toSorted((a, b) => a - b))
  expect(new Set(epochs).size).toBe(epochs.length)
})

test('it is never below the leader epoch, which markers bore before starts were counted', () => {
  for (const leaderEpoch of [0, 1, 7, 524_287]) {
    expect(coordinatorEpochOf(leaderEpoch, 0)).toBeGreaterThanOrEqual(leaderEpoch)
  }
})

test('it stays an int32, and never falls', () => {
  expect(coordinatorEpochOf(3, 4_096)).toBe(coordinatorEpochOf(3, 4_095))
  expect(coordinatorEpochOf(524_287, 4_095)).toBe(2 ** 31 - 1)
  expect(coordinatorEpochOf(524_288, 0)).toBe(2 ** 31 - 1)
})
