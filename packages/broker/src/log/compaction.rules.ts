// Which records of a compacted partition are kept (Java: LogCleaner, CleanerConfig, KIP-534): the last one of each key, tombstones and
// transaction markers for their time, nothing of aborted transactions. Pure: two passes over the same batches, first to learn the last
// offset of each key (`KeyOffsets`), then to ask of each record whether it stays. The log room copies what stays into new segments.
import { assert } from '@odradek/shared/base/assert'

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

/** The last offset of each key in the dirty part of the log, bounded in keys. */
export class KeyOffsets {
  readonly #last = new Map<string, number>()
  readonly #keysMax: number
  #endOffset: number

  /** `from`: where the dirty part begins; `keysMax`: most keys to remember (Kafka's `log.cleaner.dedupe.buffer.size`). */
  constructor(from: number, keysMax: number) {
    assert(keysMax > 0, 'at least one key is remembered')
    this.#endOffset = from
    this.#keysMax = keysMax
  }

  /** Offset up to which (exclusive) the log can be cleaned with what was learned. */
  get endOffset(): number {
    return this.#endOffset
  }

  get size(): number {
    return this.#last.size
  }

  /** Learns the next record, in order of offsets; data of aborted transactions is left out by the caller. False when no more keys fit. */
  learn({ offset, key }: CleanedRecord): boolean {
    assert(offset >= this.#endOffset, 'records are learned in order')
    if (key !== null) {
      if (this.#last.size >= this.#keysMax && !this.#last.has(key)) return false
      this.#last.set(key, offset)
    }
    this.#endOffset = offset + 1
    return true
  }

  /** Whether a later record of the same key was learned. */
  isSuperseded({ offset, key }: CleanedRecord): boolean {
    return key !== null && (this.#last.get(key) ?? -1) > offset
  }
}

/** Whether the record stays, at `nowMs`. Records at or after `offsets.endOffset` are not asked about. */
export function staysAfterCleaning(
  record: CleanedRecord,
  batch: CleanedBatch,
  offsets: KeyOffsets,
  nowMs: number,
): boolean {
  if (record.key === null || batch.isAborted) return false
  if (offsets.isSuperseded(record)) return false
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
    hasTombstones,
    nowMs,
    deleteRetentionMs,
  }: { readonly hasTombstones: boolean; readonly nowMs: number; readonly deleteRetentionMs: number },
): number {
  if (batch.deleteHorizonMs >= 0) return batch.deleteHorizonMs
  return hasTombstones ? nowMs + deleteRetentionMs : -1
}

/** Without a horizon nothing has waited yet. */
function isBeforeHorizon({ deleteHorizonMs }: CleanedBatch, nowMs: number): boolean {
  return deleteHorizonMs < 0 || nowMs < deleteHorizonMs
}

/** What decides whether a log is worth cleaning. */
export interface CleaningFacts {
  readonly cleanBytes: number
  readonly dirtyBytes: number
  /** Milliseconds since 1970 of the oldest record in the dirty part; -1 without one. */
  readonly firstDirtyTimestamp: number
}

/** `min.cleanable.dirty.ratio` reached, or the oldest dirty record older than `max.compaction.lag.ms`. */
export function isCleanable(
  { cleanBytes, dirtyBytes, firstDirtyTimestamp }: CleaningFacts,
  {
    minCleanableDirtyRatio,
    maxCompactionLagMs,
  }: { readonly minCleanableDirtyRatio: number; readonly maxCompactionLagMs: number },
  nowMs: number,
): boolean {
  if (dirtyBytes === 0) return false
  if (firstDirtyTimestamp >= 0 && nowMs - firstDirtyTimestamp > maxCompactionLagMs) return true
  return dirtyBytes / (cleanBytes + dirtyBytes) > minCleanableDirtyRatio
}
