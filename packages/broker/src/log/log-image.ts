// The durable facts of a log as held in memory, and the two operations that rebuild them: opening (with recovery) and truncation.
// Both are rare and slow; the everyday ones are in segmented-log.ts.
import { assert } from '@odradek/shared/base/assert'
import { type DerivedState, firstUndecidedOffset } from './derived-state.rules.ts'
import { truncateEpochsFromEnd } from './leader-epochs.rules.ts'
import { LogCorruptionError } from './log-errors.ts'
import type { EpochStart, LogNotice, LogRecovery } from './partition-log.ts'
import type { LogState, Segment, SegmentStorage, SegmentSummary } from './segment.ts'
import { emptySummary, segmentKey, summaryAfter } from './segments.rules.ts'
import { replayStored, timestamped } from './stored-batches.rules.ts'

/** Replaced as a whole after each commit that succeeded; memory never runs ahead of the log. */
export interface LogImage {
  /** Undefined until the first commit of a new log: an untouched partition has no files. */
  readonly active: Segment | undefined
  readonly summary: SegmentSummary
  readonly log: LogState
  readonly epochs: readonly EpochStart[]
  /** Oldest first. */
  readonly sealed: readonly SegmentSummary[]
}

/** How much of the tail is checked after the process, but not the machine, stopped: commits are whole then, this is a look to be sure. */
const SAME_BOOT_SCAN_BYTES = 16 * 1024 * 1024

const EMPTY_LOG: LogState = {
  logStartOffset: 0,
  highWatermark: 0,
  lastStableOffset: 0,
  flushedOffset: 0,
  firstDirtyOffset: 0,
  clean: false,
}

/** Opens what is stored. Checks the unflushed tail unless the log was closed clean, and cuts it at the first bad batch. */
export function openImage(storage: SegmentStorage, notice: LogNotice): { image: LogImage; recovery: LogRecovery } {
  const loaded = lastLoaded(storage, notice)
  if (loaded === undefined) {
    const image = { active: undefined, summary: emptySummary(0), log: EMPTY_LOG, epochs: [], sealed: [] }
    return { image, recovery: { clean: true, scannedBytes: 0, droppedBytes: 0 } }
  }
  const { sameBoot, ...image } = loaded
  const kept = { ...image, ...reconcileSealed(storage, image, notice) }
  if (kept.log.clean) return { image: kept, recovery: { clean: true, scannedBytes: 0, droppedBytes: 0 } }
  return recoverTail(storage, kept, { sameBoot, notice })
}

function lastLoaded(storage: SegmentStorage, notice: LogNotice): (LogImage & { sameBoot: boolean }) | undefined {
  // Of two generations of the last base offset the lower one counts: it holds all that the higher one does, which power loss left unfinished.
  for (const name of storage.list().reverse()) {
    const active = storage.open(name)
    const loaded = active.load()
    if (loaded !== undefined) return { active, ...loaded }
    notice('removed a segment that was being created', { segment: name.baseOffset })
    storage.remove(name)
  }
  return undefined
}

/** Compares the folders with the list of sealed segments that the active one keeps. */
function reconcileSealed(
  storage: SegmentStorage,
  image: LogImage,
  notice: LogNotice,
): Pick<LogImage, 'sealed' | 'log'> {
  const present = new Set(storage.list().map(segmentKey))
  const known = new Set([...image.sealed, image.summary].map(segmentKey))
  for (const name of storage.list()) {
    if (known.has(segmentKey(name))) continue
    notice('removed a segment that retention or compaction had given up or not finished', {
      segment: name.baseOffset,
      generation: name.generation,
    })
    storage.remove(name)
  }
  const firstKept = image.sealed.findIndex(segment => present.has(segmentKey(segment)))
  const sealed = firstKept < 0 ? [] : image.sealed.slice(firstKept)
  const gap = sealed.find(segment => !present.has(segmentKey(segment)))
  if (gap !== undefined) {
    throw new LogCorruptionError({ offset: gap.baseOffset, segment: gap.baseOffset, reason: 'the segment is missing' })
  }
  if (sealed.length === image.sealed.length) return { sealed, log: image.log }
  // Retention unlinks from the front; after power loss its commit may be gone while the folders are gone too.
  const logStartOffset = Math.max(image.log.logStartOffset, sealed[0]?.baseOffset ?? image.summary.baseOffset)
  notice('the oldest segments are gone, the log starts later', { logStartOffset })
  return { sealed, log: { ...image.log, logStartOffset } }
}

