// What is remembered of UUIDs changes nothing: neither what they are nor what is refused.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { uuidBytes, uuidText } from './known-uuids.ts'

/** Few first bytes and last ones, so that many share a place and differ late. */
const uuids = fc.array(
  fc.tuple(fc.constantFrom(0, 1, 64, 65, 255), fc.uint8Array({ minLength: 14, maxLength: 14 }), fc.constantFrom(0, 1)),
  { minLength: 1, maxLength: 20 },
)

test('bytes and text of UUIDs in any order and again and again', () => {
  fc.assert(
    fc.property(uuids, given => {
      const all = given.map(([first, middle, last]) => Buffer.from([first, ...middle, last]))
      for (const bytes of [...all, ...all.toReversed(), ...all]) {
        const text = bytes.toString('base64url')
        const among = Buffer.concat([Buffer.from([7, 7]), bytes, Buffer.from([7])])
        expect(uuidText(among, 2)).toBe(text)
        expect(Buffer.from(uuidBytes(text)!).equals(bytes)).toBe(true)
      }
    }),
  )
})

test('what is kept does not change with the bytes that it came from', () => {
  const bytes = Buffer.alloc(16, 9)
  const text = uuidText(bytes, 0)
  bytes.fill(9, 0, 15)
  bytes[15] = 10
  expect(uuidText(bytes, 0)).toBe(bytes.toString('base64url'))
  expect(uuidText(Buffer.alloc(16, 9), 0)).toBe(text)
})

test.each([
  ['', 'is empty'],
  ['AAAAAAAAAAAAAAAAAAAAA', 'is too short'],
  ['AAAAAAAAAAAAAAAAAAAAAAA', 'is too long'],
  ['AAAAAAAAAAAAAAAAAAAAAB', 'has bits that no byte has'],
  ['AAAAAAAAAA+AAAAAAAAAAA', 'is base64, not base64url'],
])('%j is no UUID: it %s', text => {
  expect(uuidBytes(text)).toBeUndefined()
})
