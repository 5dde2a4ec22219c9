// When segments begin and when they go, and how a segment's summary and time index grow with its batches
// (Kafka: LogSegment.shouldRoll, UnifiedLog.deleteOldSegments, TimeIndex).
import { assert } from '@odradek/shared/base/assert'
import type { LogConfig, RetentionPolicy, SegmentDescription, StampedBatch } from './partition-log.ts'
import type { SegmentName, SegmentSummary, TimeEntry } from './segment.ts'

/** A time index entry is written when timestamps rose and this many bytes came since the last one (Kafka: `index.interval.bytes`, 4096). */
const TIME_INDEX_INTERVAL_BYTES = 64 * 1024

/** Names with equal keys are the same segment. */
export function segmentKey({ baseOffset, generation }: SegmentName): string {
  return `${baseOffset}.${generation}`
}

/** By base offset, ascending; of one base offset the highest generation first. */
export function bySegmentName(a: SegmentName, b: SegmentName): number {
  return a.baseOffset - b.baseOffset || b.generation - a.generation
}

export function emptySummary(baseOffset: number): SegmentSummary {
  return {
    baseOffset,
    generation: 0,
    nextOffset: baseOffset,
    sizeInBytes: 0,
    maxTimestamp: -1,
    maxTimestampOffset: -1,
    riseOffset: -1,
    firstBatchTimestamp: -1,
    firstAppendMs: -1,
  }
}

/** What is appended follows what is there, without a gap. */
export function assertDense(batches: readonly StampedBatch[], logEndOffset: number): void {
  let expected = logEndOffset
  for (const batch of batches) {
    if (batch.baseOffset !== expected) assert(false, `offsets are dense: ${batch.baseOffset} where ${expected} is due`)
    assert(batch.lastOffset >= batch.baseOffset, 'a batch ends at or after its base offset')
    expected = batch.lastOffset + 1
  }
}

/** What `batches` add up to. */
export function bytesOf(batches: readonly StampedBatch[]): number {
  let bytes = 0
  for (const batch of batches) bytes += batch.bytes.byteLength
  return bytes
}

/** The summary after `batches`. */
export function summaryAfter(summary: SegmentSummary, batches: readonly StampedBatch[], now: number): SegmentSummary {
  if (batches.length === 0) return summary
  let { maxTimestamp, maxTimestampOffset, riseOffset } = summary
  for (const batch of batches) {
    if (batch.maxTimestamp <= maxTimestamp) continue
    maxTimestamp = batch.maxTimestamp
    maxTimestampOffset = batch.baseOffset
    if (riseOffset < 0) riseOffset = batch.baseOffset
  }
  const first = summary.sizeInBytes === 0
  return {
    baseOffset: summary.baseOffset,
    generation: summary.generation,
    nextOffset: batches.at(-1)!.lastOffset + 1,
    sizeInBytes: summary.sizeInBytes + bytesOf(batches),
    maxTimestamp,
    maxTimestampOffset,
    riseOffset,
    firstBatchTimestamp: first ? batches[0]!.maxTimestamp : summary.firstBatchTimestamp,
    firstAppendMs: first ? now : summary.firstAppendMs,
  }
}

/** The time index entry that is due, if any; the summary then starts a new rise. */
export function timeEntryDue(summary: SegmentSummary, bytesSinceEntry: number): TimeEntry | undefined {
  if (summary.riseOffset < 0 || bytesSinceEntry < TIME_INDEX_INTERVAL_BYTES) return undefined
  return { timestamp: summary.maxTimestamp, offset: summary.riseOffset }
}