function recoverTail(
  storage: SegmentStorage,
  image: LogImage,
  { sameBoot, notice }: { sameBoot: boolean; notice: LogNotice },
): { image: LogImage; recovery: LogRecovery } {
  let scannedBytes = 0
  for (const summary of [...image.sealed, image.summary]) {
    if (summary.nextOffset <= image.log.flushedOffset) continue
    const active = summary === image.summary
    if (!active && sameBoot) continue
    const segment = active ? image.active! : storage.open(summary)
    const from = Math.max(summary.baseOffset, image.log.flushedOffset)
    const check = segment.checkTail(from, summary.nextOffset, sameBoot ? SAME_BOOT_SCAN_BYTES : Number.MAX_SAFE_INTEGER)
    scannedBytes += check.scannedBytes
    if (check.badOffset === undefined) continue
    const before = sizeOf(image)
    const cut = cutAt(storage, image, check.badOffset)
    const recovery = {
      clean: false,
      scannedBytes,
      truncatedFrom: cut.summary.nextOffset,
      droppedBytes: before - sizeOf(cut),
      reason: check.reason ?? 'damaged',
    }
    const { reason, truncatedFrom, droppedBytes } = recovery
    notice('cut the log at its first bad batch', { reason, truncatedFrom, droppedBytes })
    return { image: cut, recovery }
  }
  return { image, recovery: { clean: false, scannedBytes, droppedBytes: 0 } }
}

export function sizeOf(image: LogImage): number {
  return image.sealed.reduce((sum, segment) => sum + segment.sizeInBytes, image.summary.sizeInBytes)
}

/**
 * Drops the batch that holds `offset` and everything after it, and rebuilds what follows from batches. Durable when it returns.
 * Crash-safe in this order: the surviving segment learns the log's state, later segments go from the end, then it is cut itself.
 */
export function cutAt(storage: SegmentStorage, image: LogImage, offset: number): LogImage {
  assert(image.active !== undefined, 'an empty log has nothing to cut')
  const all = [...image.sealed, image.summary]
  // The segment that ends at the cut is preferred to an emptied one that begins there.
  const index = Math.max(
    0,
    all.findLastIndex(segment => segment.baseOffset < offset),
  )
  const target = all[index]!
  const later = all.slice(index + 1)
  const segment = later.length === 0 ? image.active : storage.open(target)
  const sealed = all.slice(0, index)
  if (later.length > 0) {
    const log = cutState(image.log, target.nextOffset, segment.producers())
    const epochs = truncateEpochsFromEnd(image.epochs, target.nextOffset)
    segment.commit({ batches: [], summary: target, log, epochs, sealed, durable: true })
    for (const name of later.reverse()) storage.remove(name)
    if (offset >= target.nextOffset) return { active: segment, summary: target, log, epochs, sealed }
  }
  if (offset >= target.nextOffset) return { ...image, active: segment }
  return cutWithin(storage, { ...image, active: segment, summary: target, sealed }, offset)
}

/** The cut lies in the last segment. What is left of it is sealed: appends after deletions are slow in LMDB. */
function cutWithin(storage: SegmentStorage, image: LogImage, offset: number): LogImage {
  const segment = image.active!
  const { summary, derived } = replayUpTo(segment, offset, image.summary)
  const producers = [...derived.producers.values()]
  const end = summary.nextOffset
  const log = cutState(image.log, end, producers)
  const epochs = truncateEpochsFromEnd(image.epochs, end)
  const common = { batches: [], log, epochs, producers, replaceProducers: true, durable: true }
  if (summary.sizeInBytes === 0) {
    const snapshot = segment.snapshot()
    const active = storage.replace(summary, { ...common, summary, sealed: image.sealed, snapshot })
    return { active, summary, log, epochs, sealed: image.sealed }
  }
  segment.commit({ ...common, summary, sealed: image.sealed, dropFrom: end })
  const sealed = [...image.sealed, summary]
  const next = emptySummary(end)
  const active = storage.create(next, { ...common, summary: next, sealed, snapshot: producers })
  return { active, summary: next, log, epochs, sealed }
}

function cutState(log: LogState, end: number, producers: Parameters<typeof firstUndecidedOffset>[0]): LogState {
  const highWatermark = Math.min(log.highWatermark, end)
  return {
    logStartOffset: Math.min(log.logStartOffset, end),
    highWatermark,
    lastStableOffset: Math.min(highWatermark, firstUndecidedOffset(producers) ?? highWatermark),
    flushedOffset: end,
    firstDirtyOffset: Math.min(log.firstDirtyOffset, end),
    clean: false,
  }
}

/** Summary and derived state of a segment's batches that end below `offset`, from its snapshot on. */
export function replayUpTo(
  segment: Segment,
  offset: number,
  before: SegmentSummary,
): { summary: SegmentSummary; derived: DerivedState } {
  const derived: DerivedState = {
    producers: new Map(segment.snapshot().map(producer => [producer.producerId, producer])),
    aborted: [],
  }
  const hasGaps = segment.generation > 0
  let summary = { ...emptySummary(segment.baseOffset), generation: segment.generation }
  let end = offset
  segment.visit(segment.baseOffset, (bytes, at, size) => {
    const header = timestamped(bytes, at)
    end = Math.max(summary.nextOffset, Math.min(offset, header.baseOffset))
    // What begins too low is damaged, and may be why the log is cut.
    if (header.lastOffset >= offset || header.baseOffset < summary.nextOffset) return false
    end = offset
    summary = summaryAfter(summary, [{ ...header, bytes: bytes.subarray(at, at + size) }], before.firstAppendMs)
    replayStored(derived, bytes, at)
    return true
  })
  // Offsets that compaction emptied are not given out again.
  return { summary: hasGaps ? { ...summary, nextOffset: end } : summary, derived }
}
