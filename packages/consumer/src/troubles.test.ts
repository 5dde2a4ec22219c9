// What a consumer says of topics that are not there and partitions that cannot be read: at once to the log, and to whoever asks a question.
import { errors } from '@odradek/shared/protocol/error-codes'
import { describe, expect, it } from 'vitest'
import type { Consumer } from './consumer-client.ts'
import { consumerWorld } from './consumer-world.suite.ts'
import { FakeConsumerGroup } from './fake-consumer-group.suite.ts'
import { FakeGroup } from './fake-group.suite.ts'

const { KAFKA_STORAGE_ERROR, UNKNOWN_TOPIC_OR_PARTITION } = errors
const absent = { code: 'ODK_BROKER_ERROR', kafkaName: 'UNKNOWN_TOPIC_OR_PARTITION' }

async function first(consumer: Consumer, topics?: string): Promise<string> {
  for await (const { value } of consumer.stream(topics)) return String(value)
  return 'nothing'
}

describe('a topic that does not exist', () => {
  const calls: readonly (readonly [string, (consumer: Consumer) => Promise<unknown>])[] = [
    ['subscribe', consumer => consumer.subscribe('nowhere')],
    ['partitionsFor', consumer => consumer.partitionsFor('nowhere')],
    ['endOffsets', consumer => consumer.endOffsets([{ topic: 'nowhere', partition: 0 }])],
    ['stream', consumer => first(consumer, 'nowhere')],
  ]
  it.each(calls)('is what %s says without a group, after it had time to come into being', async (_, call) => {
    const { world, create } = consumerWorld()
    const refused = await world.run(() => call(create({ allowAutoCreateTopics: false })).catch((error: Error) => error))
    expect(refused).toMatchObject({ ...absent, message: expect.stringContaining('nowhere') })
    expect(world.elapsedMs).toBeGreaterThanOrEqual(5_000)
    expect(world.elapsedMs).toBeLessThan(7_000)
  })

  it('is waited for when it comes into being meanwhile', async () => {
    const { world, cluster, create } = consumerWorld()
    const partitions = await world.run(() => {
      world.clock.after(3_000, () => cluster.addTopic('late', 2))
      return create({ allowAutoCreateTopics: false }).partitionsFor('late')
    })
    expect(partitions).toEqual([0, 1])
  })

  it('is named in the log once when its partitions are assigned, and read when it is there', async () => {
    const { world, cluster, create, warnings } = consumerWorld()
    let early: readonly object[] = []
    const value = await world.run(async () => {
      const consumer = create({ allowAutoCreateTopics: false })
      await consumer.assign([{ topic: 'late', partition: 0 }])
      world.clock.after(100, () => {
        early = [...warnings]
      })
      world.clock.after(20_000, () => {
        cluster.addTopic('late', 1)
        cluster.append('late', 0, ['there'])
      })
      return first(consumer)
    })
    expect(early).toHaveLength(1)
    expect(warnings).toMatchObject([
      { fields: { topic: 'late', partition: 0, code: 'UNKNOWN_TOPIC_OR_PARTITION' }, message: /late-0/ },
    ])
    expect(value).toBe('there')
  })

  it('is named in the log for a partition beyond those of the topic, too', async () => {
    const { world, cluster, create, warnings } = consumerWorld()
    cluster.addTopic('words', 1)
    await world.run(async () => {
      const consumer = create()
      await consumer.assign([{ topic: 'words', partition: 7 }])
      expect(await consumer.poll(1_000)).toEqual([])
    })
    expect(warnings).toMatchObject([{ fields: { topic: 'words', partition: 7 } }])
  })
})

describe('a partition whose log cannot be opened', () => {
  it('is named in the log once with its code, tried again, and named anew when it fails again', async () => {
    const { world, cluster, create, warnings } = consumerWorld()
    cluster.addTopic('words', 1)
    const fail = () => cluster.get('words', 0).errors.push(...Array(5).fill(KAFKA_STORAGE_ERROR.code))
    const told = { fields: { topic: 'words', partition: 0, code: 'KAFKA_STORAGE_ERROR' } }
    await world.run(async () => {
      const consumer = create()
      fail()
      cluster.append('words', 0, ['a'])
      expect(await first(consumer, 'words')).toBe('a')
      expect(warnings).toMatchObject([told])
      fail()
      cluster.append('words', 0, ['b'])
      expect(await first(consumer)).toBe('b')
    })
    expect(warnings).toMatchObject([told, told])
  })

  it('is why a question was not answered in time', async () => {
    const { world, cluster, create } = consumerWorld()
    cluster.addTopic('words', 1)
    cluster.get('words', 0).errors.push(...Array(1_000).fill(KAFKA_STORAGE_ERROR.code))
    const refused = await world.run(() =>
      create({ defaultApiTimeoutMs: 2_000 })
        .beginningOffsets([{ topic: 'words', partition: 0 }])
        .catch((error: Error) => error),
    )
    expect(refused).toMatchObject({
      code: 'ODK_TIMEOUT',
      kafkaName: 'KAFKA_STORAGE_ERROR',
      message: expect.stringMatching(/words-0 .* KAFKA_STORAGE_ERROR/),
    })
  })
})

describe.each([
  ['classic', {}],
  ['consumer', { groupProtocol: 'consumer' }],
] as const)('a member of a %s group', (kind, protocol) => {
  it('names a subscribed topic that does not exist in the log at once, and only once', async () => {
    const { world, cluster, create, warnings } = consumerWorld()
    if (kind === 'classic') new FakeGroup(cluster, world.clock)
    else new FakeConsumerGroup(cluster, world.clock, 'nowhere')
    const consumer = create({ allowAutoCreateTopics: false, groupId: 'readers', ...protocol })
    void consumer.subscribe('nowhere')
    const named = () => warnings.filter(({ fields }) => 'topic' in fields)
    await world.advance(50)
    expect(named()).toMatchObject([{ fields: { topic: 'nowhere', code: UNKNOWN_TOPIC_OR_PARTITION.name } }])
    await world.advance(30_000)
    expect(named()).toHaveLength(1)
  })
})
