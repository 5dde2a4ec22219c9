// Codecs: bytes as Java writes them, round trips by both roads, refusals.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  bytes,
  type Codec,
  float64,
  int32,
  int64,
  json,
  rawCodec,
  type StandardSchema,
  schema,
  string,
} from './codecs.ts'

/** Encodes by both roads into the middle of a dirty buffer and insists that they agree. */
function encode<T>(codec: Codec<any, T>, value: T): Uint8Array {
  const whole = Uint8Array.from(codec.encode(value))
  const target = Buffer.alloc(whole.length * 3 + 64, 0xee)
  const end = codec.encodeInto!(value, target, 7)
  expect(end).toBe(7 + whole.length)
  expect(Uint8Array.from(target.subarray(7, end))).toEqual(whole)
  expect(codec.encodeInto!(value, Buffer.alloc(7 + Math.max(whole.length - 1, 0)), whole.length === 0 ? 8 : 7)).toBe(-1)
  return whole
}

function roundTrip<T>(codec: Codec<T>, value: T): T {
  const encoded = encode(codec, value)
  const decoded = codec.decode(encoded)
  if (codec.decodeRange) {
    const shifted = Buffer.concat([Buffer.from('xx'), encoded, Buffer.from('yy')])
    expect(codec.decodeRange(shifted, 2, 2 + encoded.length)).toEqual(
      decoded instanceof Uint8Array ? Buffer.from(decoded) : decoded,
    )
  }
  return decoded
}

describe('codecs', () => {
  test("numbers are big-endian, as Java's serializers write them", () => {
    expect([...encode(int32(), -2)]).toEqual([255, 255, 255, 254])
    expect([...encode(int64(), 258n)]).toEqual([0, 0, 0, 0, 0, 0, 1, 2])
    expect([...encode(float64(), 1)]).toEqual([0x3f, 0xf0, 0, 0, 0, 0, 0, 0])
  })

  test('what goes in comes out', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), text => roundTrip(string(), text) === text))
    fc.assert(fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), n => roundTrip(int32(), n) === n))
    fc.assert(fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), n => roundTrip(int64(), n) === n))
    fc.assert(fc.property(fc.double(), n => Object.is(roundTrip(float64(), n), n)))
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        expect(JSON.stringify(roundTrip(json(), value))).toBe(JSON.stringify(value))
      }),
    )
    fc.assert(
      fc.property(fc.uint8Array(), value => {
        expect(Uint8Array.from(roundTrip(bytes(), value))).toEqual(value)
      }),
    )
  })

  test('a value of the wrong kind is refused, not guessed', () => {
    expect(() => string().encode(5 as never)).toThrow('expected a string, got a number')
    expect(() => bytes().encode('x' as never)).toThrow('expected a Uint8Array, got a string')
    expect(() => int32().encode(2 ** 31)).toThrow(RangeError)
    expect(() => int64().encode(5 as never)).toThrow()
    expect(() => float64().encode('5' as never)).toThrow('expected a number')
    expect(() => json().encode(undefined)).toThrow('undefined has no JSON form')
  })

  test('bytes of the wrong length are refused', () => {
    expect(() => int32().decode(new Uint8Array(3))).toThrow('int32 takes 4 bytes, got 3')
    expect(() => int64().decode(new Uint8Array(0))).toThrow('int64 takes 8 bytes, got 0')
  })

  test('a topic without codecs takes text and bytes', () => {
    expect(Buffer.from(encode(rawCodec, 'hé')).toString()).toBe('hé')
    expect([...encode(rawCodec, new Uint8Array([1]))]).toEqual([1])
  })
})

describe('schema', () => {
  const celsius: StandardSchema<{ t: string }, { t: number }> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate(value) {
        const t = Number((value as { t?: unknown } | null)?.t)
        return Number.isNaN(t) ? { issues: [{ message: 'not a number', path: ['t'] }] } : { value: { t } }
      },
    },
  }

  test("the producer's side is the schema's input, the consumer's side its output", () => {
    const codec = schema(celsius)
    const encoded = codec.encode({ t: '21' })
    expect(Buffer.from(encoded).toString()).toBe('{"t":"21"}')
    expect(codec.decode(encoded)).toEqual({ t: 21 })
  })

  test('a value that does not fit is refused on both ways, with its path', () => {
    expect(() => schema(celsius).encode({ t: 'warm' })).toThrow('t: not a number')
    expect(() => schema(celsius).decode(Buffer.from('{}'))).toThrow('t: not a number')
  })

  test('an asynchronous schema is refused', () => {
    const late = { '~standard': { version: 1, vendor: 'late', validate: async () => ({ value: 1 }) } } as const
    expect(() => schema(late as never).encode(1)).toThrow('validates asynchronously')
  })
})
