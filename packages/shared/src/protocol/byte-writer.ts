// Writes Kafka's primitive types. Small things go into a scratch buffer that is reused by the next writer of the thread
// (hot memory, DESIGN 5: reuse beats transfer) and leave it in one exact copy; large byte fields are never copied: they
// are remembered as cuts and come out as parts of their own, so a Fetch response is a list of buffers.
//
//   scratch   | header, fields ........ | more fields ..... | tags |
//   cuts                                ^ records A         ^ records B
//   parts     [ header, fields ] [ A ] [ more fields ] [ B ] [ tags ]

import { limits } from '../base/limits.ts'
import { ProtocolError } from './protocol-error.ts'
import { INT64_MAX } from './schema.ts'

/** Byte fields of this size and above are referenced instead of copied, where the caller takes parts. In bytes. */
const REFERENCED_BYTES_MIN = 4096

const SCRATCH_BYTES_INITIAL = 16 * 1024

/** The scratch buffer that no writer holds at present. */
let spare: Buffer | undefined

const float = new DataView(new ArrayBuffer(8))
const UUID_TEXT = /^[A-Za-z0-9_-]{21}[AQgw]$/

export class ByteWriter {
  #scratch: Buffer
  #offset = 0
  #cuts: { readonly at: number; readonly bytes: Uint8Array }[] = []
  #referencedBytes = 0
  #referencing: boolean

  /** With `referencing`, large byte fields are referenced and `parts()` must be used. */
  constructor(referencing: boolean) {
    this.#referencing = referencing
    this.#scratch = spare ?? Buffer.allocUnsafeSlow(SCRATCH_BYTES_INITIAL)
    spare = undefined
  }

  /** Bytes written so far, referenced ones included. */
  get length(): number {
    return this.#offset + this.#referencedBytes
  }

  fail(reason: string): never {
    throw new ProtocolError('INVALID_VALUE', reason)
  }

  #take(length: number): number {
    const start = this.#offset
    if (start + length > this.#scratch.length) this.#grow(start + length)
    this.#offset = start + length
    return start
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#scratch.length * 2))
    grown.set(this.#scratch.subarray(0, this.#offset))
    this.#scratch = grown
  }

  bool(value: boolean): void {
    const at = this.#take(1)
    this.#scratch[at] = value ? 1 : 0
  }

  int8(value: number): void {
    const at = this.#take(1)
    this.#scratch[at] = value
  }

  int16(value: number): void {
    const at = this.#take(2)
    const scratch = this.#scratch
    scratch[at] = value >> 8
    scratch[at + 1] = value
  }

  int32(value: number): void {
    const at = this.#take(4)
    this.#setInt32(at, value)
  }

  #setInt32(at: number, value: number): void {
    const scratch = this.#scratch
    scratch[at] = value >> 24
    scratch[at + 1] = value >> 16
    scratch[at + 2] = value >> 8
    scratch[at + 3] = value
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
    for (let i = 0; i < 8; i++) this.#scratch[at + i] = float.getUint8(i)
  }

  unsignedVarint(value: number): void {
    let at = this.#take(varintSize(value))
    let rest = value
    while (rest > 0x7f) {
      this.#scratch[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#scratch[at] = rest
  }

  uuid(value: string): void {
    if (!UUID_TEXT.test(value)) this.fail(`${JSON.stringify(value)} is not a UUID of 22 base64url characters`)
    const at = this.#take(16)
    this.#scratch.write(value, at, 16, 'base64url')
  }

  /** A string behind its length: int16, or the length plus one as a varint where compact. */
  string(value: string, compact: boolean): void {
    const length = Buffer.byteLength(value)
    if (length > 0x7fff) this.fail(`string of ${length} bytes, at most 32767 fit`)
    if (compact) this.unsignedVarint(length + 1)
    else this.int16(length)
    const at = this.#take(length)
    if (length > 0) this.#scratch.write(value, at, length, 'utf8')
  }

  /** Bytes without a length. Copied, or referenced when large: then they must not change until the parts are sent. */
  raw(bytes: Uint8Array): void {
    if (this.#referencing && bytes.length >= REFERENCED_BYTES_MIN) {
      this.#cuts.push({ at: this.#offset, bytes })
      this.#referencedBytes += bytes.length
      return
    }
    const at = this.#take(bytes.length)
    this.#scratch.set(bytes, at)
  }

  /**
   * Writes what `body` writes behind its size as a varint: a tagged field. The size is known only afterwards, so one byte is
   * left for it and the content moves when it needs more, which tagged fields rarely do. Nothing inside is referenced.
   */
  sized(body: () => void): void {
    const referencing = this.#referencing
    this.#referencing = false
    const start = this.#take(1)
    body()
    const size = this.#offset - start - 1
    const extra = varintSize(size) - 1
    if (extra > 0) {
      this.#take(extra)
      this.#scratch.copyWithin(start + 1 + extra, start + 1, start + 1 + size)
    }
    const after = this.#offset
    this.#offset = start
    this.unsignedVarint(size)
    this.#offset = after
    this.#referencing = referencing
  }

  /** Overwrites four bytes that were written before, such as the length of the frame. */
  patchInt32(at: number, value: number): void {
    this.#setInt32(at, value)
  }

  /** What was written, as one exact buffer of its own. Ends the writer. */
  bytes(): Uint8Array {
    const out = new Uint8Array(this.#offset)
    out.set(this.#scratch.subarray(0, this.#offset))
    this.release()
    return out
  }

  /** What was written as a list: small parts share one exact buffer, referenced ones are the caller's own. Ends the writer. */
  parts(): Uint8Array[] {
    const cuts = this.#cuts
    const small = this.bytes()
    if (cuts.length === 0) return [small]
    const parts: Uint8Array[] = []
    let from = 0
    for (const cut of cuts) {
      if (cut.at > from) parts.push(small.subarray(from, cut.at))
      parts.push(cut.bytes)
      from = cut.at
    }
    if (from < small.length) parts.push(small.subarray(from))
    return parts
  }

  /** Gives the scratch buffer back; called by `bytes` and `parts`, and by whoever gives up half-way. */
  release(): void {
    if (this.#scratch.length <= limits.codecScratchBytesMax) spare = this.#scratch
    this.#offset = 0
    this.#cuts = []
    this.#referencedBytes = 0
  }
}

/** Bytes that an unsigned varint takes. */
export function varintSize(value: number): number {
  let size = 1
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) size++
  return size
}
