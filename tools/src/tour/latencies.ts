// Latencies of one kind, as a histogram: percentiles without keeping every value.
import { build, type Histogram } from 'hdr-histogram-js'

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

  figures(): LatencyFigures {
    const at = (percentile: number) => this.#histogram.getValueAtPercentile(percentile) / MICROSECONDS
    const max = this.count === 0 ? 0 : this.#histogram.maxValue / MICROSECONDS
    return { p50: at(50), p95: at(95), p99: at(99), p999: at(99.9), max }
  }
}
