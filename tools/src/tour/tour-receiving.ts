// The tour's consumer side: reads every partition from its beginning to the end that the producer left, and keeps the order of every key.

import { systemClock } from '@odradek/shared/base/clock'
import { crc32c } from '@odradek/shared/records/crc32c'
import { type Broker, createConsumer } from '../index.ts'
import { Latencies } from '../load/latencies.ts'
import { orderOf, tourTopic } from './tour-sending.ts'
import { Ledger } from './verification.rules.ts'

export interface PartitionTally {
  /** Of earlier runs. */
  readonly earlier: number
  readonly received: number
  /** Offset after the last one read. */
  readonly end: number
}

export interface Receiving {
  readonly received: Ledger
  readonly partitions: readonly PartitionTally[]
  /** From the record's timestamp to its receipt. */
  readonly latencies: Latencies
  /** Places where an offset did not follow the one before: none, unless records were deleted. */
  readonly gaps: number
}

interface Tally {
  earlier: number
  received: number
  end: number
}

export interface ReceivingOptions {
  readonly topic: string
  /** Per partition: the first offset that is there. */
  readonly beginnings: readonly number[]
  /** Per partition: where this run's records begin; what is before belongs to earlier runs. */
  readonly starts: readonly number[]
  readonly progress: (received: number) => void
  readonly signal: AbortSignal
}

/** Reads until `finish` is called with the ends and everything before them has been read. */
export class Receiver {
  readonly #options: ReceivingOptions
  readonly #tallies: Tally[]
  readonly #received = new Ledger()
  readonly #latencies = new Latencies()
  readonly #stop = new AbortController()
  readonly #reading: Promise<void>
  #ends: readonly number[] | null = null
  #gaps = 0

  constructor(broker: Broker, options: ReceivingOptions) {
    this.#options = options
    this.#tallies = options.beginnings.map(end => ({ earlier: 0, received: 0, end }))
    this.#reading = this.#read(broker)
    this.#reading.catch(() => undefined)
  }

  /** Resolves when everything before `ends` was read. */
  async finish(ends: readonly number[]): Promise<Receiving> {
    this.#ends = ends
    this.#stopAtEnd()
    await this.#reading
    return { received: this.#received, partitions: this.#tallies, latencies: this.#latencies, gaps: this.#gaps }
  }

  async #read(broker: Broker): Promise<void> {
    await using consumer = createConsumer({
      bootstrapServers: broker,
      clientId: 'tour-consumer',
      autoOffsetReset: 'earliest',
    })
    const signal = AbortSignal.any([this.#stop.signal, this.#options.signal])
    await consumer.batch(
      tourTopic(this.#options.topic),
      batch => {
        const tally = this.#tallies[batch.partition]!
        const now = systemClock.now()
        batch.forEach(record => {
          this.#take(tally, record, now)
        })
        this.#options.progress(this.#received.size)
        this.#stopAtEnd()
      },
      { signal },
    )
  }

  #take(
    tally: Tally,
    record: {
      readonly key: string | null
      readonly value: Uint8Array | null
      readonly partition: number
      readonly offset: bigint
      readonly timestamp: number
    },
    now: number,
  ): void {
    const offset = Number(record.offset)
    if (offset !== tally.end) this.#gaps++
    tally.end = offset + 1
    if (offset < this.#options.starts[record.partition]!) {
      tally.earlier++
      return
    }
    tally.received++
    this.#received.add(record.key ?? orderOf(record.partition), crc32c(record.value ?? new Uint8Array()))
    this.#latencies.record(now - record.timestamp)
  }

  #stopAtEnd(): void {
    const ends = this.#ends
    if (ends === null) return
    if (ends.every((end, partition) => this.#tallies[partition]!.end >= end)) this.#stop.abort()
  }
}
