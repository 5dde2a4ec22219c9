/**
 * What happens to a batch after its builder closed it: the sender may compress its records, stamps the producer's id,
 * epoch and sequence, and computes the CRC; a consumer's thread takes compression off again.
 */

import { assert } from '../base/assert.ts'
import { NO_PRODUCER_EPOCH, NO_SEQUENCE } from '../base/brands.ts'
import { compress, decompress } from './compression/compression.ts'
import { type CompressionType, compressionId } from './compression/compression-type.ts'
import { CorruptRecordError } from './corrupt-record-error.ts'
import * as batch from './record-batch.ts'

/** What a sender adds to a closed batch. What is left out stays as it is. */
export interface BatchSeal {
  /** Default 'none', which leaves the records section as it is. */
  compression?: CompressionType
  /** The codec's level (`compression.<codec>.level`). */
  compressionLevel?: number
  /** All three together, or none. */
  producerId?: number
  producerEpoch?: number
  baseSequence?: number
  transactional?: boolean
}

/**
 * Makes a closed batch fit to send: compresses if asked, stamps, computes the CRC. Works in place and returns `bytes`,
 * except after compression, when it returns a new exact buffer. `bytes` hold one uncompressed batch, exactly; a batch
 * that was sealed before may be sealed again with other producer fields (after an epoch bump), but not compressed twice.
 */
export function sealBatch(bytes: Uint8Array, seal: BatchSeal = {}): Uint8Array {
  const type = seal.compression ?? 'none'
  assert(batch.batchSizeInBytes(bytes, 0) === bytes.length, 'a sealed buffer holds one batch exactly')
  assert(type === 'none' || batch.compressionType(bytes, 0) === 'none', 'a batch is compressed once')
  const sealed = type === 'none' ? bytes : compressBatch(bytes, 0, type, seal.compressionLevel)
  if (seal.producerId !== undefined) {
    batch.writeProducerState(
      sealed,
      0,
      seal.producerId,
      seal.producerEpoch ?? NO_PRODUCER_EPOCH,
      seal.baseSequence ?? NO_SEQUENCE,
    )
  }
  if (seal.transactional !== undefined) {
    const others = batch.attributes(sealed, 0) & ~batch.TRANSACTIONAL_FLAG
    batch.writeAttributes(sealed, 0, seal.transactional ? others | batch.TRANSACTIONAL_FLAG : others)
  }
  batch.writeBatchCrc(sealed, 0)
  return sealed
}

/**
 * A new exact buffer with the batch at `at`, its records compressed (also where that makes them larger, as Kafka does).
 * The CRC of the result is not valid until `writeBatchCrc`.
 */
function compressBatch(bytes: Uint8Array, at: number, type: CompressionType, level?: number): Uint8Array {
  const size = batch.batchSizeInBytes(bytes, at)
  const records = compress(type, bytes.subarray(at + batch.BATCH_HEADER_BYTES, at + size), level)
  return withRecords(bytes, at, records, type)
}

/**
 * The batch at `at` with its records decompressed: a new exact buffer, or a view of `bytes` when they were not
 * compressed. The CRC is that of the original, hence no longer valid; check it before. Throws CorruptRecordError.
 */
export function decompressBatch(bytes: Uint8Array, at: number, maxBytes: number): Uint8Array {
  const size = batch.batchSizeInBytes(bytes, at)
  const type = batch.compressionType(bytes, at)
  if (type === undefined) throw new CorruptRecordError('UNSUPPORTED_COMPRESSION_TYPE', 'unknown compression type')
  if (type === 'none') return bytes.subarray(at, at + size)
  const records = decompress(type, bytes.subarray(at + batch.BATCH_HEADER_BYTES, at + size), maxBytes)
  return withRecords(bytes, at, records, 'none')
}

function withRecords(bytes: Uint8Array, at: number, records: Uint8Array, type: CompressionType): Uint8Array {
  const result = new Uint8Array(batch.BATCH_HEADER_BYTES + records.length)
  result.set(bytes.subarray(at, at + batch.BATCH_HEADER_BYTES))
  result.set(records, batch.BATCH_HEADER_BYTES)
  batch.writeBatchSize(result, 0, result.length)
  batch.writeAttributes(result, 0, (batch.attributes(result, 0) & ~batch.COMPRESSION_MASK) | compressionId(type))
  return result
}
