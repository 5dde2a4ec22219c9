// DescribeTransactions and ListTransactions (KIP-664, KIP-994, KIP-1152): what a coordinator shows of its transactional ids.
import { errors } from '@odradek/shared/protocol/error-codes'
import type {
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
  TransactionState,
} from '@odradek/shared/protocol/messages/65-describe-transactions'
import type {
  ListTransactionsRequest,
  ListTransactionsResponse,
} from '@odradek/shared/protocol/messages/66-list-transactions'
import { type BoundedPattern, compilePattern, PatternError } from '../runtime/bounded-pattern.rules.ts'
import type { TransactionMetadata } from './transaction.records.ts'
import { transactionStatuses } from './transaction.records.ts'
import type { Transaction } from './transaction.rules.ts'

type Transactions = ReadonlyMap<string, Transaction>

export function describeTransactions(
  transactions: Transactions,
  { transactionalIds }: DescribeTransactionsRequest,
): DescribeTransactionsResponse {
  const transactionStates = transactionalIds.map(transactionalId => {
    const transaction = transactions.get(transactionalId)
    return transaction === undefined ? notFound(transactionalId) : described(transaction.metadata)
  })
  return { throttleTimeMs: 0, transactionStates }
}

function described(metadata: TransactionMetadata): TransactionState {
  const { transactionalId, status, timeoutMs, startMs, producerId, producerEpoch, partitions } = metadata
  return {
    errorCode: 0,
    transactionalId,
    transactionState: status,
    transactionTimeoutMs: timeoutMs,
    transactionStartTimeMs: startMs,
    producerId,
    producerEpoch,
    topics: partitions.map(({ topic, partitions }) => ({ topic, partitions: [...partitions] })),
  }
}

function notFound(transactionalId: string): TransactionState {
  return {
    errorCode: errors.TRANSACTIONAL_ID_NOT_FOUND.code,
    transactionalId,
    transactionState: '',
    transactionTimeoutMs: 0,
    transactionStartTimeMs: -1,
    producerId: -1,
    producerEpoch: -1,
    topics: [],
  }
}

/** Filters are joined by "and"; a state that nobody knows is named in the reply and matches nothing. */
export function listTransactions(
  transactions: Transactions,
  request: ListTransactionsRequest,
  now: number,
): ListTransactionsResponse {
  const { stateFilters, producerIdFilters, durationFilter } = request
  const unknownStateFilters = stateFilters.filter(state => !transactionStatuses.has(state))
  const pattern = patternOf(request.transactionalIdPattern)
  if (pattern === 'invalid') {
    const errorCode = errors.INVALID_REGULAR_EXPRESSION.code
    return { throttleTimeMs: 0, errorCode, unknownStateFilters, transactionStates: [] }
  }
  const states = new Set(stateFilters)
  const producerIds = new Set(producerIdFilters)
  const transactionStates = []
  for (const { metadata } of transactions.values()) {
    const { transactionalId, producerId, status, startMs } = metadata
    if (states.size > 0 && !states.has(status)) continue
    if (producerIds.size > 0 && !producerIds.has(producerId)) continue
    // As Kafka: a transaction that has not begun runs since 1970.
    if (durationFilter >= 0 && now - startMs <= durationFilter) continue
    if (pattern !== null && !pattern(transactionalId)) continue
    transactionStates.push({ transactionalId, producerId, transactionState: status })
  }
  return { throttleTimeMs: 0, errorCode: 0, unknownStateFilters, transactionStates }
}

/** Matches whole ids, as Kafka's; null and empty match all. In bounded time: a client's pattern must not occupy the coordinator. */
function patternOf(pattern: string | null): BoundedPattern | null | 'invalid' {
  if (pattern === null || pattern === '') return null
  try {
    return compilePattern(pattern)
  } catch (error) {
    if (error instanceof PatternError) return 'invalid'
    throw error
  }
}
