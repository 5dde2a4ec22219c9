// A transactional producer as clients are: tries again what may pass, gives up what is fenced, aborts what failed; and, as networks are,
// repeats requests of transactions that have long ended.
import { type Random, seededRandom } from '@odradek/shared/base/random'
import type { ErrorName } from '@odradek/shared/protocol/error-codes'
import { type TransactionStory, textOf } from './transaction-history.suite.ts'
import { type ClientVersion, type ProducerNow, patiently, type TransactionHouse } from './transaction-house.suite.ts'

export interface ClientOptions {
  /** In its values, and its group. */
  readonly name: string
  readonly transactionalId: string
  readonly version: ClientVersion
  readonly seed: number
  readonly transactions: number
}

const TIMEOUT_MS = 4_000
const errorOfReply = ({ error }: { readonly error: ErrorName }) => error
const itself = (error: ErrorName) => error

export class TransactionalClient {
  readonly #house: TransactionHouse
  readonly #options: ClientOptions
  readonly #history: TransactionStory[]
  readonly #random: Random
  #producer: ProducerNow = { producerId: -1, producerEpoch: -1 }
  #sequences = new Map<number, number>()
  /** An end that the network kept back. */
  #delayed: (() => Promise<unknown>) | null = null

  constructor(house: TransactionHouse, options: ClientOptions, history: TransactionStory[]) {
    this.#house = house
    this.#options = options
    this.#history = history
    this.#random = seededRandom(options.seed)
  }

  /** Runs all its transactions. */
  async run(): Promise<void> {
    await this.#init()
    for (let number = 0; number < this.#options.transactions; number++) await this.#transaction(number)
  }

  async #init(): Promise<void> {
    const { transactionalId: id, version } = this.#options
    const ask = () => this.#house.init(id, { version, timeoutMs: TIMEOUT_MS })
    for (;;) {
      const producer = await patiently(this.#house, ask, errorOfReply)
      if (producer.error !== 'NONE') continue
      this.#became(producer)
      return
    }
  }

  #became(producer: ProducerNow): void {
    this.#producer = producer
    this.#sequences = new Map()
  }

  async #transaction(number: number): Promise<void> {
    const { name } = this.#options
    const first = this.#random.int(3)
    const partitions = [0, 1, 2].filter(partition => partition !== first || this.#random.int(2) === 0)
    const offset = this.#random.int(3) === 0 ? number + 1 : null
    const story: TransactionStory = { name, number, partitions, offset, outcome: 'aborted' }
    this.#history.push(story)
    const done = await this.#work(story)
    // What comes late comes in the middle of the next transaction.
    void this.#delayed?.().catch(() => {})
    this.#delayed = null
    if (done && this.#random.int(4) > 0) await this.#commit(story)
    else await this.#abort()
  }

  async #work(story: TransactionStory): Promise<boolean> {
    const { transactionalId: id, name, version } = this.#options
    const house = this.#house
    const producer = this.#producer
    if (version === 1) {
      const added = await patiently(house, () => house.add(id, producer, story.partitions), itself)
      if (added !== 'NONE') return false
    }
    for (const partition of story.partitions) {
      const baseSequence = this.#sequences.get(partition) ?? 0
      const batch = { partition, baseSequence, value: textOf(story) }
      const produced = await patiently(house, () => house.produce(id, producer, batch, version), itself)
      if (produced !== 'NONE') return false
      this.#sequences.set(partition, baseSequence + 1)
    }
    const { offset } = story
    if (offset === null) return true
    return (
      (await patiently(house, () => house.commitOffset(id, producer, offset, { version, groupId: name }), itself)) ===
      'NONE'
    )
  }

  async #commit(story: TransactionStory): Promise<void> {
    story.outcome = 'unknown'
    const ended = await this.#end(true)
    if (ended.error === 'NONE') story.outcome = 'committed'
    await this.#goOn(ended)
  }

  async #abort(): Promise<void> {
    const ended = await this.#end(false)
    // Before KIP-890 nobody knows which sequences were taken: only a new epoch makes that certain.
    await (this.#options.version === 1 ? this.#init() : this.#goOn(ended))
  }

  #end(committed: boolean) {
    const { transactionalId: id, version } = this.#options
    const producer = this.#producer
    const ask = () => this.#house.end(id, producer, committed, version)
    if (version === 2 && this.#random.int(3) === 0) {
      const late = this.#random.int(2) === 0
      this.#delayed = () => this.#house.end(id, producer, late, version)
    }
    return patiently(this.#house, ask, errorOfReply)
  }

  async #goOn(ended: ProducerNow & { error: ErrorName }): Promise<void> {
    if (ended.error !== 'NONE') await this.#init()
    else if (this.#options.version === 2) this.#became(ended)
  }
}
