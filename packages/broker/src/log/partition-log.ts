// What a partition log is: the interface between the partition leader (which decides) and storage (which keeps). Two implementations,
// LMDB and memory, pass the same suite. Everything is synchronous: the leader appends once per event turn and replies when `append` returns.
// No clock and no policy live here: time (`now`) and topic configs are arguments. A log belongs to one thread.

/** Who a log belongs to. Checked against what is stored when the log is opened. */
export interface LogIdentity {
  /** Legal topic name (Kafka's `Topic.validate`). */
  readonly topic: string
  /** 22-character base64url uuid. */
  readonly topicId: string
  /** 0 .. 2^31-1. */
  readonly partition: number
}

/** The topic configs that a log obeys, already parsed; Kafka's names in camelCase, -1 = no limit where Kafka allows it. */
export interface LogConfig {
  /** `segment.bytes`: a segment is rolled before it would hold more record bytes than this. */
  readonly segmentBytes: number
  /** `segment.ms`: a segment is rolled by the first append that comes this long after the segment's first batch. */
  readonly segmentMs: number
  /** `flush.messages`: fsync at the commit that makes this many offsets unflushed. 1 = every commit. */
  readonly flushMessages: number
  /** `flush.ms`: fsync when the oldest unflushed commit is this old (see {@link PartitionLog.flushDueMs}). */
  readonly flushMs: number
}

/** One v2 record batch, stamped: base offset and leader epoch are already written into `bytes`. */
export interface StampedBatch {
  /** The whole batch; see {@link PartitionLog.keepsBytes}. Never a SharedArrayBuffer view. */
  readonly bytes: Uint8Array
  readonly baseOffset: number
  /** Inclusive. */
  readonly lastOffset: number
  /** The batch header's maxTimestamp, -1 none. */
  readonly maxTimestamp: number
  readonly partitionLeaderEpoch: number
}

/** One of the last five batches of a producer (Kafka: ProducerStateEntry.BatchMetadata). */
export interface ProducerBatch {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly firstOffset: number
  readonly lastOffset: number
  /** The batch's maxTimestamp. */
  readonly timestamp: number
}

/** What the log knows about one producer (Kafka: ProducerStateEntry). Plain data: the leader may keep the object, never change it. */
export interface ProducerState {
  readonly producerId: number
  readonly producerEpoch: number
  /** Of the last transaction marker, -1 none. */
  readonly coordinatorEpoch: number
  /** Of the last batch or marker; expiry (`producer.id.expiration.ms`) counts from here. */
  readonly lastTimestamp: number
  /** First offset of the open transaction, -1 none. The ongoing transactions are the entries where this is >= 0. */
  readonly currentTxnFirstOffset: number
  /** Oldest first, at most five; empty after an epoch bump by a marker. */
  readonly batches: readonly ProducerBatch[]
}

/** An aborted transaction (Kafka: AbortedTxn). */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  /** Offset of its abort marker. */
  readonly lastOffset: number
  /** Last stable offset after the marker. */
  readonly lastStableOffset: number
}

/** From `startOffset` on, batches carry leader epoch `epoch`. */
export interface EpochStart {
  readonly epoch: number
  readonly startOffset: number
}

/** All that one event turn adds: batches plus what follows from them, committed together or not at all. */
export interface AppendGroup {
  /** Dense and ascending; the first one starts at `logEndOffset`. May be empty (only state changes then). */
  readonly batches: readonly StampedBatch[]
  /** The new state of every producer that changed. */
  readonly producers?: readonly ProducerState[]
  /** Producer ids that expired. */
  readonly expiredProducers?: readonly number[]
  /** Transactions that an abort marker of this group ended. */
  readonly aborted?: readonly AbortedTransaction[]
  /** A new leader epoch (higher than any before, start = logEndOffset). Epochs seen in batches are recorded without this. */
  readonly epochStart?: EpochStart
  /** As of after this group; default: the log end offset. Never lower than before. */
  readonly highWatermark?: number
  /** As of after this group; default: the high watermark. Never lower than before. */
  readonly lastStableOffset?: number
  /**
   * True: `producers` is what `derived-state.rules` makes of the batches, and the last stable offset is the first undecided one, or the end, unless it was higher
   * before. Storage may leave both to be read from the batches. Default false.
   */
  readonly isDerived?: boolean
  /** True: fsync this commit whatever the policy says. */
  readonly durable?: boolean
  /** Wall clock, ms. */
  readonly now: number
}

