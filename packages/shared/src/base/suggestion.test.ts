// Suggestions for mistyped names.
import { describe, expect, test } from 'vitest'
import { nearestName } from './suggestion.ts'

const known = ['lingerMs', 'batchSize', 'bufferMemory', 'linger.ms', 'retries']

describe('nearestName', () => {
  test('a slip of the finger finds the name', () => {
    expect(nearestName('lingerms', known)).toBe('lingerMs')
    expect(nearestName('bacthSize', known)).toBe('batchSize')
    expect(nearestName('retrys', known)).toBe('retries')
  })
  test('a forgotten unit finds the name', () => {
    expect(nearestName('linger', known)).toBe('lingerMs')
  })
  test('something else finds nothing', () => {
    expect(nearestName('colour', known)).toBeUndefined()
    expect(nearestName('', known)).toBeUndefined()
  })
})
