// One round of compaction of one log, in steps that its leader can afford between two event turns. It reads sealed segments, writes what stays
// into new ones beside them, and lets the log swap them in with one durable commit each: a crash at any point leaves either the old or the new.
// It never writes into a segment that readers see. What stays is decided in compaction.rules.ts.
import { CorruptRecordError } from '@odradek/shared/records/corrupt-record-error'
import * as batch from '@odradek/shared/records/record-batch'
import { deleteHorizonMs, emptied, rewritten, visitRecords } from './cleaned-batches.rules.ts'
import {
  type CleanableRange,
  CleanedTransactions,
  deleteHorizonOf,
  groupsOf,
  isLastOfProducer,
  KeyOffsets,
  markerStays,
  staysAfterCleaning,
} from './compaction.rules.ts'
import { LogCorruptionError } from './log-errors.ts'
import type {
  AbortedTransaction,
  Compaction,
  CompactionPolicy,
  CompactionProgress,
  ProducerState,
} from './partition-log.ts'
import { type RewritingGround, RewrittenSegment } from './rewritten-segment.ts'
import type { SegmentSummary } from './segment.ts'
import { readMarker } from './stored-batches.rules.ts'

/** What a log lends to a round. */
export interface CompactionGround extends RewritingGround {
  /** The sealed segments as they are now. */
  sealed(): readonly SegmentSummary[]
  abortedTransactions(from: number, to: number): AbortedTransaction[]
  producerStates(): ProducerState[]
  checkpoint(): Promise<void>
  /** Puts `cleaned` in place of `old`, durably, and unlinks these. */
  swap(old: readonly SegmentSummary[], cleaned: SegmentSummary, firstDirtyOffset: number): void
}

/** Reads a log's dirty segments batch by batch; where it stands. */
interface Place {
  readonly segments: readonly SegmentSummary[]
  index: number
  offset: number
}

export class CompactionRound implements Compaction {
  readonly #ground: CompactionGround
  readonly #policy: CompactionPolicy
  readonly #range: CleanableRange
  readonly #keys: KeyOffsets
  readonly #producers: ReadonlyMap<number, ProducerState>
  readonly #learning: CleanedTransactions
  readonly #cleaning: CleanedTransactions
  #phase: 'learning' | 'cleaning' | 'syncing' | 'done' = 'learning'
  #place: Place
  #groups: SegmentSummary[][] = []
  #output: RewrittenSegment | undefined
  /** Offset behind the last batch of the round, which stays as an empty one at least, so that readers always arrive at the log's end. */
  #endOffset = 0
  #bytesBefore = 0
  #bytesAfter = 0
  #complete = false

  constructor(ground: CompactionGround, range: CleanableRange, policy: CompactionPolicy) {
    const { firstDirtyOffset } = ground.state()
    this.#ground = ground
    this.#policy = policy
    this.#range = range
    const first = [...range.clean, ...range.dirty][0]!
    const dirtyFrom = Math.max(firstDirtyOffset, range.dirty[0]!.baseOffset)
    const end = range.dirty.at(-1)!.nextOffset
    this.#keys = new KeyOffsets(dirtyFrom, policy.keyBytesMax)
    this.#producers = new Map(ground.producerStates().map(state => [state.producerId, state]))
    this.#learning = new CleanedTransactions(ground.abortedTransactions(dirtyFrom, end))
    this.#cleaning = new CleanedTransactions(ground.abortedTransactions(first.baseOffset, end))
    this.#place = { segments: range.dirty, index: 0, offset: dirtyFrom }
  }

  get isDone(): boolean {
    return this.#phase === 'done'
  }

