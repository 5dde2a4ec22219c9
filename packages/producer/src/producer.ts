// The producer as its user holds it, in the caller's thread: what may be called when. Records become batches in `sends.ts`, batches go to the sender's thread and
// come back as answers in `dispatcher.ts`, topics are learned in `producer-topics.ts`. Does no I/O: everything per batch happens in the sender.
import { KafkaError } from '@odradek/shared/base/errors'
import { functionIn, optionsIn, waitMs } from '@odradek/shared/client/call-input'
import { type RawTopic, type Topic, topicOf } from '@odradek/shared/client/topic'
import type { PartitionMetadata } from '@odradek/shared/contracts/sender.contract'
import { aborted, Changes, orAborted } from './aborting.ts'
import { Accumulator, type AppendContext } from './accumulator.ts'
import type { Acknowledgement, Acknowledgements } from './acknowledgement.ts'
import { contextOf } from './append-context.ts'
import type { DeliveryCallback } from './batch-in-progress.ts'
import { Dispatcher } from './dispatcher.ts'
import type { ResolvedProducerOptions } from './options.ts'
import { bufferExhausted, outsideOfTransaction } from './producer-errors.ts'
import { ProducerMetrics } from './producer-metrics.ts'
import { ProducerTopics } from './producer-topics.ts'
import type { CallOptions, ProducerRecord, RecordFor, SendOptions } from './record-encoder.ts'
import type { SenderConnection } from './sender-connection.ts'
import { Sends } from './sends.ts'
import type { TopicQueues } from './topic-queues.ts'
import { type Transaction, Transactions, undo } from './transactions.ts'
import { WaitingSends } from './waiting-sends.ts'

type State = 'open' | 'closing' | 'closed'

export class Producer implements AsyncDisposable {
  readonly #options: ResolvedProducerOptions
  readonly #connection: SenderConnection
  readonly #accumulator: Accumulator
  readonly #metrics = new ProducerMetrics()
  /** Sends to known topics that wait for room. */
  readonly #room: WaitingSends
  readonly #dispatcher: Dispatcher
  readonly #topics: ProducerTopics
  readonly #sends: Sends
  readonly #append: AppendContext
  /** Called when something moved on: a flush or a close looks again. */
  readonly #changes = new Changes()
  #state: State = 'open'
  readonly #transactions: Transactions | null

