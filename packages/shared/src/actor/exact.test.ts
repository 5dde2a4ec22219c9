import { describe, expect, it } from 'vitest'
import { exact, isExact, portCopy, withCopies } from './exact.ts'

const TRANSFER_MIN = 8
const listed = (...views: Uint8Array[]) => new Set(views)

describe('exact byte arrays', () => {
  it('are passed as they are, and made from views of something bigger', () => {
    const own = new Uint8Array([1, 2, 3])
    expect(exact(own)).toBe(own)
    const part = own.subarray(1)
    expect(isExact(part)).toBe(false)
    expect(exact(part)).toEqual(new Uint8Array([2, 3]))
    expect(isExact(exact(part))).toBe(true)
  })

  it('are made of pooled and of shared memory by copying', () => {
    const pooled = exact(Buffer.from('abc'))
    expect([pooled.buffer.byteLength, Buffer.from(pooled).toString()]).toEqual([3, 'abc'])
    const shared = exact(new Uint8Array(new SharedArrayBuffer(2)))
    expect(shared.buffer).toBeInstanceOf(ArrayBuffer)
  })

  it('replace what needs a copy, and leave the message of the sender as it was', () => {
    const part = new Uint8Array([1, 2, 3]).subarray(1)
    const own = new Uint8Array([9])
    const message = { a: { list: [part, own] }, b: 1 }
    const copy = withCopies(message, bytes => !isExact(bytes))
    expect(copy).toEqual(message)
    expect(isExact(copy.a.list[0]!)).toBe(true)
    expect(copy.a.list[1]).toBe(own)
    expect(message.a.list[0]).toBe(part)
  })
})

describe('a copy as a port makes it', () => {
  it('shares nothing with the original', () => {
    const message = {
      n: 1,
      text: 'x',
      none: null,
      list: [{ deep: true }],
      map: new Map([['a', { b: 1 }]]),
      set: new Set([1]),
    }
    const copy = portCopy(message, listed(), TRANSFER_MIN)
    expect(copy).toEqual(message)
    expect(copy.list[0]).not.toBe(message.list[0])
    expect(copy.map.get('a')).not.toBe(message.map.get('a'))
  })

  it('takes large listed byte arrays away and copies small ones', () => {
    const [large, small] = [new Uint8Array(TRANSFER_MIN).fill(1), new Uint8Array(2).fill(2)]
    const copy = portCopy({ large, small }, listed(large, small), TRANSFER_MIN)
    expect(copy).toEqual({ large: new Uint8Array(TRANSFER_MIN).fill(1), small: new Uint8Array(2).fill(2) })
    expect([large.byteLength, small.byteLength]).toEqual([0, 2])
  })

  it.each([
    ['a large byte array that the contract does not list', { bytes: new Uint8Array(TRANSFER_MIN) }, /not listed/],
    ['a part of a buffer that the contract does not list', { bytes: new Uint8Array(4).subarray(1) }, /not listed/],
    ['a function', { call: () => {} }, /function cannot cross/],
    ['a symbol', { mark: Symbol('x') }, /symbol cannot cross/],
    ['an instance of a class', { error: new Error('x') }, /instance of Error cannot cross/],
  ])('refuses %s', (_, message, why) => {
    expect(() => portCopy(message, listed(), TRANSFER_MIN)).toThrow(why)
  })
})