  step(maxBytes: number): CompactionProgress {
    if (this.#phase !== 'done' && !this.#isIntact()) this.abandon()
    try {
      if (this.#phase === 'learning') this.#learn(maxBytes)
      else if (this.#phase === 'cleaning') this.#clean(maxBytes)
      else if (this.#phase === 'syncing') this.#swap()
    } catch (error) {
      this.abandon()
      throw this.#named(error)
    }
    if (this.#phase === 'syncing') {
      const synced = Promise.all([this.#output!.checkpoint(), this.#ground.checkpoint()])
      return { state: 'waiting', until: synced.then(() => undefined) }
    }
    if (this.#phase !== 'done') return { state: 'more' }
    const { firstDirtyOffset } = this.#ground.state()
    const { readBytes, keptBytes } = { readBytes: this.#bytesBefore, keptBytes: this.#bytesAfter }
    return { state: 'done', outcome: { complete: this.#complete, firstDirtyOffset, readBytes, keptBytes } }
  }

  abandon(): void {
    this.#phase = 'done'
    this.#output?.discard()
    this.#output = undefined
  }

  /** Retention and truncation may take what the round still needs; then it ends. */
  #isIntact(): boolean {
    const present = new Set(this.#ground.sealed())
    const needed = this.#phase === 'learning' ? [...this.#range.clean, ...this.#range.dirty] : this.#groups.flat()
    return needed.every(segment => present.has(segment))
  }

  // --- learning: the last offset of each key ------------------------------------------------------------------------------------

  #learn(maxBytes: number): void {
    let hasRoom = true
    const ended = this.#read(maxBytes, (bytes, at) => {
      hasRoom = this.#learnBatch(bytes, at)
      return hasRoom
    })
    if (ended) this.#keys.skipTo(this.#place.offset)
    if (hasRoom && this.#place.index < this.#place.segments.length) return
    const all = [...this.#range.clean, ...this.#range.dirty]
    const learned = all.filter(({ baseOffset }) => baseOffset < this.#keys.endOffset)
    this.#groups = groupsOf(learned, this.#policy.segmentBytes)
    this.#endOffset = this.#groups.at(-1)!.at(-1)!.nextOffset
    this.#phase = 'cleaning'
    this.#beginGroup()
  }

  /** False when its keys do not fit any more. */
  #learnBatch(bytes: Uint8Array, at: number): boolean {
    const isAborted =
      batch.isTransactional(bytes, at) &&
      !batch.isControlBatch(bytes, at) &&
      this.#learning.dataIsAborted(ownerOf(bytes, at))
    let hasRoom = true
    if (batch.isControlBatch(bytes, at)) {
      const marker = readMarker(bytes, at)
      if (marker !== undefined) this.#learning.markerHasData(marker)
    } else if (!isAborted) {
      visitRecords(bytes, at, this.#policy.decompressedBytesMax, record => {
        if (record.offset >= this.#keys.endOffset) hasRoom = this.#keys.learn(record)
        return hasRoom
      })
    }
    if (hasRoom) this.#keys.skipTo(batch.nextOffset(bytes, at))
    return hasRoom
  }

  // --- cleaning: copying what stays ---------------------------------------------------------------------------------------------

  #beginGroup(): void {
    const group = this.#groups[0]!
    this.#place = { segments: group, index: 0, offset: group[0]!.baseOffset }
    this.#output = new RewrittenSegment(this.#ground, group)
  }

  #clean(maxBytes: number): void {
    const output = this.#output!
    this.#read(maxBytes, (bytes, at, size) => {
      this.#bytesBefore += size
      const stays = this.#cleanBatch(bytes, at, size)
      if (stays !== undefined) output.add(stays)
      return true
    })
    output.commit()
    if (this.#place.index === this.#place.segments.length) this.#phase = 'syncing'
  }

  /** What stays of the batch, as an own buffer; undefined when nothing does. */
  #cleanBatch(bytes: Uint8Array, at: number, size: number): Uint8Array | undefined {
    const isControl = batch.isControlBatch(bytes, at)
    const marker = isControl ? readMarker(bytes, at) : undefined
    const owner = ownerOf(bytes, at)
    const hasDataLeft = marker !== undefined && this.#cleaning.markerHasData(marker)
    const isAborted = !isControl && batch.isTransactional(bytes, at) && this.#cleaning.dataIsAborted(owner)
    const facts = { deleteHorizonMs: deleteHorizonMs(bytes, at), isAborted }
    // Not `slice`: of a Buffer that is a view, and what is borrowed here is overwritten soon.
    const unchanged = () => new Uint8Array(bytes.subarray(at, at + size))
    if (batch.recordCount(bytes, at) === 0) return this.#mustStay(bytes, at) ? unchanged() : undefined
    if (isControl && marker === undefined) return unchanged()
    const { now, deleteRetentionMs, decompressedBytesMax } = this.#policy
    const { recordCount, bytes: changed } = rewritten(bytes, at, {
      maxBytes: decompressedBytesMax,
      stays: record =>
        isControl ? markerStays(facts, { hasDataLeft }, now) : staysAfterCleaning(record, facts, this.#keys, now),
      horizonOf: ({ hasTombstones }) => {
        const waits = isControl ? !hasDataLeft : hasTombstones && owner.lastOffset < this.#keys.endOffset
        return deleteHorizonOf(facts, { waits, nowMs: now, deleteRetentionMs })
      },
    })
    if (recordCount > 0) return changed ?? unchanged()
    return this.#mustStay(bytes, at) ? emptied(bytes, at) : undefined
  }

  #mustStay(bytes: Uint8Array, at: number): boolean {
    if (batch.nextOffset(bytes, at) === this.#endOffset) return true
    return batch.hasProducerId(bytes, at) && isLastOfProducer(ownerOf(bytes, at), this.#producers)
  }

  #swap(): void {
    const group = this.#groups.shift()!
    const last = this.#groups.length === 0
    const cleaned = this.#output!.finish()
    this.#bytesAfter += cleaned.sizeInBytes
    // Should the swap fail, nobody knows which list is on the disk: neither the old nor the new may be removed. The next start tidies up.
    this.#output = undefined
    this.#ground.swap(group, cleaned, last ? this.#keys.endOffset : this.#ground.state().firstDirtyOffset)
    this.#complete = last
    this.#phase = last ? 'done' : 'cleaning'
    if (!last) this.#beginGroup()
  }

  // --- reading ------------------------------------------------------------------------------------------------------------------

  /** Visits batches of the present segment until about `maxBytes` were seen; true when it came to the segment's end. */
  #read(maxBytes: number, visit: (bytes: Uint8Array, at: number, size: number) => boolean): boolean {
    const place = this.#place
    const summary = place.segments[place.index]!
    let left = maxBytes
    let stopped = false
    this.#ground.segment(summary).visit(Math.max(place.offset, summary.baseOffset), (bytes, at, size) => {
      left -= size
      stopped = !visit(bytes, at, size) || left <= 0
      place.offset = batch.nextOffset(bytes, at)
      return !stopped
    })
    if (stopped) return false
    place.offset = summary.nextOffset
    place.index++
    return true
  }

  #named(error: unknown): unknown {
    if (!(error instanceof CorruptRecordError)) return error
    const { offset, segments, index } = this.#place
    const segment = segments[Math.min(index, segments.length - 1)]!.baseOffset
    return new LogCorruptionError({ offset, segment, reason: error.message }, error)
  }
}

function ownerOf(bytes: Uint8Array, at: number) {
  return {
    producerId: batch.producerId(bytes, at) as number,
    producerEpoch: batch.producerEpoch(bytes, at) as number,
    lastOffset: batch.lastOffset(bytes, at) as number,
    isControl: batch.isControlBatch(bytes, at),
  }
}
