// Transactions: which there are, what they hold, ending those that hang (Java: `Admin.listTransactions`, `describeTransactions`, `describeProducers`,
// `abortTransaction`, `forceTerminateTransaction`; KIP-664).

import {
  integer,
  list,
  nameIn,
  namesIn,
  optionsIn,
  partitionFields,
  partitionsIn,
  text,
  textList,
} from '../call-input.ts'
import { brokerError, settle, throwBrokerError } from './admin-errors.ts'
import { type AdminCall, type AdminSession, type Attempt, adminFields, retryWhilePassing } from './admin-session.ts'
import { askCoordinator, askEveryBroker } from './coordinator-call.ts'
import { isHanging, isSuspect } from './hanging.rules.ts'
import { byTopic, leadersOf, type PartitionId } from './records-admin.ts'
import type {
  ActiveProducer,
  HangingTransaction,
  TransactionDescription,
  TransactionListing,
} from './transaction-words.ts'

export type * from './transaction-words.ts'

export interface ListTransactionsOptions extends AdminCall {
  /** Only these states, in Kafka's words. Default all. */
  readonly states?: readonly string[]
  readonly producerIds?: readonly number[]
  /** Only those that have been open for longer, in milliseconds (KIP-994). Default any. */
  readonly longerThanMs?: number
  /** Only ids that this regular expression (RE2) matches as a whole (KIP-1152). */
  readonly pattern?: string
}

export interface FindHangingOptions extends AdminCall {
  /** Transactions that wrote within so many milliseconds are not suspected (`transaction.max.timeout.ms`). Default 900000. */
  readonly maxTransactionTimeoutMs?: number
}

/** Which transaction of which partition is to be aborted: {@link TransactionsAdmin.producers} tells. */
export interface AbortTarget extends PartitionId {
  readonly producerId: number
  readonly producerEpoch: number
  /** Of the producer's last marker there, as the partition knows it. */
  readonly coordinatorEpoch: number
}

const abortFields = { ...partitionFields, producerId: integer, producerEpoch: integer, coordinatorEpoch: integer }
const DEFAULT_MAX_TIMEOUT_MS = 15 * 60_000

export class TransactionsAdmin {
  readonly #session: AdminSession

  constructor(session: AdminSession) {
    this.#session = session
  }

  /** Sorted by transactional id. */
  async list(options: ListTransactionsOptions = {}): Promise<readonly TransactionListing[]> {
    const fields = { ...adminFields, states: textList, producerIds: list, longerThanMs: integer, pattern: text }
    const given = optionsIn('transactions.list', options, fields)
    const { states = [], producerIds = [], longerThanMs = -1, pattern = null, ...call } = given
    return this.#session.run(call, attempt =>
      listAll(attempt, {
        stateFilters: [...states],
        producerIdFilters: [...producerIds],
        durationFilter: longerThanMs,
        transactionalIdPattern: pattern,
      }),
    )
  }

  /** In the order given. Rejects with PartialAdminError (`TRANSACTIONAL_ID_NOT_FOUND`) if any is not there. */
  async describe(ids: string | readonly string[], call: AdminCall = {}): Promise<readonly TransactionDescription[]> {
    const list = namesIn('transactions.describe', ids)
    return this.#session.run(call, attempt => describeAll(attempt, list))
  }

  /** Producers that the leaders of partitions remember. */
  async producers(partitions: readonly PartitionId[], call: AdminCall = {}): Promise<readonly ActiveProducer[]> {
    partitionsIn('transactions.producers', partitions)
    return this.#session.run(call, attempt => producersOf(attempt, partitions))
  }

  /** Transactions of these partitions that no coordinator will ever end: too old, and unknown to the one that should have them. */
  async findHanging(
    partitions: readonly PartitionId[],
    options: FindHangingOptions = {},
  ): Promise<readonly HangingTransaction[]> {
    const fields = { ...adminFields, maxTransactionTimeoutMs: integer }
    const given = optionsIn('transactions.findHanging', options, fields)
    const { maxTransactionTimeoutMs = DEFAULT_MAX_TIMEOUT_MS, ...call } = given
    partitionsIn('transactions.findHanging', partitions)
    return this.#session.run(call, async attempt => {
      const producers = await producersOf(attempt, partitions)
      const suspects = producers.filter(producer => isSuspect(producer, attempt.now, maxTransactionTimeoutMs))
      if (suspects.length === 0) return []
      const listings = await listAll(attempt, {
        stateFilters: [],
        producerIdFilters: [...new Set(suspects.map(({ producerId }) => producerId))],
        durationFilter: -1,
        transactionalIdPattern: null,
      })
      const described = await describeAll(
        attempt,
        listings.map(({ transactionalId }) => transactionalId),
      )
      const byProducer = new Map(described.map(each => [each.producerId, each]))
      return suspects
        .filter(suspect => isHanging(suspect, byProducer.get(suspect.producerId)))
        .map(suspect => ({ ...suspect, transactionalId: byProducer.get(suspect.producerId)?.transactionalId ?? null }))
    })
  }

  /** Writes an abort marker into one partition, past the coordinator: for hanging transactions only. */
  async abort(target: AbortTarget, call: AdminCall = {}): Promise<void> {
    partitionsIn('transactions.abort', [target], abortFields)
    const { topic, partition, producerId, producerEpoch, coordinatorEpoch } = target
    await this.#session.run(call, async attempt => {
      const marker = {
        producerId,
        producerEpoch,
        transactionResult: false,
        topics: [{ name: topic, partitionIndexes: [partition] }],
        // A partition without a marker of this producer says -1, which no marker may carry.
        coordinatorEpoch: Math.max(coordinatorEpoch, 0),
        transactionVersion: 0,
      }
      const [endpoint] = (await leadersOf(attempt, [{ topic, partition }])).keys()
      const { markers } = await attempt.ask(endpoint!, 'WriteTxnMarkers', { markers: [marker] })
      const code = markers[0]!.topics[0]!.partitions[0]!.errorCode
      const error = brokerError(`${topic}-${partition}`, code)
      retryWhilePassing(error)
      if (error !== null) throw error
    })
  }

  /** Ends the open transaction of an id through its coordinator, by fencing its producer. Its producer then fails with `INVALID_PRODUCER_EPOCH`. */
  async terminate(transactionalId: string, call: AdminCall = {}): Promise<void> {
    nameIn('transactions.terminate', transactionalId)
    await this.#session.run(call, async attempt => {
      const request = {
        transactionalId,
        transactionTimeoutMs: Math.ceil(attempt.options.deadlineMs),
        producerId: -1,
        producerEpoch: -1,
        enable2Pc: false,
        keepPreparedTxn: false,
      }
      const key = { kind: 'transaction', key: transactionalId } as const
      const { errorCode } = await askCoordinator(attempt, key, 'InitProducerId', request, answer => [answer.errorCode])
      throwBrokerError(transactionalId, errorCode)
    })
  }
}

