// What becomes of the records that a producer is given, in the caller's thread: each is encoded and placed into its partition's batch, or it waits, for its
// topic to become known or for room in `buffer.memory`. Everything per record happens here. Called by the producer only.
import { KafkaError } from '@odradek/shared/base/errors'
import type { ClientHost } from '@odradek/shared/client/cluster-link'
import type { Topic } from '@odradek/shared/client/topic'
import type { Accumulator, AppendContext } from './accumulator.ts'
import { type Acknowledgement, type Acknowledgements, SendGroup } from './acknowledgement.ts'
import type { DeliveryCallback, RecordResolver } from './batch-in-progress.ts'
import type { Dispatcher } from './dispatcher.ts'
import { interceptedCallback } from './interception.ts'
import type { ResolvedProducerOptions } from './options.ts'
import { bufferExhausted, kafkaErrorOf, portFailure } from './producer-errors.ts'
import type { ProducerMetrics } from './producer-metrics.ts'
import { type EncodedRecord, keep, type ProducerRecord, RecordEncoder } from './record-encoder.ts'
import { RecordPlacer } from './record-placer.ts'
import type { TopicQueues } from './topic-queues.ts'
import { unlessAborted, type WaitingSend, type WaitingSends } from './waiting-sends.ts'

export interface SendsParts {
  readonly host: Pick<ClientHost, 'clock' | 'random' | 'log' | 'limits'>
  readonly options: ResolvedProducerOptions
  readonly accumulator: Accumulator
  readonly dispatcher: Dispatcher
  readonly metrics: ProducerMetrics
  /** Sends to known topics that wait for room. */
  readonly room: WaitingSends
  /** Somebody waits for a topic to become known. */
  readonly needsTopic: (queues: TopicQueues) => void
  /** A record will never come to the sender. */
  readonly refused: (thrown: unknown) => void
}

export class Sends {
  readonly #parts: SendsParts
  readonly #encoder: RecordEncoder
  readonly #placer: RecordPlacer
  readonly #accumulator: Accumulator
  readonly #dispatcher: Dispatcher

  constructor(parts: SendsParts) {
    const { options, host, accumulator, dispatcher } = parts
    this.#parts = parts
    this.#encoder = new RecordEncoder(options, host)
    this.#placer = new RecordPlacer(options, accumulator, host.random)
    this.#accumulator = accumulator
    this.#dispatcher = dispatcher
  }

  /** Whether this many open batches' worth of room is left for records without a promise. */
  hasSlack(batches: 1 | 2): boolean {
    return this.#accumulator.hasSlack(batches, this.#parts.host.limits.enqueueOnTheirWayBytesMax)
  }

  // --- one record -------------------------------------------------------------------------------------------------------------------

  /** False: it waits, or there is little room left. Throws what is wrong with the record. */
  enqueue(
    topic: Topic,
    queues: TopicQueues,
    record: ProducerRecord,
    context: AppendContext,
    onDelivery?: DeliveryCallback,
  ): boolean {
    const encoded = this.#encoder.encode(topic, record)
    const callback = this.#observed(onDelivery, topic.name)
    if (this.#mustWait(queues, encoded)) {
      this.wait(queues, this.#waitingRecord(queues, keep(encoded), context, null, callback))
      return false
    }
    const batch = this.#placer.place(queues, encoded, context)
    if (callback !== undefined) batch.called(callback, encoded.timestamp)
    this.#dispatcher.placed(batch)
    return this.hasSlack(1)
  }

  one(
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
        this.wait(queues, unlessAborted(waiting, signal))
        return
      }
      try {
        const batch = this.#placer.place(queues, encoded, context)
        batch.promised(settle, encoded.timestamp)
        if (callback !== undefined) batch.called(callback, encoded.timestamp)
        this.#dispatcher.placed(batch)
      } catch (thrown) {
        this.#parts.refused(thrown)
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
      this.#parts.refused(error)
      this.#parts.metrics.failed(1)
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

  all(
    topic: Topic,
    queues: TopicQueues,
    records: readonly ProducerRecord[],
    context: AppendContext,
    signal?: AbortSignal,
  ): Promise<Acknowledgements> {
    return new Promise((resolve, reject) => {
      const group = new SendGroup(records.length, this.#parts.host.clock.now(), outcome =>
        outcome instanceof KafkaError ? reject(outcome) : resolve(outcome),
      )
      const send: WaitingSend = {
        proceed: () => this.#fill(topic, queues, records, group, context),
        fail: error => this.#refuse(group, error),
      }
      if (this.#mustQueue(queues) || !send.proceed()) this.wait(queues, unlessAborted(send, signal))
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
      this.#refuse(group, thrown instanceof KafkaError ? ofRecord(thrown, group) : thrown)
    }
    return true
  }

  #refuse(group: SendGroup, thrown: unknown): void {
    this.#parts.refused(thrown)
    group.sealed(thrown instanceof KafkaError ? thrown : kafkaErrorOf(portFailure(thrown), thrown))
  }

  // --- waiting ----------------------------------------------------------------------------------------------------------------------

  #mustQueue(queues: TopicQueues): boolean {
    return this.#parts.room.size > 0 || queues.waiting.size > 0 || !queues.isKnown
  }

  #mustWait(queues: TopicQueues, record: EncodedRecord): boolean {
    return this.#mustQueue(queues) || !this.#hasRoom(record)
  }

  #hasRoom({ sizeUpperBound }: EncodedRecord): boolean {
    return this.#accumulator.hasRoomFor(sizeUpperBound)
  }

  /** Until its topic is known, or until there is room. */
  wait(queues: TopicQueues, send: WaitingSend): void {
    const { room, host, options, needsTopic } = this.#parts
    const waiting = queues.isKnown ? room : queues.waiting
    if (waiting.size >= host.limits.waitingSendsMax) {
      send.fail(bufferExhausted(options))
      return
    }
    waiting.add(send)
    if (queues.isKnown) this.#dispatcher.closeAll()
    else needsTopic(queues)
  }

  #observed(onDelivery: DeliveryCallback | undefined, topic: string): DeliveryCallback | undefined {
    return interceptedCallback(this.#parts.options.interceptors, topic, onDelivery, this.#parts.host.log)
  }
}

/** The same error, saying which of the records that were sent together it is of: the first that has no place yet. */
function ofRecord(error: KafkaError, { placed, length }: SendGroup): KafkaError {
  const { code, kafkaCode, kafkaName, retriable, fatal, cause } = error
  const message = `record ${placed} of ${length} (from 0): ${error.message}`
  return new KafkaError(code, message, { kafkaCode, kafkaName, retriable, fatal, cause })
}
