// Parked fetches (Kafka: DelayedFetch): who waits for how much, who is woken by a commit, and that only so many wait. Bytes are counted
// on a ruler that starts at 0 when the leader opens and grows with every byte appended; a fetch waits for a mark on it.

/** A fetch that waits. `Reply` is whatever the leader needs to answer it. */
export interface ParkedFetch<Reply> {
  /** Place on the ruler from which enough is readable. */
  readonly wakeAt: number
  /** Reads only below the last stable offset, so only what is decided counts. */
  readonly readCommitted: boolean
  readonly reply: Reply
}

/** All parked fetches of a leader; each list is sorted by `wakeAt`, so a commit looks only at those that it wakes. */
export interface FetchWaits<Reply> {
  readonly uncommitted: ParkedFetch<Reply>[]
  readonly committed: ParkedFetch<Reply>[]
  readonly max: number
  high: number
}

export function noFetchWaits<Reply>(max: number): FetchWaits<Reply> {
  return { uncommitted: [], committed: [], max, high: 0 }
}

export function waitingCount(waits: FetchWaits<unknown>): number {
  return waits.uncommitted.length + waits.committed.length
}

/** Where the ruler must be before a fetch that could read `available` of its `minBytes` now is worth waking. */
export function wakeMark(ruler: number, available: number, minBytes: number): number {
  return ruler + Math.max(minBytes - available, 1)
}

/** True when a fetch is to be answered with what there is: enough is readable, it will not wait, or nobody else may wait. */
export function isSatisfied(
  available: number,
  { minBytes, maxWaitMs }: { minBytes: number; maxWaitMs: number },
): boolean {
  return available >= minBytes || maxWaitMs <= 0
}

/** Parks a fetch; false when the bound is reached, and the fetch is to be answered with what there is. */
export function park<Reply>(waits: FetchWaits<Reply>, fetch: ParkedFetch<Reply>): boolean {
  const waiting = waitingCount(waits)
  if (waiting >= waits.max) return false
  const list = fetch.readCommitted ? waits.committed : waits.uncommitted
  list.splice(placeOf(list, fetch.wakeAt), 0, fetch)
  waits.high = Math.max(waits.high, waiting + 1)
  return true
}

/** Takes a fetch out: its wait is over, or its asker has gone. False when it was not parked any more. */
export function unpark<Reply>(waits: FetchWaits<Reply>, fetch: ParkedFetch<Reply>): boolean {
  const list = fetch.readCommitted ? waits.committed : waits.uncommitted
  const at = list.indexOf(fetch)
  if (at < 0) return false
  list.splice(at, 1)
  return true
}

/** Takes out all who have what they waited for; `appended` and `stable` are the ruler at the high watermark and at the LSO. */
export function takeWoken<Reply>(
  waits: FetchWaits<Reply>,
  { appended, stable }: { readonly appended: number; readonly stable: number },
): ParkedFetch<Reply>[] {
  const uncommitted = waits.uncommitted.splice(0, placeOf(waits.uncommitted, appended))
  if (waits.committed.length === 0) return uncommitted
  const committed = waits.committed.splice(0, placeOf(waits.committed, stable))
  return committed.length === 0 ? uncommitted : uncommitted.concat(committed)
}

/** Takes out everybody: the leader ends, or readers must look again. */
export function takeAll<Reply>(waits: FetchWaits<Reply>): ParkedFetch<Reply>[] {
  return takeWoken(waits, { appended: Number.POSITIVE_INFINITY, stable: Number.POSITIVE_INFINITY })
}

/** First index whose mark is beyond `mark`: equal marks stay in the order of arrival. */
function placeOf(list: readonly { readonly wakeAt: number }[], mark: number): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (list[middle]!.wakeAt <= mark) low = middle + 1
    else high = middle
  }
  return low
}
