// Kafka's transaction APIs as the coordinator's shard answers them: each becomes words of the shard, waits where it meets a transaction that
// is being ended, fetches a producer id where one is wanted, and gets its reply in Kafka's shape.
//
//   22 InitProducerId        with a transactional id      0-6
//   24 AddPartitionsToTxn    one transaction per request   0-5
//   25 AddOffsetsToTxn                                     0-4
//   26 EndTxn                                              0-5
//   65 DescribeTransactions  66 ListTransactions
import type { ActorContext } from '@odradek/shared/actor/actor'
import { isPortError } from '@odradek/shared/base/errors'
import { partitionForKey } from '@odradek/shared/base/java-hash'
import type { Door } from '@odradek/shared/client/port/door'
import { internalTopics } from '@odradek/shared/client/port/internal-topics'
import type { ApiName, ApiRequest, ApiResponse } from '@odradek/shared/contracts/api-map'
import type { CoordinatorRequest } from '@odradek/shared/contracts/coordinator.contract'
import { errors } from '@odradek/shared/protocol/error-codes'
import type { ShardRunner } from '../runtime/shard-runner.ts'
import type { EndedWatch } from './ended-watch.ts'
import type { FreshProducerIds } from './fresh-producer-ids.ts'
import { type TopicPartitions, union } from './topic-partitions.rules.ts'
import { isDecided } from './transaction.rules.ts'
import type { TransactionSettings } from './transaction-settings.ts'
import type { TransactionReply, TransactionShard } from './transaction-shard.ts'

export interface RequestHost {
  readonly context: Pick<ActorContext, 'clock' | 'limits'>
  readonly settings: TransactionSettings
  readonly runner: ShardRunner<TransactionShard>
  readonly door: Door
  readonly producerIds: FreshProducerIds
  readonly ends: EndedWatch
}

type Answer<A extends ApiName> = (
  host: RequestHost,
  request: ApiRequest<A>,
  apiVersion: number,
) => Promise<ApiResponse<A>>
type Settled = Exclude<TransactionReply, { readonly kind: 'parked' | 'wantsFresh' }>

const throttleTimeMs = 0

/** Undefined: not an API of transaction coordinators. */
export function answerTransactionApi(
  host: RequestHost,
  { api, apiVersion, request }: CoordinatorRequest,
): Promise<unknown> | undefined {
  return (answers[api] as Answer<any> | undefined)?.(host, request, apiVersion)
}

const initProducerId: Answer<'InitProducerId'> = async (host, request, apiVersion) => {
  const refusal = initProducerIdRefusal(host, request)
  if (refusal !== 0) return producerResponse(refusal)
  const { producerId, producerEpoch } = request
  const reply = await settle(host, request.transactionalId!, freshProducerId =>
    host.runner.submit('initProducerId', {
      transactionalId: request.transactionalId!,
      timeoutMs: request.transactionTimeoutMs,
      expected: producerId === -1 ? null : { producerId, producerEpoch },
      freshProducerId,
    }),
  )
  if (reply.kind === 'done') return producerResponse(0, reply.producerId, reply.producerEpoch)
  // Before version 4 clients know no PRODUCER_FENCED (KIP-588).
  return producerResponse(codeFor(reply, apiVersion < 4))
}

/** What is wrong with the request whatever the transaction's state. */
function initProducerIdRefusal({ settings }: RequestHost, request: ApiRequest<'InitProducerId'>): number {
  const { transactionalId, transactionTimeoutMs, producerId, producerEpoch, enable2Pc, keepPreparedTxn } = request
  if ((producerId === -1) !== (producerEpoch === -1)) return errors.INVALID_REQUEST.code
  if (transactionalId === '') return errors.INVALID_REQUEST.code
  // KIP-939, as Kafka where `transaction.two.phase.commit.enable` is false: nobody is authorized to prepare; to keep what was prepared is not served by it either.
  if (enable2Pc) return errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED.code
  if (keepPreparedTxn) return errors.UNSUPPORTED_VERSION.code
  const inRange = transactionTimeoutMs > 0 && transactionTimeoutMs <= settings.timeoutMaxMs
  return inRange ? 0 : errors.INVALID_TRANSACTION_TIMEOUT.code
}

function producerResponse(errorCode: number, producerId = -1, producerEpoch = -1): ApiResponse<'InitProducerId'> {
  return {
    throttleTimeMs,
    errorCode,
    producerId,
    producerEpoch,
    ongoingTxnProducerId: -1,
    ongoingTxnProducerEpoch: -1,
  }
}

