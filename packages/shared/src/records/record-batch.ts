/**
 * Record batch, magic 2: the one layout in which records travel, rest and are served (Kafka's `DefaultRecordBatch`).
 * A batch is a position in borrowed bytes; these functions read and write its header fields in place, without an
 * object per batch and without copying. They trust that a whole header is there: `validateBatch` or `batchSizeAt`
 * has looked first. int64 fields are numbers (exact within +-(2^53 - 1)).
 *
 *      0       8      12    16    17    21        23               27              35              43
 *      +-------+-------+-----+-----+-----+---------+----------------+---------------+---------------+
 *      | base  | batch |lead.|magic| crc |attri-   | last offset    | base          | max           |
 *      | offset| length|epoch| = 2 | 32c |butes    | delta          | timestamp     | timestamp     |
 *      +-------+-------+-----+-----+-----+---------+----------------+---------------+---------------+
 *     43        51       53         57        61
 *      +--------+--------+----------+---------+-------------------------------------------------------
 *      |producer|producer| base     | record  | records: each a varint length and that many bytes,
 *      |id      |epoch   | sequence | count   | all of them compressed together when attributes say so
 *      +--------+--------+----------+---------+-------------------------------------------------------
 *
 *     batchLength counts what follows it (from byte 12); the CRC covers attributes to the end (from byte 21), so a
 *     leader may write base offset and leader epoch without touching it.
 *
 *     attributes  15 ............ 7 |      6        |    5    |       4       |       3       | 2 1 0
 *                      unused (0)   | deleteHorizon | control | transactional | logAppendTime | compression
 */
import {
  type LeaderEpoch,
  NO_PRODUCER_ID,
  NO_SEQUENCE,
  type Offset,
  type ProducerEpoch,
  type ProducerId,
  type Sequence,
  type TimestampMs,
} from '../base/brands.ts'
import { type CompressionType, compressionTypeOf } from './compression/compression-type.ts'
import { CorruptRecordError } from './corrupt-record-error.ts'
import { crc32c } from './crc32c.ts'

/** Bytes of base offset and batch length, which `batchLength` does not count. */
export const LOG_OVERHEAD = 12
/** Bytes before the records section. */
export const BATCH_HEADER_BYTES = 61
/** The only version of the format that is spoken here. */
export const MAGIC_V2 = 2

export const COMPRESSION_MASK = 0x07
export const TIMESTAMP_TYPE_FLAG = 0x08
export const TRANSACTIONAL_FLAG = 0x10
export const CONTROL_FLAG = 0x20
export const DELETE_HORIZON_FLAG = 0x40

/** Who set the timestamps: the producer, or the leader at append (`message.timestamp.type`). */
export type TimestampType = 'CreateTime' | 'LogAppendTime'

const BASE_OFFSET_AT = 0
const LENGTH_AT = 8
const PARTITION_LEADER_EPOCH_AT = 12
const MAGIC_AT = 16
const CRC_AT = 17
const ATTRIBUTES_AT = 21
const LAST_OFFSET_DELTA_AT = 23
const BASE_TIMESTAMP_AT = 27
const MAX_TIMESTAMP_AT = 35
const PRODUCER_ID_AT = 43
const PRODUCER_EPOCH_AT = 51
const BASE_SEQUENCE_AT = 53
const RECORD_COUNT_AT = 57

const TWO_32 = 2 ** 32

/** Offset of the first record (of the first that was ever in the batch, after compaction). */
export function baseOffset(bytes: Uint8Array, at: number): Offset {
  return readInt64(bytes, at + BASE_OFFSET_AT) as Offset
}

/** Bytes of the batch after this field. `batchSizeInBytes` is the whole. */
export function batchLength(bytes: Uint8Array, at: number): number {
  return readInt32(bytes, at + LENGTH_AT)
}

/** Bytes of the whole batch, header included. */
export function batchSizeInBytes(bytes: Uint8Array, at: number): number {
  return LOG_OVERHEAD + readInt32(bytes, at + LENGTH_AT)
}

