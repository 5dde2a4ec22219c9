// Who watches which transitions, in the embedding thread: lanes collect what any watcher wants, each watcher gets what it asked for.
import type { TraceEvent } from './trace.ts'
import { filterWants, type TraceBatch, type TraceFilter } from './trace-ring.ts'

interface Watcher {
  readonly filter: TraceFilter
  readonly listener: (event: TraceEvent) => void
}

export class TraceHub {
  readonly #watchers = new Set<Watcher>()
  readonly #onFilters: (filters: readonly TraceFilter[]) => void
  #dropped = 0

  /** `onFilters` passes to the lanes what is wanted from now on. */
  constructor(onFilters: (filters: readonly TraceFilter[]) => void) {
    this.#onFilters = onFilters
  }

  get filters(): readonly TraceFilter[] {
    return [...this.#watchers].map(({ filter }) => filter)
  }

  get dropped(): number {
    return this.#dropped
  }

  watch(filter: TraceFilter, listener: (event: TraceEvent) => void): () => void {
    const watcher = { filter, listener }
    this.#watchers.add(watcher)
    this.#onFilters(this.filters)
    return () => {
      if (this.#watchers.delete(watcher)) this.#onFilters(this.filters)
    }
  }

  publish({ events, dropped }: TraceBatch): void {
    this.#dropped += dropped
    for (const event of events) {
      for (const { filter, listener } of this.#watchers) if (filterWants(filter, event)) listener(event)
    }
  }
}
