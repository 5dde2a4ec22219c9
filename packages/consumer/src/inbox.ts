// The caller's side of the flow: deliveries that arrived and are not finished, the partitions they belong to, and the credit and progress that go
// back. Bounded by the window that the consumer's thread keeps. Owned by the consumer object; the readers (stream, each, batch, poll) take
// from it.
import type { Clock, Timer } from '@odradek/shared/base/clock'
import type { KafkaError } from '@odradek/shared/base/errors'
import type { Codec } from '@odradek/shared/client/codecs'
import type {
  AssignedPartition,
  Delivery,
  Processed,
  Progress,
  SeekTarget,
} from '@odradek/shared/contracts/consumer.contract'

/** An assigned partition as the caller reads it. */
export interface ReadPartition {
  readonly key: number
  readonly topic: string
  readonly partition: number
  readonly keyCodec: Codec
  readonly valueCodec: Codec
  /** Grows with every seek and pause; deliveries of an older one are stale. */
  epoch: number
  /** Next offset to hand out; -1 unknown. */
  position: number
  /** What `commit()` commits: handed out by stream and poll, finished by each and batch; -1 nothing yet. */
  committable: number
  /** Finished by the user: what automatic commits commit; -1 nothing yet. */
  processed: number
  /** Leader epoch of what was read last, for commits; -1 unknown. */
  leaderEpoch: number
  paused: boolean
  /** The group takes it away: nothing more is handed out. */
  revoking: boolean
  /** User code is at work on records of it. */
  busy: boolean
  highWatermark: number
  lastStableOffset: number
  /** `processed` when it was last reported. */
  reported: number
  /** Where a seek by time goes, until the first record from there was handed out. */
  seeking: SeekTarget | null
}

export interface Arrival {
  readonly partition: ReadPartition
  readonly delivery: Delivery
}

/** What waits to be read of a partition: records, or the news that there are none because reading failed there. */
type Waiting = Arrival | { readonly partition: ReadPartition; readonly failure: KafkaError }

/** How long progress inside a delivery may go unreported. Milliseconds. */
const REPORT_MS = 200

export class Inbox {
  readonly partitions = new Map<number, ReadPartition>()
  readonly #clock: Clock
  readonly #report: (progress: Progress) => void
  #queue: Waiting[] = []
  #credit = 0
  #flushing = false
  #timer: Timer | null = null
  #waiters: (() => void)[] = []
  /** Assignments under way, and what came for partitions of theirs before their keys were known here. */
  #assigning = 0
  #early: (() => void)[] = []
  /** The consumer is being closed: what is in hand is finished, and nothing more is begun. */
  isStopping = false
  /** Counts for metrics. */
  deliveries = 0
  bytes = 0

  constructor(clock: Clock, report: (progress: Progress) => void) {
    this.#clock = clock
    this.#report = report
  }

  add(
    { key, topic, partition }: AssignedPartition,
    codecs: { readonly key: Codec; readonly value: Codec },
  ): ReadPartition {
    const added: ReadPartition = {
      key,
      topic,
      partition,
      keyCodec: codecs.key,
      valueCodec: codecs.value,
      epoch: 0,
      position: -1,
      committable: -1,
      processed: -1,
      leaderEpoch: -1,
      paused: false,
      revoking: false,
      busy: false,
      highWatermark: -1,
      lastStableOffset: -1,
      reported: -1,
      seeking: null,
    }
    this.partitions.set(key, added)
    return added
  }

  find(topic: string, partition: number): ReadPartition | undefined {
    for (const candidate of this.partitions.values()) {
      if (candidate.partition === partition && candidate.topic === topic) return candidate
    }
    return undefined
  }

  /** Forgets the partition and what waits of it. */
  remove(key: number): void {
    const partition = this.partitions.get(key)
    if (partition === undefined) return
    partition.revoking = true
    this.purge(partition)
    this.partitions.delete(key)
  }

  /**
   * The reply of an assignment names its partitions; when caller and consumer share a turn, deliveries come with it, before whoever awaits
   * the reply goes on. They are kept until it has said what they belong to.
   */
  async whileAssigning<T>(assign: () => Promise<T>): Promise<T> {
    this.#assigning++
    try {
      return await assign()
    } finally {
      this.#assigning--
      if (this.#assigning === 0) for (const receive of this.#early.splice(0)) receive()
    }
  }

  receive(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      this.deliveries++
      this.bytes += delivery.length
      this.#receive(delivery)
    }
    this.wake()
  }

