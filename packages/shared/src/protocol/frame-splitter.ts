// Cuts a byte stream into frames: | size int32 | size bytes | size int32 | ... Holds state, does no I/O; the listener pushes
// what its sockets read and takes frames until there are none.
//
// A frame that lies within one chunk is handed out as a view of it; one that spans chunks is put together once it is complete.
// So memory follows the bytes received and never the size declared, and no byte of a chunk is copied more than once.
// (Chunks below `DRIBBLE_BYTES_MAX` are gathered first: a peer that sends single bytes must not cost an object each.)
//
// A socket that reads into one buffer again and again lends its chunks: `pushLent`, take frames, `keepRest`. What was not taken by then is copied: the
// frame that has begun into a buffer of its own, which grows with what arrives. A lent buffer (`LENT_FRAME_BYTES_MIN`) if it is large.

import { giveBack, take } from '../base/lent-buffers.ts'

import { ProtocolError } from './protocol-error.ts'

/** A chunk smaller than this is gathered with its neighbours. In bytes. */
const DRIBBLE_BYTES_MAX = 512
/** Size of the buffers in which small chunks are gathered. In bytes. */
const GATHER_BYTES = 4096

/** Consumed chunks whose places are kept before the list is moved up. */
const CHUNKS_CONSUMED_MAX = 64

/** A frame that was begun in a lent chunk and is at least this large is put together in a lent buffer. In bytes. */
const LENT_FRAME_BYTES_MIN = 2048
/** How much room a frame gets for each byte of it that has come; so memory follows the bytes received. */
const ROOM_PER_BYTE = 4

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
  /** The chunk that is lent until `keepRest`. */
  #lentChunk: ArrayBufferLike | undefined
  /** A frame that began in a lent chunk, and how much of it has come. */
  #begun: Buffer | undefined
  #begunBytes = 0

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

  /** As `push`, of a chunk that changes after `keepRest`, which must follow before anything else is pushed. */
  pushLent(chunk: Uint8Array): void {
    this.#lentChunk = chunk.buffer
    let rest = chunk
    if (this.#begun !== undefined) {
      const part = Math.min(this.#frameBytes - this.#begunBytes, chunk.length)
      this.#goOn(chunk.subarray(0, part))
      rest = chunk.subarray(part)
    }
    if (rest.length === 0) return
    this.#bufferedBytes += rest.length
    this.#chunks.push(rest)
  }

  /** True for a frame whose bytes are gone after `keepRest`. */
  isLentChunk(frame: Uint8Array): boolean {
    return frame.buffer === this.#lentChunk
  }

  /** Copies what is left of the lent chunk. */
  keepRest(): void {
    const isLent = this.#first < this.#chunks.length && this.isLentChunk(this.#chunks.at(-1)!)
    this.#lentChunk = undefined
    if (!isLent) return
    let rest = this.#chunks.pop()!
    const isAll = this.#first === this.#chunks.length
    if (isAll) {
      rest = rest.subarray(this.#offset)
      this.#offset = 0
    }
    this.#bufferedBytes -= rest.length
    // What has begun is complete by now, or there would be no rest: the rest is of frames after it.
    const isBeginning = isAll && this.#begun === undefined && rest.length < this.#frameBytes
    if (isBeginning && this.#frameBytes >= LENT_FRAME_BYTES_MIN) this.#begin(rest)
    else if (isAll || rest.length >= DRIBBLE_BYTES_MAX) this.push(new Uint8Array(rest))
    else {
      this.#bufferedBytes += rest.length
      this.#gather(rest)
    }
  }

  #begin(part: Uint8Array): void {
    this.#begun = take(Math.min(this.#frameBytes, part.length * ROOM_PER_BYTE))
    this.#begunBytes = 0
    this.#goOn(part)
  }

  /** Puts more of the frame that has begun behind what has come of it. */
  #goOn(part: Uint8Array): void {
    const filled = this.#begunBytes + part.length
    let room = this.#begun!
    if (filled > room.length) {
      room = take(Math.min(this.#frameBytes, filled * ROOM_PER_BYTE))
      room.set(this.#begun!.subarray(0, this.#begunBytes))
      giveBack(this.#begun!)
      this.#begun = room
    }
    room.set(part, this.#begunBytes)
    this.#begunBytes = filled
    this.#bufferedBytes += part.length
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
    const frame = this.#begun === undefined ? this.#read(this.#frameBytes) : this.#takeBegun(this.#begun)
    this.#frameBytes = -1
    return frame
  }

  #takeBegun(begun: Buffer): Uint8Array {
    this.#begun = undefined
    this.#bufferedBytes -= this.#frameBytes
    return begun.subarray(0, this.#frameBytes)
  }

  #readSize(): number {
    try {
      return frameSizeOf(this.#read(SIZE_BYTES), this.frameBytesMax)
    } catch (error) {
      this.#failure = error as ProtocolError
      this.#chunks = []
      throw error
    }
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

/** The size that these four bytes say. Throws a `MALFORMED` ProtocolError when it is negative, zero or above `frameBytesMax`. */
export function frameSizeOf(bytes: Uint8Array, frameBytesMax: number): number {
  const size = (bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!
  if (size > 0 && size <= frameBytesMax) return size
  throw new ProtocolError('MALFORMED', `frame of ${size} bytes, allowed are 1 to ${frameBytesMax}${hintOf(bytes)}`)
}

/** What a size that is none may be instead. */
function hintOf(bytes: Uint8Array): string {
  const text = String.fromCharCode(...bytes)
  if (bytes[0] === 0x16 && bytes[1] === 0x03) return ' (this looks like a TLS hello)'
  if (bytes[0] === 0x15 && bytes[1] === 0x03) return ' (this looks like a TLS alert)'
  if (/^(GET |POST|PUT |HEAD|HTTP)$/.test(text)) return ' (this looks like HTTP)'
  return ''
}
