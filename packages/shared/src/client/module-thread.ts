// A module's thread, from inside: joins the system, runs the work, listens for `stop`, tells how it ended. The other end is module-threads.
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../base/clock.ts'
import { type ErrorData, KafkaError } from '../base/errors.ts'
import { loading } from '../base/loading.ts'
import { type BrokerTicket, type JoinedBroker, joinBroker } from './join-broker.ts'

export interface ThreadStartup {
  readonly ticket: BrokerTicket
  readonly input: unknown
  readonly thread: number
}

export type ToThread =
  | { readonly kind: 'stop' }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown; readonly error: ErrorData | null }

export type FromThread =
  /** The module is loaded and runs: from now on it may have something in hand. */
  | { readonly kind: 'begun' }
  | { readonly kind: 'metrics'; readonly metrics: unknown }
  | { readonly kind: 'ask'; readonly id: number; readonly question: unknown }
  | { readonly kind: 'ended'; readonly error: ErrorData | null; readonly metrics: unknown }

/** What the work of a thread has. */
export interface ModuleThread<Input> {
  readonly input: Input
  /** 0, 1, ... */
  readonly thread: number
  /** Pass it as `bootstrapServers`. */
  readonly broker: JoinedBroker
  /** Fires when the thread is told to stop: finish what is in hand. */
  readonly signal: AbortSignal
  /** Asks the thread that started this one. */
  ask(question: unknown): Promise<unknown>
}

/** What runs: resolves when it has stopped. */
export interface ModuleWork {
  readonly done: Promise<void>
  metrics(): unknown
}

const METRICS_EVERY_MS = 200

/** What the module exports. Throws ODK_HANDLER_INVALID when it is not there, or throws while it is loaded. */
export async function loadedModule<Exports>(href: string): Promise<Exports> {
  try {
    return await loading(() => import(href))
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown)
    throw new KafkaError('ODK_HANDLER_INVALID', `${href} cannot be loaded: ${why}`, { cause: thrown })
  }
}

/** Runs `work` in this worker thread and reports how it ended. Told to stop before `work` has begun, it ends at once, whatever the module still waits for. */
export async function serveModule<Input>(work: (thread: ModuleThread<Input>) => Promise<ModuleWork>): Promise<void> {
  const { ticket, input, thread } = workerData as ThreadStartup
  const port = parentPort!
  const stopping = new AbortController()
  const asked = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>()
  let asks = 0
  port.on('message', (message: ToThread) => {
    if (message.kind === 'stop') stopping.abort()
    else if (message.error === null) asked.get(message.id)?.resolve(message.answer)
    else asked.get(message.id)?.reject(new Error(message.error.message))
    if (message.kind === 'answer') asked.delete(message.id)
  })
  const tell = (message: FromThread) => port.postMessage(message)
  const ask = (question: unknown) =>
    new Promise<unknown>((resolve, reject) => {
      const id = ++asks
      asked.set(id, { resolve, reject })
      tell({ kind: 'ask', id, question })
    })
  const broker = joinBroker(ticket)
  let running: ModuleWork | null = null
  let error: ErrorData | null = null
  const report = () => {
    tell({ kind: 'metrics', metrics: running?.metrics() ?? null })
    timer = systemClock.after(METRICS_EVERY_MS, report)
  }
  let timer = systemClock.after(METRICS_EVERY_MS, report)
  try {
    const { signal } = stopping
    running = await Promise.race([work({ input: input as Input, thread, broker, signal, ask }), stopped(signal)])
    if (running !== null) tell({ kind: 'begun' })
    await running?.done
  } catch (thrown) {
    error = dataOf(thrown)
  }
  timer.cancel()
  await broker.close()
  tell({ kind: 'ended', error, metrics: running?.metrics() ?? null })
  port.close()
  // A module that hangs while it is loaded would keep its thread.
  if (running === null) process.exit()
}

function stopped(signal: AbortSignal): Promise<null> {
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(null), { once: true }))
}

function dataOf(thrown: unknown): ErrorData {
  if (thrown instanceof KafkaError) {
    const { code, message, kafkaCode, kafkaName, retriable, fatal } = thrown
    return { code, message, detail: { kafkaCode, kafkaName, retriable, fatal } }
  }
  return thrown instanceof Error
    ? { code: thrown.name, message: thrown.message }
    : { code: 'Error', message: String(thrown) }
}
