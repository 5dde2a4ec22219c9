// A record as the user sees it: key, value and headers are decoded when first asked for, from the batch that the record came in.
import type { Codec } from '@odradek/shared/client/codecs'
import { decodeFailed } from '@odradek/shared/client/codecs'
import { type RecordHeader, type RecordReader, readHeaders } from '@odradek/shared/records/record-reader'

/** What the records of one delivery share. Its bytes live as long as any record (or view of a key or value) from it. */
export interface RecordSource {
  readonly topic: string
  readonly partition: number
  readonly keyCodec: Codec
  readonly valueCodec: Codec
  readonly bytes: Uint8Array
}

/**
 * One record. Byte keys, values and header values are views of the fetched batch: copy what must outlive it, since a view keeps the whole
 * batch in memory. A key or value that its codec refuses throws ODK_DECODE_FAILED where it is read (see `onDecodeError`).
 */
export class ConsumerRecord<K = unknown, V = unknown> {
  /** Milliseconds since 1970; -1 for none. */
  readonly timestamp: number
  private readonly source: RecordSource
  private readonly offsetNumber: number
  private readonly keyAt: number
  private readonly keyLength: number
  private readonly valueAt: number
  private readonly valueLength: number
  private readonly headersAt: number
  private readonly headerCount: number
  private decodedKey: K | null | undefined = undefined
  private decodedValue: V | null | undefined = undefined

  /** For the consumer: the record that `reader` stands on. */
  constructor(source: RecordSource, reader: RecordReader) {
    this.timestamp = reader.timestamp
    this.source = source
    this.offsetNumber = reader.offset
    this.keyAt = reader.keyAt
    this.keyLength = reader.keyLength
    this.valueAt = reader.valueAt
    this.valueLength = reader.valueLength
    this.headersAt = reader.headersAt
    this.headerCount = reader.headerCount
  }

  get topic(): string {
    return this.source.topic
  }

  get partition(): number {
    return this.source.partition
  }

  get offset(): bigint {
    return BigInt(this.offsetNumber)
  }

  /** Null when the record has no key. */
  get key(): K | null {
    if (this.decodedKey === undefined) {
      this.decodedKey = this.keyLength < 0 ? null : this.decode('key', this.source.keyCodec, this.keyAt, this.keyLength)
    }
    return this.decodedKey as K | null
  }

  /** Null for a tombstone. */
  get value(): V | null {
    if (this.decodedValue === undefined) {
      const { valueAt, valueLength, source } = this
      this.decodedValue = valueLength < 0 ? null : this.decode('value', source.valueCodec, valueAt, valueLength)
    }
    return this.decodedValue as V | null
  }

  /** In the order they were sent, duplicates kept. */
  get headers(): readonly RecordHeader[] {
    return this.headerCount === 0 ? [] : readHeaders(this.source.bytes, this.headersAt, this.headerCount)
  }

  /** As JSON.stringify sees it: offset as text, bytes as they serialise. */
  toJSON(): object {
    const { topic, partition, timestamp, key, value, headers } = this
    return { topic, partition, offset: String(this.offsetNumber), timestamp, key, value, headers }
  }

  private decode(what: 'key' | 'value', codec: Codec, at: number, length: number): any {
    const { bytes } = this.source
    try {
      return codec.decodeRange === undefined
        ? codec.decode(bytes.subarray(at, at + length))
        : codec.decodeRange(bytes, at, at + length)
    } catch (cause) {
      throw decodeFailed(`${this.topic}-${this.partition}@${this.offsetNumber}`, what, cause)
    }
  }
}
