// Transactions through the public API, the same on every target and with both versions of the protocol: all or nothing, fenced, with offsets, in order.
import { createConsumer } from '@odradek/consumer/create-consumer'
import { createProducer } from '@odradek/producer/create-producer'
import type { ProducerOptions } from '@odradek/producer/options'
import { string } from '@odradek/shared/client/codecs'
import { topic } from '@odradek/shared/client/topic'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Target, targets } from './targets.ts'

const words = (name: string) => topic(name, { key: string(), value: string() })
let ids = 0

describe.each(targets)('over $name', ({ missing, open }) => {
  describe.skipIf(missing !== null)(missing ?? 'transactions', () => {
    let target: Target
    beforeAll(async () => {
      target = await open({ 'transaction.abort.timed.out.transaction.cleanup.interval.ms': '100' })
    }, 120_000)
    afterAll(() => target?.close())

    const producerOf = (transactionalId: string, options: Partial<ProducerOptions> = {}) =>
      createProducer({ bootstrapServers: target.bootstrapServers, transactionalId, ...options })
    const newId = () => `tx-${++ids}`

    /** Values of a topic from its beginning to where it ends for this isolation level now. */
    async function read(name: string, isolationLevel: 'readCommitted' | 'readUncommitted' = 'readCommitted') {
      await using consumer = createConsumer({
        bootstrapServers: target.bootstrapServers,
        isolationLevel,
        autoOffsetReset: 'earliest',
      })
      const partitions = (await consumer.partitionsFor(name)).map(partition => ({ topic: name, partition }))
      const ends = await consumer.endOffsets(partitions)
      const values: string[] = []
      await consumer.assign(partitions)
      for (const [index, at] of partitions.entries()) {
        while ((await consumer.position(at)) < ends[index]!)
          for (const { value } of await consumer.poll(200)) values.push(Buffer.from(value).toString())
      }
      return values
    }

    /** Committed offset of a group in partition 0. */
    async function committedOf(groupId: string, name: string, partition = 0) {
      await using consumer = createConsumer({ bootstrapServers: target.bootstrapServers, groupId })
      const [offset] = await consumer.committed([{ topic: name, partition }])
      return offset
    }

    describe.each([2, 1])('with transaction.version %i', version => {
      beforeAll(() => target.transactionVersion(version))

      test('a committed transaction is seen whole, in the order of its partition, an aborted one not at all', async () => {
        const name = await target.topic(3)
        await using producer = producerOf(newId())
        const places = (tag: string) =>
          Array.from({ length: 30 }, (_, n) => ({ key: `k${n}`, value: `${tag}${n}`, partition: n % 3 }))
        await producer.transaction(tx => tx.send(words(name), places('a')))
        const doomed = producer.transaction(async tx => {
          await tx.send(words(name), places('b'))
          throw new Error('changed my mind')
        })
        await expect(doomed).rejects.toThrow('changed my mind')
        await producer.transaction(tx => tx.send(words(name), places('c')))
        const seen = await read(name)
        expect([...seen].sort()).toEqual([...places('a'), ...places('c')].map(({ value }) => value).sort())
        for (const partition of [0, 1, 2]) {
          const ofPartition = seen.filter(value => Number(value.slice(1)) % 3 === partition)
          const expected = [...places('a'), ...places('c')].filter(place => place.partition === partition)
          expect(ofPartition).toEqual(expected.map(({ value }) => value))
        }
        expect(await read(name, 'readUncommitted')).toHaveLength(90)
      })

      test('nothing of an open transaction, and nothing behind it, is seen before it ends', async () => {
        const name = await target.topic(1)
        await using producer = producerOf(newId())
        await using plain = createProducer({ bootstrapServers: target.bootstrapServers })
        await plain.send(words(name), { key: 'k', value: 'before' })
        const tx = await producer.begin()
        await tx.send(words(name), { key: 'k', value: 'inside' })
        await plain.send(words(name), { key: 'k', value: 'behind' })
        expect(await read(name)).toEqual(['before'])
        expect(await read(name, 'readUncommitted')).toEqual(['before', 'inside', 'behind'])
        await tx.commit()
        expect(await read(name)).toEqual(['before', 'inside', 'behind'])
      })

      test('a hundred transactions one after another, every third aborted, leave exactly what was committed', async () => {
        const name = await target.topic(2)
        await using producer = producerOf(newId())
        const expected: string[] = []
        for (let n = 0; n < 100; n++) {
          const tx = await producer.begin()
          void tx.send(words(name), { key: `${n}`, value: `${n}`, partition: n % 2 })
          if (n % 3 === 2) await tx.abort()
          else await tx.commit()
          if (n % 3 !== 2) expected.push(`${n}`)
        }
        const numbers = (list: string[]) => list.map(Number).sort((a, b) => a - b)
        expect(numbers(await read(name))).toEqual(numbers(expected))
      })

      test('a transaction over fifty partitions is one', async () => {
        const name = await target.topic(50)
        await using producer = producerOf(newId())
        const records = Array.from({ length: 50 }, (_, partition) => ({ key: 'k', value: `${partition}`, partition }))
        await producer.transaction(tx => tx.send(words(name), records))
        await producer
          .transaction(async tx => {
            await tx.send(words(name), records)
            throw new Error('undo')
          })
          .catch(() => undefined)
        expect(await read(name)).toHaveLength(50)
      })

      test('offsets count if, and only if, their transaction is committed', async () => {
        const name = await target.topic(1)
        const groupId = newId()
        await using producer = producerOf(newId())
        const offsetsAt = (offset: number) => ({ groupId, offsets: [{ topic: name, partition: 0, offset }] })
        const tx = await producer.begin()
        await tx.send(words(name), { key: 'k', value: 'v' })
        await tx.sendOffsets(offsetsAt(5))
        await tx.abort()
        expect(await committedOf(groupId, name)).toBe(null)
        await producer.transaction(async open => {
          await open.sendOffsets(offsetsAt(7))
        })
        expect(await committedOf(groupId, name)).toBe(7n)
        await producer.transaction(async open => {
          await open.send(words(name), { key: 'k', value: 'w' })
          await open.sendOffsets(offsetsAt(9))
        })
        expect(await committedOf(groupId, name)).toBe(9n)
        expect(await read(name)).toEqual(['w'])
      })

      test('offsets of a member of an old generation are refused; the transaction is aborted and the next one works', async () => {
        const name = await target.topic(1)
        const groupId = newId()
        await using consumer = createConsumer({
          bootstrapServers: target.bootstrapServers,
          groupId,
          enableAutoCommit: false,
        })
        await consumer.subscribe(words(name))
        while (consumer.assignment().length === 0) await consumer.poll(50)
        await using producer = producerOf(newId())
        const offsets = [{ topic: name, partition: 0, offset: 3 }]
        const member = await consumer.groupMetadata()
        const old = { ...member, generationId: member.generationId - 1 }
        const refused = producer.transaction(async tx => {
          await tx.send(words(name), { key: 'k', value: 'refused' })
          await tx.sendOffsets({ ...old, offsets })
        })
        await expect(refused).rejects.toMatchObject({
          code: 'ODK_TRANSACTION_ABORTABLE',
          kafkaName: 'ILLEGAL_GENERATION',
        })
        await producer.transaction(async tx => {
          await tx.send(words(name), { key: 'k', value: 'taken' })
          await tx.sendOffsets({ ...member, offsets })
        })
        expect(await read(name)).toEqual(['taken'])
        expect(await committedOf(groupId, name)).toBe(3n)
      })

      test('offsets in a transaction across a rebalance are refused to who read them before it, and taken from who reads now', async () => {
        const name = await target.topic(2)
        const groupId = newId()
        const member = () =>
          createConsumer({ bootstrapServers: target.bootstrapServers, groupId, enableAutoCommit: false })
        await using first = member()
        await using second = member()
        await first.subscribe(words(name))
        while (first.assignment().length < 2) await first.poll(50)
        const before = await first.groupMetadata()
        await second.subscribe(words(name))
        while (first.assignment().length !== 1 || second.assignment().length !== 1) {
          await Promise.all([first.poll(50), second.poll(50)])
        }
        await using producer = producerOf(newId())
        const { partition } = second.assignment()[0]!
        const write = (value: string, as: typeof before, offset: number) =>
          producer.transaction(async tx => {
            void tx.send(words(name), { key: 'k', value })
            void tx.sendOffsets({ ...as, offsets: [{ topic: name, partition, offset }] })
          })
        await expect(write('late', before, 7)).rejects.toMatchObject({ code: 'ODK_TRANSACTION_ABORTABLE' })
        await write('taken', await second.groupMetadata(), 3)
        expect(await read(name)).toEqual(['taken'])
        expect(await committedOf(groupId, name, partition)).toBe(3n)
      })

      test('a second producer with the same id fences the first for good and undoes what it left open', async () => {
        const name = await target.topic(1)
        const id = newId()
        await using first = producerOf(id)
        const tx = await first.begin()
        await tx.send(words(name), { key: 'k', value: 'zombie' })
        await using second = producerOf(id)
        await second.transaction(open => open.send(words(name), { key: 'k', value: 'heir' }))
        await expect(tx.commit()).rejects.toMatchObject({ code: 'ODK_PRODUCER_FENCED', fatal: true })
        await expect(first.begin().then(again => again.commit())).rejects.toMatchObject({ fatal: true })
        expect(await read(name)).toEqual(['heir'])
      })

      test('a producer that was fenced and sends on learns from its transaction that it is of no use any more', async () => {
        const [name, id] = [await target.topic(1), newId()]
        await using old = producerOf(id)
        await old.transaction(tx => tx.send(words(name), { value: 'old' }))
        await using young = producerOf(id)
        await young.transaction(tx => tx.send(words(name), { value: 'young' }))
        const late = old.transaction(tx => tx.send(words(name), { value: 'late' }))
        await expect(late).rejects.toMatchObject({ code: 'ODK_PRODUCER_FENCED', fatal: true })
        await expect(old.transaction(() => undefined)).rejects.toMatchObject({ fatal: true })
        expect(await read(name)).toEqual(['old', 'young'])
      })

      test('a transaction that outlives its timeout is undone by the coordinator, and its commit is refused', async () => {
        const name = await target.topic(1)
        await using producer = producerOf(newId(), { transactionTimeoutMs: 1_500 })
        const tx = await producer.begin()
        await tx.send(words(name), { key: 'k', value: 'late' })
        await using reader = createConsumer({
          bootstrapServers: target.bootstrapServers,
          isolationLevel: 'readCommitted',
        })
        const at = [{ topic: name, partition: 0 }]
        // The last stable offset moves when the abort marker is written.
        while ((await reader.endOffsets(at))[0]! < 2n);
        await expect(tx.commit()).rejects.toMatchObject({ code: expect.stringMatching(/^ODK_/) })
        expect(await read(name)).toEqual([])
      })
    })
  })
})
