// A thread of this process, seen from the embedding thread: starts it, opens lanes on it, and is the only place that ends one. Ending by force
// lets it finish what it loads and goes through the gate; a thread that stays inside its gate past the deadline takes the process with it.
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import type { Limits } from '../base/limits.ts'
import { newLoadingWord, shutLoading } from '../base/loading.ts'
import { killProcess, newGateWord, shutGate, watchGateAtExit } from './gate.ts'
import { HostedLane, type HostedLaneOptions, type LaneThread } from './hosted-lane.ts'
import { threadEntry } from './thread-entry.ts'
import type { ThreadGreeting, ThreadOrder } from './thread-main.ts'

export interface ThreadStart extends Pick<ThreadGreeting, 'ahead'> {
  readonly limits: Limits
}

export class WorkerThread implements LaneThread {
  readonly thread: number
  /** What runs on it, of whichever system. */
  readonly lanes = new Set<HostedLane>()
  readonly #worker: Worker
  readonly #orders: MessagePort
  readonly #gate = newGateWord()
  readonly #loading = newLoadingWord()
  readonly #limits: Limits
  readonly #exited: Promise<void>
  readonly #onEnding: () => void
  #endReason = 'its thread ended'

  /** `ahead`: see ThreadGreeting. `onEnding` is called when no lane may be opened on it any more, perhaps more than once. */
  constructor(name: string, { limits, ahead }: ThreadStart, onEnding: () => void) {
    this.#limits = limits
    this.#onEnding = onEnding
    const { port1, port2 } = new MessageChannel()
    this.#orders = port1
    this.#orders.unref()
    this.#worker = new Worker(threadEntry(), {
      workerData: { gate: this.#gate, loading: this.#loading, orders: port2, ahead } satisfies ThreadGreeting,
      transferList: [port2],
      name,
      resourceLimits: { maxYoungGenerationSizeMb: limits.threadYoungGenerationMib },
      // A thread inherits the flags of its process, but refuses to run a file under this one (`node --input-type=module --eval ...`).
      ...(process.execArgv.some(flag => flag.startsWith('--input-type')) ? { execArgv: [] } : {}),
    })
    this.thread = this.#worker.threadId
    // What keeps the process alive is the systems' decision, not a thread's.
    this.#worker.unref()
    const unwatch = watchGateAtExit(this.#gate, limits.gateDeadlineMs)
    this.#worker.on('error', thrown => {
      this.#endReason = `its thread died: ${thrown instanceof Error ? thrown.message : String(thrown)}`
      onEnding()
    })
    this.#exited = new Promise(resolve => {
      this.#worker.once('exit', () => {
        unwatch()
        onEnding()
        for (const lane of [...this.lanes]) lane.threadEnded(this.#endReason)
        this.lanes.clear()
        resolve()
      })
    })
  }

  /** Starts a lane of a system on this thread. */
  open(options: HostedLaneOptions): HostedLane {
    const { port1, port2 } = new MessageChannel()
    this.#order({ startup: options.startup, control: port2 }, port2)
    const lane = new HostedLane(this, port1, options)
    this.lanes.add(lane)
    return lane
  }

  async left(lane: HostedLane): Promise<void> {
    this.lanes.delete(lane)
    if (this.lanes.size > 0) return
    this.#onEnding()
    await this.#finishLoading()
    this.#order('leave')
    await this.#exited
  }

  async terminate(reason: string): Promise<void> {
    this.#endReason = reason
    this.#onEnding()
    await this.#finishLoading()
    if (!(await shutGate(this.#gate, this.#limits.gateDeadlineMs))) killProcess()
    await this.#worker.terminate()
    await this.#exited
  }

  /** A thread that ends in the middle of a load leaves the module's file open. */
  async #finishLoading(): Promise<void> {
    await Promise.race([shutLoading(this.#loading, this.#limits.gateDeadlineMs), this.#exited])
  }

  #order(order: ThreadOrder, ...transfer: MessagePort[]): void {
    this.#orders.postMessage(order, transfer)
  }
}
