// Which partitions to fetch next, from which endpoint, and how much. Every partition has an equal share of the prefetch bound, so that no
// fast partition crowds out the others and a paused reader costs bounded memory. Pure; called whenever something became free.

/** A partition that can be fetched now: position and leader known, not paused, not waiting out a backoff, no request on its way to the leader's endpoint. */
export interface FetchCandidate {
  readonly key: number
  /** Where its leader is reached. */
  readonly endpointId: string
  /** Fetched and not yet handed to the reader. */
  readonly bufferedBytes: number
}

export interface FetchBudget {
  /** How many share the bounds. */
  readonly partitions: number
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
export function partitionMaxBytes(budget: FetchBudget): number {
  const share = Math.floor(budget.prefetchBytesMax / Math.max(1, budget.partitions))
  return Math.min(budget.maxPartitionFetchBytes, Math.max(share, budget.fetchBytesMin))
}

/**
 * Plans one request per endpoint (as Kafka's AbstractFetch: one at a time keeps a session's epochs in order).
 * `candidates` come in fair order. A partition is left out while it has buffered its share; a partition with nothing buffered is always asked
 * for, unless the bound on records is reached.
 */
export function planFetches(candidates: readonly FetchCandidate[], budget: FetchBudget): PlannedFetch[] {
  const share = partitionMaxBytes(budget)
  const full = budget.bufferedRecords >= budget.prefetchRecordsMax
  const byEndpoint = new Map<string, number[]>()
  for (const { key, endpointId, bufferedBytes } of candidates) {
    if (bufferedBytes > 0 && (full || bufferedBytes >= share)) continue
    const keys = byEndpoint.get(endpointId)
    if (keys === undefined) byEndpoint.set(endpointId, [key])
    else keys.push(key)
  }
  return [...byEndpoint].map(([endpointId, keys]) => ({ endpointId, keys }))
}
