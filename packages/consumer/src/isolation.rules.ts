// Which batches of a fetched range a reader sees: never control batches, and with read_committed never those of aborted
// transactions (Kafka's CompletedFetch). Pure; works on the range's batches in offset order.

/** Kafka's IsolationLevel id; 0 is READ_UNCOMMITTED. */
const READ_COMMITTED = 1

/** A transaction that ended in an abort marker, as a fetch lists them: its producer and the offset of its first record. */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

/** What the filter needs to know of a batch. */
export interface BatchView {
  readonly producerId: number
  readonly lastOffset: number
  readonly isTransactional: boolean
  readonly isControl: boolean
  /** True for a control batch that holds an abort marker. */
  readonly isAbortMarker: boolean
}

/** Filters the batches of one fetched range; ask in offset order. */
export interface IsolationFilter {
  /** True when the reader sees the batch's records. */
  shows(batch: BatchView): boolean
}

const SHOWS_DATA: IsolationFilter = { shows: batch => !batch.isControl }

/**
 * The filter for one partition's fetched range. `aborted` is the fetch response's list (null or empty with read_uncommitted).
 * A transaction of the list hides its producer's transactional batches from its first offset up to its abort marker.
 */
export function isolationFilter(
  isolationLevel: number,
  aborted: readonly AbortedTransaction[] | null | undefined,
): IsolationFilter {
  if (isolationLevel !== READ_COMMITTED || !aborted || aborted.length === 0) return SHOWS_DATA
  // The protocol lists them by first offset; older brokers did not promise it.
  const pending = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  const aborting = new Set<number>()
  let next = 0
  return {
    shows(batch) {
      for (; next < pending.length && pending[next]!.firstOffset <= batch.lastOffset; next++) {
        aborting.add(pending[next]!.producerId)
      }
      if (batch.isControl) {
        if (batch.isAbortMarker) aborting.delete(batch.producerId)
        return false
      }
      return !(batch.isTransactional && aborting.has(batch.producerId))
    },
  }
}
