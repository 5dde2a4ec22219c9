/**
 * Control records: what brokers write into a log for each other, in batches that no reader hands out as data.
 * Transaction markers end a transaction in a partition (KIP-98); the others belong to KRaft logs and are only named.
 *
 *     key    | version i16 = 0 | type i16 |
 *     value of abort and commit | version i16 = 0 | coordinator epoch i32 |     (EndTxnMarker.json)
 */

import { NO_SEQUENCE } from '../base/brands.ts'
import { BatchBuilder } from './batch-builder.ts'
import { CorruptRecordError } from './corrupt-record-error.ts'
import * as batch from './record-batch.ts'
import { RecordReader } from './record-reader.ts'

/** Types of control records by id (Kafka's `ControlRecordType`). */
const CONTROL_RECORD_TYPES = [
  'ABORT',
  'COMMIT',
  'LEADER_CHANGE',
  'SNAPSHOT_HEADER',
  'SNAPSHOT_FOOTER',
  'KRAFT_VERSION',
  'KRAFT_VOTERS',
] as const

/** `UNKNOWN` is what a later Kafka may have written; readers pass over it. */
export type ControlRecordType = (typeof CONTROL_RECORD_TYPES)[number] | 'UNKNOWN'

/** How a transaction ended. */
export type EndTxnType = 'ABORT' | 'COMMIT'

const KEY_BYTES = 4
const END_TXN_VALUE_BYTES = 6
const END_TXN_BATCH_BYTES = 78

/** A marker as the transaction coordinator asks a leader to append it. */
export interface EndTxnMarker {
  type: EndTxnType
  producerId: number
  producerEpoch: number
  /** Epoch of the coordinator's own partition; leaders refuse markers of an older one. */
  coordinatorEpoch: number
  /** Milliseconds. */
  timestamp: number
}

/** A sealed control batch of one marker: an own exact buffer with base offset 0, no leader epoch, no sequence. */
export function buildEndTxnMarker(marker: EndTxnMarker): Uint8Array {
  const key = new Uint8Array(KEY_BYTES)
  writeInt16(key, 2, CONTROL_RECORD_TYPES.indexOf(marker.type))
  const value = new Uint8Array(END_TXN_VALUE_BYTES)
  writeInt16(value, 2, marker.coordinatorEpoch >> 16)
  writeInt16(value, 4, marker.coordinatorEpoch)

  const builder = new BatchBuilder({ writeLimit: END_TXN_BATCH_BYTES })
  builder.tryAppend(marker.timestamp, key, value)
  const bytes = builder.close()
  batch.writeAttributes(bytes, 0, batch.TRANSACTIONAL_FLAG | batch.CONTROL_FLAG)
  batch.writeProducerState(bytes, 0, marker.producerId, marker.producerEpoch, NO_SEQUENCE)
  batch.writeBatchCrc(bytes, 0)
  return bytes
}

/** Type of the control record whose key a reader stands on. Throws INVALID_RECORD when the key is none. */
export function controlRecordType(key: Uint8Array | null): ControlRecordType {
  if (key === null || key.length < KEY_BYTES) throw new CorruptRecordError('INVALID_RECORD', 'not a control record key')
  if (readInt16(key, 0) < 0) throw new CorruptRecordError('INVALID_RECORD', 'negative control record version')
  return CONTROL_RECORD_TYPES[readInt16(key, 2)] ?? 'UNKNOWN'
}

/**
 * The marker in the control batch at `at`, or null when its record is of another type. What leaders and read_committed
 * readers ask. Throws CorruptRecordError. Markers are one to a batch and never compressed.
 */
export function readEndTxnMarker(bytes: Uint8Array, at: number, reader = new RecordReader()): EndTxnMarker | null {
  reader.open(bytes, at, batch.batchSizeInBytes(bytes, at))
  if (!reader.next()) return null
  const type = controlRecordType(reader.key())
  if (type !== 'ABORT' && type !== 'COMMIT') return null
  const value = reader.value()
  if (value === null || value.length < END_TXN_VALUE_BYTES || readInt16(value, 0) < 0) {
    throw new CorruptRecordError('INVALID_RECORD', 'not the value of a transaction marker')
  }
  return {
    type,
    producerId: batch.producerId(bytes, at),
    producerEpoch: batch.producerEpoch(bytes, at),
    coordinatorEpoch: (readInt16(value, 2) << 16) | (readInt16(value, 4) & 0xffff),
    timestamp: reader.timestamp,
  }
}

function readInt16(bytes: Uint8Array, at: number): number {
  return (((bytes[at] << 8) | bytes[at + 1]) << 16) >> 16
}

function writeInt16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8
  bytes[at + 1] = value
}
