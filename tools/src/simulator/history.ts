// What clients did and what they were told, as plain data: the only thing that the checker looks at. Clients of a simulation (and of
// the kill -9 loops) write it, `checker.rules` reads it. Times are milliseconds since the run began, across restarts.

/** What a record was promised to survive besides the death of its process, from its topic's configs. */
export type Durability =
  /** `flush.messages=1`: also power loss. */
  | { readonly kind: 'everyCommit' }
  /** `flush.ms`: also power loss, once it is that old. */
  | { readonly kind: 'interval'; readonly flushMs: number }
  /** Kafka's default: power loss may take it. */
  | { readonly kind: 'none' }

export type SendOutcome =
  /** `offset` is where it is. */
  | 'acknowledged'
  /** The client knows that it was never sent. */
  | 'refused'
  /** It may or may not be in the log. */
  | 'unknown'

/** One record that a producer was given. Values are unique in a history. */
export interface Send {
  readonly producer: string
  /** False: duplicates and disorder are allowed. */
  readonly idempotent: boolean
  readonly topic: string
  readonly key: string | null
  readonly value: string
  readonly sentAt: number
  /** Id of the transaction that it belongs to. */
  readonly transaction: string | null
  outcome: SendOutcome
  endedAt: number
  /** -1 while not acknowledged; with `acks=0` for ever. */
  partition: number
  offset: number
}

/** One record that a reader was given. */
export interface Read {
  readonly reader: string
  /** Grows when the reader began anew, or jumped, in that partition. */
  readonly session: number
  readonly committedOnly: boolean
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: string
  readonly at: number
}

/** A reader began at an offset. */
export interface SessionStart {
  readonly reader: string
  readonly session: number
  readonly topic: string
  readonly partition: number
  readonly from: number
}

/** The process ended without warning. */
export interface Crash {
  readonly at: number
  /** True: the machine did, with all that was not flushed. */
  readonly powerLost: boolean
}

export interface TransactionEnd {
  readonly id: string
  readonly outcome: 'committed' | 'aborted' | 'unknown'
}

export class History {
  readonly topics = new Map<string, Durability>()
  readonly sends: Send[] = []
  readonly reads: Read[] = []
  readonly sessions: SessionStart[] = []
  readonly crashes: Crash[] = []
  readonly transactions: TransactionEnd[] = []
  /** All partitions from their beginning, read when everything was over. */
  readonly final: Read[] = []
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** A producer is about to be given a record. */
  sending(record: Pick<Send, 'producer' | 'idempotent' | 'topic' | 'key' | 'value'> & { transaction?: string }): Send {
    const send: Send = {
      transaction: null,
      ...record,
      sentAt: this.#now(),
      outcome: 'unknown',
      endedAt: Number.POSITIVE_INFINITY,
      partition: -1,
      offset: -1,
    }
    this.sends.push(send)
    return send
  }

  acknowledged(send: Send, { partition, offset }: { readonly partition: number; readonly offset: bigint }): void {
    Object.assign(send, { outcome: 'acknowledged', endedAt: this.#now(), partition, offset: Number(offset) })
  }

  failed(send: Send, outcome: 'refused' | 'unknown'): void {
    Object.assign(send, { outcome, endedAt: this.#now() })
  }

  began(session: SessionStart): void {
    this.sessions.push(session)
  }

  read(record: Omit<Read, 'at'>): void {
    this.reads.push({ ...record, at: this.#now() })
  }

  readFinally(record: Omit<Read, 'at' | 'reader' | 'session'>): void {
    this.final.push({ ...record, reader: 'final', session: 0, at: this.#now() })
  }

  crashed(powerLost: boolean): void {
    this.crashes.push({ at: this.#now(), powerLost })
  }
}
