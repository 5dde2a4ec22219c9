// Writes Kafka's primitive types. Small things go straight into the slab of the thread, where they stay when they are taken
// as parts (a buffer of its own would cost more than what is written into it: 260 ns beyond 64 bytes); large byte fields
// are never copied: they are remembered as cuts and come out as parts of their own, so a Fetch response is a list of buffers.
//
//   slab      | earlier messages | header, fields ... | more fields ... | tags |   still free   |
//   cuts                                              ^ records A       ^ records B
//   parts                        [ header, fields ] [ A ] [ more fields ] [ B ] [ tags ]

import { uuidBytes } from './known-uuids.ts'
import { ProtocolError } from './protocol-error.ts'
import { INT64_MAX } from './schema.ts'

/** Byte fields of this size and above are referenced instead of copied, where the caller takes parts. In bytes. */
const REFERENCED_BYTES_MIN = 4096
/** Size of a slab. In bytes. */
const SLAB_BYTES = 64 * 1024
/** A slab with less room than this is left to the messages in it. In bytes. */
const SLAB_ROOM_MIN = 4096
/** Strings up to this length are written by hand while they are ASCII; it is several times faster. In UTF-16 units. */
const SHORT_STRING_MAX = 24

/** The slab of the thread, unless a writer holds it, and where its free part begins. */
let slab: Buffer | undefined
let slabOffset = 0

const float = new DataView(new ArrayBuffer(8))

export class ByteWriter {
  #slab: Buffer
  /** Where in the slab this writer began. */
  #start: number
  #offset: number
  #cuts: { at: number; readonly bytes: Uint8Array }[] = []
  #referencedBytes = 0
  #referencing: boolean
  /** True: a value that a version has no place for is dropped instead of refused. See `encodeResponse`. */
  dropsAbsent = false

  /** With `referencing`, large byte fields are referenced and `parts()` must be used. */
  constructor(referencing: boolean) {
    this.#referencing = referencing
    const fits = slab !== undefined && slab.length - slabOffset >= SLAB_ROOM_MIN
    this.#slab = fits ? slab! : Buffer.allocUnsafeSlow(SLAB_BYTES)
    this.#start = fits ? slabOffset : 0
    this.#offset = this.#start
    slab = undefined
  }

  /** Bytes written so far, referenced ones included. */
  get length(): number {
    return this.#offset - this.#start + this.#referencedBytes
  }

  fail(reason: string): never {
    throw new ProtocolError('INVALID_VALUE', reason)
  }

  #take(length: number): number {
    const start = this.#offset
    if (start + length > this.#slab.length) return this.#grow(length)
    this.#offset = start + length
    return start
  }

