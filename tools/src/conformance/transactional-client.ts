// What every real client with transactions can be asked here: commit, abort, fence, copy with offsets in the transaction, read what is committed. Each answers with
// its own public API and default settings.

export interface TransactionToWrite {
  readonly values: readonly string[]
  /** False: abort, when the records are in the log. */
  readonly commit: boolean
}

export interface CopyJob {
  readonly from: string
  readonly to: string
  readonly groupId: string
  readonly transactionalId: string
  /** Records in `from`. */
  readonly count: number
  /** Records per transaction, about. */
  readonly perTransaction: number
}

export interface TransactionalClient {
  readonly name: string
  /** In one fetch it hides only the last aborted transaction of a producer: its own fault, in FINDINGS.md. */
  readonly hidesOneAbort?: true
  /** Writes one transaction after the other with one producer. */
  transact(topic: string, transactionalId: string, transactions: readonly TransactionToWrite[]): Promise<void>
  /**
   * A producer with an open transaction that holds `zombie`; another with the same id, which commits `successor`; then the first tries to commit. Resolves with
   * what it was told.
   */
  fence(topic: string, transactionalId: string, values: { zombie: string; successor: string }): Promise<string>
  /**
   * Copies records as a member of a group, each to its own partition, with the group's offsets in the transactions. Every second transaction is aborted first,
   * and what it held is read again.
   */
  copy(job: CopyJob): Promise<void>
  /** Values with read_committed from the beginning up to the value `end` of each partition, in the order of each partition, without the ends. */
  readCommitted(topic: string, partitions: number): Promise<readonly string[]>
  close(): Promise<void>
}

export interface TransactionalClientKind {
  readonly name: string
  /** Why it cannot run here, with what to do; null when it can. */
  readonly missing: string | null
  open(bootstrapServers: string): Promise<TransactionalClient>
}

/** Collects values until each partition has ended. */
export class CommittedValues {
  readonly values: string[] = []
  #open: number

  constructor(partitions: number) {
    this.#open = partitions
  }

  /** True when nothing more is to come. */
  add(value: string): boolean {
    if (value === 'end') this.#open--
    else this.values.push(value)
    return this.#open === 0
  }
}
