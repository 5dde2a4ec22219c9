// Copies for retries: same bytes, memory used again, within its bound.
import { expect, test } from 'vitest'
import { RetainedCopies } from './retained-copies.ts'

test('a copy keeps its bytes after the original was given away', () => {
  const copies = new RetainedCopies(1_000_000)
  const original = Uint8Array.from({ length: 5_000 }, (_, index) => index)
  const expected = original.slice()
  const copy = copies.retain(original)
  original.fill(0)
  const fresh = copies.fresh(copy)
  expect(fresh).toEqual(expected)
  expect(fresh.byteLength).toBe(fresh.buffer.byteLength)
})

test('released memory is used again, and no more is kept than the bound', () => {
  const copies = new RetainedCopies(8_192)
  const [a, b, c] = [1, 2, 3].map(() => copies.retain(new Uint8Array(10)))
  copies.release(a!)
  expect(copies.retain(new Uint8Array(20)).memory).toBe(a!.memory)
  for (const copy of [a!, b!, c!]) copies.release(copy)
  expect(copies.freeBytes).toBe(8_192)
})
