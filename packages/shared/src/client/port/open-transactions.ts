// What a door knows of transactions at one leader, so that a transactional produce asks as little as it can: which producers have one
// open there, and for whom it is being asked right now, because later batches of a producer must not overtake earlier ones.
// Goes with the link: another incarnation of the leader may know less.
import type { Leader } from './leader-directory.ts'

export interface ProducerOfBatch {
  readonly producerId: number
  readonly producerEpoch: number
}

export class OpenTransactions {
  static readonly #byLink = new WeakMap<Leader['link'], OpenTransactions>()
  readonly #max: number
  /** Epochs by producer id, least recently opened first. */
  readonly #open = new Map<number, number>()
  readonly #asking = new Map<number, Promise<unknown>>()

  private constructor(max: number) {
    this.#max = max
  }

  /** Those at this leader; at most `max` are remembered, of the rest the leader is asked again. */
  static at({ link }: Leader, max: number): OpenTransactions {
    const known = OpenTransactions.#byLink.get(link) ?? new OpenTransactions(max)
    OpenTransactions.#byLink.set(link, known)
    return known
  }

  /**
   * With transaction.version 2 every end raises the epoch: a transaction that a batch of this epoch has opened at the leader is open, or the
   * append is refused for its epoch.
   */
  isOpen({ producerId, producerEpoch }: ProducerOfBatch): boolean {
    return this.#open.get(producerId) === producerEpoch && !this.#asking.has(producerId)
  }

  /** The leader has taken a transactional batch. */
  opened({ producerId, producerEpoch }: ProducerOfBatch): void {
    this.#open.delete(producerId)
    this.#open.set(producerId, producerEpoch)
    if (this.#open.size > this.#max) this.#open.delete(this.#open.keys().next().value!)
  }

  /** Asks after all that was asked earlier for the producer. */
  ask<R>({ producerId }: ProducerOfBatch, ask: () => Promise<R>): Promise<R> {
    const before = this.#asking.get(producerId)
    const asked = before === undefined ? ask() : before.then(ask, ask)
    this.#asking.set(producerId, asked)
    const done = () => {
      if (this.#asking.get(producerId) === asked) this.#asking.delete(producerId)
    }
    asked.then(done, done)
    return asked
  }
}
