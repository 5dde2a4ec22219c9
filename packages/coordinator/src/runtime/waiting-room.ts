// Where requests wait that meet a shard which cannot serve yet (DESIGN 1.10: park instead of refuse). In order of arrival, bounded
// in number and in time. Called by the shard runner only.
import type { Clock, Timer } from '@odradek/shared/base/clock'

/** What can wait. */
export interface Waiting {
  /** Monotonic milliseconds after which it is refused; Infinity for what came from a timer. Grows with the order of arrival, Infinity apart. */
  readonly deadline: number
}

export interface WaitingRoomOptions<E extends Waiting> {
  readonly clock: Clock
  readonly max: number
  /** Called for each entry whose time is over; it has left. */
  readonly expire: (entry: E) => void
}

export class WaitingRoom<E extends Waiting> {
  readonly max: number
  readonly #clock: Clock
  readonly #expire: (entry: E) => void
  #entries: E[] = []
  #first = 0
  #timer: Timer | null = null
  #high = 0

  constructor({ clock, max, expire }: WaitingRoomOptions<E>) {
    this.max = max
    this.#clock = clock
    this.#expire = expire
  }

  get size(): number {
    return this.#entries.length - this.#first
  }

  /** The most that ever waited. */
  get high(): number {
    return this.#high
  }

  /** The entry that has waited longest; it stays. */
  get first(): E | undefined {
    return this.#entries[this.#first]
  }

  *[Symbol.iterator](): Generator<E> {
    for (let at = this.#first; at < this.#entries.length; at++) yield this.#entries[at]!
  }

  /** False when the room is full. */
  enter(entry: E): boolean {
    if (this.size >= this.max) return false
    this.#entries.push(entry)
    this.#high = Math.max(this.#high, this.size)
    this.#watch()
    return true
  }

  /** Puts entries that had left back before all others, in their order; never refused: they had been counted before. */
  returnToFront(entries: readonly E[]): void {
    if (entries.length === 0) return
    this.#entries = [...entries, ...this.#entries.slice(this.#first)]
    this.#first = 0
    this.#high = Math.max(this.#high, this.size)
    this.#unwatch()
    this.#watch()
  }

  /** The entry that has waited longest. */
  leave(): E | undefined {
    const entry = this.first
    if (entry === undefined) return undefined
    this.#first++
    if (this.#first > 1_024 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first)
      this.#first = 0
    }
    if (this.size === 0) this.#unwatch()
    return entry
  }

  /** Takes out, and returns in order, all entries that `which` names. */
  remove(which: (entry: E) => boolean): E[] {
    const waiting = this.#entries.slice(this.#first)
    const removed = waiting.filter(which)
    this.#entries = waiting.filter(entry => !which(entry))
    this.#first = 0
    if (this.size === 0) this.#unwatch()
    return removed
  }

  #watch(): void {
    if (this.#timer !== null) return
    const earliest = this.#earliestDeadline()
    if (earliest === Number.POSITIVE_INFINITY) return
    this.#timer = this.#clock.after(Math.max(0, earliest - this.#clock.monotonic()), () => this.#expireDue())
  }

  #unwatch(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  #earliestDeadline(): number {
    let earliest = Number.POSITIVE_INFINITY
    for (let at = this.#first; at < this.#entries.length; at++) {
      earliest = Math.min(earliest, this.#entries[at]!.deadline)
      if (earliest !== Number.POSITIVE_INFINITY) break // later arrivals have later deadlines
    }
    return earliest
  }

  #expireDue(): void {
    this.#timer = null
    const now = this.#clock.monotonic()
    const due = this.remove(entry => entry.deadline <= now)
    if (this.size > 0) this.#watch()
    for (const entry of due) this.#expire(entry)
  }
}
