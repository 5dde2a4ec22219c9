import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compilePattern, PatternError } from './bounded-pattern.rules.ts'

const matches: readonly [string, string, boolean][] = [
  ['orders', 'orders', true],
  ['orders', 'orders2', false],
  ['order', 'orders', false],
  ['', '', true],
  ['', 'a', false],
  ['.*', 'anything.at-all_1', true],
  ['a|b|c', 'b', true],
  ['(a|b)+c?', 'abbac', true],
  ['[a-c]{2,3}', 'abc', true],
  ['[a-c]{2,3}', 'abca', false],
  ['[^a-c]+', 'xyz', true],
  ['[^a-c]+', 'xbz', false],
  ['\\d+\\.\\w*', '12.ab_3', true],
  ['[]a]+', ']a', true],
  ['[a-]+', 'a-a', true],
  ['[\\d.-]+', '1.2-3', true],
  ['[[:alpha:]]+[[:digit:]]*', 'abc12', true],
  ['(?i)ORDERS', 'Orders', true],
  ['(?i:OR)ders', 'orDERS', false],
  ['(?P<name>x)y', 'xy', true],
  ['^orders$', 'orders', true],
  ['\\Aorders\\z', 'orders', true],
  ['a{3}', 'aaa', true],
  ['a{2,}', 'aaaa', true],
  ['a{2,}', 'a', false],
  ['a??b', 'b', true],
  ['(a*)*', 'aaaa', true],
  ['()|x', 'x', true],
  ['\\Qa.b\\E+', 'a.b', true],
  ['a\\.b', 'axb', false],
  ['\\x61\\x{62}', 'ab', true],
  ['a{', 'a{', true],
]

test.each(matches)('%s over %s: %s', (pattern, topic, expected) => {
  expect(compilePattern(pattern)(topic)).toBe(expected)
})

describe('what is no pattern', () => {
  test.each([
    '(',
    ')',
    '(a',
    'a)',
    '[',
    '[a',
    '*',
    '+a',
    'a|*',
    '\\',
    '\\k',
    '[z-a]',
    'a{2,1}',
    'a{1001}',
    '(?<',
    '[[:nope:]]',
    `${'('.repeat(300)}${')'.repeat(300)}`,
  ])('%s is refused', pattern => {
    expect(() => compilePattern(pattern)).toThrow(PatternError)
  })

  test('counted repetitions cannot make a program without bound', () => {
    expect(() => compilePattern('((a{1000}){1000}){1000}')).toThrow(PatternError)
  })
})

test('patterns that stall a backtracking engine are as fast as others', () => {
  const name = `${'a'.repeat(248)}!`
  for (const pattern of ['(a+)+', '(a|a)*', '(a*)*b', '(.*a){12}']) expect(compilePattern(pattern)(name)).toBe(false)
})

test('agrees with the platform’s engine where both understand the pattern', () => {
  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '(?:a|b)', '(ab)', '1')
  const piece = fc.tuple(atom, fc.constantFrom('', '*', '+', '?', '{0,2}', '{2}', '*?')).map(([a, q]) => a + q)
  const pattern = fc.array(
    fc.array(piece, { maxLength: 4 }).map(list => list.join('')),
    { minLength: 1, maxLength: 3 },
  )
  const topic = fc.string({ unit: fc.constantFrom('a', 'b', '1', '.'), maxLength: 8 })
  fc.assert(
    fc.property(pattern, topic, (options, name) => {
      const source = options.join('|')
      expect(compilePattern(source)(name)).toBe(new RegExp(`^(?:${source})$`).test(name))
    }),
    { numRuns: 2_000 },
  )
})
