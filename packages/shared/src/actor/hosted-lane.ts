// A lane on a thread of this process, as its system reaches it: waits for `ready`, carries orders, and gives the thread up when the lane does not
// respond. Several systems may have a lane each on one thread; the death of the thread is the death of every one of them.
import type { MessagePort } from 'node:worker_threads'
import type { Clock } from '../base/clock.ts'
import type { Limits } from '../base/limits.ts'
import { ControlPort, type LaneOrders, type SystemCalls } from './control-port.ts'
import type { LaneHandle } from './system-core.ts'
import type { LaneStartup } from './thread-lane.ts'

export interface HostedLaneOptions {
  readonly startup: LaneStartup
  readonly clock: Clock
  readonly calls: Omit<SystemCalls, 'ready'>
  /** Called once when the lane is gone: it closed in order, or its thread ended for whatever reason. */
  readonly onEnd: (reason: string) => void
}

/** The thread that a lane is on. */
export interface LaneThread {
  /** Its id, as `worker_threads` counts them. */
  readonly thread: number
  /** A lane has closed in order; resolves when that is all there is to do: the thread ends with its last one. */
  left(lane: HostedLane): Promise<void>
  /** Ends the thread and all lanes on it, outside of its gate. Resolves when it has ended. */
  terminate(reason: string): Promise<void>
}

export class HostedLane implements LaneHandle {
  readonly lane: number
  readonly control: ControlPort<SystemCalls, LaneOrders>
  readonly #thread: LaneThread
  readonly #clock: Clock
  readonly #limits: Limits
  readonly #onEnd: (reason: string) => void
  /** Resolves when the lane can take orders, or is gone. */
  readonly #isReady: Promise<void>
  #ready!: () => void
  #hasEnded = false

  constructor(thread: LaneThread, control: MessagePort, { startup, clock, calls, onEnd }: HostedLaneOptions) {
    this.lane = startup.lane
    this.#thread = thread
    this.#clock = clock
    this.#limits = startup.limits
    this.#onEnd = onEnd
    this.#isReady = new Promise(resolve => {
      this.#ready = resolve
    })
    this.control = new ControlPort<SystemCalls, LaneOrders>(control, { ...calls, ready: () => this.#ready() })
    this.control.unref()
  }

  get thread(): number {
    return this.#thread.thread
  }

  async start(order: Parameters<LaneOrders['start']>[0]): Promise<void> {
    await this.#within(this.#limits.threadStartDeadlineMs, this.#isReady)
    return this.control.call('start', order)
  }

  /** The lane gives its actor `closeDeadlineMs`; a thread that does not even do that in time is ended. */
  async close(actor: number): Promise<void> {
    await this.#within(this.#limits.closeDeadlineMs * 1.5, this.control.call('closeActor', actor))
  }

  async kill(actor: number, reason: string): Promise<void> {
    await this.#within(this.#limits.closeDeadlineMs, this.control.call('kill', { actor, reason }))
  }

  pause(actor: number, isPaused: boolean): Promise<void> {
    return this.control.call('pause', { actor, isPaused })
  }

  async reports() {
    let timer: { cancel(): void } | undefined
    const late = new Promise<never>((_, reject) => {
      timer = this.#clock.after(this.#limits.describeDeadlineMs, () => reject(new Error('the lane does not respond')))
    })
    return Promise.race([this.control.call('reports', null), late]).finally(() => timer?.cancel())
  }

  /** Orderly end of a lane whose actors have ended; its thread ends when it was the last one there. */
  async leave(): Promise<void> {
    const { closeDeadlineMs } = this.#limits
    await this.#within(closeDeadlineMs, this.control.call('leave', null)).catch(() => undefined)
    if (this.#hasEnded) return
    this.#end('its lane closed')
    await this.#within(closeDeadlineMs, this.#thread.left(this))
  }

  /** Ends the thread, with whatever else runs on it. Resolves when it has ended. */
  terminate(reason: string): Promise<void> {
    return this.#thread.terminate(reason)
  }

  threadEnded(reason: string): void {
    if (!this.#hasEnded) this.#end(reason)
  }

  #end(reason: string): void {
    this.#hasEnded = true
    this.control.close()
    this.#ready()
    this.#onEnd(reason)
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
