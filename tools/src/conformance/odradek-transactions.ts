// Our own transactions over the wire link, as one more among the real clients.
import { createConsumer } from '@odradek/consumer/create-consumer'
import { createProducer } from '@odradek/producer/create-producer'
import { string } from '@odradek/shared/client/codecs'
import { topic as typedTopic } from '@odradek/shared/client/topic'
import { CommittedValues, type CopyJob, type TransactionalClientKind } from './transactional-client.ts'

const words = (name: string) => typedTopic(name, { key: string(), value: string() })

export const odradekTransactions: TransactionalClientKind = {
  name: 'odradek',
  missing: null,
  async open(bootstrapServers) {
    const producerOf = (transactionalId: string) => createProducer({ bootstrapServers, transactionalId })
    return {
      name: 'odradek',
      async transact(topic, transactionalId, transactions) {
        await using producer = producerOf(transactionalId)
        for (const { values, commit } of transactions) {
          const transaction = await producer.begin()
          for (const value of values) await transaction.send(words(topic), { value })
          if (commit) await transaction.commit()
          else await transaction.abort()
        }
      },
      async fence(topic, transactionalId, { zombie, successor }) {
        await using older = producerOf(transactionalId)
        await using newer = producerOf(transactionalId)
        const lost = await older.begin()
        await lost.send(words(topic), { value: zombie })
        await newer.transaction(transaction => transaction.send(words(topic), { value: successor }))
        // Awaited here: what is used must live until then.
        return await lost.commit().then(
          () => 'it was not refused',
          (error: Error & { code?: string }) => `${error.code} ${error.message}`,
        )
      },
      copy: job => copy(bootstrapServers, job),
      async readCommitted(topic, partitions) {
        await using consumer = createConsumer({
          bootstrapServers,
          isolationLevel: 'readCommitted',
          autoOffsetReset: 'earliest',
        })
        await consumer.assign((await consumer.partitionsFor(topic)).map(partition => ({ topic, partition })))
        const found = new CommittedValues(partitions)
        for await (const { value } of consumer.stream<readonly string[]>())
          if (found.add(Buffer.from(value!).toString())) break
        return found.values
      },
      close: async () => {},
    }
  },
}

async function copy(
  bootstrapServers: string,
  { from, to, groupId, transactionalId, count, perTransaction }: CopyJob,
): Promise<void> {
  await using producer = createProducer({ bootstrapServers, transactionalId })
  await using consumer = createConsumer({
    bootstrapServers,
    groupId,
    enableAutoCommit: false,
    autoOffsetReset: 'earliest',
    isolationLevel: 'readCommitted',
    maxPollRecords: perTransaction,
  })
  await consumer.subscribe([from])
  for (let left = count; left > 0; ) {
    const records = await consumer.poll(1_000)
    if (records.length === 0) continue
    const next = new Map(records.map(record => [record.partition, record]))
    const offsets = [...next.values()].map(({ topic, partition, offset }) => ({
      topic,
      partition,
      offset: offset + 1n,
    }))
    for (const commit of [false, true]) {
      const transaction = await producer.begin()
      for (const { partition, key, value } of records) await transaction.send(to, { partition, key, value })
      await transaction.sendOffsets({ ...(await consumer.groupMetadata()), offsets })
      if (commit) await transaction.commit()
      else await transaction.abort()
    }
    left -= records.length
  }
}
