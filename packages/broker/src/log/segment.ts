// What storage must give a partition log: segments that take atomic commits and are read by offset. The rules of a log (rolling, retention,
// epochs, time lookups, recovery) live once, in segmented-log.ts, above this; LMDB and memory implement it. Synchronous, one thread.
import type {
  AbortedTransaction,
  EpochStart,
  LogRead,
  ProducerState,
  ReadLimits,
  StampedBatch,
} from './partition-log.ts'

/** Which segment: its place in the log, and how often it was rewritten. A summary is a name, too. */
export interface SegmentName {
  readonly baseOffset: number
  /** 0 as appended; each compaction that rewrites it makes it one more. Of one base offset only one generation is part of the log. */
  readonly generation: number
}

/** What a segment knows about itself. Plain data, replaced as a whole. */
export interface SegmentSummary extends SegmentName {
  /** Exclusive end. After compaction it may lie behind the last batch. */
  readonly nextOffset: number
  readonly sizeInBytes: number
  /** Largest maxTimestamp so far, -1 none. */
  readonly maxTimestamp: number
  /** Base offset of the first batch that has it, -1 none. */
  readonly maxTimestampOffset: number
  /** Base offset of the first batch that raised maxTimestamp since the last time index entry, -1 none. */
  readonly riseOffset: number
  /** maxTimestamp of the first batch, -1 none (Kafka: rollingBasedTimestamp). */
  readonly firstBatchTimestamp: number
  /** Wall clock of the first append, -1 while empty. */
  readonly firstAppendMs: number
}

/** What the whole log knows about itself; stored in the active segment. */
export interface LogState {
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly flushedOffset: number
  /** Compaction has seen everything below (Kafka: cleaner-offset-checkpoint); 0 when it never ran. */
  readonly firstDirtyOffset: number
  /** The clean-shutdown mark. */
  readonly clean: boolean
}

/** "The first batch whose maxTimestamp exceeded the entry before this one begins at `offset`; up to `timestamp` nothing begins earlier." */
export interface TimeEntry {
  readonly timestamp: number
  readonly offset: number
}

/** One atomic change of a segment. What is left out stays. */
export interface SegmentCommit {
  readonly batches: readonly StampedBatch[]
  readonly summary: SegmentSummary
  readonly log: LogState
  readonly producers?: readonly ProducerState[]
  readonly expiredProducers?: readonly number[]
  /** True: `producers` is all there is (first commit of a segment, truncation). */
  readonly replaceProducers?: boolean
  /** First commit of a segment: the producer states as of its base offset, kept for rebuilding. */
  readonly snapshot?: readonly ProducerState[]
  readonly aborted?: readonly AbortedTransaction[]
  /** All epochs of the log. */
  readonly epochs?: readonly EpochStart[]
  /** All sealed segments of the log. */
  readonly sealed?: readonly SegmentSummary[]
  readonly timeEntry?: TimeEntry
  /** As {@link AppendGroup.isDerived}: storage may leave it to be read from the batches. */
  readonly isDerived?: boolean
  /** Truncation: batches and aborted transactions at or above this offset go first, and the whole time index of the segment. */
  readonly dropFrom?: number
  /** fsync this commit, and with it all earlier ones of this segment. */
  readonly durable: boolean
}

export interface LoadedSegment {
  readonly summary: SegmentSummary
  readonly log: LogState
  readonly epochs: readonly EpochStart[]
  readonly sealed: readonly SegmentSummary[]
  /** False when the machine (not only the process) may have stopped since the last commit: unflushed bytes are suspect. */
  readonly sameBoot: boolean
}

export interface TailCheck {
  readonly scannedBytes: number
  /** Base offset of the lowest batch that is damaged or missing; undefined when all is well. */
  readonly badOffset?: number
  readonly reason?: string
}

/** Sees one batch: `bytes[at, at + size)` is borrowed until it returns. False ends the visit. */
export type BatchVisitor = (bytes: Uint8Array, at: number, size: number) => boolean

export interface Segment extends SegmentName {
  /** Undefined when nothing was ever committed (a crash during creation). */
  load(): LoadedSegment | undefined
  /** All or nothing. Throws LogIOError. */
  commit(change: SegmentCommit): void
  /** As {@link PartitionLog.read}, within this segment; empty when the limits allow nothing, undefined when nothing at or above `offset` is here. */
  read(offset: number, limits: ReadLimits): LogRead | undefined
  /** Batches in order, from the one that holds `offset` (or the next one). */
  visit(offset: number, visitor: BatchVisitor): void
  /** First entry with this timestamp or a later one. */
  timeEntry(timestamp: number): TimeEntry | undefined
  /** Aborted transactions with lastOffset >= `offset`, ascending, until the visitor says false. */
  visitAborted(offset: number, visitor: (aborted: AbortedTransaction) => boolean): void
  producers(): ProducerState[]
  /** The producer states as of the base offset. */
  snapshot(): ProducerState[]
  /** Checks the stored form and CRCs of batches at or above `fromOffset`, from the end backwards, at most about `maxBytes`. */
  checkTail(fromOffset: number, endOffset: number, maxBytes: number): TailCheck
  /** Begins to make durable, in the background, what is committed now. */
  checkpoint(): Promise<void>
  fileBytes(): number
  /** Whether a storage handle is open now. */
  isOpen(): boolean
  /** Lets go of the handle; the next use opens it again. */
  release(): void
}

/** The segments of one log. */
export interface SegmentStorage {
  /** Whether segments hold on to the bytes of batches that are committed. */
  readonly keepsBytes: boolean
  /** By base offset, ascending; of one base offset the highest generation first. */
  list(): SegmentName[]
  /** A handle on an existing segment; cheap, opens lazily. */
  open(name: SegmentName): Segment
  /** Creates a segment with its first commit; after a throw it does not exist. What has that name already goes first. */
  create(name: SegmentName, first: SegmentCommit): Segment
  /** Puts a segment with this one commit in place of the old one, or leaves the old one. */
  replace(name: SegmentName, first: SegmentCommit): Segment
  remove(name: SegmentName): void
}
