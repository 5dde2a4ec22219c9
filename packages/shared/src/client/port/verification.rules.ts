// What a transaction coordinator's refusal to vouch for a partition (KIP-890) becomes on its way to a client, who may know nothing of
// verification. Java: AddPartitionsToTxnManager, ReplicaManager.handleProduceAppend, CoordinatorPartitionWriter.
import { errors } from '../../protocol/error-codes.ts'

/** First Produce version whose clients let the append itself add the partition. */
export const PRODUCE_ADDS_VERSION = 12
/** First TxnOffsetCommit version whose clients let the commit itself add the group's partition. */
export const OFFSET_COMMIT_ADDS_VERSION = 5
/** First versions whose clients know TRANSACTION_ABORTABLE. */
const PRODUCE_ABORTABLE_VERSION = 11
const OFFSET_COMMIT_ABORTABLE_VERSION = 4

/** Another try may find the coordinator ready. */
const passing: ReadonlySet<number> = new Set([
  errors.CONCURRENT_TRANSACTIONS.code,
  errors.NETWORK_EXCEPTION.code,
  errors.REQUEST_TIMED_OUT.code,
  errors.COORDINATOR_LOAD_IN_PROGRESS.code,
  errors.COORDINATOR_NOT_AVAILABLE.code,
  errors.NOT_COORDINATOR.code,
])

/** The code in a Produce reply for the coordinator's `code`. */
export function produceRefusal(code: number, apiVersion: number): number {
  if (apiVersion >= PRODUCE_ADDS_VERSION && code === errors.CONCURRENT_TRANSACTIONS.code) return code
  // Producers look for another leader, or give up, on a coordinator's codes; this one they repeat.
  if (passing.has(code)) return errors.NOT_ENOUGH_REPLICAS.code
  return commonRefusal(code, apiVersion >= PRODUCE_ABORTABLE_VERSION)
}

/** The code in a TxnOffsetCommit reply for the coordinator's `code`. */
export function offsetCommitRefusal(code: number, apiVersion: number): number {
  if (apiVersion >= OFFSET_COMMIT_ADDS_VERSION && code === errors.CONCURRENT_TRANSACTIONS.code) return code
  // The client asks the group's coordinator: what is wrong with another one is no reason to look for a new one.
  if (passing.has(code)) return errors.COORDINATOR_LOAD_IN_PROGRESS.code
  return commonRefusal(code, apiVersion >= OFFSET_COMMIT_ABORTABLE_VERSION)
}

function commonRefusal(code: number, knowsAbortable: boolean): number {
  if (code === errors.PRODUCER_FENCED.code) return errors.INVALID_PRODUCER_EPOCH.code
  if (code === errors.TRANSACTION_ABORTABLE.code && !knowsAbortable) return errors.INVALID_TXN_STATE.code
  return code
}
