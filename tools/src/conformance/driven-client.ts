// A real client that lives in a driver process: Python (librdkafka through confluent-kafka, kafka-python) or Java. All drivers speak the same few methods.
import type { DriverCommand } from './driver-process.ts'
import { DriverProcess } from './driver-process.ts'
import type {
  BrokerView,
  Codec,
  Lack,
  Letter,
  ReadLetter,
  RealAdmin,
  RealClient,
  RealClientKind,
} from './real-client.ts'

interface DrivenKind {
  readonly name: string
  readonly missing: string | null
  readonly command: () => DriverCommand
  readonly codecs: readonly Codec[]
  readonly lacks?: readonly Lack[]
}

/** Letters as JSON carries them. */
interface WireLetter {
  readonly partition: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [string, string | null])[]
}
interface WireReadLetter extends WireLetter {
  readonly topic: string
  readonly offset: number
}

export function drivenClient({ name, missing, command, codecs, lacks = [] }: DrivenKind): RealClientKind {
  return {
    name,
    missing,
    async open(bootstrapServers) {
      const driver = new DriverProcess(command())
      await driver.call('open', { bootstrapServers })
      const client: RealClient = {
        name,
        codecs,
        lacks,
        fails: [],
        write: (topic, codec, letters) => driver.call('write', { topic, codec, letters: letters.map(toWire) }),
        async read(counts) {
          const letters = await driver.call<WireReadLetter[]>('read', { counts: Object.fromEntries(counts) })
          return letters.map(fromWire)
        },
        admin: drivenAdmin(driver),
        close: () => driver.close(),
      }
      return client
    },
  }
}

function drivenAdmin(driver: DriverProcess): RealAdmin {
  return {
    createTopic: (name, partitions, configs) => driver.call('createTopic', { name, partitions, configs }),
    listTopics: () => driver.call('listTopics', {}),
    partitionsOf: topic => driver.call('partitionsOf', { topic }),
    addPartitions: (topic, total) => driver.call('addPartitions', { topic, total }),
    configOf: (topic, name) => driver.call('configOf', { topic, name }),
    setConfig: (topic, name, value) => driver.call('setConfig', { topic, name, value }),
    endOffset: (topic, partition) => driver.call('endOffset', { topic, partition }),
    beginningOffset: (topic, partition) => driver.call('beginningOffset', { topic, partition }),
    deleteRecords: (topic, partition, before) => driver.call('deleteRecords', { topic, partition, before }),
    deleteTopic: topic => driver.call('deleteTopic', { topic }),
    cluster: () => driver.call<BrokerView>('cluster', {}),
  }
}

const text = (bytes: Uint8Array | null) => bytes && Buffer.from(bytes).toString('base64')
const bytes = (base64: string | null) => (base64 === null ? null : Buffer.from(base64, 'base64'))

function toWire({ partition, key, value, headers }: Letter): WireLetter {
  return {
    partition,
    key: text(key),
    value: text(value),
    headers: headers.map(([name, content]) => [name, text(content)]),
  }
}

function fromWire({ topic, partition, offset, key, value, headers }: WireReadLetter): ReadLetter {
  return {
    topic,
    partition,
    offset,
    key: bytes(key),
    value: bytes(value),
    headers: headers.map(([name, content]) => [name, bytes(content)]),
  }
}