  #receive(delivery: Delivery): void {
    const partition = this.partitions.get(delivery.key)
    if (partition !== undefined && partition.epoch === delivery.epoch && !partition.revoking)
      this.#queue.push({ partition, delivery })
    else if (this.#assigning > 0) this.#early.push(() => this.#receive(delivery))
    else this.#giveBack(delivery.credit)
  }

  /** Reading a partition failed behind what was delivered of it: `take` throws the failure when it comes to it. */
  receiveFailure(key: number, failure: KafkaError): void {
    const partition = this.partitions.get(key)
    if (partition !== undefined) this.#queue.push({ partition, failure })
    else if (this.#assigning > 0) this.#early.push(() => this.receiveFailure(key, failure))
    this.wake()
  }

  /**
   * The next delivery in order of arrival, of a partition that is not busy if `free`. The reader owns it until it gives it back. Throws a
   * partition's failure in its turn.
   */
  take(free: boolean): Arrival | undefined {
    for (let at = 0; at < this.#queue.length; at++) {
      const waiting = this.#queue[at]!
      if (free && waiting.partition.busy) continue
      if (at === 0) this.#queue.shift()
      else this.#queue.splice(at, 1)
      if ('failure' in waiting) throw waiting.failure
      const arrival = waiting
      const { partition, delivery } = arrival
      partition.highWatermark = delivery.highWatermark
      partition.lastStableOffset = delivery.lastStableOffset
      partition.leaderEpoch = delivery.leaderEpoch
      partition.seeking = null
      if (partition.position < delivery.startOffset) partition.position = delivery.startOffset
      this.#armReport()
      return arrival
    }
    return undefined
  }

  /** True when the reader must drop what is left of the delivery: the position moved, the partition is going, or the consumer is. */
  isStale({ partition, delivery }: Arrival): boolean {
    return this.isStopping || partition.epoch !== delivery.epoch || partition.revoking
  }

  /** The delivery was read to its end, or dropped: its credit goes back. */
  giveBack({ delivery }: Arrival): void {
    this.#giveBack(delivery.credit)
  }

  /** Puts back a delivery that was not read to its end: the next reader goes on at the partition's position. */
  putBack({ partition, delivery }: Arrival): void {
    if (this.isStale({ partition, delivery })) this.#giveBack(delivery.credit)
    else this.#queue.unshift({ partition, delivery: { ...delivery, startOffset: partition.position } })
  }

  /** Drops what waits of a partition. */
  purge(partition: ReadPartition): void {
    const kept: Waiting[] = []
    for (const waiting of this.#queue) {
      if (waiting.partition !== partition) kept.push(waiting)
      else if ('delivery' in waiting) this.#giveBack(waiting.delivery.credit)
    }
    this.#queue = kept
  }

  /** Resolves when something may have changed: an arrival, a partition that became free, an error, the end. */
  changed(): Promise<void> {
    return new Promise(resolve => this.#waiters.push(resolve))
  }

  wake(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const resolve of waiters) resolve()
  }

  /** Reports credit and progress now. */
  flush(): void {
    const processed: Processed[] = []
    for (const partition of this.partitions.values()) {
      if (partition.processed === partition.reported || partition.processed < 0) continue
      partition.reported = partition.processed
      processed.push({ key: partition.key, offset: partition.processed, leaderEpoch: partition.leaderEpoch })
    }
    const credit = this.#credit
    this.#credit = 0
    if (credit > 0 || processed.length > 0) this.#report({ credit, processed })
  }

  close(): void {
    this.#timer?.cancel()
    this.wake()
  }

  #giveBack(credit: number): void {
    this.#credit += credit
    if (this.#flushing) return
    this.#flushing = true
    queueMicrotask(() => {
      this.#flushing = false
      this.flush()
    })
  }

  #armReport(): void {
    if (this.#timer !== null) return
    this.#timer = this.#clock.after(REPORT_MS, () => {
      this.#timer = null
      this.flush()
    })
  }
}
