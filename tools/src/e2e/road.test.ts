// The road of a record through the public API, the same on every target: what was produced is what is consumed.
import { createConsumer } from '@odradek/consumer/create-consumer'
import { createProducer } from '@odradek/producer/create-producer'
import { json, string } from '@odradek/shared/client/codecs'
import { topic } from '@odradek/shared/client/topic'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Target, targets } from './targets.ts'

interface Order {
  readonly id: number
  readonly text: string
}

describe.each(targets)('over $name', ({ missing, open }) => {
  describe.skipIf(missing !== null)(missing ?? 'the road', () => {
    let target: Target
    beforeAll(async () => {
      target = await open()
    }, 120_000)
    afterAll(() => target?.close())

    const ordersIn = (name: string) => topic(name, { key: string(), value: json<Order>() })
    const all = (name: string, partitions: number) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition }))

    /** Reads exactly `count` records of a topic from its beginning. */
    async function readAll(name: string, partitions: number, count: number) {
      await using consumer = createConsumer({ bootstrapServers: target.bootstrapServers, autoOffsetReset: 'earliest' })
      await consumer.assign(all(name, partitions))
      const records = []
      for await (const record of consumer.stream(ordersIn(name))) {
        records.push(record)
        if (records.length === count) break
      }
      return records
    }

    test('keys, values, headers, timestamps and offsets come back as they were sent', async () => {
      const name = await target.topic(1)
      await using producer = createProducer({ bootstrapServers: target.bootstrapServers })
      const headers: [string, Uint8Array | null][] = [
        ['trace', Buffer.from('a')],
        ['trace', Buffer.from('b')],
        ['none', null],
      ]
      const timestamp = Date.now() - 60_000
      const sent = await producer.send(ordersIn(name), {
        key: 'k',
        value: { id: 1, text: 'größe' },
        headers,
        timestamp,
      })
      expect(sent).toMatchObject({ topic: name, partition: 0, offset: 0n })
      await producer.send(ordersIn(name), { key: 'gone', value: null })
      const [first, tombstone] = await readAll(name, 1, 2)
      expect(first).toMatchObject({
        topic: name,
        partition: 0,
        offset: 0n,
        key: 'k',
        value: { id: 1, text: 'größe' },
        timestamp,
      })
      expect(first!.headers.map(({ key, value }) => [key, value && Buffer.from(value).toString()])).toEqual([
        ['trace', 'a'],
        ['trace', 'b'],
        ['none', null],
      ])
      expect(tombstone).toMatchObject({ offset: 1n, key: 'gone', value: null })
    })

    test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
      'order per key holds over partitions with %s',
      async compressionType => {
        const name = await target.topic(4)
        await using producer = createProducer({
          bootstrapServers: target.bootstrapServers,
          compressionType,
          lingerMs: 5,
        })
        const orders = Array.from({ length: 2_000 }, (_, id) => ({
          key: `key-${id % 37}`,
          value: { id, text: 'x'.repeat(id % 50) },
        }))
        const sent = await producer.send(ordersIn(name), orders)
        expect(sent).toHaveLength(orders.length)
        const records = await readAll(name, 4, orders.length)
        const byKey = new Map<string | null, typeof records>()
        for (const record of records) byKey.set(record.key, [...(byKey.get(record.key) ?? []), record])
        expect(byKey.size).toBe(37)
        for (const [key, found] of byKey) {
          expect(found.map(({ value }) => value!.id)).toEqual(
            orders.filter(order => order.key === key).map(({ value }) => value.id),
          )
          expect(new Set(found.map(({ partition }) => partition)).size).toBe(1)
        }
        const places = new Map(records.map(record => [record.value!.id, `${record.partition}:${record.offset}`]))
        for (const [id, ack] of [...sent].entries()) expect(places.get(id)).toBe(`${ack.partition}:${ack.offset}`)
      },
    )

    test.each([0, 1, 'all'] as const)('acks %s delivers', async acks => {
      const name = await target.topic(1)
      await using producer = createProducer({
        bootstrapServers: target.bootstrapServers,
        acks,
        enableIdempotence: acks === 'all',
      })
      for (let id = 0; id < 20; id++) await producer.send(ordersIn(name), { key: 'k', value: { id, text: '' } })
      await producer.flush()
      expect((await readAll(name, 1, 20)).map(({ value }) => value!.id)).toEqual(
        Array.from({ length: 20 }, (_, id) => id),
      )
    })

    test('a value of nearly a megabyte passes, one beyond max.message.bytes is refused by name', async () => {
      const name = await target.topic(1, { 'max.message.bytes': '1000000' })
      await using producer = createProducer({ bootstrapServers: target.bootstrapServers, maxRequestSize: 4_000_000 })
      await producer.send(ordersIn(name), { key: 'big', value: { id: 1, text: 'x'.repeat(990_000) } })
      await expect(
        producer.send(ordersIn(name), { key: 'huge', value: { id: 2, text: 'x'.repeat(1_100_000) } }),
      ).rejects.toMatchObject({ kafkaName: 'MESSAGE_TOO_LARGE' })
      expect((await readAll(name, 1, 1))[0]!.value!.text).toHaveLength(990_000)
    })

    test('a reader seeks by offset, to the ends, and by time', async () => {
      const name = await target.topic(1)
      // Not long ago: retention looks after brokers half a minute after their start.
      const begun = Date.now() - 60_000
      await using producer = createProducer({ bootstrapServers: target.bootstrapServers })
      for (let id = 0; id < 10; id++)
        await producer.send(ordersIn(name), { key: 'k', value: { id, text: '' }, timestamp: begun + id * 1_000 })
      await using consumer = createConsumer({ bootstrapServers: target.bootstrapServers, autoOffsetReset: 'earliest' })
      const at = { topic: name, partition: 0 }
      await consumer.assign([at])
      const next = async () => {
        for (;;) {
          const [record] = await consumer.poll(1_000)
          if (record) return record.offset
        }
      }
      consumer.seek(at, 7n)
      expect(await next()).toBe(7n)
      consumer.seek(at, 'earliest')
      expect(await next()).toBe(0n)
      consumer.seek(at, { timestamp: begun + 4_500 })
      expect(await next()).toBe(5n)
      expect(await consumer.endOffsets([at])).toEqual([10n])
      expect(await consumer.beginningOffsets([at])).toEqual([0n])
    })

    test('a topic that does not exist is an error that names it', async () => {
      await using producer = createProducer({ bootstrapServers: target.bootstrapServers, maxBlockMs: 1_000 })
      await expect(producer.send('not..a topic', { value: 'x' })).rejects.toMatchObject({ code: 'ODK_TOPIC_INVALID' })
    })
  })
})
