// The thread host: runs actors on worker threads. It lives in the embedding thread, alone starts and ends threads, decides which
// actor goes where, and hands two threads the ends of a channel; from then on they talk without it. The embedding thread is itself
// lane 0: it links like any other, and runs actors only with `threads: 0` or when asked to (`lane: 0`).
import { availableParallelism } from 'node:os'
import { MessageChannel, type MessagePort, threadId } from 'node:worker_threads'
import { type Clock, systemClock } from '../base/clock.ts'
import { limits as defaultLimits, type Limits } from '../base/limits.ts'
import { type Random, seededRandom, systemRandom } from '../base/random.ts'
import type { ActorModule, Address, Link, Log, Spawned, SpawnOptions } from './actor.ts'
import type { ActorHost } from './actor-host.ts'
import type { LogLine } from './actor-report.ts'
import type { Contract } from './contract.ts'
import { ControlPort, type LaneOrders, type SystemCalls } from './control-port.ts'
import { newGateWord, threadGate, watchGateAtExit } from './gate.ts'
import type { HostedLane } from './hosted-lane.ts'
import type { DoorGreeting } from './join-system.ts'
import { Lane } from './lane.ts'
import { LoopChannel } from './loop-channel.ts'
import { mayBusyPoll, threadBudget } from './placement.rules.ts'
import { PortChannel } from './port-channel.ts'
import {
  type ActorListing,
  type LaneHandle,
  type PlacementChoice,
  type Supervised,
  SystemCore,
  spawnedOf,
} from './system-core.ts'
import { type LaneStartup, loadActor, threadHost } from './thread-lane.ts'
import { openLane } from './thread-pool.ts'
import type { TraceEvent } from './trace.ts'
import { TraceHub } from './trace-hub.ts'
import { type TraceFilter, TraceRing } from './trace-ring.ts'

/** `off`: nobody; `threads`: the system's threads; `all`: the thread that embeds the system, and those that join it, as well. */
export type BusyPoll = 'off' | 'threads' | 'all'

export interface ActorSystemOptions {
  /** Shown in lists and logs; default `odradek`. */
  readonly name?: string
  /**
   * Threads that actors may be spread over. 'auto' (default): one per actor, up to one per core besides the caller's (see placement.rules). 0: everything
   * runs in the embedding thread. Threads start when first needed.
   */
  readonly threads?: number | 'auto'
  /**
   * Asked for every actor that would get a thread by itself: those given the same name share a thread that takes no others. Undefined (default): a thread
   * of its own while there are. A name for which no thread is left is as undefined.
   */
  readonly placement?: PlacementChoice
  /** Who looks for what comes for a moment before he sleeps, where that has paid lately (see lookout). Default: `threads` while each, and the caller's, can have a core. */
  readonly busyPoll?: BusyPoll | undefined
  /** Keeps the process alive while actors run, as an open server does; default true. See also `ref` and `unref`. */
  readonly keepAlive?: boolean
  /** pino-shaped; default: silent. */
  readonly logger?: Log
  /** Lines below this level never leave their thread; default `info`. */
  readonly logLevel?: LogLine['level']
  /** For repeatable ids and backoffs; default: the platform's randomness. */
  readonly seed?: number
  readonly limits?: Partial<Limits>
}

/** Starts no thread yet: they start when actors need them. */
export function createActorSystem(options: ActorSystemOptions = {}): ActorSystem {
  return new ActorSystem(options)
}

export class ActorSystem implements ActorHost {
  readonly name: string
  readonly clock: Clock = systemClock
  readonly random: Random
  readonly #options: ActorSystemOptions
  readonly #limits: Limits
  readonly #threadBudget: number
  readonly #busyPoll: BusyPoll
  readonly #core: SystemCore
  readonly #threads = new Map<number, HostedLane>()
  /** Threads that joined by a door. */
  readonly #joined = new Map<number, JoinedLane>()
  readonly #own: Lane
  readonly #ring: TraceRing
  readonly #traces: TraceHub
  /** One word, shared with threads that join: 1 once the system is ending. */
  readonly #ending = new Int32Array(new SharedArrayBuffer(4))
  #keepAlive: boolean
  #alive: NodeJS.Timeout | null = null
  #closing: Promise<void> | null = null