/** Whether a group goes into a new segment. `timestamp`: the maxTimestamp of the group's last batch, -1 none. */
export function shouldRoll(
  active: SegmentSummary,
  group: { readonly bytes: number; readonly timestamp: number; readonly now: number },
  config: Pick<LogConfig, 'segmentBytes' | 'segmentMs'>,
): boolean {
  if (active.sizeInBytes === 0 || group.bytes === 0) return false
  if (active.sizeInBytes + group.bytes > config.segmentBytes) return true
  // Kafka measures by record time where there is one, so that old data replayed quickly still rolls by its own time.
  const byRecords = active.firstBatchTimestamp >= 0 && group.timestamp >= 0
  const waited = byRecords ? group.timestamp - active.firstBatchTimestamp : group.now - active.firstAppendMs
  return waited > config.segmentMs
}

/** Unflushed bytes after which a background checkpoint begins. */
const CHECKPOINT_BYTES = 64 * 1024 * 1024
/** Age of the oldest commit that no flush and no checkpoint has covered, after which the next commit begins one. */
const CHECKPOINT_MS = 30_000

/** Whether a background checkpoint should begin, given what was committed since the last one or the last flush. */
export function checkpointDue(uncovered: { readonly bytes: number; readonly sinceMs: number }, now: number): boolean {
  return uncovered.bytes >= CHECKPOINT_BYTES || (uncovered.bytes > 0 && now - uncovered.sinceMs >= CHECKPOINT_MS)
}

/** Segments may go when everything in them is below the high watermark. */
export interface RetentionInput extends RetentionPolicy {
  readonly highWatermark: number
  readonly logStartOffset: number
}

/** What retention looks at in a segment. */
type RetainedSegment = Pick<SegmentSummary, 'nextOffset' | 'sizeInBytes' | 'maxTimestamp' | 'firstAppendMs'>

function outlived(segment: RetainedSegment, { now, retentionMs }: RetentionPolicy): boolean {
  const newest = segment.maxTimestamp >= 0 ? segment.maxTimestamp : segment.firstAppendMs
  return retentionMs >= 0 && now - newest > retentionMs
}

/** How many of `segments` (oldest first, the active one last) go. The active one only counts when it has outlived `retentionMs`. */
export function segmentsToDelete(segments: readonly RetainedSegment[], input: RetentionInput): number {
  let surplus =
    input.retentionBytes < 0 ? -1 : segments.reduce((sum, s) => sum + s.sizeInBytes, 0) - input.retentionBytes
  let count = 0
  for (const segment of segments) {
    const active = segment === segments.at(-1)
    if (segment.sizeInBytes === 0 && active) break
    if (segment.nextOffset > input.highWatermark) break
    const belowStart = !active && segment.nextOffset <= input.logStartOffset
    const tooMuch = !active && surplus >= segment.sizeInBytes
    if (!belowStart && !tooMuch && !outlived(segment, input)) break
    surplus -= segment.sizeInBytes
    count++
  }
  return count
}

/**
 * Cuts adjacent batches into values of at most `limit` bytes (a larger batch has a value of its own): [from, to) index pairs.
 */
export function valuesOf(
  batches: readonly StampedBatch[],
  limit: number,
): { from: number; to: number; bytes: number }[] {
  const values: { from: number; to: number; bytes: number }[] = []
  let current: { from: number; to: number; bytes: number } | undefined
  for (const [index, batch] of batches.entries()) {
    const size = batch.bytes.byteLength
    if (current === undefined || current.bytes + size > limit) {
      current = { from: index, to: index, bytes: 0 }
      values.push(current)
    }
    current.to = index + 1
    current.bytes += size
  }
  return values
}

/** A segment as its log shows it. */
export function describeSegment(summary: SegmentSummary, active: boolean): SegmentDescription {
  const { baseOffset, nextOffset, sizeInBytes, maxTimestamp, firstAppendMs } = summary
  return { baseOffset, nextOffset, sizeInBytes, maxTimestamp, firstAppendMs, active }
}

/** Undefined instead of a time that never comes. */
export function finite(ms: number): number | undefined {
  return ms <= Number.MAX_SAFE_INTEGER ? ms : undefined
}
