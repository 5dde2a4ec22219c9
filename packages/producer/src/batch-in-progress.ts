// A batch in the caller's thread, from its first record to its outcome: what it holds and who waits for it.
import { KafkaError } from '@odradek/shared/base/errors'
import type { DeliveredPart } from '@odradek/shared/contracts/sender.contract'
import type { BatchBuilder } from '@odradek/shared/records/batch-builder'
import { type Acknowledgement, acknowledgementOf, type SendGroup } from './acknowledgement.ts'
import { kafkaErrorOf } from './producer-errors.ts'

/** Called once per record: where it is, or why it failed. */
export type DeliveryCallback = (error: KafkaError | null, acknowledgement: Acknowledgement | null) => void

/** Settles the promise of one record. */
export type RecordResolver = (outcome: Acknowledgement | Promise<never>) => void

export class RecordBatchInProgress {
  readonly topic: string
  readonly partition: number
  readonly acks: number
  /** Monotonic milliseconds of its first record. */
  readonly createdAt: number
  /** Null once it is closed. */
  builder: BatchBuilder | null
  /** Closed, not yet handed over. */
  bytes: Uint8Array | null = null
  recordCount = 0
  /** What it counts for in `buffer.memory`. */
  chargedBytes = 0
  /** Set when it ended. */
  result: readonly DeliveredPart[] | null = null

  /** Calls with several records, each once. */
  readonly groups: SendGroup[] = []
  latestGroup: SendGroup | null = null
  latestGroupIndex = 0

  readonly #resolvers: RecordResolver[] = []
  readonly #resolverDeltas: number[] = []
  readonly #resolverTimestamps: number[] = []
  #callbacks: { readonly call: DeliveryCallback; readonly delta: number; readonly timestamp: number }[] | null = null

  constructor(
    where: { readonly topic: string; readonly partition: number },
    acks: number,
    createdAt: number,
    builder: BatchBuilder,
  ) {
    this.topic = where.topic
    this.partition = where.partition
    this.acks = acks
    this.createdAt = createdAt
    this.builder = builder
  }

  /** The latest record has a promise. */
  promised(resolve: RecordResolver, timestamp: number): void {
    this.#resolvers.push(resolve)
    this.#resolverDeltas.push(this.recordCount - 1)
    this.#resolverTimestamps.push(timestamp)
  }

  /** The latest record has a callback. */
  called(call: DeliveryCallback, timestamp: number): void {
    this.#callbacks ??= []
    this.#callbacks.push({ call, delta: this.recordCount - 1, timestamp })
  }

  /** Tells everybody, in one turn. `report` gets what a callback throws. */
  ended(result: readonly DeliveredPart[], report: (thrown: unknown) => void): void {
    this.result = result
    this.#callBack(report)
    this.#resolve(result)
    for (const group of this.groups) group.batchEnded()
  }

  #callBack(report: (thrown: unknown) => void): void {
    for (const { call, delta, timestamp } of this.#callbacks ?? []) {
      const outcome = this.outcomeOf(delta, timestamp)
      try {
        if (outcome instanceof KafkaError) call(outcome, null)
        else call(null, outcome)
      } catch (thrown) {
        report(thrown)
      }
    }
  }

  #resolve(result: readonly DeliveredPart[]): void {
    const [first] = result
    if (result.length === 1 && first!.error !== null) {
      // One error object and one rejection for the whole batch; every record's promise adopts it.
      const rejection = Promise.reject(kafkaErrorOf(first!.error))
      rejection.catch(() => {})
      for (const resolve of this.#resolvers) resolve(rejection)
      return
    }
    for (let i = 0; i < this.#resolvers.length; i++) {
      const outcome = this.outcomeOf(this.#resolverDeltas[i]!, this.#resolverTimestamps[i]!)
      this.#resolvers[i]!(outcome instanceof KafkaError ? Promise.reject(outcome) : outcome)
    }
  }

  /** What became of the record at `delta`; only after the batch ended. */
  outcomeOf(delta: number, timestamp: number): Acknowledgement | KafkaError {
    let first = 0
    for (const part of this.result!) {
      if (delta < first + part.recordCount) {
        return part.error === null ? acknowledgementOf(this, part, delta - first, timestamp) : kafkaErrorOf(part.error)
      }
      first += part.recordCount
    }
    throw new RangeError(`a batch of ${first} records has no record ${delta}`)
  }
}
