// How long a transaction waits behind the end of the one that it follows. Apache Kafka answers EndTxn before the markers are written, and whatever comes of the next
// transaction meanwhile is put off by 20 ms (`add.partitions.to.txn.retry.backoff.ms`; clients wait as long after CONCURRENT_TRANSACTIONS): a little patience is
// shorter. A broker that answers when the markers are written needs none. Which of them it is, and how long its markers take, the times say. Pure.

/** A transaction whose records and offsets took this much longer than its end was put off. Milliseconds. */
const PUT_OFF_MS = 15
const STEP_MS = 1
const EASE_MS = 0.1
const PAUSE_MAX_MS = 10

/** The next pause in milliseconds, after a transaction whose records and offsets took `joinedMs`, and its end `endMs`. */
export function pauseAfter(pauseMs: number, joinedMs: number, endMs: number): number {
  const wasPutOff = joinedMs - endMs >= PUT_OFF_MS
  return wasPutOff ? Math.min(PAUSE_MAX_MS, pauseMs + STEP_MS) : Math.max(0, pauseMs - EASE_MS)
}
