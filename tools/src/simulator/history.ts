// What clients did and what they were told, as plain data: the only thing that the checker looks at. Clients of a simulation (and of
// the kill -9 loops) write it, `checker.rules` reads it. Times are milliseconds since the run began, across restarts.
import type { TopicPartition } from '@odradek/shared/contracts/consumer.contract'

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

/** A transaction as its client knows it. */
export interface TransactionRun {
  readonly id: string
  readonly producer: string
  /** `aborted`: it was aborted, or nobody ever asked for its commit. `unknown`: a commit was asked for, and nobody said what became of it. */
  outcome: 'committed' | 'aborted' | 'unknown'
  /** When its commit was asked for; infinite: never. */
  commitAskedAt: number
  /** When the client was told that it is committed; infinite: never. */
  endedAt: number
  /** The offset that it carried for its own group; null: none. Grows with every transaction of a group. */
  offset: number | null
}

/** A committed offset as somebody saw it, of a group whose offsets come from transactions. */
export interface OffsetSighting {
  /** The producer whose transactions carry the group's offset. */
  readonly producer: string
  readonly offset: number
  readonly askedAt: number
  readonly at: number
}

/** A member held a partition of its group, by its hooks. */
export interface Tenure extends TopicPartition {
  readonly groupId: string
  /** One consumer, from its creation to its end. */
  readonly member: string
  /** Only a dead member of this group is taken for dead. */
  readonly isFirm: boolean
  readonly assignedAt: number
  endedAt: number
  /** `gone`: it died, was fenced for good, or was closed. Null: it still held it when the process ended. */
  ending: 'revoked' | 'lost' | 'gone' | null
}

/** A member asked for a commit. */
export interface OffsetCommit extends TopicPartition {
  readonly groupId: string
  readonly member: string
  readonly offset: number
  readonly sentAt: number
  /** Infinite: refused, or nobody knows. */
  ackedAt: number
}

/** A static member began, or was told that another one has its `group.instance.id`. */
export interface InstanceEvent {
  readonly kind: 'began' | 'fenced'
  readonly groupId: string
  readonly instanceId: string
  readonly member: string
  readonly at: number
}

/** A topic that must hold another one's records, each once. */
export interface Copy {
  readonly from: string
  readonly to: string
}

export class History {
  readonly topics = new Map<string, Durability>()
  readonly sends: Send[] = []
  readonly reads: Read[] = []
  readonly sessions: SessionStart[] = []
  readonly crashes: Crash[] = []
  readonly transactions: TransactionRun[] = []
  readonly offsetSightings: OffsetSighting[] = []
  readonly tenures: Tenure[] = []
  readonly commits: OffsetCommit[] = []
  readonly instances: InstanceEvent[] = []
  readonly copies: Copy[] = []
  /** What copies hold, read when everything was over. */
  readonly copied: Read[] = []
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

  readCopy(record: Omit<Read, 'at' | 'reader' | 'session'>): void {
    this.copied.push({ ...record, reader: 'final', session: 0, at: this.#now() })
  }

  /** A transaction is about to begin. Until its commit is asked for, nothing of it may ever be seen. */
  beganTransaction(id: string, producer: string): TransactionRun {
    const run: TransactionRun = {
      id,
      producer,
      outcome: 'aborted',
      commitAskedAt: Number.POSITIVE_INFINITY,
      endedAt: Number.POSITIVE_INFINITY,
      offset: null,
    }
    this.transactions.push(run)
    return run
  }

  askedForCommit(run: TransactionRun): void {
    Object.assign(run, { outcome: 'unknown', commitAskedAt: this.#now() })
  }

  ended(run: TransactionRun, outcome: 'committed' | 'aborted'): void {
    Object.assign(run, { outcome, endedAt: this.#now() })
  }

  sawOffset(sighting: Omit<OffsetSighting, 'at'>): void {
    this.offsetSightings.push({ ...sighting, at: this.#now() })
  }

  assigned(tenure: Pick<Tenure, 'groupId' | 'member' | 'isFirm' | 'topic' | 'partition'>): Tenure {
    const begun: Tenure = {
      ...tenure,
      assignedAt: this.#now(),
      endedAt: Number.POSITIVE_INFINITY,
      ending: null,
    }
    this.tenures.push(begun)
    return begun
  }

  tenureEnded(tenure: Tenure, ending: 'revoked' | 'lost' | 'gone'): void {
    Object.assign(tenure, { endedAt: this.#now(), ending })
  }

  committing(commit: Omit<OffsetCommit, 'sentAt' | 'ackedAt'>): OffsetCommit {
    const sent: OffsetCommit = { ...commit, sentAt: this.#now(), ackedAt: Number.POSITIVE_INFINITY }
    this.commits.push(sent)
    return sent
  }

  commitAcknowledged(commit: OffsetCommit): void {
    commit.ackedAt = this.#now()
  }

  instance(event: Omit<InstanceEvent, 'at'>): void {
    this.instances.push({ ...event, at: this.#now() })
  }

  crashed(powerLost: boolean): void {
    this.crashes.push({ at: this.#now(), powerLost })
  }
}
