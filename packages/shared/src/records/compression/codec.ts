/** What every codec offers, and the one helper all of them need. The registry is `compression.ts`. */

/** A codec over whole buffers, synchronous. Results are own, exact buffers that may be transferred. */
export interface Codec {
  /** Compresses all of `bytes`. `level` means what the codec says (`compression.<codec>.level`); default: Kafka's. */
  compress(bytes: Uint8Array, level?: number): Uint8Array
  /**
   * Decompresses all of `bytes`. Throws CorruptRecordError: CORRUPT_MESSAGE when they are no valid stream,
   * MESSAGE_TOO_LARGE when they hold more than `maxBytes`, before memory past that cap is taken.
   */
  decompress(bytes: Uint8Array, maxBytes: number): Uint8Array
}

/** The same bytes as an own, exact Uint8Array: copies only what shares its ArrayBuffer with something else. */
export function exactBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength !== bytes.buffer.byteLength) return new Uint8Array(bytes)
  return new Uint8Array(bytes.buffer, 0, bytes.byteLength)
}