export interface AppendOutcome {
  readonly logEndOffset: number
  /** True when this commit was fsynced (and with it everything before). */
  readonly flushed: boolean
  /** True when a new segment was begun for this group. */
  readonly rolled: boolean
}

export interface ReadLimits {
  /** Bytes of batches, at most; > 0. From half of them on a read may end where it costs less to go on with the next. */
  readonly maxBytes: number
  /** Exclusive: only batches wholly below (high watermark or last stable offset). */
  readonly maxOffset: number
  /** True: the first batch is returned whole even above `maxBytes` (KIP-74). */
  readonly minOneBatch: boolean
  /** True: the bytes may come in a lent buffer (`base/lent-buffers`), which the reader gives back. Default false. */
  readonly lend?: boolean
}

export interface LogRead {
  /** Whole batches in an own exact ArrayBuffer (may be transferred), unless it was to be lent; empty when nothing is readable. */
  readonly bytes: Uint8Array
  /** Base offset of the first batch, `offset` when empty. The first batch may begin below the offset asked for. */
  readonly firstOffset: number
  /** Where the next read goes on: last offset of the last batch + 1, `offset` when empty. */
  readonly nextOffset: number
}

/** A batch found by time. The exact record in it is for the reader of records to find: the log never decodes records. */
export interface TimestampedBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly maxTimestamp: number
  readonly partitionLeaderEpoch: number
}

/** Answer of OffsetForLeaderEpoch: the largest known epoch <= the one asked for, and where it ends (exclusive). (-1, -1) unknown. */
export interface EpochEnd {
  readonly leaderEpoch: number
  readonly endOffset: number
}

export interface SegmentDescription {
  /** Also its folder's name, in 20 digits. */
  readonly baseOffset: number
  /** Exclusive. */
  readonly nextOffset: number
  /** Of record batches, without the storage's overhead. */
  readonly sizeInBytes: number
  /** Largest maxTimestamp, -1 none. */
  readonly maxTimestamp: number
  /** Wall clock of the first append, -1 while empty. */
  readonly firstAppendMs: number
  readonly active: boolean
}

/** When segments go (Kafka: `retention.ms`, `retention.bytes`); -1 = no limit. Only what lies below the high watermark goes. */
export interface RetentionPolicy {
  readonly now: number
  readonly retentionMs: number
  readonly retentionBytes: number
}

export interface RetentionOutcome {
  readonly deleted: readonly SegmentDescription[]
  readonly logStartOffset: number
}

/** When and how a log is compacted: the topic configs of `cleanup.policy=compact`, already parsed. Bytes and milliseconds. */
export interface CompactionPolicy {
  readonly now: number
  /** `min.cleanable.dirty.ratio`: share of dirty bytes above which a round is worth it. */
  readonly minCleanableDirtyRatio: number
  /** `min.compaction.lag.ms`: how long every record is kept. */
  readonly minCompactionLagMs: number
  /** `max.compaction.lag.ms`: how old a dirty record makes a round due; Infinity = no limit. */
  readonly maxCompactionLagMs: number
  /** `delete.retention.ms`: how long tombstones and markers stay after the first round that met them. */
  readonly deleteRetentionMs: number
  /** `segment.bytes`: small neighbours become one segment up to this size. */
  readonly segmentBytes: number
  /** `log.cleaner.dedupe.buffer.size`: memory for keys, about; a round that needs more cleans only as far as they reach. */
  readonly keyBytesMax: number
  /** What one compressed batch may decompress to. */
  readonly decompressedBytesMax: number
}

