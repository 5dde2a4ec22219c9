// The heart of a system, the same under every host: who runs where, who spawned whom, and what happens when one ends. Lives in the
// embedding thread (or the simulated world); reaches lanes only through `LaneHandle`. Children never outlive the actor that
// spawned them, and are ended before it starts again.
import type { Clock } from '../base/clock.ts'
import { type ErrorData, isPortError, PortError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import type { Address, Spawned, SpawnOptions } from './actor.ts'
import type { ActorReport } from './actor-report.ts'
import type { ModuleRef } from './control-port.ts'
import { describeThrown } from './describe-thrown.ts'
import { type MachineRun, runMachine } from './machine-runner.ts'
import { place } from './placement.rules.ts'
import type { RestartPolicy } from './restart.rules.ts'
import { supervisorMachine } from './supervisor.machine.ts'
import type { TransitionTrace } from './trace.ts'

/** What a lane is told to start. */
export interface StartOrder {
  readonly self: Address
  readonly module: ModuleRef
  readonly input: unknown
}

/** A lane, as the core reaches it. Every promise settles, also when the lane dies. */
export interface LaneHandle {
  readonly lane: number
  /** Id of its thread, as `worker_threads` counts them. */
  readonly thread: number
  start(order: StartOrder): Promise<void>
  close(actor: number): Promise<void>
  kill(actor: number, reason: string): Promise<void>
  pause(actor: number, isPaused: boolean): Promise<void>
  reports(): Promise<readonly ActorReport[]>
}

export interface SystemHost {
  readonly system: string
  readonly clock: Clock
  readonly random: Random
  readonly trace: TransitionTrace
  /** Lanes that the core may create for actors; 0: all run on lane 0. */
  readonly threads: number
  /** A name for the lane that an actor should share with others of that name; undefined: the usual rules. */
  readonly placement: PlacementChoice
  readonly restarts: RestartPolicy
  /** The lane of that number, with a thread started if it has none; null when there is no such lane. */
  openLane(lane: number): LaneHandle | null
  /** The lane of that number while its thread runs. */
  lane(lane: number): LaneHandle | null
  /** An actor was added or removed. */
  changed(): void
  /** A bug in the core itself. */
  failed(reason: unknown): void
}

/** See `ActorSystemOptions.placement`. */
export type PlacementChoice = (actor: { readonly kind: string; readonly name: string }) => string | undefined

/** Told every change of an actor's address; null when it has ended for good. */
export type ChangeListener = (address: Address | null, reason: string) => void

/** An actor in the list of the system. */
export interface ActorListing extends ActorReport {
  /** Id of the thread that it runs on; null while it does not run. */
  readonly thread: number | null
  /** Of its supervisor: Starting, Running, BackingOff, Closing, Closed, Failed. */
  readonly supervisor: string
  /** Name of the actor that spawned it; null for the application's. */
  readonly parent: string | null
}

export class SystemCore {
  readonly host: SystemHost
  readonly #actors = new Map<number, Supervised>()
  #nextActor = 1
  #nextLane = 1
  /** Actors per lane. */
  readonly #load = new Map<number, number>()
  readonly #placed = new Set<number>()
  /** Lanes that the placement named: they take only actors of their name. */
  readonly #named = new Map<string, number>()
  #isClosing = false

  constructor(host: SystemHost) {
    this.host = host
  }

  /** A number for a lane that is not for the core to fill, such as that of a thread which joined. */
  reserveLane(): number {
    return this.#nextLane++
  }

  /** Whether the core itself has placed actors on the lane of that number: only then may a thread be started for it. */
  mayOpen(lane: number): boolean {
    return this.#placed.has(lane)
  }

  /** Starts an actor for `parent` (null: the application, on `spawnerLane`). Rejects with a PortError when it cannot start. */
  async spawn(parent: ParentRef | null, spawnerLane: number, request: SpawnRequest): Promise<Supervised> {
    const spawner = parent === null ? null : this.#actors.get(parent.actor)
    const hasEnded = spawner === undefined || (spawner !== null && !spawner.isIncarnation(parent!.incarnation))
    if (hasEnded || this.#isClosing) {
      throw new PortError({ code: 'UNREACHABLE', message: 'whoever spawns it has ended' })
    }
    const lane = this.#place(request, spawner?.lane ?? spawnerLane)
    const actor = new Supervised(this, { id: this.#nextActor++, lane, origin: spawnerLane, parent: spawner, request })
    this.#actors.set(actor.id, actor)
    this.#count(lane, 1)
    this.host.changed()
    spawner?.children.add(actor)
    await actor.begin()
    return actor
  }

  #place({ module, options }: SpawnRequest, spawner: number): number {
    if (this.host.threads === 0) return 0
    const wish = options.lane ?? 'own'
    const name = wish === 'own' ? this.host.placement({ kind: module.kind, name: options.name }) : undefined
    const named = name === undefined ? undefined : this.#named.get(name)
    if (named !== undefined) return named
    if (wish === 'own' && name === undefined && options.near !== undefined && this.#placed.has(options.near))
      return options.near
    const reserved = new Set(this.#named.values())
    const open = [...this.#placed].filter(lane => !reserved.has(lane))
    const lanes = open.map(lane => ({ lane, actors: this.#load.get(lane) ?? 0 }))
    // The last lane of the budget is left to those without a name.
    const mayReserve = this.#placed.size < this.host.threads - (open.length === 0 ? 1 : 0)
    if (name !== undefined && mayReserve) return this.#reserve(name)
    const budget = this.host.threads - reserved.size
    const { lane } = place({ wish, spawner, lanes, budget })
    return lane === 'new' ? this.#newLane() : lane
  }

  #reserve(name: string): number {
    const lane = this.#newLane()
    this.#named.set(name, lane)
    return lane
  }

  #newLane(): number {
    const fresh = this.#nextLane++
    this.#placed.add(fresh)
    return fresh
  }

  #count(lane: number, change: 1 | -1): void {
    this.#load.set(lane, (this.#load.get(lane) ?? 0) + change)
  }

  find(actor: number): Supervised | undefined {
    return this.#actors.get(actor)
  }

  /** The actor whose latest incarnation has this name; for study and tests. */
  findByName(name: string): Supervised | undefined {
    return [...this.#actors.values()].find(actor => actor.address.name === name)
  }

  died(actor: number, incarnation: number, reason: string): void {
    this.#actors.get(actor)?.died(incarnation, reason)
  }

  /** A lane's thread is gone, with every actor that it ran. */
  laneDied(lane: number, reason: string): void {
    for (const actor of [...this.#actors.values()]) if (actor.lane === lane) actor.died(actor.incarnation, reason)
  }

  /** A thread that had joined is gone: what its application spawned ends. */
  laneLeft(lane: number): void {
    this.laneDied(lane, 'its thread left')
    for (const actor of [...this.#actors.values()]) {
      if (actor.parent === null && actor.origin === lane) void actor.close()
    }
  }

  forget(actor: Supervised): void {
    if (!this.#actors.delete(actor.id)) return
    this.#count(actor.lane, -1)
    actor.parent?.children.delete(actor)
    this.host.changed()
  }

  /** Every actor, with what its lane says of it. */
  async list(): Promise<ActorListing[]> {
    const lanes = new Set([...this.#actors.values()].map(actor => actor.lane))
    const reports = await Promise.all(
      [...lanes].map(
        lane =>
          this.host
            .lane(lane)
            ?.reports()
            .catch(() => []) ?? [],
      ),
    )
    const byActor = new Map(reports.flat().map(report => [report.address.actor, report]))
    return [...this.#actors.values()].map(actor => actor.listing(byActor.get(actor.id)))
  }

  /** Ends every actor, the youngest first. */
  async close(): Promise<void> {
    this.#isClosing = true
    const roots = [...this.#actors.values()].filter(actor => actor.parent === null).reverse()
    for (const actor of roots) await actor.close()
  }

  get isEmpty(): boolean {
    return this.#actors.size === 0
  }
}

/** The incarnation of an actor that spawns. */
export interface ParentRef {
  readonly actor: number
  readonly incarnation: number
}

export interface SpawnRequest {
  readonly module: ModuleRef
  readonly input: unknown
  readonly options: SpawnOptions
}

/** One actor through all its incarnations. */
export class Supervised {
  readonly id: number
  readonly lane: number
  /** Lane of whoever spawned it. */
  readonly origin: number
  readonly parent: Supervised | null
  readonly children = new Set<Supervised>()
  readonly #core: SystemCore
  readonly #request: SpawnRequest
  readonly #listeners: ChangeListener[] = []
  #machine!: MachineRun<typeof supervisorMachine>
  #backoff: { cancel(): void } | null = null
  #began: { resolve(): void; reject(error: PortError): void } | null = null
  #ended: Promise<void>
  #resolveEnded!: () => void
  incarnation = 0

  constructor(
    core: SystemCore,
    made: Pick<Supervised, 'id' | 'lane' | 'origin' | 'parent'> & { request: SpawnRequest },
  ) {
    this.#core = core
    this.id = made.id
    this.lane = made.lane
    this.origin = made.origin
    this.parent = made.parent
    this.#request = made.request
    this.#ended = new Promise(resolve => {
      this.#resolveEnded = resolve
    })
  }

  get address(): Address {
    const { module, options } = this.#request
    return {
      system: this.#core.host.system,
      actor: this.id,
      lane: this.lane,
      kind: module.kind,
      name: options.name,
      incarnation: this.incarnation,
    }
  }

  get isEnding(): boolean {
    return ['Closing', 'Closed', 'Failed'].includes(this.#machine.state)
  }

  /** Whether that incarnation is the one that starts or runs. */
  isIncarnation(incarnation: number): boolean {
    return incarnation === this.incarnation && ['Starting', 'Running'].includes(this.#machine.state)
  }

  get isRunning(): boolean {
    return this.#machine.state === 'Running'
  }

  onChange(listener: ChangeListener): void {
    this.#listeners.push(listener)
  }

  /** Starts the first incarnation; rejects when it cannot start. */
  begin(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#began = { resolve, reject }
      const { host } = this.#core
      this.#machine = runMachine({ trace: host.trace, fail: reason => host.failed(reason) }, supervisorMachine, {
        subject: `${this.address.kind} ${this.address.name}`,
        input: { onDeath: this.#request.options.onDeath ?? 'restart', policy: host.restarts },
        effects: {
          startActor: ({ incarnation }) => void this.#start(incarnation),
          closeActor: () => void this.#close(),
          armBackoff: ({ delayMs }) => {
            // What the dead incarnation spawned ends with it, and must not start again by itself meanwhile.
            void this.#closeChildren()
            this.#backoff = host.clock.after(delayMs, () => this.#machine.send({ type: 'backoff.elapsed' }))
          },
          cancelBackoff: () => this.#backoff?.cancel(),
          announceRunning: () => this.#running(),
          announceEnd: ({ reason }) => this.#end(reason),
        },
      })
    })
  }

  async #start(incarnation: number): Promise<void> {
    this.incarnation = incarnation
    try {
      await this.#closeChildren()
      const lane = this.#core.host.openLane(this.lane)
      if (lane === null) throw new PortError({ code: 'UNREACHABLE', message: `there is no lane ${this.lane}` })
      await lane.start({ self: this.address, module: this.#request.module, input: this.#request.input })
    } catch (thrown) {
      this.#startError = isPortError(thrown) ? thrown : new PortError(startFailed(this.address, thrown))
      return this.#machine.send({ type: 'actor.notStarted', reason: describeThrown(thrown), ...this.#chance() })
    }
    if (incarnation === this.incarnation) this.#machine.send({ type: 'actor.started' })
  }

  #startError: PortError | null = null

  #chance(): { now: number; chance: number } {
    return { now: this.#core.host.clock.monotonic(), chance: this.#core.host.random.float() }
  }

  async #close(): Promise<void> {
    await this.#core.host
      .lane(this.lane)
      ?.close(this.id)
      .catch(() => {})
    await this.#closeChildren()
    this.#machine.send({ type: 'actor.ended' })
  }

  async #closeChildren(): Promise<void> {
    for (const child of [...this.children].reverse()) await child.close()
  }

  #running(): void {
    this.#began?.resolve()
    this.#began = null
    for (const listener of this.#listeners) listener(this.address, 'started')
  }

  #end(reason: string): void {
    // Children of an actor that failed for good end with it.
    void this.#closeChildren().then(() => {
      this.#core.forget(this)
      this.#began?.reject(
        this.#startError ?? new PortError({ code: 'UNREACHABLE', message: `${this.address.name} ended: ${reason}` }),
      )
      this.#began = null
      for (const listener of this.#listeners) listener(null, reason)
      this.#resolveEnded()
    })
  }

  died(incarnation: number, reason: string): void {
    if (incarnation !== this.incarnation || !this.isRunning) return
    this.#machine.send({ type: 'actor.died', reason, ...this.#chance() })
  }

  /** Orderly end. Resolves when the actor and all that it spawned have ended. */
  close(): Promise<void> {
    if (!this.isEnding) this.#machine.send({ type: 'actor.close' })
    return this.#ended
  }

  /** Ends the running incarnation as if it had thrown. Resolves when its death was noticed, or its lane has died over it. */
  async kill(reason: string): Promise<void> {
    // No answer: the lane has ended, or was ended for it, and the actor with it.
    await this.#core.host
      .lane(this.lane)
      ?.kill(this.id, reason)
      .catch(() => {})
  }

  /** Holds back what reaches the running incarnation, or lets it go on; its successor is not paused. Resolves when it does. */
  async pause(isPaused: boolean): Promise<void> {
    await this.#core.host.lane(this.lane)?.pause(this.id, isPaused)
  }

  listing(report: ActorReport | undefined): ActorListing {
    const none = { queues: [], detail: {}, metrics: {}, loop: null, links: [], peers: [] }
    return {
      ...(report ?? { ...none, state: this.isRunning ? 'Unresponsive' : this.#machine.state }),
      address: this.address,
      thread: (this.isRunning ? this.#core.host.lane(this.lane)?.thread : null) ?? null,
      supervisor: this.#machine.state,
      parent: this.parent?.address.name ?? null,
    }
  }
}

/** An actor as the thread that spawned it holds it, when that is the core's own thread. */
export function spawnedOf(actor: Supervised): Spawned<any> {
  return {
    get address() {
      return actor.address
    },
    onChange: listener => actor.onChange(listener as ChangeListener),
    close: () => actor.close(),
    kill: reason => actor.kill(reason),
  }
}

function startFailed(address: Address, thrown: unknown): ErrorData {
  return { code: 'FAILED', message: `${address.kind} ${address.name} could not start: ${describeThrown(thrown)}` }
}
