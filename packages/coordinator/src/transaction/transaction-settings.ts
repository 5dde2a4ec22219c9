// The broker configs that transaction coordinators obey, as numbers.
export interface TransactionSettings {
  /** `transaction.max.timeout.ms`. */
  readonly timeoutMaxMs: number
  /** `transaction.abort.timed.out.transaction.cleanup.interval.ms`. */
  readonly timeoutSweepMs: number
  /** `transaction.remove.expired.transaction.cleanup.interval.ms`. */
  readonly expirationSweepMs: number
  /** `transactional.id.expiration.ms`. */
  readonly idExpirationMs: number
}

/** Effective broker configs in; what is missing has Kafka's default. */
export function transactionSettings(configs: { readonly [name: string]: string }): TransactionSettings {
  const number = (name: string, fallback: number) => Number(configs[name] ?? fallback)
  return {
    timeoutMaxMs: number('transaction.max.timeout.ms', 900_000),
    timeoutSweepMs: number('transaction.abort.timed.out.transaction.cleanup.interval.ms', 10_000),
    expirationSweepMs: number('transaction.remove.expired.transaction.cleanup.interval.ms', 3_600_000),
    idExpirationMs: number('transactional.id.expiration.ms', 604_800_000),
  }
}
