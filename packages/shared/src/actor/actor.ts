// What an actor is and all it may reach. An actor is a module that exports `actor = defineActor(...)`; a host (thread host or
// simulated host) starts it with a context. Nothing here runs anything: hosts do.
import type { Clock } from '../base/clock.ts'
import type { Limits } from '../base/limits.ts'
import type { Random } from '../base/random.ts'
import { builtUrl } from './built-url.ts'
import type { Contract, MessageOf, RequestOf, ResponseOf } from './contract.ts'
import type { TransitionTrace } from './trace.ts'

/** Where an actor runs; plain data, crosses ports. `incarnation` grows when a supervisor restarts it. */
export interface Address<C extends Contract = Contract> {
  readonly system: string
  readonly actor: number
  readonly lane: number
  readonly kind: C['kind']
  readonly name: string
  readonly incarnation: number
}

/** In place of an incarnation: whichever runs now. */
export const LATEST_INCARNATION = -1

/** The address of whichever incarnation runs when a link is opened; for those who outlive the actor's restarts. */
export function latest<C extends Contract>(address: Address<C>): Address<C> {
  return { ...address, incarnation: LATEST_INCARNATION }
}

export interface AskOptions {
  /** Milliseconds until the ask fails with DEADLINE; default: the contract's. */
  readonly deadlineMs?: number
  /** Gives the ask up with ABORTED. */
  readonly signal?: AbortSignal
}

/** Counts of one link, for `actors()` and tests. High-water marks are since the link opened. */
export interface LinkStats {
  readonly inFlightMessages: number
  readonly inFlightBytes: number
  readonly queuedMessages: number
  readonly inFlightMessagesHigh: number
  readonly inFlightBytesHigh: number
  readonly queuedMessagesHigh: number
  /** News that arrived while nobody listened for it. */
  readonly newsUnheard: number
}

/**
 * One end of a conversation with an actor, as the asker holds it. Messages arrive in the order they were sent. Sends beyond the
 * credits (`limits.linkMessagesMax`, `linkBytesMax`) wait in a bounded queue; beyond that, asks reject with LINK_FULL and
 * `tell` returns false.
 */
export interface Link<C extends Contract = Contract> {
  readonly address: Address<C>
  /** Rejects with a PortError; never throws synchronously. Byte arrays given away in a large message are gone (transferred). */
  ask<N extends keyof C['asks'] & string>(
    name: N,
    request: RequestOf<C['asks'][N]>,
    options?: AskOptions,
  ): Promise<ResponseOf<C['asks'][N]>>
  /** False when it was refused: the link is closed or its queue full. */
  tell<N extends keyof C['tells'] & string>(name: N, message: MessageOf<C['tells'][N]>): boolean
  /** Listens to news. One listener per name; a second replaces the first. */
  on<N extends keyof C['news'] & string>(name: N, listener: (message: MessageOf<C['news'][N]>) => void): void
  /** Resolves (never rejects) with the reason when the link has ended: closed here, or the peer's actor or thread ended. */
  readonly closed: Promise<string>
  readonly isClosed: boolean
  /** True when no credit is left: a producer of work may wait for {@link writable}. */
  readonly isFull: boolean
  /** Resolves when there is credit again, or the link closed. */
  writable(): Promise<void>
  close(reason?: string): void
  stats(): LinkStats
}

/** The other end: a peer that holds a link to this actor. */
export interface Peer<C extends Contract = Contract> {
  /** Unique within the actor. */
  readonly id: number
  /** The asker's name, for logs. */
  readonly name: string
  /** The asker runs on this actor's thread: an answer may lend it a buffer (`lent-buffers`). */
  readonly sharesThread: boolean
  /** Tells the peer news. False when the link is closed or its queue full, which ends the link if the news are vital; nothing is queued without bound. */
  news<N extends keyof C['news'] & string>(name: N, message: MessageOf<C['news'][N]>): boolean
  readonly isClosed: boolean
}

/** What `describe` shows of an actor in `broker.actors()`. */
export interface ActorDescription {
  /** The machine's state, such as `Leading` or `Leading.writable`. */
  readonly state: string
  /** Named queues and maps: how full, how full ever, and their bound. */
  readonly queues?: readonly {
    readonly name: string
    readonly size: number
    readonly high: number
    readonly max: number
  }[]
  /** Small plain data of the actor's choice. */
  readonly detail?: { readonly [key: string]: unknown }
}

/**
 * What `start` returns: one handler per word of the contract; a missing or an extra one does not compile.
 * A handler that throws (or rejects) with a PortError answers that error; with anything else the actor dies.
 */
export interface Handlers<C extends Contract> {
  readonly ask: {
    readonly [N in keyof C['asks'] & string]: (
      request: RequestOf<C['asks'][N]>,
      peer: Peer<C>,
    ) => ResponseOf<C['asks'][N]> | Promise<ResponseOf<C['asks'][N]>>
  }
  readonly tell: {
    readonly [N in keyof C['tells'] & string]: (message: MessageOf<C['tells'][N]>, peer: Peer<C>) => void
  }
  /** A peer opened a link. */
  opened?(peer: Peer<C>): void
  /** A peer's link ended, for whatever reason; its parked requests need no answer any more. */
  closed?(peer: Peer<C>): void
  /** Orderly end: finish, flush, release. The host gives it `limits.closeDeadlineMs`. No handler runs after it resolved. */
  close(): void | Promise<void>
  describe?(): ActorDescription
}

