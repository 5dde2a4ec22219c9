// A record becomes bytes, in the caller's thread: interceptors, codecs, headers, limits. Called for every record before it gets its place.
import { KafkaError } from '@odradek/shared/base/errors'
import type { ClientHost } from '@odradek/shared/client/cluster-link'
import { type Codec, encodeFailed } from '@odradek/shared/client/codecs'
import { isObject, shown } from '@odradek/shared/client/options'
import type { KeyFor, Topic, ValueFor } from '@odradek/shared/client/topic'
import { recordSizeUpperBound } from '@odradek/shared/records/batch-builder'
import { BATCH_HEADER_BYTES } from '@odradek/shared/records/record-batch'
import type { RecordHeader } from '@odradek/shared/records/record-reader'
import { interceptRecord } from './interception.ts'
import type { HeadersInput, ResolvedProducerOptions } from './options.ts'
import { whyOf } from './producer-errors.ts'
import { Scratch } from './scratch.ts'

/** A record to send. */
export interface ProducerRecord<K = unknown, V = unknown> {
  /** Decides the partition, if there is one. null or left out: none. */
  readonly key?: K | null
  /** null: a tombstone. */
  readonly value: V | null
  /** Chosen by the partitioner when left out. */
  readonly partition?: number
  /** Milliseconds since 1970; now when left out. */
  readonly timestamp?: number
  readonly headers?: HeadersInput
}

export type RecordFor<T> = ProducerRecord<KeyFor<T>, ValueFor<T>>

export interface SendOptions {
  /** Instead of the producer's `acks`; only without idempotence. */
  readonly acks?: 'all' | 0 | 1 | -1
  /** Ends the wait with ODK_ABORTED. A record that waits for room is not sent then; one that is in a batch is. */
  readonly signal?: AbortSignal
}

export interface CallOptions {
  /** Ends the wait with ODK_ABORTED. */
  readonly signal?: AbortSignal
}

/** One record with its bytes, on its way into a batch. */
export interface EncodedRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
  readonly partition: number | undefined
  readonly timestamp: number
  /** What it adds to a batch at most, bytes. */
  readonly sizeUpperBound: number
}

const NO_HEADERS: readonly RecordHeader[] = []

export class RecordEncoder {
  readonly #options: Pick<ResolvedProducerOptions, 'interceptors' | 'maxRequestSize'>
  readonly #host: Pick<ClientHost, 'clock' | 'log'>
  readonly #keys = new Scratch()
  readonly #values = new Scratch()

  constructor(
    options: Pick<ResolvedProducerOptions, 'interceptors' | 'maxRequestSize'>,
    host: Pick<ClientHost, 'clock' | 'log'>,
  ) {
    this.#options = options
    this.#host = host
  }

  /** Bytes are valid until the next record is encoded. `sentAt` is the time of a record that brings none: read once per call, since a look at the clock costs. */
  encode(topic: Topic, given: ProducerRecord, sentAt?: number): EncodedRecord {
    try {
      return this.#encode(topic, given, sentAt)
    } catch (thrown) {
      throw thrown instanceof KafkaError ? thrown : unreadableRecord(topic.name, thrown)
    }
  }

  #encode(topic: Topic, given: ProducerRecord, sentAt: number | undefined): EncodedRecord {
    const { interceptors } = this.#options
    if (!isObject(given)) throw invalidRecord(topic.name, `be an object with a value, got ${shown(given)}`)
    const record = interceptors.length === 0 ? given : interceptRecord(interceptors, topic.name, given, this.#host.log)
    if (record.value === undefined) {
      throw invalidRecord(topic.name, 'have a value; that of a tombstone is null')
    }
    const key =
      record.key === undefined || record.key === null ? null : this.#bytes(topic, 'key', topic.key, record.key)
    const value = record.value === null ? null : this.#bytes(topic, 'value', topic.value, record.value)
    const headers = record.headers === undefined ? NO_HEADERS : headersOf(topic.name, record.headers)
    const timestamp = record.timestamp ?? sentAt ?? this.#host.clock.now()
    if (!(Number.isSafeInteger(timestamp) && timestamp >= 0)) {
      throw invalidRecord(topic.name, `have a timestamp in whole milliseconds since 1970, got ${shown(timestamp)}`)
    }
    const sizeUpperBound = recordSizeUpperBound(key, value, headers)
    this.#refuseTooLarge(topic, BATCH_HEADER_BYTES + sizeUpperBound)
    return { key, value, headers, timestamp, partition: record.partition ?? undefined, sizeUpperBound }
  }

  /** As Kafka's producer, by what the record would take in a batch of its own, uncompressed (`DefaultRecordBatch.estimateBatchSizeUpperBound`). */
  #refuseTooLarge({ name }: Topic, bytes: number): void {
    const { maxRequestSize } = this.#options
    if (bytes <= maxRequestSize) return
    const message = `a record for ${name} has ${bytes} bytes in its batch, more than maxRequestSize (${maxRequestSize})`
    throw new KafkaError('ODK_RECORD_TOO_LARGE', message, { kafkaCode: 10, kafkaName: 'MESSAGE_TOO_LARGE' })
  }

  #bytes(topic: Topic, what: 'key' | 'value', codec: Codec, given: unknown): Uint8Array {
    try {
      return (what === 'key' ? this.#keys : this.#values).encode(codec, given)
    } catch (thrown) {
      throw encodeFailed(topic.name, what, thrown)
    }
  }
}

/** A record whose bytes stay. */
export function keep(record: EncodedRecord): EncodedRecord {
  // Not `slice`: of a Buffer that is a view.
  const key = record.key === null ? null : new Uint8Array(record.key)
  const value = record.value === null ? null : new Uint8Array(record.value)
  return { ...record, key, value }
}

function headersOf(topic: string, given: HeadersInput): readonly RecordHeader[] {
  const pairs: readonly unknown[] | null = Array.isArray(given) ? given : isObject(given) ? Object.entries(given) : null
  if (pairs === null) throw invalidRecord(topic, `have headers as an object or a list of pairs, got ${shown(given)}`)
  return pairs.map(pair => {
    const [key, value] = Array.isArray(pair) ? (pair as unknown[]) : []
    if (typeof key !== 'string') throw invalidRecord(topic, 'have headers whose keys are text')
    if (value === null || value instanceof Uint8Array) return { key, value }
    if (typeof value === 'string') return { key, value: Buffer.from(value, 'utf8') }
    throw invalidRecord(topic, `have headers of bytes, text or null, got ${shown(value)} for ${key}`)
  })
}

function invalidRecord(topic: string, words: string): KafkaError {
  return new KafkaError('ODK_RECORD_INVALID', `a record for ${topic} must ${words}`)
}

/** Looking at the record threw: a getter of its own, or what stands behind a proxy. */
function unreadableRecord(topic: string, cause: unknown): KafkaError {
  return new KafkaError('ODK_RECORD_INVALID', `a record for ${topic} cannot be read: ${whyOf(cause)}`, { cause })
}
