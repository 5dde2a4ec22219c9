// A lane on a real thread, seen from inside: the lane itself over the platform's clock and ports, and its control port to the
// system. The same for a thread that the system started (thread.worker) and for one that joined by a door (join-system).
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { systemClock } from '../base/clock.ts'
import { isPortError } from '../base/errors.ts'
import type { Limits } from '../base/limits.ts'
import { loading } from '../base/loading.ts'
import { seededRandom } from '../base/random.ts'
import type { ActorDefinition, Address, Gate, Spawned, SpawnOptions } from './actor.ts'
import type { LogLine } from './actor-report.ts'
import { ControlPort, type LaneOrders, type ModuleRef, type SystemCalls } from './control-port.ts'
import { type GoOn, Lane, type LaneHost } from './lane.ts'
import { Lookout } from './lookout.ts'
import { LoopChannel } from './loop-channel.ts'
import { MemoryResources } from './memory-resources.ts'
import { PortChannel } from './port-channel.ts'
import { TraceRing } from './trace-ring.ts'

/** What a lane is greeted with. */
export interface LaneStartup {
  readonly system: string
  readonly lane: number
  readonly seed: number
  readonly limits: Limits
  /** The longest wait that its lookout looks through; 0: it has none. Microseconds. */
  readonly lookMicros: number
  /** Lines below this level are not even built; null: no logger. */
  readonly logLevel: LogLine['level'] | null
}

/** The parts of a lane's host that are the same on every real thread. `gate` is the thread's, shared by its lanes. */
export function threadHost(startup: LaneStartup, gate: Gate) {
  return {
    system: startup.system,
    lane: startup.lane,
    clock: systemClock,
    random: seededRandom(startup.seed),
    limits: startup.limits,
    gate,
    resources: new MemoryResources(),
    logLevel: startup.logLevel,
    soon: (turn: () => void) => void setImmediate(turn),
    goOn,
    lookout: startup.lookMicros > 0 ? lookoutOf(startup.lookMicros) : null,
    channelPerLink: false,
    copiesMessages: false,
  } satisfies Partial<LaneHost>
}

function lookoutOf(micros: number): Lookout {
  // The loop asks for what has come, without waiting for it, before each immediate.
  return new Lookout({ clock: systemClock, maxMs: micros / 1_000, again: look => void setImmediate(look) })
}

const resolved = Promise.resolve()

const goOn: GoOn = {
  // Not `queueMicrotask`, which makes a resource and a scope of hooks for each.
  behindHandler: work => void resolved.then(work),
  // A tick that is asked for in a promise's turn comes when no promise is left, and before the loop goes on.
  behindPromises: work => void resolved.then(() => process.nextTick(work)),
}

/** Loads the module of an actor. The platform's module cache makes the second time cheap. */
export async function loadActor(module: ModuleRef): Promise<ActorDefinition<any, any>> {
  const { actor }: { actor?: ActorDefinition<any, any> } = await loading(() => import(module.url))
  if (actor?.kind !== module.kind) throw new TypeError(`${module.url} exports no actor of kind '${module.kind}'`)
  return actor
}

export type LoadActor = (module: ModuleRef) => Promise<ActorDefinition<any, any>>

export interface RemoteLaneOptions {
  readonly gate: Gate
  readonly load: LoadActor
  readonly loopDelay: LaneHost['loopDelay']
  /** Called when the system told the lane to go, or is gone itself. */
  readonly onLeave: () => void
}

/** A lane whose system lives in another thread. */
export class RemoteLane {
  readonly lane: Lane
  readonly control: ControlPort<LaneOrders, SystemCalls>
  readonly #ring: TraceRing
  /** Told every change of what this lane spawned. */
  readonly #spawned = new Map<number, SpawnedElsewhere>()

