// The sender's heart: takes batches, groups them into Produce requests per endpoint, and brings every batch to its end. Decides nothing by itself:
// lines say who may go (in-flight.rules), outcomes what a reply means (outcome.rules). Runs in the sender's thread, used by sender.actor.
import type { ActorContext } from '@odradek/shared/actor/actor'
import { assert } from '@odradek/shared/base/assert'
import { type ErrorData, PortError } from '@odradek/shared/base/errors'
import { WakeTimer } from '@odradek/shared/base/wake-timer'
import { backoffMs } from '@odradek/shared/client/backoff.rules'
import type { ClusterLink, Endpoint } from '@odradek/shared/client/cluster-link'
import type { SenderAppendRequest, SenderAppendResponse } from '@odradek/shared/contracts/sender.contract'
import { errors } from '@odradek/shared/protocol/error-codes'
import type { PartitionProduceResponse, ProduceResponse } from '@odradek/shared/protocol/messages/00-produce'
import {
  acked,
  add,
  dropped,
  expired,
  needsRestart,
  newLine,
  nextToSend,
  retried,
  sent,
  split,
} from './in-flight.rules.ts'
import { NO_REPLY, outcomeOf } from './outcome.rules.ts'
import { buildProduceRequest, OutgoingRequest, repliesOf } from './produce-requests.ts'
import { deliveryTimedOut, failureWords, kafkaFailure, portFailure } from './producer-errors.ts'
import { RetainedCopies } from './retained-copies.ts'
import type { SenderPolicy } from './sender-policy.ts'
import { Delivery, type PartitionLine, SendingBatch } from './sending-batch.ts'
import type { ProducerIdentity } from './sequences.rules.ts'

/** What the loop needs from the one that runs it. */
export interface ProduceLoopHost {
  readonly context: Pick<ActorContext, 'clock' | 'random' | 'defer' | 'limits' | 'log'>
  readonly link: ClusterLink
  readonly policy: SenderPolicy
  /** Whether batches may go out at all now, and as whom; `null` identity with `may`: not an idempotent producer. */
  mayDrain(): boolean
  identity(): ProducerIdentity | null
  /** A line can only go on under a new epoch. */
  bumpEpoch(): void
  /** Whether the partition may be produced to now; a transaction of the first protocol has to be told of it before. */
  mayProduce(topic: string, partition: number): boolean
  /** Asks for fresh metadata of the topic; `drain` is called when it is there. */
  refresh(topic: string): void
  /** A batch failed for good; `fatal`: so did the producer. */
  batchFailed(error: ErrorData, fatal: boolean): void
}

export class ProduceLoop {
  readonly #host: ProduceLoopHost
  readonly #copies: RetainedCopies
  readonly #lines = new Map<string, Map<number, PartitionLine>>()
  /** Lines with batches that wait, in the order in which they are looked at: who was served goes to the end. */
  readonly #active = new Set<PartitionLine>()
  /** Requests without a reply, by endpoint. */
  readonly #inFlight = new Map<string, number>()
  readonly #wake: WakeTimer
  readonly #expiry: WakeTimer
  #batches = 0
  #batchesHigh = 0
  #retries = 0
  #failure: ErrorData | null = null
  #isDrainDeferred = false
  #idlers: { readonly batches: boolean; readonly resolve: () => void }[] = []

  constructor(host: ProduceLoopHost) {
    this.#host = host
    this.#copies = new RetainedCopies(host.context.limits.retainedFreeBytesMax)
    this.#wake = new WakeTimer(host.context.clock, () => this.drain())
    this.#expiry = new WakeTimer(host.context.clock, () => this.#expire())
  }

  /** Batches that were taken and are not ended. */
  get batches(): number {
    return this.#batches
  }

  get batchesHigh(): number {
    return this.#batchesHigh
  }

  /** Batches that were sent again so far. */
  get retries(): number {
    return this.#retries
  }

