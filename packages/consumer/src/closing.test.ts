import { string } from '@odradek/shared/client/codecs'
import { topic } from '@odradek/shared/client/topic'
import { describe, expect, it } from 'vitest'
import { consumerWorld } from './consumer-world.suite.ts'
import { FakeGroup } from './fake-group.suite.ts'

const words = topic('words', { key: string(), value: string() })
const group = { groupId: 'g', heartbeatIntervalMs: 100, sessionTimeoutMs: 1_000 }

function closingWorld(partitions = 1) {
  const { world, cluster, create } = consumerWorld()
  cluster.addTopic('words', partitions)
  const coordinator = new FakeGroup(cluster, world.clock)
  const sleep = (ms: number) => new Promise<void>(resolve => world.clock.after(ms, resolve))
  cluster.append('words', 0, ['0', '1', '2', '3'])
  return { world, cluster, create, coordinator, sleep }
}

describe('a consumer that is closed while a function is at work', () => {
  it('waits for it, begins no other record, and commits what it finished', async () => {
    const { world, create, coordinator, sleep } = closingWorld()
    const consumer = create(group)
    const log: string[] = []
    const ended = consumer.each(words, async ({ value }) => {
      log.push(`begins ${value}`)
      await sleep(1_000)
      log.push(`ends ${value}`)
    })
    await world.advance(1_500)
    expect(log).toEqual(['begins 0', 'ends 0', 'begins 1'])
    const closed = consumer.close().then(() => log.push('closed'))
    await world.advance(200)
    expect(log.at(-1)).toBe('begins 1')
    await world.run(() => Promise.all([closed, ended]))
    expect(log.slice(3)).toEqual(['ends 1', 'closed'])
    expect(coordinator.committed.get('words-0')).toBe(2)
  })

  it('waits for a batch, which may commit still', async () => {
    const { world, create, coordinator, sleep } = closingWorld()
    const consumer = create({ ...group, enableAutoCommit: false })
    const ended = consumer.batch(words, async batch => {
      await sleep(1_000)
      await consumer.commit([{ topic: 'words', partition: 0, offset: batch.nextOffset }])
    })
    await world.advance(500)
    await world.run(() => Promise.all([consumer.close(), ended]))
    expect(coordinator.committed.get('words-0')).toBe(4)
  })

  it('waits for all partitions that are worked on at once', async () => {
    const { world, cluster, create, coordinator, sleep } = closingWorld(2)
    cluster.append('words', 1, ['a', 'b'])
    const consumer = create(group)
    const ended = consumer.each(words, ({ partition }) => sleep(partition === 0 ? 400 : 900), {
      partitionConcurrency: 2,
    })
    await world.advance(350)
    await world.run(() => Promise.all([consumer.close(), ended]))
    expect(coordinator.committed.get('words-0')).toBe(1)
    expect(coordinator.committed.get('words-1')).toBe(1)
  })

  it('waits no longer than its deadline, and what takes longer does not count as processed', async () => {
    const { world, create, coordinator, sleep } = closingWorld()
    const consumer = create(group)
    let finished = 0
    const ended = consumer.each(words, async () => {
      await sleep(finished === 0 ? 10 : 60_000)
      finished++
    })
    await world.advance(1_000)
    const before = world.clock.monotonic()
    await world.run(() => consumer.close({ timeoutMs: 2_000 }))
    expect(world.clock.monotonic() - before).toBeLessThan(3_000)
    expect([finished, coordinator.committed.get('words-0')]).toEqual([1, 1])
    await world.advance(60_000)
    await world.run(() => ended)
    expect(coordinator.committed.get('words-0')).toBe(1)
  })

  it('closes once, and everyone who closes waits for it', async () => {
    const { world, create, sleep } = closingWorld()
    const consumer = create(group)
    const ended = consumer.each(words, () => sleep(1_000))
    await world.advance(500)
    const log: string[] = []
    void ended.then(() => log.push('ended'))
    void consumer.close().then(() => log.push('first'))
    await world.run(() => consumer.close().then(() => log.push('second')))
    expect(log).toEqual(['ended', 'first', 'second'])
  })
})

describe('a batch that is left because it went stale', () => {
  it('does not count as processed: it comes again', async () => {
    const { world, create, coordinator, sleep } = closingWorld()
    const consumer = create(group)
    const worked: string[] = []
    const ended = consumer.batch(words, async batch => {
      for (const { value } of batch) {
        if (batch.isStale) return
        await sleep(200)
        worked.push(value!)
      }
    })
    await world.advance(500)
    await world.run(() => Promise.all([consumer.close(), ended]))
    expect(worked.length).toBeGreaterThan(0)
    expect(worked.length).toBeLessThan(4)
    expect(coordinator.committed.get('words-0')).toBe(undefined)
    const again: string[] = []
    const next = create(group)
    void next.batch(words, batch => {
      for (const { value } of batch) again.push(value!)
    })
    await world.advance(2_000)
    expect(again).toEqual(['0', '1', '2', '3'])
  })
})