/** Epoch of the leader that appended the batch; -1 before. */
export function partitionLeaderEpoch(bytes: Uint8Array, at: number): LeaderEpoch {
  return readInt32(bytes, at + PARTITION_LEADER_EPOCH_AT) as LeaderEpoch
}

export function magic(bytes: Uint8Array, at: number): number {
  return (bytes[at + MAGIC_AT] << 24) >> 24
}

/** The stored CRC-32C, unsigned. */
export function batchCrc(bytes: Uint8Array, at: number): number {
  return readInt32(bytes, at + CRC_AT) >>> 0
}

export function attributes(bytes: Uint8Array, at: number): number {
  return readInt16(bytes, at + ATTRIBUTES_AT)
}

export function lastOffsetDelta(bytes: Uint8Array, at: number): number {
  return readInt32(bytes, at + LAST_OFFSET_DELTA_AT)
}

/** Offset of the last record: the base offset plus the last delta, which compaction keeps. */
export function lastOffset(bytes: Uint8Array, at: number): Offset {
  return (baseOffset(bytes, at) + lastOffsetDelta(bytes, at)) as Offset
}

/** Offset after the batch. */
export function nextOffset(bytes: Uint8Array, at: number): Offset {
  return (lastOffset(bytes, at) + 1) as Offset
}

/** Milliseconds that record timestamps are deltas to; the delete horizon instead when `hasDeleteHorizon`. */
export function baseTimestamp(bytes: Uint8Array, at: number): TimestampMs {
  return readInt64(bytes, at + BASE_TIMESTAMP_AT) as TimestampMs
}

/** Largest record timestamp in milliseconds; the append time when the timestamp type is LogAppendTime. */
export function maxTimestamp(bytes: Uint8Array, at: number): TimestampMs {
  return readInt64(bytes, at + MAX_TIMESTAMP_AT) as TimestampMs
}

export function producerId(bytes: Uint8Array, at: number): ProducerId {
  return readInt64(bytes, at + PRODUCER_ID_AT) as ProducerId
}

export function producerEpoch(bytes: Uint8Array, at: number): ProducerEpoch {
  return readInt16(bytes, at + PRODUCER_EPOCH_AT) as ProducerEpoch
}

/** Sequence number of the first record; -1 without an idempotent producer. */
export function baseSequence(bytes: Uint8Array, at: number): Sequence {
  return readInt32(bytes, at + BASE_SEQUENCE_AT) as Sequence
}

/** Sequence number of the last record: wraps from 2^31 - 1 to 0 (`DefaultRecordBatch.incrementSequence`). */
export function lastSequence(bytes: Uint8Array, at: number): Sequence {
  const first = baseSequence(bytes, at)
  return (first === NO_SEQUENCE ? NO_SEQUENCE : (first + lastOffsetDelta(bytes, at)) % 2 ** 31) as Sequence
}

/** Records in the batch; less than the offsets it spans after compaction. */
export function recordCount(bytes: Uint8Array, at: number): number {
  return readInt32(bytes, at + RECORD_COUNT_AT)
}

/** The codec of the records section, or undefined for an id that names none. */
export function compressionType(bytes: Uint8Array, at: number): CompressionType | undefined {
  return compressionTypeOf(bytes[at + ATTRIBUTES_AT + 1] & COMPRESSION_MASK)
}

export function timestampType(bytes: Uint8Array, at: number): TimestampType {
  return (bytes[at + ATTRIBUTES_AT + 1] & TIMESTAMP_TYPE_FLAG) === 0 ? 'CreateTime' : 'LogAppendTime'
}

export function isTransactional(bytes: Uint8Array, at: number): boolean {
  return (bytes[at + ATTRIBUTES_AT + 1] & TRANSACTIONAL_FLAG) !== 0
}

