import fc from 'fast-check'
import { expect, test } from 'vitest'
import { javaStringHash, shardOf } from './shard-key.rules.ts'

test.each([
  ['', 0],
  ['a', 97],
  ['group', 98_629_247],
  ['polygenelubricants', -2_147_483_648],
])('hash of %j is what Java computes', (text, hash) => {
  expect(javaStringHash(text)).toBe(hash)
})

test('the hash follows its definition, s[0]*31^(n-1) + ... in 32 bits, for any UTF-16 units', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const units = [...Array(text.length).keys()].map(at => BigInt(text.charCodeAt(at)))
      const defined = BigInt.asIntN(
        32,
        units.reduce((sum, unit) => sum * 31n + unit, 0n),
      )
      expect(javaStringHash(text)).toBe(Number(defined))
    }),
  )
})

test('a hash of the most negative integer still finds a partition', () => {
  expect(shardOf('polygenelubricants', 50)).toBe(0)
})
