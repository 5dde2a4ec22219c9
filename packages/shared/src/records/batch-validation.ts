/**
 * Says whether bytes are a record batch that may be trusted: what a leader asks before it appends, a consumer before it
 * decodes, and recovery before it believes its log. Answers with Kafka's error name and never throws.
 * The checks are those of Kafka's `ProduceRequest`, `UnifiedLog.analyzeAndValidateRecords` and `LogValidator`.
 */
import { NO_PRODUCER_ID, NO_TIMESTAMP } from '../base/brands.ts'
import { CorruptRecordError, type RecordErrorName } from './corrupt-record-error.ts'
import * as batch from './record-batch.ts'
import { RecordReader } from './record-reader.ts'

/** Who hands in the batch. A client may not do what only brokers and compaction do. */
export type BatchOrigin = 'client' | 'log'

export interface BatchLimits {
  /** Largest batch in bytes, header included (`max.message.bytes`). */
  maxBatchBytes: number
  /**
   * `client`: base offset 0, offsets dense, at least one record, no control batch, no LogAppendTime.
   * `log`: gaps and empty batches are what compaction leaves; markers are ours.
   */
  origin: BatchOrigin
}

/**
 * Null when the batch at `at` is whole and sound as far as its header and CRC tell, else why not. Does not look into
 * the records: `validateRecords` does. The batch must lie wholly before `end`.
 */
export function validateBatch(
  bytes: Uint8Array,
  at: number,
  limits: BatchLimits,
  end = bytes.length,
): RecordErrorName | null {
  if (end - at > batch.LOG_OVERHEAD + 4) {
    // Before the length: a batch of an older magic has a shorter header and is not damaged.
    const magic = batch.magic(bytes, at)
    if (magic === 0 || magic === 1) return 'INVALID_RECORD'
    if (magic !== batch.MAGIC_V2) return 'CORRUPT_MESSAGE'
  }
  const size = batch.batchSizeAt(bytes, at, end)
  if (size === batch.BATCH_INCOMPLETE || size === batch.BATCH_CORRUPT) return 'CORRUPT_MESSAGE'
  if (size > limits.maxBatchBytes) return 'MESSAGE_TOO_LARGE'
  if (batch.computeBatchCrc(bytes, at) !== batch.batchCrc(bytes, at)) return 'CORRUPT_MESSAGE'
  return validateHeader(bytes, at) ?? (limits.origin === 'client' ? validateClientHeader(bytes, at) : null)
}

function validateHeader(bytes: Uint8Array, at: number): RecordErrorName | null {
  if (batch.compressionType(bytes, at) === undefined) return 'UNSUPPORTED_COMPRESSION_TYPE'
  if (!Number.isSafeInteger(batch.baseTimestamp(bytes, at))) return 'INVALID_TIMESTAMP'
  if (!Number.isSafeInteger(batch.maxTimestamp(bytes, at))) return 'INVALID_TIMESTAMP'

  const lastDelta = batch.lastOffsetDelta(bytes, at)
  const count = batch.recordCount(bytes, at)
  if (batch.baseOffset(bytes, at) < 0 || !Number.isSafeInteger(batch.lastOffset(bytes, at))) return 'INVALID_RECORD'
  if (lastDelta < 0 || count < 0) return 'INVALID_RECORD'
  if (count > lastDelta + 1) return 'INVALID_RECORD'

  const producerId = batch.producerId(bytes, at)
  if (producerId < NO_PRODUCER_ID || !Number.isSafeInteger(producerId)) return 'INVALID_RECORD'
  if (producerId === NO_PRODUCER_ID) return batch.isTransactional(bytes, at) ? 'INVALID_RECORD' : null
  if (batch.producerEpoch(bytes, at) < 0) return 'INVALID_RECORD'
  return null
}

function validateClientHeader(bytes: Uint8Array, at: number): RecordErrorName | null {
  if (batch.isControlBatch(bytes, at)) return 'INVALID_RECORD'
  // Only clients count: what coordinators write for a producer has no sequence.
  if (batch.hasProducerId(bytes, at) && batch.baseSequence(bytes, at) < 0) return 'INVALID_RECORD'
  if (batch.timestampType(bytes, at) === 'LogAppendTime') return 'INVALID_TIMESTAMP'
  if (batch.baseOffset(bytes, at) !== 0) return 'INVALID_RECORD'
  const count = batch.recordCount(bytes, at)
  return count > 0 && count === batch.lastOffsetDelta(bytes, at) + 1 ? null : 'INVALID_RECORD'
}

export interface RecordRules {
  /** Most bytes that the records may decompress to. */
  maxBytes: number
  origin: BatchOrigin
  /** True for topics with `cleanup.policy=compact`: a record without a key is refused. */
  keyRequired?: boolean
  /** Earliest and latest timestamp allowed, in milliseconds (`message.timestamp.before.max.ms`, `...after.max.ms`). */
  timestampMin?: number
  timestampMax?: number
}

/** Why records are refused: the partition's error, and which record of the batch earned it (-1: the batch as a whole). */
export interface RecordRefusal {
  kafkaName: RecordErrorName
  batchIndex: number
}

/**
 * Walks the records of a batch that `validateBatch` has accepted: their number, lengths, offset deltas, headers and, as
 * far as `rules` ask, keys and timestamps. Null when all are sound. Decompresses if it must.
 */
export function validateRecords(
  bytes: Uint8Array,
  at: number,
  rules: RecordRules,
  reader = new RecordReader(),
): RecordRefusal | null {
  let batchIndex = -1
  try {
    reader.open(bytes, at, rules.maxBytes)
    let previousOffset = batch.baseOffset(bytes, at) - 1
    const lastOffset = batch.lastOffset(bytes, at)
    while (reader.next()) {
      batchIndex++
      reader.checkHeaders()
      const expected = rules.origin === 'client' ? reader.offset === previousOffset + 1 : reader.offset > previousOffset
      if (!expected || reader.offset > lastOffset) return { kafkaName: 'INVALID_RECORD', batchIndex }
      previousOffset = reader.offset
      if (rules.keyRequired === true && reader.keyLength < 0) return { kafkaName: 'INVALID_RECORD', batchIndex }
      if (isOutside(reader.timestamp, rules)) return { kafkaName: 'INVALID_TIMESTAMP', batchIndex }
    }
    return null
  } catch (error) {
    if (error instanceof CorruptRecordError) return { kafkaName: error.kafkaName, batchIndex }
    throw error
  }
}

function isOutside(timestamp: number, rules: RecordRules): boolean {
  if (timestamp === NO_TIMESTAMP) return false
  if (rules.timestampMin !== undefined && timestamp < rules.timestampMin) return true
  return rules.timestampMax !== undefined && timestamp > rules.timestampMax
}
