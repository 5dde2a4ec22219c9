// Transactions of kafkajs 2.2.4 in this process. Its transactions commit offsets of a group, not of a member; its consumers read committed data by default.
import { type Kafkajs, kafkajsAt } from './kafkajs.ts'
import { CommittedValues, type CopyJob, type TransactionalClientKind } from './transactional-client.ts'

type Producer = ReturnType<Kafkajs['producer']>

let groups = 0

export const kafkajsTransactions: TransactionalClientKind = {
  name: 'kafkajs',
  missing: null,
  async open(bootstrapServers) {
    const kafka = kafkajsAt(bootstrapServers)
    return {
      name: 'kafkajs',
      async transact(topic, transactionalId, transactions) {
        await withProducer(kafka, transactionalId, async producer => {
          for (const { values, commit } of transactions) {
            const transaction = await producer.transaction()
            await transaction.send({ topic, messages: values.map(value => ({ value })) })
            if (commit) await transaction.commit()
            else await transaction.abort()
          }
        })
      },
      fence: (topic, transactionalId, { zombie, successor }) =>
        withProducer(kafka, transactionalId, async older => {
          const lost = await older.transaction()
          await lost.send({ topic, messages: [{ value: zombie }] })
          await withProducer(kafka, transactionalId, async newer => {
            const won = await newer.transaction()
            await won.send({ topic, messages: [{ value: successor }] })
            await won.commit()
          })
          return lost.commit().then(
            () => 'it was not refused',
            (error: Error) => `${(error as { type?: string }).type} ${error.message}`,
          )
        }),
      copy: job => copy(kafka, job),
      readCommitted: (topic, partitions) => readCommitted(kafka, topic, partitions),
      close: async () => {},
    }
  },
}

async function withProducer<T>(
  kafka: Kafkajs,
  transactionalId: string,
  use: (producer: Producer) => Promise<T>,
): Promise<T> {
  // What its documentation asks for exactly once.
  const producer = kafka.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  try {
    return await use(producer)
  } finally {
    await producer.disconnect()
  }
}

async function copy(kafka: Kafkajs, { from, to, groupId, transactionalId, count }: CopyJob): Promise<void> {
  await withProducer(kafka, transactionalId, async producer => {
    const consumer = kafka.consumer({ groupId })
    await consumer.connect()
    let left = count
    try {
      await consumer.subscribe({ topics: [from], fromBeginning: true })
      await new Promise<void>((resolve, reject) => {
        consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
        const running = consumer.run({
          autoCommit: false,
          eachBatch: async ({ batch: { partition, messages } }) => {
            const offset = String(Number(messages.at(-1)!.offset) + 1)
            for (const commit of [false, true]) {
              const transaction = await producer.transaction()
              const copies = messages.map(({ key, value }) => ({ partition, key, value }))
              await transaction.send({ topic: to, messages: copies })
              const topics = [{ topic: from, partitions: [{ partition, offset }] }]
              await transaction.sendOffsets({ consumerGroupId: groupId, topics })
              if (commit) await transaction.commit()
              else await transaction.abort()
            }
            left -= messages.length
            if (left === 0) resolve()
          },
        })
        running.catch(reject)
      })
    } finally {
      await consumer.disconnect()
    }
  })
}

async function readCommitted(kafka: Kafkajs, topic: string, partitions: number): Promise<readonly string[]> {
  const consumer = kafka.consumer({ groupId: `kafkajs-reader-${++groups}` })
  const found = new CommittedValues(partitions)
  await consumer.connect()
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
      const running = consumer.run({
        eachMessage: async ({ message }) => {
          if (found.add(message.value!.toString())) resolve()
        },
      })
      running.catch(reject)
    })
    return found.values
  } finally {
    await consumer.disconnect()
  }
}
