/**
 * Reads the records of one batch, lazily: a cursor that moves from record to record and hands out positions, views, and
 * headers only when asked. Consumers, compaction, coordinators' replay and the tools decode with it.
 * A batch that comes from outside has passed `validateBatch` first; nothing here is trusted all the same.
 *
 *     record   | length varint | attributes i8 | timestamp delta varlong | offset delta varint |
 *              | key length varint (-1: null) | key | value length varint (-1: null) | value |
 *              | header count varint | headers ... |
 *     header   | key length varint | key UTF-8 | value length varint (-1: null) | value |
 */
import { NO_TIMESTAMP } from '../base/brands.ts'
import { decompress } from './compression/compression.ts'
import { CorruptRecordError } from './corrupt-record-error.ts'
import * as batch from './record-batch.ts'
import { ByteCursor, readVarint, readVarlong } from './varint.ts'

/** A header as it was sent. Keys may repeat; order counts. A `value` from a reader is a view with the record's lifetime. */
export interface RecordHeader {
  key: string
  value: Uint8Array | null
}

/** A record as `readRecords` yields it. `key`, `value` and header values are views with the batch's lifetime. */
export interface BatchRecord {
  offset: number
  /** Milliseconds, or -1 for none. */
  timestamp: number
  key: Uint8Array | null
  /** Null: a tombstone. */
  value: Uint8Array | null
  headers: RecordHeader[]
}

/**
 * Cursor over the records of a batch. `open` it, then call `next` until it says false; between two calls the fields
 * describe the current record. Views live as long as the bytes given to `open` (uncompressed batches) or as long as
 * whoever holds them (compressed ones: each `open` decompresses into a buffer of its own). Reusable; allocates nothing
 * per record unless `key`, `value` or `headers` are called.
 */
export class RecordReader {
  /** Offset in the partition. */
  offset = -1
  /** Milliseconds, -1 for none; the append time in batches of type LogAppendTime. */
  timestamp: number = NO_TIMESTAMP
  /** Where the key starts in `bytes`, and its length (-1: null). */
  keyAt = 0
  keyLength = -1
  /** Where the value starts in `bytes`, and its length (-1: null). */
  valueAt = 0
  valueLength = -1
  /** Where the headers start in `bytes`: what `readHeaders` takes. */
  headersAt = 0
  /** Headers of the record, duplicates counted. */
  headerCount = 0
  /** Records that `next` has not reached yet. */
  remaining = 0

  #cursor = new ByteCursor(new Uint8Array(0))
  #headers = new ByteCursor(this.#cursor.bytes)
  #baseOffset = 0
  #baseTimestamp = 0
  #appendTime: number | null = null

  /** The bytes that `keyAt` and `valueAt` count in: those given to `open`, or what they decompressed to. */
  get bytes(): Uint8Array {
    return this.#cursor.bytes
  }

  /**
   * Goes before the first record of the batch at `at`, which must lie wholly in `bytes`. `maxBytes` caps what a
   * compressed batch may decompress to. Throws CorruptRecordError.
   */
  open(bytes: Uint8Array, at: number, maxBytes: number): void {
    const type = batch.compressionType(bytes, at)
    if (type === undefined) throw new CorruptRecordError('UNSUPPORTED_COMPRESSION_TYPE', 'unknown compression type')
    const from = at + batch.BATCH_HEADER_BYTES
    const to = at + batch.batchSizeInBytes(bytes, at)
    if (to < from || to > bytes.length) throw new CorruptRecordError('CORRUPT_MESSAGE', 'batch is cut off')

    if (type === 'none') {
      this.#cursor = new ByteCursor(bytes, from, to)
    } else {
      this.#cursor = new ByteCursor(decompress(type, bytes.subarray(from, to), maxBytes))
    }
    this.#headers.bytes = this.#cursor.bytes
    this.#baseOffset = batch.baseOffset(bytes, at)
    this.#baseTimestamp = batch.baseTimestamp(bytes, at)
    this.#appendTime = batch.timestampType(bytes, at) === 'LogAppendTime' ? batch.maxTimestamp(bytes, at) : null
    this.remaining = batch.recordCount(bytes, at)
  }

  /** Moves to the next record; false after the last. Throws CorruptRecordError where the bytes are no record. */
  next(): boolean {
    const cursor = this.#cursor
    if (this.remaining <= 0) {
      if (cursor.position !== cursor.end) refuse('bytes remain after the last record')
      return false
    }
    const sectionEnd = cursor.end
    const length = readVarint(cursor)
    const recordEnd = cursor.position + length
    if (length < 0 || recordEnd > sectionEnd) refuse('record is longer than its batch')
    cursor.position++ // attributes: no bit has a meaning
    this.#readFields(cursor, recordEnd)
    cursor.position = recordEnd
    this.remaining--
    return true
  }