/** True for batches that hold control records (transaction markers), which no reader hands out as data. */
export function isControlBatch(bytes: Uint8Array, at: number): boolean {
  return (bytes[at + ATTRIBUTES_AT + 1] & CONTROL_FLAG) !== 0
}

/** KIP-534: the base timestamp holds the time until which compaction keeps tombstones and markers. */
export function hasDeleteHorizon(bytes: Uint8Array, at: number): boolean {
  return (bytes[at + ATTRIBUTES_AT + 1] & DELETE_HORIZON_FLAG) !== 0
}

/** True when an idempotent producer wrote the batch. */
export function hasProducerId(bytes: Uint8Array, at: number): boolean {
  return producerId(bytes, at) > NO_PRODUCER_ID
}

/** Not under the CRC: a leader calls it on the batch as received. */
export function setBaseOffset(bytes: Uint8Array, at: number, offset: number): void {
  writeInt64(bytes, at + BASE_OFFSET_AT, offset)
}

/** Not under the CRC: a leader calls it on the batch as received. */
export function setPartitionLeaderEpoch(bytes: Uint8Array, at: number, epoch: number): void {
  writeInt32(bytes, at + PARTITION_LEADER_EPOCH_AT, epoch)
}

/** Sets type and largest timestamp and computes the CRC anew: what a leader does to batches of a LogAppendTime topic. */
export function setMaxTimestamp(bytes: Uint8Array, at: number, type: TimestampType, timestamp: number): void {
  const flag = type === 'LogAppendTime' ? TIMESTAMP_TYPE_FLAG : 0
  if (maxTimestamp(bytes, at) === timestamp && timestampType(bytes, at) === type) return
  bytes[at + ATTRIBUTES_AT + 1] = (bytes[at + ATTRIBUTES_AT + 1] & ~TIMESTAMP_TYPE_FLAG) | flag
  writeInt64(bytes, at + MAX_TIMESTAMP_AT, timestamp)
  writeBatchCrc(bytes, at)
}

/** Every header field. `sizeInBytes` is the whole batch; timestamps in milliseconds. */
export interface BatchHeader {
  baseOffset: number
  sizeInBytes: number
  partitionLeaderEpoch: number
  attributes: number
  lastOffsetDelta: number
  baseTimestamp: number
  maxTimestamp: number
  producerId: number
  producerEpoch: number
  baseSequence: number
  recordCount: number
}

/** Writes a whole header except the CRC, which `writeBatchCrc` adds when the records are in their place. */
export function writeBatchHeader(bytes: Uint8Array, at: number, header: BatchHeader): void {
  writeInt64(bytes, at + BASE_OFFSET_AT, header.baseOffset)
  writeInt32(bytes, at + LENGTH_AT, header.sizeInBytes - LOG_OVERHEAD)
  writeInt32(bytes, at + PARTITION_LEADER_EPOCH_AT, header.partitionLeaderEpoch)
  bytes[at + MAGIC_AT] = MAGIC_V2
  writeInt16(bytes, at + ATTRIBUTES_AT, header.attributes)
  writeInt32(bytes, at + LAST_OFFSET_DELTA_AT, header.lastOffsetDelta)
  writeInt64(bytes, at + BASE_TIMESTAMP_AT, header.baseTimestamp)
  writeInt64(bytes, at + MAX_TIMESTAMP_AT, header.maxTimestamp)
  writeProducerState(bytes, at, header.producerId, header.producerEpoch, header.baseSequence)
  writeInt32(bytes, at + RECORD_COUNT_AT, header.recordCount)
}

/** Writes the three producer fields. Under the CRC: `writeBatchCrc` must follow. */
export function writeProducerState(bytes: Uint8Array, at: number, id: number, epoch: number, sequence: number): void {
  writeInt64(bytes, at + PRODUCER_ID_AT, id)
  writeInt16(bytes, at + PRODUCER_EPOCH_AT, epoch)
  writeInt32(bytes, at + BASE_SEQUENCE_AT, sequence)
}

