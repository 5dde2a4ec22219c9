// The partition log over any segment storage: what LMDB and memory have in common, which is nearly everything. Held by one partition
// leader. Each change is one commit of the active segment; only when it succeeded does the image in memory change.
import { assert } from '@odradek/shared/base/assert'
import { cleanableAtMs, cleanableRange, isCleanable } from './compaction.rules.ts'
import { type CompactionGround, CompactionRound } from './compaction-round.ts'
import { epochEnd, truncateEpochsFromStart, withBatchEpochs, withEpoch } from './leader-epochs.rules.ts'
import { LogIOError, OffsetOutOfRangeError } from './log-errors.ts'
import { cutAt, type LogImage, openImage, sizeOf } from './log-image.ts'
import type {
  AbortedTransaction,
  AppendGroup,
  AppendOutcome,
  Compaction,
  CompactionPolicy,
  EpochEnd,
  EpochStart,
  LogConfig,
  LogIdentity,
  LogNotice,
  LogRead,
  LogStats,
  OpenedLog,
  PartitionLog,
  ProducerState,
  ReadLimits,
  RetentionOutcome,
  RetentionPolicy,
  SegmentDescription,
  TimestampedBatch,
} from './partition-log.ts'
import type { LogState, Segment, SegmentCommit, SegmentStorage, SegmentSummary } from './segment.ts'
import {
  assertDense,
  bytesOf,
  checkpointDue,
  describeSegment,
  emptySummary,
  finite,
  segmentsToDelete,
  shouldRoll,
  summaryAfter,
  timeEntryDue,
} from './segments.rules.ts'
import { firstBatch, newestBatch } from './time-lookup.ts'

/** Opens a log over `storage`, with recovery. */
export function openSegmentedLog(identity: LogIdentity, storage: SegmentStorage, notice: LogNotice): OpenedLog {
  const { image, recovery } = openImage(storage, notice)
  return { log: new SegmentedLog(identity, storage, image), recovered: recovery }
}

class SegmentedLog implements PartitionLog {
  readonly identity: LogIdentity
  readonly #storage: SegmentStorage
  readonly #sealedHandles = new Map<number, Segment>()
  /** Sealed segments with commits that no fsync has covered yet. */
  #unflushedSealed: SegmentSummary[] = []
  /** Wall clock of the oldest commit with batches that no fsync has covered, undefined when there is none. */
  #unflushedSinceMs: number | undefined
  #bytesSinceTimeEntry = 0
  /** What was appended since the last flush or checkpoint began. */
  #uncovered = { bytes: 0, sinceMs: 0 }
  #image: LogImage
  #closed = false
  /** Why a flush failed. What the system has dropped of earlier commits is not known then: nothing more is promised until the log is opened anew. */
  #flushFailure: unknown
  #round: CompactionRound | undefined
  #counters = { appends: 0, flushes: 0, reads: 0, bytesAppended: 0, bytesRead: 0 }

  constructor(identity: LogIdentity, storage: SegmentStorage, image: LogImage) {
    this.identity = identity
    this.#storage = storage
    this.#image = image
    const { flushedOffset } = image.log
    this.#unflushedSealed = image.sealed.filter(segment => segment.nextOffset > flushedOffset)
    if (image.summary.nextOffset <= flushedOffset) return
    this.#unflushedSinceMs = image.summary.firstAppendMs
    // Whether the last incarnation's checkpoint covered its last appends is not known.
    this.#uncovered = { bytes: image.summary.sizeInBytes, sinceMs: image.summary.firstAppendMs }
  }

