// Producers of a simulation: the public Producer in the simulated process, given records as its plan says; everything it was given and told
// goes into the history.
import { PartialSendError } from '@odradek/producer/acknowledgement'
import { createProducer } from '@odradek/producer/create-producer'
import type { Producer } from '@odradek/producer/producer'
import { KafkaError } from '@odradek/shared/base/errors'
import type { Random } from '@odradek/shared/base/random'
import { string } from '@odradek/shared/client/codecs'
import { topic } from '@odradek/shared/client/topic'
import { type ProducerPlan, pick } from './client-plans.rules.ts'
import type { CrewMember, Surroundings } from './crew-member.ts'
import type { History, Send } from './history.ts'
import type { TopicPlan } from './plan.rules.ts'
import type { ProcessLife } from './process-life.ts'

/** Errors after which a record is certain not to have been sent. */
const REFUSALS: ReadonlySet<string> = new Set([
  'ODK_METADATA_TIMEOUT',
  'ODK_BUFFER_EXHAUSTED',
  'ODK_RECORD_INVALID',
  'ODK_RECORD_TOO_LARGE',
  'ODK_PARTITION_INVALID',
])

export function textTopic(name: string) {
  return topic(name, { key: string(), value: string() })
}

export class SimulatedProducer implements CrewMember {
  readonly name: string
  readonly #life: ProcessLife
  readonly #plan: ProducerPlan
  readonly #topics: readonly TopicPlan[]
  readonly #history: History
  readonly #random: Random
  readonly #producer: Producer
  #working: Promise<unknown> = Promise.resolve()
  #records = 0

  constructor(name: string, { life, plan, history, random }: Surroundings, own: ProducerPlan) {
    this.name = name
    this.#life = life
    this.#plan = own
    this.#topics = plan.topics.filter(({ use }) => use === 'records' || use === 'input')
    this.#history = history
    this.#random = random
    const { idempotent, lingerMs, batchSize, inFlightMax, deliveryTimeoutMs } = own
    this.#producer = createProducer({
      bootstrapServers: life.broker,
      clientId: name,
      enableIdempotence: idempotent,
      lingerMs,
      batchSize,
      maxInFlightRequestsPerConnection: inFlightMax,
      deliveryTimeoutMs,
      requestTimeoutMs: Math.min(30_000, deliveryTimeoutMs / 2),
    })
  }

  /** Sends until the time has come. */
  async work(until: number): Promise<void> {
    const send = async () => {
      while (this.#life.now < until) {
        await this.#burst(1 + this.#random.int(this.#plan.burstMax))
        await this.#life.pass(this.#random.int(this.#plan.restMax))
      }
    }
    this.#working = send()
    await this.#working
  }

  /** Everything that was sent has an outcome, and one more record of each topic is taken. */
  async settle(): Promise<void> {
    await this.#working
    await this.#producer.flush()
    for (const { name } of this.#topics) {
      // That its sender died before faults stopped is perhaps learned by the first.
      if ((await this.#isTaken(name)) || (await this.#isTaken(name))) continue
      throw new Error(`nothing can be sent to ${name} after faults stopped`)
    }
  }

  async #isTaken(topicName: string): Promise<boolean> {
    const send = this.#next(topicName)
    await this.#sendOne(send)
    return send.outcome === 'acknowledged'
  }

  async behind(): Promise<null> {
    return null
  }

  close(): Promise<void> {
    return this.#producer.close()
  }

  #next(topicName = pick(this.#random, this.#topics).name): Send {
    const n = this.#records++
    const key = this.#random.int(4) === 0 ? null : `k${this.#random.int(6)}`
    const padding = this.#random.int(10) === 0 ? '.'.repeat(this.#random.int(400)) : ''
    const value = `${this.name}#${n}${padding}`
    const { idempotent } = this.#plan
    return this.#history.sending({ producer: this.name, idempotent, topic: topicName, key, value })
  }

  async #burst(count: number): Promise<void> {
    switch (this.#plan.style) {
      case 'awaited':
        for (let n = 0; n < count; n++) await this.#sendOne(this.#next())
        return
      case 'outstanding':
        for (let n = 0; n < count; n++) void this.#sendOne(this.#next())
        return
      case 'enqueued':
        for (let n = 0; n < count; n++) if (!this.#enqueue(this.#next())) await this.#producer.writable()
        return
      case 'arrays':
        await this.#sendArray(count)
    }
  }

  async #sendOne(send: Send): Promise<void> {
    const { topic: name, key, value } = send
    try {
      this.#history.acknowledged(send, await this.#producer.send(textTopic(name), { key, value }))
    } catch (error) {
      this.#failed(send, error)
    }
  }

  #enqueue(send: Send): boolean {
    const { topic: name, key, value } = send
    return this.#producer.enqueue(textTopic(name), { key, value }, (error, acknowledgement) => {
      if (acknowledgement !== null) this.#history.acknowledged(send, acknowledgement)
      else this.#failed(send, error)
    })
  }

  async #sendArray(count: number): Promise<void> {
    const { name } = pick(this.#random, this.#topics)
    const sends = Array.from({ length: count }, () => this.#next(name))
    try {
      const acknowledgements = await this.#producer.send(
        textTopic(name),
        sends.map(({ key, value }) => ({ key, value })),
      )
      for (const [n, send] of sends.entries()) this.#history.acknowledged(send, acknowledgements.at(n)!)
    } catch (error) {
      const results = error instanceof PartialSendError ? error.results : sends.map(() => error as KafkaError)
      for (const [n, send] of sends.entries()) {
        const result = results[n]!
        if (result instanceof Error) this.#failed(send, result)
        else this.#history.acknowledged(send, result)
      }
    }
  }

  #failed(send: Send, error: unknown): void {
    if (!(error instanceof KafkaError)) throw error
    this.#history.failed(send, REFUSALS.has(error.code) ? 'refused' : 'unknown')
  }
}
