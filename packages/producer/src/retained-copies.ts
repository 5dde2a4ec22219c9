// Copies of batches in flight. A request gives its bytes away, so a batch that may have to be sent again is copied first, into memory that is
// used over and over (a copy into hot memory costs about a tenth of one into fresh pages). Used by the sender's thread only.

const SMALLEST_BYTES = 4 * 1024

/** A copy; belongs to the pool again after {@link RetainedCopies.release}. */
export interface RetainedCopy {
  readonly memory: Uint8Array
  readonly length: number
}

export class RetainedCopies {
  /** Free memory by its size, powers of two. */
  readonly #free = new Map<number, Uint8Array[]>()
  readonly #freeBytesMax: number
  #freeBytes = 0

  constructor(freeBytesMax: number) {
    this.#freeBytesMax = freeBytesMax
  }

  /** Bytes that are kept for later use. */
  get freeBytes(): number {
    return this.#freeBytes
  }

  retain(bytes: Uint8Array): RetainedCopy {
    const memory = this.#take(bytes.length)
    memory.set(bytes)
    return { memory, length: bytes.length }
  }

  /** An own exact array with the copy's bytes, to be given away. */
  fresh(copy: RetainedCopy): Uint8Array {
    return copy.memory.slice(0, copy.length)
  }

  release(copy: RetainedCopy): void {
    const size = copy.memory.length
    if (this.#freeBytes + size > this.#freeBytesMax) return
    this.#freeBytes += size
    const same = this.#free.get(size)
    if (same === undefined) this.#free.set(size, [copy.memory])
    else same.push(copy.memory)
  }

  #take(length: number): Uint8Array {
    let size = SMALLEST_BYTES
    while (size < length) size *= 2
    const memory = this.#free.get(size)?.pop()
    if (memory === undefined) return new Uint8Array(size)
    this.#freeBytes -= size
    return memory
  }
}
