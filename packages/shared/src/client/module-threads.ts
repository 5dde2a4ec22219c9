// Threads of the application that each run a module of the user's beside the embedding thread: worker consumers, pipelines. They hold no log and write none, so
// they may be ended at any time. Started with a ticket to a system's actors; a thread that dies is replaced, or ends them all.
import { Worker } from 'node:worker_threads'
import { builtUrl } from '../actor/built-url.ts'
import type { Clock, Timer } from '../base/clock.ts'
import { type ErrorData, KafkaError } from '../base/errors.ts'
import type { BrokerTicket } from './join-broker.ts'
import type { FromThread, ThreadStartup, ToThread } from './module-thread.ts'

export interface ModuleThreadsOptions {
  readonly clock: Clock
  /** The thread's own file: calls `serveModule`. */
  readonly entry: URL
  readonly threads: number
  /** A fresh one for each thread that is started. */
  readonly ticket: () => BrokerTicket
  /** What thread `n` works with; plain data. */
  readonly input: (thread: number) => unknown
  /** Answers what a thread asks. */
  readonly answer: (question: unknown) => unknown
  /** Whether a thread that died is replaced. */
  readonly onDeath: 'restart' | 'stop'
}

/** More deaths than this within the window end all: replacing does not help. */
const DEATHS_MAX = 5
const DEATHS_WINDOW_MS = 60_000
const RESTART_AFTER_MS = 100
/** How long a thread may take to finish what it has in hand when it is told to stop. Milliseconds. */
const STOP_DEADLINE_MS = 60_000
/** The same for a thread that has nothing in hand yet, because its module is still being loaded. Milliseconds. */
const LOADING_STOP_DEADLINE_MS = 1_000

type Slot = { worker: Worker | null; hasBegun: boolean; deadline: Timer | null; metrics: unknown }

export class ModuleThreads {
  /** Resolves when all have stopped in good order; rejects with the first failure, after the others have stopped. */
  readonly done: Promise<void>
  readonly #options: ModuleThreadsOptions
  readonly #slots: Slot[]
  #left: number
  #failure: Error | null = null
  #isStopping = false
  #deaths: number[] = []
  #settle!: () => void

  constructor(options: ModuleThreadsOptions) {
    this.#options = options
    this.#left = options.threads
    this.#slots = Array.from({ length: options.threads }, () => ({
      worker: null,
      hasBegun: false,
      deadline: null,
      metrics: null,
    }))
    this.done = new Promise((resolve, reject) => {
      this.#settle = () => (this.#failure === null ? resolve() : reject(this.#failure))
    })
    for (let thread = 0; thread < options.threads; thread++) this.#start(thread)
  }

  /** What each thread said of itself last; null before it said anything. */
  get metrics(): readonly unknown[] {
    return this.#slots.map(({ metrics }) => metrics)
  }

  /** Thread ids, for lists and for tests that end one; null while a thread is being replaced. */
  get threadIds(): readonly (number | null)[] {
    return this.#slots.map(({ worker }) => worker?.threadId ?? null)
  }

  /** Lets each thread finish what it has in hand. */
  stop(): void {
    if (this.#isStopping) return
    this.#isStopping = true
    for (const slot of this.#slots) {
      if (slot.worker === null) continue
      this.#tell(slot.worker, { kind: 'stop' })
      this.#limit(slot)
    }
  }

  /** Its time to stop runs from now on. */
  #limit(slot: Slot): void {
    const { worker, hasBegun, deadline } = slot
    deadline?.cancel()
    const limitMs = hasBegun ? STOP_DEADLINE_MS : LOADING_STOP_DEADLINE_MS
    slot.deadline = this.#options.clock.after(limitMs, () => void worker?.terminate())
  }

  /** Ends a thread as if it had crashed. For study and tests. */
  async kill(thread: number): Promise<void> {
    await this.#slots[thread]?.worker?.terminate()
  }

  #start(thread: number): void {
    const { entry, input, ticket } = this.#options
    const { port, link } = ticket()
    const startup: ThreadStartup = { ticket: { port, link }, input: input(thread), thread }
    const worker = new Worker(new URL(builtUrl(entry.href)), { workerData: startup, transferList: [port] })
    const slot = this.#slots[thread]!
    slot.worker = worker
    slot.hasBegun = false
    let hasEnded = false
    let thrown: unknown = null
    worker.on('message', (message: FromThread) => {
      if (message.kind === 'begun') {
        slot.hasBegun = true
        if (this.#isStopping) this.#limit(slot)
      }
      if (message.kind === 'metrics') slot.metrics = message.metrics
      if (message.kind === 'ended') {
        hasEnded = true
        slot.metrics = message.metrics
        if (message.error !== null) this.#fail(errorOf(message.error))
      }
      if (message.kind === 'ask') void this.#answer(worker, message.id, message.question)
    })
    worker.on('error', error => {
      thrown = error
    })
    worker.once('exit', () => {
      slot.worker = null
      slot.deadline?.cancel()
      if (hasEnded) this.#ended()
      else this.#died(thread, thrown)
    })
  }

  async #answer(worker: Worker, id: number, question: unknown): Promise<void> {
    try {
      this.#tell(worker, { kind: 'answer', id, answer: await this.#options.answer(question), error: null })
    } catch (thrown) {
      const error = { code: 'FAILED', message: thrown instanceof Error ? thrown.message : String(thrown) }
      this.#tell(worker, { kind: 'answer', id, answer: null, error })
    }
  }

  #tell(worker: Worker, message: ToThread): void {
    worker.postMessage(message)
  }

  #died(thread: number, thrown: unknown): void {
    const { clock, onDeath } = this.#options
    const nowMs = clock.monotonic()
    this.#deaths = [...this.#deaths.filter(at => nowMs - at < DEATHS_WINDOW_MS), nowMs]
    const mayRestart = onDeath === 'restart' && this.#deaths.length <= DEATHS_MAX
    if (!this.#isStopping && mayRestart) {
      clock.after(RESTART_AFTER_MS, () => (this.#isStopping ? this.#ended() : this.#start(thread)))
      return
    }
    if (!this.#isStopping) {
      const why = thrown instanceof Error ? thrown.message : 'it was ended from outside'
      this.#fail(new KafkaError('ODK_THREAD_DIED', `thread ${thread} of a module died: ${why}`, { cause: thrown }))
    }
    this.#ended()
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.stop()
  }

  #ended(): void {
    this.#left--
    if (this.#left === 0) this.#settle()
  }
}

function errorOf({ code, message, detail }: ErrorData): Error {
  if (!code.startsWith('ODK_')) return Object.assign(new Error(message), { name: code })
  const { kafkaCode, kafkaName, retriable, fatal } = (detail ?? {}) as {
    kafkaCode?: number
    kafkaName?: string
    retriable?: boolean
    fatal?: boolean
  }
  return new KafkaError(code as `ODK_${string}`, message, { kafkaCode, kafkaName, retriable, fatal })
}
