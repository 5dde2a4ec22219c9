// Runs a function over deliveries, several partitions at a time, each in order: the loop behind `each` and `batch`.

import type { ConsumerRecord } from './consumer-record.ts'
import { DeliveryCursor } from './delivery-cursor.ts'
import type { Arrival, Inbox, ReadPartition } from './inbox.ts'
import type { RecordGate } from './record-feed.ts'

/** Records of one partition that arrived together, in order. Iterate it once or often: records are made anew each time. */
export class RecordBatch<R extends ConsumerRecord<any, any>> implements Iterable<R> {
  readonly topic: string
  readonly partition: number
  readonly #inbox: Inbox
  readonly #arrival: Arrival
  readonly #gate: RecordGate
  #toldStale = false

  /** For the consumer. */
  constructor(inbox: Inbox, arrival: Arrival, gate: RecordGate) {
    this.#inbox = inbox
    this.topic = arrival.partition.topic
    this.partition = arrival.partition.partition
    this.#arrival = arrival
    this.#gate = gate
  }

  /** Bytes of the records as fetched (decompressed). */
  get sizeInBytes(): number {
    return this.#arrival.delivery.length
  }

  /** Offset after the batch: what is committed when it is done. */
  get nextOffset(): bigint {
    return BigInt(this.#arrival.delivery.nextOffset)
  }

  /** Offset at which the batch begins for this reader. */
  get position(): bigint {
    return BigInt(this.#arrival.delivery.startOffset)
  }

  /** Leader epoch of its records, for commits; -1 unknown. */
  get leaderEpoch(): number {
    return this.#arrival.delivery.leaderEpoch
  }

  /**
   * The partition is being taken away, its position moved, or the consumer is being closed: what is left of the batch need not be worked on.
   * Whoever was told so may have left early, so that the batch does not count as processed: it comes again, to whoever reads the partition next.
   */
  get isStale(): boolean {
    const isStale = this.#inbox.isStale(this.#arrival)
    this.#toldStale ||= isStale
    return isStale
  }

  /** For the consumer: whether the function may have left the batch early. */
  get toldStale(): boolean {
    return this.#toldStale
  }

  [Symbol.iterator](): Iterator<R, undefined> {
    const cursor = new DeliveryCursor(this.#arrival.delivery, this.#arrival.partition)
    const gate = this.#gate
    // Not a generator: resuming one costs as much as reading a record.
    return {
      next() {
        for (let record = cursor.next(); record !== null; record = cursor.next()) {
          if (gate === null || gate(record)) return { done: false, value: record as R }
        }
        return { done: true, value: undefined }
      },
    }
  }

  /** Calls `visit` for every record: faster than iterating. Returns how many there were. */
  forEach(visit: (record: R) => void): number {
    const cursor = new DeliveryCursor(this.#arrival.delivery, this.#arrival.partition)
    let count = 0
    for (let record = cursor.next(); record !== null; record = cursor.next()) {
      if (this.#gate !== null && !this.#gate(record)) continue
      visit(record as R)
      count++
    }
    return count
  }
}

export interface RunHost {
  readonly inbox: Inbox
  /** Resolves when something may have arrived; rejects with what the user must hear; false: the consumer was closed. */
  wait(signal: AbortSignal | undefined): Promise<boolean>
  /** The user's function failed in the middle: read the partition again from what was processed. */
  rewind(partition: ReadPartition): void
}

export interface RunOptions {
  readonly partitionConcurrency: number
  readonly signal: AbortSignal | undefined
}

/**
 * Calls `work` for each delivery until the signal fires or the consumer is closed, then waits for those that run. The first failure ends it
 * and is thrown; its partition will be read again from the first record that was not processed.
 */
export async function runDeliveries(
  host: RunHost,
  { partitionConcurrency, signal }: RunOptions,
  work: (arrival: Arrival) => Promise<void>,
): Promise<void> {
  const { inbox } = host
  const running = new Set<Promise<void>>()
  let failure: { readonly error: unknown } | null = null
  const start = (arrival: Arrival) => {
    arrival.partition.busy = true
    const run = work(arrival)
      .catch(error => {
        failure ??= { error }
        if (!inbox.isStale(arrival)) host.rewind(arrival.partition)
      })
      .finally(() => {
        arrival.partition.busy = false
        running.delete(run)
        inbox.giveBack(arrival)
        inbox.wake()
      })
    running.add(run)
  }
  try {
    while (failure === null && !signal?.aborted) {
      const arrival = running.size < partitionConcurrency ? inbox.take(true) : undefined
      if (arrival !== undefined) start(arrival)
      else if (!(await host.wait(signal))) break
    }
  } finally {
    await Promise.all(running)
  }
  if (failure !== null) throw (failure as { readonly error: unknown }).error
}

/** Hands the records of a delivery to `each` one after another; stops between two records when the partition is going away. */
export async function runEach(
  inbox: Inbox,
  arrival: Arrival,
  gate: RecordGate,
  each: (record: ConsumerRecord<any, any>) => unknown,
): Promise<void> {
  const { partition, delivery } = arrival
  const cursor = new DeliveryCursor(delivery, partition)
  for (let record = cursor.next(); record !== null; record = cursor.next()) {
    if (inbox.isStale(arrival)) return
    partition.position = cursor.offset + 1
    if (gate === null || gate(record)) {
      const outcome = each(record)
      if (outcome instanceof Promise) await outcome
      if (partition.epoch !== delivery.epoch) return
    }
    partition.processed = cursor.offset + 1
    partition.committable = partition.processed
  }
  markDone(inbox, arrival)
}

/** All of the delivery was processed. */
export function markDone(inbox: Inbox, arrival: Arrival): void {
  const { partition, delivery } = arrival
  // A partition that is being revoked was still ours: what was finished of it is committed.
  if (partition.epoch !== delivery.epoch) return
  partition.position = delivery.nextOffset
  partition.committable = delivery.nextOffset
  partition.processed = delivery.nextOffset
  if (partition.revoking) inbox.wake()
}
