// Ways to read: each, batch, poll, and what they refuse.
import { string } from '@odradek/shared/client/codecs'
import { topic } from '@odradek/shared/client/topic'
import { describe, expect, it } from 'vitest'
import { consumerWorld } from './consumer-world.suite.ts'

const words = topic('words', { key: string(), value: string() })

describe('each and batch', () => {
  it('works on several partitions at once, on one partition in order', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 2)
    cluster.append('words', 0, ['a0', 'a1'])
    cluster.append('words', 1, ['b0', 'b1'])
    const log: string[] = []
    const stop = new AbortController()
    await w.run(async () => {
      await create().each(
        words,
        async ({ value }) => {
          log.push(`+${value}`)
          await new Promise<void>(resolve => w.clock.after(100, resolve))
          log.push(`-${value}`)
          if (log.length === 8) stop.abort()
        },
        { partitionConcurrency: 2, signal: stop.signal },
      )
    })
    expect(log.slice(0, 2).sort()).toEqual(['+a0', '+b0'])
    expect(log.filter(entry => entry.includes('a'))).toEqual(['+a0', '-a0', '+a1', '-a1'])
    expect(log.filter(entry => entry.includes('b'))).toEqual(['+b0', '-b0', '+b1', '-b1'])
  })

  it('rejects with what the function threw, and reads that record again', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 1)
    cluster.append('words', 0, ['0', '1', '2'])
    const seen: string[] = []
    await w.run(async () => {
      const consumer = create()
      const failing = consumer.each(words, ({ value }) => {
        seen.push(value!)
        if (value === '1') throw new Error('broken')
      })
      await expect(failing).rejects.toThrow('broken')
      await expect(consumer.each([], () => {}, { partitionConcurrency: 0 })).rejects.toMatchObject({
        code: 'ODK_OPTION_INVALID',
      })
      seen.push(...(await consumer.poll(1_000)).map(({ value }) => value as string))
    })
    expect(seen).toEqual(['0', '1', '1', '2'])
  })

  it('ends in good order when the signal fires, or the consumer is closed, while it still begins', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 1)
    await w.run(async () => {
      const stop = new AbortController()
      const reading = create().each(words, () => {}, { signal: stop.signal })
      stop.abort()
      await reading
      await create().batch(words, () => {}, { signal: AbortSignal.abort() })
      expect(await create().stream(words, { signal: AbortSignal.abort() }).next()).toMatchObject({ done: true })
      const consumer = create()
      const closed = consumer.each(words, () => {})
      await consumer.close()
      await closed
    })
  })

  it('hands over whole batches', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 1)
    cluster.append('words', 0, ['0', '1'])
    cluster.append('words', 0, ['2'])
    const seen: string[][] = []
    const stop = new AbortController()
    await w.run(() =>
      create().batch(
        words,
        batch => {
          seen.push([...batch].map(({ value }) => value!))
          if (batch.nextOffset === 3n) stop.abort()
        },
        { signal: stop.signal },
      ),
    )
    expect(seen.flat()).toEqual(['0', '1', '2'])
  })

  it('refuses a poll before anything is subscribed or assigned, and after that was dropped', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 1)
    cluster.append('words', 0, ['0'])
    const refused = { code: 'ODK_CONSUMER_STATE', message: expect.stringContaining('subscribe') }
    await w.run(async () => {
      const consumer = create()
      await expect(consumer.poll(0)).rejects.toMatchObject(refused)
      await consumer.subscribe(words)
      expect((await consumer.poll(1_000)).map(({ value }) => value)).toEqual(['0'])
      await consumer.unsubscribe()
      await expect(consumer.poll(0)).rejects.toMatchObject(refused)
    })
    expect.assertions(3)
  })

  it('refuses a second reader', async () => {
    const { world: w, cluster, create } = consumerWorld()
    cluster.addTopic('words', 1)
    cluster.append('words', 0, ['0'])
    await w.run(async () => {
      const consumer = create()
      for await (const _ of consumer.stream(words)) {
        await expect(consumer.poll(0)).rejects.toMatchObject({ code: 'ODK_CONSUMER_STATE' })
        break
      }
    })
    expect.assertions(1)
  })
})
