// @platformatic/kafka 1.35.0 in this process. Headers are a Map; zstd needs a Node whose zlib has it.
import {
  Admin,
  type CompressionAlgorithmValue,
  ConfigResourceTypes,
  Consumer,
  compressionsAlgorithms,
  IncrementalAlterConfigOperationTypes,
  ListOffsetTimestamps,
  MessagesStreamModes,
  Producer,
} from '@platformatic/kafka'
import {
  codecs,
  type Letter,
  type ReadLetter,
  type RealAdmin,
  type RealClient,
  type RealClientKind,
} from './real-client.ts'

let groups = 0

export const platformatic: RealClientKind = {
  name: '@platformatic/kafka',
  missing: null,
  async open(bootstrapServers) {
    const options = { clientId: 'platformatic', bootstrapBrokers: [bootstrapServers] }
    const admin = new Admin(options)
    const producer = new Producer(options)
    const client: RealClient = {
      name: '@platformatic/kafka',
      codecs: codecs.filter(codec => compressionsAlgorithms[codec].available),
      lacks: [],
      fails: ['Java snappy', 'odradek snappy'],
      async write(topic, codec, letters) {
        const messages = letters.map(letter => toMessage(topic, letter))
        await producer.send({ messages, compression: codec as CompressionAlgorithmValue })
      },
      read: counts => read(options, counts),
      admin: platformaticAdmin(admin),
      async close() {
        await producer.close()
        await admin.close()
      },
    }
    return client
  },
}

// Absent, not null: this client's way to say null.
const buffer = (bytes: Uint8Array | null) => (bytes === null ? undefined : Buffer.from(bytes)) as Buffer

function toMessage(topic: string, { partition, key, value, headers }: Letter) {
  return {
    topic,
    partition,
    key: buffer(key),
    value: buffer(value),
    headers: new Map(
      headers.map(([name, content]) => [Buffer.from(name), content && Buffer.from(content)] as [Buffer, Buffer]),
    ),
  }
}

async function read(
  options: { readonly clientId: string; readonly bootstrapBrokers: string[] },
  counts: ReadonlyMap<string, number>,
): Promise<readonly ReadLetter[]> {
  const wanted = [...counts.values()].reduce((sum, count) => sum + count, 0)
  const consumer = new Consumer({ ...options, groupId: `platformatic-${++groups}` })
  const letters: ReadLetter[] = []
  try {
    const stream = await consumer.consume({ topics: [...counts.keys()], mode: MessagesStreamModes.EARLIEST })
    for await (const { topic, partition, offset, key, value, headers } of stream) {
      letters.push({
        topic,
        partition,
        offset: Number(offset),
        key: key ?? null,
        value: value ?? null,
        headers: [...headers].map(([name, content]) => [name.toString(), content ?? null]),
      })
      if (letters.length === wanted) break
    }
    return letters
  } finally {
    await consumer.close(true)
  }
}

function platformaticAdmin(admin: Admin): RealAdmin {
  const offset = async (topic: string, partitionIndex: number, timestamp: bigint) => {
    const [found] = await admin.listOffsets({ topics: [{ name: topic, partitions: [{ partitionIndex, timestamp }] }] })
    return Number(found!.partitions[0]!.offset)
  }
  return {
    async createTopic(name, partitions, configs) {
      const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
      await admin.createTopics({ topics: [name], partitions, replicas: 1, configs: entries })
    },
    listTopics: () => admin.listTopics(),
    async partitionsOf(topic) {
      const metadata = await admin.metadata({ topics: [topic], forceUpdate: true })
      return metadata.topics.get(topic)!.partitions.filter(({ leader }) => leader >= 0).length
    },
    addPartitions: (name, count) => admin.createPartitions({ topics: [{ name, count }] }),
    async configOf(topic, name) {
      const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configurationKeys: [name] }
      const [found] = await admin.describeConfigs({ resources: [resource] })
      return found!.configs[0]!.value ?? null
    },
    async setConfig(topic, name, value) {
      const change = { name, value, configOperation: IncrementalAlterConfigOperationTypes.SET }
      const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs: [change] }
      await admin.incrementalAlterConfigs({ resources: [resource] })
    },
    endOffset: (topic, partition) => offset(topic, partition, ListOffsetTimestamps.LATEST),
    beginningOffset: (topic, partition) => offset(topic, partition, ListOffsetTimestamps.EARLIEST),
    async deleteRecords(topic, partition, before) {
      await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition, offset: BigInt(before) }] }] })
    },
    deleteTopic: topic => admin.deleteTopics({ topics: [topic] }),
    async cluster() {
      const { id, brokers } = await admin.metadata({ topics: [], forceUpdate: true })
      return { clusterId: id, nodes: [...brokers].map(([nodeId, { host, port }]) => ({ id: nodeId, host, port })) }
    },
  }
}
