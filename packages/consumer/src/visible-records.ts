// From a fetched range to what the caller decodes: checks CRCs, leaves out what the reader may not see, decompresses. Called by the
// fetcher in the consumer's thread, once per fetched partition; copies only when something is left out or decompressed.

import { decompressBatch } from '@odradek/shared/records/batch-sealing'
import { exactBytes } from '@odradek/shared/records/compression/codec'
import { readEndTxnMarker } from '@odradek/shared/records/control-records'
import { CorruptRecordError } from '@odradek/shared/records/corrupt-record-error'
import * as batch from '@odradek/shared/records/record-batch'
import { type AbortedTransaction, isolationFilter } from './isolation.rules.ts'

export interface VisibilityOptions {
  readonly isolationLevel: number
  readonly checkCrcs: boolean
  /** Cap of what one batch may decompress to, bytes. */
  readonly decompressedBytesMax: number
}

export interface VisibleRecords {
  /** Own exact buffer; `length` of its bytes, at `from`, are whole uncompressed batches. */
  readonly records: Uint8Array
  readonly from: number
  readonly length: number
  /** Records in it, by the batches' headers. */
  readonly recordCount: number
  /** Offset after the last whole batch, hidden or not; -1 when there was none. */
  readonly nextOffset: number
  /** Leader epoch in the last batch's header; -1 when there was none. */
  readonly leaderEpoch: number
  /** Why decoding stopped before the end; what came before it is usable. */
  readonly error: CorruptRecordError | null
}

/** A visible batch: a range of the fetched bytes, or a decompressed copy. */
interface Part {
  readonly bytes: Uint8Array
  readonly from: number
  readonly to: number
}

const NOTHING = new Uint8Array(0)

/**
 * Looks through one partition's fetched bytes. Takes `fetched` over, and the buffer that it is a view of if more than half of that is `fetched` (a reply of the network with one
 * partition in it): the result may be the same buffer, and is about to leave this thread. Never throws for bad bytes.
 */
export function visibleRecords(
  fetched: Uint8Array,
  aborted: readonly AbortedTransaction[] | null | undefined,
  options: VisibilityOptions,
): VisibleRecords {
  const filter = isolationFilter(options.isolationLevel, aborted)
  const parts: Part[] = []
  let recordCount = 0
  let nextOffset = -1
  let leaderEpoch = -1
  let error: CorruptRecordError | null = null
  let end = 0
  try {
    end = batch.forEachBatch(fetched, (at, size) => {
      checkBatch(fetched, at, options.checkCrcs)
      if (filter.shows(viewOf(fetched, at))) {
        parts.push(plainPart(fetched, at, size, options.decompressedBytesMax))
        recordCount += batch.recordCount(fetched, at)
      }
      nextOffset = batch.nextOffset(fetched, at)
      leaderEpoch = batch.partitionLeaderEpoch(fetched, at)
    })
  } catch (thrown) {
    if (!(thrown instanceof CorruptRecordError)) throw thrown
    error = thrown
  }
  const whole = error === null && parts.every(part => part.bytes === fetched) && covers(parts, end)
  const joined = whole ? takenOver(fetched, end) : join(parts)
  return { ...joined, recordCount, nextOffset, leaderEpoch, error }
}

function checkBatch(bytes: Uint8Array, at: number, checkCrcs: boolean): void {
  if (batch.magic(bytes, at) !== batch.MAGIC_V2) {
    throw new CorruptRecordError('CORRUPT_MESSAGE', `batch of magic ${batch.magic(bytes, at)}, only version 2 is read`)
  }
  if (checkCrcs && batch.computeBatchCrc(bytes, at) !== batch.batchCrc(bytes, at)) {
    throw new CorruptRecordError(
      'CORRUPT_MESSAGE',
      `CRC of the batch at offset ${batch.baseOffset(bytes, at)} is wrong`,
    )
  }
}

function viewOf(bytes: Uint8Array, at: number) {
  const isControl = batch.isControlBatch(bytes, at)
  return {
    producerId: batch.producerId(bytes, at),
    lastOffset: batch.lastOffset(bytes, at),
    isTransactional: batch.isTransactional(bytes, at),
    isControl,
    isAbortMarker: isControl && isAbortMarker(bytes, at),
  }
}

function isAbortMarker(bytes: Uint8Array, at: number): boolean {
  return readEndTxnMarker(bytes, at)?.type === 'ABORT'
}

function plainPart(bytes: Uint8Array, at: number, size: number, bytesMax: number): Part {
  if (batch.compressionType(bytes, at) === 'none') return { bytes, from: at, to: at + size }
  // The CRC was checked before and is not that of the plain bytes: nobody after us looks at it.
  const plain = decompressBatch(bytes, at, bytesMax)
  return { bytes: plain, from: 0, to: plain.length }
}

function covers(parts: readonly Part[], end: number): boolean {
  let at = 0
  for (const part of parts) at += part.to - part.from
  return at === end
}

type Joined = Pick<VisibleRecords, 'records' | 'from' | 'length'>

/** The buffer as a whole where a copy would cost more than what else is in it. Of two views of one buffer at most one takes it over. */
function takenOver(fetched: Uint8Array, length: number): Joined {
  const { buffer, byteOffset } = fetched
  if (fetched.byteLength * 2 <= buffer.byteLength) return { records: exactBytes(fetched), from: 0, length }
  return { records: new Uint8Array(buffer), from: byteOffset, length }
}

function join(parts: readonly Part[]): Joined {
  if (parts.length === 0) return { records: NOTHING, from: 0, length: 0 }
  if (parts.length === 1) {
    const { bytes, from, to } = parts[0]!
    const records = exactBytes(bytes.subarray(from, to))
    return { records, from: 0, length: records.length }
  }
  const records = new Uint8Array(parts.reduce((sum, part) => sum + part.to - part.from, 0))
  let at = 0
  for (const { bytes, from, to } of parts) {
    records.set(bytes.subarray(from, to), at)
    at += to - from
  }
  return { records, from: 0, length: at }
}
