import { expect, test } from 'vitest'
import { median } from './median.rules.ts'

test('of an odd number of values one that was measured, of an even number what is between the two in the middle', () => {
  expect(median([3])).toBe(3)
  expect(median([9, 1, 5])).toBe(5)
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(median([10, 2])).toBe(6)
})
