// Batches found by time in segments, when the indexes have said where to look.
import type { TimestampedBatch } from './partition-log.ts'
import type { Segment } from './segment.ts'
import { timestamped } from './stored-batches.rules.ts'

/** The first batch at or above `from` with this timestamp or a later one. */
export function firstBatch(segment: Segment, from: number, timestamp: number): TimestampedBatch | undefined {
  let found: TimestampedBatch | undefined
  segment.visit(from, (bytes, at) => {
    const header = timestamped(bytes, at)
    if (header.maxTimestamp >= timestamp) found = header
    return found === undefined
  })
  return found
}

/** The first batch at or above `from` that has the largest timestamp of all, by looking at every one. */
export function newestBatch(segments: readonly Segment[], from: number): TimestampedBatch | undefined {
  let newest: TimestampedBatch | undefined
  for (const segment of segments) {
    segment.visit(Math.max(from, segment.baseOffset), (bytes, at) => {
      const header = timestamped(bytes, at)
      if (header.maxTimestamp > (newest?.maxTimestamp ?? -1)) newest = header
      return true
    })
  }
  return newest
}
