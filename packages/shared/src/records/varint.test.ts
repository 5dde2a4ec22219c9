import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteCursor, readVarint, readVarlong, varintSize, varlongSize, writeVarint, writeVarlong } from './varint.ts'

const MAX_SAFE = Number.MAX_SAFE_INTEGER

function bytesOf(...bytes: number[]): ByteCursor {
  return new ByteCursor(Uint8Array.from(bytes))
}

describe('varint', () => {
  test.each([
    [0, [0x00]],
    [-1, [0x01]],
    [1, [0x02]],
    [63, [0x7e]],
    [-64, [0x7f]],
    [64, [0x80, 0x01]],
    [-65, [0x81, 0x01]],
    [2 ** 31 - 1, [0xfe, 0xff, 0xff, 0xff, 0x0f]],
    [-(2 ** 31), [0xff, 0xff, 0xff, 0xff, 0x0f]],
  ])('%d is written as Kafka writes it', (value, expected) => {
    const bytes = new Uint8Array(5)
    const end = writeVarint(bytes, 0, value)
    expect([...bytes.subarray(0, end)]).toEqual(expected)
    expect(varintSize(value)).toBe(expected.length)
  })

  test('an int32 reads back and its size is what was written', () => {
    fc.assert(
      fc.property(fc.integer(), value => {
        const cursor = new ByteCursor(new Uint8Array(5))
        const end = writeVarint(cursor.bytes, 0, value)
        expect(readVarint(cursor)).toBe(value)
        expect(cursor.position).toBe(end)
        expect(varintSize(value)).toBe(end)
      }),
    )
  })

  test('a padded encoding is accepted, as Kafka accepts it', () => {
    expect(readVarint(bytesOf(0x80, 0x80, 0x00))).toBe(0)
  })

  test('more than five bytes are refused', () => {
    expect(() => readVarint(bytesOf(0x80, 0x80, 0x80, 0x80, 0x80, 0x00))).toThrow('longer than 32 bits')
  })

  test('bits past the 32nd are refused', () => {
    expect(() => readVarint(bytesOf(0xff, 0xff, 0xff, 0xff, 0x1f))).toThrow('longer than 32 bits')
  })

  test('a cut varint is refused', () => {
    expect(() => readVarint(bytesOf(0x80))).toThrow('cut off')
    expect(() => readVarint(bytesOf())).toThrow('cut off')
  })
})

describe('varlong', () => {
  test.each([
    [2 ** 31, [0x80, 0x80, 0x80, 0x80, 0x10]],
    [-(2 ** 31) - 1, [0x81, 0x80, 0x80, 0x80, 0x10]],
    [2 ** 48, [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]],
    [MAX_SAFE, [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f]],
    [-MAX_SAFE, [0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f]],
  ])('%d is written as Kafka writes it', (value, expected) => {
    const bytes = new Uint8Array(10)
    const end = writeVarlong(bytes, 0, value)
    expect([...bytes.subarray(0, end)]).toEqual(expected)
    expect(varlongSize(value)).toBe(expected.length)
  })

  test('a safe integer reads back and its size is what was written', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), value => {
        const cursor = new ByteCursor(new Uint8Array(10))
        const end = writeVarlong(cursor.bytes, 0, value)
        expect(readVarlong(cursor)).toBe(value)
        expect(cursor.position).toBe(end)
        expect(varlongSize(value)).toBe(end)
      }),
    )
  })

  test('every power of two and its neighbours read back', () => {
    for (let exponent = 0; exponent < 53; exponent++) {
      for (const value of [2 ** exponent - 1, 2 ** exponent, -(2 ** exponent), -(2 ** exponent) + 1]) {
        const cursor = new ByteCursor(new Uint8Array(10))
        const end = writeVarlong(cursor.bytes, 0, value)
        expect(readVarlong(cursor)).toBe(value)
        expect(varlongSize(value)).toBe(end)
      }
    }
  })

  test('a value beyond 2^53 - 1 is refused rather than rounded', () => {
    expect(() => readVarlong(bytesOf(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20))).toThrow('safe integers')
    expect(() => readVarlong(bytesOf(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01))).toThrow(
      'safe integers',
    )
  })

  test('padding is accepted up to ten bytes and refused beyond', () => {
    const padding = (count: number) => bytesOf(0x82, ...new Array(count).fill(0x80), 0x00)
    expect(readVarlong(padding(8))).toBe(1)
    expect(() => readVarlong(padding(9))).toThrow('safe integers')
  })

  test('a cut varlong is refused', () => {
    expect(() => readVarlong(bytesOf(0x80, 0x80))).toThrow('cut off')
  })
})
