// Transactions of @platformatic/kafka 1.35.0 in this process.
import { Consumer, FetchIsolationLevels, type Message, MessagesStreamModes, Producer } from '@platformatic/kafka'
import { CommittedValues, type CopyJob, type TransactionalClientKind } from './transactional-client.ts'

type Transaction = Awaited<ReturnType<Producer['beginTransaction']>>

interface Reach {
  readonly clientId: string
  readonly bootstrapBrokers: string[]
}

let groups = 0

export const platformaticTransactions: TransactionalClientKind = {
  name: '@platformatic/kafka',
  missing: null,
  async open(bootstrapServers) {
    const reach = { clientId: 'platformatic', bootstrapBrokers: [bootstrapServers] }
    return {
      name: '@platformatic/kafka',
      hidesOneAbort: true,
      async transact(topic, transactionalId, transactions) {
        await withProducer(reach, transactionalId, async producer => {
          for (const { values, commit } of transactions) {
            const transaction = await producer.beginTransaction()
            await transaction.send({ messages: values.map(value => ({ topic, value: Buffer.from(value) })) })
            if (commit) await transaction.commit()
            else await transaction.abort()
          }
        })
      },
      fence: (topic, transactionalId, { zombie, successor }) =>
        withProducer(reach, transactionalId, async older => {
          const lost = await older.beginTransaction()
          await lost.send({ messages: [{ topic, value: Buffer.from(zombie) }] })
          await withProducer(reach, transactionalId, async newer => {
            const won = await newer.beginTransaction()
            await won.send({ messages: [{ topic, value: Buffer.from(successor) }] })
            await won.commit()
          })
          return lost.commit().then(
            () => 'it was not refused',
            (error: Error) => words(error),
          )
        }),
      copy: job => copy(reach, job),
      readCommitted: (topic, partitions) => readCommitted(reach, topic, partitions),
      close: async () => {},
    }
  },
}

async function withProducer<T>(
  reach: Reach,
  transactionalId: string,
  use: (producer: Producer) => Promise<T>,
): Promise<T> {
  // The client's own default is 0, which names a producer (FINDINGS, @platformatic/kafka 2).
  const producer = new Producer({ ...reach, transactionalId, idempotent: true, producerId: -1n, producerEpoch: -1 })
  try {
    return await use(producer)
  } finally {
    await producer.close()
  }
}

async function copy(
  reach: Reach,
  { from, to, groupId, transactionalId, count, perTransaction }: CopyJob,
): Promise<void> {
  const consumer = new Consumer({ ...reach, groupId })
  try {
    await withProducer(reach, transactionalId, async producer => {
      const stream = await consumer.consume({ topics: [from], mode: MessagesStreamModes.EARLIEST, autocommit: false })
      let held: Message[] = []
      let read = 0
      for await (const message of stream) {
        held.push(message)
        read++
        if (held.length < perTransaction && read < count) continue
        await copyHeld(await producer.beginTransaction(), consumer, to, held, false)
        await copyHeld(await producer.beginTransaction(), consumer, to, held, true)
        held = []
        if (read === count) break
      }
    })
  } finally {
    await consumer.close(true)
  }
}

async function copyHeld(
  transaction: Transaction,
  consumer: Consumer,
  topic: string,
  held: readonly Message[],
  commit: boolean,
): Promise<void> {
  await transaction.addConsumer(consumer)
  const copies = held.map(({ partition, key, value }) => ({ topic, partition, key, value }))
  await transaction.send({ messages: copies })
  const last = new Map(held.map(message => [message.partition, message]))
  for (const message of last.values()) await transaction.addOffset(message)
  if (commit) await transaction.commit()
  else await transaction.abort()
}

async function readCommitted(reach: Reach, topic: string, partitions: number): Promise<readonly string[]> {
  const groupId = `platformatic-reader-${++groups}`
  const consumer = new Consumer({ ...reach, groupId, isolationLevel: FetchIsolationLevels.READ_COMMITTED })
  const found = new CommittedValues(partitions)
  try {
    const stream = await consumer.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST })
    for await (const { value } of stream) if (found.add(value.toString())) break
    return found.values
  } finally {
    await consumer.close(true)
  }
}

/** What an error says, with what lies below it. */
function words(error: Error & { errors?: readonly Error[]; apiId?: string }): string {
  return [`${error.message} ${error.apiId ?? ''}`, ...(error.errors ?? []).map(words)].join('; ')
}
