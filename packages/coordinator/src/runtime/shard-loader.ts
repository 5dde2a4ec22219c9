// Reads a shard's partition from its start to its end through the leader contract and hands out, in order, what lies in it.
// Called by the shard runner while it loads.
import type { Link } from '@odradek/shared/actor/actor'
import { limits } from '@odradek/shared/base/limits'
import type { PartitionLeaderContract } from '@odradek/shared/contracts/partition-leader.contract'
import { controlRecordType } from '@odradek/shared/records/control-records'
import {
  forEachBatch,
  isControlBatch,
  isTransactional,
  nextOffset,
  producerEpoch,
  producerId,
} from '@odradek/shared/records/record-batch'
import { RecordReader } from '@odradek/shared/records/record-reader'
import type { EndTransactionMarker, RecordMeta } from './shard.ts'

export interface LogVisitor {
  /** Key and value are views that end with the call. */
  record(key: Uint8Array | null, value: Uint8Array | null, meta: RecordMeta): void
  marker(marker: EndTransactionMarker): void
  /** False ends the reading: another load has begun. */
  wanted(): boolean
}

/**
 * Claims the log, so that nothing of a predecessor comes into it any more, and reads to its end; returns that end offset. Rejects when the leader does not
 * answer or refuses.
 */
export async function readLog(link: Link<PartitionLeaderContract>, visitor: LogVisitor): Promise<number> {
  const { logStartOffset, logEndOffset } = await link.ask('claim', {})
  let offset = logStartOffset
  while (offset < logEndOffset && visitor.wanted()) {
    const { errorCode, records } = await link.ask('fetch', fetchFrom(offset))
    if (errorCode !== 0) throw new Error(`the leader answered a fetch at offset ${offset} with error code ${errorCode}`)
    if (!visitor.wanted()) break
    const next = visitBatches(records, offset, visitor)
    if (next === offset) throw new Error(`the log ends at offset ${offset}, before its end offset ${logEndOffset}`)
    offset = next
  }
  return Math.max(offset, logEndOffset)
}

function fetchFrom(fetchOffset: number) {
  return {
    currentLeaderEpoch: -1,
    fetchOffset,
    lastFetchedEpoch: -1,
    partitionMaxBytes: limits.shardLoadFetchBytes,
    isolationLevel: 0,
    minBytes: 0,
    maxWaitMs: 0,
  }
}

function visitBatches(records: Uint8Array, from: number, visitor: LogVisitor): number {
  const reader = new RecordReader()
  let next = from
  forEachBatch(records, at => {
    next = nextOffset(records, at)
    reader.open(records, at, limits.shardRecordsBytesMax)
    if (isControlBatch(records, at)) visitMarkers(reader, records, at, visitor)
    else visitRecords(reader, records, at, from, visitor)
  })
  return next
}

function visitRecords(reader: RecordReader, records: Uint8Array, at: number, from: number, visitor: LogVisitor): void {
  const transactional = isTransactional(records, at)
  const producer = transactional
    ? { producerId: producerId(records, at), producerEpoch: producerEpoch(records, at) }
    : { producerId: -1, producerEpoch: -1 }
  while (reader.next()) {
    // The first batch may begin before the offset that was asked for.
    if (reader.offset < from) continue
    visitor.record(reader.key(), reader.value(), {
      offset: reader.offset,
      timestamp: reader.timestamp,
      transactional,
      ...producer,
    })
  }
}

function visitMarkers(reader: RecordReader, records: Uint8Array, at: number, visitor: LogVisitor): void {
  while (reader.next()) {
    const result = controlRecordType(reader.key())
    if (result !== 'ABORT' && result !== 'COMMIT') continue
    visitor.marker({ producerId: producerId(records, at), producerEpoch: producerEpoch(records, at), result })
  }
}
