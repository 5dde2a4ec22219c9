// When each record should be sent. Latency is counted from this intended time, not from when the client got round to it, so that a stall shows in every
// record that it held up (coordinated omission). Pure.

export interface Pace {
  /** Milliseconds since 1970 of the first record. */
  readonly startMs: number
  /** Records per second; null: as fast as it goes. */
  readonly rate: number | null
}

/** Milliseconds since 1970 when record number `index` should be sent. */
export function intendedMs({ startMs, rate }: Pace, index: number, nowMs: number): number {
  return rate === null ? nowMs : startMs + (index * 1_000) / rate
}

/**
 * Where the measured time of a client begins, milliseconds since 1970: when what it measures first should have been sent, but not before measuring began. A
 * client that came late to a rate would otherwise seem faster than its rate.
 */
export function measuredFromMs(
  pace: Pace,
  intended: number,
  { sentMs, measureMs }: { sentMs: number; measureMs: number },
): number {
  return pace.rate === null ? sentMs : Math.max(intended, measureMs)
}

/** How many records should have been sent by now. */
export function dueRecords({ startMs, rate }: Pace, nowMs: number): number {
  if (nowMs < startMs) return 0
  return rate === null ? Number.POSITIVE_INFINITY : Math.floor(((nowMs - startMs) * rate) / 1_000) + 1
}

/** Splits `total` over `workers` as evenly as integers go. */
export function shareOf(total: number, workers: number, worker: number): number {
  return Math.floor(total / workers) + (worker < total % workers ? 1 : 0)
}

/** Whether transaction number `index` is one of those that are aborted: `share` of them, evenly spread. */
export function isAborted(index: number, share: number): boolean {
  return Math.floor((index + 1) * share) > Math.floor(index * share)
}
