import { expect, test } from 'vitest'
import { countFlag } from './bench-flags.rules.ts'

test('a flag that is no number, or too small a one, is refused by its name', () => {
  expect(countFlag('--rounds', '12')).toBe(12)
  expect(countFlag('--warm', '0', 0)).toBe(0)
  for (const given of ['', 'x', '1.5', '-1', '0'])
    expect(() => countFlag('--rounds', given)).toThrow(`--rounds takes a whole number from 1, got '${given}'`)
})
