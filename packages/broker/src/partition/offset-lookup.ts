// Finds offsets in a log for ListOffsets: the log knows which batch, the record inside is found by decoding that batch alone.
import type { ListOffsetsRequest, ListOffsetsResponse } from '@odradek/shared/contracts/partition-leader.contract'
import { type ErrorName, errors } from '@odradek/shared/protocol/error-codes'
import * as batch from '@odradek/shared/records/record-batch'
import { RecordReader } from '@odradek/shared/records/record-reader'
import type { PartitionLog, TimestampedBatch } from '../log/partition-log.ts'
import { foundOffset, type LogPosition, offsetQuery } from './list-offsets.rules.ts'

interface FoundRecord {
  readonly timestamp: number
  readonly offset: number
  readonly leaderEpoch: number
}

const NOT_FOUND: FoundRecord = { timestamp: -1, offset: -1, leaderEpoch: -1 }

/** Answers one ListOffsets of a leader. May throw what the log throws. */
export function listOffsets(
  log: PartitionLog,
  position: LogPosition,
  request: ListOffsetsRequest,
  decompressedBytesMax: number,
): ListOffsetsResponse {
  const query = offsetQuery(position, request, offset => epochAt(log, offset))
  switch (query.kind) {
    case 'unsupported':
      return refusedOffsets('UNSUPPORTED_VERSION')
    case 'answer':
      return { errorCode: 0, timestamp: -1, offset: query.offset, leaderEpoch: query.leaderEpoch }
    case 'byTime': {
      const { timestamp, below } = query
      const found = findFrom(log, log.batchForTimestamp(timestamp), at => at >= timestamp, decompressedBytesMax)
      return { errorCode: 0, ...(foundOffset(found, below) ?? NOT_FOUND) }
    }
    case 'maxTimestamp': {
      const latest = log.batchOfMaxTimestamp()
      const found = findFrom(log, latest, at => at === latest?.maxTimestamp, decompressedBytesMax)
      return { errorCode: 0, ...(foundOffset(found, query.below) ?? NOT_FOUND) }
    }
  }
}

export function refusedOffsets(error: ErrorName): ListOffsetsResponse {
  return { errorCode: errors[error].code, ...NOT_FOUND }
}

/** The epoch in which an offset was or will be written, -1 when the log knows none. */
function epochAt(log: PartitionLog, offset: number): number {
  return log.epochs().findLast(({ startOffset }) => startOffset <= offset)?.epoch ?? -1
}

/**
 * The first record from `start` on whose timestamp is `wanted`. It is nearly always in that batch; DeleteRecords may have cut the batch
 * in the middle, in front of it, and then a later one holds the answer.
 */
function findFrom(
  log: PartitionLog,
  start: TimestampedBatch | undefined,
  wanted: (timestamp: number) => boolean,
  decompressedBytesMax: number,
): FoundRecord | undefined {
  if (start === undefined) return undefined
  const reader = new RecordReader()
  let next = start.baseOffset
  while (next < log.logEndOffset) {
    const from = Math.max(next, log.logStartOffset)
    const { bytes, nextOffset } = log.read(from, { maxBytes: 1, maxOffset: log.logEndOffset, minOneBatch: true })
    if (bytes.length === 0) return undefined
    reader.open(bytes, 0, decompressedBytesMax)
    while (reader.next()) {
      const { offset, timestamp } = reader
      if (offset >= log.logStartOffset && wanted(timestamp)) {
        return { timestamp, offset, leaderEpoch: batch.partitionLeaderEpoch(bytes, 0) }
      }
    }
    next = nextOffset
  }
  return undefined
}
