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

/** Whether the filter wants an event of that actor (and, when known, of that machine). */
export function filterWants(filter: TraceFilter, event: { kind: string; actor: string; machine?: string }): boolean {
  if (filter.kinds !== undefined && !filter.kinds.includes(event.kind)) return false
  if (filter.names !== undefined && !filter.names.includes(event.actor)) return false
  return filter.machines === undefined || event.machine === undefined || filter.machines.includes(event.machine)
}

export class TraceRing {
  readonly #max: number
  /** Called when the first event of a batch arrives; the owner takes the batch some time later. */
  readonly #onFirst: () => void
  #filters: readonly TraceFilter[] = []
  #ring: TraceEvent[] = []
  /** Position of the oldest event once the ring is full. */
  #oldest = 0
  #dropped = 0

  constructor(max: number, onFirst: () => void) {
    this.#max = max
    this.#onFirst = onFirst
  }

  /** Collects what any of these filters wants; none: stops. */
  watch(filters: readonly TraceFilter[]): void {
    this.#filters = filters
    if (filters.length > 0) return
    this.take()
    this.#dropped = 0
  }

  /** The trace as one actor holds it. */
  of(self: Pick<Address, 'kind' | 'name'>, clock: Clock): TransitionTrace {
    const ring = this
    const identity = { kind: self.kind, actor: self.name }
    return {
      get on() {
        return ring.#filters.length > 0 && ring.#wants(identity)
      },
      transition(event) {
        if (ring.#wants({ ...identity, machine: event.machine }))
          ring.#add({ t: clock.monotonic(), ...identity, ...event })
      },
    }
  }

  take(): TraceBatch {
    const events =
      this.#oldest === 0 ? this.#ring : [...this.#ring.slice(this.#oldest), ...this.#ring.slice(0, this.#oldest)]
    this.#ring = []
    this.#oldest = 0
    return { events, dropped: this.#dropped }
  }

  #wants(event: { kind: string; actor: string; machine?: string }): boolean {
    return this.#filters.some(filter => filterWants(filter, event))
  }

  #add(event: TraceEvent): void {
    if (this.#ring.length < this.#max) {
      this.#ring.push(event)
      if (this.#ring.length === 1) this.#onFirst()
      return
    }
    this.#ring[this.#oldest] = event
    this.#oldest = (this.#oldest + 1) % this.#max
    this.#dropped++
  }
}
