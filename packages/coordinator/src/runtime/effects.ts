// The closed list of what a decision may ask the world for (DESIGN 8). Handlers return these as data; the shard runner and
// the coordinator's hands carry them out. Nobody adds a kind without adding it here.
//
//   appendRecords  `Decision.records`: the only way to change durable state
//   reply          `Decision.reply`, or the effect below for an asker that was left waiting earlier
//   writeMarkers   the transaction coordinator's order to end a transaction at its partitions
//   armTimer       calls a handler later, by key; arming an armed key replaces it, or leaves it as it is when that is asked for
//   cancelTimer    forgets a key; harmless when nothing is armed
//   notify         news for whoever watches the coordinator
//
// When each happens: timers at once, when the decision is taken (a shard that has to reload forgets all timers, so none can
// outlive a decision that the log refused); everything that others can see, only after the records are committed.
import type { ShardTypes, WordsOf } from './shard.ts'

declare const brand: unique symbol
/** Names one asker that waits for its reply. {@link NO_TICKET} for timers and internal requests, which nobody waits for. */
export type Ticket = number & { readonly [brand]: 'Ticket' }
export const NO_TICKET = 0 as Ticket

/** Answers an asker whose own decision returned no reply. Ignored when it was answered or refused meanwhile. */
export type ReplyEffect<T extends ShardTypes> = {
  [N in WordsOf<T>]: { readonly kind: 'reply'; readonly ticket: Ticket; readonly reply: T['words'][N]['reply'] }
}[WordsOf<T>]

/** After `delayMs` (>= 0) the shard decides `name` with `request`, as if asked, with {@link NO_TICKET}. */
export type ArmTimerEffect<T extends ShardTypes> = {
  [N in WordsOf<T>]: {
    readonly kind: 'armTimer'
    readonly key: string
    readonly delayMs: number
    readonly name: N
    readonly request: T['words'][N]['request']
    /** A key that is armed stays as it is. */
    readonly unlessArmed?: true
  }
}[WordsOf<T>]

export interface CancelTimerEffect {
  readonly kind: 'cancelTimer'
  readonly key: string
}

export interface WriteMarkersEffect<T extends ShardTypes> {
  readonly kind: 'writeMarkers'
  readonly markers: T['markers']
}

export interface NotifyEffect<T extends ShardTypes> {
  readonly kind: 'notify'
  readonly notice: T['notice']
}

export type Effect<T extends ShardTypes> =
  | ReplyEffect<T>
  | ArmTimerEffect<T>
  | CancelTimerEffect
  | WriteMarkersEffect<T>
  | NotifyEffect<T>
