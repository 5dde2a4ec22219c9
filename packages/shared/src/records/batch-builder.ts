/**
 * Builds one record batch after another in a buffer that it keeps: producers append in their own thread, coordinators
 * and markers use it too. `record-batch.ts` draws the batch, `record-reader.ts` the record.
 * The buffer stays hot; only the exact copy that `close` hands out is fresh memory, and it can be transferred.
 */
import { assert } from '../base/assert.ts'
import { NO_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, NO_TIMESTAMP } from '../base/brands.ts'
import { type BatchSeal, sealBatch } from './batch-sealing.ts'
import * as batch from './record-batch.ts'
import type { RecordHeader } from './record-reader.ts'
import { varintSize, varlongSize, writeVarint, writeVarlong } from './varint.ts'

/** Header keys up to this length are looked at character by character: most are short ASCII names. */
const KEY_LOOP_MAX_CHARACTERS = 32

/** Most bytes that lengths, deltas and counts of one record can take, headers not counted. */
const RECORD_OVERHEAD_MAX_BYTES = 32

const NO_HEADERS: readonly RecordHeader[] = []

export interface BatchBuilderOptions {
  /** Size in bytes, header included, that `tryAppend` does not pass (`batch.size`). A first record always fits. */
  writeLimit: number
  /** Bytes to start with; doubles as needed. Default: as much as `writeLimit`, at most 64 KiB. */
  initialBytes?: number
}

/** Growable builder of uncompressed batches. Not for use from two threads; empty again after each `close` or `build`. */
export class BatchBuilder {
  readonly writeLimit: number
  readonly #initialBytes: number
  #bytes: Buffer
  #position: number = batch.BATCH_HEADER_BYTES
  #recordCount = 0
  #baseTimestamp: number = NO_TIMESTAMP
  #maxTimestamp: number = NO_TIMESTAMP

  constructor(options: BatchBuilderOptions) {
    this.writeLimit = options.writeLimit
    const initialBytes = options.initialBytes ?? Math.min(options.writeLimit, 64 * 1024)
    this.#initialBytes = Math.max(initialBytes, 2 * batch.BATCH_HEADER_BYTES)
    this.#bytes = Buffer.allocUnsafeSlow(this.#initialBytes)
  }

  /** Records appended since the last `close`. The next record's offset delta. */
  get recordCount(): number {
    return this.#recordCount
  }

  /** Bytes of the batch as it stands, header included, uncompressed. */
  get sizeInBytes(): number {
    return this.#position
  }

  /** Bytes of the buffer behind the batch: what an empty builder costs to keep. */
  get bufferBytes(): number {
    return this.#bytes.length
  }

  /** Largest timestamp appended, in milliseconds. */
  get maxTimestamp(): number {
    return this.#maxTimestamp
  }

