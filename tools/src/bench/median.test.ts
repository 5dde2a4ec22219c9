import { expect, test } from 'vitest'
import { median } from './median.rules.ts'

test('the median is a value that was measured', () => {
  expect(median([3])).toBe(3)
  expect(median([9, 1, 5])).toBe(5)
  expect(median([4, 1, 3, 2])).toBe(3)
})
