// The hands of a transactional producer, in the sender's thread: runs producer-transaction.machine and speaks with the coordinators. Knows both protocols: with
// transaction.version 2 (KIP-890) partitions and offsets join by themselves and each end bumps the epoch; with 0 and 1 the coordinator is told first.
import type { ActorContext } from '@odradek/shared/actor/actor'
import { runTable, type TableEffects, type TableRun } from '@odradek/shared/actor/machine-table-run'
import { assert } from '@odradek/shared/base/assert'
import { type ErrorData, PortError } from '@odradek/shared/base/errors'
import { backoffMs } from '@odradek/shared/client/backoff.rules'
import type { ClusterLink } from '@odradek/shared/client/cluster-link'
import type { ApiName, ApiRequest, ApiResponse } from '@odradek/shared/contracts/api-map'
import type { TransactionOffsets } from '@odradek/shared/contracts/sender.contract'
import { errorOf } from '@odradek/shared/protocol/error-codes'
import { NO_REPLY } from './outcome.rules.ts'
import { portFailure } from './producer-errors.ts'
import { producerTransactionMachine } from './producer-transaction.machine.ts'
import type { SenderPolicy } from './sender-policy.ts'
import type { ProducerIdentity } from './sequences.rules.ts'
import { pauseAfter } from './succession.rules.ts'
import { transactionOutcome } from './transaction-errors.rules.ts'
import { abortableError, fatalError, isFatal, refusedError, stateError, timedOut } from './transaction-failures.ts'
import { TransactionTurns } from './transaction-turns.ts'

/** Kafka's wait before an AddPartitionsToTxn that met the end of the previous transaction is repeated. */
const CONCURRENT_BACKOFF_MS = 20

/**
 * Apache Kafka's brokers ask a transaction's coordinator on behalf of one request at a time: of offsets and records that come together it refuses one in four for the moment, which
 * takes a client's whole backoff. After such a refusal offsets wait for the records, for so long; then both are tried together again.
 */
const OFFSETS_APART_MS = 60_000

const ABORTED: ErrorData = { code: 'ODK_TRANSACTION_ABORTED', message: 'the transaction was aborted' }

export interface TransactionManagerHost {
  readonly context: ActorContext
  readonly link: ClusterLink
  readonly policy: SenderPolicy & { readonly transactionalId: string }
  /** Batches may go out, at the end of this turn. */
  drain(): void
  /** Nothing follows the batches that were taken: they go out now. */
  drainNow(): void
  /** Resolves when no batch waits (`batches`) or no request is in flight. */
  idle(batches: boolean): Promise<void>
  /** Returns how many there were. */
  dropBatches(error: ErrorData): number
  failAll(error: ErrorData): void
}

type Settle = { readonly resolve: () => void; readonly reject: (error: PortError) => void }

