// What a coordinator writes to become a shard: its state, how records change it, and one handler per word. The shard runner
// does the rest: loading, batching, appending, replaying, answering (DESIGN 1.6: decide, append, become).
//
// Rules for authors:
// - Handlers are pure: they look at the state, never change it, and return a decision. They may be run again with the same
//   request after a reload, so they must not remember anything of their own.
// - `replay` alone changes durable state, in place, and depends on nothing but state, record and meta: loading after a crash is
//   the same `replay`. What is not logged (who waits for a rebalance, when a session ends) changes through `applySoft` alone,
//   and is gone after a reload.
// - The state runs ahead of the log by at most the appends in flight. Whatever a decision can have seen of that is committed
//   before its reply leaves. If an append fails, the whole state is dropped and loaded again: only the log knows.
import type { Random } from '@odradek/shared/base/random'
import type { Verification } from '@odradek/shared/contracts/partition-leader.contract'
import type { Effect, Ticket } from './effects.ts'
import type { Refusal } from './refusal.rules.ts'

/**
 * The types of one kind of shard, as one bundle. Write it as type aliases:
 * `type GroupShard = { state: Groups; record: GroupRecord; soft: GroupChange; words: {...}; notice: never; markers: never }`.
 */
export interface ShardTypes {
  /** Mutable; owned by the runner. */
  readonly state: object
  /** A decoded record: plain data, own memory (decoders copy what they keep of the bytes). */
  readonly record: object
  /** A change of what is not logged; `never` if there is none. */
  readonly soft: unknown
  /** What can be asked, by name; requests that come from timers and effects are words too. */
  readonly words: { readonly [name: string]: { readonly request: any; readonly reply: any } }
  /** What `notify` carries. */
  readonly notice: unknown
  /** What `writeMarkers` carries. */
  readonly markers: unknown
}

export type WordsOf<T extends ShardTypes> = keyof T['words'] & string

/** Where a record stands in the log; the same when it is decided and when it is loaded. */
export interface RecordMeta {
  readonly offset: number
  /** Milliseconds since 1970: the `now` of the decision. */
  readonly timestamp: number
  /** True for records of a transactional batch: to be staged until the end marker of their producer comes. */
  readonly transactional: boolean
  /** -1 unless transactional. */
  readonly producerId: number
  /** -1 unless transactional. */
  readonly producerEpoch: number
}

/** A transaction marker in the shard's own partition. */
export interface EndTransactionMarker {
  readonly producerId: number
  readonly producerEpoch: number
  readonly result: 'COMMIT' | 'ABORT'
}

/** What a handler sees besides state and request. */
export interface DecideContext {
  /** Milliseconds since 1970; also the timestamp of the decision's records. */
  readonly now: number
  readonly random: Random
  /** Of the asker: keep it in soft state to answer later with a `reply` effect. */
  readonly ticket: Ticket
}

/** Records go into a transactional batch of their own, under this producer. */
export interface TransactionalAppend {
  readonly producerId: number
  readonly producerEpoch: number
  /** From the leader, when it wants the transaction verified (KIP-890). */
  readonly verification?: Verification
}

/** What a handler decides. Everything may be left out. */
export interface Decision<T extends ShardTypes, Reply = unknown> {
  /** Appended together or not at all (one batch), then replayed in order. */
  readonly records?: readonly T['record'][]
  /**
   * The records may lie in several batches, of which a log that is cut holds the first ones: the state is sound after any of them. For
   * tombstones in any number, which one batch could not hold.
   */
  readonly divisible?: boolean
  /**
   * Nobody waits for the records to be committed: they go with the next append, or alone after `shardPatienceMs`. For what a load would
   * find out anyway; what is decided on top of them, or looks at them, is committed with them.
   */
  readonly isPatient?: boolean
  /**
   * Makes the records transactional. The leader may refuse such an append for reasons of its own (an old producer epoch), so
   * it is replayed only once it is committed, and other requests wait meanwhile.
   */
  readonly transaction?: TransactionalAppend
  /** Applied after the records, in order. */
  readonly soft?: readonly T['soft'][]
  /** Absent, and not in `after` either: the asker waits for a `reply` effect of a later decision. */
  readonly reply?: Reply
  readonly effects?: readonly Effect<T>[]
  /** Asked when the records do not fit one batch, before anything is applied: what is decided then. Absent: the asker is refused, and nothing happens. */
  readonly instead?: () => Decision<T, Reply>
  /** Called once, when records and soft changes are applied: reply and effects that speak of the state they make. */
  readonly after?: (state: T['state']) => Consequences<T, Reply>
}

/** What a decision adds to itself when it is applied; the effects come after those it had. */
export interface Consequences<T extends ShardTypes, Reply = unknown> {
  readonly reply?: Reply
  readonly effects?: readonly Effect<T>[]
}

/** A word that may change something. */
export interface WriteHandler<T extends ShardTypes, Request, Reply> {
  readonly kind: 'write'
  decide(state: T['state'], request: Request, context: DecideContext): Decision<T, Reply>
  /** The reply that says why it was not done (`refusal.errorCode` is Kafka's number), in the shape of this word. */
  refuse(request: Request, refusal: Refusal): Reply
}

/** A word that only looks. Its reply leaves when all that it can have seen is committed; after a reload it looks again. */
export interface ReadHandler<T extends ShardTypes, Request, Reply> {
  readonly kind: 'read'
  read(state: T['state'], request: Request, context: DecideContext): Reply
  refuse(request: Request, refusal: Refusal): Reply
}

export type HandlersOf<T extends ShardTypes> = {
  readonly [N in WordsOf<T>]:
    | WriteHandler<T, T['words'][N]['request'], T['words'][N]['reply']>
    | ReadHandler<T, T['words'][N]['request'], T['words'][N]['reply']>
}

/** Key and value of a stored record. A null value is a tombstone. */
export interface EncodedRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
}

export interface ShardDefinition<T extends ShardTypes> {
  /** Shown in states and logs, such as `group`. */
  readonly name: string
  /** A fresh, empty state. */
  initial(): T['state']
  /** Changes `state` as the record says. Must accept every record that this or an older version wrote. */
  replay(state: T['state'], record: T['record'], meta: RecordMeta): void
  /** Applies or drops what the producer staged. Required of shards that append transactionally. */
  replayEndTransactionMarker?(state: T['state'], marker: EndTransactionMarker): void
  /** Changes what is not logged. Required of shards that return `soft`. */
  applySoft?(state: T['state'], soft: T['soft']): void
  encodeRecord(record: T['record']): EncodedRecord
  /**
   * Null: a record of a kind that this version does not know; it is skipped, counted and kept in the log. The views end with the call.
   * Throws for bytes that are no record: loading then fails and says so.
   */
  decodeRecord(key: Uint8Array | null, value: Uint8Array | null): T['record'] | null
  /** Called after each load, before any request: arms timers, finishes what was owed. */
  onLoaded?(state: T['state'], context: DecideContext): Decision<T, never>
  readonly handlers: HandlersOf<T>
}

/** Declares a shard; an identity function that checks the types. `T` is given, the rest follows. */
export function defineShard<T extends ShardTypes>(definition: ShardDefinition<T>): ShardDefinition<T> {
  return definition
}

/** How a coordinator carries out what the runner cannot. Called only after the commit; must not throw. */
export interface ShardHands<T extends ShardTypes> {
  notify?(notice: T['notice']): void
  writeMarkers?(markers: T['markers']): void
}