  get requestsInFlight(): number {
    let count = 0
    for (const requests of this.#inFlight.values()) count += requests
    return count
  }

  append(request: SenderAppendRequest): Promise<SenderAppendResponse> {
    if (this.#batches >= 2 * this.#host.context.limits.senderBatchesMax) {
      throw new PortError({ code: 'LINK_FULL', message: 'the sender holds as many batches as it may' })
    }
    return new Promise(resolve => this.#take(request, new Delivery(resolve)))
  }

  #take(request: SenderAppendRequest, delivery: Delivery): void {
    if (this.#failure !== null) {
      const { recordCount } = request
      delivery.ended(0, { recordCount, baseOffset: -1, logAppendTimeMs: -1, error: this.#failure })
      return
    }
    const owner = this.#line(request.topic, request.partition)
    const now = this.#host.context.clock.monotonic()
    const batch = SendingBatch.of(owner, request, delivery, now, this.#host.policy)
    add(owner.line, batch)
    this.#active.add(owner)
    this.#batches++
    if (this.#batches > this.#batchesHigh) this.#batchesHigh = this.#batches
    this.#expiry.wakeAt(batch.deadline)
    this.deferDrain()
  }

  #line(topic: string, partition: number): PartitionLine {
    let partitions = this.#lines.get(topic)
    if (partitions === undefined) {
      partitions = new Map()
      this.#lines.set(topic, partitions)
    }
    let owner = partitions.get(partition)
    if (owner === undefined) {
      owner = { topic, partition, line: newLine<SendingBatch>() }
      partitions.set(partition, owner)
    }
    return owner
  }

  /** Resolves when no batch is left (`batches`), or when no request is in flight. */
  idle(batches: boolean): Promise<void> {
    if (this.#isIdle(batches)) return Promise.resolve()
    return new Promise(resolve => void this.#idlers.push({ batches, resolve }))
  }

  #isIdle(batches: boolean): boolean {
    return batches ? this.#batches === 0 : this.#inFlight.size === 0
  }

  #tellIdlers(): void {
    if (this.#idlers.length === 0) return
    const idle = this.#idlers.filter(({ batches }) => this.#isIdle(batches))
    this.#idlers = this.#idlers.filter(idler => !idle.includes(idler))
    for (const { resolve } of idle) resolve()
  }

  /** Drains once, at the end of this turn: what arrives together goes out together. */
  deferDrain(): void {
    if (this.#isDrainDeferred) return
    this.#isDrainDeferred = true
    this.#host.context.defer(() => {
      this.#isDrainDeferred = false
      this.drain()
    })
  }

  /** Sends all that may be sent now. */
  drain(): void {
    if (this.#failure !== null || !this.#host.mayDrain()) return
    while (this.#sendRound()) {}
  }

  /** One request at most per endpoint, one batch at most per line in it. False when nothing could be sent. */
  #sendRound(): boolean {
    const now = this.#host.context.clock.monotonic()
    const requests = new Map<string, OutgoingRequest>()
    for (const owner of [...this.#active]) this.#serve(owner, now, requests)
    for (const request of requests.values()) this.#dispatch(request)
    return requests.size > 0
  }

  #serve(owner: PartitionLine, now: number, requests: Map<string, OutgoingRequest>): void {
    const { line } = owner
    if (needsRestart(line, this.#host.identity())) this.#host.bumpEpoch()
    if (line.waiting.length === 0) {
      this.#active.delete(owner)
      return
    }
    const endpoint = this.#leaderOf(owner)
    if (endpoint === null || this.#isBusy(endpoint)) return
    const next = nextToSend(line, now, this.#linePolicy(), this.#host.identity())
    if (next === undefined) return
    if ('waitUntil' in next) {
      this.#wake.wakeAt(next.waitUntil)
      return
    }
    if (!this.#host.mayProduce(owner.topic, owner.partition)) return
    const { send: batch } = next
    let request = requests.get(endpoint.id)
    if (request === undefined) {
      request = new OutgoingRequest(endpoint, batch.acks)
      requests.set(endpoint.id, request)
    }
    if (!request.fits(batch, this.#host.policy.maxRequestSize)) return
    if (batch.attempts > 0) this.#retries++
    sent(line, batch, this.#linePolicy())
    request.add(batch)
    this.#active.delete(owner)
    this.#active.add(owner)
  }

  #linePolicy(): { idempotent: boolean; inFlightMax: number } {
    const { idempotent, maxInFlightRequestsPerConnection } = this.#host.policy
    return { idempotent, inFlightMax: maxInFlightRequestsPerConnection }
  }

  #leaderOf({ topic, partition }: PartitionLine): Endpoint | null {
    const endpoint = this.#host.link.topic(topic)?.partitions[partition]?.endpoint ?? null
    if (endpoint === null) this.#host.refresh(topic)
    return endpoint
  }

  #isBusy(endpoint: Endpoint): boolean {
    return (this.#inFlight.get(endpoint.id) ?? 0) >= this.#host.policy.maxInFlightRequestsPerConnection
  }

  #dispatch(request: OutgoingRequest): void {
    const { link, policy } = this.#host
    const { endpoint, batches } = request
    this.#inFlight.set(endpoint.id, (this.#inFlight.get(endpoint.id) ?? 0) + 1)
    const produce = buildProduceRequest(request, {
      policy,
      bytes: batch => batch.bytesToSend(this.#copies, policy.transactionalId !== null),
      topicId: topic => link.topic(topic)!.topicId,
    })
    link.request(endpoint, 'Produce', produce, { deadlineMs: policy.requestTimeoutMs }).then(
      response => this.#replied(request, response),
      thrown => {
        this.#ended(endpoint)
        for (const batch of batches) this.#refused(batch, thrown)
        this.deferDrain()
      },
    )
  }

  #replied(request: OutgoingRequest, response: ProduceResponse): void {
    this.#ended(request.endpoint)
    if (request.acks === 0) for (const batch of request.batches) this.#settle(batch, errors.NONE.code, null)
    else
      for (const [batch, reply] of repliesOf(request, response))
        this.#settle(batch, reply?.errorCode ?? NO_REPLY, reply)
    this.deferDrain()
  }

  #ended({ id }: Endpoint): void {
    const left = this.#inFlight.get(id)! - 1
    assert(left >= 0, 'every reply belongs to a request')
    if (left === 0) this.#inFlight.delete(id)
    else this.#inFlight.set(id, left)
    this.#tellIdlers()
  }

  /** The request failed on its way, or could not be made. */
  #refused(batch: SendingBatch, thrown: unknown): void {
    if (thrown instanceof PortError) this.#settle(batch, NO_REPLY, null, thrown.message)
    else if (batch.isOpen) this.#drop(batch, portFailure(thrown), { fatal: false, mayBeInLog: false })
  }

  #settle(
    batch: SendingBatch,
    errorCode: number,
    reply: PartitionProduceResponse | null,
    failure = failureWords(errorCode, reply),
  ): void {
    if (!batch.isOpen) return
    const { line, topic } = batch.owner
    const { idempotent, transactionalId, retries } = this.#host.policy
    const outcome = outcomeOf(errorCode, batch, line, { idempotent, transactional: transactionalId !== null, retries })
    switch (outcome.kind) {
      case 'delivered':
        acked(line, batch)
        this.#end(() =>
          batch.end(
            { baseOffset: reply?.baseOffset ?? -1, logAppendTimeMs: reply?.logAppendTimeMs ?? -1, error: null },
            this.#copies,
          ),
        )
        return
      case 'retry':
        batch.lastFailure = failure
        if (reply !== null && batch.attempts === 1) this.#noteRetry(batch, failure)
        if (outcome.refresh) this.#host.refresh(topic)
        if (outcome.restart) line.restarting = true
        retried(line, batch, this.#backoff(batch))
        this.#active.add(batch.owner)
        return
      case 'split':
        this.#batches++
        split(line, batch, batch.halves(this.#copies, this.#host.policy))
        this.#active.add(batch.owner)
        return
      case 'failed':
        this.#drop(batch, kafkaFailure(errorCode, batch, reply), outcome)
    }
  }

  /** Kafka's Sender warns, too: what is tried for two minutes should not be a secret until they are over. */
  #noteRetry(batch: SendingBatch, error: string): void {
    const { topic, partition } = batch.owner
    this.#host.context.log.warn({ topic, partition, error }, 'a batch was refused, and is tried again')
  }

  #backoff(batch: SendingBatch): number {
    const { retryBackoffMs, retryBackoffMaxMs } = this.#host.policy
    const { clock, random } = this.#host.context
    const wait = backoffMs({ initialMs: retryBackoffMs, maxMs: retryBackoffMaxMs }, batch.attempts - 1, random.float())
    return clock.monotonic() + wait
  }

  #drop(batch: SendingBatch, error: ErrorData, { fatal, mayBeInLog }: { fatal: boolean; mayBeInLog: boolean }): void {
    const { line } = batch.owner
    dropped(line, batch, { mayBeInLog })
    if (line.unresolved || line.restarting) this.#active.add(batch.owner)
    this.#end(() => batch.fail(error, this.#copies))
    this.#host.batchFailed(error, fatal)
  }

  #end(tell: () => void): void {
    tell()
    this.#batches--
    this.#tellIdlers()
  }

  #expire(): void {
    const now = this.#host.context.clock.monotonic()
    let next = Number.POSITIVE_INFINITY
    for (const partitions of this.#lines.values()) {
      for (const { line } of partitions.values()) {
        for (const batch of expired(line, now)) {
          if (!batch.isOpen) continue
          // Sent before: whether the cluster took it is unknown, unless the last reply refused it; a hole in the sequence either way.
          this.#drop(batch, deliveryTimedOut(batch), { fatal: false, mayBeInLog: batch.attempts > 0 })
        }
        for (const batch of line.inFlight) next = Math.min(next, batch.deadline)
        for (const batch of line.waiting) next = Math.min(next, batch.deadline)
      }
    }
    if (next < Number.POSITIVE_INFINITY) this.#expiry.wakeAt(next)
    this.deferDrain()
  }

  /** Ends every batch, and every one that comes later, with the error; `null` takes batches again. */
  failAll(error: ErrorData): void {
    this.#failure = error
    this.#wake.cancel()
    this.#expiry.cancel()
    this.dropAll(error)
  }

  /** Ends every batch with the error, as an aborted transaction does: sequences begin anew under its next epoch. */
  dropAll(error: ErrorData): number {
    const count = this.#batches
    for (const partitions of this.#lines.values()) {
      for (const { line } of partitions.values()) {
        for (const batch of [...line.inFlight, ...line.waiting]) {
          dropped(line, batch, { mayBeInLog: batch.attempts > 0 })
          this.#end(() => batch.fail(error, this.#copies))
        }
      }
    }
    this.#active.clear()
    return count
  }
}
