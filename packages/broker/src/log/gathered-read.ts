// What a read takes from stored values, one behind the other in one buffer. Large values are read straight to where they belong in it.
import { giveBack, take } from '@odradek/shared/base/lent-buffers'
import type { ValueReader } from './large-values.ts'
import type { LogRead, ReadLimits } from './partition-log.ts'
import { serveFrom } from './stored-batches.rules.ts'

/** A read begins with room for as much as the thread's last one found, at least this. In bytes. */
const GATHER_BYTES_MIN = 64 * 1024
/** Fewer bytes than this are not lent: an own copy of them costs less than the large buffer would that they occupied. */
const LENT_BYTES_MIN = 8 * 1024

const NOTHING = new Uint8Array(0)

let lastReadBytes = 0

export class GatheredRead implements ValueReader {
  readonly #offset: number
  readonly #limits: ReadLimits
  #firstOffset = -1
  #nextOffset: number
  #bytes = 0
  /** A limit was met. */
  #isLimited = false
  /** What was read, when all of it is in one value and the reader wants it exact: then one copy is enough. */
  #exact: Uint8Array | undefined
  /** The first `#bytes` of it are what was read. */
  #gathered: Buffer<ArrayBuffer> | undefined

  constructor(offset: number, limits: ReadLimits) {
    this.#offset = offset
    this.#limits = limits
    this.#nextOffset = offset
  }

  get offset(): number {
    return this.#nextOffset
  }

  get end(): number {
    return this.#limits.maxOffset
  }

  get room(): number {
    return this.#limits.maxBytes - this.#bytes
  }

  /** Not when there is enough without it: the rest of the value would be read twice, and moved. */
  get wantsPart(): boolean {
    return this.#bytes < this.#limits.maxBytes / 2
  }

  placeFor(bytes: number): Buffer | undefined {
    if (bytes > this.room || (this.#gathered === undefined && this.#limits.lend !== true)) return undefined
    return this.#roomBehind(bytes).subarray(this.#bytes, this.#bytes + bytes)
  }

  /** Takes what is wanted of `value`. Returns where its batches end, or undefined: nothing after it is wanted. */
  take(value: Uint8Array): number | undefined {
    const served = serveFrom(value, this.#nextOffset, {
      room: this.room,
      first: this.#firstOffset < 0,
      limits: this.#limits,
    })
    this.#isLimited = served.endOffset === undefined
    if (served.to === served.from) return served.endOffset
    if (this.#firstOffset < 0) this.#firstOffset = served.firstOffset
    this.#nextOffset = served.nextOffset
    const found = value.subarray(served.from, served.to)
    // Nothing after this value is readable yet, or wanted: looking for the next one would cost as much as reading this one.
    const isLast = this.#isLimited || this.#nextOffset >= this.#limits.maxOffset || found.length >= this.room
    if (isLast && this.#gathered === undefined && this.#limits.lend !== true) this.#exact = new Uint8Array(found)
    else this.#gather(found)
    this.#bytes += found.length
    return isLast ? undefined : served.endOffset
  }

  /** What was read; undefined when no batch was found. The end of gathering. */
  result(): LogRead | undefined {
    lastReadBytes = this.#bytes
    if (this.#firstOffset >= 0) {
      return { bytes: this.#exact ?? this.#ownBytes(), firstOffset: this.#firstOffset, nextOffset: this.#nextOffset }
    }
    if (this.#gathered !== undefined) giveBack(this.#gathered)
    return this.#isLimited ? { bytes: NOTHING, firstOffset: this.#offset, nextOffset: this.#offset } : undefined
  }

  /** What is gathered, with room for so many bytes more. */
  #roomBehind(bytes: number): Buffer<ArrayBuffer> {
    const end = this.#bytes + bytes
    const before = this.#gathered
    if (before === undefined) {
      const expected = Math.min(Math.max(lastReadBytes, GATHER_BYTES_MIN), this.#limits.maxBytes)
      this.#gathered = roomFor(Math.max(bytes, expected))
    } else if (end > before.length) {
      this.#gathered = moved(before, this.#bytes, Math.max(end, before.length * 2))
    }
    return this.#gathered!
  }

  /** Puts `found` behind what was gathered, unless it was read to there. */
  #gather(found: Uint8Array): void {
    const gathered = this.#roomBehind(found.length)
    if (found.buffer !== gathered.buffer || found.byteOffset !== gathered.byteOffset + this.#bytes)
      gathered.set(found, this.#bytes)
  }

  /** As the reader wants it: lent as it is, or exact. */
  #ownBytes(): Uint8Array {
    const read = this.#gathered!.subarray(0, this.#bytes)
    if (this.#limits.lend === true && this.#bytes >= LENT_BYTES_MIN) return read
    const exact = new Uint8Array(read)
    giveBack(read)
    return exact
  }
}

/** A lent buffer of at least so many bytes, all of it. */
function roomFor(bytes: number): Buffer<ArrayBuffer> {
  return Buffer.from(take(bytes).buffer)
}

function moved(from: Buffer, filled: number, bytes: number): Buffer<ArrayBuffer> {
  const room = roomFor(bytes)
  room.set(from.subarray(0, filled))
  giveBack(from)
  return room
}
