// Cuts a byte stream into frames: | size int32 | size bytes | size int32 | ... Holds state, does no I/O; the listener and the
// wire link push what their sockets read and take frames until there are none.
//
// A frame that lies within one chunk is handed out as a view of it; one that spans chunks is put together once it is complete.
// So memory follows the bytes received and never the size declared, and no byte of a chunk is copied more than once.
// (Chunks below `DRIBBLE_BYTES_MAX` are gathered first: a peer that sends single bytes must not cost an object each.)

import { ProtocolError } from './protocol-error.ts'

/** A chunk smaller than this is gathered with its neighbours. In bytes. */
const DRIBBLE_BYTES_MAX = 512
/** Size of the buffers in which small chunks are gathered. In bytes. */
const GATHER_BYTES = 4096

/** Consumed chunks whose places are kept before the list is moved up. */
const CHUNKS_CONSUMED_MAX = 64

const SIZE_BYTES = 4
const NO_BYTES = new Uint8Array(0)

export interface FrameSplitterOptions {
  /** Largest frame allowed, without its size, in bytes (Kafka: `socket.request.max.bytes`). */
  readonly frameBytesMax: number
}

export class FrameSplitter {
  /** May be changed between frames, as when a peer has shown what it is. */
  frameBytesMax: number
  /** Bytes not yet handed out: chunks from `#first` on, the first of them from `#offset` on. */
  #chunks: Uint8Array[] = []
  #first = 0
  #offset = 0
  #bufferedBytes = 0
  /** Size of the frame that is being waited for, once it is known. */
  #frameBytes = -1
  /** Room after the last chunk, if that is a gathering buffer of ours. */
  #gatherRoom = 0
  #failure: ProtocolError | undefined

  constructor(options: FrameSplitterOptions) {
    this.frameBytesMax = options.frameBytesMax
  }

  /** Bytes that were pushed and not yet handed out. */
  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  /** Takes the next bytes of the stream. The splitter keeps views of the chunk: it must not change afterwards. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#bufferedBytes += chunk.length
    if (chunk.length >= DRIBBLE_BYTES_MAX || this.#chunks.length === this.#first) {
      this.#chunks.push(chunk)
      this.#gatherRoom = 0
      return
    }
    this.#gather(chunk)
  }

  #gather(chunk: Uint8Array): void {
    if (this.#gatherRoom < chunk.length) {
      this.#chunks.push(new Uint8Array(GATHER_BYTES).subarray(0, 0))
      this.#gatherRoom = GATHER_BYTES
    }
    const last = this.#chunks.length - 1
    const gathered = this.#chunks[last]!
    const grown = new Uint8Array(gathered.buffer, 0, gathered.length + chunk.length)
    grown.set(chunk, gathered.length)
    this.#chunks[last] = grown
    this.#gatherRoom -= chunk.length
  }

  /**
   * The next complete frame, without its size, or undefined if more bytes are needed. The frame is either a view of a chunk
   * that was pushed or an exact buffer of its own: whoever transfers it must check (`byteLength === buffer.byteLength`).
   * A size that is negative, zero or above the limit is a `MALFORMED` `ProtocolError`, now and at every later call.
   */
  next(): Uint8Array | undefined {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#frameBytes < 0) {
      if (this.#bufferedBytes < SIZE_BYTES) return undefined
      this.#frameBytes = this.#readSize()
    }
    if (this.#bufferedBytes < this.#frameBytes) return undefined
    const frame = this.#read(this.#frameBytes)
    this.#frameBytes = -1
    return frame
  }

  #readSize(): number {
    const bytes = this.#read(SIZE_BYTES)
    const size = (bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!
    if (size > 0 && size <= this.frameBytesMax) return size
    const reason = `frame of ${size} bytes, allowed are 1 to ${this.frameBytesMax}${hintOf(bytes)}`
    this.#failure = new ProtocolError('MALFORMED', reason)
    this.#chunks = []
    throw this.#failure
  }

  /** The next `length` bytes, which are there: a view if they lie in one chunk, a buffer of their own otherwise. */
  #read(length: number): Uint8Array {
    this.#bufferedBytes -= length
    const first = this.#chunks[this.#first]!
    if (first.length - this.#offset >= length) {
      const view = first.subarray(this.#offset, this.#offset + length)
      this.#advance(length)
      return view
    }
    const out = Buffer.allocUnsafeSlow(length)
    let filled = 0
    while (filled < length) {
      const chunk = this.#chunks[this.#first]!
      const part = Math.min(chunk.length - this.#offset, length - filled)
      out.set(chunk.subarray(this.#offset, this.#offset + part), filled)
      filled += part
      this.#advance(part)
    }
    return out
  }

  #advance(length: number): void {
    this.#offset += length
    if (this.#offset < this.#chunks[this.#first]!.length) return
    this.#offset = 0
    this.#chunks[this.#first++] = NO_BYTES
    if (this.#first === this.#chunks.length) {
      this.#chunks = []
      this.#first = 0
      this.#gatherRoom = 0
    } else if (this.#first >= CHUNKS_CONSUMED_MAX) {
      this.#chunks.splice(0, this.#first)
      this.#first = 0
    }
  }
}

/** What a size that is none may be instead. */
function hintOf(bytes: Uint8Array): string {
  const text = String.fromCharCode(...bytes)
  if (bytes[0] === 0x16 && bytes[1] === 0x03) return ' (this looks like a TLS hello)'
  if (bytes[0] === 0x15 && bytes[1] === 0x03) return ' (this looks like a TLS alert)'
  if (/^(GET |POST|PUT |HEAD|HTTP)$/.test(text)) return ' (this looks like HTTP)'
  return ''
}
