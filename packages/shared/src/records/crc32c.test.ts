import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32c, NATIVE_CRC_MIN_BYTES, tableCrc32c } from './crc32c.ts'

const ascending = Uint8Array.from({ length: 32 }, (_, index) => index)

test.each([
  ['the check string', new TextEncoder().encode('123456789'), 0xe3069283],
  ['32 zero bytes', new Uint8Array(32), 0x8a9136aa],
  ['32 bytes of 0xff', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['0 to 31 ascending (RFC 3720 B.4)', ascending, 0x46dd794e],
  ['31 to 0 descending (RFC 3720 B.4)', ascending.toReversed(), 0x113fdb5c],
  ['nothing', new Uint8Array(0), 0],
])('%s has its published checksum', (_name, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected)
})

test('the tables and the native code agree on every length around the crossover', () => {
  const bytes = Uint8Array.from({ length: 4 * NATIVE_CRC_MIN_BYTES }, (_, index) => (index * 167 + 13) & 0xff)
  for (let length = 0; length <= bytes.length; length++) {
    expect(crc32c(bytes, 0, length)).toBe(tableCrc32c(bytes, 0, length))
  }
})

test('the checksum of pieces, each from the result of those before, is the checksum of the whole', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(600), (bytes, cut) => {
      const middle = Math.min(cut, bytes.length)
      const first = crc32c(bytes, 0, middle)
      expect(crc32c(bytes, middle, bytes.length, first)).toBe(crc32c(bytes))
    }),
  )
})
