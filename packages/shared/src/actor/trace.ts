// The one trace event of the house (DESIGN 12): every transition of every machine, off by default.

/**
 * One transition. `t` is monotonic milliseconds of the actor's host; `kind` and `actor` are its kind and name; `machine` is the machine's id, under which
 * it is documented; `effects` are names.
 */
export interface TraceEvent {
  readonly t: number
  readonly kind: string
  readonly actor: string
  readonly machine: string
  /** Which one, where an actor has many: a group, a transactional id, a partition, another actor. */
  readonly subject?: string
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
