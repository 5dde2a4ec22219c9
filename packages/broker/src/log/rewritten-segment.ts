// The segment that a round of compaction writes in place of a group of neighbours: it takes over their place in the log, the producer states around
// them, and of their transaction index what still has its marker. Nobody reads it before the log has swapped it in.
import * as batch from '@odradek/shared/records/record-batch'
import type { AbortedTransaction, StampedBatch } from './partition-log.ts'
import type { LogState, Segment, SegmentCommit, SegmentName, SegmentSummary } from './segment.ts'
import { emptySummary, summaryAfter, timeEntryDue } from './segments.rules.ts'
import { timestamped } from './stored-batches.rules.ts'

/** What it needs of the log. */
export interface RewritingGround {
  state(): LogState
  /** Every segment that has files, part of the log or not. */
  list(): readonly SegmentName[]
  segment(summary: SegmentSummary): Segment
  create(name: SegmentName, first: SegmentCommit): Segment
  discard(name: SegmentName): void
}

export class RewrittenSegment {
  readonly #ground: RewritingGround
  readonly #group: readonly SegmentSummary[]
  /** Entries of the old index, by the offset of their marker. */
  readonly #aborted = new Map<number, AbortedTransaction>()
  #segment: Segment | undefined
  #summary: SegmentSummary
  #batches: StampedBatch[] = []
  #bytesSinceTimeEntry = 0

  constructor(ground: RewritingGround, group: readonly SegmentSummary[]) {
    this.#ground = ground
    this.#group = group
    const { baseOffset } = group[0]!
    const taken = ground.list().filter(name => name.baseOffset === baseOffset)
    const generation = Math.max(...taken.map(name => name.generation)) + 1
    this.#summary = { ...emptySummary(baseOffset), generation }
    for (const summary of group) {
      ground.segment(summary).visitAborted(0, aborted => this.#aborted.set(aborted.lastOffset, aborted).size > 0)
    }
  }

  /** Takes a whole batch over; `bytes` is an own buffer. */
  add(bytes: Uint8Array): void {
    this.#batches.push({ bytes, ...timestamped(bytes, 0) })
  }

  /** Writes what was added, not yet durably. */
  commit(): void {
    const batches = this.#batches
    this.#batches = []
    if (this.#segment !== undefined && batches.length === 0) return
    const summary = summaryAfter(this.#summary, batches, this.#group[0]!.firstAppendMs)
    this.#bytesSinceTimeEntry += summary.sizeInBytes - this.#summary.sizeInBytes
    const timeEntry = timeEntryDue(summary, this.#bytesSinceTimeEntry)
    const aborted = batches.flatMap(({ baseOffset, bytes }) =>
      batch.isControlBatch(bytes, 0) ? (this.#aborted.get(baseOffset) ?? []) : [],
    )
    this.#summary = timeEntry === undefined ? summary : { ...summary, riseOffset: -1 }
    if (timeEntry !== undefined) this.#bytesSinceTimeEntry = 0
    const commit: SegmentCommit = {
      batches,
      aborted,
      summary: this.#summary,
      log: { ...this.#ground.state(), clean: false },
      durable: false,
      ...(timeEntry === undefined ? {} : { timeEntry }),
    }
    if (this.#segment !== undefined) this.#segment.commit(commit)
    else {
      const snapshot = this.#ground.segment(this.#group[0]!).snapshot()
      this.#segment = this.#ground.create(this.#summary, { ...commit, snapshot })
    }
  }

  /** Begins to make durable what is written, in the background, so that `finish` has little to wait for. */
  checkpoint(): Promise<void> {
    return this.#segment!.checkpoint()
  }

  /** The last commit, durable: the place that the group had in the log, and the producer states as of its end. */
  finish(): SegmentSummary {
    const last = this.#group.at(-1)!
    this.#summary = { ...this.#summary, nextOffset: last.nextOffset }
    this.#segment!.commit({
      batches: [],
      summary: this.#summary,
      log: { ...this.#ground.state(), clean: false },
      producers: this.#ground.segment(last).producers(),
      replaceProducers: true,
      durable: true,
    })
    return this.#summary
  }

  /** Removes what was written. */
  discard(): void {
    if (this.#segment !== undefined) this.#ground.discard(this.#segment)
    this.#segment = undefined
  }
}