async function listAll(
  attempt: Attempt,
  request: Parameters<typeof askEveryBroker<'ListTransactions'>>[2],
): Promise<readonly TransactionListing[]> {
  const found = new Map<string, TransactionListing>()
  for (const { errorCode, transactionStates } of await askEveryBroker(attempt, 'ListTransactions', request)) {
    const error = brokerError('transactions', errorCode)
    retryWhilePassing(error)
    if (error !== null) throw error
    for (const { transactionalId, producerId, transactionState } of transactionStates)
      found.set(transactionalId, { transactionalId, producerId, state: transactionState })
  }
  return [...found.values()].sort((a, b) => (a.transactionalId < b.transactionalId ? -1 : 1))
}

async function describeAll(attempt: Attempt, ids: readonly string[]): Promise<readonly TransactionDescription[]> {
  const outcomes = await Promise.all(
    ids.map(async id => {
      const key = { kind: 'transaction', key: id } as const
      const request = { transactionalIds: [id] }
      const { transactionStates } = await askCoordinator(attempt, key, 'DescribeTransactions', request, answer =>
        answer.transactionStates.map(({ errorCode }) => errorCode),
      )
      const state = transactionStates[0]!
      const { nodeId } = await attempt.link.coordinator('transaction', id, attempt.options)
      const description: TransactionDescription = {
        transactionalId: id,
        producerId: state.producerId,
        producerEpoch: state.producerEpoch,
        state: state.transactionState,
        timeoutMs: state.transactionTimeoutMs,
        startTime: state.transactionStartTimeMs < 0 ? null : state.transactionStartTimeMs,
        partitions: state.topics.flatMap(({ topic, partitions }) =>
          partitions.map(partition => ({ topic, partition })),
        ),
        coordinatorId: nodeId,
      }
      return { name: id, error: brokerError(id, state.errorCode), description }
    }),
  )
  settle(outcomes)
  return outcomes.map(({ description }) => description)
}

async function producersOf(attempt: Attempt, partitions: readonly PartitionId[]): Promise<readonly ActiveProducer[]> {
  if (partitions.length === 0) return []
  const groups = await leadersOf(attempt, partitions)
  const asked = [...groups].map(async ([endpoint, part]) => {
    const topics = byTopic(part, ({ partition }) => partition)
    const request = { topics: topics.map(({ name, partitions: partitionIndexes }) => ({ name, partitionIndexes })) }
    return (await attempt.ask(endpoint, 'DescribeProducers', request)).topics
  })
  const answers = (await Promise.all(asked))
    .flat()
    .flatMap(({ name, partitions: each }) => each.map(partition => ({ topic: name, ...partition })))
  const outcomes = answers.map(({ topic, partitionIndex, errorCode, errorMessage }) => {
    const name = `${topic}-${partitionIndex}`
    return { name, error: brokerError(name, errorCode, errorMessage) }
  })
  for (const { error } of outcomes) retryWhilePassing(error)
  settle(outcomes)
  return answers.flatMap(({ topic, partitionIndex, activeProducers }) =>
    activeProducers.map(({ currentTxnStartOffset, ...producer }) => ({
      topic,
      partition: partitionIndex,
      ...producer,
      transactionStartOffset: currentTxnStartOffset < 0 ? null : BigInt(currentTxnStartOffset),
    })),
  )
}
