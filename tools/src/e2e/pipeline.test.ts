// Pipelines over every target: each record of the input counts exactly once in the output, through rebalances, failures and restarts.
import { setEnvironmentData } from 'node:worker_threads'
import { createConsumer } from '@odradek/consumer/create-consumer'
import { createProducer } from '@odradek/producer/create-producer'
import { builtUrl } from '@odradek/shared/actor/built-url'
import { systemClock } from '@odradek/shared/base/clock'
import { string } from '@odradek/shared/client/codecs'
import { topic } from '@odradek/shared/client/topic'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Pipeline, pipeline } from '../pipeline/pipeline.ts'
import type { PipelineOptions } from '../pipeline/pipeline-options.ts'
import { standing } from './standing.ts'
import { type Target, targets } from './targets.ts'

const words = (name: string) => topic(name, { key: string(), value: string() })
let ids = 0

describe.each(targets)('over $name', ({ missing, open }) => {
  describe.skipIf(missing !== null)(missing ?? 'pipelines', () => {
    let target: Target
    beforeAll(async () => {
      target = await open()
    }, 120_000)
    afterAll(() => target?.close())

    const optionsOf = (id: string, given: Partial<PipelineOptions> = {}): PipelineOptions => ({
      bootstrapServers: target.bootstrapServers,
      transactionalId: id,
      groupId: id.replace(/-.*$/, ''),
      consumer: { heartbeatIntervalMs: 100, sessionTimeoutMs: 6_000 },
      ...given,
    })

    /** Sends `key:n` for n from `from`, over 20 keys. */
    async function feed(name: string, count: number, from = 0) {
      await using producer = createProducer({ bootstrapServers: target.bootstrapServers })
      const records = Array.from({ length: count }, (_, i) => ({
        key: `k${i % 20}`,
        value: `${from + Math.floor(i / 20)}`,
      }))
      await producer.send(words(name), records)
    }

    /** Reads committed records of a topic, from its beginning. */
    async function follow(name: string) {
      const consumer = createConsumer({
        bootstrapServers: target.bootstrapServers,
        isolationLevel: 'readCommitted',
        autoOffsetReset: 'earliest',
      })
      const seen = new Map<string, string[]>()
      let total = 0
      const take = async () => {
        const records = await consumer.poll(300)
        for (const { key, value } of records) seen.set(`${key}`, [...(seen.get(`${key}`) ?? []), `${value}`])
        total += records.length
        return records.length
      }
      await consumer.subscribe(words(name))
      return {
        /** Resolves when so many have come in all. */
        async until(count: number) {
          while (total < count) await take()
        },
        /** The values of every key: until `count` have come, and what else is there. */
        async all(count: number) {
          for (let quiet = 0; quiet < 2; ) quiet = (await take()) === 0 && total >= count ? quiet + 1 : 0
          return seen
        },
        [Symbol.asyncDispose]: () => consumer.close(),
      }
    }

    async function read(name: string, count: number) {
      await using reader = await follow(name)
      return await reader.all(count)
    }

    /**
     * Feeds 200 records at a time until `isOver`, each time when the pipelines have caught up: they would fall behind for ever on a slow machine. What ends one of
     * `running` ends it. Returns how many records each key has then; `fed` is how many each has before.
     */
    async function feedUntil(
      isOver: () => boolean,
      from: string,
      to: string,
      fed: number,
      running: readonly Pipeline[],
    ) {
      await using output = await follow(to)
      let perKey = fed
      while (!isOver()) {
        await feed(from, 200, perKey)
        perKey += 10
        await Promise.race([output.until(perKey * 20), ...running.map(({ done }) => done)])
      }
      return perKey
    }

    /** What every key must have come to: 0, 1, 2, ... once each and in order. */
    const expected = (perKey: number) =>
      Object.fromEntries(
        Array.from({ length: 20 }, (_, k) => [`k${k}`, Array.from({ length: perKey }, (_, n) => `${n}`)]),
      )
    const sorted = (seen: ReadonlyMap<string, readonly string[]>) => Object.fromEntries(seen)

    test('instances that come, go and fail leave every record once, in the order of its key', async () => {
      let step = 'the first records are fed'
      const running: { [name: string]: Pipeline } = {}
      const [from, to] = [await target.topic(4), await target.topic(3)]
      const id = `pipe${++ids}`
      const told = async () => {
        const own = Object.entries(running).map(([each, { metrics }]) => `${each} ${JSON.stringify(metrics())}`)
        const theirs = await standing(target.bootstrapServers, { groupId: id, topics: { [from]: 4, [to]: 3 } })
        console.error(`after 90 s: ${step}; ${own}; ${theirs}`)
      }
      // Should it hang, it and the cluster say where they stood.
      const timer = systemClock.after(90_000, () => void told())
      using _watch = { [Symbol.dispose]: () => timer.cancel() }
      const copy = ({ key, value }: { key: string | null; value: string | null }) => ({ key, value })
      await feed(from, 400)
      await using steady = pipeline(words(from), words(to), copy, optionsOf(`${id}-steady`, { commitEvery: 50 }))
      running.steady = steady
      {
        step = 'a guest comes'
        await using guest = pipeline(words(from), words(to), copy, optionsOf(`${id}-guest`, { commitEvery: 7 }))
        running.guest = guest
        await feed(from, 800, 20)
        step = 'the guest goes'
      }
      step = 'one comes that will fail'
      let calls = 0
      const failing = pipeline(
        words(from),
        words(to),
        record => {
          // Not only once: what it throws in a batch that a rebalance has just taken away counts as little as what it would have returned.
          if (++calls >= 60) throw new Error('out of luck')
          return copy(record)
        },
        optionsOf(`${id}-failing`, { commitEvery: 25 }),
      )
      running.failing = failing
      let failure: unknown
      failing.done.catch(error => {
        failure = error
      })
      // It fails as soon as a rebalance has given it enough records.
      const perKey = await feedUntil(() => failure !== undefined, from, to, 60, [steady])
      expect(failure).toMatchObject({ message: 'out of luck' })
      step = 'all is read'
      const seen = await read(to, perKey * 20)
      expect(sorted(seen)).toEqual(expected(perKey))
      expect(steady.metrics().aborts).toBe(0)
    }, 120_000)

    test('a second instance with the same id ends the first; nothing is doubled', async () => {
      const [from, to] = [await target.topic(2), await target.topic(1)]
      const id = `pipe${++ids}-one`
      const copy = ({ key, value }: { key: string | null; value: string | null }) => ({ key, value })
      const first = pipeline(words(from), words(to), copy, optionsOf(id))
      await feed(from, 200)
      await read(to, 200)
      await using second = pipeline(words(from), words(to), copy, optionsOf(id))
      let ended: { code?: string } | null = null
      first.done.catch(error => {
        ended = error
      })
      const perKey = await feedUntil(() => ended !== null, from, to, 10, [second])
      expect(ended).toMatchObject({ code: 'ODK_PRODUCER_FENCED', fatal: true })
      expect(sorted(await read(to, perKey * 20))).toEqual(expected(perKey))
    })

    test('a module on three threads, of which one is ended in mid-stream: every record once, in the order of its key', async () => {
      const [input, output] = [await target.topic(6), await target.topic(3)]
      setEnvironmentData('copying-pipeline', { input, output })
      const module = new URL(builtUrl(new URL('./copying-pipeline.ts', import.meta.url).href))
      // A thread that is ended says no goodbye: its membership ends by its timeout, which is short here; its transaction by the thread that takes its place.
      const consumer = { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 1_000 }
      await using running = pipeline(
        module,
        optionsOf(`pipe${++ids}-threads`, { threads: 3, commitEvery: 20, consumer }),
      )
      await feed(input, 400)
      await read(output, 400)
      for (let round = 0; round < 5; round++) {
        await feed(input, 400, 20 + round * 20)
        if (round === 1) await running.kill(0)
      }
      expect(sorted(await read(output, 2_400))).toEqual(expected(120))
    }, 170_000)

    test('no lag stays behind an aborted transaction at the end of the input', async () => {
      const [from, to] = [await target.topic(1), await target.topic(1)]
      const id = `pipe${++ids}-tail`
      const copy = ({ key, value }: { key: string | null; value: string | null }) => ({ key, value })
      const { bootstrapServers } = target
      await using producer = createProducer({ bootstrapServers, transactionalId: `${id}-feeder` })
      await producer.transaction(transaction => transaction.send(words(from), { key: 'a', value: 'counts' }))
      await using running = pipeline(
        words(from),
        words(to),
        copy,
        optionsOf(id, { commitEvery: { records: 10, ms: 20 } }),
      )
      expect(Object.fromEntries(await read(to, 1))).toEqual({ a: ['counts'] })
      const undone = await producer.begin()
      await undone.send(words(from), { key: 'a', value: 'does not count' })
      await undone.abort()
      // A record and its marker, twice. Apache Kafka writes markers after it has answered.
      await using looking = createConsumer({ bootstrapServers, groupId: `pipe${ids}` })
      const place = [{ topic: from, partition: 0 }]
      let committed = await looking.committed(place)
      while (committed[0] !== 4n) committed = await looking.committed(place)
      expect(running.metrics()).toMatchObject({ records: 1, outputs: 1, aborts: 0 })
    })

    test('offsets are committed with the output, so that nothing is left to do after it', async () => {
      const [from, to] = [await target.topic(1), await target.topic(1)]
      const id = `pipe${++ids}-tidy`
      await feed(from, 100)
      {
        await using running = pipeline(
          words(from),
          words(to),
          ({ value }) =>
            value === '3'
              ? null
              : [
                  { key: 'a', value },
                  { key: 'b', value },
                ],
          optionsOf(id),
        )
        const { length } = [...(await read(to, 160)).values()].flat()
        expect(length).toBe(160)
        expect(running.metrics()).toMatchObject({ records: 100, outputs: 160, skipped: 0, aborts: 0 })
      }
      await using consumer = createConsumer({ bootstrapServers: target.bootstrapServers, groupId: `pipe${ids}` })
      expect(await consumer.committed([{ topic: from, partition: 0 }])).toEqual([100n])
    })
  })
})
