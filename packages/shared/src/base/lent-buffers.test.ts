import { expect, test } from 'vitest'
import { giveBack, isLent, take } from './lent-buffers.ts'
import { limits } from './limits.ts'

test('a buffer that was given back is lent again, to whoever needs about as much', () => {
  const first = take(20_000)
  expect(first.length).toBe(20_000)
  giveBack(first)
  const second = take(30_000)
  expect(second.buffer).toBe(first.buffer)
  expect(take(20_000).buffer).not.toBe(second.buffer)
})

test('what was given back is not lent, and giving it back twice does not lend it twice', () => {
  const bytes = take(5_000)
  const part = bytes.subarray(100, 200)
  expect(isLent(part)).toBe(true)
  giveBack(part)
  expect(isLent(bytes)).toBe(false)
  giveBack(bytes)
  expect(take(5_000).buffer).not.toBe(take(5_000).buffer)
})

test('buffers that are nobody’s here, too large to keep, or transferred away are not kept', () => {
  const own = new Uint8Array(20_000)
  giveBack(own)
  const large = take(limits.lentBufferBytesMax + 1)
  expect(isLent(large)).toBe(false)
  const gone = take(20_000)
  structuredClone(gone.buffer, { transfer: [gone.buffer] })
  giveBack(gone)
  const [one, two] = [take(20_000), take(20_000)]
  expect([own.buffer, gone.buffer]).not.toContain(one.buffer)
  expect([own.buffer, gone.buffer]).not.toContain(two.buffer)
  expect(one.buffer.byteLength).toBe(32 * 1024)
})

test('no more is kept than the bound', () => {
  const count = (2 * limits.lentBytesKeptMax) / limits.lentBufferBytesMax
  const takeAll = () => Array.from({ length: count }, () => take(limits.lentBufferBytesMax))
  const before = takeAll()
  for (const bytes of before) giveBack(bytes)
  const known = new Set(before.map(({ buffer }) => buffer))
  const again = takeAll().filter(({ buffer }) => known.has(buffer))
  expect(again.length).toBeGreaterThan(0)
  expect(again.length).toBeLessThanOrEqual(limits.lentBytesKeptMax / limits.lentBufferBytesMax)
})
