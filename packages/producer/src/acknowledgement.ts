// What a send resolves with. A single record has one acknowledgement; many sent at once share one object that makes each on demand, so
// that an array of five hundred records does not cost five hundred objects.
import { KafkaError } from '@odradek/shared/base/errors'
import type { DeliveredPart } from '@odradek/shared/contracts/sender.contract'
import type { RecordBatchInProgress } from './batch-in-progress.ts'
import { kafkaErrorOf } from './producer-errors.ts'

/** Where a record is. */
export interface Acknowledgement {
  readonly topic: string
  readonly partition: number
  /** -1 with acks 0, and for a duplicate that the leader has but forgot the place of. */
  readonly offset: bigint
  /** Milliseconds: the record's own, or the broker's with `message.timestamp.type=LogAppendTime`. */
  readonly timestamp: number
}

/** Makes the acknowledgement of the record at `delta` of a part that begins with the record `first` of its batch. */
export function acknowledgementOf(
  where: { readonly topic: string; readonly partition: number },
  part: DeliveredPart,
  delta: number,
  timestamp: number,
): Acknowledgement {
  return {
    topic: where.topic,
    partition: where.partition,
    offset: part.baseOffset < 0 ? -1n : BigInt(part.baseOffset + delta),
    timestamp: part.logAppendTimeMs >= 0 ? part.logAppendTimeMs : timestamp,
  }
}

/** The acknowledgements of records that were sent together, in their order; each is made when it is asked for. */
export class Acknowledgements implements Iterable<Acknowledgement> {
  readonly #group: SendGroup

  constructor(group: SendGroup) {
    this.#group = group
  }

  get length(): number {
    return this.#group.length
  }

  /** The acknowledgement of the record at `index`. Negative counts from the end; undefined out of range. */
  at(index: number): Acknowledgement | undefined {
    const at = index < 0 ? this.length + index : index
    const outcome = at >= 0 && at < this.length ? this.#group.outcomeAt(at) : undefined
    return outcome instanceof KafkaError ? undefined : outcome
  }

  *[Symbol.iterator](): IterableIterator<Acknowledgement> {
    for (let index = 0; index < this.length; index++) yield this.at(index)!
  }

  toArray(): Acknowledgement[] {
    return [...this]
  }
}

/** Some of the records that were sent together failed. The message is that of the first failure; it is also the `cause`. */
export class PartialSendError extends KafkaError {
  override readonly name = 'PartialSendError'
  readonly #group: SendGroup

  constructor(group: SendGroup, first: KafkaError) {
    const { kafkaCode, kafkaName, retriable, fatal } = first
    super(first.code, first.message, { kafkaCode, kafkaName, retriable, fatal, cause: first })
    this.#group = group
  }

  /** Per record, in order: where it is, or why it failed. */
  get results(): (Acknowledgement | KafkaError)[] {
    return Array.from({ length: this.#group.length }, (_, index) => this.#group.outcomeAt(index))
  }
}

/**
 * Records that were sent in one call: which batch each went to. Records that follow each other into one batch are one run, so that an array of five
 * hundred without keys is remembered in one or two.
 */
export class SendGroup {
  readonly length: number
  readonly defaultTimestamp: number
  readonly #batches: RecordBatchInProgress[] = []
  /** Per run: the index of its batch in `#batches`, the place of its first record there, and that record's index among those sent. */
  readonly #batchIndexes: number[] = []
  readonly #firstDeltas: number[] = []
  readonly #firstIndexes: number[] = []
  /** Where the latest run goes on. */
  #latest: RecordBatchInProgress | null = null
  #nextDelta = 0
  #timestamps: Map<number, number> | null = null
  #settle: (outcome: Acknowledgements | KafkaError) => void
  #open = 1
  #placed = 0
  #refusal: KafkaError | null = null

  constructor(length: number, defaultTimestamp: number, settle: (outcome: Acknowledgements | KafkaError) => void) {
    this.length = length
    this.defaultTimestamp = defaultTimestamp
    this.#settle = settle
  }

  /** Records that have been placed into batches so far. */
  get placed(): number {
    return this.#placed
  }

  /** The next record went to `batch` as its latest. */
  place(batch: RecordBatchInProgress, timestamp: number): void {
    const delta = batch.recordCount - 1
    if (batch !== this.#latest || delta !== this.#nextDelta) this.#beginRun(batch, delta)
    this.#nextDelta = delta + 1
    const index = this.#placed++
    if (timestamp !== this.defaultTimestamp) {
      this.#timestamps ??= new Map()
      this.#timestamps.set(index, timestamp)
    }
  }

  #beginRun(batch: RecordBatchInProgress, delta: number): void {
    this.#latest = batch
    if (batch.latestGroup !== this) {
      batch.latestGroup = this
      batch.latestGroupIndex = this.#batches.length
      this.#batches.push(batch)
      batch.groups.push(this)
      this.#open++
    }
    this.#batchIndexes.push(batch.latestGroupIndex)
    this.#firstDeltas.push(delta)
    this.#firstIndexes.push(this.#placed)
  }

  /** All records are placed, or the rest is refused: those count as failed. */
  sealed(refusal: KafkaError | null = null): void {
    this.#refusal = refusal
    this.batchEnded()
  }

  /** One of its batches ended. */
  batchEnded(): void {
    if (--this.#open > 0) return
    const failed = this.#refusal ?? this.#firstFailure()
    this.#settle(
      failed === null ? new Acknowledgements(this) : this.length === 1 ? failed : new PartialSendError(this, failed),
    )
  }

  #firstFailure(): KafkaError | null {
    for (const { result } of this.#batches) {
      const part = result!.find(({ error }) => error !== null)
      if (part !== undefined) return kafkaErrorOf(part.error!)
    }
    return null
  }

  outcomeAt(index: number): Acknowledgement | KafkaError {
    if (index >= this.#placed) return this.#refusal!
    const run = this.#runOf(index)
    const batch = this.#batches[this.#batchIndexes[run]!]!
    const delta = this.#firstDeltas[run]! + index - this.#firstIndexes[run]!
    return batch.outcomeOf(delta, this.#timestamps?.get(index) ?? this.defaultTimestamp)
  }

  /** The last run that begins at or before `index`. */
  #runOf(index: number): number {
    let low = 0
    for (let high = this.#firstIndexes.length; high - low > 1; ) {
      const middle = (low + high) >>> 1
      if (this.#firstIndexes[middle]! <= index) low = middle
      else high = middle
    }
    return low
  }
}
