// ListOffsets: what the special timestamps mean, and how far a reader may look (Kafka: Partition.fetchOffsetForTimestamp,
// UnifiedLog.fetchOffsetByTimestamp). The search inside a batch is the caller's: rules do not read logs.

/** Kafka's `ListOffsetsRequest` constants. */
const LATEST_TIMESTAMP = -1
const EARLIEST_TIMESTAMP = -2
/** KIP-734. */
const MAX_TIMESTAMP = -3
/** KIP-405: without tiered storage the same as earliest. */
const EARLIEST_LOCAL_TIMESTAMP = -4
/** KIP-1005: without tiered storage nothing is tiered. */
const LATEST_TIERED_TIMESTAMP = -5
/** KIP-1023: without tiered storage nothing waits for upload. */
const EARLIEST_PENDING_UPLOAD_TIMESTAMP = -6

/** 1 in ListOffsets and Fetch. */
export const READ_COMMITTED = 1

/** Where a log stands. */
export interface LogPosition {
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly leaderEpoch: number
}

/** What to do for a timestamp: answer an offset, nothing, or look for a record. */
export type OffsetQuery =
  | { readonly kind: 'answer'; readonly offset: number; readonly leaderEpoch: number }
  | { readonly kind: 'byTime'; readonly timestamp: number; readonly below: number }
  | { readonly kind: 'maxTimestamp'; readonly below: number }
  | { readonly kind: 'unsupported' }

/** The first offset that a reader of this isolation may not see. */
export function readableEnd(log: LogPosition, isolationLevel: number): number {
  return isolationLevel === READ_COMMITTED ? log.lastStableOffset : log.highWatermark
}

/** `epochAt` gives the leader epoch of an offset, -1 when there is none. */
export function offsetQuery(
  log: LogPosition,
  { timestamp, isolationLevel }: { readonly timestamp: number; readonly isolationLevel: number },
  epochAt: (offset: number) => number,
): OffsetQuery {
  const below = readableEnd(log, isolationLevel)
  switch (timestamp) {
    case LATEST_TIMESTAMP:
      return { kind: 'answer', offset: below, leaderEpoch: log.leaderEpoch }
    case EARLIEST_TIMESTAMP:
    case EARLIEST_LOCAL_TIMESTAMP:
      return { kind: 'answer', offset: log.logStartOffset, leaderEpoch: epochAt(log.logStartOffset) }
    case LATEST_TIERED_TIMESTAMP:
    case EARLIEST_PENDING_UPLOAD_TIMESTAMP:
      return { kind: 'answer', offset: -1, leaderEpoch: -1 }
    case MAX_TIMESTAMP:
      return { kind: 'maxTimestamp', below }
    default:
      return timestamp < 0 ? { kind: 'unsupported' } : { kind: 'byTime', timestamp, below }
  }
}

/** A record found by time counts only when the reader may see it (Kafka: `allowed`, offsets below the last fetchable one). */
export function foundOffset<Found extends { readonly offset: number }>(
  found: Found | undefined,
  below: number,
): Found | undefined {
  return found !== undefined && found.offset < below ? found : undefined
}
