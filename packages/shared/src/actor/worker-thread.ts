// A thread that the system started, seen from the embedding thread: starts it, waits for `ready`, and is the only place that ends
// one. Ending by force goes through the gate; a thread that stays inside its gate past the deadline takes the process with it.
import { MessageChannel, Worker } from 'node:worker_threads'
import type { Clock } from '../base/clock.ts'
import type { Limits } from '../base/limits.ts'
import { ControlPort, type LaneOrders, type SystemCalls } from './control-port.ts'
import { killProcess, newGateWord, shutGate, watchGateAtExit } from './gate.ts'
import type { LaneHandle } from './system-core.ts'
import { threadEntry } from './thread-entry.ts'
import type { LaneStartup } from './thread-lane.ts'

export interface WorkerThreadOptions {
  readonly startup: Omit<LaneStartup, 'gate'>
  readonly clock: Clock
  readonly calls: Omit<SystemCalls, 'ready'>
  /** Called once when the thread has ended, for whatever reason. */
  readonly onExit: (reason: string) => void
}

export class WorkerThread implements LaneHandle {
  readonly lane: number
  readonly control: ControlPort<SystemCalls, LaneOrders>
  /** Resolves when the thread has ended. */
  readonly exited: Promise<void>
  readonly #worker: Worker
  readonly #gate = newGateWord()
  readonly #clock: Clock
  readonly #limits: Limits
  #ready!: () => void
  #endReason = 'its thread ended'
  readonly #isReady: Promise<void>

  constructor({ startup, clock, calls, onExit }: WorkerThreadOptions) {
    this.lane = startup.lane
    this.#clock = clock
    this.#limits = startup.limits
    this.#isReady = new Promise(resolve => {
      this.#ready = resolve
    })
    const { port1, port2 } = new MessageChannel()
    this.#worker = new Worker(threadEntry(), {
      workerData: { startup: { ...startup, gate: this.#gate }, control: port2 },
      transferList: [port2],
      name: `${startup.system} lane ${startup.lane}`,
      // A thread inherits the flags of its process, but refuses to run a file under this one (`node --input-type=module --eval ...`).
      ...(process.execArgv.some(flag => flag.startsWith('--input-type')) ? { execArgv: [] } : {}),
    })
    // What keeps the process alive is the system's decision, not a thread's.
    this.#worker.unref()
    this.control = new ControlPort<SystemCalls, LaneOrders>(port1, { ...calls, ready: () => this.#ready() })
    this.control.unref()
    const unwatch = watchGateAtExit(this.#gate, startup.limits.gateDeadlineMs)
    this.#worker.on('error', thrown => {
      this.#endReason = `its thread died: ${thrown instanceof Error ? thrown.message : String(thrown)}`
    })
    this.exited = new Promise(resolve => {
      this.#worker.once('exit', () => {
        unwatch()
        this.control.close()
        resolve()
        onExit(this.#endReason)
      })
    })
    this.thread = this.#worker.threadId
  }

  readonly thread: number

  async start(order: Parameters<LaneOrders['start']>[0]): Promise<void> {
    await this.#within(this.#limits.threadStartDeadlineMs, Promise.race([this.#isReady, this.exited]))
    return this.control.call('start', order)
  }

  /** The lane gives its actor `closeDeadlineMs`; a thread that does not even do that in time is ended. */
  async close(actor: number): Promise<void> {
    await this.#within(this.#limits.closeDeadlineMs * 1.5, this.control.call('closeActor', actor))
  }

  async kill(actor: number, reason: string): Promise<void> {
    await this.#within(this.#limits.closeDeadlineMs, this.control.call('kill', { actor, reason }))
  }

  async reports() {
    let timer: { cancel(): void } | undefined
    const late = new Promise<never>((_, reject) => {
      timer = this.#clock.after(this.#limits.describeDeadlineMs, () => reject(new Error('the lane does not respond')))
    })
    return Promise.race([this.control.call('reports', null), late]).finally(() => timer?.cancel())
  }

  /** Orderly end of a thread whose actors have ended. */
  async leave(): Promise<void> {
    // The thread exits at once when told to leave: what it has to say must have arrived before.
    await this.#within(this.#limits.closeDeadlineMs, this.control.call('flush', null)).catch(() => undefined)
    this.control.tell('leave', null)
    await this.#within(this.#limits.closeDeadlineMs, this.exited)
  }

  /** Ends the thread, outside of its gate. Resolves when it has ended. */
  async terminate(reason: string): Promise<void> {
    this.#endReason = reason
    if (!(await shutGate(this.#gate, this.#limits.gateDeadlineMs))) killProcess()
    await this.#worker.terminate()
    await this.exited
  }

  /** The promise; past the deadline the thread is ended, and the promise settles by that. */
  async #within<T>(deadlineMs: number, work: Promise<T>): Promise<T> {
    const timer = this.#clock.after(
      deadlineMs,
      () => void this.terminate(`its thread did not respond within ${deadlineMs} ms`),
    )
    return work.finally(() => timer.cancel())
  }
}