  get keepsBytes(): boolean {
    return this.#storage.keepsBytes
  }
  get logStartOffset(): number {
    return this.#image.log.logStartOffset
  }
  get logEndOffset(): number {
    return this.#image.summary.nextOffset
  }
  get highWatermark(): number {
    return this.#image.log.highWatermark
  }
  get lastStableOffset(): number {
    return this.#image.log.lastStableOffset
  }
  get flushedOffset(): number {
    return this.#image.log.flushedOffset
  }
  get sizeInBytes(): number {
    return sizeOf(this.#image)
  }
  get hasFailed(): boolean {
    return this.#flushFailure !== undefined
  }
  get latestEpoch(): number {
    return this.#image.epochs.at(-1)?.epoch ?? -1
  }

  append(group: AppendGroup, config: LogConfig): AppendOutcome {
    assert(!this.#closed, 'nobody appends to a closed log')
    this.#refuseAfterFailure('append')
    assertDense(group.batches, this.logEndOffset)
    const image = this.#image
    const bytes = bytesOf(group.batches)
    const timestamp = group.batches.at(-1)?.maxTimestamp ?? -1
    const rolled = shouldRoll(image.summary, { bytes, timestamp, now: group.now }, config)
    const next = this.#after(group, config, rolled)
    if (image.active === undefined && group.batches.length === 0) {
      // Nothing is worth a file yet: an untouched partition costs no environment.
      this.#image = { ...image, epochs: next.epochs }
      return { logEndOffset: this.logEndOffset, flushed: false, rolled: false }
    }
    const timeEntry = timeEntryDue(next.summary, (rolled ? 0 : this.#bytesSinceTimeEntry) + bytes)
    const summary = timeEntry === undefined ? next.summary : { ...next.summary, riseOffset: -1 }
    if (next.durable) this.#flushSealed(rolled ? [image.summary] : [])
    const commit: SegmentCommit = {
      batches: group.batches,
      summary,
      log: next.log,
      producers: group.producers ?? [],
      expiredProducers: group.expiredProducers ?? [],
      aborted: group.aborted ?? [],
      isDerived: group.isDerived,
      durable: next.durable,
      epochs: next.epochs === image.epochs ? undefined : next.epochs,
      timeEntry,
    }
    const begins = rolled || image.active === undefined
    const active = this.#flushing(commit.durable, () => {
      if (begins) return this.#begin(commit, next, rolled)
      image.active!.commit(commit)
      return image.active!
    })
    if (rolled) this.#sealActive(next.durable)
    this.#image = { active, summary, log: next.log, epochs: next.epochs, sealed: next.sealed }
    this.#bytesSinceTimeEntry = timeEntry !== undefined ? 0 : (rolled ? 0 : this.#bytesSinceTimeEntry) + bytes
    this.#counters.appends++
    this.#counters.bytesAppended += bytes
    this.#noteFlush(next.durable, group.now)
    this.#cover(next.durable, bytes, group.now)
    return { logEndOffset: this.logEndOffset, flushed: next.durable, rolled }
  }

  read(offset: number, limits: ReadLimits): LogRead {
    assert(limits.maxBytes > 0, 'a read may return something')
    if (offset < this.logStartOffset || offset > this.logEndOffset) {
      throw new OffsetOutOfRangeError(offset, this.logStartOffset, this.logEndOffset)
    }
    const maxOffset = Math.min(limits.maxOffset, this.logEndOffset)
    for (const summary of this.#segmentsFrom(offset)) {
      if (summary.baseOffset >= maxOffset) break
      const found = this.#segment(summary).read(Math.max(offset, summary.baseOffset), { ...limits, maxOffset })
      // Where compaction left a gap at a segment's end, the next segment has to answer.
      if (found === undefined) continue
      this.#counters.reads++
      this.#counters.bytesRead += found.bytes.length
      return found
    }
    return { bytes: new Uint8Array(0), firstOffset: offset, nextOffset: offset }
  }

  batchForTimestamp(timestamp: number): TimestampedBatch | undefined {
    for (const summary of this.#segmentsFrom(this.logStartOffset)) {
      if (summary.maxTimestamp < timestamp || summary.sizeInBytes === 0) continue
      const segment = this.#segment(summary)
      const from = segment.timeEntry(timestamp)?.offset ?? summary.riseOffset
      const found = firstBatch(segment, Math.max(from, this.logStartOffset), timestamp)
      if (found !== undefined) return found
    }
    return undefined
  }

  batchOfMaxTimestamp(): TimestampedBatch | undefined {
    let newest: SegmentSummary | undefined
    for (const summary of this.#segmentsFrom(this.logStartOffset)) {
      if (summary.maxTimestamp > (newest?.maxTimestamp ?? -1)) newest = summary
    }
    if (newest === undefined) return undefined
    if (newest.maxTimestampOffset >= this.logStartOffset) {
      return firstBatch(this.#segment(newest), newest.maxTimestampOffset, newest.maxTimestamp)
    }
    const segments = this.#segmentsFrom(this.logStartOffset).map(summary => this.#segment(summary))
    return newestBatch(segments, this.logStartOffset)
  }

  offsetForLeaderEpoch(epoch: number): EpochEnd {
    return epochEnd(this.#image.epochs, epoch, this.logEndOffset)
  }

  epochs(): readonly EpochStart[] {
    return this.#image.epochs
  }

  producerStates(): ProducerState[] {
    return this.#image.active?.producers() ?? []
  }

  abortedTransactions(from: number, to: number): AbortedTransaction[] {
    const found: AbortedTransaction[] = []
    let complete = false
    for (const summary of this.#segmentsFrom(from)) {
      if (complete) break
      if (summary.sizeInBytes === 0) continue
      this.#segment(summary).visitAborted(from, aborted => {
        if (aborted.firstOffset < to) found.push(aborted)
        complete = aborted.lastStableOffset >= to
        return !complete
      })
    }
    return found
  }

  truncateTo(offset: number): void {
    assert(offset >= this.logStartOffset, 'a log is never truncated below its start')
    if (offset >= this.logEndOffset) return
    this.#image = cutAt(this.#storage, this.#image, offset)
    this.#sealedHandles.clear()
    this.#unflushedSealed = []
    this.#unflushedSinceMs = undefined
    this.#bytesSinceTimeEntry = 0
  }

  deleteRecordsTo(offset: number): void {
    assert(offset <= this.highWatermark, 'records above the high watermark are not deleted')
    if (offset <= this.logStartOffset) return
    this.#refuseAfterFailure('deletion of records')
    this.#commitState({ ...this.#image.log, logStartOffset: offset, clean: false })
  }

  flush(): void {
    this.#refuseAfterFailure('flush')
    if (this.#image.active === undefined || this.flushedOffset === this.logEndOffset) return
    this.#flushAll({ ...this.#image.log, clean: false })
  }

  checkpoint(): Promise<void> {
    this.#uncovered = { bytes: 0, sinceMs: 0 }
    return this.#image.active?.checkpoint() ?? Promise.resolve()
  }

  checkpointDueMs(intervalMs: number): number | undefined {
    const { bytes, sinceMs } = this.#uncovered
    return bytes === 0 ? undefined : sinceMs + intervalMs
  }

  flushDueMs(config: LogConfig): number | undefined {
    return this.#unflushedSinceMs === undefined ? undefined : finite(this.#unflushedSinceMs + config.flushMs)
  }

  roll(_now: number): void {
    this.#refuseAfterFailure('roll')
    const { active, summary, log, epochs, sealed } = this.#image
    if (active === undefined || summary.sizeInBytes === 0) return
    const next = { summary: emptySummary(summary.nextOffset), epochs, sealed: [...sealed, summary] }
    const state = { ...log, clean: false }
    const begun = this.#begin({ batches: [], summary: next.summary, log: state, durable: false }, next, true)
    this.#sealActive(false)
    this.#image = { active: begun, summary: next.summary, log: state, epochs, sealed: next.sealed }
    this.#bytesSinceTimeEntry = 0
  }

  retain(policy: RetentionPolicy): RetentionOutcome {
    this.#refuseAfterFailure('retention')
    const input = { ...policy, highWatermark: this.highWatermark, logStartOffset: this.logStartOffset }
    const all = [...this.#image.sealed, this.#image.summary]
    const count = segmentsToDelete(all, input)
    if (count === 0) return { deleted: [], logStartOffset: this.logStartOffset }
    if (count === all.length) this.roll(policy.now)
    const gone = all.slice(0, count)
    const logStartOffset = Math.max(this.logStartOffset, gone.at(-1)!.nextOffset)
    this.#commitState({ ...this.#image.log, logStartOffset, clean: false }, this.#image.sealed.slice(count))
    this.#unflushedSealed = this.#unflushedSealed.filter(summary => summary.nextOffset > logStartOffset)
    for (const summary of gone) {
      this.#sealedHandles.delete(summary.baseOffset)
      this.#storage.remove(summary)
    }
    return { deleted: gone.map(summary => describeSegment(summary, false)), logStartOffset }
  }

  beginCompaction(policy: CompactionPolicy): Compaction | undefined {
    assert(this.#round?.isDone !== false, 'one round of compaction at a time')
    const { sealed, log } = this.#image
    const range = cleanableRange(sealed, log, policy)
    if (!isCleanable(range, policy)) return undefined
    this.#round = new CompactionRound(this.#compactionGround(), range, policy)
    return this.#round
  }

  compactionDueMs(policy: CompactionPolicy): number | undefined {
    return cleanableAtMs(this.#image.sealed, this.#image.log, policy)
  }

  segments(): readonly SegmentDescription[] {
    const { active, sealed, summary } = this.#image
    const described = sealed.map(segment => describeSegment(segment, false))
    return active === undefined ? described : [...described, describeSegment(summary, true)]
  }

  stats(): LogStats {
    const { active, sealed, summary } = this.#image
    const segments = active === undefined ? [] : [...sealed, summary].map(each => this.#segment(each))
    return {
      segments: segments.length,
      openSegments: segments.filter(segment => segment.isOpen()).length,
      recordBytes: this.sizeInBytes,
      fileBytes: segments.reduce((sum, segment) => sum + segment.fileBytes(), 0),
      ...this.#counters,
    }
  }

  close({ clean }: { readonly clean: boolean }): void {
    if (this.#closed) return
    this.#closed = true
    this.#round?.abandon()
    if (this.#image.active === undefined) return
    if (clean && !this.#image.log.clean && !this.hasFailed) this.#flushAll({ ...this.#image.log, clean: true })
    this.#image.active.release()
    for (const segment of this.#sealedHandles.values()) segment.release()
  }

  /** The facts after `group`, were it committed. */
  #after(group: AppendGroup, config: LogConfig, rolled: boolean) {
    const { log, summary: before, epochs: known, sealed } = this.#image
    const summary = summaryAfter(rolled ? emptySummary(before.nextOffset) : before, group.batches, group.now)
    const end = summary.nextOffset
    const highWatermark = group.highWatermark ?? end
    const lastStableOffset = group.lastStableOffset ?? Math.max(log.lastStableOffset, highWatermark)
    assert(
      highWatermark >= log.highWatermark && highWatermark <= end,
      'the high watermark never goes back or past the end',
    )
    assert(lastStableOffset >= log.lastStableOffset, 'the last stable offset never goes back')
    assert(lastStableOffset <= highWatermark, 'the last stable offset is at most the high watermark')
    const announced = group.epochStart === undefined ? known : withEpoch(known, group.epochStart)
    const since = this.#unflushedSinceMs ?? group.now
    const byCount = end - log.flushedOffset >= config.flushMessages
    const byTime = end > log.flushedOffset && group.now - since >= config.flushMs
    const durable = group.durable === true || (group.batches.length > 0 && byCount) || byTime
    const state: LogState = {
      logStartOffset: log.logStartOffset,
      highWatermark,
      lastStableOffset,
      flushedOffset: durable ? end : log.flushedOffset,
      firstDirtyOffset: log.firstDirtyOffset,
      clean: false,
    }
    return {
      summary,
      log: state,
      epochs: withBatchEpochs(announced, group.batches),
      sealed: rolled ? [...sealed, before] : sealed,
      durable,
    }
  }

  /** Creates the segment that `commit` begins, with everything alive carried into it. */
  #begin(commit: SegmentCommit, next: Pick<LogImage, 'summary' | 'epochs' | 'sealed'>, rolled: boolean): Segment {
    const carried = rolled ? this.producerStates() : []
    const producers = new Map(carried.map(producer => [producer.producerId, producer]))
    for (const producer of commit.producers ?? []) producers.set(producer.producerId, producer)
    for (const id of commit.expiredProducers ?? []) producers.delete(id)
    return this.#storage.create(next.summary, {
      ...commit,
      producers: [...producers.values()],
      expiredProducers: [],
      replaceProducers: true,
      snapshot: carried,
      epochs: next.epochs,
      sealed: next.sealed,
    })
  }

  #sealActive(flushed: boolean): void {
    const { active, summary } = this.#image
    this.#sealedHandles.set(summary.baseOffset, active!)
    if (flushed) return
    this.#unflushedSealed.push(summary)
    void active!.checkpoint()
  }

  #cover(durable: boolean, bytes: number, now: number): void {
    const { bytes: before, sinceMs } = this.#uncovered
    this.#uncovered = durable
      ? { bytes: 0, sinceMs: 0 }
      : { bytes: before + bytes, sinceMs: before === 0 ? now : sinceMs }
    if (checkpointDue(this.#uncovered, now)) void this.checkpoint()
  }

  #flushSealed(also: readonly SegmentSummary[]): void {
    for (const summary of [...this.#unflushedSealed, ...also]) {
      const commit = { batches: [], summary, log: this.#image.log, durable: true }
      this.#flushing(true, () => this.#segment(summary).commit(commit))
    }
    this.#unflushedSealed = []
  }

  #flushAll(log: LogState, sealed = this.#image.sealed): void {
    this.#flushSealed([])
    const state = { ...log, flushedOffset: this.logEndOffset }
    const commit = { batches: [], summary: this.#image.summary, log: state, durable: true }
    const change = sealed === this.#image.sealed ? commit : { ...commit, sealed }
    this.#flushing(true, () => this.#image.active!.commit(change))
    this.#image = { ...this.#image, log: state, sealed }
    this.#noteFlush(true, 0)
    this.#uncovered = { bytes: 0, sinceMs: 0 }
  }

  /** After a failed fsync the system may have dropped what it could not write, and the next one succeeds all the same: it proves nothing. */
  #flushing<T>(durable: boolean, commit: () => T): T {
    try {
      return commit()
    } catch (error) {
      if (durable) this.#flushFailure ??= error
      throw error
    }
  }

  #refuseAfterFailure(operation: string): void {
    if (!this.hasFailed) return
    throw new LogIOError(`${operation} after a failed flush`, this.identity.topic, this.#flushFailure)
  }

  #noteFlush(durable: boolean, now: number): void {
    if (durable) {
      this.#counters.flushes++
      this.#unflushedSinceMs = undefined
    } else if (this.logEndOffset > this.flushedOffset) this.#unflushedSinceMs ??= now
  }

  #commitState(state: LogState, sealed = this.#image.sealed): void {
    const { active, summary } = this.#image
    const highWatermark = Math.max(state.highWatermark, state.logStartOffset)
    const lastStableOffset = Math.max(state.lastStableOffset, state.logStartOffset)
    const log = { ...state, highWatermark, lastStableOffset }
    const epochs = truncateEpochsFromStart(this.#image.epochs, log.logStartOffset)
    active?.commit({ batches: [], summary, log, epochs, sealed, durable: false })
    this.#image = { active, summary, log, epochs, sealed }
  }

  #compactionGround(): CompactionGround {
    return {
      sealed: () => this.#image.sealed,
      state: () => this.#image.log,
      segment: summary => this.#segment(summary),
      list: () => this.#storage.list(),
      create: (name, first) => this.#storage.create(name, first),
      discard: name => this.#storage.remove(name),
      abortedTransactions: (from, to) => this.abortedTransactions(from, to),
      producerStates: () => this.producerStates(),
      checkpoint: () => this.checkpoint(),
      swap: (old, cleaned, firstDirtyOffset) => this.#swap(old, cleaned, firstDirtyOffset),
    }
  }

  /** The list in the active segment decides which segments are the log, so one durable commit of it is the swap. */
  #swap(old: readonly SegmentSummary[], cleaned: SegmentSummary, firstDirtyOffset: number): void {
    const gone = new Set(old)
    const sealed = this.#image.sealed.flatMap(summary => {
      if (summary === old[0]) return [cleaned]
      return gone.has(summary) ? [] : [summary]
    })
    // What is cleaned is durable already.
    this.#unflushedSealed = this.#unflushedSealed.filter(summary => !gone.has(summary))
    this.#flushAll({ ...this.#image.log, clean: false, firstDirtyOffset }, sealed)
    for (const summary of old) {
      this.#sealedHandles.delete(summary.baseOffset)
      this.#storage.remove(summary)
    }
  }

  /** Segments that hold `offset` or come after it, oldest first. */
  #segmentsFrom(offset: number): SegmentSummary[] {
    const { active, sealed, summary } = this.#image
    if (active === undefined) return []
    if (offset >= summary.baseOffset) return [summary]
    return [...sealed.slice(sealed.findIndex(segment => segment.nextOffset > offset)), summary]
  }

  #segment(summary: SegmentSummary): Segment {
    const { active } = this.#image
    if (summary.baseOffset === active?.baseOffset) return active
    let segment = this.#sealedHandles.get(summary.baseOffset)
    if (segment === undefined) {
      segment = this.#storage.open(summary)
      this.#sealedHandles.set(summary.baseOffset, segment)
    }
    return segment
  }
}