  /** Moves what was written to the beginning of a larger slab; as `#take`. */
  #grow(length: number): number {
    const written = this.#offset - this.#start
    const grown = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, 2 * (written + length)))
    grown.set(this.#slab.subarray(this.#start, this.#offset))
    for (const cut of this.#cuts) cut.at -= this.#start
    this.#handBack()
    this.#slab = grown
    this.#start = 0
    this.#offset = written + length
    return written
  }

  bool(value: boolean): void {
    const at = this.#take(1)
    this.#slab[at] = value ? 1 : 0
  }

  int8(value: number): void {
    const at = this.#take(1)
    this.#slab[at] = value
  }

  int16(value: number): void {
    const at = this.#take(2)
    const bytes = this.#slab
    bytes[at] = value >> 8
    bytes[at + 1] = value
  }

  int32(value: number): void {
    const at = this.#take(4)
    this.#setInt32(at, value)
  }

  #setInt32(at: number, value: number): void {
    const bytes = this.#slab
    bytes[at] = value >> 24
    bytes[at + 1] = value >> 16
    bytes[at + 2] = value >> 8
    bytes[at + 3] = value
  }

  /** Any integer that a reader returns; `INT64_MAX` is written as 2^63-1. */
  int64(value: number): void {
    const at = this.#take(8)
    if (value >= INT64_MAX) {
      this.#setInt32(at, 0x7fffffff)
      this.#setInt32(at + 4, -1)
      return
    }
    const high = Math.floor(value / 2 ** 32)
    this.#setInt32(at, high)
    this.#setInt32(at + 4, value - high * 2 ** 32)
  }

  float64(value: number): void {
    const at = this.#take(8)
    float.setFloat64(0, value)
    for (let i = 0; i < 8; i++) this.#slab[at + i] = float.getUint8(i)
  }

  unsignedVarint(value: number): void {
    let at = this.#take(varintSize(value))
    let rest = value
    while (rest > 0x7f) {
      this.#slab[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#slab[at] = rest
  }

  uuid(value: string): void {
    const bytes = uuidBytes(value)
    if (bytes === undefined) this.fail(`${JSON.stringify(value)} is not a UUID of 22 base64url characters`)
    const at = this.#take(bytes.length)
    this.#slab.set(bytes, at)
  }

  /** A string behind its length: int16, or the length plus one as a varint where compact. */
  string(value: string, compact: boolean): void {
    if (value.length <= SHORT_STRING_MAX && this.#shortAscii(value, compact)) return
    const length = Buffer.byteLength(value)
    if (length > 0x7fff) this.fail(`string of ${length} bytes, at most 32767 fit`)
    if (compact) this.unsignedVarint(length + 1)
    else this.int16(length)
    const at = this.#take(length)
    if (length > 0) this.#slab.write(value, at, length, 'utf8')
  }

  /** Writes a short string if it is ASCII, and nothing otherwise. */
  #shortAscii(value: string, compact: boolean): boolean {
    const { length } = value
    const lengthSize = compact ? 1 : 2
    const start = this.#take(lengthSize + length)
    const bytes = this.#slab
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i)
      if (unit > 0x7f) {
        this.#offset = start
        return false
      }
      bytes[start + lengthSize + i] = unit
    }
    if (!compact) bytes[start] = 0
    bytes[start + lengthSize - 1] = compact ? length + 1 : length
    return true
  }

  /** Bytes without a length. Copied, or referenced when large: then they must not change until the parts are sent. */
  raw(bytes: Uint8Array): void {
    if (this.#referencing && bytes.length >= REFERENCED_BYTES_MIN) {
      this.#cuts.push({ at: this.#offset, bytes })
      this.#referencedBytes += bytes.length
      return
    }
    const at = this.#take(bytes.length)
    this.#slab.set(bytes, at)
  }

  /**
   * Writes what `body` writes behind its size as a varint: a tagged field. The size is known only afterwards, so one byte is
   * left for it and the content moves when it needs more, which tagged fields rarely do. Nothing inside is referenced.
   */
  sized(body: () => void): void {
    const referencing = this.#referencing
    this.#referencing = false
    // Relative to the start, because the content may move to another slab.
    const at = this.#take(1) - this.#start
    body()
    const size = this.#offset - this.#start - at - 1
    const extra = varintSize(size) - 1
    if (extra > 0) this.#take(extra)
    const after = this.#offset
    this.#offset = this.#start + at
    if (extra > 0) this.#slab.copyWithin(this.#offset + 1 + extra, this.#offset + 1, this.#offset + 1 + size)
    this.unsignedVarint(size)
    this.#offset = after
    this.#referencing = referencing
  }

  /** Overwrites the first four bytes, which were written before: the size of a frame. */
  patchSize(value: number): void {
    this.#setInt32(this.#start, value)
  }

  /** What was written, as one exact buffer of its own: it may be kept and transferred. Ends the writer. */
  bytes(): Uint8Array {
    const out = new Uint8Array(this.#offset - this.#start)
    out.set(this.#slab.subarray(this.#start, this.#offset))
    this.release()
    return out
  }

  /**
   * What was written, as a list. Small parts are views of the slab and are never written to again, but share it with other
   * messages: for sockets, not for ports. Referenced parts are the caller's own. Ends the writer.
   */
  parts(): Uint8Array[] {
    const parts: Uint8Array[] = []
    let from = this.#start
    for (const cut of this.#cuts) {
      if (cut.at > from) parts.push(this.#slab.subarray(from, cut.at))
      parts.push(cut.bytes)
      from = cut.at
    }
    if (from < this.#offset || parts.length === 0) parts.push(this.#slab.subarray(from, this.#offset))
    this.#start = this.#offset
    this.release()
    return parts
  }

  /** Gives the slab back; called by `bytes` and `parts`, and by whoever gives up half-way. */
  release(): void {
    this.#handBack()
    this.#offset = this.#start
    this.#cuts = []
    this.#referencedBytes = 0
  }

  /** Lets the next writer go on where this one began, or ended. A slab that was made for one large message is dropped. */
  #handBack(): void {
    if (this.#slab.length !== SLAB_BYTES) return
    slab = this.#slab
    slabOffset = this.#start
  }
}

/** Bytes that an unsigned varint takes. */
function varintSize(value: number): number {
  let size = 1
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) size++
  return size
}
