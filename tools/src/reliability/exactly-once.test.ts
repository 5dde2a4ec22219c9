// The verdict on a pipeline: each way in which it may fail is told apart.
import { expect, test } from 'vitest'
import { exactlyOnce, type Letter, verdictOn } from './exactly-once.rules.ts'

const letter = (key: string, value: string, partition = 0): Letter => ({ partition, key, value })
const input = [letter('a', 'a1'), letter('b', 'b1'), letter('a', 'a2'), letter('c', 'c1', 1), letter('c', 'c2', 1)]

test('every record once, in the order of its key, is exactly once, however keys are interleaved', () => {
  const output = [
    letter('c', 'c1'),
    letter('b', 'b1', 1),
    letter('a', 'a1', 1),
    letter('a', 'a2', 1),
    letter('c', 'c2'),
  ]
  expect(verdictOn(input, output)).toEqual(exactlyOnce)
})

test('what never came out is missing, what came twice is doubled, what never went in is strange', () => {
  const output = [letter('a', 'a1'), letter('a', 'a1'), letter('a', 'x'), letter('a', 'a2'), letter('c', 'c1')]
  expect(verdictOn(input, output)).toEqual({ missing: ['b1', 'c2'], doubled: ['a1'], strange: ['x'], disordered: [] })
})

test('a record after a later one of its key is out of order', () => {
  const output = [letter('a', 'a2'), letter('b', 'b1'), letter('a', 'a1'), letter('c', 'c1'), letter('c', 'c2')]
  expect(verdictOn(input, output)).toEqual({ ...exactlyOnce, disordered: ['a1'] })
})

test('a record that went in twice is doubled, wherever it comes out', () => {
  expect(verdictOn([...input, letter('a', 'a1')], input)).toEqual({ ...exactlyOnce, doubled: ['a1'] })
})
