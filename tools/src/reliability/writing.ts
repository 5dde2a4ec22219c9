// A writer of numbered records that tells about each what became of it: the load under which things are killed.
import { createProducer } from '@odradek/producer/create-producer'
import type { Producer } from '@odradek/producer/producer'
import type { KafkaError } from '@odradek/shared/base/errors'

export interface WriterOptions {
  readonly bootstrapServers: object
  readonly topic: string
  readonly name: string
  /** Records that are not settled yet, at most. */
  readonly outstandingMax: number
  sent(n: number): void
  acknowledged(n: number, at: { readonly partition: number; readonly offset: bigint }): void
  failed(n: number, error: KafkaError): void
}

export class Writer {
  readonly #options: WriterOptions
  readonly #producer: Producer
  #next = 0
  #outstanding = 0
  #isOver = false
  #changed: (() => void) | null = null

  constructor(options: WriterOptions) {
    this.#options = options
    const { bootstrapServers, name } = options
    this.#producer = createProducer({ bootstrapServers, clientId: name, lingerMs: 0, batchSize: 2_000 })
  }

  /** Writes until it is told to stop, then waits until everything is settled. */
  async work(): Promise<void> {
    while (!this.#isOver) {
      while (!this.#isOver && this.#outstanding < this.#options.outstandingMax) this.#write()
      await this.#change()
    }
    while (this.#outstanding > 0) await this.#change()
  }

  stop(): void {
    this.#isOver = true
    this.#wake()
  }

  close(): Promise<void> {
    return this.#producer.close()
  }

  #write(): void {
    const { topic, name, sent, acknowledged, failed } = this.#options
    const n = this.#next++
    this.#outstanding++
    sent(n)
    this.#producer
      .send(topic, { key: `k${n % 13}`, value: `${name}#${n}` })
      .then(
        at => acknowledged(n, at),
        error => failed(n, error),
      )
      .finally(() => {
        this.#outstanding--
        this.#wake()
      })
  }

  #change(): Promise<void> {
    return new Promise(resolve => {
      this.#changed = resolve
    })
  }

  #wake(): void {
    const changed = this.#changed
    this.#changed = null
    changed?.()
  }
}
