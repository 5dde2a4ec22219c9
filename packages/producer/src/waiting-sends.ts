// Sends that wait for room or for metadata, first come first served, each for `max.block.ms` at most and only so many at once.
import type { Clock } from '@odradek/shared/base/clock'
import type { KafkaError } from '@odradek/shared/base/errors'
import { WakeTimer } from '@odradek/shared/base/wake-timer'
import { aborted } from './aborting.ts'

export interface WaitingSend {
  /** Tries again; false: it still has to wait, and stays first. */
  proceed(): boolean
  fail(error: KafkaError): void
}

/** A send that its signal may take back while it waits: what was not placed by then never goes out. */
export function unlessAborted(send: WaitingSend, signal: AbortSignal | undefined): WaitingSend {
  if (signal === undefined) return send
  const proceed = () => {
    if (!signal.aborted) return send.proceed()
    send.fail(aborted(signal))
    return true
  }
  return { proceed, fail: error => send.fail(error) }
}

export class WaitingSends {
  readonly #entries: { readonly send: WaitingSend; readonly deadline: number; readonly ticket: number }[] = []
  readonly #clock: Clock
  readonly #maxBlockMs: number
  readonly #timer: WakeTimer
  readonly #timedOut: () => KafkaError
  #tickets = 0

  constructor(clock: Clock, maxBlockMs: number, timedOut: () => KafkaError) {
    this.#clock = clock
    this.#maxBlockMs = maxBlockMs
    this.#timedOut = timedOut
    this.#timer = new WakeTimer(clock, () => this.#expire())
  }

  get size(): number {
    return this.#entries.length
  }

  /** Grows with every send; see {@link isPast}. */
  get latestTicket(): number {
    return this.#tickets
  }

  /** Whether everything that waited when `ticket` was the latest has gone on. */
  isPast(ticket: number): boolean {
    return this.#entries.length === 0 || this.#entries[0]!.ticket > ticket
  }

  add(send: WaitingSend): void {
    const deadline = this.#clock.monotonic() + this.#maxBlockMs
    this.#entries.push({ send, deadline, ticket: ++this.#tickets })
    this.#timer.wakeAt(deadline)
  }

  /** Lets go who can. */
  proceed(): void {
    while (this.#entries.length > 0 && this.#entries[0]!.send.proceed()) this.#entries.shift()
    if (this.#entries.length === 0) this.#timer.cancel()
  }

  /** Takes out all, in order. */
  takeAll(): WaitingSend[] {
    this.#timer.cancel()
    return this.#entries.splice(0).map(({ send }) => send)
  }

  failAll(error: KafkaError): void {
    this.#timer.cancel()
    for (const { send } of this.#entries.splice(0)) send.fail(error)
  }

  #expire(): void {
    const now = this.#clock.monotonic()
    let error: KafkaError | undefined
    while (this.#entries.length > 0 && this.#entries[0]!.deadline <= now) {
      error ??= this.#timedOut()
      this.#entries.shift()!.send.fail(error)
    }
    if (this.#entries.length > 0) this.#timer.wakeAt(this.#entries[0]!.deadline)
  }
}