export interface CompactionOutcome {
  /** False when retention or truncation took what the round still needed. */
  readonly complete: boolean
  /** Everything below has been seen by compaction. */
  readonly firstDirtyOffset: number
  readonly readBytes: number
  readonly keptBytes: number
}

export type CompactionProgress =
  | { readonly state: 'more' }
  /** Data is on its way to the disk: step again when `until` resolves (it never rejects). */
  | { readonly state: 'waiting'; readonly until: Promise<void> }
  | { readonly state: 'done'; readonly outcome: CompactionOutcome }

/** One round of compaction under way. The log takes appends and reads, rolls and retains between its steps. */
export interface Compaction {
  /** Works on about `maxBytes` of stored batches. Throws LogIOError or LogCorruptionError: the round is over then, the log as it was. */
  step(maxBytes: number): CompactionProgress
  /** Ends the round; what it had swapped in stays. Idempotent. */
  abandon(): void
}

export interface LogStats {
  readonly segments: number
  /** Storage handles open now (environments); the store's LRU bounds them. */
  readonly openSegments: number
  readonly recordBytes: number
  /** What the files take on disk (memory: equal to recordBytes). */
  readonly fileBytes: number
  readonly appends: number
  readonly flushes: number
  readonly reads: number
  readonly bytesAppended: number
  readonly bytesRead: number
}

/** What happened while a log was opened. */
export interface LogRecovery {
  /** True after an orderly close: nothing was scanned. */
  readonly clean: boolean
  /** Bytes of batches whose CRC was checked. */
  readonly scannedBytes: number
  /** Set when the tail was cut: the new log end offset. */
  readonly truncatedFrom?: number
  /** Bytes of batches cut away. */
  readonly droppedBytes: number
  readonly reason?: string
}

/**
 * One partition's log. Every method may throw {@link LogIOError} (KAFKA_STORAGE_ERROR: disk full, failed fsync, too many files; the log is
 * unchanged and stays usable) or {@link LogCorruptionError}. Misuse (gaps in offsets, going back) is a bug and fails an assertion.
 */
export interface PartitionLog {
  readonly identity: LogIdentity
  /** True (memory): the log takes the bytes of batches over, and nobody may write into them afterwards. False: when `append` has returned they are its caller's. */
  readonly keepsBytes: boolean
  /** First readable offset. */
  readonly logStartOffset: number
  /** Offset of the next record. */
  readonly logEndOffset: number
  /** As last committed with a group. */
  readonly highWatermark: number
  /** As last committed with a group. */
  readonly lastStableOffset: number
  /** Everything below survives power loss (Kafka: recovery point). */
  readonly flushedOffset: number
  /** Record bytes of all segments. */
  readonly sizeInBytes: number
  /** Last leader epoch of the log, -1 none. */
  readonly latestEpoch: number
  /**
   * A flush has failed: what the disk holds of earlier commits is not known. Reads go on, every change throws {@link LogIOError}, until the log
   * is closed and opened anew, which writes everything that is not flushed once more.
   */
  readonly hasFailed: boolean

  /** Writes the group in one transaction. On a throw nothing of it is stored and nothing in memory has changed. */
  append(group: AppendGroup, config: LogConfig): AppendOutcome
  /**
   * Whole batches from the one that holds `offset` (or the next one, where compaction left a gap).
   * Throws {@link OffsetOutOfRangeError} below `logStartOffset` or above `logEndOffset`.
   */
  read(offset: number, limits: ReadLimits): LogRead
  /** The first batch at or above `logStartOffset` whose maxTimestamp is >= `timestamp`. */
  batchForTimestamp(timestamp: number): TimestampedBatch | undefined
  /** The first batch at or above `logStartOffset` that has the log's largest maxTimestamp (ListOffsets -3). */
  batchOfMaxTimestamp(): TimestampedBatch | undefined
  offsetForLeaderEpoch(epoch: number): EpochEnd
  /** All epochs, ascending. */
  epochs(): readonly EpochStart[]
  /** Producer states as of the log end, for the leader to load at start and after `truncateTo`. */
  producerStates(): ProducerState[]
  /** Aborted transactions that overlap [from, to), by lastOffset ascending (Kafka: collectAbortedTxns). */
  abortedTransactions(from: number, to: number): AbortedTransaction[]

