// Counters of one producer, kept in the caller's thread from what the sender answers. Names follow Kafka's `producer-metrics`.
import type { SenderAppendResponse } from '@odradek/shared/contracts/sender.contract'

/** What the producer itself knows at the moment of a snapshot. */
export interface ProducerGauges {
  /** Bytes of `bufferMemory` in use, in use at most so far, and free. */
  readonly bufferUsedBytes: number
  readonly bufferUsedBytesHigh: number
  readonly bufferAvailableBytes: number
  /** Sends that wait for room or metadata. */
  readonly waitingSends: number
  /** Batches that the sender has and has not answered. */
  readonly batchesInFlight: number
}

export class ProducerMetrics {
  #recordSendTotal = 0
  #recordErrorTotal = 0
  #batchTotal = 0
  #retryTotal = 0
  #byteTotal = 0
  #splitTotal = 0

  /** The sender answered for a batch. */
  answered(recordCount: number, { parts, sentBytes, attempts }: SenderAppendResponse): void {
    this.#batchTotal++
    this.#byteTotal += sentBytes
    this.#retryTotal += Math.max(0, attempts - parts.length)
    this.#splitTotal += parts.length - 1
    let failed = 0
    for (const part of parts) if (part.error !== null) failed += part.recordCount
    this.#recordErrorTotal += failed
    this.#recordSendTotal += recordCount - failed
  }

  /** Records that failed without an answer. */
  failed(recordCount: number): void {
    this.#recordErrorTotal += recordCount
  }

  snapshot(gauges: ProducerGauges) {
    return {
      /** Records acknowledged, records failed. */
      recordSendTotal: this.#recordSendTotal,
      recordErrorTotal: this.#recordErrorTotal,
      /** Batches answered, repetitions of them, and how often one had to be split. */
      batchTotal: this.#batchTotal,
      batchRetryTotal: this.#retryTotal,
      batchSplitTotal: this.#splitTotal,
      /** Bytes of batches sent, after compression, repetitions included. */
      byteTotal: this.#byteTotal,
      recordsPerBatchAvg: this.#batchTotal === 0 ? 0 : this.#recordSendTotal / this.#batchTotal,
      ...gauges,
    }
  }
}
