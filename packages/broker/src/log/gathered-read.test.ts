// What a read takes of stored values, and where it wants them.
import { isLent } from '@odradek/shared/base/lent-buffers'
import { expect, test } from 'vitest'
import { GatheredRead } from './gathered-read.ts'
import { NO_LIMITS, stamped } from './log-fixtures.suite.ts'

const KIB = 1024
const value = (offset: number, valueBytes: number) => Buffer.from(stamped(offset, { valueBytes }).bytes)
const lending = (maxBytes: number) => ({ ...NO_LIMITS, maxBytes, lend: true })

/** As one that reads from a file does: to where the read wants it. */
function takeInPlace(read: GatheredRead, bytes: Buffer): boolean {
  const place = read.placeFor(bytes.length)
  bytes.copy(place ?? Buffer.alloc(bytes.length))
  read.take(place ?? bytes)
  return place !== undefined
}

test('values that fit are read to where they stay, one behind the other', () => {
  const values = [0, 1, 2].map(offset => value(offset, 30 * KIB))
  const read = new GatheredRead(0, lending(100 * KIB))
  expect(values.map(each => takeInPlace(read, each))).toEqual([true, true, true])
  const { bytes, firstOffset, nextOffset } = read.result()!
  expect([firstOffset, nextOffset, isLent(bytes)]).toEqual([0, 3, true])
  expect(Buffer.compare(bytes, Buffer.concat(values))).toBe(0)
})

test('a value that does not fit has no place, and a part of it is wanted until half of what may be read is there', () => {
  const [first, second] = [value(0, 19 * KIB), value(1, 2 * KIB)]
  const read = new GatheredRead(0, lending(40 * KIB))
  expect(read.placeFor(40 * KIB + 1)).toBeUndefined()
  expect(read.wantsPart).toBe(true)
  takeInPlace(read, first)
  expect([read.room, read.wantsPart]).toEqual([40 * KIB - first.length, true])
  expect(read.placeFor(read.room + 1)).toBeUndefined()
  takeInPlace(read, second)
  expect([read.offset, read.wantsPart]).toEqual([2, false])
  expect(read.result()!.bytes).toHaveLength(first.length + second.length)
})

test('of a value a later batch may be the first that was asked for', () => {
  const both = Buffer.concat([value(0, 20 * KIB), value(1, 10 * KIB)])
  const read = new GatheredRead(1, lending(64 * KIB))
  expect(read.offset).toBe(1)
  expect(takeInPlace(read, both)).toBe(true)
  const { bytes, firstOffset, nextOffset } = read.result()!
  expect([firstOffset, nextOffset]).toEqual([1, 2])
  expect(Buffer.compare(bytes, value(1, 10 * KIB))).toBe(0)
})

test('who wants exact bytes gets them in a buffer of their own, whatever they are made of', () => {
  const limits = { ...NO_LIMITS, maxBytes: 64 * KIB }
  const whole = new GatheredRead(0, { ...limits, maxOffset: 1 })
  expect(takeInPlace(whole, value(0, 20 * KIB))).toBe(false)
  const several = new GatheredRead(0, limits)
  for (const offset of [0, 1, 2]) takeInPlace(several, value(offset, 15 * KIB))
  for (const read of [whole, several]) {
    const { bytes } = read.result()!
    expect([bytes.byteOffset, bytes.buffer.byteLength, isLent(bytes)]).toEqual([0, bytes.length, false])
  }
})

test('a read that finds nothing gives back the room that it took', () => {
  const read = new GatheredRead(5, { ...lending(64 * KIB), maxOffset: 5 })
  const place = read.placeFor(20 * KIB)!
  expect(isLent(place)).toBe(true)
  value(5, 10 * KIB).copy(place)
  expect(read.take(place.subarray(0, value(5, 10 * KIB).length))).toBeUndefined()
  expect(read.result()).toEqual({ bytes: new Uint8Array(0), firstOffset: 5, nextOffset: 5 })
  expect(isLent(place)).toBe(false)
})

test('without a value there is nothing', () => {
  expect(new GatheredRead(5, lending(KIB)).result()).toBeUndefined()
})
