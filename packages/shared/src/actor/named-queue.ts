// A bounded first-in-first-out queue with a name, a count and a high-water mark: the only kind of queue in the house, so that
// every queue can be listed. It refuses when full; it never drops.

/** How full a queue is, ever was, and may be. */
export interface QueueStats {
  readonly name: string
  readonly size: number
  readonly high: number
  readonly max: number
}

export class NamedQueue<T> {
  readonly name: string
  readonly max: number
  #items: (T | undefined)[] = []
  #head = 0
  #high = 0

  constructor(name: string, max: number) {
    this.name = name
    this.max = max
  }

  get size(): number {
    return this.#items.length - this.#head
  }

  get high(): number {
    return this.#high
  }

  /** False when the queue is full; the item was not taken. */
  push(item: T): boolean {
    if (this.size >= this.max) return false
    this.#items.push(item)
    if (this.size > this.#high) this.#high = this.size
    return true
  }

  peek(): T | undefined {
    return this.#items[this.#head]
  }

  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head++] = undefined
    // Moving the rest down once half is empty keeps both ends cheap and the array small.
    if (this.#head === this.#items.length) {
      this.#items = []
      this.#head = 0
    } else if (this.#head >= 1_024 && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  /** Takes everything out. */
  clear(): T[] {
    const rest = this.#items.slice(this.#head) as T[]
    this.#items = []
    this.#head = 0
    return rest
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let at = this.#head; at < this.#items.length; at++) yield this.#items[at] as T
  }

  stats(): QueueStats {
    return { name: this.name, size: this.size, high: this.#high, max: this.max }
  }
}
