// Questions and orders between the system and its lanes, beside the data path: few, small, not credited. Both sides name what they
// understand as a type of functions; a call's promise settles with the reply, or rejects when the other side is gone.
import type { MessagePort, Transferable } from 'node:worker_threads'
import { type ErrorData, isPortError, PortError } from '../base/errors.ts'
import type { Address, SpawnOptions } from './actor.ts'
import type { ActorReport, LogLine } from './actor-report.ts'
import { describeThrown } from './describe-thrown.ts'
import type { ParentRef } from './system-core.ts'
import type { TraceBatch, TraceFilter } from './trace-ring.ts'

/** An actor's module as it crosses a port. */
export interface ModuleRef {
  readonly kind: string
  readonly url: string
}

/** What a lane is told. */
export type LaneOrders = {
  start(order: { readonly self: Address; readonly module: ModuleRef; readonly input: unknown }): Promise<void>
  closeActor(actor: number): Promise<void>
  kill(order: { readonly actor: number; readonly reason: string }): void
  pause(order: { readonly actor: number; readonly isPaused: boolean }): void
  reports(none: null): readonly ActorReport[]
  /** Another lane opened a channel to this one. */
  accept(order: { readonly lane: number; readonly port: MessagePort }): void
  watch(filters: readonly TraceFilter[]): void
  /** The address of something that this lane spawned changed. */
  changed(change: { readonly child: number; readonly address: Address | null; readonly reason: string }): void
  /** Close the lane: what it still has to say, log lines among it, has left when this is answered. */
  leave(none: null): void
}

/** What the system is asked. */
export type SystemCalls = {
  spawn(request: {
    /** Null: the application of a thread that joined. */
    readonly parent: ParentRef | null
    readonly module: ModuleRef
    readonly input: unknown
    readonly options: SpawnOptions
  }): Promise<Address>
  closeSpawned(actor: number): Promise<void>
  killSpawned(order: { readonly actor: number; readonly reason: string }): Promise<void>
  connect(order: { readonly lane: number; readonly port: MessagePort }): void
  died(death: { readonly actor: number; readonly incarnation: number; readonly reason: string }): void
  log(batch: { readonly lines: readonly LogLine[]; readonly dropped: number }): void
  trace(batch: TraceBatch): void
  ready(none: null): void
}

type Vocabulary = { readonly [name: string]: (argument: any) => unknown }
type Message =
  | readonly ['call', number, string, unknown]
  | readonly ['tell', string, unknown]
  | readonly ['done', number, unknown]
  | readonly ['failed', number, ErrorData]

/** One end. `Mine` is what it answers, `Theirs` what it may say. */
export class ControlPort<Mine extends Vocabulary, Theirs extends Vocabulary> {
  readonly #port: MessagePort
  readonly #answers: Mine
  readonly #waiting = new Map<number, { resolve(value: any): void; reject(error: PortError): void }>()
  #nextCall = 0
  #isClosed = false
  /** Called once when the other side has gone. */
  onClose: () => void = () => {}

  constructor(port: MessagePort, answers: Mine) {
    this.#port = port
    this.#answers = answers
    port.on('message', (message: Message) => this.#received(message))
    port.on('close', () => this.#ended())
  }

  call<N extends keyof Theirs & string>(
    name: N,
    argument: Parameters<Theirs[N]>[0],
    transfer: readonly Transferable[] = [],
  ): Promise<Awaited<ReturnType<Theirs[N]>>> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(gone())
      const id = this.#nextCall++
      this.#waiting.set(id, { resolve, reject })
      try {
        this.#port.postMessage(['call', id, name, argument], transfer)
      } catch (thrown) {
        this.#waiting.delete(id)
        reject(thrown)
      }
    })
  }

  /** False when the other side is gone: nothing was said, and nothing was transferred. */
  tell<N extends keyof Theirs & string>(
    name: N,
    argument: Parameters<Theirs[N]>[0],
    transfer: readonly Transferable[] = [],
  ): boolean {
    if (this.#isClosed) return false
    this.#port.postMessage(['tell', name, argument], transfer)
    return true
  }

  ref(): void {
    this.#port.ref()
  }

  unref(): void {
    this.#port.unref()
  }

  close(): void {
    this.#port.close()
    this.#ended()
  }

  #received(message: Message): void {
    switch (message[0]) {
      case 'call':
        void this.#answer(message[1], message[2], message[3])
        break
      case 'tell':
        this.#answers[message[1]]!(message[2])
        break
      case 'done':
        this.#waiting.get(message[1])?.resolve(message[2])
        this.#waiting.delete(message[1])
        break
      case 'failed':
        this.#waiting.get(message[1])?.reject(new PortError(message[2]))
        this.#waiting.delete(message[1])
        break
    }
  }

  async #answer(id: number, name: string, argument: unknown): Promise<void> {
    try {
      const value = await this.#answers[name]!(argument)
      this.#port.postMessage(['done', id, value])
    } catch (thrown) {
      this.#port.postMessage(['failed', id, errorDataOf(thrown)])
    }
  }

  #ended(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of waiting) reject(gone())
    this.onClose()
  }
}

function errorDataOf(thrown: unknown): ErrorData {
  if (isPortError(thrown)) return { code: thrown.code, message: thrown.message, detail: thrown.detail }
  return { code: 'FAILED', message: describeThrown(thrown) }
}

function gone(): PortError {
  return new PortError({ code: 'UNREACHABLE', message: 'the other thread has ended' })
}
