// Our own producer and consumer over the wire link, as one more among the real clients.
import { createConsumer } from '@odradek/consumer/create-consumer'
import { createProducer } from '@odradek/producer/create-producer'
import { bytes } from '@odradek/shared/client/codecs'
import { topic as typedTopic } from '@odradek/shared/client/topic'
import { codecs, type ReadLetter, type RealClient, type RealClientKind } from './real-client.ts'

const letterTopic = (name: string) => typedTopic(name, { key: bytes(), value: bytes() })

export const odradek: RealClientKind = {
  name: 'odradek',
  missing: null,
  async open(bootstrapServers) {
    const client: RealClient = {
      name: 'odradek',
      codecs,
      lacks: [],
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
        const found: ReadLetter[] = []
        for (const [name, count] of counts) {
          const partitions = await consumer.partitionsFor(name)
          await consumer.assign(partitions.map(partition => ({ topic: name, partition })))
          const end = found.length + count
          for await (const { partition, offset, key, value, headers } of consumer.stream(letterTopic(name))) {
            const plain = headers.map(({ key: header, value: content }) => [header, content] as const)
            found.push({ topic: name, partition, offset: Number(offset), key, value, headers: plain })
            if (found.length === end) break
          }
        }
        return found
      },
      admin: {},
      close: async () => undefined,
    }
    return client
  },
}
