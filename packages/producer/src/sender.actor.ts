// The sender of one producer: wires the sender contract to its machine, its lines and its link to the cluster. One per producer, on a thread of its
// own while the budget lasts; the producer in the caller's thread is its only asker.
import { type ActorContext, actorModule, defineActor, type Handlers } from '@odradek/shared/actor/actor'
import { type MachineRun, runMachine } from '@odradek/shared/actor/machine-runner'
import { type ErrorData, PortError } from '@odradek/shared/base/errors'
import { backoffMs } from '@odradek/shared/client/backoff.rules'
import type { ClusterLink } from '@odradek/shared/client/cluster-link'
import { openClusterLink } from '@odradek/shared/client/open-link'
import {
  type SenderAppendRequest,
  type SenderAppendResponse,
  type SenderContract,
  sender,
} from '@odradek/shared/contracts/sender.contract'
import { errorOf } from '@odradek/shared/protocol/error-codes'
import { ProduceLoop } from './produce-loop.ts'
import { errorData, portFailure } from './producer-errors.ts'
import { senderMachine } from './sender.machine.ts'
import type { SenderInput, SenderPolicy } from './sender-policy.ts'
import { PRODUCER_EPOCH_MAX, type ProducerIdentity } from './sequences.rules.ts'
import { TopicWatch } from './topic-watch.ts'
import { TransactionManager } from './transaction-manager.ts'

export const senderModule = actorModule<SenderContract, SenderInput>(
  sender,
  new URL('./sender.actor.ts', import.meta.url),
)

export const actor = defineActor<SenderContract, SenderInput>({
  kind: 'sender',
  contract: sender,
  async start(context, { link, policy }) {
    return new Sender(context, await openClusterLink(context, link), policy).handlers()
  },
})

const CLOSED = errorData('ODK_PRODUCER_CLOSED', 'the producer was closed')

/** The actor's state; exported for tests, which give it a link of their own. */
export class Sender {
  readonly #context: ActorContext
  readonly #link: ClusterLink
  readonly #policy: SenderPolicy
  readonly #loop: ProduceLoop
  readonly #topics: TopicWatch
  readonly #machine: MachineRun<typeof senderMachine>
  readonly #transactions: TransactionManager | null
  #ownIdentity: ProducerIdentity | null = null

