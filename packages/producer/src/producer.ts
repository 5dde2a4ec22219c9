// The producer as its user holds it, in the caller's thread: encodes, chooses partitions, fills batches, hands them to the sender's thread, and
// settles promises when the sender answers. Does no I/O; everything per record happens here, everything per batch in the sender.
import { KafkaError } from '@odradek/shared/base/errors'
import { type RawTopic, type Topic, topicOf } from '@odradek/shared/client/topic'
import type { PartitionMetadata, TopicMetadata } from '@odradek/shared/contracts/sender.contract'
import { errorOf } from '@odradek/shared/protocol/error-codes'
import { aborted, Changes, orAborted } from './aborting.ts'
import { Accumulator, type AppendContext } from './accumulator.ts'
import { type Acknowledgement, type Acknowledgements, SendGroup } from './acknowledgement.ts'
import { withAcks } from './append-context.ts'
import type { DeliveryCallback, RecordResolver } from './batch-in-progress.ts'
import { Dispatcher } from './dispatcher.ts'
import { interceptedCallback } from './interception.ts'
import type { ResolvedProducerOptions } from './options.ts'
import {
  bufferExhausted,
  errorOfAsk,
  kafkaErrorOf,
  metadataTimedOut,
  outsideOfTransaction,
  portFailure,
  topicRefused,
} from './producer-errors.ts'
import { ProducerMetrics } from './producer-metrics.ts'
import {
  type EncodedRecord,
  keep,
  type ProducerRecord,
  RecordEncoder,
  type RecordFor,
  type SendOptions,
} from './record-encoder.ts'
import { RecordPlacer } from './record-placer.ts'
import type { SenderConnection } from './sender-connection.ts'
import { TopicQueues } from './topic-queues.ts'
import { type Transaction, Transactions, undo } from './transactions.ts'
import { unlessAborted, type WaitingSend, WaitingSends } from './waiting-sends.ts'

/** Something that happened to the whole producer. */
type State = 'open' | 'closing' | 'closed'

export class Producer implements AsyncDisposable {
  readonly #options: ResolvedProducerOptions
  readonly #connection: SenderConnection
  readonly #accumulator: Accumulator
  readonly #topics = new Map<string, TopicQueues>()
  readonly #encoder: RecordEncoder
  readonly #placer: RecordPlacer
  readonly #metrics = new ProducerMetrics()
  readonly #waiting: WaitingSends
  readonly #dispatcher: Dispatcher
  readonly #append: AppendContext
  /** Called when something moved on: a flush or a close looks again. */
  readonly #changes = new Changes()
  #state: State = 'open'
  #sender: 'none' | 'asked for' | /* Lost: */ KafkaError = 'none'
  readonly #transactions: Transactions | null

