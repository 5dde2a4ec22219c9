// Lets another thread of the user's application take part in a system: it got a door's port, and from then on spawns and links as
// the embedding thread does, thread to thread.
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { type Clock, systemClock } from '../base/clock.ts'
import { type Random, systemRandom } from '../base/random.ts'
import type { ActorModule, Address, Link, Spawned, SpawnOptions } from './actor.ts'
import type { ActorHost } from './actor-host.ts'
import type { Contract } from './contract.ts'
import { threadGate } from './gate.ts'
import { type LaneStartup, loadActor, RemoteLane } from './thread-lane.ts'

/** What waits in a door's port for whoever takes it. */
export interface DoorGreeting {
  readonly startup: LaneStartup
  /** Of the thread that joins. */
  readonly gate: Int32Array<SharedArrayBuffer>
  /** 1 once the system is ending. */
  readonly ending: Int32Array<SharedArrayBuffer>
}

/** Joins the system whose `door()` this port is. Each door serves one thread, once. */
export function joinSystem(port: MessagePort): JoinedSystem {
  const greeting: { message: DoorGreeting } | undefined = receiveMessageOnPort(port)
  if (greeting === undefined) throw new TypeError('this port is no unused door of an actor system')
  return new JoinedSystem(greeting.message, port)
}

/** The system as a thread that joined sees it. It keeps its thread alive until `close`, unless `unref` was called. */
class JoinedSystem implements ActorHost {
  readonly name: string
  readonly clock: Clock = systemClock
  readonly random: Random = systemRandom()
  readonly #remote: RemoteLane
  readonly #ending: Int32Array<SharedArrayBuffer>
  #hasLeft = false

  constructor({ startup, gate, ending }: DoorGreeting, port: MessagePort) {
    this.name = startup.system
    this.#ending = ending
    this.#remote = new RemoteLane(startup, port, {
      gate: threadGate(gate),
      load: loadActor,
      loopDelay: null,
      onLeave: () => this.close(),
    })
  }

  async spawn<C extends Contract, Input>(
    module: ActorModule<C, Input>,
    input: Input,
    options: SpawnOptions,
  ): Promise<Spawned<C>> {
    const ref = { kind: module.contract.kind, url: module.url }
    return (await this.#remote.lane.host.uplink.spawn(null, ref, input, options)) as Spawned<C>
  }

  link<C extends Contract>(contract: C, address: Address<C>): Link<C> {
    return this.#remote.lane.link(contract, address)
  }

  /** Whether nothing here will be answered any more: the system is ending or has ended, or this thread left it. */
  get isEnding(): boolean {
    return this.#hasLeft || Atomics.load(this.#ending, 0) === 1
  }

  unref(): this {
    this.#remote.control.unref()
    return this
  }

  /** Leaves the system: links close, and what was spawned from here ends. */
  close(): void {
    this.#hasLeft = true
    this.#remote.lane.close('the thread left the system')
    this.#remote.control.close()
  }
}
