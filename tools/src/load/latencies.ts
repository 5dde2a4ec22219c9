// Latencies of one kind, as a histogram: percentiles without keeping every value.
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js'

/**
 * What is measured: `delay` from the intended to the actual begin, `publish` from the intended send to the acknowledgement, `commit` from the call of commit to its
 * answer, `transaction` from the intended begin to that answer, `e2e` from the intended send to receipt.
 */
export const latencyKinds = ['delay', 'publish', 'commit', 'transaction', 'e2e'] as const
export type LatencyKind = (typeof latencyKinds)[number]

/** Percentiles in milliseconds. */
export interface LatencyFigures {
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

const MICROSECONDS = 1_000
/** Ten minutes, in microseconds: what is slower counts as that. */
const SLOWEST = 600 * 1_000 * MICROSECONDS

export class Latencies {
  readonly #histogram: Histogram

  constructor() {
    this.#histogram = build({
      lowestDiscernibleValue: 1,
      highestTrackableValue: SLOWEST,
      numberOfSignificantValueDigits: 3,
    })
  }

  /** `count` values of so many milliseconds. */
  record(ms: number, count = 1): void {
    const value = Math.min(Math.max(Math.round(ms * MICROSECONDS), 1), SLOWEST)
    this.#histogram.recordValueWithCount(value, count)
  }

  get count(): number {
    return this.#histogram.totalCount
  }

  /** As text, to be {@link add}ed in another thread; null when it is empty. */
  encoded(): string | null {
    return this.count === 0 ? null : encodeIntoCompressedBase64(this.#histogram)
  }

  add(encoded: string | null): void {
    if (encoded !== null) this.#histogram.add(decodeFromCompressedBase64(encoded))
  }

  figures(): LatencyFigures {
    const at = (percentile: number) => this.#histogram.getValueAtPercentile(percentile) / MICROSECONDS
    const max = this.count === 0 ? 0 : this.#histogram.maxValue / MICROSECONDS
    return { p50: at(50), p95: at(95), p99: at(99), p999: at(99.9), max }
  }
}