  /** Drops the batch that holds `offset` and all after it; derived state is rebuilt as of the new end. Never below `logStartOffset`. */
  truncateTo(offset: number): void
  /** Raises the log start offset (DeleteRecords; never lowers it, never above the high watermark). Storage goes with {@link retain}. */
  deleteRecordsTo(offset: number): void
  /** Fsync. */
  flush(): void
  /**
   * Begins, in the background, to make durable what is appended now: it bounds what power loss may take when no flush policy is set, and
   * never blocks. Appends begin one by themselves every 64 MiB, at rolls, and when the last is 30 s old; the leader's timer calls it for logs
   * that went quiet. Not a flush: `flushedOffset` does not move. The promise (never rejected) is for tests.
   */
  checkpoint(): Promise<void>
  /** Wall clock at which the oldest append that no flush and no checkpoint covers is `intervalMs` old; undefined when all are covered. */
  checkpointDueMs(intervalMs: number): number | undefined
  /** Wall clock at which `flush.ms` asks for a flush; undefined when all is flushed or there is no limit. For the leader's timer. */
  flushDueMs(config: LogConfig): number | undefined
  /** Begins a new segment (no-op while the active one is empty). `append` does this by itself. */
  roll(now: number): void
  /** Unlinks whole segments that no policy keeps; rolls first when the active one has outlived `retentionMs`. */
  retain(policy: RetentionPolicy): RetentionOutcome
  /**
   * Begins a round of compaction over sealed segments below the last stable offset; undefined when none is worth it. Offsets never change, reads
   * meet gaps. At most one at a time; closing the log ends it.
   */
  beginCompaction(policy: CompactionPolicy): Compaction | undefined
  /** Wall clock at which time alone may make a round worth it; undefined when only appends can. */
  compactionDueMs(policy: CompactionPolicy): number | undefined
  /** Oldest first; the last one is active. */
  segments(): readonly SegmentDescription[]
  stats(): LogStats
  /** `clean`: fsync and leave the clean-shutdown mark. Otherwise just lets go of the handles. Idempotent. */
  close(options: { readonly clean: boolean }): void
}

/** Runs storage calls where the supervisor can wait for them to end (the actor layer's gate). */
export interface LogGate {
  run<T>(fn: () => T): T
}

/** A gate for tools and tests that run without a supervisor. */
export const openGate: LogGate = { run: fn => fn() }

/** What a log wants people to know: recoveries, what was dropped, stray folders. Never record values. */
export type LogNotice = (message: string, fields: { readonly [name: string]: string | number | boolean }) => void

export interface OpenedLog {
  readonly log: PartitionLog
  readonly recovered: LogRecovery
}

/** Opens, lists and deletes the logs of one directory (or one memory). Synchronous; one per thread, all on the same directory. */
export interface LogStore {
  /** Opens or creates. Throws {@link LogIdentityError} when the folder belongs to another topic id. */
  open(identity: LogIdentity): OpenedLog
  list(): LogIdentity[]
  /** Whether a log was ever opened for it: opening would not create one. */
  has(identity: LogIdentity): boolean
  /** Removes a closed log for good: marks it (rename), then unlinks. What a crash leaves marked goes at the next `removeStray`. */
  delete(identity: LogIdentity): void
  /** Unlinks what deletions that a crash interrupted left behind; returns how many. Call once per start, by whoever holds the lock. */
  removeStray(): number
  /** Closes what is open, without clean marks (logs are closed clean one by one by their leaders). */
  close(): void
}
