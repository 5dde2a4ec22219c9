// Which transactions are undecided in a partition, and what follows from that: the last stable offset, what an abort marker adds to the
// log's index of aborted transactions, and what a read_committed fetch is told (Kafka: ProducerStateManager, TransactionIndex).
import type { AbortedTransaction, ProducerState } from '../log/partition-log.ts'

/** An undecided transaction of one producer. */
export interface OngoingTransaction {
  readonly producerId: number
  readonly firstOffset: number
  /** Bytes that the leader had appended before `firstOffset`: where a read_committed reader's bytes end meanwhile. */
  readonly position: number
}

/**
 * The undecided transactions by producer id, in the order in which they began: offsets only grow, so the order in which they are
 * inserted is the order of `firstOffset` and the oldest one is the first.
 */
export type OngoingTransactions = ReadonlyMap<number, OngoingTransaction>

/** What one group commit will have changed, kept apart until it has happened. */
export interface TransactionChanges {
  readonly started: Map<number, OngoingTransaction>
  /** Producers whose transaction, open before the group, was decided by it. */
  readonly ended: Set<number>
  readonly aborted: AbortedTransaction[]
}

export function noTransactionChanges(): TransactionChanges {
  return { started: new Map(), ended: new Set(), aborted: [] }
}

/** The ongoing transactions of a log that was just opened; nothing was appended by this leader yet, so positions are 0. */
export function loadOngoing(states: readonly ProducerState[]): Map<number, OngoingTransaction> {
  const open = states.filter(state => state.currentTxnFirstOffset >= 0)
  open.sort((a, b) => a.currentTxnFirstOffset - b.currentTxnFirstOffset)
  return new Map(
    open.map(({ producerId, currentTxnFirstOffset }) => [
      producerId,
      { producerId, firstOffset: currentTxnFirstOffset, position: 0 },
    ]),
  )
}

/** The oldest undecided transaction as it will be after `changes`. */
export function oldestUndecided(
  ongoing: OngoingTransactions,
  { started, ended }: Pick<TransactionChanges, 'started' | 'ended'> = NOTHING,
): OngoingTransaction | undefined {
  for (const transaction of ongoing.values()) if (!ended.has(transaction.producerId)) return transaction
  for (const transaction of started.values()) return transaction
  return undefined
}

const NOTHING = { started: new Map<number, OngoingTransaction>(), ended: new Set<number>() }

/** Kafka's last stable offset: everything below is decided and below the high watermark. */
export function lastStableOffset(highWatermark: number, oldest: OngoingTransaction | undefined): number {
  return oldest === undefined ? highWatermark : Math.min(highWatermark, oldest.firstOffset)
}

/** Notes that a batch at `firstOffset` began a transaction. */
export function transactionStarted(changes: TransactionChanges, transaction: OngoingTransaction): void {
  changes.started.set(transaction.producerId, transaction)
}

/** Notes a marker that decided a producer's transaction. An abort goes into the index with the LSO that it makes. */
export function transactionEnded(
  ongoing: OngoingTransactions,
  changes: TransactionChanges,
  marker: {
    readonly producerId: number
    readonly offset: number
    readonly committed: boolean
    readonly firstOffset: number
  },
): void {
  const { producerId, offset, committed, firstOffset } = marker
  if (!changes.started.delete(producerId)) changes.ended.add(producerId)
  if (committed) return
  const stable = lastStableOffset(offset + 1, oldestUndecided(ongoing, changes))
  changes.aborted.push({ producerId, firstOffset, lastOffset: offset, lastStableOffset: stable })
}

/** Makes a group's changes true, after its commit. Mutates `ongoing`, which only the leader holds. */
export function applyTransactionChanges(ongoing: Map<number, OngoingTransaction>, changes: TransactionChanges): void {
  for (const producerId of changes.ended) ongoing.delete(producerId)
  for (const transaction of changes.started.values()) ongoing.set(transaction.producerId, transaction)
}

/** FetchResponse's AbortedTransactions: ordered by first offset, so that a reader can merge them with the batches. */
export function abortedForFetch(
  aborted: readonly AbortedTransaction[],
): { readonly producerId: number; readonly firstOffset: number }[] {
  return aborted
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))
    .sort((a, b) => a.firstOffset - b.firstOffset)
}

/** How long after its timeout a transaction may take to get its marker (Kafka: ProducerStateManager.LATE_TRANSACTION_BUFFER_MS). */
const LATE_TRANSACTION_BUFFER_MS = 5 * 60 * 1_000

/**
 * Transactions that their coordinator should have ended by now (Kafka: PartitionsWithLateTransactionsCount; what `find-hanging` of
 * KIP-664 looks for): open, and their producer silent for longer than the largest timeout and the time that markers may take.
 */
export function lateTransactions(
  states: Iterable<ProducerState>,
  { now, transactionMaxTimeoutMs }: { readonly now: number; readonly transactionMaxTimeoutMs: number },
): number {
  const silentSince = now - transactionMaxTimeoutMs - LATE_TRANSACTION_BUFFER_MS
  let late = 0
  for (const { currentTxnFirstOffset, lastTimestamp } of states) {
    if (currentTxnFirstOffset >= 0 && lastTimestamp < silentSince) late++
  }
  return late
}
