// Brings closed batches to the sender and their answers back to who waits for them, in the caller's thread. Decides when an open batch is closed: full,
// lingered, at the end of the turn with lingerMs 0, or at once while a flush is under way.
import type { Link } from '@odradek/shared/actor/actor'
import type { KafkaError } from '@odradek/shared/base/errors'
import { WakeTimer } from '@odradek/shared/base/wake-timer'
import type { ClientHost } from '@odradek/shared/client/cluster-link'
import type { SenderContract } from '@odradek/shared/contracts/sender.contract'
import type { Accumulator } from './accumulator.ts'
import type { RecordBatchInProgress } from './batch-in-progress.ts'
import type { ResolvedProducerOptions } from './options.ts'
import type { ProducerMetrics } from './producer-metrics.ts'

export interface DispatcherParts {
  readonly host: Pick<ClientHost, 'clock' | 'log' | 'limits'>
  readonly options: Pick<ResolvedProducerOptions, 'lingerMs' | 'deliveryTimeoutMs'>
  readonly accumulator: Accumulator
  readonly metrics: ProducerMetrics
  /** There is something to hand over. */
  readonly needsSender: () => void
  /** What an ask of the sender rejected with, as the user sees it. */
  readonly failureOf: (thrown: unknown) => KafkaError
  /** A batch ended: there is room again. */
  readonly ended: () => void
}

export class Dispatcher {
  /** Null while there is no sender: batches wait. */
  link: Link<SenderContract> | null = null
  /** Flushes under way: nothing lingers then. */
  flushing = 0
  readonly #host: DispatcherParts['host']
  readonly #options: DispatcherParts['options']
  readonly #accumulator: Accumulator
  readonly #metrics: ProducerMetrics
  readonly #events: Pick<DispatcherParts, 'needsSender' | 'failureOf' | 'ended'>
  readonly #linger: WakeTimer
  #handedOver = 0
  #isTurnEndAwaited = false

  constructor(parts: DispatcherParts) {
    this.#host = parts.host
    this.#options = parts.options
    this.#accumulator = parts.accumulator
    this.#metrics = parts.metrics
    this.#events = parts
    this.#linger = new WakeTimer(parts.host.clock, () => this.#closeLingered())
  }

  /** Batches that the sender has and has not answered. */
  get handedOver(): number {
    return this.#handedOver
  }

  /** After a record was placed: arms what will close its batch, hands over what is closed. */
  placed(batch: RecordBatchInProgress): void {
    if (this.#accumulator.hasReady) this.handOver()
    if (batch.recordCount > 1 || batch.builder === null) return
    if (this.#options.lingerMs > 0 && this.flushing === 0) {
      this.#linger.wakeAt(batch.createdAt + this.#options.lingerMs)
    } else if (!this.#isTurnEndAwaited) {
      this.#isTurnEndAwaited = true
      queueMicrotask(() => {
        this.#isTurnEndAwaited = false
        this.#accumulator.closeOpenedUntil(Number.POSITIVE_INFINITY)
        this.handOver()
      })
    }
  }

  #closeLingered(): void {
    const { lingerMs } = this.#options
    const next = this.#accumulator.closeOpenedUntil(this.#host.clock.monotonic() - lingerMs)
    if (next !== undefined) this.#linger.wakeAt(next + lingerMs)
    this.handOver()
  }

  closeAll(): void {
    this.#accumulator.closeAll()
    this.handOver()
  }

  handOver(): void {
    if (!this.#accumulator.hasReady) return
    this.#events.needsSender()
    while (this.link !== null && this.#handedOver < this.#host.limits.senderBatchesMax) {
      const batch = this.#accumulator.takeReady()
      if (batch === undefined) return
      this.#give(batch, this.link)
    }
  }

  #give(batch: RecordBatchInProgress, link: Link<SenderContract>): void {
    const { topic, partition, acks, recordCount } = batch
    const records = batch.bytes!
    batch.bytes = null
    this.#handedOver++
    const waited = this.#host.clock.monotonic() - batch.createdAt
    const deliveryTimeoutMs = Math.max(0, this.#options.deliveryTimeoutMs - waited)
    link.ask('append', { topic, partition, records, recordCount, acks, deliveryTimeoutMs }).then(
      response => {
        this.#handedOver--
        this.#metrics.answered(recordCount, response)
        this.#end(batch, response.parts)
      },
      thrown => {
        this.#handedOver--
        this.fail(batch, this.#events.failureOf(thrown))
      },
    )
  }

  fail(batch: RecordBatchInProgress, { code, message, kafkaCode, fatal }: KafkaError): void {
    this.#metrics.failed(batch.recordCount)
    const error = { code, message, detail: { kafkaCode, fatal } }
    this.#end(batch, [{ recordCount: batch.recordCount, baseOffset: -1, logAppendTimeMs: -1, error }])
  }

  #end(batch: RecordBatchInProgress, parts: NonNullable<RecordBatchInProgress['result']>): void {
    if (batch.result !== null) return
    this.#accumulator.completed(batch)
    batch.ended(parts, thrown => this.#host.log.error({ reason: String(thrown) }, 'onDelivery threw'))
    this.#events.ended()
    this.handOver()
  }

  /** Ends every batch with the error. */
  failAll(error: KafkaError): void {
    this.#linger.cancel()
    while (this.#accumulator.takeReady() !== undefined) {}
    for (const batch of [...this.#accumulator.incomplete]) this.fail(batch, error)
  }
}
