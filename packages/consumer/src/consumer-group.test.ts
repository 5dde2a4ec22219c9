import type { KafkaError } from '@odradek/shared/base/errors'
import { string } from '@odradek/shared/client/codecs'
import { topic } from '@odradek/shared/client/topic'
import { errors } from '@odradek/shared/protocol/error-codes'
import { describe, expect, it } from 'vitest'
import type { Consumer } from './consumer-client.ts'
import { consumerWorld } from './consumer-world.suite.ts'
import { FakeConsumerGroup } from './fake-consumer-group.suite.ts'

const words = topic('words', { key: string(), value: string() })
const group = { groupId: 'g', groupProtocol: 'consumer' } as const

function groupWorld(partitions: number) {
  const { world, cluster, create } = consumerWorld()
  cluster.addTopic('words', partitions)
  return { world, cluster, create, coordinator: new FakeConsumerGroup(cluster, world.clock, 'words') }
}

function reading(consumer: Consumer, values: string[] = []): Promise<void> {
  return (async () => {
    for await (const { value } of consumer.stream(words)) values.push(value!)
  })()
}

const partitionsOf = (consumer: Consumer) =>
  consumer
    .assignment()
    .map(({ partition }) => partition)
    .sort()

describe('a consumer in a group of the consumer protocol', () => {
  it('joins with an id of its own, owns its target, and says so', async () => {
    const { world, cluster, create, coordinator } = groupWorld(2)
    cluster.append('words', 0, ['a'])
    const values: string[] = []
    const consumer = create(group)
    void reading(consumer, values)
    await world.advance(1_000)
    expect(values).toEqual(['a'])
    expect(partitionsOf(consumer)).toEqual([0, 1])
    const [first, second] = coordinator.heartbeats
    expect(first).toMatchObject({ memberEpoch: 0, subscribedTopicNames: ['words'], topicPartitions: [] })
    expect(second).toMatchObject({
      memberEpoch: 1,
      subscribedTopicNames: null,
      topicPartitions: [{ topicId: 'id-words', partitions: [0, 1] }],
    })
    // Nothing new is to be said after that.
    expect(coordinator.heartbeats.at(-1)).toMatchObject({ topicPartitions: null, rebalanceTimeoutMs: -1 })
  })

  it('looks up a topic that its first assignment names before anybody else spoke of it', async () => {
    const { world, cluster, create } = groupWorld(2)
    cluster.unheard.add('words')
    const consumer = create(group)
    void reading(consumer)
    await world.advance(1_000)
    expect(partitionsOf(consumer)).toEqual([0, 1])
  })

  it('gives partitions up before another gets them, and only those', async () => {
    const { world, create } = groupWorld(4)
    const log: string[] = []
    const note = (sign: string) => (partitions: readonly { partition: number }[]) =>
      void log.push(`${sign}${partitions.map(({ partition }) => partition)}`)
    const first = create({ ...group, onAssigned: note('+'), onRevoked: note('-') })
    void reading(first)
    await world.advance(1_000)
    const second = create(group)
    void reading(second)
    await world.advance(1_000)
    expect(log).toEqual(['+0,1,2,3', '-1,3'])
    expect(partitionsOf(first)).toEqual([0, 2])
    expect(partitionsOf(second)).toEqual([1, 3])
    await world.run(() => second.close())
    await world.advance(1_000)
    expect(partitionsOf(first)).toEqual([0, 1, 2, 3])
  })

  it('commits with its epoch on close', async () => {
    const { world, cluster, create, coordinator } = groupWorld(1)
    cluster.append('words', 0, ['0', '1', '2'])
    await world.run(async () => {
      const consumer = create(group)
      for await (const { value } of consumer.stream(words)) if (value === '2') await consumer.close()
    })
    expect(coordinator.offsets.committed.get('words-0')).toBe(2)
    expect(coordinator.members.size).toBe(0)
  })

  it('loses what it owned when it is fenced, and joins again under the same id', async () => {
    const { world, create, coordinator } = groupWorld(1)
    const log: string[] = []
    const consumer = create({
      ...group,
      onLost: () => void log.push('lost'),
      onAssigned: () => void log.push('assigned'),
    })
    void reading(consumer)
    await world.advance(500)
    const [id] = coordinator.members.keys()
    coordinator.errors.push(110)
    await world.advance(1_000)
    expect(log).toEqual(['assigned', 'lost', 'assigned'])
    expect([...coordinator.members.keys()]).toEqual([id])
  })

  it('refuses what waits to be committed when its partition is lost: as a new member it would set back others', async () => {
    const { world, cluster, create, coordinator } = groupWorld(1)
    cluster.append('words', 0, ['0', '1', '2'])
    const commit = cluster.answers.OffsetCommit!
    let isLoading = true
    cluster.answers.OffsetCommit = (request, endpoint) => {
      if (!isLoading) return commit(request, endpoint)
      const refused = { errorCode: errors.COORDINATOR_LOAD_IN_PROGRESS.code }
      const topics = request.topics.map(each => ({
        ...each,
        partitions: each.partitions.map(({ partitionIndex }) => ({ partitionIndex, ...refused })),
      }))
      return { throttleTimeMs: 0, topics }
    }
    const log: string[] = []
    const outcome = (what: string) => (error: KafkaError | null) => void log.push(`${what}: ${error?.code ?? 'done'}`)
    const at = (offset: number) => [{ topic: 'words', partition: 0, offset }]
    const consumer = create({
      ...group,
      enableAutoCommit: false,
      // The partition is gone already, but the application hears of it only now.
      onLost: () => consumer.commitAsync(at(2), outcome('while it is told')),
      onAssigned: () => void log.push('assigned'),
    })
    void reading(consumer)
    await world.advance(500)
    consumer.commitAsync(at(1), outcome('before'))
    await world.advance(100)
    coordinator.errors.push(errors.FENCED_MEMBER_EPOCH.code)
    await world.advance(1_000)
    isLoading = false
    await world.advance(1_000)
    expect(log.sort()).toEqual([
      'assigned',
      'assigned',
      'before: ODK_COMMIT_FAILED',
      'while it is told: ODK_COMMIT_FAILED',
    ])
    expect(coordinator.offsets.committed.get('words-0')).toBeUndefined()
    await world.run(() => consumer.commit(at(3)))
    expect(coordinator.offsets.committed.get('words-0')).toBe(3)
  })

  it('says everything again after an answer that it did not get', async () => {
    const { world, create, coordinator } = groupWorld(1)
    void reading(create(group))
    await world.advance(500)
    coordinator.errors.push(16)
    await world.advance(1_000)
    const all = coordinator.heartbeats.filter(
      ({ memberEpoch, subscribedTopicNames }) => memberEpoch > 0 && subscribedTopicNames !== null,
    )
    expect(all.length).toBeGreaterThanOrEqual(1)
    expect(all[0]).toMatchObject({ subscribedTopicNames: ['words'], topicPartitions: [{ partitions: [0] }] })
  })

  it('leaves when the caller makes no progress for maxPollIntervalMs, and comes back with the next', async () => {
    const { world, cluster, create, coordinator } = groupWorld(1)
    cluster.append('words', 0, ['0', '1'])
    const values: string[] = []
    const consumer = create({ ...group, maxPollIntervalMs: 5_000 })
    void (async () => {
      for await (const { value } of consumer.stream(words)) {
        values.push(value!)
        if (values.length === 1) await new Promise<void>(resolve => world.clock.after(15_000, resolve))
      }
    })()
    await world.advance(12_000)
    expect(coordinator.members.size).toBe(0)
    await world.advance(15_000)
    expect(coordinator.members.size).toBe(1)
    expect(values).toEqual(['0', '0', '1'])
  })

  it('fails for good when the coordinator refuses the member', async () => {
    const { world, create, coordinator } = groupWorld(1)
    coordinator.errors.push(81)
    const outcome = world.run(() => reading(create(group)))
    await expect(outcome).rejects.toMatchObject({ code: 'ODK_BROKER_ERROR', kafkaName: 'GROUP_MAX_SIZE_REACHED' })
  })

  it('leaves for a while only, when it is static', async () => {
    const { world, create, coordinator } = groupWorld(1)
    const consumer = create({ ...group, groupInstanceId: 'one' })
    void reading(consumer)
    await world.advance(500)
    await world.run(() => consumer.close())
    expect(coordinator.heartbeats.at(-1)).toMatchObject({ memberEpoch: -2, instanceId: 'one' })
  })
})
