// When an open transaction of a partition hangs: it is older than any transaction may be, and its coordinator does not have it (KIP-664,
// `kafka-transactions find-hanging`). Pure.
import type { ActiveProducer, TransactionDescription } from './transaction-words.ts'

/** Open, and silent for longer than a transaction may take. */
export function isSuspect(
  { transactionStartOffset, lastTimestamp }: Pick<ActiveProducer, 'transactionStartOffset' | 'lastTimestamp'>,
  now: number,
  maxTransactionTimeoutMs: number,
): boolean {
  return transactionStartOffset !== null && now - lastTimestamp > maxTransactionTimeoutMs
}

/** `coordinated`: what the coordinator has of this producer id; undefined when it knows none. A coordinator that still lists the partition will end it. */
export function isHanging(
  { topic, partition }: Pick<ActiveProducer, 'topic' | 'partition'>,
  coordinated: Pick<TransactionDescription, 'partitions'> | undefined,
): boolean {
  return !coordinated?.partitions.some(each => each.topic === topic && each.partition === partition)
}
