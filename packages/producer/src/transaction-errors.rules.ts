// What a coordinator's error code means for a transactional producer (Kafka: TransactionManager's request handlers, KIP-588, KIP-890, KIP-1050). Pure.
import type { ApiName } from '@odradek/shared/contracts/api-map'
import { type ErrorName, errorOf } from '@odradek/shared/protocol/error-codes'

/**
 * - `done`: no error. - `again`: after a backoff; `elsewhere`: and the coordinator must be looked up anew.
 * - `abortable`: the transaction is lost, the producer is not. - `fatal`: the producer is of no use any more.
 */
export type TransactionOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'again'; readonly elsewhere: boolean }
  | { readonly kind: 'abortable' }
  | { readonly kind: 'fatal' }

const elsewhere: ReadonlySet<ErrorName> = new Set(['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE', 'NETWORK_EXCEPTION'])

const abortable: ReadonlySet<ErrorName> = new Set([
  'TRANSACTION_ABORTABLE',
  'INVALID_PRODUCER_ID_MAPPING',
  'UNKNOWN_PRODUCER_ID',
  'GROUP_AUTHORIZATION_FAILED',
  'TOPIC_AUTHORIZATION_FAILED',
  'OPERATION_NOT_ATTEMPTED',
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'REBALANCE_IN_PROGRESS',
  'STALE_MEMBER_EPOCH',
  'FENCED_INSTANCE_ID',
  'OFFSET_METADATA_TOO_LARGE',
  'INVALID_COMMIT_OFFSET_SIZE',
])

export function transactionOutcome(api: ApiName, errorCode: number): TransactionOutcome {
  const { name, retriable } = errorOf(errorCode)
  // A commit that came too late: the coordinator has aborted. The abort that follows is answered with the epoch to go on with (KIP-588); Java's producer ends here.
  if (api === 'EndTxn' && name === 'INVALID_TXN_STATE') return { kind: 'abortable' }
  if (name === 'NONE') return { kind: 'done' }
  if (elsewhere.has(name)) return { kind: 'again', elsewhere: true }
  if (retriable || name === 'CONCURRENT_TRANSACTIONS') return { kind: 'again', elsewhere: false }
  return { kind: abortable.has(name) ? 'abortable' : 'fatal' }
}

/** Whether the code says that a newer producer with the same transactional id took over. */
export function isFenced(errorCode: number): boolean {
  const { name } = errorOf(errorCode)
  return name === 'PRODUCER_FENCED' || name === 'INVALID_PRODUCER_EPOCH'
}
