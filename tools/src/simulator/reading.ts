// Readers of a simulation: the public Consumer in the simulated process, with partitions assigned; whatever it hands out goes into the
// history. The final reader reads everything from the beginning when all is over.
import type { Consumer } from '@odradek/consumer/consumer-client'
import { createConsumer } from '@odradek/consumer/create-consumer'
import { KafkaError } from '@odradek/shared/base/errors'
import type { Random } from '@odradek/shared/base/random'
import type { History } from './history.ts'
import { pick, type TopicPlan } from './plan.rules.ts'
import type { ProcessLife } from './process-life.ts'
import { textTopic } from './producing.ts'

export class SimulatedReader {
  readonly name: string
  readonly #life: ProcessLife
  readonly #topics: readonly TopicPlan[]
  readonly #history: History
  readonly #random: Random
  #consumer: Consumer
  #sessions = 0
  /** Session and next offset by `topic-partition`. */
  readonly #places = new Map<string, { session: number; next: number }>()
  #isOver = false
  #mayJump = true

  constructor(
    name: string,
    parts: {
      readonly life: ProcessLife
      readonly topics: readonly TopicPlan[]
      readonly history: History
      readonly random: Random
    },
  ) {
    this.name = name
    this.#life = parts.life
    this.#topics = parts.topics
    this.#history = parts.history
    this.#random = parts.random
    this.#consumer = this.#create()
  }

  #create(): Consumer {
    return createConsumer({
      bootstrapServers: this.#life.broker,
      clientId: this.name,
      autoOffsetReset: 'earliest',
      maxPollRecords: pick(this.#random, [1, 10, 500]),
      fetchMaxWaitMs: pick(this.#random, [10, 500]),
      maxPartitionFetchBytes: pick(this.#random, [300, 1_048_576]),
    })
  }

  /** Reads until it is told to stop. */
  async work(): Promise<void> {
    await this.#insist(() => this.#assign())
    while (!this.#isOver) {
      await this.#insist(() => this.#poll(pick(this.#random, [0, 50, 300])))
      if (this.#mayJump && this.#random.int(40) === 0) this.#jump()
      // A poll that answers at once must not stop time.
      await this.#life.pass(this.#mayJump ? 1 + this.#random.int(80) : 1)
    }
  }

  /** From now on it only goes forward, and does not rest. */
  hurry(): void {
    this.#mayJump = false
  }

  stop(): void {
    this.#isOver = true
  }

  close(): Promise<void> {
    return this.#consumer.close()
  }

  /** Whether everything below these ends was handed out. */
  hasReached(ends: ReadonlyMap<string, number>): boolean {
    return [...ends].every(([log, end]) => (this.#places.get(log)?.next ?? 0) >= end)
  }

  toString(): string {
    return `${this.name} at ${[...this.#places].map(([log, { next }]) => `${log}@${next}`).join(', ')}`
  }

  async #assign(): Promise<void> {
    const partitions = this.#topics.flatMap(({ name, partitions: count }) =>
      Array.from({ length: count }, (_, partition) => ({ topic: textTopic(name), partition, offset: 0 })),
    )
    await this.#consumer.assign(partitions)
    for (const { topic, partition } of partitions) this.#begin(topic.name, partition, 0)
  }

  #begin(topic: string, partition: number, from: number): void {
    const session = ++this.#sessions
    this.#places.set(`${topic}-${partition}`, { session, next: from })
    this.#history.began({ reader: this.name, session, topic, partition, from })
  }

  async #poll(maxWaitMs: number): Promise<void> {
    for (const { topic, partition, offset, key, value } of await this.#consumer.poll(maxWaitMs)) {
      const place = this.#places.get(`${topic}-${partition}`)!
      place.next = Number(offset) + 1
      const { session } = place
      const at = { topic, partition, offset: Number(offset) }
      this.#history.read({ reader: this.name, session, committedOnly: false, ...at, key, value })
    }
  }

  /** Goes back in one partition. */
  #jump(): void {
    const [log, { next }] = pick(this.#random, [...this.#places])
    const at = log.lastIndexOf('-')
    const [topic, partition] = [log.slice(0, at), Number(log.slice(at + 1))]
    const from = this.#random.int(next + 1)
    this.#consumer.seek({ topic, partition }, from)
    this.#begin(topic, partition, from)
  }

  /** Does it again until it succeeds; a consumer that has ended for good is replaced. */
  async #insist(work: () => Promise<void>): Promise<void> {
    while (!this.#isOver) {
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        if (error.fatal) {
          this.#consumer = this.#create()
          await this.#insist(() => this.#assign())
          return
        }
        await this.#life.pass(50)
      }
    }
  }
}

/** Reads every partition from its beginning to its end. */
export async function readFinally(life: ProcessLife, topics: readonly string[], history: History): Promise<void> {
  const consumer = createConsumer({ bootstrapServers: life.broker, clientId: 'final', autoOffsetReset: 'earliest' })
  for (const name of topics) {
    const partitions = (await consumer.partitionsFor(name)).map(partition => ({ topic: name, partition }))
    const ends = (await consumer.endOffsets(partitions)).map(end => Number(end ?? 0))
    await consumer.assign(partitions.map(at => ({ ...at, topic: textTopic(name), offset: 0 })))
    const left = new Map(partitions.flatMap(({ partition }, n) => (ends[n]! > 0 ? [[partition, ends[n]!]] : [])))
    while (left.size > 0) {
      for (const { topic, partition, offset, key, value } of await consumer.poll(1_000)) {
        history.readFinally({ committedOnly: false, topic, partition, offset: Number(offset), key, value })
        if (Number(offset) + 1 >= left.get(partition)!) left.delete(partition)
      }
    }
  }
  await consumer.close()
}

/** Where every partition ends now, by `topic-partition`. */
export async function endsOf(life: ProcessLife, topics: readonly TopicPlan[]): Promise<Map<string, number>> {
  const consumer = createConsumer({ bootstrapServers: life.broker, clientId: 'ends' })
  const ends = new Map<string, number>()
  for (const { name, partitions: count } of topics) {
    const partitions = Array.from({ length: count }, (_, partition) => ({ topic: name, partition }))
    const offsets = await consumer.endOffsets(partitions)
    for (const [n, { topic, partition }] of partitions.entries()) {
      ends.set(`${topic}-${partition}`, Number(offsets[n] ?? 0))
    }
  }
  await consumer.close()
  return ends
}
