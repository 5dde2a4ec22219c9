// What one append will carry: the records of all decisions since the last one, packed into batches, and what is to happen when
// they are committed. The records of one decision lie in one batch, so a log that is cut at a batch never holds half a decision.
import { BatchBuilder, recordSizeUpperBound } from '@odradek/shared/records/batch-builder'
import { BATCH_HEADER_BYTES } from '@odradek/shared/records/record-batch'
import type { EncodedRecord } from './shard.ts'

/** Bytes that these records take in a batch of their own, at most. */
export function batchSizeUpperBound(records: readonly EncodedRecord[]): number {
  let size = BATCH_HEADER_BYTES
  for (const { key, value } of records) size += recordSizeUpperBound(key, value)
  return size
}

/** One batch of its own, for a transactional append. The caller has checked that it fits. */
export function buildTransactionalBatch(
  records: readonly EncodedRecord[],
  timestamp: number,
  { producerId, producerEpoch }: { readonly producerId: number; readonly producerEpoch: number },
): Uint8Array {
  const builder = new BatchBuilder({ writeLimit: Number.MAX_SAFE_INTEGER, initialBytes: batchSizeUpperBound(records) })
  for (const { key, value } of records) builder.tryAppend(timestamp, key, value)
  // As Kafka's coordinators do: transactional, but without a sequence, so retries are not looked for.
  return builder.build({ producerId, producerEpoch, baseSequence: -1, transactional: true })
}

/** Gathers `Outcome`s and the batches they wait for. Reusable: empty again after each `take`. */
export class Gathering<Outcome> {
  readonly #maxBatchBytes: number
  readonly #builder: BatchBuilder
  #closed: Uint8Array[] = []
  #closedBytes = 0
  #recordCount = 0
  #outcomes: Outcome[] = []
  #isUrgent = false

  /** `maxBatchBytes`: the partition's `max.message.bytes`. */
  constructor(maxBatchBytes: number) {
    this.#maxBatchBytes = maxBatchBytes
    this.#builder = new BatchBuilder({ writeLimit: maxBatchBytes, initialBytes: Math.min(maxBatchBytes, 16 * 1024) })
  }

  get recordCount(): number {
    return this.#recordCount
  }

  /** Decisions that wait here; some may have no records of their own. */
  get decisionCount(): number {
    return this.#outcomes.length
  }

  get sizeInBytes(): number {
    return this.#closedBytes + (this.#builder.recordCount === 0 ? 0 : this.#builder.sizeInBytes)
  }

  /** Whether these records, which belong together, fit any batch at all. */
  fits(records: readonly EncodedRecord[]): boolean {
    return batchSizeUpperBound(records) <= this.#maxBatchBytes
  }

  /** Adds the records of one decision, in as many batches as they need. Each of them must fit one. */
  addDivisible(records: readonly EncodedRecord[], timestamp: number): void {
    for (const record of records) this.add([record], timestamp)
  }

  /** Adds the records of one decision. The caller has asked `fits`. */
  add(records: readonly EncodedRecord[], timestamp: number): void {
    const more = batchSizeUpperBound(records) - BATCH_HEADER_BYTES
    if (this.#builder.sizeInBytes + more > this.#maxBatchBytes) this.#closeBatch()
    for (const { key, value } of records) this.#builder.tryAppend(timestamp, key, value)
    this.#recordCount += records.length
  }

  /** Somebody waits for what was gathered: it should be sent. */
  get isUrgent(): boolean {
    return this.#isUrgent
  }

  hurry(): void {
    this.#isUrgent = true
  }

  /** What happens when all that was added so far is committed. `isPatient`: that need not be soon. */
  whenCommitted(outcome: Outcome, isPatient: boolean): void {
    this.#outcomes.push(outcome)
    if (!isPatient) this.#isUrgent = true
  }

  /** Everything gathered; empty afterwards. `records` is an own exact buffer of whole batches. */
  take(): { readonly records: Uint8Array; readonly recordCount: number; readonly outcomes: Outcome[] } {
    this.#closeBatch()
    const taken = { records: joined(this.#closed), recordCount: this.#recordCount, outcomes: this.#outcomes }
    this.#forget()
    return taken
  }

  /** The outcomes, without the records; empty afterwards. */
  drop(): Outcome[] {
    const outcomes = this.#outcomes
    this.#builder.reset()
    this.#forget()
    return outcomes
  }

  #forget(): void {
    this.#closed = []
    this.#closedBytes = 0
    this.#recordCount = 0
    this.#outcomes = []
    this.#isUrgent = false
  }

  #closeBatch(): void {
    if (this.#builder.recordCount === 0) return
    const built = this.#builder.build()
    this.#closed.push(built)
    this.#closedBytes += built.length
  }
}

function joined(batches: readonly Uint8Array[]): Uint8Array {
  if (batches.length === 1) return batches[0]!
  const whole = new Uint8Array(batches.reduce((size, batch) => size + batch.length, 0))
  let at = 0
  for (const batch of batches) {
    whole.set(batch, at)
    at += batch.length
  }
  return whole
}
