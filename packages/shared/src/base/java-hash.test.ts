// Against values of Java's String.hashCode.
import { expect, test } from 'vitest'
import { partitionForKey } from './java-hash.ts'

test.each([
  ['', 0],
  ['a', 97],
  ['hello', 99162322],
  // "polygenelubricants".hashCode() == Integer.MIN_VALUE, which Kafka masks to 0
  ['polygenelubricants', 0],
  ['\u00fcber', ((((252 * 31 + 98) * 31 + 101) * 31 + 114) & 0x7fffffff) >>> 0],
])('%j has the hash that Java gives it', (id, hash) => {
  expect(partitionForKey(id, 2 ** 31)).toBe(hash)
})

test('ids spread over the partitions that exist', () => {
  const seen = new Set(Array.from({ length: 500 }, (_, i) => partitionForKey(`group-${i}`, 50)))
  expect(seen.size).toBe(50)
  expect(Math.max(...seen)).toBe(49)
})
