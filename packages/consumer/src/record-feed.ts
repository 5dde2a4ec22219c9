// Hands out records one by one, for `stream` and `poll`. A record counts as processed when the next one is asked for. The loop of `next` runs per
// record: it allocates the record and nothing else.
import type { ConsumerRecord } from './consumer-record.ts'
import { DeliveryCursor } from './delivery-cursor.ts'
import type { Arrival, Inbox, ReadPartition } from './inbox.ts'

/** Decides about a record before it is handed out; false leaves it out. Null when every record passes unseen. */
export type RecordGate = ((record: ConsumerRecord<any, any>) => boolean) | null

export class RecordFeed {
  readonly #inbox: Inbox
  readonly #gate: RecordGate
  #arrival: Arrival | null = null
  #cursor: DeliveryCursor | null = null
  /** Partitions whose deliveries were read to their end since the last `settle`. */
  readonly #read = new Set<ReadPartition>()
  /** Their deliveries: owed (`max.poll.interval.ms`) until the user is done with them. */
  #owed: Arrival[] = []
  records = 0

  constructor(inbox: Inbox, gate: RecordGate) {
    this.#inbox = inbox
    this.#gate = gate
  }

  /** The next record, or null when nothing has arrived. */
  next(): ConsumerRecord<any, any> | null {
    for (;;) {
      const arrival = this.#arrival
      if (arrival === null) {
        if (!this.#open()) return null
        continue
      }
      const { partition, delivery } = arrival
      if (partition.epoch !== delivery.epoch || partition.revoking) {
        this.#drop(arrival)
        continue
      }
      const record = this.#cursor!.next()
      if (record === null) {
        partition.position = delivery.nextOffset
        partition.committable = delivery.nextOffset
        if (partition.busy) {
          this.#read.add(partition)
          this.#owed.push(arrival)
        } else {
          // Nothing of it is in the user's hands: what held no records for him, as a transaction's marker, need not wait until he asks again.
          partition.processed = delivery.nextOffset
          this.#inbox.giveBack(arrival)
        }
        this.#close()
        continue
      }
      const next = this.#cursor!.offset + 1
      if (this.#gate !== null && !this.#gate(record)) {
        partition.position = next
        continue
      }
      partition.position = next
      partition.committable = next
      partition.busy = true
      this.records++
      return record
    }
  }

  /** The user is done with all that was handed out. */
  settle(): void {
    const arrival = this.#arrival
    if (arrival !== null && !this.#inbox.isStale(arrival)) finished(arrival.partition)
    if (this.#read.size > 0) {
      for (const partition of this.#read) if (partition !== arrival?.partition) finished(partition)
      this.#read.clear()
    }
    this.#free(arrival?.partition)
    this.#giveBackOwed()
  }

  /** The reader stops, perhaps in the middle of a delivery. What was handed out last does not count as processed. */
  release(): void {
    const arrival = this.#arrival
    for (const partition of this.#read) this.#free(partition)
    this.#read.clear()
    this.#free(arrival?.partition)
    this.#giveBackOwed()
    if (arrival !== null) this.#inbox.putBack(arrival)
    this.#close()
  }

  #giveBackOwed(): void {
    if (this.#owed.length === 0) return
    for (const arrival of this.#owed.splice(0)) this.#inbox.giveBack(arrival)
  }

  #free(partition: ReadPartition | undefined): void {
    if (partition?.busy !== true) return
    partition.busy = false
    if (partition.revoking) this.#inbox.wake()
  }

  #open(): boolean {
    const arrival = this.#inbox.take(false)
    if (arrival === undefined) return false
    this.#arrival = arrival
    this.#cursor = new DeliveryCursor(arrival.delivery, arrival.partition)
    return true
  }

  #drop(arrival: Arrival): void {
    arrival.partition.busy = false
    this.#inbox.giveBack(arrival)
    this.#close()
    this.#inbox.wake()
  }

  #close(): void {
    this.#arrival = null
    this.#cursor = null
  }
}

function finished(partition: ReadPartition): void {
  partition.processed = partition.position
  partition.busy = false
}
