// Where a lane's transitions wait for whoever watches: off by default, bounded, the oldest dropped and counted.
import type { Clock } from '../base/clock.ts'
import type { Address } from './actor.ts'
import type { TraceEvent, TransitionTrace } from './trace.ts'

/** Which transitions are wanted; absent fields match everything. Plain data: crosses ports. */
export interface TraceFilter {
  /** Kinds of actors, such as `partition-leader`. */
  readonly kinds?: readonly string[]
  /** Names of actors, such as `orders-3`. */
  readonly names?: readonly string[]
  readonly machines?: readonly string[]
}

/** What was collected since the last batch. */
export interface TraceBatch {
  readonly events: readonly TraceEvent[]
  /** Events lost since tracing began because the ring was full. */
  readonly dropped: number
}

export class TraceRing {
  readonly #max: number
  /** Called when the first event of a batch arrives; the owner takes the batch some time later. */
  readonly #onFirst: () => void
  #filter: TraceFilter | null = null
  #events: TraceEvent[] = []
  #dropped = 0

  constructor(max: number, onFirst: () => void) {
    this.#max = max
    this.#onFirst = onFirst
  }

  /** Starts (or with null stops) collecting. */
  watch(filter: TraceFilter | null): void {
    this.#filter = filter
    if (filter === null) this.#events = []
    this.#dropped = 0
  }

  /** The trace as one actor holds it. `on` is one property read while nobody watches. */
  of(self: Address, clock: Clock): TransitionTrace {
    const ring = this
    return {
      get on() {
        return ring.#wants(self)
      },
      transition(event) {
        ring.#add(self, { t: clock.monotonic(), actor: self.name, ...event })
      },
    }
  }

  take(): TraceBatch {
    const events = this.#events
    this.#events = []
    return { events, dropped: this.#dropped }
  }

  #wants(self: Address): boolean {
    const filter = this.#filter
    if (filter === null) return false
    if (filter.kinds !== undefined && !filter.kinds.includes(self.kind)) return false
    return filter.names === undefined || filter.names.includes(self.name)
  }

  #add(self: Address, event: TraceEvent): void {
    if (!this.#wants(self)) return
    const { machines } = this.#filter!
    if (machines !== undefined && !machines.includes(event.machine)) return
    if (this.#events.length === 0) this.#onFirst()
    if (this.#events.length >= this.#max) {
      this.#events.shift()
      this.#dropped++
    }
    this.#events.push(event)
  }
}
