// Which records of a compacted log are kept (Java: LogCleaner, Cleaner, CleanedTransactionMetadata, CleanerConfig; KIP-534): the last one of each
// key, tombstones and transaction markers for their time, nothing of aborted transactions. Pure: one pass over the dirty batches learns the
// last offset of each key, a second one over everything asks of each record whether it stays. The rewriting is in cleaned-batches.rules.ts.
import { assert } from '@odradek/shared/base/assert'
import type { AbortedTransaction, CompactionPolicy, ProducerState } from './partition-log.ts'
import type { SegmentSummary } from './segment.ts'

/** A record as the cleaner sees it. */
export interface CleanedRecord {
  readonly offset: number
  /** Key as text that is equal exactly when the bytes are, such as latin1. Null: it has no key and never stays. */
  readonly key: string | null
  readonly isTombstone: boolean
}

/** The batch that a record lies in. */
export interface CleanedBatch {
  /** Milliseconds since 1970 after which tombstones and markers in it may go; -1 while none was set (KIP-534). */
  readonly deleteHorizonMs: number
  /** It holds data of a transaction that was aborted. */
  readonly isAborted: boolean
}

/** What one remembered key costs in memory besides its text. */
const KEY_OVERHEAD_BYTES = 96

/** The last offset of each key in the dirty part of the log, bounded in memory (Kafka: SkimpyOffsetMap). */
export class KeyOffsets {
  readonly #last = new Map<string, number>()
  readonly #bytesMax: number
  #bytes = 0
  #endOffset: number

  /** `from`: where the dirty part begins; `bytesMax`: most memory to use, about (Kafka's `log.cleaner.dedupe.buffer.size`). */
  constructor(from: number, bytesMax: number) {
    assert(bytesMax > 0, 'at least one key is remembered')
    this.#endOffset = from
    this.#bytesMax = bytesMax
  }

  /** Offset up to which (exclusive) the log can be cleaned with what was learned. */
  get endOffset(): number {
    return this.#endOffset
  }

  get size(): number {
    return this.#last.size
  }

