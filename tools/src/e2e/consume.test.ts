// Worker consumers over every target: partitions of one group on several threads, in order, with nothing missed when a thread dies or a handler throws.
import { BroadcastChannel } from 'node:worker_threads'
import { createBroker } from '@odradek/broker/create-broker'
import { type ConsumeOptions, consume } from '@odradek/consumer/consume'
import { createConsumer } from '@odradek/consumer/create-consumer'
import { createProducer } from '@odradek/producer/create-producer'
import { builtUrl } from '@odradek/shared/actor/built-url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { GroupScene, keysOutOfOrder, type Sighting, words } from './group-scene.suite.ts'
import { type Target, targets } from './targets.ts'

const handler = new URL(builtUrl(new URL('./telling-handler.ts', import.meta.url).href))
const dealing = new URL(builtUrl(new URL('./dealing-handler.ts', import.meta.url).href))
let groups = 0

describe.each(targets)('over $name', ({ missing, open }) => {
  describe.skipIf(missing !== null)(missing ?? 'worker consumers', () => {
    let target: Target
    beforeAll(async () => {
      target = await open()
    }, 120_000)
    afterAll(() => target?.close())

    /** A scene in which the handler's threads are heard. */
    function listening(topicName: string): GroupScene {
      const scene = new GroupScene(target, `workers-${++groups}`)
      const channel = new BroadcastChannel('telling-handler')
      channel.onmessage = event => {
        const sighting = (event as unknown as { data: Sighting }).data
        if (sighting.topic === topicName) scene.saw(sighting)
      }
      onTestFinished(() => {
        channel.close()
        return scene.close()
      })
      return scene
    }

    function started(scene: GroupScene, topicName: string, options: Partial<ConsumeOptions> = {}, module = handler) {
      const running = consume(module, {
        bootstrapServers: target.bootstrapServers,
        groupId: scene.groupId,
        topics: topicName,
        threads: 3,
        autoOffsetReset: 'earliest',
        heartbeatIntervalMs: 100,
        sessionTimeoutMs: 2_000,
        ...options,
      })
      scene.also(() => running.close())
      return running
    }

    const allOwn = (running: ReturnType<typeof consume>) =>
      running.metrics().every(metrics => (metrics?.assigned.length ?? 0) > 0)

    async function committedEverything(scene: GroupScene, topicName: string, partitions: number) {
      await using consumer = createConsumer({ bootstrapServers: target.bootstrapServers, groupId: scene.groupId })
      const at = Array.from({ length: partitions }, (_, partition) => ({ topic: topicName, partition }))
      const ends = await consumer.endOffsets(at)
      expect((await consumer.committed(at)).map(offset => offset ?? 0n)).toEqual(ends)
    }

    test('spread the partitions over their threads, keep the order of keys, and commit what they finished', async () => {
      const topicName = await target.topic(6)
      const scene = listening(topicName)
      const running = started(scene, topicName)
      await scene.until('every thread owns some', () => allOwn(running))
      await scene.produce(topicName, 480)
      await scene.until('all is handled', () => scene.distinct === 480)
      expect(keysOutOfOrder(scene.seen)).toEqual([])
      expect(scene.seen).toHaveLength(480)
      expect(new Set(scene.seen.map(({ by }) => by)).size).toBeGreaterThan(1)
      await running.close()
      await running.done
      await committedEverything(scene, topicName, 6)
    })

    test.each([
      ['waits for ever', 'await new Promise(() => setInterval(() => {}, 60_000))'],
      ['computes for ever', 'for (;;);'],
    ])(
      'end at once when they are closed while their module %s as it is loaded',
      async (_, code) => {
        const scene = listening(await target.topic(1))
        const running = started(scene, 'any', { threads: 2 }, new URL(`data:text/javascript,${code}`))
        await running.close()
        await expect(running.done).resolves.toBeUndefined()
        // Less than what a thread is given that has something in hand.
      },
      50_000,
    )

    test('divide the partitions by an assignor of their own, which the module exports', async () => {
      const topicName = await target.topic(6)
      const scene = listening(topicName)
      const running = started(scene, topicName, { sessionTimeoutMs: 30_000 }, dealing)
      const shares = () => running.metrics().map(metrics => metrics?.assigned.map(({ partition }) => partition).sort())
      const dealt = JSON.stringify([
        [0, 3],
        [1, 4],
        [2, 5],
      ])
      await scene.until('each has what is its own', () => JSON.stringify(shares()) === dealt)
      await scene.produce(topicName, 240)
      await scene.until('all is handled', () => scene.distinct === 240)
      expect(scene.seen.filter(({ by, partition }) => by !== String(partition % 3))).toEqual([])
      expect(keysOutOfOrder(scene.seen)).toEqual([])
    })

    test('go on when a thread dies: it is replaced, its records come again, none is missed', async () => {
      const topicName = await target.topic(6)
      const scene = listening(topicName)
      const running = started(scene, topicName)
      await scene.until('every thread owns some', () => allOwn(running))
      for (let round = 0; round < 6; round++) {
        await scene.produce(topicName, 160, round * 10)
        if (round === 2) await running.kill(1)
      }
      await scene.until('all is handled', () => scene.distinct === 960)
      expect(keysOutOfOrder(scene.seen)).toEqual([])
    })

    test('stop with the error of the handler by default, and go on there when started again', async () => {
      const topicName = await target.topic(1)
      const scene = listening(topicName)
      await using producer = createProducer({ bootstrapServers: target.bootstrapServers })
      const send = (value: string) => producer.send(words(topicName), { key: 'key', value })
      for (const value of ['0', '1', 'poison', '2']) await send(value)
      const first = started(scene, topicName)
      await expect(first.done).rejects.toThrow('this record is poison')
      expect(scene.seen.map(({ value }) => value)).toEqual(['0', '1'])
      const told: unknown[] = []
      const second = started(scene, topicName, {
        onError: failure => {
          told.push(failure.at.offset)
          return 'skip'
        },
      })
      await scene.until('the rest is handled', () => scene.seen.length === 3)
      expect([told, scene.seen.at(-1)!.value]).toEqual([[2n], '2'])
      await second.close()
    })

    test('try a record again when told to, before the next one of its partition', async () => {
      const topicName = await target.topic(1)
      const scene = listening(topicName)
      await using producer = createProducer({ bootstrapServers: target.bootstrapServers })
      for (const value of ['0', 'shy', '1']) await producer.send(words(topicName), { key: 'key', value })
      started(scene, topicName, { onError: 'retry' })
      await scene.until('all is handled', () => scene.seen.length === 3)
      expect(scene.seen.map(({ value }) => value)).toEqual(['0', 'shy', '1'])
    })
  })
})

test('a module that is no handler is an error that says why', async () => {
  await using broker = await createBroker({ storage: 'memory', topics: { orders: 1 } })
  const module = new URL(builtUrl(new URL('./targets.ts', import.meta.url).href))
  const running = consume(module, { bootstrapServers: broker, groupId: 'g', topics: 'orders', threads: 1 })
  await expect(running.done).rejects.toMatchObject({ code: 'ODK_HANDLER_INVALID' })
  expect(() => consume(module, { bootstrapServers: broker, groupId: 'g', threads: 0 })).toThrow('threads')
})
