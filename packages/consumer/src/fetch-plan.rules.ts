// Which partitions to fetch next, from which endpoint, and how much. Every partition has an equal share of the prefetch bound, so that no
// fast partition crowds out the others and a paused reader costs bounded memory. Pure; called whenever something became free.

/** A partition that could be fetched, as the fetcher sees it now. */
export interface FetchCandidate {
  readonly key: number
  /** Where its leader is reached; null while unknown. */
  readonly endpointId: string | null
  /** Position known, not paused, not waiting out a backoff. */
  readonly ready: boolean
  /** Fetched and not yet handed to the reader. */
  readonly bufferedBytes: number
}

export interface FetchBudget {
  /** Bound of what is buffered in all partitions. */
  readonly prefetchBytesMax: number
  readonly prefetchRecordsMax: number
  /** Buffered now, in all partitions. */
  readonly bufferedRecords: number
  /** `max.partition.fetch.bytes`. */
  readonly maxPartitionFetchBytes: number
  /** Never ask for less: a share of a thousand partitions would be too small to be worth a request. */
  readonly fetchBytesMin: number
}

/** One Fetch request to be sent. */
export interface PlannedFetch {
  readonly endpointId: string
  readonly keys: readonly number[]
}

/** Bytes to ask for per partition: its share of the prefetch bound, within `max.partition.fetch.bytes`. */
export function partitionMaxBytes(partitions: number, budget: FetchBudget): number {
  const share = Math.floor(budget.prefetchBytesMax / Math.max(1, partitions))
  return Math.min(budget.maxPartitionFetchBytes, Math.max(share, budget.fetchBytesMin))
}

/**
 * Plans at most one request per endpoint that is not in `busy` (as Kafka's AbstractFetch: one at a time keeps a session's epochs in order).
 * `candidates` come in fair order. A partition is left out while it has buffered its share; a partition with nothing buffered is always asked
 * for, unless the bound on records is reached.
 */
export function planFetches(
  candidates: readonly FetchCandidate[],
  busy: ReadonlySet<string>,
  budget: FetchBudget,
): PlannedFetch[] {
  const share = partitionMaxBytes(candidates.length, budget)
  const full = budget.bufferedRecords >= budget.prefetchRecordsMax
  const byEndpoint = new Map<string, number[]>()
  for (const { key, endpointId, ready, bufferedBytes } of candidates) {
    if (!ready || endpointId === null || busy.has(endpointId)) continue
    if (bufferedBytes > 0 && (full || bufferedBytes >= share)) continue
    const keys = byEndpoint.get(endpointId)
    if (keys === undefined) byEndpoint.set(endpointId, [key])
    else keys.push(key)
  }
  return [...byEndpoint].map(([endpointId, keys]) => ({ endpointId, keys }))
}