  /** Use {@link createProducer}. */
  constructor(options: ResolvedProducerOptions, connection: SenderConnection) {
    const { clock } = connection.host
    this.#options = options
    this.#connection = connection
    this.#accumulator = new Accumulator(options)
    this.#encoder = new RecordEncoder(options, connection.host)
    this.#placer = new RecordPlacer(options, this.#accumulator, connection.host.random)
    this.#append = { acks: options.acks, now: () => clock.monotonic() }
    this.#waiting = new WaitingSends(clock, options.maxBlockMs, () => bufferExhausted(options))
    this.#dispatcher = new Dispatcher({
      host: connection.host,
      options,
      accumulator: this.#accumulator,
      metrics: this.#metrics,
      needsSender: () => this.#connect(),
      ended: () => {
        if (this.#waiting.size > 0) this.#waiting.proceed()
        this.#changes.tell()
      },
    })
    this.#transactions = options.transactionalId === undefined ? null : this.#openTransactions()
  }

  #openTransactions(): Transactions {
    return new Transactions({
      producer: this,
      maxBlockMs: this.#options.maxBlockMs,
      link: async () => {
        this.#connect()
        while (this.#dispatcher.link === null) {
          this.#checkOpen()
          if (this.#sender !== 'asked for') throw this.#sender
          await this.#changes.next()
        }
        return this.#dispatcher.link
      },
      handOverAll: async () => {
        this.#dispatcher.closeAll()
        if (this.#accumulator.hasReady || !this.#isWritable()) await this.flush()
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
      const context = options?.acks === undefined ? this.#append : withAcks(this.#append, options.acks, this.#options)
      if (options?.signal !== undefined) return this.#sendWithSignal(topic, queues, given, context, options.signal)
      if (Array.isArray(given)) return this.#sendAll(topic, queues, given, context)
      return this.#sendOne(topic, queues, given as ProducerRecord, context)
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
    const queues = this.#queuesToSend(topic.name)
    const encoded = this.#encoder.encode(topic, record)
    if (this.#mustWait(queues, encoded)) {
      this.#wait(
        queues,
        this.#waitingRecord(queues, keep(encoded), this.#append, null, this.#observed(onDelivery, topic.name)),
      )
      return false
    }
    const batch = this.#placer.place(queues, encoded, this.#append)
    const callback = this.#observed(onDelivery, topic.name)
    if (callback !== undefined) batch.called(callback, encoded.timestamp)
    this.#dispatcher.placed(batch)
    return this.#accumulator.hasSlack(1, this.#connection.host.limits.enqueueOnTheirWayBytesMax)
  }

  /** Resolves when {@link enqueue} may go on without overrunning `bufferMemory`. */
  async writable(): Promise<void> {
    while (!this.#isWritable()) await this.#changes.next()
  }

  #isWritable(): boolean {
    if (this.#state !== 'open') return true
    if (this.#waiting.size > 0) return false
    for (const { waiting } of this.#topics.values()) if (waiting.size > 0) return false
    return this.#accumulator.hasSlack(2, this.#connection.host.limits.enqueueOnTheirWayBytesMax)
  }

  /** Sends at once what still lingers; resolves when everything that was given before has ended, well or not. */
  async flush({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#dispatcher.flushing++
    try {
      const tickets = [this.#waiting, ...[...this.#topics.values()].map(({ waiting }) => waiting)].map(
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

  /** Opens a transaction; needs `transactionalId`. The first one fences earlier producers with that id. One at a time. */
  async begin(): Promise<Transaction> {
    this.#checkOpen()
    if (this.#transactions !== null) return this.#transactions.begin()
    throw new KafkaError('ODK_TRANSACTION_STATE', 'begin: the producer has no transactionalId')
  }

  /** Runs `work` in a transaction: commits when it resolves; aborts when it throws, and rethrows, or throws the fatal error that the abort met. */
  async transaction<R>(work: (transaction: Transaction) => Promise<R> | R): Promise<R> {
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
  async partitionsFor(
    to: Topic | string,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<readonly PartitionMetadata[]> {
    const queues = this.#queuesOf(topicOf(to).name)
    if (queues.metadata === null) {
      const known = new Promise<void>((resolve, reject) => {
        this.#wait(queues, {
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
    let waitingSends = this.#waiting.size
    for (const { waiting } of this.#topics.values()) waitingSends += waiting.size
    return this.#metrics.snapshot({
      bufferUsedBytes: usedBytes,
      bufferUsedBytesHigh: usedBytesHigh,
      bufferAvailableBytes: availableBytes,
      waitingSends,
      batchesInFlight: this.#dispatcher.handedOver,
    })
  }

  /**
   * Takes nothing new, sends what it has, and ends. What is not acknowledged after `timeoutMs` (default: as long as it takes) fails with
   * ODK_PRODUCER_CLOSED. Idempotent.
   */
  async close({ timeoutMs = Number.POSITIVE_INFINITY }: { readonly timeoutMs?: number } = {}): Promise<void> {
    if (this.#state === 'closed') return
    this.#state = 'closing'
    if (Number.isFinite(timeoutMs)) {
      const late = new AbortController()
      const timer = this.#connection.host.clock.after(timeoutMs, () => late.abort())
      await this.flush({ signal: late.signal }).catch(() => {})
      timer.cancel()
    } else {
      await this.flush()
    }
    this.#state = 'closed'
    this.#failAll(new KafkaError('ODK_PRODUCER_CLOSED', 'the producer was closed before the record was acknowledged'))
    await this.#connection.close()
  }

  readonly [Symbol.asyncDispose] = () => this.close()

  // --- one record -------------------------------------------------------------------------------------------------------------------

  #sendOne(
    topic: Topic,
    queues: TopicQueues,
    record: ProducerRecord,
    context: AppendContext,
    signal?: AbortSignal,
  ): Promise<Acknowledgement> {
    const encoded = this.#encoder.encode(topic, record)
    const callback = this.#observed(undefined, topic.name)
    return new Promise((resolve, reject) => {
      const settle = resolve as RecordResolver
      if (this.#mustWait(queues, encoded)) {
        const waiting = this.#waitingRecord(queues, keep(encoded), context, { settle, reject }, callback)
        this.#wait(queues, unlessAborted(waiting, signal))
        return
      }
      try {
        const batch = this.#placer.place(queues, encoded, context)
        batch.promised(settle, encoded.timestamp)
        if (callback !== undefined) batch.called(callback, encoded.timestamp)
        this.#dispatcher.placed(batch)
      } catch (thrown) {
        this.#transactions?.refused(thrown)
        reject(thrown)
      }
    })
  }

  #waitingRecord(
    queues: TopicQueues,
    encoded: EncodedRecord,
    context: AppendContext,
    promise: { readonly settle: RecordResolver; readonly reject: (error: KafkaError) => void } | null,
    callback: DeliveryCallback | undefined,
  ): WaitingSend {
    const fail = (error: KafkaError) => {
      this.#transactions?.refused(error)
      this.#metrics.failed(1)
      callback?.(error, null)
      promise?.reject(error)
    }
    return {
      fail,
      proceed: () => {
        if (!queues.isKnown || !this.#hasRoom(encoded)) return false
        try {
          const batch = this.#placer.place(queues, encoded, context)
          if (promise !== null) batch.promised(promise.settle, encoded.timestamp)
          if (callback !== undefined) batch.called(callback, encoded.timestamp)
          this.#dispatcher.placed(batch)
        } catch (thrown) {
          fail(thrown as KafkaError)
        }
        return true
      },
    }
  }

  // --- many records -----------------------------------------------------------------------------------------------------------------

  #sendAll(
    topic: Topic,
    queues: TopicQueues,
    records: readonly ProducerRecord[],
    context: AppendContext,
    signal?: AbortSignal,
  ): Promise<Acknowledgements> {
    return new Promise((resolve, reject) => {
      const group = new SendGroup(records.length, this.#connection.host.clock.now(), outcome =>
        outcome instanceof KafkaError ? reject(outcome) : resolve(outcome),
      )
      const send: WaitingSend = {
        proceed: () => this.#fill(topic, queues, records, group, context),
        fail: error => this.#refuse(group, error),
      }
      if (this.#mustQueue(queues) || !send.proceed()) this.#wait(queues, unlessAborted(send, signal))
    })
  }

  /** Places as many of the group's records as there is room for; false when some are left. */
  #fill(
    topic: Topic,
    queues: TopicQueues,
    records: readonly ProducerRecord[],
    group: SendGroup,
    context: AppendContext,
  ): boolean {
    if (!queues.isKnown) return false
    try {
      while (group.placed < records.length) {
        const encoded = this.#encoder.encode(topic, records[group.placed]!, group.defaultTimestamp)
        if (!this.#hasRoom(encoded)) return false
        const batch = this.#placer.place(queues, encoded, context)
        group.place(batch, encoded.timestamp)
        const callback = this.#observed(undefined, topic.name)
        if (callback !== undefined) batch.called(callback, encoded.timestamp)
        this.#dispatcher.placed(batch)
      }
      group.sealed()
    } catch (thrown) {
      this.#refuse(group, thrown)
    }
    return true
  }

  #refuse(group: SendGroup, thrown: unknown): void {
    this.#transactions?.refused(thrown)
    group.sealed(thrown instanceof KafkaError ? thrown : kafkaErrorOf(portFailure(thrown), thrown))
  }

  #sendWithSignal(
    topic: Topic,
    queues: TopicQueues,
    given: ProducerRecord | readonly ProducerRecord[],
    context: AppendContext,
    signal: AbortSignal,
  ): Promise<Acknowledgement | Acknowledgements> {
    if (signal.aborted) return Promise.reject(aborted(signal))
    if (Array.isArray(given)) return orAborted(this.#sendAll(topic, queues, given, context, signal), signal)
    return orAborted(this.#sendOne(topic, queues, given as ProducerRecord, context, signal), signal)
  }

  // --- waiting ----------------------------------------------------------------------------------------------------------------------

  #mustQueue(queues: TopicQueues): boolean {
    return this.#waiting.size > 0 || queues.waiting.size > 0 || !queues.isKnown
  }

  #mustWait(queues: TopicQueues, record: EncodedRecord): boolean {
    return this.#mustQueue(queues) || !this.#hasRoom(record)
  }

  #hasRoom({ sizeUpperBound }: EncodedRecord): boolean {
    return this.#accumulator.hasRoomFor(sizeUpperBound)
  }

  #wait(queues: TopicQueues, send: WaitingSend): void {
    const waiting = queues.isKnown ? this.#waiting : queues.waiting
    if (waiting.size >= this.#connection.host.limits.waitingSendsMax) {
      send.fail(bufferExhausted(this.#options))
      return
    }
    waiting.add(send)
    if (queues.isKnown) this.#dispatcher.closeAll()
    else this.#ask(queues)
  }

  #failAll(error: KafkaError): void {
    this.#waiting.failAll(error)
    for (const { waiting } of this.#topics.values()) waiting.failAll(error)
    this.#dispatcher.failAll(error)
    this.#changes.tell()
  }

  // --- the sender and its topics ----------------------------------------------------------------------------------------------------

  #connect(): void {
    if (this.#sender === 'asked for' || this.#state === 'closed') return
    this.#sender = 'asked for'
    this.#connection.open({
      connected: link => {
        this.#dispatcher.link = link
        link.on('topicMetadata', metadata => this.#learned(metadata))
        link.closed.then(() => {
          if (this.#dispatcher.link === link) this.#dispatcher.link = null
        })
        for (const queues of this.#topics.values()) {
          queues.isAsked = false
          this.#ask(queues)
        }
        this.#dispatcher.handOver()
        this.#changes.tell()
      },
      lost: error => {
        this.#dispatcher.link = null
        this.#sender = error
        for (const queues of this.#topics.values()) queues.isAsked = false
        this.#failAll(error)
      },
    })
  }

  #checkOpen(): void {
    if (this.#state !== 'open') throw new KafkaError('ODK_PRODUCER_CLOSED', 'the producer is closed')
  }

  #queuesToSend(name: string): TopicQueues {
    if (this.#state === 'open' && this.#transactions?.isOpen === false) throw outsideOfTransaction()
    return this.#queuesOf(name)
  }

  #queuesOf(name: string): TopicQueues {
    this.#checkOpen()
    let queues = this.#topics.get(name)
    if (queues === undefined) {
      const { maxBlockMs, partitionerAdaptivePartitioningEnable } = this.#options
      const { clock } = this.#connection.host
      const waiting = new WaitingSends(clock, maxBlockMs, () => metadataTimedOut(name, maxBlockMs))
      queues = new TopicQueues(name, partitionerAdaptivePartitioningEnable, waiting)
      this.#topics.set(name, queues)
    }
    return queues
  }

  #ask(queues: TopicQueues): void {
    this.#connect()
    if (this.#dispatcher.link === null || queues.isAsked) return
    queues.isAsked = true
    this.#dispatcher.link.ask('metadata', { topic: queues.name, maxBlockMs: this.#options.maxBlockMs }).then(
      metadata => this.#learned(metadata),
      thrown => {
        queues.isAsked = false
        queues.waiting.failAll(errorOfAsk(thrown))
        this.#changes.tell()
      },
    )
  }

  #learned(metadata: TopicMetadata): void {
    const queues = this.#topics.get(metadata.topic)
    if (queues === undefined) return
    queues.update(metadata)
    if (queues.isKnown) {
      queues.waiting.proceed()
      this.#moveToRoom(queues)
    } else if (metadata.errorCode !== 0 && !errorOf(metadata.errorCode).retriable) {
      queues.isAsked = false
      queues.waiting.failAll(topicRefused(metadata))
    }
    this.#changes.tell()
  }

  /** Who knows the topic now but found no room waits for room, in the old order. */
  #moveToRoom(queues: TopicQueues): void {
    for (const send of queues.waiting.takeAll()) this.#waiting.add(send)
    if (this.#waiting.size > 0) this.#dispatcher.closeAll()
  }

  #observed(onDelivery: DeliveryCallback | undefined, topic: string): DeliveryCallback | undefined {
    return interceptedCallback(this.#options.interceptors, topic, onDelivery, this.#connection.host.log)
  }
}