  /** Learns the next record, in order of offsets. False when no more keys fit; the first one always does. */
  learn({ offset, key }: CleanedRecord): boolean {
    assert(offset >= this.#endOffset, 'records are learned in order')
    if (key !== null) {
      if (!this.#last.has(key)) {
        const bytes = this.#bytes + key.length + KEY_OVERHEAD_BYTES
        if (bytes > this.#bytesMax && this.#last.size > 0) return false
        this.#bytes = bytes
      }
      this.#last.set(key, offset)
    }
    this.#endOffset = offset + 1
    return true
  }

  /** Nothing more is to be learned below `offset`: markers, data of aborted transactions, gaps. */
  skipTo(offset: number): void {
    this.#endOffset = Math.max(this.#endOffset, offset)
  }

  /** Whether a later record of the same key was learned. */
  isSuperseded({ offset, key }: CleanedRecord): boolean {
    return key !== null && (this.#last.get(key) ?? -1) > offset
  }
}

/** Whether the record stays, at `nowMs`. What lies at or after `offsets.endOffset` was not learned, and stays unless it was aborted. */
export function staysAfterCleaning(
  record: CleanedRecord,
  batch: CleanedBatch,
  offsets: KeyOffsets,
  nowMs: number,
): boolean {
  if (batch.isAborted) return false
  if (record.offset >= offsets.endOffset) return true
  if (record.key === null || offsets.isSuperseded(record)) return false
  return !record.isTombstone || isBeforeHorizon(batch, nowMs)
}

/**
 * Whether a transaction marker stays: as long as data of its transaction does, then until the horizon, so that readers which began
 * before can tell what was decided.
 */
export function markerStays(
  batch: CleanedBatch,
  { hasDataLeft }: { readonly hasDataLeft: boolean },
  nowMs: number,
): boolean {
  return hasDataLeft || isBeforeHorizon(batch, nowMs)
}

/**
 * The horizon of a batch that is rewritten: kept once it is set, else `deleteRetentionMs` from now if there is something that waits for
 * it (a tombstone, or a marker whose data is gone), else none (-1).
 */
export function deleteHorizonOf(
  batch: CleanedBatch,
  {
    waits,
    nowMs,
    deleteRetentionMs,
  }: { readonly waits: boolean; readonly nowMs: number; readonly deleteRetentionMs: number },
): number {
  if (batch.deleteHorizonMs >= 0) return batch.deleteHorizonMs
  return waits ? Math.min(nowMs + deleteRetentionMs, Number.MAX_SAFE_INTEGER) : -1
}

/** Without a horizon nothing has waited yet. */
function isBeforeHorizon({ deleteHorizonMs }: CleanedBatch, nowMs: number): boolean {
  return deleteHorizonMs < 0 || nowMs < deleteHorizonMs
}

/** Follows the transactions of one pass over batches, in order of offsets (Kafka: CleanedTransactionMetadata). */
export class CleanedTransactions {
  /** Not yet reached, by first offset. */
  readonly #coming: AbortedTransaction[]
  /** Producers within an aborted transaction, and whether data of it was met. */
  readonly #aborted = new Map<number, { hasData: boolean }>()
  /** Producers within a committed transaction of which data was met. */
  readonly #committed = new Set<number>()

  /** `aborted`: all that overlap what is passed over. */
  constructor(aborted: readonly AbortedTransaction[]) {
    this.#coming = aborted.toSorted((a, b) => b.firstOffset - a.firstOffset)
  }

  /** Passes a batch of transactional data; true when its transaction was aborted. */
  dataIsAborted({ producerId, lastOffset }: { readonly producerId: number; readonly lastOffset: number }): boolean {
    this.#reach(lastOffset)
    const aborted = this.#aborted.get(producerId)
    if (aborted === undefined) this.#committed.add(producerId)
    else aborted.hasData = true
    return aborted !== undefined
  }

  /** Passes a marker; true when data of its transaction was met in this pass. */
  markerHasData(marker: {
    readonly producerId: number
    readonly offset: number
    readonly committed: boolean
  }): boolean {
    this.#reach(marker.offset)
    if (marker.committed) return this.#committed.delete(marker.producerId)
    const hasData = this.#aborted.get(marker.producerId)?.hasData ?? false
    this.#aborted.delete(marker.producerId)
    return hasData
  }

  #reach(offset: number): void {
    for (let next = this.#coming.at(-1); next !== undefined && next.firstOffset <= offset; next = this.#coming.at(-1)) {
      this.#aborted.set(next.producerId, { hasData: false })
      this.#coming.pop()
    }
  }
}

/**
 * The batches that stay though nothing in them does, as empty ones: from the last batch of a producer its sequence and epoch are known
 * (Kafka: Cleaner.isBatchLastRecordOfProducer).
 */
export function isLastOfProducer(
  batch: {
    readonly producerId: number
    readonly producerEpoch: number
    readonly lastOffset: number
    readonly isControl: boolean
  },
  producers: ReadonlyMap<number, ProducerState>,
): boolean {
  const state = producers.get(batch.producerId)
  if (state === undefined) return false
  const last = state.batches.at(-1)
  if (last === undefined) return batch.isControl && batch.producerEpoch === state.producerEpoch
  return batch.lastOffset === last.lastOffset
}

/** What of a log a round of compaction works on: whole sealed segments, oldest first. */
export interface CleanableRange {
  /** Seen by an earlier round. */
  readonly clean: readonly SegmentSummary[]
  /** Not yet seen, or only in part. */
  readonly dirty: readonly SegmentSummary[]
}

export interface CompactionFacts {
  readonly firstDirtyOffset: number
  /** Nothing at or above is decided. */
  readonly lastStableOffset: number
}

/** Sealed segments below the last stable offset and older than `min.compaction.lag.ms` (Kafka: LogCleanerManager.cleanableOffsets). */
export function cleanableRange(
  sealed: readonly SegmentSummary[],
  { firstDirtyOffset, lastStableOffset }: CompactionFacts,
  { now, minCompactionLagMs }: CompactionPolicy,
): CleanableRange {
  const end = sealed.findIndex(
    segment =>
      segment.nextOffset > lastStableOffset ||
      (minCompactionLagMs > 0 && segment.sizeInBytes > 0 && newestOf(segment) > now - minCompactionLagMs),
  )
  const cleanable = end < 0 ? sealed : sealed.slice(0, end)
  const firstDirty = cleanable.findIndex(segment => segment.nextOffset > firstDirtyOffset)
  if (firstDirty < 0) return { clean: cleanable, dirty: [] }
  return { clean: cleanable.slice(0, firstDirty), dirty: cleanable.slice(firstDirty) }
}

/** `min.cleanable.dirty.ratio` reached, or the oldest dirty record older than `max.compaction.lag.ms`. */
export function isCleanable({ clean, dirty }: CleanableRange, policy: CompactionPolicy): boolean {
  const cleanBytes = sizeOfAll(clean)
  const dirtyBytes = sizeOfAll(dirty)
  if (dirtyBytes === 0) return false
  const oldest = Math.min(...dirty.filter(({ sizeInBytes }) => sizeInBytes > 0).map(oldestOf))
  if (policy.now - oldest > policy.maxCompactionLagMs) return true
  return dirtyBytes / (cleanBytes + dirtyBytes) > policy.minCleanableDirtyRatio
}

/** When time alone may make more of the log cleanable; undefined when only appends can. */
export function cleanableAtMs(
  sealed: readonly SegmentSummary[],
  facts: CompactionFacts,
  policy: CompactionPolicy,
): number | undefined {
  const { maxCompactionLagMs, minCompactionLagMs, now } = policy
  const due = sealed
    .filter(({ nextOffset, sizeInBytes }) => nextOffset > facts.firstDirtyOffset && sizeInBytes > 0)
    .flatMap(segment => [oldestOf(segment) + maxCompactionLagMs, newestOf(segment) + minCompactionLagMs])
    .filter(at => at > now && at <= Number.MAX_SAFE_INTEGER)
  return due.length === 0 ? undefined : Math.min(...due)
}

/** Neighbours that together stay below `segmentBytes` become one segment (Kafka: Cleaner.groupSegmentsBySize). */
export function groupsOf(segments: readonly SegmentSummary[], segmentBytes: number): SegmentSummary[][] {
  const groups: SegmentSummary[][] = []
  let bytes = 0
  for (const segment of segments) {
    const group = groups.at(-1)
    if (group !== undefined && bytes + segment.sizeInBytes <= segmentBytes) {
      group.push(segment)
      bytes += segment.sizeInBytes
    } else {
      groups.push([segment])
      bytes = segment.sizeInBytes
    }
  }
  return groups
}

function newestOf({ maxTimestamp, firstAppendMs }: SegmentSummary): number {
  return maxTimestamp >= 0 ? maxTimestamp : firstAppendMs
}

function oldestOf({ firstBatchTimestamp, firstAppendMs }: SegmentSummary): number {
  return firstBatchTimestamp >= 0 ? firstBatchTimestamp : firstAppendMs
}

function sizeOfAll(segments: readonly SegmentSummary[]): number {
  return segments.reduce((sum, { sizeInBytes }) => sum + sizeInBytes, 0)
}
