// Reading stored bytes as batches: whether a stored value is what was written, which of its batches a read serves, and what state follows.
// A stored value is one or more adjacent v2 batches; its key is the base offset of the first.
import { assert } from '@odradek/shared/base/assert'
import * as batch from '@odradek/shared/records/record-batch'
import { readRecords } from '@odradek/shared/records/record-reader'
import { type AcceptedMarker, type DerivedState, replayBatch, replayMarker } from './derived-state.rules.ts'
import type { ReadLimits, StampedBatch, TimestampedBatch } from './partition-log.ts'

/** A control record is a few bytes; this only guards against nonsense. */
const CONTROL_BYTES_MAX = 1024

export interface ValueCheck {
  /** Where the value's batches end (exclusive) when all are sound. */
  readonly nextOffset: number
  /** Base offset at which the first unsound batch should have been. */
  readonly badOffset?: number
  readonly reason?: string
}

/** Checks lengths, magic, order of offsets and CRCs of one stored value. `mayHaveGaps`: compaction may have emptied offsets between its batches. */
export function checkValue(bytes: Uint8Array, key: number, mayHaveGaps: boolean): ValueCheck {
  let expected = key
  for (let at = 0; at < bytes.length; ) {
    const size = batch.batchSizeAt(bytes, at)
    const mayBeLater = at > 0 && mayHaveGaps
    const reason = size <= 0 ? 'batch is cut off or has no valid length' : unsound(bytes, at, { expected, mayBeLater })
    if (reason !== undefined) return { nextOffset: expected, badOffset: expected, reason }
    expected = batch.nextOffset(bytes, at)
    at += size
  }
  if (bytes.length === 0) return { nextOffset: key, badOffset: key, reason: 'stored value is empty' }
  return { nextOffset: expected }
}

interface Place {
  readonly expected: number
  /** It may begin later. */
  readonly mayBeLater: boolean
}

function unsound(bytes: Uint8Array, at: number, { expected, mayBeLater }: Place): string | undefined {
  if (batch.magic(bytes, at) !== batch.MAGIC_V2) return `magic is ${batch.magic(bytes, at)}, not 2`
  const base = batch.baseOffset(bytes, at)
  // The CRC does not cover it.
  if (mayBeLater ? base < expected : base !== expected) return `base offset ${base} where ${expected} is due`
  if (batch.lastOffsetDelta(bytes, at) < 0) return `last offset delta is ${batch.lastOffsetDelta(bytes, at)}`
  const crc = batch.computeBatchCrc(bytes, at)
  if (crc !== batch.batchCrc(bytes, at)) return `CRC is ${crc}, the batch says ${batch.batchCrc(bytes, at)}`
  return undefined
}

/** The part of a value's bytes that a read serves: whole batches [from, to), and the offsets they span. */
export interface ServedRange {
  readonly from: number
  readonly to: number
  readonly firstOffset: number
  readonly nextOffset: number
  /** Where the value's batches end, exclusive; undefined when a limit was met: nothing after this value is wanted. */
  readonly endOffset: number | undefined
}

/**
 * What a read of `offset` with `room` bytes left takes from the value; from === to when nothing. `first`: nothing was taken before.
 * Throws RangeError where lengths are nonsense: the caller names segment and offset.
 */
export function serveFrom(
  bytes: Uint8Array,
  offset: number,
  { room, first, limits }: { readonly room: number; readonly first: boolean; readonly limits: ReadLimits },
): ServedRange {
  let from = 0
  let firstOffset = -1
  let to = 0
  let nextOffset = offset
  let endOffset = -1
  for (let at = 0; at < bytes.length; ) {
    const size = soundSize(bytes, at)
    const next = batch.nextOffset(bytes, at)
    endOffset = next
    if (next <= offset) {
      at += size
      continue
    }
    const fits = at + size - (firstOffset < 0 ? at : from) <= room
    const wanted = fits || (first && firstOffset < 0 && limits.minOneBatch)
    if (next > limits.maxOffset || !wanted) return { from, to, firstOffset, nextOffset, endOffset: undefined }
    if (firstOffset < 0) {
      from = at
      firstOffset = batch.baseOffset(bytes, at)
    }
    at += size
    to = at
    nextOffset = next
  }
  return { from: firstOffset < 0 ? to : from, to, firstOffset, nextOffset, endOffset }
}

/** Bytes of the stored batch at `at`. Throws RangeError when there is no whole batch. */
export function soundSize(bytes: Uint8Array, at: number): number {
  const size = batch.batchSizeAt(bytes, at)
  if (size <= 0) throw new RangeError('batch is cut off or has no valid length')
  return size
}

/** Derived state after the batch at `at`. */
export function replayStored(state: DerivedState, bytes: Uint8Array, at: number): void {
  if (!batch.hasProducerId(bytes, at)) return
  if (batch.isControlBatch(bytes, at)) {
    const marker = readMarker(bytes, at)
    if (marker !== undefined) replayMarker(state, marker)
    return
  }
  replayBatch(state, {
    producerId: batch.producerId(bytes, at),
    producerEpoch: batch.producerEpoch(bytes, at),
    baseSequence: batch.baseSequence(bytes, at),
    lastSequence: batch.lastSequence(bytes, at),
    baseOffset: batch.baseOffset(bytes, at),
    lastOffset: batch.lastOffset(bytes, at),
    maxTimestamp: batch.maxTimestamp(bytes, at),
    transactional: batch.isTransactional(bytes, at),
  })
}

/** The transaction marker of a control batch (key: version, type 0 abort | 1 commit; value: version, coordinator epoch); undefined for other kinds. */
export function readMarker(bytes: Uint8Array, at: number): AcceptedMarker | undefined {
  const [record] = readRecords(bytes, at, CONTROL_BYTES_MAX)
  if (record === undefined || record.key === null || record.value === null) return undefined
  if (record.key.length < 4 || record.value.length < 6) return undefined
  const type = view(record.key).getInt16(2)
  if (type !== 0 && type !== 1) return undefined
  return {
    producerId: batch.producerId(bytes, at),
    producerEpoch: batch.producerEpoch(bytes, at),
    coordinatorEpoch: view(record.value).getInt32(2),
    committed: type === 1,
    offset: record.offset,
    timestamp: record.timestamp,
  }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The header of a stored batch, for time lookups. What compaction has emptied has no time: nothing in it can be found. */
export function timestamped(bytes: Uint8Array, at: number): TimestampedBatch {
  return {
    baseOffset: batch.baseOffset(bytes, at),
    lastOffset: batch.lastOffset(bytes, at),
    maxTimestamp: batch.recordCount(bytes, at) === 0 ? -1 : batch.maxTimestamp(bytes, at),
    partitionLeaderEpoch: batch.partitionLeaderEpoch(bytes, at),
  }
}

/** A batch as received, stamped with where it goes (both fields are outside the CRC) and described for `append`. */
export function stampBatch(bytes: Uint8Array, baseOffset: number, partitionLeaderEpoch: number): StampedBatch {
  batch.setBaseOffset(bytes, 0, baseOffset)
  batch.setPartitionLeaderEpoch(bytes, 0, partitionLeaderEpoch)
  assert(batch.batchSizeInBytes(bytes, 0) === bytes.length, 'one batch per stamped buffer')
  return { bytes, ...timestamped(bytes, 0) }
}