/** pino-shaped; lines go to the host's logger in batches. Never log record keys or values, nor secrets. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/**
 * The word that keeps a thread from being ended inside an LMDB call (STACK 2). `run` must be synchronous: what runs inside
 * completes before the thread can be terminated. Re-entrant. Throws when the actor has ended, so that code which was still
 * waiting when its actor was killed cannot write beside the next incarnation: write whatever outlives you inside the gate.
 */
export interface Gate {
  run<T>(section: () => T): T
}

/**
 * Things that outlive an actor but not the place where it runs: its lane's thread, or in the simulated host the machine's disk.
 * Used for memory logs, thread-wide caches and pools.
 */
export interface Resources {
  /** The resource of that key, created at first use. */
  get<T>(key: string, create: () => T): T
  delete(key: string): void
}

export interface SpawnOptions {
  /** Shown in lists and logs, such as `orders-3`. Unique per kind, not enforced. */
  readonly name: string
  /**
   * `own` (default): a thread of its own while the system's budget lasts, else the least loaded lane;
   * `self`: the spawner's lane; a number: that lane, such as that of another actor's address.
   */
  readonly lane?: 'own' | 'self' | number
  /** With `own`: the lane of an actor that it speaks with most, such as that of its address; taken unless the system's `placement` names another. */
  readonly near?: number
  /** What the supervisor does when the actor dies; default `restart` (with backoff, same name and input, next incarnation). */
  readonly onDeath?: 'restart' | 'stop'
}

/** An actor as its spawner holds it. */
export interface Spawned<C extends Contract = Contract> {
  /** Of the running or the latest incarnation. */
  readonly address: Address<C>
  /** Called with every new address after a restart, and with null when the actor has ended for good. */
  onChange(listener: (address: Address<C> | null, reason: string) => void): void
  /** Orderly close; resolves when it has ended. Idempotent. */
  close(): Promise<void>
  /** Ends it without asking (study and tests): as if it had thrown. Resolves when its death was noticed. */
  kill(reason: string): Promise<void>
}

/** All that an actor can reach. No actor can tell which host gives it. */
export interface ActorContext {
  readonly self: Address
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Aborted when the actor is told to close, before `close` is called. */
  readonly signal: AbortSignal
  /**
   * Runs `release` once when the actor has ended, in whatever way: after `close`, or at its death (not when its thread died, which
   * frees everything anyway). For native things such as open environments. Synchronous; a throw is logged and ignored.
   */
  onEnd(release: () => void): void
  readonly limits: Limits
  readonly gate: Gate
  readonly resources: Resources
  /** Starts an actor; resolves when it is ready (its `start` returned), rejects with a PortError when it could not start. */
  spawn<C extends Contract, Input>(
    module: ActorModule<C, Input>,
    input: Input,
    options: SpawnOptions,
  ): Promise<Spawned<C>>
  /** Opens a link at once; what is sent before the peer is connected waits. If there is no such actor, it closes. */
  link<C extends Contract>(contract: C, address: Address<C>): Link<C>
  /** Runs `work` once, at the end of this event turn (after the messages that have already arrived): group commit. */
  defer(work: () => void): void
  /** A gauge or counter of this actor, readable through `actors()`; the last value per name is kept. */
  report(metric: string, value: number): void
  /** Transition tracing; a no-op behind one branch while nobody watches. */
  readonly trace: TransitionTrace
  /** Dies with this reason: the supervisor acts. For bugs found outside a handler. */
  fail(reason: unknown): void
}

export interface ActorDefinition<C extends Contract, Input> {
  readonly kind: C['kind']
  readonly contract: C
  start(context: ActorContext, input: Input): Handlers<C> | Promise<Handlers<C>>
}

/** Defines an actor; the module exports it as `actor`. `Input` must be structured-cloneable plain data. */
export function defineActor<C extends Contract, Input>(
  definition: ActorDefinition<C, Input>,
): ActorDefinition<C, Input> {
  return definition
}

/** A reference to an actor's module, loaded by the host on the lane where it will run. */
export interface ActorModule<C extends Contract, Input> {
  readonly contract: C
  /** URL of the built module (`.actor.js`), which exports `actor`. */
  readonly url: string
  /** Never set: carries the input's type. */
  readonly input?: Input
}

/**
 * Refers to an actor's module without loading it. `url` is `new URL('./x.actor.ts', import.meta.url)`: from sources (tests) it is
 * mapped to the built file, because worker threads run JavaScript.
 */
export function actorModule<C extends Contract, Input>(contract: C, url: URL): ActorModule<C, Input> {
  return { contract, url: builtUrl(url.href) }
}
