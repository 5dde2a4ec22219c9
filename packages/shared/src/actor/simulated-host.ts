// The simulated host: the same actor modules on one thread, under a virtual clock, from one seed. Every message array and every
// timer is an event of the world; the seed decides how long each message travels, so it decides every interleaving. Channels may
// delay, close, and lanes may pause or die at any message. Used by unit tests of all rooms and by the simulator.
//
// Between two events all microtasks and `process.nextTick` callbacks are run to the end (a tick that is queued from a microtask
// runs when no microtask is left), so promises inside actors resolve at the same virtual moment, always in the same order. Nothing
// outside of the world may be awaited by actors (files, sockets, zlib's callbacks): use synchronous calls. Loading a module by URL
// is the exception: the world stands still until it is loaded.
import { assert } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import { limits as defaultLimits, type Limits } from '../base/limits.ts'
import { loading, loadsInFlight } from '../base/loading.ts'
import { type Random, seededRandom } from '../base/random.ts'
import type { ActorDefinition, ActorModule, Address, Gate, Link, Resources, Spawned, SpawnOptions } from './actor.ts'
import type { LogLine } from './actor-report.ts'
import type { Contract } from './contract.ts'
import type { ModuleRef } from './control-port.ts'
import { Lane } from './lane.ts'
import { MemoryResources } from './memory-resources.ts'
import { type Crossing, type Faults, noFaults, SimulatedChannel } from './simulated-channel.ts'
import { Schedule, type Scheduled } from './simulated-schedule.ts'
import { type ActorListing, type LaneHandle, SystemCore, spawnedOf } from './system-core.ts'
import type { TraceEvent } from './trace.ts'
import { type TraceFilter, TraceRing } from './trace-ring.ts'

export interface SimulationOptions {
  /** Decides everything that is left to chance. */
  readonly seed: number
  /** Lanes that actors may be placed on; default 8. 0: all on lane 0, as with `threads: 0`. */
  readonly threads?: number
  /** What may go wrong; default nothing but varying delays. May be changed while the world runs. */
  readonly faults?: Partial<Faults>
  /** Wall clock at the start, ms since 1970; default 2024-01-01T00:00:00Z. */
  readonly startMs?: number
  /** Bounds to be tried smaller than in earnest. */
  readonly limits?: Partial<Limits>
  /** Gets every log line; default: dropped. */
  readonly log?: (line: LogLine) => void
  /** The machine's disk, when it was another world's before (a process that starts anew); default: an empty one. */
  readonly resources?: Resources
}

export interface RunOptions {
  /** Virtual milliseconds after which the run fails; default one hour. */
  readonly withinMs?: number
}

/** A module, or (in tests) an actor's definition itself. */
export type Spawnable<C extends Contract, Input> = ActorModule<C, Input> | ActorDefinition<C, Input>

const HOUR_MS = 3_600_000
/** A timer with a delay takes at least this long. */
const LEAST_WAIT_MS = 0.001
/** Events after which the real event loop gets a turn, so that a long run stays interruptible. */
const EVENTS_PER_REAL_TURN = 20_000

/** Makes a world. Drive it with `run`, `advance` or `settle`. */
export function simulate(options: SimulationOptions): SimulatedWorld {
  return new SimulatedWorld(options)
}

export class SimulatedWorld {
  readonly seed: number
  readonly random: Random
  readonly clock: Clock
  /** What survives the death of lanes: the machine's disk. */
  readonly resources: Resources
  /** What may go wrong from now on. */
  faults: Faults
  readonly #limits: Limits
  readonly #schedule = new Schedule()
  readonly #lanes = new Map<number, SimulatedLane>()
  readonly #definitions = new Map<string, ActorDefinition<any, any>>()
  readonly #core: SystemCore
  readonly #log: (line: LogLine) => void
  #startMs: number
  #turnsAsked: (() => void)[] = []
  #failure: unknown = null
  #nowMs = 0
  #deliveries = 0
  #fingerprint = 0x811c9dc5
  #watch: { filter: TraceFilter; listener: (event: TraceEvent) => void } | null = null

