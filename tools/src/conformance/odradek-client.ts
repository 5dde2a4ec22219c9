// Our own producer and consumer over the wire link, as one more among the real clients.
import { createConsumer } from '@odradek/consumer/create-consumer'
import { createProducer } from '@odradek/producer/create-producer'
import { type Admin, createAdmin } from '@odradek/shared/client/admin'
import { bytes } from '@odradek/shared/client/codecs'
import { topic as typedTopic } from '@odradek/shared/client/topic'
import { codecs, type ReadLetter, type RealAdmin, type RealClient, type RealClientKind } from './real-client.ts'

const letterTopic = (name: string) => typedTopic(name, { key: bytes(), value: bytes() })

export const odradek: RealClientKind = {
  name: 'odradek',
  missing: null,
  async open(bootstrapServers) {
    const admin = createAdmin({ bootstrapServers })
    const client: RealClient = {
      name: 'odradek',
      codecs,
      lacks: [],
      fails: [],
      async write(topic, compressionType, letters) {
        await using producer = createProducer({
          bootstrapServers,
          compressionType,
          lingerMs: 5,
          maxRequestSize: 2_000_000,
        })
        await producer.send(
          letterTopic(topic),
          letters.map(({ headers, ...letter }) => ({
            ...letter,
            headers: headers.map(([name, content]) => [name, content] as [string, Uint8Array | null]),
          })),
        )
      },
      async read(counts) {
        await using consumer = createConsumer({ bootstrapServers, autoOffsetReset: 'earliest' })
        const assigned = [...counts.keys()].map(async name =>
          (await consumer.partitionsFor(name)).map(partition => ({ topic: name, partition })),
        )
        await consumer.assign((await Promise.all(assigned)).flat())
        const wanted = [...counts.values()].reduce((sum, count) => sum + count, 0)
        const found: ReadLetter[] = []
        for await (const { topic, partition, offset, key, value, headers } of consumer.stream<readonly string[]>()) {
          const plain = headers.map(({ key: header, value: content }) => [header, content] as const)
          found.push({ topic, partition, offset: Number(offset), key, value, headers: plain })
          if (found.length === wanted) break
        }
        return found
      },
      admin: odradekAdmin(admin),
      close: () => admin.close(),
    }
    return client
  },
}

function odradekAdmin(admin: Admin): RealAdmin {
  const offset = async (topic: string, partition: number, place: 'earliest' | 'latest') => {
    const [found] = await admin.records.offsets([{ topic, partition }], place)
    return Number(found!.offset)
  }
  return {
    async createTopic(name, partitions, configs) {
      await admin.topics.create({ name, partitions, configs })
    },
    listTopics: async () => (await admin.topics.list()).map(({ name }) => name),
    async partitionsOf(topic) {
      const [found] = await admin.topics.describe(topic)
      return found!.partitions.filter(({ leader }) => leader >= 0).length
    },
    addPartitions: (name, count) => admin.topics.addPartitions({ name, count }),
    async configOf(name, config) {
      const [found] = await admin.configs.describe({ type: 'topic', name })
      return found!.entries.find(entry => entry.name === config)!.value
    },
    setConfig: (name, config, value) => admin.configs.set({ type: 'topic', name, set: { [config]: value } }),
    endOffset: (topic, partition) => offset(topic, partition, 'latest'),
    beginningOffset: (topic, partition) => offset(topic, partition, 'earliest'),
    async deleteRecords(topic, partition, before) {
      await admin.records.deleteBefore([{ topic, partition, offset: before }])
    },
    deleteTopic: topic => admin.topics.delete(topic),
    async cluster() {
      const { clusterId, brokers } = await admin.cluster.describe()
      return { clusterId, nodes: brokers.map(({ nodeId: id, host, port }) => ({ id, host, port })) }
    },
  }
}
