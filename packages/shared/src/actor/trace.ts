// The one trace event of the house (DESIGN 12): every transition of every machine, off by default.

/** One transition. `t` is monotonic milliseconds of the actor's host; `kind` and `actor` are its kind and name; `effects` are names. */
export interface TraceEvent {
  readonly t: number
  readonly kind: string
  readonly actor: string
  readonly machine: string
  readonly from: string
  readonly to: string
  readonly event: string
  readonly effects: readonly string[]
}

/** How an actor reports transitions. Check `on` before building an event. */
export interface TransitionTrace {
  readonly on: boolean
  transition(event: Omit<TraceEvent, 't' | 'kind' | 'actor'>): void
}
