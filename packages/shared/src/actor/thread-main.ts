// What a thread of a system does from its first line: greeted with a startup message (workerData), it answers `ready` and then runs whatever actors
// it is told to. Their modules are loaded when first needed.
import { type MessagePort, workerData } from 'node:worker_threads'
import type { ActorDefinition } from './actor.ts'
import { type LaneStartup, type LoadActor, loadActor, RemoteLane } from './thread-lane.ts'

/** Actors that are at hand, by the name of their built file: packed with the entry that the thread runs. Others are loaded from their URL. */
export type PackedActors = { readonly [file: string]: () => Promise<{ readonly actor: ActorDefinition<any, any> }> }

/** Runs the thread; called once by its entry. */
export function runThread(packed: PackedActors = {}): void {
  const { startup, control }: { startup: LaneStartup; control: MessagePort } = workerData
  const load: LoadActor = async module => {
    const atHand = packed[module.url.slice(module.url.lastIndexOf('/') + 1)]
    return atHand === undefined ? loadActor(module) : (await atHand()).actor
  }
  // Leaving is orderly: all actors have ended. Exiting here, in a message handler, is safe for LMDB (STACK 2, b).
  const { control: port } = new RemoteLane(startup, control, () => process.exit(0), load)
  port.tell('ready', null)
}
