// Who waits for a reply of the shard, by ticket: from the request until its reply left, however often it was put off. Called by the
// shard runner only.
import type { Ticket } from './effects.ts'

interface Asker {
  readonly name: string
  readonly request: unknown
  readonly answer: (reply: any) => void
}

export class Askers {
  readonly max: number
  readonly #askers = new Map<Ticket, Asker>()
  #last = 0
  #high = 0

  constructor(max: number) {
    this.max = max
  }

  get size(): number {
    return this.#askers.size
  }

  /** The most that ever waited. */
  get high(): number {
    return this.#high
  }

  get isFull(): boolean {
    return this.#askers.size >= this.max
  }

  add(name: string, request: unknown, answer: (reply: any) => void): Ticket {
    this.#last++
    const ticket = this.#last as Ticket
    this.#askers.set(ticket, { name, request, answer })
    this.#high = Math.max(this.#high, this.#askers.size)
    return ticket
  }

  /** Answers; nothing happens when the ticket is not (or no longer) known. */
  answer(ticket: Ticket, reply: unknown): void {
    const asker = this.#askers.get(ticket)
    if (asker === undefined) return
    this.#askers.delete(ticket)
    asker.answer(reply)
  }

  /** Those that `except` does not name, oldest first. */
  *others(except: ReadonlySet<Ticket>): Generator<{ ticket: Ticket; name: string; request: unknown }> {
    for (const [ticket, { name, request }] of [...this.#askers]) {
      if (!except.has(ticket)) yield { ticket, name, request }
    }
  }
}
