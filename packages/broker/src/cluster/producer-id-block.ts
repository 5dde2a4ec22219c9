// Producer ids for idempotent producers, taken from durable blocks (KIP-730): an id is handed out once, whatever crashes.

export interface ProducerIdRange {
  readonly firstProducerId: number
  readonly length: number
}

export class ProducerIdBlock {
  readonly #allocate: () => Promise<ProducerIdRange>
  #next = 0
  #end = 0
  #allocating: Promise<void> | null = null

  /** `allocate` asks the cluster coordinator for a block that nobody else gets. */
  constructor(allocate: () => Promise<ProducerIdRange>) {
    this.#allocate = allocate
  }

  /** A fresh id. Rejects as `allocate` does. */
  async next(): Promise<number> {
    while (this.#next === this.#end) {
      this.#allocating ??= this.#refill()
      await this.#allocating
    }
    return this.#next++
  }

  async #refill(): Promise<void> {
    try {
      const { firstProducerId, length } = await this.#allocate()
      this.#next = firstProducerId
      this.#end = firstProducerId + length
    } finally {
      this.#allocating = null
    }
  }
}