  /** View of the current record's key, or null. */
  key(): Uint8Array | null {
    return this.keyLength < 0 ? null : this.bytes.subarray(this.keyAt, this.keyAt + this.keyLength)
  }

  /** View of the current record's value, or null for a tombstone. */
  value(): Uint8Array | null {
    return this.valueLength < 0 ? null : this.bytes.subarray(this.valueAt, this.valueAt + this.valueLength)
  }

  /** The current record's headers, decoded anew at each call. Throws CorruptRecordError. */
  headers(): RecordHeader[] {
    const headers: RecordHeader[] = []
    this.#walkHeaders((keyAt, keyLength, valueAt, valueLength) => {
      headers.push({
        key: utf8(this.bytes, keyAt, keyAt + keyLength),
        value: valueLength < 0 ? null : this.bytes.subarray(valueAt, valueAt + valueLength),
      })
    })
    return headers
  }

  /** Throws CorruptRecordError unless the current record's headers fill exactly what is left of it. */
  checkHeaders(): void {
    if (this.headerCount > 0) this.#walkHeaders(ignoreHeader)
  }

  #readFields(cursor: ByteCursor, recordEnd: number): void {
    const timestampDelta = readVarlong(cursor)
    this.timestamp = this.#appendTime ?? this.#baseTimestamp + timestampDelta
    this.offset = this.#baseOffset + readVarint(cursor)

    this.keyLength = readVarint(cursor)
    this.keyAt = cursor.position
    if (this.keyLength > 0) cursor.position += this.keyLength

    if (cursor.position > recordEnd) refuse('key is longer than its record')
    this.valueLength = readVarint(cursor)
    this.valueAt = cursor.position
    if (this.valueLength > 0) cursor.position += this.valueLength

    if (cursor.position > recordEnd) refuse('value is longer than its record')
    this.headerCount = readVarint(cursor)
    const left = recordEnd - cursor.position
    if (this.keyLength < -1 || this.valueLength < -1) refuse('negative length')
    // A header takes two bytes at least, so no count can promise more than is there.
    if (this.headerCount < 0 || this.headerCount * 2 > left) refuse('header count does not fit the record')
    if (this.headerCount === 0 && left !== 0) refuse('bytes remain after the last header')
    this.headersAt = cursor.position
    this.#headers.position = cursor.position
    this.#headers.end = recordEnd
  }

  #walkHeaders(visit: HeaderVisitor): void {
    const cursor = this.#headers
    const start = cursor.position
    for (let index = 0; index < this.headerCount; index++) {
      const keyLength = readVarint(cursor)
      const keyAt = cursor.position
      if (keyLength < 0 || keyAt + keyLength > cursor.end) refuse('header key does not fit the record')
      cursor.position = keyAt + keyLength
      const valueLength = readVarint(cursor)
      const valueAt = cursor.position
      if (valueLength < -1 || valueAt + valueLength > cursor.end) refuse('header value does not fit the record')
      if (valueLength > 0) cursor.position = valueAt + valueLength
      visit(keyAt, keyLength, valueAt, valueLength)
    }
    if (cursor.position !== cursor.end) refuse('bytes remain after the last header')
    cursor.position = start
  }
}

type HeaderVisitor = (keyAt: number, keyLength: number, valueAt: number, valueLength: number) => void

/** The records of the batch at `at`, decoded one at a time. The convenient way; `RecordReader` is the fast one. */
export function* readRecords(bytes: Uint8Array, at: number, maxBytes: number): Generator<BatchRecord, void, void> {
  const reader = new RecordReader()
  reader.open(bytes, at, maxBytes)
  while (reader.next()) {
    const { offset, timestamp } = reader
    yield { offset, timestamp, key: reader.key(), value: reader.value(), headers: reader.headers() }
  }
}

/** The headers that a reader found at `headersAt`, for who keeps a record beyond the reader's next step. Throws CorruptRecordError. */
export function readHeaders(bytes: Uint8Array, headersAt: number, headerCount: number): RecordHeader[] {
  const cursor = new ByteCursor(bytes, headersAt)
  const headers: RecordHeader[] = []
  for (let index = 0; index < headerCount; index++) {
    const keyLength = readVarint(cursor)
    const keyAt = cursor.position
    if (keyLength < 0 || keyAt + keyLength > cursor.end) refuse('header key does not fit the record')
    cursor.position = keyAt + keyLength
    const valueLength = readVarint(cursor)
    const valueAt = cursor.position
    if (valueLength < -1 || valueAt + valueLength > cursor.end) refuse('header value does not fit the record')
    if (valueLength > 0) cursor.position = valueAt + valueLength
    const value = valueLength < 0 ? null : bytes.subarray(valueAt, valueAt + valueLength)
    headers.push({ key: utf8(bytes, keyAt, keyAt + keyLength), value })
  }
  return headers
}

function ignoreHeader(): void {}

function utf8(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8')
}

function refuse(message: string): never {
  throw new CorruptRecordError('INVALID_RECORD', message)
}