const addPartitionsToTxn: Answer<'AddPartitionsToTxn'> = async (host, { transactions }, apiVersion) => {
  const resultsByTransaction = transactions.map(async transaction => {
    const { transactionalId } = transaction
    return { transactionalId, topicResults: await addTopics(host, transaction, apiVersion) }
  })
  return {
    throttleTimeMs,
    errorCode: 0,
    resultsByTransaction: await Promise.all(resultsByTransaction),
    resultsByTopicV3AndBelow: [],
  }
}

type Transactions = ApiRequest<'AddPartitionsToTxn'>['transactions']
type TopicResults = ApiResponse<'AddPartitionsToTxn'>['resultsByTransaction'][number]['topicResults']

async function addTopics(
  host: RequestHost,
  transaction: Transactions[number],
  apiVersion: number,
): Promise<TopicResults> {
  const { transactionalId, producerId, producerEpoch, verifyOnly } = transaction
  const partitions = transaction.topics.map(({ name: topic, partitions }) => ({ topic, partitions }))
  const results = (codeOf: (topic: string, partition: number) => number): TopicResults =>
    partitions.map(({ topic, partitions }) => ({
      name: topic,
      resultsByPartition: partitions.map(partitionIndex => ({
        partitionIndex,
        partitionErrorCode: codeOf(topic, partitionIndex),
      })),
    }))
  const within = (set: readonly TopicPartitions[], code: number, other: number) => {
    const named = new Set(set.flatMap(({ topic, partitions }) => partitions.map(partition => `${topic}-${partition}`)))
    return results((topic, partition) => (named.has(`${topic}-${partition}`) ? code : other))
  }
  if (transactionalId === '') return results(() => errors.INVALID_REQUEST.code)
  // From version 4 on other brokers' doors ask, on behalf of produce requests (KIP-890); before, clients.
  const fromDoor = apiVersion >= 4
  if (!fromDoor) {
    const refused = await leaderless(host, partitions)
    if (refused) return within(refused.partitions, refused.errorCode, errors.OPERATION_NOT_ATTEMPTED.code)
  }
  const clientTransactionVersion = fromDoor ? 2 : 1
  const asked = { transactionalId, producerId, producerEpoch, partitions, clientTransactionVersion }
  const reply = await settle(host, transactionalId, () =>
    host.runner.submit(verifyOnly ? 'verifyPartitions' : 'addPartitions', asked),
  )
  if (reply.kind === 'done') return results(() => 0)
  if (reply.kind === 'verified') return within(reply.missing, errors.TRANSACTION_ABORTABLE.code, 0)
  const code = codeFor(reply, apiVersion < 2)
  return results(() => code)
}

/**
 * Those that do not exist, or, if all do, those whose log cannot be opened (a transaction with one of them could not end); null: neither. Finding the others
 * makes their leaders known, whom the markers will need.
 */
async function leaderless(
  { door, context }: RequestHost,
  partitions: readonly TopicPartitions[],
): Promise<{ readonly partitions: readonly TopicPartitions[]; readonly errorCode: number } | null> {
  const refs = partitions.flatMap(({ topic, partitions }) => partitions.map(partition => ({ topic, partition })))
  const failing = new Set<string>()
  try {
    for (const { topic, partition, failure } of await door.leaders.find(refs, context.limits.askDeadlineMs))
      if (failure !== undefined) failing.add(`${topic}-${partition}`)
  } catch (error) {
    // Nobody to ask: the markers will find out.
    if (isPortError(error)) return null
    throw error
  }
  const absent = refs.filter(ref => !door.leaders.known(ref))
  if (absent.length === 0) return null
  const unknown = absent.filter(({ topic, partition }) => !failing.has(`${topic}-${partition}`))
  const refused = (unknown.length > 0 ? unknown : absent).map(({ topic, partition }) => ({
    topic,
    partitions: [partition],
  }))
  const { UNKNOWN_TOPIC_OR_PARTITION, KAFKA_STORAGE_ERROR } = errors
  const errorCode = (unknown.length > 0 ? UNKNOWN_TOPIC_OR_PARTITION : KAFKA_STORAGE_ERROR).code
  return { partitions: union([], refused), errorCode }
}

const addOffsetsToTxn: Answer<'AddOffsetsToTxn'> = async (host, request, apiVersion) => {
  const { transactionalId, producerId, producerEpoch, groupId } = request
  if (transactionalId === '') return { throttleTimeMs, errorCode: errors.INVALID_REQUEST.code }
  const { door, context } = host
  const groups = await door.coordinators.partitions('group', context.limits.askDeadlineMs)
  if (groups === 0) return { throttleTimeMs, errorCode: errors.COORDINATOR_NOT_AVAILABLE.code }
  const partitions = [{ topic: internalTopics.offsets, partitions: [partitionForKey(groupId, groups)] }]
  const asked = { transactionalId, producerId, producerEpoch, partitions, clientTransactionVersion: 1 }
  const reply = await settle(host, transactionalId, () => host.runner.submit('addPartitions', asked))
  return { throttleTimeMs, errorCode: codeFor(reply, apiVersion < 2) }
}

