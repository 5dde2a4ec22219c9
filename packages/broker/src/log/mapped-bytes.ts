// How much of their files the environments of a thread have mapped, and which of them are worth closing when it is too much: pages that were read
// stay mapped until then, and count as resident memory of the process (decision 0042). Counts only; the pool closes.
import { LARGE_VALUE_AT, largeValueSpan } from './batches-tree.ts'
import { PAGE_BYTES } from './tree-page.ts'

/**
 * LMDB reserves 2 MiB for each environment that it writes and touches next to nothing of it. What a closed one leaves is cleared for the next that is opened, and
 * resident from then on: so many times at most is this paid for unmapping, per thread.
 */
const RECYCLED_MAX = 16

/** Of the bound, what closing one environment must bring: opening it again costs half a millisecond. */
const WORTH_SHARE = 1 / 4

/** About: a value above this has pages of its own. */
const IN_PAGE_BYTES_MAX = 2_000
/** Measured: values of more than two pages are mapped by readers only, all others by the commits that write them, too. */
const MAPPED_BY_WRITING_MAX = 2 * PAGE_BYTES - LARGE_VALUE_AT

/** What reading a value maps. In bytes. */
export function mappedByReading(valueBytes: number): number {
  return valueBytes <= IN_PAGE_BYTES_MAX ? valueBytes : largeValueSpan(valueBytes, PAGE_BYTES)
}

/** What writing a value maps. In bytes. */
export function mappedByWriting(valueBytes: number): number {
  return valueBytes <= MAPPED_BY_WRITING_MAX ? mappedByReading(valueBytes) : 0
}

/** The part of one open environment. */
export class MappedShare {
  readonly #whole: MappedBytes
  /** Opened in memory that another one left. */
  readonly isRecycled: boolean
  /** Must not be closed to unmap it. */
  isKept = false
  #bytes = 0

  constructor(whole: MappedBytes, isRecycled: boolean) {
    this.#whole = whole
    this.isRecycled = isRecycled
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Another look at the same bytes counts again: what it costs to open the environment again is little beside reading so much. */
  add(bytes: number): void {
    this.#bytes += bytes
    this.#whole.total += bytes
  }

  /** No more is mapped than the file has. */
  atMost(bytes: number): void {
    if (this.#bytes > bytes) this.add(bytes - this.#bytes)
  }
}

/** What one pool has mapped. In bytes. */
export class MappedBytes {
  readonly max: number
  total = 0
  /** The total at which somebody must look. */
  #dueAt: number
  /** Reserved memory of closed environments that no other has taken. */
  #left = 0
  #recycled = 0

  /** `max`: bytes that may stay mapped. */
  constructor(max: number) {
    this.max = max
    this.#dueAt = max
  }

  /** For an environment that is opened now. */
  opened(): MappedShare {
    const isRecycled = this.#left > 0
    if (isRecycled) this.#left--
    return new MappedShare(this, isRecycled)
  }

  /** Its environment is closed. */
  closed(share: MappedShare): void {
    share.atMost(0)
    this.#left++
    if (!share.isRecycled) this.#recycled++
    this.#dueAt = this.max
  }

  get isTooMuch(): boolean {
    return this.total > this.max
  }

  /** Whether it is time to close what is worth it. */
  get isDue(): boolean {
    return this.total > this.#dueAt
  }

  isWorthClosing(share: MappedShare): boolean {
    if (share.isKept || share.bytes < this.max * WORTH_SHARE) return false
    return share.isRecycled || this.#recycled < RECYCLED_MAX
  }

  /** All that is worth it is closed. */
  settled(): void {
    this.#dueAt = Math.max(this.max, this.total + this.max * WORTH_SHARE)
  }
}
