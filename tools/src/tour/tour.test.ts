// The tour's rules: what a line becomes, what the verifications find, and totals that can go back.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DeliveryBook, SentBook, verify } from './deliveries.rules.ts'
import { formatOf, recordOf, topicNameOf } from './input-lines.rules.ts'
import { differences, measureOf, RunningTotals } from './running-totals.rules.ts'

const starts = [10, 0]

/** A, B on partition 0 from offset 10; C on partition 1. */
function sentBook(): SentBook {
  const book = new SentBook(starts)
  book.add('A', { partition: 0, offset: 10 }, 1)
  book.add('B', { partition: 0, offset: 11 }, 2)
  book.add('C', { partition: 1, offset: 0 }, 3)
  book.add('A', { partition: 0, offset: 12 }, 4)
  return book
}

function delivered(
  ...deliveries: (readonly [member: number, partition: number, first: number, ...number[]] | 'rebalance')[]
) {
  const book = new DeliveryBook(starts)
  for (const delivery of deliveries) {
    if (delivery === 'rebalance') book.assigned([0, 1])
    else {
      const [member, partition, first, ...fingerprints] = delivery
      book.take({ member, partition, first, deltas: fingerprints.map((_, index) => index), fingerprints })
    }
  }
  return book
}

const good = { sent: 4, orders: 3, lost: 0, strange: 0, repeated: 0, disordered: 0, earlier: 0, holds: true }

test('every record once, in the order of its partition, holds, whoever processed it', () => {
  expect(verify(sentBook(), delivered([1, 1, 0, 3], [2, 0, 10, 1, 2], [2, 0, 12, 4]))).toEqual(good)
})

test('a new owner may begin before what the old one processed: that repeats, and holds', () => {
  const book = delivered([2, 0, 10, 1, 2], [1, 1, 0, 3], 'rebalance', [1, 0, 11, 2, 4])
  expect(verify(sentBook(), book)).toEqual({ ...good, repeated: 1 })
})

test('an owner that goes back by itself is out of order', () => {
  const book = delivered([2, 0, 10, 1, 2, 4], [2, 0, 11, 2, 4], [1, 1, 0, 3])
  expect(verify(sentBook(), book)).toMatchObject({ repeated: 2, disordered: 1, holds: false })
})

test('what nobody processed is lost; what is not what was sent is strange, also the second time', () => {
  expect(verify(sentBook(), delivered([1, 0, 10, 1, 2, 4]))).toMatchObject({ lost: 1, strange: 0, holds: false })
  expect(verify(sentBook(), delivered([1, 0, 10, 1, 9, 4], [1, 1, 0, 3]))).toMatchObject({ strange: 1, holds: false })
  const changed = delivered([1, 0, 10, 1, 2, 4], [1, 1, 0, 3], 'rebalance', [2, 1, 0, 9])
  expect(verify(sentBook(), changed)).toMatchObject({ strange: 1, holds: false })
  expect(verify(sentBook(), delivered([1, 0, 10, 1, 2, 4, 5], [1, 1, 0, 3]))).toMatchObject({
    strange: 1,
    holds: false,
  })
})

test('records of a key that were acknowledged out of the order of the input, or elsewhere, are found', () => {
  for (const at of [
    { partition: 0, offset: 13 },
    { partition: 1, offset: 20 },
  ]) {
    const book = new SentBook(starts)
    book.add('A', { partition: 0, offset: 14 }, 1)
    book.add('A', at, 2)
    expect(book.disorderedKeys).toEqual(new Set(['A']))
  }
})

test('records of earlier runs that were not committed are told apart', () => {
  const book = delivered([1, 0, 8, 7, 7, 1, 2, 4], [1, 1, 0, 3])
  expect(verify(sentBook(), book)).toEqual({ ...good, earlier: 2 })
})

test('an empty history does not hold', () => {
  expect(verify(new SentBook(starts), new DeliveryBook(starts)).holds).toBe(false)
})

test('any single record that is left out or changed is found', () => {
  const history = fc.array(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(history, fc.nat(), (fingerprints, seed) => {
      const sent = new SentBook([0])
      for (const [offset, fingerprint] of fingerprints.entries()) sent.add('k', { partition: 0, offset }, fingerprint)
      const receive = (change: (fingerprint: number, offset: number) => number | null) => {
        const book = new DeliveryBook([0])
        for (const [first, fingerprint] of fingerprints.entries()) {
          const changed = change(fingerprint, first)
          if (changed !== null) book.take({ member: 1, partition: 0, first, deltas: [0], fingerprints: [changed] })
        }
        return verify(sent, book)
      }
      const at = seed % fingerprints.length
      expect(receive(fingerprint => fingerprint).holds).toBe(true)
      expect(receive((fingerprint, offset) => (offset === at ? null : fingerprint)).lost).toBe(1)
      expect(receive((fingerprint, offset) => (offset === at ? fingerprint ^ 1 : fingerprint)).strange).toBe(1)
    }),
  )
})

test('totals go back when records come again, whatever the partitions do meanwhile', () => {
  const steps = fc.array(fc.record({ partition: fc.nat(1), key: fc.nat(2), amount: fc.integer(), back: fc.nat(4) }))
  fc.assert(
    fc.property(steps, given => {
      const totals = new RunningTotals([['0', { records: 5, sum: 5 }]], 4)
      const naive: { key: string; amount: number }[][] = [[], []]
      for (const { partition, key, amount, back } of given) {
        const log = naive[partition]!
        log.splice(Math.max(0, log.length - back))
        log.push({ key: `${key}`, amount })
        const total = totals.add({ partition, offset: log.length - 1, key: `${key}`, amount })
        const same = naive.flat().filter(each => each.key === `${key}`)
        const before = key === 0 ? 5 : 0
        expect(total).toEqual({
          records: before + same.length,
          sum: same.reduce((sum, each) => sum + each.amount, before),
        })
      }
    }),
  )
})

test('a difference in any key is found', () => {
  const total = (records: number, sum: number) => ({ records, sum })
  const a = new Map([
    ['x', total(1, 2)],
    ['y', total(3, 4)],
  ])
  expect(differences(a, new Map(a))).toEqual([])
  expect(
    differences(
      a,
      new Map([
        ['x', total(1, 3)],
        ['z', total(1, 1)],
      ]),
    ),
  ).toEqual(['x', 'y', 'z'])
})

test('the measure of a flight is its delay, of anything else its bytes', () => {
  expect(measureOf('delay')('{"date":"x","delay":-12,"distance":3}')).toBe(-12)
  expect(measureOf('delay')('{"date":"x","delay":null}')).toBe(0)
  expect(measureOf('bytes')('ä')).toBe(2)
})

test('a topic is named after its file', () => {
  expect(topicNameOf('/tmp/my orders.2024.jsonl')).toBe('my-orders.2024')
  expect(topicNameOf('orders')).toBe('orders')
  expect(topicNameOf('/tmp/äöü.txt')).toBe('records')
  expect(topicNameOf(`${'x'.repeat(300)}.txt`)).toHaveLength(200)
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
