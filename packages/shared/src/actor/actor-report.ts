// What a lane tells about its actors, and what `actors()` shows of them. Plain data: crosses ports.
import type { ActorDescription, Address, LinkStats } from './actor.ts'
import type { LoopDelay } from './loop-delay.ts'

/** One actor, as its lane sees it. */
export interface ActorReport {
  readonly address: Address
  /** Of the actor's machine, or Starting, Closing, Ended. */
  readonly state: string
  readonly queues: NonNullable<ActorDescription['queues']>
  readonly detail: { readonly [key: string]: unknown }
  /** Last value of each metric that the actor reported. */
  readonly metrics: { readonly [metric: string]: number }
  /** How late the event loop of its thread is, the same for all actors there; null where it is not measured: in the embedding thread and in simulations. */
  readonly loop: LoopDelay | null
  /** Links that the actor opened. */
  readonly links: readonly ({ readonly to: string } & LinkStats)[]
  /** Links that others opened to it; the counts are those of news on their way to the peer. */
  readonly peers: readonly ({ readonly from: string } & LinkStats)[]
}

/** One line of a log, on its way to the host's logger. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: object
  readonly message: string
}
