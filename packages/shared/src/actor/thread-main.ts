// What a thread of the process does from its first line: it opens a lane for every greeting that arrives, of whichever system, and each lane then runs
// whatever actors its system tells it to. Their modules are loaded when first needed.
import { type MessagePort, workerData } from 'node:worker_threads'
import { systemClock } from '../base/clock.ts'
import { countLoading, type LoadingWord, loading } from '../base/loading.ts'
import type { ActorDefinition } from './actor.ts'
import { threadGate } from './gate.ts'
import { LoopDelayGauge } from './loop-delay.ts'
import { type LaneStartup, type LoadActor, loadActor, RemoteLane } from './thread-lane.ts'

/** What a thread is started with. */
export interface ThreadGreeting {
  /** The thread's gate. */
  readonly gate: Int32Array<SharedArrayBuffer>
  /** What it is loading. */
  readonly loading: LoadingWord
  readonly orders: MessagePort
  /** Packed files that it will need, by name, in the order of the need: loaded one in a turn as long as nobody asks for more. */
  readonly ahead: readonly string[]
}

/** Open a lane, or end: all lanes have closed. */
export type ThreadOrder = { readonly startup: LaneStartup; readonly control: MessagePort } | 'leave'

/** Actors that are at hand, by the name of their built file: packed with the entry that the thread runs. Others are loaded from their URL. */
export type PackedActors = { readonly [file: string]: () => Promise<{ readonly actor: ActorDefinition<any, any> }> }

/** What else can be loaded ahead, by name. */
export type PackedLibraries = { readonly [name: string]: () => Promise<unknown> }

/** Runs the thread; called once by its entry. */
export function runThread(packed: PackedActors = {}, libraries: PackedLibraries = {}): void {
  const { gate: word, loading: loads, orders, ahead }: ThreadGreeting = workerData
  countLoading(loads)
  const gate = threadGate(word)
  const loopDelay = new LoopDelayGauge(systemClock)
  const load: LoadActor = async module => {
    const atHand = packed[module.url.slice(module.url.lastIndexOf('/') + 1)]
    return atHand === undefined ? loadActor(module) : (await loading(atHand)).actor
  }
  orders.on('message', (order: ThreadOrder) => {
    // Leaving is orderly: all actors have ended. Exiting here, in a message handler, is safe for LMDB (STACK 2, b).
    if (order === 'leave') return process.exit(0)
    const { control } = new RemoteLane(order.startup, order.control, { gate, load, loopDelay, onLeave: () => {} })
    control.tell('ready', null)
  })
  orders.on('close', () => process.exit(0))
  void loadAhead(ahead.flatMap(file => packed[file] ?? libraries[file] ?? []))
}

/** What fails is met again, and told, by whoever needs it. */
async function loadAhead(loads: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const load of loads) {
    await new Promise(setImmediate)
    await loading(load).catch(() => undefined)
  }
}
