// Where records become batches, in the caller's thread: one open batch per partition, bounded in bytes (`buffer.memory`), closed when full, when it
// has waited `linger.ms`, or when a flush or a lack of memory asks for it. No clock and no timer: the producer tells the time.
//
//   append -> open batch --full | lingered | flushed--> closed (bytes) -> ready -> handed over -> completed
//                 `------------------- counts against buffer.memory ------------------------'
import { assert } from '@odradek/shared/base/assert'
import { BatchBuilder } from '@odradek/shared/records/batch-builder'
import { BATCH_HEADER_BYTES } from '@odradek/shared/records/record-batch'
import type { RecordHeader } from '@odradek/shared/records/record-reader'
import { RecordBatchInProgress } from './batch-in-progress.ts'

/**
 * While a partition has this many batches on their way, a batch that has lingered stays open and takes more records, as Kafka's accumulator does
 * while its connection is busy: many small sends become few larger batches exactly when it matters.
 */
const BUSY_PARTITION_BATCHES = 6

export interface AccumulatorOptions {
  readonly batchSize: number
  readonly lingerMs: number
  readonly bufferMemory: number
}

/** The batches of one partition. */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  open: RecordBatchInProgress | null = null
  /** Closed and not completed. */
  outstanding = 0
  /** The open batch should have been closed, but the partition is busy. */
  isOverdue = false

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  /** Batches that wait or are in flight: the length of the queue that the partitioner looks at. */
  get length(): number {
    return this.outstanding + (this.open === null ? 0 : 1)
  }
}

export class Accumulator {
  readonly #options: AccumulatorOptions
  readonly #builders: BatchBuilder[] = []
  /** Partitions by the age of their open batch, oldest first; entries whose batch was closed meanwhile are skipped. */
  #lingering: { readonly queue: PartitionQueue; readonly batch: RecordBatchInProgress }[] = []
  #lingeringFrom = 0
  readonly #ready: RecordBatchInProgress[] = []
  readonly #queues = new Map<RecordBatchInProgress, PartitionQueue>()
  #usedBytes = 0
  #closedBytes = 0
  #usedBytesHigh = 0

  constructor(options: AccumulatorOptions) {
    this.#options = options
  }

  /** Bytes of records that wait or are in flight. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  get usedBytesHigh(): number {
    return this.#usedBytesHigh
  }

  get availableBytes(): number {
    return this.#options.bufferMemory - this.#usedBytes
  }

  /** Whether `times` an eighth of the memory is free, and what is closed but not completed is below `onTheirWayBytesMax` by that factor. */
  hasSlack(times: 1 | 2, onTheirWayBytesMax: number): boolean {
    return (
      this.availableBytes > (this.#options.bufferMemory >>> 3) * times && this.#closedBytes * times < onTheirWayBytesMax
    )
  }

  /** Batches, open or not, that are not completed. */
  get incomplete(): IterableIterator<RecordBatchInProgress> {
    return this.#queues.keys()
  }

  get isEmpty(): boolean {
    return this.#queues.size === 0
  }

  /** Whether a record of at most so many bytes may be appended now. A producer that holds nothing takes any record. */
  hasRoomFor(bytes: number): boolean {
    return this.#usedBytes + BATCH_HEADER_BYTES + bytes <= this.#options.bufferMemory || this.#usedBytes === 0
  }

  /** Appends to the partition's open batch, or to a new one. The record is the latest of the batch that is returned. */
  append(
    queue: PartitionQueue,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[] | undefined,
    { acks, now }: AppendContext,
  ): RecordBatchInProgress {
    let batch = queue.open
    if (batch === null || batch.acks !== acks || !batch.builder!.tryAppend(timestamp, key, value, headers)) {
      if (batch !== null) this.close(queue)
      batch = this.#openBatch(queue, acks, now())
      const appended = batch.builder!.tryAppend(timestamp, key, value, headers)
      assert(appended, 'a first record always fits')
    }
    batch.recordCount++
    const size = batch.builder!.sizeInBytes
    this.#usedBytes += size - batch.chargedBytes
    batch.chargedBytes = size
    if (this.#usedBytes > this.#usedBytesHigh) this.#usedBytesHigh = this.#usedBytes
    if (size >= this.#options.batchSize) this.close(queue)
    return batch
  }

  #openBatch(queue: PartitionQueue, acks: number, now: number): RecordBatchInProgress {
    const builder = this.#builders.pop() ?? new BatchBuilder({ writeLimit: this.#options.batchSize })
    const batch = new RecordBatchInProgress(queue, acks, now, builder)
    queue.open = batch
    queue.isOverdue = false
    this.#queues.set(batch, queue)
    this.#lingering.push({ queue, batch })
    return batch
  }

  /** Closes the open batch; it is ready to be handed over. */
  close(queue: PartitionQueue): void {
    const batch = queue.open!
    queue.open = null
    queue.isOverdue = false
    queue.outstanding++
    this.#closedBytes += batch.chargedBytes
    batch.bytes = batch.builder!.close()
    this.#builders.push(batch.builder!)
    batch.builder = null
    this.#ready.push(batch)
  }

  /** Closes every batch that was opened at or before `openedUntil`, except of busy partitions; returns when the next one was opened. */
  closeOpenedUntil(openedUntil: number): number | undefined {
    const { length } = this.#lingering
    while (this.#lingeringFrom < length) {
      const { queue, batch } = this.#lingering[this.#lingeringFrom]!
      if (batch === queue.open) {
        if (batch.createdAt > openedUntil) break
        if (queue.outstanding >= BUSY_PARTITION_BATCHES) queue.isOverdue = true
        else this.close(queue)
      }
      this.#lingeringFrom++
    }
    const next = this.#lingering[this.#lingeringFrom]?.batch.createdAt
    if (this.#lingeringFrom > 64 || next === undefined) {
      this.#lingering = this.#lingering.slice(this.#lingeringFrom)
      this.#lingeringFrom = 0
    }
    return next
  }

  /** Closes every open batch, busy or not. */
  closeAll(): void {
    for (const [batch, queue] of this.#queues) if (queue.open === batch) this.close(queue)
  }

  /** The next closed batch to hand over, oldest first. */
  takeReady(): RecordBatchInProgress | undefined {
    return this.#ready.shift()
  }

  get hasReady(): boolean {
    return this.#ready.length > 0
  }

  /** A batch ended, well or not: its memory is free again. */
  completed(batch: RecordBatchInProgress): void {
    const queue = this.#queues.get(batch)
    if (queue === undefined) return
    this.#queues.delete(batch)
    this.#usedBytes -= batch.chargedBytes
    if (queue.open === batch) {
      queue.open = null
      return
    }
    queue.outstanding--
    this.#closedBytes -= batch.chargedBytes
    if (queue.isOverdue && queue.open !== null && queue.outstanding < BUSY_PARTITION_BATCHES) this.close(queue)
  }
}

export interface AppendContext {
  readonly acks: number
  /** Monotonic milliseconds, asked for only when a batch is opened. */
  readonly now: () => number
}