  constructor(startup: LaneStartup, port: MessagePort, { gate, load, loopDelay, onLeave }: RemoteLaneOptions) {
    const { limits } = startup
    this.control = new ControlPort<LaneOrders, SystemCalls>(port, this.#orders(onLeave, load))
    this.control.onClose = onLeave
    this.#ring = new TraceRing(limits.traceEventsMax, () => {
      systemClock.after(limits.reportDelayMs, () => this.control.tell('trace', this.#ring.take()))
    })
    this.lane = new Lane({
      ...threadHost(startup, gate),
      loopDelay,
      trace: this.#ring,
      uplink: {
        spawn: (parent, module, input, options) => this.#spawn({ parent, module, input, options }),
        died: (actor, incarnation, reason) => this.control.tell('died', { actor, incarnation, reason }),
        log: (lines, dropped) => this.control.tell('log', { lines, dropped }),
      },
      connect: to => this.#connect(startup.lane, to),
    })
  }

  #orders(onLeave: () => void, load: LoadActor): LaneOrders {
    return {
      start: async ({ self, module, input }) => this.lane.start(await load(module), self, input),
      closeActor: actor => this.lane.closeActor(actor),
      kill: ({ actor, reason }) => this.lane.kill(actor, reason),
      pause: ({ actor, isPaused }) => this.lane.pause(actor, isPaused),
      reports: () => this.lane.reports(),
      accept: ({ lane, port }) => this.lane.accept(lane, new PortChannel(port), true),
      watch: filters => this.#ring.watch(filters),
      changed: ({ child, address, reason }) => this.#changed(child, address, reason),
      leave: () => {
        this.lane.close('the system has closed')
        onLeave()
      },
    }
  }

  #connect(from: number, to: number) {
    if (from === to) {
      const [near, far] = LoopChannel.pair()
      this.lane.accept(to, far, false)
      return { channel: near, leavesThread: false }
    }
    const { port1, port2 } = new MessageChannel()
    if (!this.control.tell('connect', { lane: to, port: port2 }, [port2])) port2.close()
    return { channel: new PortChannel(port1), leavesThread: true }
  }

  async #spawn(request: Parameters<SystemCalls['spawn']>[0]): Promise<Spawned<any>> {
    const address = await this.control.call('spawn', request)
    const spawned = new SpawnedElsewhere(this.control, address)
    this.#spawned.set(address.actor, spawned)
    // A change that was told before this thread knew the actor.
    const early = this.#early.get(address.actor)
    this.#early.delete(address.actor)
    if (early !== undefined) this.#changed(address.actor, early.address, early.reason)
    return spawned
  }

  readonly #early = new Map<number, { address: Address | null; reason: string }>()

  #changed(child: number, address: Address | null, reason: string): void {
    const spawned = this.#spawned.get(child)
    if (spawned === undefined) {
      this.#early.set(child, { address, reason })
      return
    }
    if (address === null) this.#spawned.delete(child)
    spawned.changed(address, reason)
  }
}

/** An actor as a thread that is not the system's own holds it. */
class SpawnedElsewhere implements Spawned<any> {
  address: Address
  readonly #control: ControlPort<LaneOrders, SystemCalls>
  readonly #listeners: ((address: Address | null, reason: string) => void)[] = []

  constructor(control: ControlPort<LaneOrders, SystemCalls>, address: Address) {
    this.#control = control
    this.address = address
  }

  onChange(listener: (address: Address | null, reason: string) => void): void {
    this.#listeners.push(listener)
  }

  close(): Promise<void> {
    return unlessGone(this.#control.call('closeSpawned', this.address.actor))
  }

  kill(reason: string): Promise<void> {
    return unlessGone(this.#control.call('killSpawned', { actor: this.address.actor, reason }))
  }

  changed(address: Address | null, reason: string): void {
    if (address !== null) this.address = address
    for (const listener of this.#listeners) listener(address, reason)
  }
}

/** A system that is gone has taken its actors with it: there is nothing left to end. */
async function unlessGone(ended: Promise<void>): Promise<void> {
  try {
    await ended
  } catch (thrown) {
    if (!(isPortError(thrown) && thrown.code === 'UNREACHABLE')) throw thrown
  }
}

/** What an application passes as a module reference and what it wants of the actor. */
export interface SpawnCall {
  readonly module: ModuleRef
  readonly input: unknown
  readonly options: SpawnOptions
}
