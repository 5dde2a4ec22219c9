// The tour's rules: what a line becomes, and what the verification finds.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatOf, recordOf } from './input-lines.rules.ts'
import { Ledger, verify } from './verification.rules.ts'

function ledger(entries: readonly (readonly [string, number])[]): Ledger {
  const made = new Ledger()
  for (const [key, fingerprint] of entries) made.add(key, fingerprint)
  return made
}

const sent = ledger([
  ['ORD', 1],
  ['LAX', 2],
  ['ORD', 3],
  ['ORD', 4],
])

test('the same records in the order of each key hold, however keys are interleaved', () => {
  const received = ledger([
    ['LAX', 2],
    ['ORD', 1],
    ['ORD', 3],
    ['ORD', 4],
  ])
  expect(verify(sent, received)).toEqual({
    sent: 4,
    received: 4,
    keys: 2,
    lost: 0,
    doubled: 0,
    disorderedKeys: 0,
    holds: true,
  })
})

test('a record that did not arrive is lost', () => {
  const received = ledger([
    ['LAX', 2],
    ['ORD', 1],
    ['ORD', 4],
  ])
  expect(verify(sent, received)).toMatchObject({ lost: 1, doubled: 0, disorderedKeys: 0, holds: false })
})

test('a record that arrived twice is doubled', () => {
  const received = ledger([
    ['LAX', 2],
    ['ORD', 1],
    ['ORD', 3],
    ['ORD', 3],
    ['ORD', 4],
  ])
  expect(verify(sent, received)).toMatchObject({ lost: 0, doubled: 1, disorderedKeys: 0, holds: false })
})

test('records of one key in another order are found', () => {
  const received = ledger([
    ['LAX', 2],
    ['ORD', 3],
    ['ORD', 1],
    ['ORD', 4],
  ])
  expect(verify(sent, received)).toMatchObject({ lost: 0, doubled: 0, disorderedKeys: 1, holds: false })
})

test('a record under another key is lost there and doubled here', () => {
  const received = ledger([
    ['LAX', 2],
    ['LAX', 1],
    ['ORD', 3],
    ['ORD', 4],
  ])
  expect(verify(sent, received)).toMatchObject({ lost: 1, doubled: 1, holds: false })
})

test('an empty history does not hold', () => {
  expect(verify(ledger([]), ledger([])).holds).toBe(false)
})

test('any single change of a history is found', () => {
  const history = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat()), { minLength: 2, maxLength: 30 })
  fc.assert(
    fc.property(history, fc.nat(), (entries, seed) => {
      const at = seed % entries.length
      const without = entries.filter((_, index) => index !== at)
      expect(verify(ledger(entries), ledger(entries)).holds).toBe(true)
      expect(verify(ledger(entries), ledger(without)).lost).toBe(1)
      expect(verify(ledger(entries), ledger([...entries, entries[at]!])).doubled).toBe(1)
    }),
  )
})

test('lines are values without key; with a key, or by name, a file holds JSON lines', () => {
  expect(formatOf('notes.txt', undefined)).toBe('lines')
  expect(formatOf('notes.txt', 'id')).toBe('json')
  expect(formatOf('notes.ndjson', undefined)).toBe('json')
  expect(recordOf('any text', 'lines', undefined)).toEqual({ key: null, value: 'any text' })
})

test('the key is a field, or a path of fields; numbers become text', () => {
  const line = '{"id":7,"user":{"name":"Ada"}}'
  expect(recordOf(line, 'json', 'id')).toEqual({ key: '7', value: line })
  expect(recordOf(line, 'json', 'user.name')).toEqual({ key: 'Ada', value: line })
  expect(recordOf(line, 'json', undefined)).toEqual({ key: null, value: line })
})

test('a broken line says what is wrong with it', () => {
  expect(() => recordOf('{"id":', 'json', 'id')).toThrow(/^it is no JSON: /)
  expect(() => recordOf('{"a":1}', 'json', 'id')).toThrow("it has no field 'id'")
  expect(() => recordOf('{"id":[1]}', 'json', 'id')).toThrow("its field 'id' is no text or number")
  expect(() => recordOf('3', 'json', 'id')).toThrow("it has no field 'id'")
})
