// Transactions of every client against our broker over TCP, read by every other: what is committed is seen whole and in order, what was aborted or fenced is
// seen by nobody, and offsets in a transaction hold with it.
import { createProducer } from '@odradek/producer/create-producer'
import { createAdmin } from '@odradek/shared/client/admin'
import { beforeAll, describe, expect, test } from 'vitest'
import { clientsScene } from './clients-scene.suite.ts'
import { confluentTransactions, javaTransactions } from './driven-transactions.ts'
import { kafkajsTransactions } from './kafkajs-transactions.ts'
import { odradekTransactions } from './odradek-transactions.ts'
import { platformaticTransactions } from './platformatic-transactions.ts'

const kinds = [
  odradekTransactions,
  kafkajsTransactions,
  platformaticTransactions,
  confluentTransactions,
  javaTransactions,
]
const present = kinds.filter(({ missing }) => missing === null)
const absent = kinds.filter(({ missing }) => missing !== null)
const names = present.map(({ name }) => name)

const short = (name: string) => name.replaceAll(/[^a-z]/gi, '').toLowerCase()
const written = (name: string) => `written-${short(name)}`
const copied = (name: string) => `copied-${short(name)}`

const PARTITIONS = 2
const RECORDS = 24
const input = Array.from({ length: RECORDS }, (_, id) => ({
  partition: id % PARTITIONS,
  value: `p${id % PARTITIONS} ${id}`,
}))

const script = [
  { values: ['committed 1', 'committed 2'], commit: true },
  { values: ['aborted 1', 'aborted 2'], commit: false },
  { values: ['committed 3'], commit: true },
]
const fenced = { zombie: 'of the zombie', successor: 'of its successor' }
const visible = ['committed 1', 'committed 2', 'committed 3', 'of its successor']

describe('transactions between clients', () => {
  const topics = names.flatMap(name => [
    [written(name), 1],
    [copied(name), PARTITIONS],
  ])
  const scene = clientsScene(present, { input: PARTITIONS, ...Object.fromEntries(topics) })
  const { clients } = scene
  beforeAll(async () => {
    await using producer = createProducer({ bootstrapServers: scene.broker })
    await producer.send('input', input)
  })

  test.each(names)('%s commits and aborts', async name => {
    await clients.get(name)!.transact(written(name), `${name}-writes`, script)
  })

  test.each(names)('%s: the older of two producers with one id is told that it was fenced', async name => {
    const told = await clients.get(name)!.fence(written(name), `${name}-fences`, fenced)
    expect(told).toMatch(/fenced|INVALID_PRODUCER_EPOCH|old epoch|newer producer/i)
  })

  test.each(names)(
    '%s copies a topic with its offsets in the transactions, although half of them are aborted',
    async name => {
      const groupId = `${name}-copies`
      const job = {
        from: 'input',
        to: copied(name),
        groupId,
        transactionalId: groupId,
        count: RECORDS,
        perTransaction: 5,
      }
      await clients.get(name)!.copy(job)
      await using admin = createAdmin({ bootstrapServers: scene.broker })
      const offsets = await admin.groups.offsets(groupId)
      expect(Object.fromEntries(offsets.map(({ partition, offset }) => [partition, Number(offset)]))).toEqual({
        0: RECORDS / PARTITIONS,
        1: RECORDS / PARTITIONS,
      })
    },
    60_000,
  )

  test('there was something to hide: aborted records are in the logs', async () => {
    await using admin = createAdmin({ bootstrapServers: scene.broker })
    await using producer = createProducer({ bootstrapServers: scene.broker })
    for (const name of names) {
      const [end] = await admin.records.offsets([{ topic: written(name), partition: 0 }], 'latest')
      const [records, markers] = [script.flatMap(({ values }) => values).length + 2, script.length + 2]
      expect(Number(end!.offset), name).toBe(records + markers)
      await producer.send(written(name), { partition: 0, value: 'end' })
      for (let partition = 0; partition < PARTITIONS; partition++)
        await producer.send(copied(name), { partition, value: 'end' })
    }
  })

  test.each(names)(
    '%s reads what every client committed, and nothing else',
    async name => {
      const reader = clients.get(name)!
      for (const writer of names) {
        expect(await reader.readCommitted(written(writer), 1), `${name} reads ${writer}`).toEqual(visible)
        if (reader.hidesOneAbort) continue
        const copy = await reader.readCommitted(copied(writer), PARTITIONS)
        for (let partition = 0; partition < PARTITIONS; partition++) {
          const expected = input.filter(each => each.partition === partition).map(({ value }) => value)
          const found = copy.filter(value => value.startsWith(`p${partition} `))
          expect(found, `${name} reads the copy of ${writer}`).toEqual(expected)
        }
      }
    },
    120_000,
  )

  for (const { name, missing } of absent)
    describe.skipIf(true)(`${name}: ${missing}`, () => test('is here', () => expect(missing).toBeNull()))
})
