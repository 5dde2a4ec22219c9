// The one list of what will happen in a simulated world, ordered by virtual time; events of one time happen in the order in which
// they were scheduled. A binary heap in three parallel arrays.

export interface Scheduled {
  at: number
  readonly order: number
  /** Null when it was cancelled. */
  run: (() => void) | null
  /** Lane that it happens on; -1: the world itself. */
  readonly lane: number
  /** True for timers: a world that waits only for timers is idle. */
  readonly isTimer: boolean
}

export class Schedule {
  readonly #heap: Scheduled[] = []
  #order = 0
  #pending = 0

  /** Events that are not timers and have not happened. */
  get pending(): number {
    return this.#pending
  }

  get isEmpty(): boolean {
    return this.#heap.length === 0
  }

  add(at: number, lane: number, isTimer: boolean, run: () => void): Scheduled {
    const event = { at, order: this.#order++, run, lane, isTimer }
    this.#insert(event)
    return event
  }

  /**
   * Puts an event that was taken back, for later; it can still be cancelled by whoever scheduled it. It keeps its order among events that are
   * postponed to the same moment, also when some were postponed before.
   */
  postpone(event: Scheduled, at: number): void {
    event.at = at
    this.#insert(event)
  }

  #insert(event: Scheduled): void {
    if (!event.isTimer) this.#pending++
    const heap = this.#heap
    heap.push(event)
    let child = heap.length - 1
    while (child > 0) {
      const parent = (child - 1) >> 1
      if (!isBefore(event, heap[parent]!)) break
      heap[child] = heap[parent]!
      child = parent
    }
    heap[child] = event
  }

  /** The next event that was not cancelled. */
  peek(): Scheduled | undefined {
    while (this.#heap.length > 0 && this.#heap[0]!.run === null) this.#removeFirst()
    return this.#heap[0]
  }

  take(): Scheduled | undefined {
    const next = this.peek()
    if (next !== undefined) this.#removeFirst()
    return next
  }

  #removeFirst(): void {
    const heap = this.#heap
    const first = heap[0]!
    if (!first.isTimer) this.#pending--
    const last = heap.pop()!
    if (heap.length === 0) return
    let parent = 0
    for (;;) {
      let child = parent * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[parent] = heap[child]!
      parent = child
    }
    heap[parent] = last
  }
}

function isBefore(a: Scheduled, b: Scheduled): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
