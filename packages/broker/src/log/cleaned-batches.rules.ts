// Rewriting one stored batch without the records that compaction drops (Java: MemoryRecords.filterTo). Offsets never change: base offset and last
// offset delta stay, so the batch keeps its place and its sequence numbers; records keep their offset deltas, with gaps. Records are copied as
// bytes; only when the batch gets a delete horizon, which takes the place of the base timestamp, are their timestamp deltas written anew.
import { compress, decompress } from '@odradek/shared/records/compression/compression'
import { CorruptRecordError } from '@odradek/shared/records/corrupt-record-error'
import * as batch from '@odradek/shared/records/record-batch'
import {
  ByteCursor,
  readVarint,
  readVarlong,
  varintSize,
  varlongSize,
  writeVarint,
  writeVarlong,
} from '@odradek/shared/records/varint'

/** A record as found in a batch; valid until the visitor returns. */
export interface RawRecord {
  offset: number
  /** As stored: create time, also in batches of type LogAppendTime. */
  timestamp: number
  /** Bytes as latin1 text; null without a key. */
  key: string | null
  isTombstone: boolean
}

/** Delete horizon of a batch, -1 none. */
export function deleteHorizonMs(bytes: Uint8Array, at: number): number {
  return batch.hasDeleteHorizon(bytes, at) ? batch.baseTimestamp(bytes, at) : -1
}

/** Calls `visit` for each record of the batch at `at`. False ends the visit. Throws CorruptRecordError. */
export function visitRecords(
  bytes: Uint8Array,
  at: number,
  maxBytes: number,
  visit: (record: RawRecord) => boolean,
): void {
  walk(sectionOf(bytes, at, maxBytes), bytes, at, record => visit(record))
}

export interface Rewriting {
  readonly stays: (record: RawRecord) => boolean
  /** What the horizon shall be, given what stays; called once. */
  readonly horizonOf: (left: { readonly hasTombstones: boolean }) => number
  /** What a compressed batch may decompress to. */
  readonly maxBytes: number
}

export interface Rewritten {
  /** An own exact buffer; undefined when nothing changes: the batch goes on as it is. */
  readonly bytes: Uint8Array | undefined
  /** Records that stay. */
  readonly recordCount: number
}

/** The batch at `at` with what stays of it; with 0 records the caller decides between nothing and `emptied`. Throws CorruptRecordError. */
export function rewritten(bytes: Uint8Array, at: number, { stays, horizonOf, maxBytes }: Rewriting): Rewritten {
  const section = sectionOf(bytes, at, maxBytes)
  const kept: KeptRecord[] = []
  let hasTombstones = false
  let maxTimestamp = -1
  walk(section, bytes, at, (record, place) => {
    if (!stays(record)) return true
    kept.push({ ...place, timestamp: record.timestamp })
    hasTombstones ||= record.isTombstone
    maxTimestamp = Math.max(maxTimestamp, record.timestamp)
    return true
  })
  if (kept.length === 0) return { bytes: undefined, recordCount: 0 }
  const before = deleteHorizonMs(bytes, at)
  const horizon = horizonOf({ hasTombstones })
  if (kept.length === batch.recordCount(bytes, at) && horizon === before) {
    return { bytes: undefined, recordCount: kept.length }
  }
  const base = horizon === before ? batch.baseTimestamp(bytes, at) : horizon
  const records = horizon === before ? copied(section, kept) : rebased(section, kept, base)
  const appendTime = batch.timestampType(bytes, at) === 'LogAppendTime'
  const header = {
    attributes: batch.attributes(bytes, at) | (horizon >= 0 ? batch.DELETE_HORIZON_FLAG : 0),
    baseTimestamp: base,
    maxTimestamp: appendTime ? batch.maxTimestamp(bytes, at) : maxTimestamp,
    recordCount: kept.length,
  }
  return {
    bytes: withHeader(bytes, at, header, compress(batch.compressionType(bytes, at)!, records)),
    recordCount: kept.length,
  }
}

/** The batch at `at` without any record: what stays to tell offsets, producer and epoch (Java: DefaultRecordBatch.writeEmptyHeader). */
export function emptied(bytes: Uint8Array, at: number): Uint8Array {
  const attributes = batch.attributes(bytes, at) & ~(batch.COMPRESSION_MASK | batch.DELETE_HORIZON_FLAG)
  const header = { attributes, baseTimestamp: -1, maxTimestamp: batch.maxTimestamp(bytes, at), recordCount: 0 }
  return withHeader(bytes, at, header, new Uint8Array(0))
}

