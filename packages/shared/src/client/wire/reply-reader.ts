// Cuts replies out of what a socket reads: | size int32 | size bytes | size int32 | ... A reply that does not come whole with one read gets a buffer of its own size, and the
// socket reads the rest of it straight into that: fetched records are then not copied before they reach whoever decodes them. Owned by a connection.
//
// FrameSplitter is for those who trust nobody (the listener); this one is for replies to what we asked of a broker that we chose. Still, memory follows the bytes that came:
// a buffer of more than `ROOM_BYTES` is never made for a declared size alone.
import { frameSizeOf } from '../../protocol/frame-splitter.ts'

/** What begins a reply, and small replies whole. In bytes. */
const READ_BYTES = 16 * 1024
/** A begun reply has this much room at first, and four times as much whenever that is full. In bytes. */
const ROOM_BYTES = 4 * 2 ** 20
const GROWTH = 4
const SIZE_BYTES = 4

export class ReplyReader {
  /** Largest reply taken, without its size. In bytes; may be changed between replies. */
  frameBytesMax: number
  readonly #read = Buffer.allocUnsafeSlow(READ_BYTES)
  /** What of `#read` was filled and not handed out. */
  #from = 0
  #to = 0
  /** The reply that has begun, how large it will be, and how much of it has come. */
  #begun: Buffer | undefined
  #begunBytes = 0
  #frameBytes = 0

  constructor(frameBytesMax: number) {
    this.frameBytesMax = frameBytesMax
  }

  /** Where the next bytes belong; never empty. Borrowed until `filled`. */
  room(): Buffer {
    return this.#begun === undefined ? this.#read.subarray(this.#to) : this.#begun.subarray(this.#begunBytes)
  }

  /**
   * So many bytes were put into `room`. Hands out each reply that is whole now, in an exact buffer of its own. Throws a `MALFORMED` ProtocolError for a size that is none;
   * then the stream has no meaning any more.
   */
  filled(bytes: number, reply: (frame: Uint8Array) => void): void {
    if (this.#begun === undefined) this.#to += bytes
    else this.#begunBytes += bytes
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) reply(frame)
  }

  /** As `filled`, of bytes that came in memory of their own (TLS). */
  push(chunk: Uint8Array, reply: (frame: Uint8Array) => void): void {
    for (let at = 0; at < chunk.length; ) {
      const room = this.room()
      const part = chunk.subarray(at, at + room.length)
      room.set(part)
      at += part.length
      this.filled(part.length, reply)
    }
  }

  #next(): Uint8Array | undefined {
    if (this.#begun !== undefined) return this.#takeBegun(this.#begun)
    const came = this.#to - this.#from
    if (came >= SIZE_BYTES) {
      const at = this.#from + SIZE_BYTES
      const size = frameSizeOf(this.#read.subarray(this.#from, at), this.frameBytesMax)
      if (came >= SIZE_BYTES + size) {
        this.#from = at + size
        return new Uint8Array(this.#read.subarray(at, this.#from))
      }
      this.#begin(size, this.#read.subarray(at, this.#to))
    } else if (this.#from > 0) {
      this.#read.copyWithin(0, this.#from, this.#to)
      this.#to = came
      this.#from = 0
    }
    return undefined
  }

  #begin(size: number, part: Uint8Array): void {
    this.#from = 0
    this.#to = 0
    this.#frameBytes = size
    this.#begun = Buffer.allocUnsafeSlow(Math.min(size, ROOM_BYTES))
    this.#begun.set(part)
    this.#begunBytes = part.length
  }

  #takeBegun(begun: Buffer): Uint8Array | undefined {
    if (this.#begunBytes < begun.length) return undefined
    if (begun.length === this.#frameBytes) {
      this.#begun = undefined
      return begun
    }
    this.#begun = Buffer.allocUnsafeSlow(Math.min(this.#frameBytes, begun.length * GROWTH))
    this.#begun.set(begun)
    return undefined
  }
}
