// Sequence numbers: counting, wrapping, and what follows what.
import { expect, test } from 'vitest'
import {
  allAcked,
  followsAcked,
  incrementSequence,
  newSequenceState,
  restartSequence,
  takeSequence,
} from './sequences.rules.ts'

const LAST = 2 ** 31 - 1

test.each([
  [0, 1, 1],
  [LAST, 1, 0],
  [LAST - 1, 4, 2],
  [-1, 1, 0],
])('%i plus %i is %i', (sequence, by, sum) => {
  expect(incrementSequence(sequence, by)).toBe(sum)
})

test('what was taken must be acknowledged, also across the wrap', () => {
  const state = newSequenceState()
  expect(allAcked(state)).toBe(true)
  restartSequence(state, { producerId: 1, producerEpoch: 0 })
  state.nextSequence = LAST
  state.lastAckedSequence = LAST - 1
  expect(takeSequence(state, 2)).toBe(LAST)
  expect(allAcked(state)).toBe(false)
  expect(followsAcked(state, LAST)).toBe(true)
  expect(followsAcked(state, 1)).toBe(false)
  state.lastAckedSequence = 0
  expect(allAcked(state)).toBe(true)
  expect(followsAcked(state, 1)).toBe(true)
})