/** Writes attributes. Under the CRC: `writeBatchCrc` must follow. */
export function writeAttributes(bytes: Uint8Array, at: number, value: number): void {
  writeInt16(bytes, at + ATTRIBUTES_AT, value)
}

/** Writes the size of the whole batch as its length field. */
export function writeBatchSize(bytes: Uint8Array, at: number, sizeInBytes: number): void {
  writeInt32(bytes, at + LENGTH_AT, sizeInBytes - LOG_OVERHEAD)
}

/** Computes the CRC over the batch as it stands and writes it. The last step of whoever changed what it covers. */
export function writeBatchCrc(bytes: Uint8Array, at: number): void {
  writeInt32(bytes, at + CRC_AT, computeBatchCrc(bytes, at))
}

/** CRC-32C over attributes to the end of the batch. */
export function computeBatchCrc(bytes: Uint8Array, at: number): number {
  return crc32c(bytes, at + ATTRIBUTES_AT, at + batchSizeInBytes(bytes, at))
}

/** `batchSizeAt`: the bytes end before the batch does. */
export const BATCH_INCOMPLETE = 0
/** `batchSizeAt`: no batch has such a length. */
export const BATCH_CORRUPT = -1

/**
 * Bytes of the batch at `at`, when all of them lie before `end`; else BATCH_INCOMPLETE (a fetch response may end inside
 * a batch) or BATCH_CORRUPT. Looks at the length field only.
 */
export function batchSizeAt(bytes: Uint8Array, at: number, end = bytes.length): number {
  if (end - at < LOG_OVERHEAD) return BATCH_INCOMPLETE
  const size = LOG_OVERHEAD + readInt32(bytes, at + LENGTH_AT)
  if (size < BATCH_HEADER_BYTES) return BATCH_CORRUPT
  return size <= end - at ? size : BATCH_INCOMPLETE
}

/**
 * Calls `visit` with position and size of each whole batch in `bytes[from, to)` and returns where they end: `to`, or
 * the start of an incomplete last batch. Throws CORRUPT_MESSAGE at a length that no batch has.
 */
export function forEachBatch(
  bytes: Uint8Array,
  visit: (at: number, sizeInBytes: number) => void,
  from = 0,
  to = bytes.length,
): number {
  let at = from
  while (at < to) {
    const size = batchSizeAt(bytes, at, to)
    if (size === BATCH_CORRUPT)
      throw new CorruptRecordError('CORRUPT_MESSAGE', `batch at byte ${at} has no valid length`)
    if (size === BATCH_INCOMPLETE) return at
    visit(at, size)
    at += size
  }
  return at
}

/** The positions that `forEachBatch` visits, for callers to whom a generator reads better than it costs. */
export function* batchPositions(bytes: Uint8Array): Generator<number, void, void> {
  for (let at = 0; at < bytes.length; ) {
    const size = batchSizeAt(bytes, at)
    if (size === BATCH_CORRUPT)
      throw new CorruptRecordError('CORRUPT_MESSAGE', `batch at byte ${at} has no valid length`)
    if (size === BATCH_INCOMPLETE) return
    yield at
    at += size
  }
}

function readInt16(bytes: Uint8Array, at: number): number {
  return (((bytes[at] << 8) | bytes[at + 1]) << 16) >> 16
}

function readInt32(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]
}

function readInt64(bytes: Uint8Array, at: number): number {
  return readInt32(bytes, at) * TWO_32 + (readInt32(bytes, at + 4) >>> 0)
}

function writeInt16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8
  bytes[at + 1] = value
}

function writeInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 24
  bytes[at + 1] = value >> 16
  bytes[at + 2] = value >> 8
  bytes[at + 3] = value
}

function writeInt64(bytes: Uint8Array, at: number, value: number): void {
  writeInt32(bytes, at, Math.floor(value / TWO_32))
  writeInt32(bytes, at + 4, value >>> 0)
}