  constructor(context: ActorContext, link: ClusterLink, policy: SenderPolicy) {
    this.#context = context
    this.#link = link
    this.#policy = policy
    this.#loop = new ProduceLoop({
      context,
      link,
      policy,
      mayDrain: () => this.#machine.state === 'Sending' && (this.#transactions?.mayDrain ?? true),
      identity: () => this.#identity,
      bumpEpoch: () => this.#bumpEpoch(),
      mayProduce: (topic, partition) => this.#transactions?.mayProduce(topic, partition) ?? true,
      refresh: topic => this.#topics.refresh(topic),
      batchFailed: (error, fatal) => {
        if (this.#transactions !== null) this.#transactions.batchFailed(error, fatal)
        else if (fatal) this.#machine.send({ type: 'producer.failed', error })
      },
    })
    this.#topics = new TopicWatch({ context, link, policy, changed: () => this.#loop.deferDrain() })
    this.#machine = runMachine(context, senderMachine, {
      input: { needsProducerId: policy.idempotent && policy.transactionalId === null },
      effects: {
        requestProducerId: () => void this.#requestProducerId(),
        useIdentity: ({ identity }) => {
          this.#ownIdentity = identity
        },
        armRetry: ({ refusals }) => this.#armRetry(refusals),
        drain: () => this.#loop.deferDrain(),
        failAll: ({ error }) => this.#loop.failAll(error),
      },
    })
    this.#transactions = this.#openTransactions()
  }

  get #identity(): ProducerIdentity | null {
    return this.#transactions === null ? this.#ownIdentity : this.#transactions.identity
  }

  #openTransactions(): TransactionManager | null {
    const { transactionalId } = this.#policy
    if (transactionalId === null) return null
    return new TransactionManager({
      context: this.#context,
      link: this.#link,
      policy: { ...this.#policy, transactionalId },
      drain: () => this.#loop.deferDrain(),
      drainNow: () => this.#loop.drain(),
      idle: batches => this.#loop.idle(batches),
      dropBatches: error => this.#loop.dropAll(error),
      failAll: error => this.#machine.send({ type: 'producer.failed', error }),
    })
  }

  /** The manager of a transactional producer; others are refused. */
  #transactional(): TransactionManager {
    if (this.#transactions !== null) return this.#transactions
    throw new PortError(errorData('ODK_TRANSACTION_STATE', 'the producer has no transactionalId'))
  }

  handlers(): Handlers<SenderContract> {
    return {
      ask: {
        append: request =>
          this.#transactions === null
            ? this.#loop.append(request)
            : this.#appendInTurn(request, this.#transactions, this.#context.clock.monotonic()),
        metadata: ({ topic, maxBlockMs }, peer) => this.#topics.metadata(topic, maxBlockMs, peer),
        initTransactions: async ({ maxBlockMs }) => {
          await this.#transactional().init(maxBlockMs)
          return {}
        },
        sendOffsets: async ({ maxBlockMs, ...offsets }) => {
          const transactions = this.#transactional()
          await transactions.inTurn(() => transactions.sendOffsets(offsets, maxBlockMs))
          await transactions.whenEnded()
          return {}
        },
        endTransaction: async ({ committed, maxBlockMs }) => {
          const transactions = this.#transactional()
          await transactions.inTurn(() => transactions.end(committed, maxBlockMs))
          return {}
        },
      },
      tell: {
        beginTransaction: () => this.#transactions?.begin(),
      },
      closed: peer => this.#topics.forget(peer),
      close: () => this.#close(),
      describe: () => ({
        state: this.#transactions?.state ?? this.#machine.state,
        queues: [
          {
            name: 'batches',
            size: this.#loop.batches,
            high: this.#loop.batchesHigh,
            max: 2 * this.#context.limits.senderBatchesMax,
          },
        ],
        detail: {
          requestsInFlight: this.#loop.requestsInFlight,
          retries: this.#loop.retries,
          producerId: this.#identity?.producerId ?? -1,
          producerEpoch: this.#identity?.producerEpoch ?? -1,
          refusedEvents: this.#machine.refused,
        },
      }),
    }
  }

  /** Its time runs while the transaction waits for its turn. */
  #appendInTurn(
    request: SenderAppendRequest,
    transactions: TransactionManager,
    askedAt: number,
  ): SenderAppendResponse | Promise<SenderAppendResponse> {
    return transactions.inTurn(() => {
      const { refusal } = transactions
      if (refusal !== null) return refusedAppend(request, refusal)
      const waited = this.#context.clock.monotonic() - askedAt
      return this.#appended(waited > 0 ? lateBy(waited, request) : request, transactions)
    })
  }

  /** While its transaction is being ended an answer goes with the end's, as that to sent offsets: nobody can do anything with it before, and each wakes the caller's thread. */
  async #appended(request: SenderAppendRequest, transactions: TransactionManager): Promise<SenderAppendResponse> {
    const response = await this.#loop.append(request)
    await transactions.whenEnded()
    return response
  }

  async #close(): Promise<void> {
    this.#machine.send({ type: 'sender.close' })
    this.#topics.close(CLOSED)
    await this.#link.close()
  }

  async #requestProducerId(): Promise<void> {
    const { requestTimeoutMs, transactionTimeoutMs } = this.#policy
    const options = { deadlineMs: requestTimeoutMs }
    try {
      const endpoint = await this.#link.anyEndpoint(options)
      const request = {
        transactionalId: null,
        transactionTimeoutMs,
        producerId: -1,
        producerEpoch: -1,
        enable2Pc: false,
        keepPreparedTxn: false,
      }
      const { errorCode, producerId, producerEpoch } = await this.#link.request(
        endpoint,
        'InitProducerId',
        request,
        options,
      )
      if (errorCode === 0) this.#machine.send({ type: 'producerId.assigned', identity: { producerId, producerEpoch } })
      else this.#producerIdRefused(errorOf(errorCode).retriable, producerIdError(errorCode))
    } catch (thrown) {
      this.#producerIdRefused(thrown instanceof PortError, portFailure(thrown))
    }
  }

  #producerIdRefused(retriable: boolean, error: ErrorData): void {
    if (retriable) this.#machine.send({ type: 'producerId.refused' })
    else this.#machine.send({ type: 'producer.failed', error })
  }

  #armRetry(refusals: number): void {
    const { retryBackoffMs, retryBackoffMaxMs } = this.#policy
    const { clock, random } = this.#context
    const backoff = { initialMs: retryBackoffMs, maxMs: retryBackoffMaxMs }
    clock.after(backoffMs(backoff, refusals - 1, random.float()), () => this.#machine.send({ type: 'retry.due' }))
  }

  /** KIP-360: an idempotent producer may count its own epoch up; no request is needed until it is used up. */
  #bumpEpoch(): void {
    const identity = this.#ownIdentity
    // A transactional producer goes on after an abort, under the coordinator's epoch.
    if (identity === null) return
    if (identity.producerEpoch >= PRODUCER_EPOCH_MAX) {
      this.#machine.send({ type: 'epoch.exhausted' })
      return
    }
    this.#ownIdentity = { producerId: identity.producerId, producerEpoch: identity.producerEpoch + 1 }
    this.#context.log.info({ ...this.#ownIdentity }, 'sequences begin anew under a new epoch')
  }
}

function lateBy(waited: number, request: SenderAppendRequest): SenderAppendRequest {
  const { topic, partition, records, recordCount, acks } = request
  const deliveryTimeoutMs = Math.max(0, request.deliveryTimeoutMs - waited)
  return { topic, partition, records, recordCount, acks, deliveryTimeoutMs }
}

function refusedAppend({ recordCount }: SenderAppendRequest, error: ErrorData): SenderAppendResponse {
  return { parts: [{ recordCount, baseOffset: -1, logAppendTimeMs: -1, error }], sentBytes: 0, attempts: 0 }
}

function producerIdError(errorCode: number): ErrorData {
  const known = errorOf(errorCode)
  return errorData('ODK_BROKER_ERROR', `no producer id: ${known.name}: ${known.message}`, {
    kafkaCode: errorCode,
    fatal: true,
  })
}
