// Buffers of a thread that are used again instead of being made anew for each request: fresh memory is what a broker on the network pays for most
// (page faults, and garbage collections that its size brings on). Inside a lane a view of one crosses a link as it is, lent; between threads it is copied.
//
//   take(bytes) -> view of a pooled buffer -> giveBack(view)        at most once, by the one who can tell that nobody reads it any more
//
// Who cannot tell does not give back: then the buffer is ordinary garbage, and the next `take` makes another. Classes are powers of two.
import { limits } from './limits.ts'

const CLASS_BITS_MIN = 12
const CLASS_BITS_MAX = Math.log2(limits.lentBufferBytesMax)

/** By class: buffers that nobody has. */
const free: ArrayBuffer[][] = Array.from({ length: CLASS_BITS_MAX + 1 }, () => [])
/** Buffers that somebody has. Weak: whoever loses one has made it garbage. */
const lent = new WeakSet<ArrayBufferLike>()
let freeBytes = 0

/** A view of exactly `bytes`, with whatever was in it before. Above `limits.lentBufferBytesMax` it is an ordinary buffer of its own. */
export function take(bytes: number): Buffer<ArrayBuffer> {
  if (bytes > limits.lentBufferBytesMax) return Buffer.allocUnsafeSlow(bytes)
  const bits = Math.max(CLASS_BITS_MIN, 32 - Math.clz32(Math.max(bytes, 1) - 1))
  const kept = free[bits]!.pop()
  if (kept !== undefined) freeBytes -= kept.byteLength
  const buffer = kept ?? Buffer.allocUnsafeSlow(2 ** bits).buffer
  lent.add(buffer)
  return Buffer.from(buffer, 0, bytes)
}

/** True for a view of a buffer that was taken and not given back. */
export function isLent(view: Uint8Array): boolean {
  return lent.has(view.buffer)
}

/** Ends the use of the buffer behind `view`. Nothing happens if it is not lent (any more). */
export function giveBack(view: Uint8Array): void {
  const buffer = view.buffer as ArrayBuffer
  // One that was transferred away is empty.
  if (!lent.delete(buffer) || buffer.byteLength === 0 || freeBytes + buffer.byteLength > limits.lentBytesKeptMax) return
  freeBytes += buffer.byteLength
  free[31 - Math.clz32(buffer.byteLength)]!.push(buffer)
}
