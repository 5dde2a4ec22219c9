// kafkajs 2.2.4 in this process. It brings gzip; other codecs are plug-ins, which "unmodified" leaves out. Headers are an object: repeats become an array.
import type { IHeaders } from 'kafkajs'
import kafkajsPackage from 'kafkajs'
import { type Kafkajs, kafkajsAt } from './kafkajs.ts'
import type { Codec, Letter, ReadLetter, RealAdmin, RealClient, RealClientKind } from './real-client.ts'

const { CompressionTypes, ConfigResourceTypes } = kafkajsPackage

const compressionTypes: { readonly [codec in Codec]?: number } = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
}
let groups = 0

export const kafkajs: RealClientKind = {
  name: 'kafkajs',
  missing: null,
  async open(bootstrapServers) {
    const kafka = kafkajsAt(bootstrapServers)
    const admin = kafka.admin()
    const producer = kafka.producer()
    await admin.connect()
    await producer.connect()
    const client: RealClient = {
      name: 'kafkajs',
      codecs: ['none', 'gzip'],
      lacks: ['null header values'],
      fails: [],
      async write(topic, codec, letters) {
        const messages = letters.map(letter => ({
          ...letter,
          key: buffer(letter.key),
          value: buffer(letter.value),
          headers: toHeaders(letter.headers),
        }))
        await producer.send({ topic, compression: compressionTypes[codec]!, messages })
      },
      read: counts => read(kafka, counts),
      admin: kafkajsAdmin(kafka, admin),
      async close() {
        await producer.disconnect()
        await admin.disconnect()
      },
    }
    return client
  },
}

const buffer = (bytes: Uint8Array | null) => bytes && Buffer.from(bytes)

function toHeaders(headers: Letter['headers']): IHeaders {
  const object: { [name: string]: Buffer[] } = {}
  for (const [name, content] of headers) {
    object[name] ??= []
    object[name].push(Buffer.from(content!))
  }
  return object
}

function fromHeaders(headers: IHeaders = {}): [string, Uint8Array | null][] {
  return Object.entries(headers).flatMap(([name, content]) =>
    [content].flat().map((one): [string, Uint8Array | null] => [name, (one as Buffer | null | undefined) ?? null]),
  )
}

async function read(kafka: Kafkajs, counts: ReadonlyMap<string, number>): Promise<readonly ReadLetter[]> {
  const wanted = [...counts.values()].reduce((sum, count) => sum + count, 0)
  const consumer = kafka.consumer({ groupId: `kafkajs-${++groups}` })
  const letters: ReadLetter[] = []
  await consumer.connect()
  try {
    await consumer.subscribe({ topics: [...counts.keys()], fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
      consumer
        .run({
          eachMessage: async ({ topic, partition, message }) => {
            const { key, value, offset, headers } = message
            letters.push({ topic, partition, offset: Number(offset), key, value, headers: fromHeaders(headers) })
            if (letters.length === wanted) resolve()
          },
        })
        .catch(reject)
    })
    return letters
  } finally {
    await consumer.disconnect()
  }
}

/** An admin without memory: a connected one goes on with the partitions that it saw first (FINDINGS, kafkajs 1). */
async function withFreshAdmin<T>(kafka: Kafkajs, use: (admin: ReturnType<Kafkajs['admin']>) => Promise<T>): Promise<T> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}

function kafkajsAdmin(kafka: Kafkajs, admin: ReturnType<Kafkajs['admin']>): RealAdmin {
  const offsets = async (topic: string, partition: number) => {
    const all = await withFreshAdmin(kafka, fresh => fresh.fetchTopicOffsets(topic))
    return all.find(found => found.partition === partition)!
  }
  const resource = (name: string) => ({ type: ConfigResourceTypes.TOPIC, name })
  return {
    async createTopic(topic, numPartitions, configs) {
      const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
      await admin.createTopics({ topics: [{ topic, numPartitions, configEntries }], waitForLeaders: true })
    },
    listTopics: () => admin.listTopics(),
    async partitionsOf(topic) {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
      return topics[0]!.partitions.filter(({ leader }) => leader >= 0).length
    },
    async addPartitions(topic, count) {
      await admin.createPartitions({ topicPartitions: [{ topic, count }] })
    },
    async configOf(topic, name) {
      const { resources } = await admin.describeConfigs({
        resources: [{ ...resource(topic), configNames: [name] }],
        includeSynonyms: false,
      })
      return resources[0]!.configEntries[0]!.configValue
    },
    async setConfig(topic, name, value) {
      await admin.alterConfigs({
        validateOnly: false,
        resources: [{ ...resource(topic), configEntries: [{ name, value }] }],
      })
    },
    endOffset: async (topic, partition) => Number((await offsets(topic, partition)).high),
    beginningOffset: async (topic, partition) => Number((await offsets(topic, partition)).low),
    async deleteRecords(topic, partition, before) {
      await withFreshAdmin(kafka, async fresh => {
        // Loads the leaders, which deleting looks for before it asks (FINDINGS, kafkajs 2).
        await fresh.fetchTopicOffsets(topic)
        await fresh.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(before) }] })
      })
    },
    deleteTopic: topic => admin.deleteTopics({ topics: [topic] }),
    async cluster() {
      const { clusterId, brokers } = await admin.describeCluster()
      return { clusterId, nodes: brokers.map(({ nodeId: id, host, port }) => ({ id, host, port })) }
    },
  }
}
