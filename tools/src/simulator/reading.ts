// Readers of a simulation: the public Consumer in the simulated process, with partitions assigned; whatever it hands out goes into the
// history. The final reader reads everything from the beginning when all is over.
import type { Consumer } from '@odradek/consumer/consumer-client'
import { createConsumer } from '@odradek/consumer/create-consumer'
import { nameOf } from '@odradek/consumer/partition-names.rules'
import { KafkaError } from '@odradek/shared/base/errors'
import type { Random } from '@odradek/shared/base/random'
import { pick } from './client-plans.rules.ts'
import type { CrewMember, Ends, Surroundings } from './crew-member.ts'
import type { History } from './history.ts'
import type { TopicPlan } from './plan.rules.ts'
import type { ProcessLife } from './process-life.ts'
import { textTopic } from './producing.ts'

/** Reads one kind of topics: those of transactions as they are committed. */
export class SimulatedReader implements CrewMember {
  readonly name: string
  readonly #life: ProcessLife
  readonly #topics: readonly TopicPlan[]
  readonly #history: History
  readonly #random: Random
  readonly #committedOnly: boolean
  #consumer: Consumer
  #sessions = 0
  /** Session and next offset by `topic-partition`. */
  readonly #places = new Map<string, { session: number; next: number }>()
  #working: Promise<unknown> = Promise.resolve()
  #isOver = false
  #mayJump = true

  constructor(name: string, { life, plan, history, random }: Surroundings, use: 'records' | 'transactions') {
    this.name = name
    this.#life = life
    this.#topics = plan.topics.filter(topic => topic.use === use)
    this.#history = history
    this.#random = random
    this.#committedOnly = use === 'transactions'
    this.#consumer = this.#create()
  }

  #create(): Consumer {
    return createConsumer({
      bootstrapServers: this.#life.broker,
      clientId: this.name,
      autoOffsetReset: 'earliest',
      isolationLevel: this.#committedOnly ? 'readCommitted' : 'readUncommitted',
      maxPollRecords: pick(this.#random, [1, 10, 500]),
      fetchMaxWaitMs: pick(this.#random, [10, 500]),
      maxPartitionFetchBytes: pick(this.#random, [300, 1_048_576]),
    })
  }

  /** Reads until it is closed. */
  async work(): Promise<void> {
    this.#working = this.#read()
    await this.#working
  }

  async #read(): Promise<void> {
    await this.#insist(() => this.#assign())
    while (!this.#isOver) {
      await this.#insist(() => this.#poll(pick(this.#random, [0, 50, 300])))
      if (this.#mayJump && this.#random.int(40) === 0) this.#jump()
      // A poll that answers at once must not stop time.
      await this.#life.pass(this.#mayJump ? 1 + this.#random.int(80) : 1)
    }
  }

  /** From now on it only goes forward, and does not rest. */
  async settle(): Promise<void> {
    this.#mayJump = false
  }

  /** Whether everything below these ends was handed out that it may see. */
  async behind(ends: Ends): Promise<string | null> {
    if (this.#places.size === 0) return `${this.name} has not begun`
    for (const [log, { next }] of this.#places) {
      const end = this.#committedOnly ? this.#lastCommitted(log) : (ends.get(log) ?? 0)
      if (next < end) return `${this.name} at ${log}@${next} of ${end}`
    }
    return null
  }

  /** Behind the last record of a committed transaction; what follows are markers, and what was aborted. */
  #lastCommitted(log: string): number {
    const { sends, transactions } = this.#history
    const committed = new Set(transactions.filter(({ outcome }) => outcome === 'committed').map(({ id }) => id))
    const ends = sends
      .filter(send => committed.has(send.transaction ?? '') && nameOf(send) === log)
      .map(({ offset }) => offset + 1)
    return Math.max(0, ...ends)
  }

  async close(): Promise<void> {
    this.#isOver = true
    await this.#working
    await this.#consumer.close()
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
    this.#places.set(nameOf({ topic, partition }), { session, next: from })
    this.#history.began({ reader: this.name, session, topic, partition, from })
  }

  async #poll(maxWaitMs: number): Promise<void> {
    for (const record of await this.#consumer.poll(maxWaitMs)) {
      const { topic, partition, offset, key, value } = record
      const place = this.#places.get(nameOf(record))!
      place.next = Number(offset) + 1
      const { session } = place
      const at = { topic, partition, offset: Number(offset) }
      this.#history.read({ reader: this.name, session, committedOnly: this.#committedOnly, ...at, key, value })
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

/** Reads every partition from its beginning to its end: what transactions wrote as it is committed. */
export async function readFinally(life: ProcessLife, topics: readonly TopicPlan[], history: History): Promise<void> {
  for (const { name, use } of topics) {
    const committedOnly = use === 'transactions' || use === 'output'
    const consumer = createConsumer({
      bootstrapServers: life.broker,
      clientId: 'final',
      autoOffsetReset: 'earliest',
      isolationLevel: committedOnly ? 'readCommitted' : 'readUncommitted',
    })
    const partitions = (await consumer.partitionsFor(name)).map(partition => ({ topic: name, partition }))
    const ends = (await consumer.endOffsets(partitions)).map(end => end ?? 0n)
    await consumer.assign(partitions.map(at => ({ ...at, topic: textTopic(name), offset: 0 })))
    // What is at the end may be a marker, which nobody is given: the position says how far reading came.
    for (const [n, at] of partitions.entries()) {
      while ((await consumer.position(at)) < ends[n]!) {
        for (const { topic, partition, offset, key, value } of await consumer.poll(100)) {
          const record = { committedOnly, topic, partition, offset: Number(offset), key, value }
          if (use === 'output') history.readCopy(record)
          else history.readFinally(record)
        }
      }
    }
    await consumer.close()
  }
}

/** Where every partition ends, for readers of either isolation, by `topic-partition`. */
export async function endsOf(
  life: ProcessLife,
  topics: readonly TopicPlan[],
  isolationLevel: 'readUncommitted' | 'readCommitted' = 'readUncommitted',
): Promise<Ends> {
  const consumer = createConsumer({ bootstrapServers: life.broker, clientId: 'ends', isolationLevel })
  const ends = new Map<string, number>()
  for (const { name } of topics) {
    const partitions = (await consumer.partitionsFor(name)).map(partition => ({ topic: name, partition }))
    const offsets = await consumer.endOffsets(partitions)
    for (const [n, at] of partitions.entries()) ends.set(nameOf(at), Number(offsets[n] ?? 0))
  }
  await consumer.close()
  return ends
}
