// `odradek log verify`: reads every byte of a log and says what is wrong with it: CRCs, offsets, segments that do not follow one another,
// and derived state that is not what a replay of the batches gives (of segments that compaction rewrote: what can still be told). Changes nothing.

import { replayUpTo } from '@odradek/broker/log/log-image'
import type { AbortedTransaction, ProducerState } from '@odradek/broker/log/partition-log'
import type { LoadedSegment, Segment } from '@odradek/broker/log/segment'
import * as batch from '@odradek/shared/records/record-batch'
import type { ReadableLog } from './log-folders.ts'

export interface Finding {
  readonly segment: number
  readonly offset: number
  readonly problem: string
}

export interface Verification {
  readonly scannedBytes: number
  readonly segments: number
  readonly findings: readonly Finding[]
}

/** Never throws for what it finds in the log; throws what keeps it from reading. */
export function verifyLog(log: ReadableLog): Verification {
  const findings: Finding[] = []
  let scannedBytes = 0
  let expectedBase: number | undefined
  for (const segment of log.segments) {
    const found = (offset: number, problem: string) => findings.push({ segment: segment.baseOffset, offset, problem })
    if (expectedBase !== undefined && segment.baseOffset !== expectedBase) {
      found(segment.baseOffset, `the segment before ends at ${expectedBase}`)
    }
    try {
      const checked = verifySegment(segment, found)
      if (segment === log.segments.at(-1)) verifyMarks(segment, found)
      scannedBytes += checked.scannedBytes
      expectedBase = checked.nextOffset
    } catch (error) {
      found(segment.baseOffset, (error as Error).message)
      expectedBase = undefined
    }
  }
  return { scannedBytes, segments: log.segments.length, findings }
}

type Found = (offset: number, problem: string) => void

function verifySegment(segment: Segment, found: Found): { scannedBytes: number; nextOffset: number | undefined } {
  const loaded = segment.load()
  if (loaded === undefined) {
    found(segment.baseOffset, 'nothing was ever committed (left by a crash; the next start removes it)')
    return { scannedBytes: 0, nextOffset: undefined }
  }
  const { summary } = loaded
  const check = segment.checkTail(segment.baseOffset, summary.nextOffset, Number.MAX_SAFE_INTEGER)
  if (check.badOffset !== undefined) found(check.badOffset, check.reason ?? 'damaged')
  else verifyDerived(segment, loaded, found)
  return { scannedBytes: check.scannedBytes, nextOffset: summary.nextOffset }
}

/** Only the active segment's log state is that of the whole log. */
function verifyMarks(active: Segment, found: Found): void {
  const loaded = active.load()
  if (loaded === undefined) return
  const { logStartOffset, lastStableOffset, highWatermark } = loaded.log
  const ascending = [logStartOffset, lastStableOffset, highWatermark, loaded.summary.nextOffset]
  if (ascending.some((offset, i) => offset > (ascending[i + 1] ?? offset))) {
    found(
      highWatermark,
      `log start, last stable offset, high watermark and log end are out of order: ${ascending.join(', ')}`,
    )
  }
}

function verifyDerived(segment: Segment, { summary }: LoadedSegment, found: Found): void {
  const replayed = replayUpTo(segment, summary.nextOffset, summary)
  for (const field of ['nextOffset', 'sizeInBytes', 'maxTimestamp', 'maxTimestampOffset'] as const) {
    if (replayed.summary[field] !== summary[field]) {
      found(summary.nextOffset, `${field} is stored as ${summary[field]}, the batches give ${replayed.summary[field]}`)
    }
  }
  if (segment.generation > 0) {
    verifyCompacted(segment, found)
    return
  }
  for (const stored of segment.producers()) {
    // Producers may have expired from the stored states, so only what is stored must agree.
    if (!same(stored, replayed.derived.producers.get(stored.producerId))) {
      found(summary.nextOffset, `state of producer ${stored.producerId} is not what its batches give`)
    }
  }
  const aborted: AbortedTransaction[] = []
  segment.visitAborted(0, each => aborted.push(each) > 0)
  if (!same(aborted, replayed.derived.aborted)) {
    found(summary.nextOffset, 'the transaction index is not what the markers give')
  }
}

/** Compaction drops batches that states followed from, so of a rewritten segment only this can be told: what it holds is in order and has its marker. */
function verifyCompacted(segment: Segment, found: Found): void {
  const markers = new Set<number>()
  segment.visit(segment.baseOffset, (bytes, at) => {
    const records = batch.recordCount(bytes, at)
    const span = batch.lastOffsetDelta(bytes, at) + 1
    if (records > span) found(batch.baseOffset(bytes, at), `${records} records in a batch that spans ${span} offsets`)
    if (batch.isControlBatch(bytes, at)) markers.add(batch.baseOffset(bytes, at))
    return true
  })
  segment.visitAborted(0, ({ lastOffset }) => {
    if (!markers.has(lastOffset)) found(lastOffset, 'the transaction index names a marker that is not there')
    return true
  })
}

function same(a: ProducerState | readonly AbortedTransaction[], b: typeof a | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