/** Where a record lies in its section: from its length on, and from the field behind its offset delta on. */
interface RecordPlace {
  readonly from: number
  readonly restAt: number
  readonly to: number
  readonly attributes: number
  readonly offsetDelta: number
}

interface KeptRecord extends RecordPlace {
  readonly timestamp: number
}

function sectionOf(bytes: Uint8Array, at: number, maxBytes: number): Uint8Array {
  const type = batch.compressionType(bytes, at)
  if (type === undefined) throw new CorruptRecordError('UNSUPPORTED_COMPRESSION_TYPE', 'unknown compression type')
  const stored = bytes.subarray(at + batch.BATCH_HEADER_BYTES, at + batch.batchSizeInBytes(bytes, at))
  return type === 'none' || stored.length === 0 ? stored : decompress(type, stored, maxBytes)
}

function walk(
  section: Uint8Array,
  bytes: Uint8Array,
  at: number,
  visit: (record: RawRecord, place: RecordPlace) => boolean,
): void {
  const text = Buffer.from(section.buffer, section.byteOffset, section.length)
  const cursor = new ByteCursor(section)
  const baseOffset: number = batch.baseOffset(bytes, at)
  const baseTimestamp: number = batch.baseTimestamp(bytes, at)
  const count = batch.recordCount(bytes, at)
  for (let index = 0; index < count; index++) {
    const from = cursor.position
    const length = readVarint(cursor)
    const to = cursor.position + length
    if (length < 0 || to > section.length) throw new CorruptRecordError('INVALID_RECORD', 'record is cut off')
    const attributes = section[cursor.position++] ?? 0
    const timestamp = baseTimestamp + readVarlong(cursor)
    const offsetDelta = readVarint(cursor)
    const restAt = cursor.position
    const keyLength = readVarint(cursor)
    const keyAt = cursor.position
    if (keyLength > 0) cursor.position += keyLength
    const isTombstone = readVarint(cursor) < 0
    if (cursor.position > to) throw new CorruptRecordError('INVALID_RECORD', 'key is longer than its record')
    const key = keyLength < 0 ? null : text.toString('latin1', keyAt, keyAt + keyLength)
    const record = { offset: baseOffset + offsetDelta, timestamp, key, isTombstone }
    if (!visit(record, { from, restAt, to, attributes, offsetDelta })) return
    cursor.position = to
  }
}

function copied(section: Uint8Array, kept: readonly KeptRecord[]): Uint8Array {
  const out = new Uint8Array(kept.reduce((sum, { from, to }) => sum + to - from, 0))
  let end = 0
  for (const { from, to } of kept) {
    out.set(section.subarray(from, to), end)
    end += to - from
  }
  return out
}

/** The records with timestamp deltas to `base`. */
function rebased(section: Uint8Array, kept: readonly KeptRecord[], base: number): Uint8Array {
  const sizes = kept.map(
    ({ timestamp, offsetDelta, restAt, to }) =>
      1 + varlongSize(timestamp - base) + varintSize(offsetDelta) + to - restAt,
  )
  const out = new Uint8Array(sizes.reduce((sum, size) => sum + varintSize(size) + size, 0))
  let end = 0
  for (const [index, { timestamp, offsetDelta, restAt, to, attributes }] of kept.entries()) {
    end = writeVarint(out, end, sizes[index]!)
    out[end++] = attributes
    end = writeVarlong(out, end, timestamp - base)
    end = writeVarint(out, end, offsetDelta)
    out.set(section.subarray(restAt, to), end)
    end += to - restAt
  }
  return out
}

function withHeader(
  bytes: Uint8Array,
  at: number,
  changed: Pick<batch.BatchHeader, 'attributes' | 'baseTimestamp' | 'maxTimestamp' | 'recordCount'>,
  records: Uint8Array,
): Uint8Array {
  const out = new Uint8Array(batch.BATCH_HEADER_BYTES + records.length)
  batch.writeBatchHeader(out, 0, {
    baseOffset: batch.baseOffset(bytes, at),
    sizeInBytes: out.length,
    partitionLeaderEpoch: batch.partitionLeaderEpoch(bytes, at),
    lastOffsetDelta: batch.lastOffsetDelta(bytes, at),
    producerId: batch.producerId(bytes, at),
    producerEpoch: batch.producerEpoch(bytes, at),
    baseSequence: batch.baseSequence(bytes, at),
    ...changed,
  })
  out.set(records, batch.BATCH_HEADER_BYTES)
  batch.writeBatchCrc(out, 0)
  return out
}