  constructor(options: SimulationOptions) {
    this.seed = options.seed
    this.random = seededRandom(options.seed)
    this.faults = { ...noFaults, ...options.faults }
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#log = options.log ?? (() => {})
    this.#startMs = options.startMs ?? Date.UTC(2024, 0, 1)
    this.resources = options.resources ?? new MemoryResources()
    this.clock = this.#clockOf(-1)
    this.#core = new SystemCore({
      system: `simulated-${options.seed}`,
      clock: this.clock,
      random: this.random.fork(),
      trace: { on: false, transition() {} },
      threads: options.threads ?? 8,
      placement: () => undefined,
      restarts: this.#limits,
      openLane: lane => this.#handle(this.#openLane(lane)),
      lane: lane => {
        const open = this.#lanes.get(lane)
        return open === undefined ? null : this.#handle(open)
      },
      changed: () => {},
      failed: reason => {
        this.#failure ??= reason
      },
    })
    this.#openLane(0)
  }

  // --- what tests say -----------------------------------------------------------------------------------------------------------

  /** Starts an actor as the application would. Await it inside `run`, or drive the world by `settle`. */
  async spawn<C extends Contract, Input>(
    what: Spawnable<C, Input>,
    input: Input,
    options: SpawnOptions,
  ): Promise<Spawned<C>> {
    const { contract, url } = 'start' in what ? this.#moduleOf(what) : what
    const module = { kind: contract.kind, url }
    return spawnedOf(await this.#core.spawn(null, 0, { module, input, options })) as Spawned<C>
  }

  /** A link from the application, which sits on lane 0. */
  link<C extends Contract>(contract: C, address: Address<C>): Link<C> {
    return this.#openLane(0).lane.link(contract, address)
  }

  /** Somebody sets the clock of the machine: the wall clock goes forward or back (negative), what is measured and every timer go on as they were. */
  jumpWallClock(byMs: number): void {
    this.#startMs += byMs
  }

  /** Uses this definition whenever that module is spawned, instead of loading it. */
  use<C extends Contract, Input>(module: ActorModule<C, Input>, definition: ActorDefinition<C, Input>): void {
    this.#definitions.set(module.url, definition)
  }

  /**
   * Drives the world until the promise settles; returns its value. Fails when nothing is left that could happen, or `withinMs`
   * virtual milliseconds have passed. Errors name the seed.
   */
  async run<T>(work: () => Promise<T>, { withinMs = HOUR_MS }: RunOptions = {}): Promise<T> {
    const until = this.#nowMs + withinMs
    let settled = false
    const result = work().finally(() => {
      settled = true
    })
    result.catch(() => {})
    await this.#drive(() => settled, until)
    if (!settled)
      throw this.#named(
        new Error(
          this.#schedule.isEmpty
            ? 'nothing is left to happen, and the work is not done'
            : `not done within ${withinMs} virtual ms`,
        ),
      )
    return result.catch(thrown => {
      throw this.#named(thrown)
    })
  }

  /** Lets this much virtual time pass, with all that happens in it. */
  async advance(ms: number): Promise<void> {
    const until = this.#nowMs + ms
    await this.#drive(() => false, until)
    this.#nowMs = until
  }

  /** Drives the world until no message is under way; timers stay armed, and time passes only as messages travel. */
  async settle(): Promise<void> {
    await this.#drive(() => this.#schedule.pending === 0, Number.POSITIVE_INFINITY)
  }

  /** Ends the actor as if it had thrown. */
  kill(actor: Address | Spawned, reason = 'killed by the world'): void {
    const { actor: id } = 'address' in actor ? actor.address : actor
    const supervised = this.#core.find(id)
    if (supervised !== undefined) this.#lanes.get(supervised.lane)?.lane.kill(id, reason)
  }

  /** Ends a lane with all its actors, as when its thread dies: nothing of theirs runs any more, their messages are lost. */
  killLane(lane: number, reason = 'its thread died'): void {
    const dying = this.#lanes.get(lane)
    if (dying === undefined) return
    assert(lane !== 0 || this.#core.host.threads === 0, 'the embedding thread cannot die alone')
    this.#lanes.delete(lane)
    dying.isDead = true
    dying.lane.perish(reason)
    for (const fail of dying.onDeath) fail()
    this.#core.laneDied(lane, reason)
  }

  /** Nothing happens on the lane for that long (virtual ms): what is due is done afterwards. */
  pause(lane: number, ms: number): void {
    const paused = this.#lanes.get(lane)
    if (paused !== undefined) paused.pausedUntil = Math.max(paused.pausedUntil, this.#nowMs + ms)
  }

  /** Every actor and what it says of itself. Drive the world for it: `run(() => world.actors())`. */
  actors(): Promise<ActorListing[]> {
    return this.#core.list()
  }

  /** Numbers of the lanes that run. */
  get lanes(): number[] {
    return [...this.#lanes.keys()]
  }

  /** Gets every transition from now on; null stops. */
  trace(filter: TraceFilter | null, listener: (event: TraceEvent) => void = () => {}): void {
    this.#watch = filter === null ? null : { filter, listener }
    for (const { ring } of this.#lanes.values()) ring.watch(filter === null ? [] : [filter])
  }

  /** Ends all actors in order. */
  close(): Promise<void> {
    return this.run(() => this.#core.close())
  }

  /** Virtual milliseconds since the world began. */
  get elapsedMs(): number {
    return this.#nowMs
  }

  /** Message arrays delivered so far. */
  get deliveries(): number {
    return this.#deliveries
  }

  /** A hash over every delivery and timer so far: equal seeds give equal fingerprints. */
  get fingerprint(): number {
    return this.#fingerprint >>> 0
  }

  // --- driving ------------------------------------------------------------------------------------------------------------------

  async #drive(isDone: () => boolean, until: number): Promise<void> {
    let sinceRealTurn = 0
    await drained()
    for (;;) {
      this.#runTurns()
      await drained()
      if (this.#failure !== null) throw this.#named(this.#failure)
      if (this.#turnsAsked.length > 0) continue
      if (isDone()) return
      if (loadsInFlight() > 0 || ++sinceRealTurn >= EVENTS_PER_REAL_TURN) {
        sinceRealTurn = 0
        await new Promise(resolve => setImmediate(resolve))
        continue
      }
      const next = this.#schedule.peek()
      if (next === undefined || next.at > until) return
      this.#schedule.take()
      this.#happen(next)
      // What arrives at one lane at nearly the same moment sometimes shares a turn, as arrays in a port do.
      if (next.lane > 0 && this.random.int(2) === 0) this.#deliverMore(next.lane)
    }
  }

  #deliverMore(lane: number): void {
    for (let more = 0; more < 8; more++) {
      const next = this.#schedule.peek()
      if (next === undefined || next.lane !== lane || next.isTimer || next.at > this.#nowMs + 0.1) return
      this.#schedule.take()
      this.#happen(next)
    }
  }

  #happen(event: Scheduled): void {
    if (event.at > this.#nowMs) this.#nowMs = event.at
    const paused = event.lane >= 0 ? (this.#lanes.get(event.lane)?.pausedUntil ?? 0) : 0
    if (paused > this.#nowMs) {
      this.#schedule.postpone(event, paused)
      return
    }
    this.#mix(event.lane)
    this.#mix(Math.floor(this.#nowMs * 1_000))
    event.run!()
  }

  #runTurns(): void {
    const turns = this.#turnsAsked
    this.#turnsAsked = []
    for (const turn of turns) turn()
  }

  #mix(value: number): void {
    this.#fingerprint = Math.imul(this.#fingerprint ^ (value | 0), 0x01000193)
  }

  #named(thrown: unknown): unknown {
    const where = `[simulated world: seed ${this.seed}, at ${this.#nowMs.toFixed(3)} ms]`
    if (!(thrown instanceof Error)) return new Error(`${String(thrown)} ${where}`)
    if (!thrown.message.includes('[simulated world:')) thrown.message += ` ${where}`
    return thrown
  }

  // --- lanes --------------------------------------------------------------------------------------------------------------------

  #openLane(number: number): SimulatedLane {
    const open = this.#lanes.get(number)
    if (open !== undefined) return open
    const simulated = new SimulatedLane(number)
    const ring = new TraceRing(this.#limits.traceEventsMax, () => this.#turnsAsked.push(() => this.#sendTrace(ring)))
    simulated.ring = ring
    if (this.#watch !== null) ring.watch([this.#watch.filter])
    simulated.lane = new Lane({
      system: this.#core?.host.system ?? `simulated-${this.seed}`,
      lane: number,
      clock: this.#clockOf(number),
      random: this.random.fork(),
      limits: this.#limits,
      gate: openGate,
      resources: this.resources,
      trace: ring,
      uplink: {
        spawn: async (parent, module, input, options) =>
          spawnedOf(
            await this.#afterAMoment(simulated, () => this.#core.spawn(parent, number, { module, input, options })),
          ),
        died: (actor, incarnation, reason) =>
          this.#schedule.add(this.#nowMs, -1, false, () => this.#core.died(actor, incarnation, reason)),
        log: lines => lines.forEach(this.#log),
      },
      soon: turn => this.#turnsAsked.push(turn),
      goOn: null,
      lookout: null,
      connect: to => this.#connect(simulated, to),
      channelPerLink: true,
      copiesMessages: true,
      loopDelay: null,
      logLevel: 'debug',
    })
    this.#lanes.set(number, simulated)
    return simulated
  }

  #connect(from: SimulatedLane, to: number): { channel: SimulatedChannel; leavesThread: boolean } {
    const remote = this.#lanes.get(to)
    const [near, far] = SimulatedChannel.pair(this.#crossing(from.lane.host.lane, to), from, remote ?? from)
    if (remote === undefined) near.close('there is no such lane')
    else remote.lane.accept(from.lane.host.lane, far, true)
    return { channel: near, leavesThread: true }
  }

  #crossing(from: number, to: number): Crossing {
    return {
      from,
      to,
      schedule: (at, lane, run) => void this.#schedule.add(at, lane, false, run),
      now: () => this.#nowMs,
      random: this.random,
      faults: () => this.faults,
      delivered: (lane, size) => this.#delivered(lane, size),
      killLane: lane => this.killLane(lane),
      killSome: lane => this.#killSome(lane),
    }
  }

  #delivered(lane: number, size: number): void {
    this.#deliveries++
    this.#mix(lane * 65_537 + size)
  }

  #killSome(lane: number): void {
    const actors = [...(this.#lanes.get(lane)?.lane.actors.keys() ?? [])]
    if (actors.length > 0)
      this.#lanes.get(lane)!.lane.kill(actors[this.random.int(actors.length)]!, 'killed by the world')
  }

  /** The core's orders to a lane travel like messages do, and fail when the lane dies. */
  #handle(simulated: SimulatedLane): LaneHandle {
    const { lane } = simulated
    return {
      lane: lane.host.lane,
      thread: lane.host.lane,
      start: ({ self, module, input }) => {
        // How long the platform takes to load it, and which of two it loads first, must not show: the world stands still until it is there.
        const definition = this.#load(module)
        definition.catch(() => undefined)
        return this.#afterAMoment(simulated, async () => lane.start(await definition, self, input))
      },
      close: actor => this.#afterAMoment(simulated, () => lane.closeActor(actor)),
      kill: (actor, reason) => this.#afterAMoment(simulated, async () => lane.kill(actor, reason)),
      pause: (actor, isPaused) => this.#afterAMoment(simulated, async () => lane.pause(actor, isPaused)),
      reports: () => this.#afterAMoment(simulated, async () => lane.reports()),
    }
  }

  #afterAMoment<T>(simulated: SimulatedLane, work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const lost = () => reject(new Error('the lane died'))
      simulated.onDeath.add(lost)
      const settle = (act: () => void) => {
        simulated.onDeath.delete(lost)
        act()
      }
      const at = this.#nowMs + this.random.float() * 0.2
      this.#schedule.add(at, simulated.lane.host.lane, false, () => {
        if (simulated.isDead) return
        work().then(
          value => settle(() => resolve(value)),
          thrown => settle(() => reject(thrown)),
        )
      })
    })
  }

  async #load(module: ModuleRef): Promise<ActorDefinition<any, any>> {
    const known = this.#definitions.get(module.url)
    if (known !== undefined) return known
    const loaded: { actor: ActorDefinition<any, any> } = await loading(() => import(module.url))
    this.#definitions.set(module.url, loaded.actor)
    return loaded.actor
  }

  #moduleOf<C extends Contract, Input>(definition: ActorDefinition<C, Input>): ActorModule<C, Input> {
    for (const [url, known] of this.#definitions)
      if (known === definition) return { contract: definition.contract, url }
    const url = `definition:${definition.kind}/${this.#definitions.size}`
    this.#definitions.set(url, definition)
    return { contract: definition.contract, url }
  }

  #sendTrace(ring: TraceRing): void {
    const { events } = ring.take()
    for (const event of events) this.#watch?.listener(event)
  }

  #clockOf(lane: number): Clock {
    return {
      now: () => Math.floor(this.#startMs + this.#nowMs),
      monotonic: () => this.#nowMs,
      after: (delayMs, fire) => {
        // A remainder that the sum would swallow: whoever arms what is left of its time again and again would stop time.
        const waitMs = delayMs > 0 ? Math.max(delayMs, LEAST_WAIT_MS) : 0
        const timer = this.#schedule.add(this.#nowMs + waitMs, lane, true, fire)
        return {
          cancel: () => {
            timer.run = null
          },
        }
      },
    }
  }
}

class SimulatedLane {
  readonly number: number
  lane!: Lane
  ring!: TraceRing
  pausedUntil = 0
  isDead = false
  /** Orders of the core that are under way. */
  readonly onDeath = new Set<() => void>()

  constructor(number: number) {
    this.number = number
  }
}

/** Nothing interrupts a simulated lane inside a section. */
const openGate: Gate = { run: section => section() }

/** Resolves when no microtask is left. */
function drained(): Promise<void> {
  return new Promise(resolve => process.nextTick(resolve))
}
