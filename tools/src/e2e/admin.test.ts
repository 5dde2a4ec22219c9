// The admin client, the same on every target.
import { createConsumer } from '@odradek/consumer/create-consumer'
import { createProducer } from '@odradek/producer/create-producer'
import { KafkaError } from '@odradek/shared/base/errors'
import { type Admin, createAdmin } from '@odradek/shared/client/admin'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refusal } from './refusal.suite.ts'
import { type Target, targets } from './targets.ts'

describe.each(targets)('over $name', ({ missing, open }) => {
  describe.skipIf(missing !== null)(missing ?? 'the admin', () => {
    let target: Target
    let admin: Admin
    let names = 0
    const fresh = () => `admin-${++names}`

    beforeAll(async () => {
      target = await open()
      admin = createAdmin({ bootstrapServers: target.bootstrapServers })
    }, 120_000)
    afterAll(async () => {
      await admin?.close()
      await target?.close()
    })

    test('a topic is created with partitions and configs, described, listed, grown and deleted', async () => {
      const name = fresh()
      const [created] = await admin.topics.create({ name, partitions: 2, configs: { 'retention.ms': 86_400_000 } })
      expect(created).toMatchObject({ name, partitions: 2 })
      await admin.topics.addPartitions({ name, count: 3 })
      // A cluster of brokers learns of it a moment later.
      await expect.poll(async () => (await admin.topics.describe(name))[0]!.partitions.length).toBe(3)
      const [described] = await admin.topics.describe(name)
      expect(described).toMatchObject({ name, topicId: created!.topicId, isInternal: false })
      expect(
        described!.partitions.map(({ partition, leader, replicas, isr }) => ({ partition, leader, replicas, isr })),
      ).toEqual([0, 1, 2].map(partition => ({ partition, leader: 1, replicas: [1], isr: [1] })))
      expect(await admin.topics.list()).toContainEqual({
        name,
        topicId: created!.topicId,
        partitions: 3,
        isInternal: false,
      })
      await admin.topics.delete(name)
      await expect.poll(async () => (await admin.topics.list()).map(topic => topic.name)).not.toContain(name)
    })

    test('validateOnly checks and changes nothing', async () => {
      const name = fresh()
      await admin.topics.create({ name, partitions: 1 }, { validateOnly: true })
      expect((await admin.topics.list()).map(topic => topic.name)).not.toContain(name)
      expect((await refusal(admin.topics.create({ name, partitions: 0 }, { validateOnly: true }))).kafkaName).toBe(
        'INVALID_PARTITIONS',
      )
    })

    test('what failed is told apart from what was done', async () => {
      const [there, wanted] = [fresh(), fresh()]
      await admin.topics.create({ name: there, partitions: 1 })
      const partial = await refusal(
        admin.topics.create([
          { name: there, partitions: 1 },
          { name: wanted, partitions: 1 },
        ]),
      )
      expect(partial).toBeInstanceOf(KafkaError)
      expect(partial.kafkaName).toBe('TOPIC_ALREADY_EXISTS')
      expect([...partial.failures.keys()]).toEqual([there])
      expect(partial.done).toEqual([wanted])
    })

    test('topics that are not there are refused at once', async () => {
      for (const call of [
        () => admin.topics.describe('nowhere'),
        () => admin.topics.delete('nowhere'),
        () => admin.configs.describe({ type: 'topic', name: 'nowhere' }),
        () => admin.records.offsets([{ topic: 'nowhere', partition: 0 }], 'latest'),
      ]) {
        const { kafkaName, message } = await refusal(call())
        expect(kafkaName).toBe('UNKNOWN_TOPIC_OR_PARTITION')
        expect(message).toMatch(/UNKNOWN_TOPIC_OR_PARTITION: \w/)
      }
    })

    test('configs are set, appended to, and go back to their default', async () => {
      const name = fresh()
      const resource = { type: 'topic', name } as const
      await admin.topics.create({ name, partitions: 1 })
      const configOf = async (config: string) => {
        const [described] = await admin.configs.describe(resource, { names: [config] })
        return described!.entries.map(({ value, source }) => ({ value, source }))[0]
      }
      // A cluster of brokers learns of each change a moment later, and of the topic itself.
      const expectConfig = (config: string, value: string, source: string) =>
        expect.poll(() => configOf(config)).toEqual({ value, source })
      await admin.configs.set({ ...resource, set: { 'retention.ms': 5, 'cleanup.policy': 'delete' } })
      await expectConfig('retention.ms', '5', 'topic')
      await admin.configs.set({ ...resource, append: { 'cleanup.policy': 'compact' }, unset: ['retention.ms'] })
      await expectConfig('cleanup.policy', 'delete,compact', 'topic')
      await expectConfig('retention.ms', '604800000', 'default')
      expect((await refusal(admin.configs.set({ ...resource, set: { 'no.such.config': 1 } }))).kafkaName).toBe(
        'INVALID_CONFIG',
      )
    })

    test('configs of a broker are those of that broker', async () => {
      const [described] = await admin.configs.describe({ type: 'broker', name: '1' }, { includeDocumentation: true })
      const entry = described!.entries.find(({ name }) => name === 'log.retention.hours')
      expect(entry).toMatchObject({ value: '168', source: 'default', isReadOnly: true, isSensitive: false })
      expect(entry!.documentation).toMatch(/\w+/)
    })

    test('offsets of ends and times, and deleting what is before', async () => {
      const name = await target.topic(2)
      const now = Date.now() - 10_000
      await using producer = createProducer({ bootstrapServers: target.bootstrapServers })
      for (const timestamp of [1_000, 3_000, 2_000])
        await producer.send(name, { value: 'x', partition: 1, timestamp: now + timestamp })
      const partitions = [1, 0].map(partition => ({ topic: name, partition }))
      const offsets = async (place: Parameters<Admin['records']['offsets']>[1]) =>
        (await admin.records.offsets(partitions, place)).map(({ offset }) => offset)
      expect(await offsets('latest')).toEqual([3n, 0n])
      expect(await offsets('earliest')).toEqual([0n, 0n])
      expect(await offsets('maxTimestamp')).toEqual([1n, null])
      expect(await offsets({ timestamp: now + 1_500 })).toEqual([1n, null])
      expect(await offsets({ timestamp: now + 9_000 })).toEqual([null, null])
      const [trimmed] = await admin.records.deleteBefore([{ topic: name, partition: 1, offset: 2 }])
      expect(trimmed).toEqual({ topic: name, partition: 1, lowWatermark: 2n })
      expect(await offsets('earliest')).toEqual([2n, 0n])
      await using consumer = createConsumer({ bootstrapServers: target.bootstrapServers, autoOffsetReset: 'earliest' })
      await consumer.assign([{ topic: name, partition: 1 }])
      for await (const record of consumer.stream()) {
        expect(record.offset).toBe(2n)
        break
      }
      const beyond = await refusal(admin.records.deleteBefore([{ topic: name, partition: 1, offset: 9 }]))
      expect(beyond.kafkaName).toBe('OFFSET_OUT_OF_RANGE')
    })

    test('the cluster tells which APIs it speaks and which features are finalized', async () => {
      const { apis, supportedFeatures, finalizedFeatures } = await admin.cluster.apiVersions()
      const [PRODUCE, OLDEST_KIP_890] = [0, 12]
      expect(apis.find(({ apiKey }) => apiKey === PRODUCE)!.maxVersion).toBeGreaterThanOrEqual(OLDEST_KIP_890)
      expect(finalizedFeatures).toContainEqual({ name: 'transaction.version', level: 2 })
      expect(supportedFeatures.map(({ name }) => name)).toEqual(
        expect.arrayContaining(finalizedFeatures.map(({ name }) => name)),
      )
    })

    test('the cluster has an id, a controller and brokers', async () => {
      const { clusterId, controllerId, brokers } = await admin.cluster.describe()
      expect(clusterId).toMatch(/^[A-Za-z0-9_-]{22}$/)
      expect(controllerId).toBe(1)
      expect(brokers).toEqual([{ nodeId: 1, host: '127.0.0.1', port: expect.any(Number), rack: null }])
      const [dir] = await admin.cluster.logDirs()
      expect(dir!.partitions.length).toBeGreaterThan(0)
    })
  })
})

test('an admin takes only options that there are, and needs to know where the cluster is', () => {
  expect(() => createAdmin({ bootstrapServers: '127.0.0.1:1', requestTimeout: 1 } as never)).toThrow(
    'did you mean requestTimeoutMs?',
  )
  expect(() => createAdmin({} as never)).toThrow('bootstrapServers is missing')
})

test('a closed admin refuses, a signal ends a call', async () => {
  const admin = createAdmin({ bootstrapServers: '127.0.0.1:1' })
  const signal = AbortSignal.abort()
  await expect(admin.topics.list({ signal })).rejects.toMatchObject({ code: 'ODK_ABORTED' })
  await admin.close()
  await expect(admin.topics.list()).rejects.toMatchObject({ code: 'ODK_ADMIN_CLOSED' })
})