  constructor(options: ActorSystemOptions) {
    this.#options = options
    this.name = options.name ?? 'odradek'
    this.random = options.seed === undefined ? systemRandom() : seededRandom(options.seed)
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#keepAlive = options.keepAlive ?? true
    this.#traces = new TraceHub(filters => this.#watch(filters))
    this.#ring = new TraceRing(this.#limits.traceEventsMax, () => {
      this.clock.after(this.#limits.reportDelayMs, () => this.#traces.publish(this.#ring.take()))
    })
    const { threads = 'auto' } = options
    const cores = availableParallelism()
    this.#threadBudget = threads === 'auto' ? threadBudget(cores) : threads
    this.#busyPoll = options.busyPoll ?? (mayBusyPoll(this.#threadBudget, cores) ? 'threads' : 'off')
    this.#core = new SystemCore({
      system: this.name,
      clock: this.clock,
      random: this.random.fork(),
      trace: this.#ring.of({ kind: 'system', name: this.name }, this.clock),
      threads: this.#threadBudget,
      placement: options.placement ?? (() => undefined),
      restarts: this.#limits,
      openLane: lane => this.#openLane(lane),
      lane: lane => this.#laneHandle(lane),
      changed: () => this.#keepProcess(),
      failed: reason =>
        queueMicrotask(() => {
          throw reason
        }),
    })
    this.#own = this.#ownLane()
  }

  // --- for the application ------------------------------------------------------------------------------------------------------

  async spawn<C extends Contract, Input>(
    module: ActorModule<C, Input>,
    input: Input,
    options: SpawnOptions,
  ): Promise<Spawned<C>> {
    const request = { module: { kind: module.contract.kind, url: module.url }, input, options }
    return spawnedOf(await this.#core.spawn(null, 0, request)) as Spawned<C>
  }

  link<C extends Contract>(contract: C, address: Address<C>): Link<C> {
    return this.#own.link(contract, address)
  }

  /** Every actor, what its lane says of it, and how its links stand. A lane that does not answer in time is `Unresponsive`. */
  actors(): Promise<ActorListing[]> {
    return this.#core.list()
  }

  /** Turns tracing on for what the filter wants; returns what turns it off. Events come in batches, in order per actor. */
  trace(filter: TraceFilter, listener: (event: TraceEvent) => void): () => void {
    return this.#traces.watch(filter, listener)
  }

  /** Trace events lost so far because they came faster than they were taken. */
  get tracesDropped(): number {
    return this.#traces.dropped
  }

  /**
   * A port to give to another thread of the application (by `workerData` or `postMessage`, in the transfer list): with
   * `joinSystem(port)` it spawns and links there, and then talks to actors without passing this thread.
   */
  door(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    const joined = new JoinedLane(
      { startup: this.#startupOf(this.#core.reserveLane(), true), ending: this.#ending },
      port1,
      lane => this.#callsOf(lane),
    )
    this.#joined.set(joined.lane, joined)
    joined.control.tell('watch', this.#traces.filters)
    joined.control.onClose = () => {
      this.#joined.delete(joined.lane)
      joined.unwatchGate()
      this.#core.laneLeft(joined.lane)
    }
    return port2
  }

  /** Ends the thread of a lane as if it had died, with all that runs on it, also of other systems; supervisors restart it. For study and tests. */
  async killLane(lane: number, reason = 'killed'): Promise<void> {
    await this.#threads.get(lane)?.terminate(reason)
  }

  /** Ends one actor as if it had thrown. For study and tests. */
  async kill(actor: Address, reason = 'killed'): Promise<void> {
    await this.#core.find(actor.actor)?.kill(reason)
  }

  /**
   * Holds one actor up: messages to it, its timers and its deferred work wait until `resume`, or until it is closed. What it awaits itself goes on, and its
   * thread serves other actors. An incarnation that is started meanwhile is not paused. For study and tests.
   */
  async pause(actor: Address): Promise<void> {
    await this.#core.find(actor.actor)?.pause(true)
  }

  /** Lets a paused actor handle what waited, in its order. */
  async resume(actor: Address): Promise<void> {
    await this.#core.find(actor.actor)?.pause(false)
  }

  /** Lets the process end although actors run. */
  unref(): this {
    this.#keepAlive = false
    this.#keepProcess()
    return this
  }

  /** Keeps the process alive while actors run. */
  ref(): this {
    this.#keepAlive = true
    this.#keepProcess()
    return this
  }

  /** Threads that joined know from now on that what ends here ends for good. Who ends some actors before `close` calls this before them. */
  announceEnd(): void {
    Atomics.store(this.#ending, 0, 1)
  }

  /** Ends all actors in order, then the threads. Idempotent. */
  close(): Promise<void> {
    this.announceEnd()
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    // Whoever awaits the end must see it, also when actors do not keep the process alive.
    const alive = setInterval(() => {}, 2 ** 31 - 1)
    await this.#core.close()
    await Promise.all([...this.#threads.values()].map(lane => lane.leave()))
    for (const joined of this.#joined.values()) joined.control.tell('leave', null)
    this.#own.close('the system has closed')
    clearInterval(alive)
  }

  #keepProcess(): void {
    const wanted = this.#keepAlive && !this.#core.isEmpty
    if (wanted && this.#alive === null) this.#alive = setInterval(() => {}, 2 ** 31 - 1)
    if (!wanted && this.#alive !== null) {
      clearInterval(this.#alive)
      this.#alive = null
    }
  }

  // --- lanes --------------------------------------------------------------------------------------------------------------------

  #startupOf(lane: number, isCallers = lane === 0): LaneStartup {
    const looks = isCallers ? this.#busyPoll === 'all' : this.#busyPoll !== 'off'
    const { lookMicros, callerLookMicros } = this.#limits
    return {
      system: this.name,
      lane,
      seed: this.random.int(2 ** 32),
      limits: this.#limits,
      lookMicros: looks ? (isCallers ? callerLookMicros : lookMicros) : 0,
      logLevel: this.#options.logger === undefined ? null : (this.#options.logLevel ?? 'info'),
    }
  }

  /** The embedding thread's lane. Its gate is never shut: nobody ends this thread. */
  #ownLane(): Lane {
    const lane = new Lane({
      ...threadHost(this.#startupOf(0), threadGate(newGateWord())),
      loopDelay: null,
      trace: this.#ring,
      uplink: {
        spawn: async (parent, module, input, options) =>
          spawnedOf(await this.#core.spawn(parent, 0, { module, input, options })),
        died: (actor, incarnation, reason) => this.#core.died(actor, incarnation, reason),
        log: (lines, dropped) => this.#log(lines, dropped),
      },
      connect: to => {
        if (to === 0) {
          const [near, far] = LoopChannel.pair()
          lane.accept(0, far, false)
          return { channel: near, leavesThread: false }
        }
        const { port1, port2 } = new MessageChannel()
        this.#connect(0, to, port2)
        return { channel: new PortChannel(port1), leavesThread: true }
      },
    })
    return lane
  }

  #laneHandle(lane: number): LaneHandle | null {
    if (lane === 0) return this.#ownHandle
    return this.#threads.get(lane) ?? this.#joined.get(lane) ?? null
  }

  readonly #ownHandle: LaneHandle = {
    lane: 0,
    thread: threadId,
    start: async ({ self, module, input }) => this.#own.start(await loadActor(module), self, input),
    close: actor => this.#own.closeActor(actor),
    kill: async (actor, reason) => this.#own.kill(actor, reason),
    pause: async (actor, isPaused) => this.#own.pause(actor, isPaused),
    reports: async () => this.#own.reports(),
  }

  #openLane(lane: number): LaneHandle | null {
    const open = this.#laneHandle(lane)
    if (open !== null || !this.#core.mayOpen(lane)) return open
    const hosted = openLane(
      {
        startup: this.#startupOf(lane),
        clock: this.clock,
        calls: this.#callsOf(lane),
        onEnd: reason => {
          this.#threads.delete(lane)
          this.#core.laneDied(lane, reason)
        },
      },
      { siblings: new Set(this.#threads.values()), budget: this.#core.host.threads },
    )
    this.#threads.set(lane, hosted)
    if (this.#traces.filters.length > 0) hosted.control.tell('watch', this.#traces.filters)
    return hosted
  }

  /** What the lane of that number may ask of the system. */
  #callsOf(lane: number): Omit<SystemCalls, 'ready'> {
    return {
      spawn: async ({ parent, ...request }) => {
        const actor = await this.#core.spawn(parent, lane, request)
        actor.onChange((address, reason) => this.#tellSpawner(lane, actor, address, reason))
        return actor.address
      },
      closeSpawned: async actor => this.#core.find(actor)?.close(),
      killSpawned: async ({ actor, reason }) => this.#core.find(actor)?.kill(reason),
      connect: order => this.#connect(lane, order.lane, order.port),
      died: ({ actor, incarnation, reason }) => this.#core.died(actor, incarnation, reason),
      log: ({ lines, dropped }) => this.#log(lines, dropped),
      trace: batch => this.#traces.publish(batch),
    }
  }

  #tellSpawner(lane: number, child: Supervised, address: Address | null, reason: string): void {
    this.#controlOf(lane)?.tell('changed', { child: child.id, address, reason })
  }

  #controlOf(lane: number): ControlPort<SystemCalls, LaneOrders> | undefined {
    return this.#threads.get(lane)?.control ?? this.#joined.get(lane)?.control
  }

  /** Hands the far end of a channel to a lane; when there is none, the near end sees it close. */
  #connect(from: number, to: number, port: MessagePort): void {
    if (to === 0) {
      this.#own.accept(from, new PortChannel(port), true)
      return
    }
    // A dying thread's control port closes before the thread is known to have ended.
    const isTold = this.#controlOf(to)?.tell('accept', { lane: from, port }, [port]) ?? false
    if (!isTold) port.close()
  }

  // --- logs and traces ------------------------------------------------------------------------------------------------------------

  #log(lines: readonly LogLine[], dropped: number): void {
    const { logger } = this.#options
    if (logger === undefined) return
    for (const { level, fields, message } of lines) logger[level](fields, message)
    if (dropped > 0) logger.warn({ dropped }, 'log lines were dropped: they came faster than they were taken')
  }

  #watch(filters: readonly TraceFilter[]): void {
    this.#ring.watch(filters)
    for (const { control } of [...this.#threads.values(), ...this.#joined.values()]) control.tell('watch', filters)
  }
}

/** A thread of the application that joined by a door, seen from the embedding thread. */
class JoinedLane implements LaneHandle {
  readonly lane: number
  readonly thread = -1
  readonly control: ControlPort<SystemCalls, LaneOrders>
  readonly unwatchGate: () => void

  constructor(
    greeting: Omit<DoorGreeting, 'gate'>,
    port: MessagePort,
    calls: (lane: number) => Omit<SystemCalls, 'ready'>,
  ) {
    const { startup } = greeting
    this.lane = startup.lane
    const gate = newGateWord()
    this.unwatchGate = watchGateAtExit(gate, startup.limits.gateDeadlineMs)
    port.postMessage({ ...greeting, gate } satisfies DoorGreeting)
    this.control = new ControlPort<SystemCalls, LaneOrders>(port, { ...calls(startup.lane), ready: () => {} })
    this.control.unref()
  }

  start(order: Parameters<LaneOrders['start']>[0]): Promise<void> {
    return this.control.call('start', order)
  }

  close(actor: number): Promise<void> {
    return this.control.call('closeActor', actor)
  }

  async kill(actor: number, reason: string): Promise<void> {
    await this.control.call('kill', { actor, reason })
  }

  pause(actor: number, isPaused: boolean): Promise<void> {
    return this.control.call('pause', { actor, isPaused })
  }

  async reports() {
    return this.control.call('reports', null)
  }
}
