// The same loads by clients that run on Node: kafkajs, unmodified, and our own producer and consumer over the wire link. Default settings; arrays of records per call.
import { createConsumer } from '@odradek/consumer/create-consumer'
import { createProducer } from '@odradek/producer/create-producer'
import { kafkajsAt } from '../conformance/kafkajs.ts'
import { bothWays, type Load } from './loads.ts'

const RECORDS_PER_SEND = 500
/** Sends that are not answered at once. */
const SENDS_IN_FLIGHT = 8

let groups = 0

export function nodeLoads(valueBytes: number, records: number): readonly Load[] {
  const values = { records, valueBytes }
  return [
    ...bothWays('kafkajs', values, kafkajsProduce, kafkajsConsume),
    ...bothWays('odradek', values, ownProduce, ownConsume),
  ]
}

/** Calls `send` until `records` are through, a few at a time; gives records per second. */
async function pipelined(records: number, send: (count: number) => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  let left = records
  const worker = async () => {
    while (left > 0) {
      const count = Math.min(RECORDS_PER_SEND, left)
      left -= count
      await send(count)
    }
  }
  await Promise.all(Array.from({ length: SENDS_IN_FLIGHT }, worker))
  return records / ((performance.now() - begun) / 1000)
}

async function kafkajsProduce(servers: string, topic: string, records: number, valueBytes: number): Promise<number> {
  const producer = kafkajsAt(servers, 'bench').producer()
  await producer.connect()
  const messages = Array.from({ length: RECORDS_PER_SEND }, () => ({ value: Buffer.alloc(valueBytes, 'x') }))
  const perSecond = await pipelined(records, count => producer.send({ topic, messages: messages.slice(0, count) }))
  await producer.disconnect()
  return perSecond
}

async function kafkajsConsume(servers: string, topic: string, records: number): Promise<number> {
  const consumer = kafkajsAt(servers, 'bench').consumer({ groupId: `bench-${groups++}` })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const arrival = new ArrivalRate()
  await new Promise<void>((resolve, reject) => {
    consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
    consumer
      .run({
        eachBatch: async ({ batch }) => {
          arrival.came(batch.messages.length)
          if (arrival.records >= records) resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return arrival.perSecond
}

async function ownProduce(servers: string, topic: string, records: number, valueBytes: number): Promise<number> {
  await using producer = createProducer({ bootstrapServers: servers })
  const batch = Array.from({ length: RECORDS_PER_SEND }, () => ({ value: Buffer.alloc(valueBytes, 'x') }))
  return await pipelined(records, count => producer.send(topic, batch.slice(0, count)))
}

async function ownConsume(servers: string, topic: string, records: number): Promise<number> {
  await using consumer = createConsumer({ bootstrapServers: servers, autoOffsetReset: 'earliest' })
  const stop = new AbortController()
  const arrival = new ArrivalRate()
  await consumer.batch(
    topic,
    batch => {
      arrival.came(batch.forEach(() => {}))
      if (arrival.records >= records) stop.abort()
    },
    { signal: stop.signal },
  )
  return arrival.perSecond
}

/** How fast records came, from the first arrival to the last: joining a group and finding positions are not in it. */
class ArrivalRate {
  records = 0
  #first = 0
  #firstAt = 0
  #lastAt = 0

  came(records: number): void {
    this.#lastAt = performance.now()
    if (this.records === 0) [this.#first, this.#firstAt] = [records, this.#lastAt]
    this.records += records
  }

  get perSecond(): number {
    return (this.records - this.#first) / ((this.#lastAt - this.#firstAt) / 1000)
  }
}