  /** Use {@link createProducer}. */
  constructor(options: ResolvedProducerOptions, connection: SenderConnection) {
    const { host } = connection
    this.#options = options
    this.#connection = connection
    const accumulator = new Accumulator(options)
    const metrics = this.#metrics
    const room = new WaitingSends(host.clock, options.maxBlockMs, () => bufferExhausted(options))
    const dispatcher = new Dispatcher({
      host,
      options,
      accumulator,
      metrics,
      needsSender: () => this.#topics.connect(),
      failureOf: thrown => connection.failureOf(thrown),
      ended: () => {
        if (room.size > 0) room.proceed()
        this.#changes.tell()
      },
    })
    this.#accumulator = accumulator
    this.#room = room
    this.#dispatcher = dispatcher
    this.#topics = new ProducerTopics({
      connection,
      options,
      dispatcher,
      room,
      changed: () => this.#changes.tell(),
      lost: error => this.#failAll(error),
    })
    this.#sends = new Sends({
      host,
      options,
      accumulator,
      dispatcher,
      metrics,
      room,
      needsTopic: queues => this.#topics.ask(queues),
      refused: thrown => this.#transactions?.refused(thrown),
    })
    this.#append = { acks: options.acks, now: () => host.clock.monotonic() }
    this.#transactions = options.transactionalId === undefined ? null : this.#openTransactions()
  }

  #openTransactions(): Transactions {
    return new Transactions({
      producer: this,
      maxBlockMs: this.#options.maxBlockMs,
      failureOf: thrown => this.#connection.failureOf(thrown),
      link: async () => {
        this.#topics.connect()
        while (this.#dispatcher.link === null) {
          this.#checkOpen()
          if (this.#topics.senderLost !== null) throw this.#topics.senderLost
          await this.#changes.next()
        }
        return this.#dispatcher.link
      },
      handOverAll: async () => {
        this.#dispatcher.closeAll()
        const isWaiting = this.#room.size > 0 || this.#topics.waitingCount > 0
        if (this.#accumulator.hasReady || isWaiting) await this.flush()
      },
    })
  }

  /** Sends one record; resolves when it is acknowledged, rejects with a KafkaError when it failed for good. Never throws synchronously. */
  send<T extends Topic>(topic: T, record: RecordFor<T>, options?: SendOptions): Promise<Acknowledgement>
  /** Sends records in order; rejects with a PartialSendError if any failed. Leave the records alone until it settles. */
  send<T extends Topic>(topic: T, records: readonly RecordFor<T>[], options?: SendOptions): Promise<Acknowledgements>
  send(topic: string, record: RecordFor<RawTopic>, options?: SendOptions): Promise<Acknowledgement>
  send(topic: string, records: readonly RecordFor<RawTopic>[], options?: SendOptions): Promise<Acknowledgements>
  send(
    to: Topic | string,
    given: ProducerRecord | readonly ProducerRecord[],
    options?: SendOptions,
  ): Promise<Acknowledgement | Acknowledgements> {
    try {
      const topic = topicOf(to)
      const queues = this.#queuesToSend(topic.name)
      const context = options === undefined ? this.#append : contextOf(this.#append, options, this.#options)
      if (options?.signal !== undefined) return this.#sendWithSignal(topic, queues, given, context, options.signal)
      if (Array.isArray(given)) return this.#sends.all(topic, queues, given, context)
      return this.#sends.one(topic, queues, given as ProducerRecord, context)
    } catch (thrown) {
      this.#transactions?.refused(thrown)
      return Promise.reject(thrown)
    }
  }

  /**
   * Takes a record without a promise. True: go on. False: taken, but await {@link writable} before the next one; who does not is
   * stopped by ODK_BUFFER_EXHAUSTED when `bufferMemory` (and the room for waiting records) is used up. Throws what is wrong with the record. `onDelivery`
   * is called once, later.
   */
  enqueue<T extends Topic>(topic: T, record: RecordFor<T>, onDelivery?: DeliveryCallback): boolean
  enqueue(topic: string, record: RecordFor<RawTopic>, onDelivery?: DeliveryCallback): boolean
  enqueue(to: Topic | string, record: ProducerRecord, onDelivery?: DeliveryCallback): boolean {
    const topic = topicOf(to)
    if (onDelivery !== undefined) functionIn('enqueue', 'a function of an error and an acknowledgement', onDelivery)
    const queues = this.#queuesToSend(topic.name)
    return this.#sends.enqueue(topic, queues, record, this.#append, onDelivery)
  }

  /** Resolves when {@link enqueue} may go on without overrunning `bufferMemory`. */
  async writable(): Promise<void> {
    while (!this.#isWritable()) await this.#changes.next()
  }

  #isWritable(): boolean {
    if (this.#state !== 'open') return true
    return this.#room.size === 0 && this.#topics.waitingCount === 0 && this.#sends.hasSlack(2)
  }

  /** Sends at once what still lingers; resolves when everything that was given before has ended, well or not. */
  async flush(options: CallOptions = {}): Promise<void> {
    const { signal } = optionsIn('flush', options)
    this.#dispatcher.flushing++
    try {
      const tickets = [this.#room, ...[...this.#topics].map(({ waiting }) => waiting)].map(
        waiting => [waiting, waiting.latestTicket] as const,
      )
      this.#dispatcher.closeAll()
      while (!tickets.every(([waiting, ticket]) => waiting.isPast(ticket))) await this.#changes.next(signal)
      this.#dispatcher.closeAll()
      const batches = new Set(this.#accumulator.incomplete)
      for (const batch of batches) while (batch.result === null) await this.#changes.next(signal)
    } finally {
      this.#dispatcher.flushing--
    }
  }

  /**
   * Opens a transaction; needs `transactionalId`. The first one fences earlier producers with that id. One at a time; but while one is being committed the next may
   * begin and take records, which follow the commit without a pause (Java: an IllegalStateException until the commit is done). When that commit fails, it never happens.
   */
  async begin(): Promise<Transaction> {
    this.#checkOpen()
    if (this.#transactions !== null) return this.#transactions.begin()
    throw new KafkaError('ODK_TRANSACTION_STATE', 'begin: the producer has no transactionalId')
  }

  /** Runs `work` in a transaction: commits when it resolves; aborts when it throws, and rethrows, or throws the fatal error that the abort met. */
  async transaction<R>(work: (transaction: Transaction) => Promise<R> | R): Promise<R> {
    functionIn('transaction', 'a function of the open transaction', work)
    const transaction = await this.begin()
    try {
      const result = await work(transaction)
      await transaction.commit()
      return result
    } catch (thrown) {
      throw await undo(transaction, thrown)
    }
  }

  /** The topic's partitions as the cluster has them now. */
  async partitionsFor(to: Topic | string, options: CallOptions = {}): Promise<readonly PartitionMetadata[]> {
    const { signal } = optionsIn('partitionsFor', options)
    const queues = this.#queuesOf(topicOf(to).name)
    if (queues.metadata === null) {
      const known = new Promise<void>((resolve, reject) => {
        this.#sends.wait(queues, {
          proceed: () => {
            resolve()
            return true
          },
          fail: reject,
        })
      })
      await (signal === undefined ? known : orAborted(known, signal))
    }
    return queues.metadata!.partitions
  }

  /** Numbers of this producer since it was created; names follow Kafka's producer metrics. */
  metrics(): ReturnType<ProducerMetrics['snapshot']> {
    const { usedBytes, usedBytesHigh, availableBytes } = this.#accumulator
    return this.#metrics.snapshot({
      bufferUsedBytes: usedBytes,
      bufferUsedBytesHigh: usedBytesHigh,
      bufferAvailableBytes: availableBytes,
      waitingSends: this.#room.size + this.#topics.waitingCount,
      batchesInFlight: this.#dispatcher.handedOver,
    })
  }

  /**
   * Takes nothing new, sends what it has, waits for commits that were asked for, and ends. What is not acknowledged after `timeoutMs` (default: as long as it takes) fails with
   * ODK_PRODUCER_CLOSED. Idempotent.
   */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    const { timeoutMs = Number.POSITIVE_INFINITY } = optionsIn('close', options, { timeoutMs: waitMs })
    if (this.#state === 'closed') return
    this.#state = 'closing'
    if (Number.isFinite(timeoutMs)) {
      const late = new AbortController()
      const timer = this.#connection.host.clock.after(timeoutMs, () => late.abort())
      await orAborted(this.#finish(late.signal), late.signal).catch(() => {})
      timer.cancel()
    } else {
      await this.#finish()
    }
    this.#state = 'closed'
    const late = new KafkaError('ODK_PRODUCER_CLOSED', 'the producer was closed before the record was acknowledged')
    this.#topics.close()
    this.#failAll(late)
    await this.#connection.close()
  }

  /** Sends what it has, and waits for the commits that were asked for. */
  async #finish(signal?: AbortSignal): Promise<void> {
    await this.flush(signal === undefined ? {} : { signal })
    await this.#transactions?.commits()
  }

  readonly [Symbol.asyncDispose] = () => this.close()

  #sendWithSignal(
    topic: Topic,
    queues: TopicQueues,
    given: ProducerRecord | readonly ProducerRecord[],
    context: AppendContext,
    signal: AbortSignal,
  ): Promise<Acknowledgement | Acknowledgements> {
    if (signal.aborted) return Promise.reject(aborted(signal))
    if (Array.isArray(given)) return orAborted(this.#sends.all(topic, queues, given, context, signal), signal)
    return orAborted(this.#sends.one(topic, queues, given as ProducerRecord, context, signal), signal)
  }

  #failAll(error: KafkaError): void {
    this.#room.failAll(error)
    this.#topics.failAll(error)
    this.#dispatcher.failAll(error)
    this.#changes.tell()
  }

  #checkOpen(): void {
    if (this.#state !== 'open') throw new KafkaError('ODK_PRODUCER_CLOSED', 'the producer is closed')
  }

  #queuesToSend(name: string): TopicQueues {
    if (this.#state === 'open' && this.#transactions?.takesRecords === false) throw outsideOfTransaction()
    return this.#queuesOf(name)
  }

  #queuesOf(name: string): TopicQueues {
    this.#checkOpen()
    return this.#topics.queuesOf(name)
  }
}
