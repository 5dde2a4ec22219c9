// How long to wait before trying again (KIP-580; Kafka's ExponentialBackoff): doubling, capped, with jitter of 20 %. Pure.

export interface Backoff {
  /** Wait before the first retry, milliseconds. */
  readonly initialMs: number
  readonly maxMs: number
}

const JITTER = 0.2

/** Milliseconds before retry number `attempt` (0 the first). `random` is uniform in [0, 1). */
export function backoffMs({ initialMs, maxMs }: Backoff, attempt: number, random: number): number {
  const exponential = Math.min(initialMs * 2 ** Math.min(attempt, 31), Math.max(initialMs, maxMs))
  return exponential * (1 - JITTER + 2 * JITTER * random)
}