  /** Whether `tryAppend` would take the record. */
  hasRoomFor(
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[] = NO_HEADERS,
  ): boolean {
    if (this.#recordCount === 0) return true
    const bodySize = this.#bodySize(timestamp, key, value, headers)
    return this.#position + varintSize(bodySize) + bodySize <= this.writeLimit
  }

  /**
   * Appends a record unless the batch would pass `writeLimit` by it; false then, and nothing changed. `timestamp` in
   * milliseconds. Key, value and headers are copied before it returns.
   */
  tryAppend(
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[] = NO_HEADERS,
  ): boolean {
    assert(Number.isSafeInteger(timestamp), 'a timestamp is a whole number of milliseconds')
    if (this.#recordCount === 0) this.#baseTimestamp = timestamp
    const bodySize = this.#bodySize(timestamp, key, value, headers)
    const end = this.#position + varintSize(bodySize) + bodySize
    if (end > this.writeLimit && this.#recordCount > 0) return false
    if (end > this.#bytes.length) this.#grow(end)

    const bytes = this.#bytes
    let position = writeVarint(bytes, this.#position, bodySize)
    bytes[position++] = 0 // attributes
    position = writeVarlong(bytes, position, timestamp - this.#baseTimestamp)
    position = writeVarint(bytes, position, this.#recordCount)
    position = writeNullable(bytes, position, key)
    position = writeNullable(bytes, position, value)
    position = headers.length === 0 ? writeVarint(bytes, position, 0) : writeHeaders(bytes, position, headers)
    assert(position === end, 'a record has the size that was reckoned')
    this.#position = position
    this.#recordCount++
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    return true
  }

  /**
   * The batch as an own exact buffer: whole but for compression, producer fields and CRC, which `sealBatch` adds, maybe
   * in another thread. Base offset 0, no leader epoch. The builder is empty afterwards.
   */
  close(): Uint8Array {
    batch.writeBatchHeader(this.#bytes, 0, {
      baseOffset: 0,
      sizeInBytes: this.#position,
      partitionLeaderEpoch: NO_LEADER_EPOCH,
      attributes: 0,
      lastOffsetDelta: Math.max(0, this.#recordCount - 1),
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: this.#maxTimestamp,
      producerId: NO_PRODUCER_ID,
      producerEpoch: NO_PRODUCER_EPOCH,
      baseSequence: NO_SEQUENCE,
      recordCount: this.#recordCount,
    })
    // A copy of a view is not filled with zeros first, as a slice of an ArrayBuffer is.
    const closed = new Uint8Array(this.#bytes.subarray(0, this.#position))
    this.reset()
    return closed
  }

  /** `close` and `sealBatch` in one step. */
  build(seal: BatchSeal = {}): Uint8Array {
    return sealBatch(this.close(), seal)
  }

  /** Forgets what was appended; keeps the buffer, unless a single large record made it more than twice the limit. */
  reset(): void {
    if (this.#bytes.length > 2 * this.writeLimit && this.#bytes.length > this.#initialBytes) {
      this.#bytes = Buffer.allocUnsafeSlow(this.#initialBytes)
    }
    this.#position = batch.BATCH_HEADER_BYTES
    this.#recordCount = 0
    this.#baseTimestamp = NO_TIMESTAMP
    this.#maxTimestamp = NO_TIMESTAMP
  }

  #bodySize(
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[],
  ): number {
    return (
      1 +
      varlongSize(timestamp - this.#baseTimestamp) +
      varintSize(this.#recordCount) +
      nullableSize(key) +
      nullableSize(value) +
      (headers.length === 0 ? 1 : headersSize(headers))
    )
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
    larger.set(this.#bytes.subarray(0, this.#position))
    this.#bytes = larger
  }
}

/** Bytes that one record adds to a batch at most: what an accumulator reserves before it knows the batch (Kafka's `estimateSizeInBytesUpperBound`). */
export function recordSizeUpperBound(
  key: Uint8Array | null,
  value: Uint8Array | null,
  headers: readonly RecordHeader[] = NO_HEADERS,
): number {
  const fields = (key === null ? 0 : key.length) + (value === null ? 0 : value.length)
  return RECORD_OVERHEAD_MAX_BYTES + fields + (headers.length === 0 ? 1 : headersSize(headers))
}

function nullableSize(field: Uint8Array | null): number {
  return field === null ? 1 : varintSize(field.length) + field.length
}

function headersSize(headers: readonly RecordHeader[]): number {
  let size = varintSize(headers.length)
  for (const header of headers) {
    const keyLength = utf8Length(header.key)
    size += varintSize(keyLength) + keyLength + nullableSize(header.value)
  }
  return size
}

function writeNullable(bytes: Buffer, at: number, field: Uint8Array | null): number {
  if (field === null) return writeVarint(bytes, at, -1)
  const start = writeVarint(bytes, at, field.length)
  bytes.set(field, start)
  return start + field.length
}

function writeHeaders(bytes: Buffer, at: number, headers: readonly RecordHeader[]): number {
  let position = writeVarint(bytes, at, headers.length)
  for (const header of headers) {
    const keyLength = utf8Length(header.key)
    position = writeVarint(bytes, position, keyLength)
    writeUtf8(bytes, position, header.key, keyLength)
    position = writeNullable(bytes, position + keyLength, header.value)
  }
  return position
}

function utf8Length(text: string): number {
  if (text.length > KEY_LOOP_MAX_CHARACTERS) return Buffer.byteLength(text, 'utf8')
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) >= 0x80) return Buffer.byteLength(text, 'utf8')
  }
  return text.length
}

function writeUtf8(bytes: Buffer, at: number, text: string, byteLength: number): void {
  // As many bytes as characters: all of them ASCII.
  if (byteLength === text.length && byteLength <= KEY_LOOP_MAX_CHARACTERS) {
    for (let index = 0; index < byteLength; index++) bytes[at + index] = text.charCodeAt(index)
  } else {
    bytes.write(text, at, byteLength, 'utf8')
  }
}
