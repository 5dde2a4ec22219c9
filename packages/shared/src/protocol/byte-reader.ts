// Reads Kafka's primitive types from bytes that nobody vouches for. Every read checks what is left; nothing is allocated
// from a declared length. Used by the compiled codecs, the frame header and the log framings; never by the records layer.

import { limits } from '../base/limits.ts'
import { uuidText } from './known-uuids.ts'
import { ProtocolError } from './protocol-error.ts'

const float = new DataView(new ArrayBuffer(8))

export interface ReadOptions {
  /**
   * What to do with tagged fields that the schema does not know. `skip` (default) drops them; `keep` returns them as
   * `unknownTags`, for whoever writes the message on. Kept ones are views: a value with them must not be posted.
   */
  readonly unknownTags?: 'keep' | 'skip'
}

export class ByteReader {
  /** Borrowed: views that are handed out live as long as these bytes. */
  readonly bytes: Uint8Array
  offset: number
  /** One past the last byte that may be read; narrowed while a tagged field is read. */
  end: number
  readonly keepUnknownTags: boolean
  #elementsLeft = limits.messageElementsMax
  #text: Buffer | undefined

  constructor(bytes: Uint8Array, offset = 0, options: ReadOptions = {}) {
    this.bytes = bytes
    this.offset = offset
    this.end = bytes.length
    this.keepUnknownTags = options.unknownTags === 'keep'
  }

  get remaining(): number {
    return this.end - this.offset
  }

  fail(reason: string): never {
    throw new ProtocolError('MALFORMED', reason, { offset: this.offset })
  }

  /** Moves on by `length` bytes and returns where they begin. */
  #take(length: number): number {
    const start = this.offset
    if (length > this.end - start) this.fail(`needs ${length} bytes, ${this.end - start} left`)
    this.offset = start + length
    return start
  }

  bool(): boolean {
    return this.bytes[this.#take(1)] !== 0
  }

  int8(): number {
    return (this.bytes[this.#take(1)]! << 24) >> 24
  }

  int16(): number {
    const at = this.#take(2)
    return (((this.bytes[at]! << 8) | this.bytes[at + 1]!) << 16) >> 16
  }

  uint16(): number {
    const at = this.#take(2)
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!
  }

  int32(): number {
    const { bytes } = this
    const at = this.#take(4)
    return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
  }

  /** Exact to 2^53-1, the nearest number beyond; 2^63-1 becomes `INT64_MAX`. */
  int64(): number {
    const { bytes } = this
    const at = this.#take(8)
    const high = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
    const low = (bytes[at + 4]! << 24) | (bytes[at + 5]! << 16) | (bytes[at + 6]! << 8) | bytes[at + 7]!
    return high * 2 ** 32 + (low >>> 0)
  }

  float64(): number {
    const at = this.#take(8)
    for (let i = 0; i < 8; i++) float.setUint8(i, this.bytes[at + i]!)
    return float.getFloat64(0)
  }

  /** At most five bytes and 32 bits. */
  unsignedVarint(): number {
    const { bytes, end } = this
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.offset >= end) this.fail('ends inside a varint')
      const byte = bytes[this.offset++]!
      if (shift === 28 && byte > 0x0f) this.fail('varint is longer than 32 bits')
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    return this.fail('varint is longer than five bytes')
  }

  uuid(): string {
    return uuidText(this.bytes, this.#take(16))
  }

  /** UTF-8; bytes that are none become U+FFFD, as in Java. */
  utf8(length: number): string {
    const at = this.#take(length)
    return this.#textView().toString('utf8', at, at + length)
  }

  /** A view; lives as long as what is read from. */
  view(length: number): Uint8Array {
    const at = this.#take(length)
    return this.bytes.subarray(at, at + length)
  }

  /** A compact length, which is stored plus one; -1 stands for null. */
  compactLength(): number {
    return this.unsignedVarint() - 1
  }

  /** Checks the count of an array against what is left, before anything is allocated for it. */
  count(count: number, elementSizeMin: number): number {
    if (count < 0) this.fail(`negative count ${count}`)
    const remaining = this.end - this.offset
    if (count * elementSizeMin > remaining) this.fail(`count ${count} needs more than the ${remaining} bytes left`)
    return count
  }

  /** Counts array elements against `limits.messageElementsMax`, before anything is allocated for them. */
  elements(count: number): void {
    this.#elementsLeft -= count
    if (this.#elementsLeft < 0) this.fail(`more than ${limits.messageElementsMax} array elements in one message`)
  }

  #textView(): Buffer {
    const { bytes } = this
    this.#text ??= Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return this.#text
  }
}
