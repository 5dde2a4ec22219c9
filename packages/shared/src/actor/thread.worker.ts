// The worker entry: every thread of a system runs this file. Greeted with a startup message (workerData), it answers `ready` and
// then runs whatever actors it is told to; their modules are loaded when first needed.
import { type MessagePort, workerData } from 'node:worker_threads'
import { type LaneStartup, RemoteLane } from './thread-lane.ts'

const { startup, control }: { startup: LaneStartup; control: MessagePort } = workerData

// Leaving is orderly: all actors have ended. Exiting here, in a message handler, is safe for LMDB (STACK 2, b).
const { control: port } = new RemoteLane(startup, control, () => process.exit(0))
port.tell('ready', null)