export class TransactionManager {
  readonly #host: TransactionManagerHost
  readonly #machine: TableRun<typeof producerTransactionMachine>
  /** Why the transaction, or the producer, cannot go on. */
  #error: ErrorData | null = null
  /** Who asked for the step that is under way. */
  #asker: Settle | null = null
  /** Answers that go with the asker's. */
  readonly #waitForEnd: (() => void)[] = []
  #deadline = 0
  #identity: ProducerIdentity | null = null
  /** transaction.version 2. */
  #isImplicit = false
  /** Partitions that the coordinator knows to be in the transaction (or, implicit, will learn from the batch). */
  readonly #added = new Set<string>()
  readonly #toAdd = new Map<string, { readonly topic: string; readonly partition: number }>()
  #isAdding = false
  /** Settles when no partitions are being added. */
  #partitionsAdded: Promise<void> = Promise.resolve()
  #hasOffsets = false
  /** Settles when no offsets are on their way. */
  #offsetsSent: Promise<void> = Promise.resolve()
  #hasFailed = false
  readonly #turns = new TransactionTurns(() => {
    this.#followsAt = null
  })
  /** How long a transaction waits behind the end of the one that it follows. Milliseconds. */
  #pauseMs = 0
  /** Clock until which offsets wait for the records that came with them. */
  #apartUntil = 0
  /** Clock when the transaction began, as long as what had come for it meanwhile is being done; else null. */
  #followsAt: number | null = null

  constructor(host: TransactionManagerHost) {
    this.#host = host
    this.#machine = runTable(host.context, producerTransactionMachine, {
      effects: this.#effects(),
      settled: () => this.#turns.goOn(),
    })
  }

  #effects(): TableEffects<typeof producerTransactionMachine> {
    const host = this.#host
    return {
      initProducerId: () => void this.#initProducerId(),
      useIdentity: event => {
        assert('identity' in event, 'who goes on has an identity')
        this.#error = null
        this.#useIdentity(event.identity)
      },
      drain: () => host.drain(),
      keepError: event => {
        assert('error' in event, 'what fails says why')
        this.#error = event.error
      },
      dropBatches: () => {
        if (host.dropBatches(this.#error ?? ABORTED) > 0) this.#hasFailed = true
      },
      commitTransaction: () => void this.#endTransaction(true),
      abortTransaction: () => void this.#endTransaction(false),
      failAll: () => {
        const error = this.#error ?? ABORTED
        host.failAll(error)
        this.#answer(error)
      },
    }
  }

  get state(): string {
    return this.#machine.state
  }

  get identity(): ProducerIdentity | null {
    return this.#identity
  }

  get mayDrain(): boolean {
    return this.state === 'InTransaction' || this.state === 'CommittingTransaction'
  }

  /** Why batches are refused now; null: they are taken. */
  get refusal(): ErrorData | null {
    if (this.state === 'AbortableError') return abortableError(this.#error!)
    return this.mayDrain || this.state === 'FatalError' ? null : stateError(this.state, 'send')
  }

  init(maxBlockMs: number): Promise<void> {
    return this.#ask(maxBlockMs, 'init', ['Uninitialized'], () => this.#machine.send({ type: 'transactions.init' }))
  }

  /** While a transaction is being committed the next one waits for it, and a moment longer where that is shorter in the end (succession.rules). */
  begin(): void {
    let [hasWaited, mayBegin] = [false, true]
    this.#turns.add(() => {
      if (this.state === 'CommittingTransaction') {
        hasWaited = true
        return false
      }
      if (hasWaited && this.#pauseMs >= 1) {
        hasWaited = false
        mayBegin = false
        this.#host.context.clock.after(this.#pauseMs, () => {
          mayBegin = true
          this.#turns.goOn()
        })
      }
      if (mayBegin) this.#begin()
      return mayBegin
    })
  }

  /** What would follow a transaction that has failed meanwhile does not begin: its caller is being told. */
  #begin(): void {
    if (this.state === 'AbortableError') return
    this.#followsAt = this.#host.context.clock.monotonic()
    this.#machine.send({ type: 'transaction.begin' })
  }

  /** Does what belongs to the transaction that was begun last: now, or when that has its turn. When the one before has failed, it is refused for the same reason. */
  inTurn<T>(work: () => T | Promise<T>): T | Promise<T> {
    return this.#turns.inTurn(work)
  }

  end(committed: boolean, maxBlockMs: number): Promise<void> {
    const error = this.#error
    if (committed && this.state === 'AbortableError') throw new PortError(abortableError(error!))
    const from = committed ? ['InTransaction'] : ['InTransaction', 'AbortableError']
    return this.#ask(maxBlockMs, committed ? 'commit' : 'abort', from, () =>
      this.#machine.send({ type: committed ? 'transaction.commit' : 'transaction.abort' }),
    )
  }

  /** A batch failed for good. */
  batchFailed(error: ErrorData, fatal: boolean): void {
    this.#hasFailed = true
    this.#machine.send({ type: fatal ? 'transaction.fatal' : 'transaction.failed', error })
    if (!fatal) this.#answer(abortableError(error))
  }

  /** Whether a batch may go to the partition now. */
  mayProduce(topic: string, partition: number): boolean {
    const key = `${topic}-${partition}`
    if (this.#added.has(key)) return true
    if (this.#isImplicit) {
      this.#added.add(key)
      return true
    }
    this.#toAdd.set(key, { topic, partition })
    if (!this.#isAdding) this.#partitionsAdded = this.#addPartitions()
    return false
  }

  /** An end that is asked for meanwhile waits for it; a commit fails if it does. */
  sendOffsets(offsets: TransactionOffsets, maxBlockMs: number): Promise<void> {
    if (this.state === 'FatalError') throw new PortError(this.#error!)
    if (this.state !== 'InTransaction') throw new PortError(this.refusal ?? stateError(this.state, 'sendOffsets'))
    this.#deadline = this.#host.context.clock.monotonic() + maxBlockMs
    const sent = this.#sendOffsets(offsets, maxBlockMs)
    // Resolves with nothing: each result would hold the one before it, for as long as the producer lives.
    this.#offsetsSent = Promise.allSettled([this.#offsetsSent, sent]).then(() => undefined)
    return sent
  }

  async #sendOffsets(given: TransactionOffsets, maxBlockMs: number): Promise<void> {
    const { groupId, generationId: generationIdOrMemberEpoch, memberId, groupInstanceId, offsets } = given
    const { transactionalId } = this.#host.policy
    const { producerId, producerEpoch } = this.#identity!
    this.#hasOffsets = true
    try {
      const { clock } = this.#host.context
      if (this.#apartUntil > clock.monotonic()) {
        await this.#recordsSent()
        this.#deadline = clock.monotonic() + maxBlockMs
      }
      if (!this.#isImplicit) {
        const added = { transactionalId, producerId, producerEpoch, groupId }
        await this.#request('transaction', transactionalId, 'AddOffsetsToTxn', added, r => r.errorCode)
      }
      const commit = {
        transactionalId,
        producerId,
        producerEpoch,
        groupId,
        generationIdOrMemberEpoch,
        memberId,
        groupInstanceId,
        topics: byTopic(offsets),
      }
      await this.#request('group', groupId, 'TxnOffsetCommit', commit, response =>
        response.topics.flatMap(({ partitions }) => partitions).reduce((code, { errorCode }) => code || errorCode, 0),
      )
    } catch (thrown) {
      const wasCommitting = this.state === 'CommittingTransaction'
      const error = this.#failed(thrown)
      if (wasCommitting) this.#answer(error)
      throw error
    }
  }

  /**
   * Settles when the records have been answered that came in the same turn, before or after; but where records keep coming, after no more than the backoff that is to be
   * avoided.
   */
  async #recordsSent(): Promise<void> {
    const { context, idle, policy } = this.#host
    await new Promise<void>(resolve => context.defer(resolve))
    await new Promise<void>(resolve => {
      const timer = context.clock.after(policy.retryBackoffMs, resolve)
      void idle(true).then(() => {
        timer.cancel()
        resolve()
      })
    })
  }

  #ask(maxBlockMs: number, what: string, from: readonly string[], send: () => void): Promise<void> {
    const fatal = this.state === 'FatalError' ? this.#error : null
    if (fatal !== null) throw new PortError(fatal)
    if (this.#asker !== null || !from.includes(this.state)) throw new PortError(stateError(this.state, what))
    this.#deadline = this.#host.context.clock.monotonic() + maxBlockMs
    return new Promise((resolve, reject) => {
      this.#asker = { resolve, reject }
      send()
    })
  }

  /** Resolves with the answer to a commit that is under way; at once when there is none. */
  whenEnded(): Promise<void> | undefined {
    if (this.#asker === null || this.state !== 'CommittingTransaction') return undefined
    return new Promise(resolve => void this.#waitForEnd.push(resolve))
  }

  #answer(error: ErrorData | null): void {
    const asker = this.#asker
    this.#asker = null
    if (error === null) asker?.resolve()
    else asker?.reject(new PortError(error))
    for (const resolve of this.#waitForEnd.splice(0)) resolve()
  }

  #useIdentity(identity: ProducerIdentity): void {
    this.#identity = identity
    this.#added.clear()
    this.#toAdd.clear()
    this.#hasOffsets = false
    this.#hasFailed = false
    this.#answer(null)
  }

  async #initProducerId(): Promise<void> {
    try {
      this.#machine.send({
        type: 'init.succeeded',
        identity: await this.#newIdentity({ producerId: -1, producerEpoch: -1 }),
      })
    } catch (thrown) {
      const error = portFailure(thrown)
      if (isFatal(error)) this.#machine.send({ type: 'transaction.fatal', error })
      else {
        this.#machine.send({ type: 'init.failed' })
        this.#answer(error)
      }
    }
  }

  async #newIdentity(present: ProducerIdentity): Promise<ProducerIdentity> {
    const { transactionalId, transactionTimeoutMs } = this.#host.policy
    const request = { transactionalId, transactionTimeoutMs, ...present, enable2Pc: false, keepPreparedTxn: false }
    const { producerId, producerEpoch } = await this.#request(
      'transaction',
      transactionalId,
      'InitProducerId',
      request,
      response => response.errorCode,
    )
    return { producerId, producerEpoch }
  }

  async #endTransaction(committed: boolean): Promise<void> {
    // With what asks the coordinator for the offsets' sake, so that one entry of its log tells of both.
    if (committed) this.#host.drainNow()
    const { clock } = this.#host.context
    const followsAt = this.#followsAt
    // A commit waits for its batches; an abort for what is on the wire, which must not arrive after the end, and whose answer is not the next transaction's.
    await Promise.all([this.#host.idle(committed), this.#offsetsSent, this.#partitionsAdded])
    if (this.state !== (committed ? 'CommittingTransaction' : 'AbortingTransaction')) return
    const joinedAt = clock.monotonic()
    try {
      const identity = await this.#identityAfterEnd(committed)
      if (followsAt !== null)
        this.#pauseMs = pauseAfter(this.#pauseMs, joinedAt - followsAt, clock.monotonic() - joinedAt)
      this.#machine.send({ type: 'transaction.ended', identity })
    } catch (thrown) {
      if (committed) this.#answer(this.#failed(thrown))
      else this.#machine.send({ type: 'transaction.fatal', error: fatalError(portFailure(thrown)) })
    }
  }

  async #identityAfterEnd(committed: boolean): Promise<ProducerIdentity> {
    const identity = this.#identity!
    const { transactionalId } = this.#host.policy
    const isEmpty = this.#added.size === 0 && !this.#hasOffsets
    let next = identity
    if (!isEmpty) {
      const request = { transactionalId, ...identity, committed }
      const response = await this.#request('transaction', transactionalId, 'EndTxn', request, r => r.errorCode)
      if (response.producerId >= 0) next = { producerId: response.producerId, producerEpoch: response.producerEpoch }
    }
    // Dropped batches have left holes in the sequences: without a bump by EndTxn the coordinator is asked for one (KIP-360).
    const isBumped = next.producerId !== identity.producerId || next.producerEpoch !== identity.producerEpoch
    return this.#hasFailed && !isBumped ? this.#newIdentity(identity) : next
  }

  async #addPartitions(): Promise<void> {
    this.#isAdding = true
    try {
      while (this.#toAdd.size > 0) {
        const adding = [...this.#toAdd]
        this.#deadline = this.#host.context.clock.monotonic() + this.#host.policy.transactionTimeoutMs
        await this.#addToTransaction(adding.map(([, where]) => where))
        for (const [key] of adding) {
          this.#toAdd.delete(key)
          this.#added.add(key)
        }
        this.#host.drain()
      }
    } catch (thrown) {
      this.#toAdd.clear()
      this.#failed(thrown)
    } finally {
      this.#isAdding = false
    }
  }

  async #addToTransaction(
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<void> {
    const { transactionalId } = this.#host.policy
    const { producerId, producerEpoch } = this.#identity!
    const names = [...new Set(partitions.map(({ topic }) => topic))]
    const topics = names.map(name => ({
      name,
      partitions: partitions.filter(({ topic }) => topic === name).map(({ partition }) => partition),
    }))
    const request = {
      transactions: [],
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: topics,
    }
    await this.#request('transaction', transactionalId, 'AddPartitionsToTxn', request, response => {
      const results = response.resultsByTopicV3AndBelow.flatMap(({ resultsByPartition }) => resultsByPartition)
      return results.reduce((code, { partitionErrorCode }) => code || partitionErrorCode, response.errorCode)
    })
  }

  /** Asks a coordinator until it answers for good or the deadline passes. Throws PortError with data that says how bad it is. */
  async #request<A extends ApiName>(
    kind: 'group' | 'transaction',
    key: string,
    api: A,
    request: ApiRequest<A>,
    errorCodeOf: (response: ApiResponse<A>) => number,
  ): Promise<ApiResponse<A>> {
    const { clock } = this.#host.context
    for (let attempt = 0; ; attempt++) {
      const { errorCode, response } = await this.#attempt(kind, key, api, request, errorCodeOf)
      const outcome = transactionOutcome(api, errorCode)
      if (outcome.kind === 'done') return response!
      if (outcome.kind !== 'again') throw new PortError(refusedError(api, errorCode, outcome.kind === 'fatal'))
      if (outcome.elsewhere) this.#host.link.forgetCoordinator(kind, key)
      if (api === 'TxnOffsetCommit' && errorCode !== NO_REPLY) this.#apartUntil = clock.monotonic() + OFFSETS_APART_MS
      const wait = this.#backoff(errorCode, attempt)
      if (clock.monotonic() + wait > this.#deadline) throw new PortError(timedOut(api, errorCode))
      await new Promise<void>(resolve => void clock.after(wait, resolve))
    }
  }

  async #attempt<A extends ApiName>(
    kind: 'group' | 'transaction',
    key: string,
    api: A,
    request: ApiRequest<A>,
    errorCodeOf: (response: ApiResponse<A>) => number,
  ): Promise<{ errorCode: number; response?: ApiResponse<A> }> {
    const { link, policy, context } = this.#host
    const deadlineMs = Math.max(1, Math.min(policy.requestTimeoutMs, this.#deadline - context.clock.monotonic()))
    try {
      const endpoint = await link.coordinator(kind, key, { deadlineMs })
      if (kind === 'transaction') this.#isImplicit = link.featureLevel('transaction.version') >= 2
      const response = await link.request(endpoint, api, request, { deadlineMs })
      return { errorCode: errorCodeOf(response), response }
    } catch (thrown) {
      const { detail } = portFailure(thrown)
      const kafkaCode = (detail as { kafkaCode?: number } | undefined)?.kafkaCode
      if (thrown instanceof PortError) return { errorCode: NO_REPLY }
      if (kafkaCode !== undefined) return { errorCode: kafkaCode }
      throw thrown
    }
  }

  #backoff(errorCode: number, attempt: number): number {
    if (errorOf(errorCode).name === 'CONCURRENT_TRANSACTIONS') return CONCURRENT_BACKOFF_MS
    const { retryBackoffMs, retryBackoffMaxMs } = this.#host.policy
    return backoffMs(
      { initialMs: retryBackoffMs, maxMs: retryBackoffMaxMs },
      attempt,
      this.#host.context.random.float(),
    )
  }

  /** The transaction, or the producer, is lost by what was thrown. */
  #failed(thrown: unknown): PortError & ErrorData {
    const error = portFailure(thrown)
    if (isFatal(error)) this.#machine.send({ type: 'transaction.fatal', error })
    else {
      this.#hasFailed = true
      this.#machine.send({ type: 'transaction.failed', error })
    }
    return new PortError(isFatal(error) ? error : abortableError(error))
  }
}

function byTopic(offsets: TransactionOffsets['offsets']): ApiRequest<'TxnOffsetCommit'>['topics'] {
  return [...new Set(offsets.map(({ topic }) => topic))].map(name => ({
    name,
    partitions: offsets
      .filter(({ topic }) => topic === name)
      .map(({ partition, offset, leaderEpoch, metadata }) => ({
        partitionIndex: partition,
        committedOffset: offset,
        committedLeaderEpoch: leaderEpoch,
        committedMetadata: metadata,
      })),
  }))
}
