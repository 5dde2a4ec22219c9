// One record at a time, at a modest rate: how long from send to receipt. With our client over the wire link and with kafkajs; both run here, beside the server.
import { createConsumer } from '@odradek/consumer/create-consumer'
import { createProducer } from '@odradek/producer/create-producer'
import { kafkajsAt } from '../conformance/kafkajs.ts'
import { Latencies, type LatencyFigures } from '../load/latencies.ts'

const INTERVAL_MS = 5
const WARM_RECORDS = 200

export interface LatencyClient {
  readonly client: 'odradek' | 'kafkajs'
  /** Sends `records` single records, 200 a second, and gives the latencies of all but the first 200. */
  measure(servers: string, topic: string, records: number): Promise<LatencyFigures>
}

/** Sends at the rate; the record's value is its number. */
async function paced(records: number, send: (index: number) => void): Promise<void> {
  const begun = performance.now()
  for (let index = 0; index < records; index++) {
    const dueMs = begun + index * INTERVAL_MS - performance.now()
    if (dueMs > 0) await new Promise(resolve => setTimeout(resolve, dueMs))
    send(index)
  }
}

/** Notes when each record was sent and when it came; resolves when all have come. */
class Journey {
  readonly #sentAt: number[] = []
  readonly #latencies = new Latencies()
  readonly #records: number
  #came = 0
  readonly done: Promise<void>
  #resolve: () => void = () => undefined

  constructor(records: number) {
    this.#records = records
    this.done = new Promise(resolve => {
      this.#resolve = resolve
    })
  }

  sent(index: number): void {
    this.#sentAt[index] = performance.now()
  }

  came(): void {
    const index = this.#came++
    if (index >= WARM_RECORDS) this.#latencies.record(performance.now() - this.#sentAt[index]!)
    if (this.#came === this.#records) this.#resolve()
  }

  get figures(): LatencyFigures {
    return this.#latencies.figures()
  }
}

const odradek: LatencyClient = {
  client: 'odradek',
  async measure(servers, topic, records) {
    await using producer = createProducer({ bootstrapServers: servers, lingerMs: 0 })
    await using consumer = createConsumer({ bootstrapServers: servers, autoOffsetReset: 'earliest' })
    const journey = new Journey(records)
    const stop = new AbortController()
    const reading = consumer.each(topic, () => journey.came(), { signal: stop.signal })
    await paced(records, index => {
      journey.sent(index)
      void producer.send(topic, { value: Buffer.alloc(100, 'x') })
    })
    await journey.done
    stop.abort()
    await reading
    return journey.figures
  },
}

const kafkajs: LatencyClient = {
  client: 'kafkajs',
  async measure(servers, topic, records) {
    const kafka = kafkajsAt(servers, 'bench')
    const [producer, consumer] = [kafka.producer(), kafka.consumer({ groupId: `latency-${topic}` })]
    await Promise.all([producer.connect(), consumer.connect()])
    await consumer.subscribe({ topic, fromBeginning: true })
    const journey = new Journey(records)
    await consumer.run({ eachMessage: async () => journey.came() })
    await paced(records, index => {
      journey.sent(index)
      void producer.send({ topic, messages: [{ value: Buffer.alloc(100, 'x') }] })
    })
    await journey.done
    await Promise.all([producer.disconnect(), consumer.disconnect()])
    return journey.figures
  },
}

export const latencyClients: readonly LatencyClient[] = [odradek, kafkajs]
