// Batches of one producer keep their order while its transaction is being verified, and nothing is asked twice.
import { expect, test } from 'vitest'
import type { Leader } from './leader-directory.ts'
import { OpenTransactions } from './open-transactions.ts'

const leader = () => ({ link: {} }) as Leader
const producer = { producerId: 1, producerEpoch: 0 }

test('a transaction that a batch has opened is open for its epoch, at its leader, until another epoch opens one', () => {
  const [here, there] = [leader(), leader()]
  OpenTransactions.at(here, 10).opened(producer)
  expect(OpenTransactions.at(here, 10).isOpen(producer)).toBe(true)
  expect(OpenTransactions.at(there, 10).isOpen(producer)).toBe(false)
  OpenTransactions.at(here, 10).opened({ ...producer, producerEpoch: 1 })
  expect(OpenTransactions.at(here, 10).isOpen(producer)).toBe(false)
})

test('who opened longest ago is forgotten first', () => {
  const known = OpenTransactions.at(leader(), 2)
  for (const producerId of [1, 2, 3]) known.opened({ producerId, producerEpoch: 0 })
  expect([1, 2, 3].map(producerId => known.isOpen({ producerId, producerEpoch: 0 }))).toEqual([false, true, true])
})

test('a later batch waits for the question about an earlier one, even if the transaction has opened meanwhile', async () => {
  const known = OpenTransactions.at(leader(), 10)
  const order: string[] = []
  let answer: () => void = () => {}
  const first = known
    .ask(producer, () => new Promise<void>(resolve => (answer = resolve)))
    .then(() => order.push('first'))
  known.opened(producer)
  expect(known.isOpen(producer)).toBe(false)
  const second = known.ask(producer, async () => order.push('second'))
  const other = known.ask({ ...producer, producerId: 2 }, async () => order.push('other'))
  await other
  answer()
  await Promise.all([first, second])
  expect(order).toEqual(['other', 'first', 'second'])
  expect(known.isOpen(producer)).toBe(true)
})

test('a question that fails does not keep the next one from being asked', async () => {
  const known = OpenTransactions.at(leader(), 10)
  const failed = known.ask(producer, () => Promise.reject(new Error('gone')))
  const next = known.ask(producer, async () => 'asked')
  await expect(failed).rejects.toThrow('gone')
  expect(await next).toBe('asked')
})