const endTxn: Answer<'EndTxn'> = async (host, request, apiVersion) => {
  const { transactionalId, producerId, producerEpoch, committed } = request
  if (transactionalId === '') return endResponse(errors.INVALID_REQUEST.code)
  const clientTransactionVersion = apiVersion >= 5 ? 2 : 1
  const deadline = deadlineOf(host)
  const reply = await settle(host, transactionalId, freshProducerId => {
    const asked = { transactionalId, producerId, producerEpoch, committed, clientTransactionVersion, freshProducerId }
    return host.runner.submit('endTxn', asked)
  })
  // Kafka answers here. Waiting for the markers costs the client nothing that its next request would not wait for, and what it
  // committed is visible when it hears of it.
  if (reply.kind === 'ending') await markersWritten(host, transactionalId, deadline)
  if (reply.kind === 'done' || reply.kind === 'ending') return endResponse(0, reply.producerId, reply.producerEpoch)
  return endResponse(codeFor(reply, apiVersion < 2))
}

function endResponse(errorCode: number, producerId = -1, producerEpoch = -1): ApiResponse<'EndTxn'> {
  return { throttleTimeMs, errorCode, producerId, producerEpoch }
}

const describeTransactions: Answer<'DescribeTransactions'> = async ({ runner }, request) => {
  const shown = await runner.submit('describe', request)
  if ('response' in shown) return shown.response
  const { errorCode } = shown.refused
  return {
    throttleTimeMs,
    transactionStates: request.transactionalIds.map(transactionalId => ({
      errorCode,
      transactionalId,
      transactionState: '',
      transactionTimeoutMs: 0,
      transactionStartTimeMs: -1,
      producerId: -1,
      producerEpoch: -1,
      topics: [],
    })),
  }
}

const listTransactions: Answer<'ListTransactions'> = async ({ runner }, request) => {
  const shown = await runner.submit('list', request)
  if ('response' in shown) return shown.response
  return { throttleTimeMs, errorCode: shown.refused.errorCode, unknownStateFilters: [], transactionStates: [] }
}

const answers: { readonly [A in ApiName]?: Answer<A> } = {
  InitProducerId: initProducerId,
  AddPartitionsToTxn: addPartitionsToTxn,
  AddOffsetsToTxn: addOffsetsToTxn,
  EndTxn: endTxn,
  DescribeTransactions: describeTransactions,
  ListTransactions: listTransactions,
}

/** Asks until the answer is final: waits while a transaction is being ended, fetches a producer id when one is wanted. */
async function settle(
  host: RequestHost,
  transactionalId: string,
  ask: (freshProducerId: number) => Promise<TransactionReply>,
): Promise<Settled> {
  const deadline = deadlineOf(host)
  let freshProducerId = -1
  for (;;) {
    const reply = await ask(freshProducerId)
    if (reply.kind === 'parked') {
      if (await ended(host, transactionalId, deadline)) continue
      return { kind: 'refused', errorCode: errors.CONCURRENT_TRANSACTIONS.code }
    }
    if (reply.kind !== 'wantsFresh') return reply
    try {
      freshProducerId = await host.producerIds.take()
    } catch (error) {
      if (!isPortError(error)) throw error
      return { kind: 'refused', errorCode: errors.COORDINATOR_LOAD_IN_PROGRESS.code }
    }
  }
}

function deadlineOf({ context }: RequestHost): number {
  return context.clock.monotonic() + context.limits.transactionWaitMs
}

/** True when the transaction is not (or no longer) being ended, so that asking again makes sense. */
async function ended(host: RequestHost, transactionalId: string, deadline: number): Promise<boolean> {
  return !isEnding(host, transactionalId) || host.ends.wait(transactionalId, deadline)
}

async function markersWritten(host: RequestHost, transactionalId: string, deadline: number): Promise<void> {
  if (isEnding(host, transactionalId)) await host.ends.wait(transactionalId, deadline)
}

function isEnding({ runner }: RequestHost, transactionalId: string): boolean {
  return isDecided(runner.state.get(transactionalId)?.metadata.status ?? 'Dead')
}

/** Kafka's code of a request that was not done. `fencedByEpoch`: its client knows no PRODUCER_FENCED (KIP-588). */
function codeFor(reply: Settled, fencedByEpoch: boolean): number {
  if (reply.kind !== 'refused') return 0
  const fenced = reply.errorCode === errors.PRODUCER_FENCED.code
  return fenced && fencedByEpoch ? errors.INVALID_PRODUCER_EPOCH.code : reply.errorCode
}
