// Who waits for a reply of the shard, by ticket: from the request until its reply or its refusal, however often it was put off. Called by
// the shard runner only.
import type { Log } from '@odradek/shared/actor/actor'
import { NO_TICKET, type Ticket } from './effects.ts'
import { type RefusalReason, refusalOf } from './refusal.rules.ts'
import type { HandlersOf, ShardTypes, WordsOf } from './shard.ts'
import type { Entry } from './shard-entries.ts'

interface Asker<T extends ShardTypes> {
  readonly name: WordsOf<T>
  readonly request: any
  readonly answer: (reply: any) => void
}

/** Why nothing came of it. `leaderErrorCode`: what the leader answered, where it is its doing. */
export interface Refused {
  readonly reason: RefusalReason
  readonly message: string
  readonly leaderErrorCode?: number
}

export class Askers<T extends ShardTypes> {
  readonly max: number
  readonly #handlers: HandlersOf<T>
  readonly #log: Log
  readonly #askers = new Map<Ticket, Asker<T>>()
  #last = 0
  #high = 0

  constructor(handlers: HandlersOf<T>, { max, log }: { readonly max: number; readonly log: Log }) {
    this.#handlers = handlers
    this.max = max
    this.#log = log
  }

  get size(): number {
    return this.#askers.size
  }

  /** The most that ever waited. */
  get high(): number {
    return this.#high
  }

  /** A ticket for the reply; undefined when too many wait, and it was refused. */
  add(name: WordsOf<T>, request: unknown, answer: (reply: any) => void): Ticket | undefined {
    if (this.#askers.size >= this.max) {
      const refusal = refusalOf('full', `more than ${this.max} requests are unanswered`)
      answer(this.#handlers[name].refuse(request, refusal))
      return undefined
    }
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

  /** Tells whoever waits for the entry, in the shape of its word; of what the shard asked itself the log hears. */
  refuse(entry: Entry<T>, { reason, message, leaderErrorCode }: Refused): void {
    const refusal = refusalOf(reason, message, leaderErrorCode)
    if (entry.kind === 'marker') entry.answer({ errorCode: refusal.errorCode })
    else if (entry.ticket === NO_TICKET) {
      this.#log.error({ word: entry.name, reason }, `refused a decision of the shard's own: ${message}`)
    } else this.answer(entry.ticket, this.#handlers[entry.name].refuse(entry.request, refusal))
  }

  /** Refuses everybody, oldest first, but those whose questions are `waiting`. */
  refuseOthers(waiting: Iterable<Entry<T>>, { reason, message }: Refused): void {
    const except = new Set<Ticket>()
    for (const entry of waiting) if (entry.kind === 'question') except.add(entry.ticket)
    const refusal = refusalOf(reason, message)
    for (const [ticket, { name, request }] of [...this.#askers]) {
      if (!except.has(ticket)) this.answer(ticket, this.#handlers[name].refuse(request, refusal))
    }
  }
}
