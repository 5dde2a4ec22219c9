// What a segment's batches say and its rows do not say yet (decision 0047). A commit of nothing but batches may leave the rows of state and producers as they
// are; whoever opens the segment makes up for it by reading the batches behind them, of which there are never many.
import * as batch from '@odradek/shared/records/record-batch'
import { type DerivedState, firstUndecidedOffset } from './derived-state.rules.ts'
import type { ProducerState } from './partition-log.ts'
import type { LogState, SegmentCommit, SegmentSummary } from './segment.ts'
import { summaryAfter } from './segments.rules.ts'
import { checkValue, replayStored, timestamped, type ValueCheck } from './stored-batches.rules.ts'

/** Commits that may follow one another without rows. */
const TRAILING_COMMITS_MAX = 64
/** Bytes of their batches: what opening reads besides. */
const TRAILING_BYTES_MAX = 256 * 1024

/** Of one opening of a segment. */
export class TrailingRows {
  #commits = 0
  #bytes = 0
  #isKnown = false
  #hasWritten = false
  /** As the rows have it: no batch says when it was appended. */
  #firstAppendMs = -1
  /** States of producers that the rows do not have yet, by id. */
  #producers = new Map<number, ProducerState>()

  /** Whether all that the rows lack is known. */
  get isKnown(): boolean {
    return this.#isKnown
  }

  /** Whether rows were written since the segment was opened. */
  get hasWritten(): boolean {
    return this.#hasWritten
  }

  /** States that are newer than their rows, or have none. */
  get producers(): ReadonlyMap<number, ProducerState> {
    return this.#producers
  }

  /** What was found when the segment was opened. */
  found(producers: ReadonlyMap<number, ProducerState>): void {
    this.#producers = new Map(producers)
    this.#isKnown = true
  }

  /** Whether `change`, with so many bytes of batches, may be stored without rows. */
  takes(change: SegmentCommit, bytes: number): boolean {
    if (!this.#hasWritten || change.summary.firstAppendMs !== this.#firstAppendMs) return false
    if (!followsFromBatches(change)) return false
    return this.#commits < TRAILING_COMMITS_MAX && this.#bytes + bytes <= TRAILING_BYTES_MAX
  }

  /** `change` was stored without rows. */
  trailed({ producers = [] }: SegmentCommit, bytes: number): void {
    this.#commits++
    this.#bytes += bytes
    for (const producer of producers) this.#producers.set(producer.producerId, producer)
  }

  /** The producers whose rows go with `change`, when it is stored with rows. */
  *producersWith({ producers = [], replaceProducers, expiredProducers = [] }: SegmentCommit): Iterable<ProducerState> {
    yield* producers
    if (replaceProducers || this.#producers.size === 0) return
    const gone = new Set([...producers.map(({ producerId }) => producerId), ...expiredProducers])
    for (const producer of this.#producers.values()) if (!gone.has(producer.producerId)) yield producer
  }

  /** All rows were written with `change`. */
  written({ summary }: SegmentCommit): void {
    this.#isKnown = true
    this.#hasWritten = true
    this.#firstAppendMs = summary.firstAppendMs
    this.#commits = 0
    this.#bytes = 0
    if (this.#producers.size > 0) this.#producers = new Map()
  }
}

/** Whether its batches say all that it changes. */
function followsFromBatches(change: SegmentCommit): boolean {
  const { isDerived, durable, summary, log, timeEntry, epochs, sealed, aborted = [], expiredProducers = [] } = change
  if (isDerived !== true || durable || log.highWatermark !== summary.nextOffset) return false
  if (timeEntry !== undefined || epochs !== undefined || sealed !== undefined) return false
  return aborted.length === 0 && expiredProducers.length === 0 && change.dropFrom === undefined
}

/** What rows say of a segment, and then its batches. */
export interface RowsSay {
  readonly summary: SegmentSummary
  readonly log: LogState
}

/** What makes up for trailing rows reads. */
export interface TrailingBatches {
  /** Smallest key at or above `offset`. */
  ceilingKey(offset: number): number | undefined
  /** The stored value, borrowed until the next call. */
  batchesAt(key: number): Uint8Array | null | undefined
  /** All that have rows. Asked for when something trails. */
  producers(): Iterable<ProducerState>
}

/**
 * State and producers as of the last batch. From the first that is damaged on all count as there, and nothing follows from them: recovery finds it and cuts it
 * off. `producers`: those that changed behind their rows.
 */
export function caughtUp<R extends RowsSay>(
  rows: R,
  batches: TrailingBatches,
): { readonly state: R; readonly producers: ReadonlyMap<number, ProducerState> } {
  const first = batches.ceilingKey(rows.summary.nextOffset)
  if (first === undefined) return { state: rows, producers: NONE }
  const known = new Map([...batches.producers()].map(producer => [producer.producerId, producer]))
  const derived: DerivedState = { producers: new Map(known), aborted: [] }
  let { summary } = rows
  let isSound = true
  for (let key: number | undefined = first; key !== undefined; key = batches.ceilingKey(summary.nextOffset)) {
    const value = batches.batchesAt(key)!
    const check = checkValue(value, key, false)
    isSound &&= check.badOffset === undefined
    summary = isSound ? replayed(summary, derived, value) : passedOver(summary, check, value)
  }
  const highWatermark = summary.nextOffset
  const stable = firstUndecidedOffset(derived.producers.values()) ?? highWatermark
  const log = { ...rows.log, highWatermark, lastStableOffset: Math.max(rows.log.lastStableOffset, stable) }
  const producers = new Map([...derived.producers].filter(([id, state]) => known.get(id) !== state))
  return { state: { ...rows, summary, log }, producers }
}

/** The summary after a sound value; what follows from it is added to `derived`. */
function replayed(before: SegmentSummary, derived: DerivedState, value: Uint8Array): SegmentSummary {
  let summary = before
  batch.forEachBatch(value, (at, size) => {
    const header = timestamped(value, at)
    summary = summaryAfter(summary, [{ ...header, bytes: value.subarray(at, at + size) }], before.firstAppendMs)
    replayStored(derived, value, at)
  })
  return summary
}

/** The summary after a value that is damaged, or behind one that is: its end is above where the damage begins. */
function passedOver(before: SegmentSummary, check: ValueCheck, { length }: Uint8Array): SegmentSummary {
  const nextOffset = check.badOffset === undefined ? check.nextOffset : check.badOffset + 1
  return { ...before, nextOffset, sizeInBytes: before.sizeInBytes + length }
}

const NONE: ReadonlyMap<number, ProducerState> = new Map()
