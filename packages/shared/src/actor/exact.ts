// Byte arrays that may cross a port. Cloning a view clones its whole ArrayBuffer, and transferring a pooled Buffer takes its
// neighbours along (STACK 1); so what crosses is exact: one view that covers its own buffer from end to end.

export function isExact(bytes: Uint8Array): boolean {
  return bytes.byteLength === bytes.buffer.byteLength
}

/** The same bytes in an own exact buffer: `bytes` itself when it is exact already, else a copy. */
export function exact(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (isExact(bytes) && bytes.buffer instanceof ArrayBuffer) return bytes as Uint8Array<ArrayBuffer>
  return new Uint8Array(bytes)
}

/**
 * The message with the byte arrays that `needsCopy` names replaced by exact copies; containers on the way are rebuilt, the rest is
 * shared. The slow path of senders that hand over views of something bigger.
 */
export function withCopies<T>(message: T, needsCopy: (bytes: Uint8Array) => boolean): T {
  return replaced(message, needsCopy) as T
}

function replaced(value: unknown, needsCopy: (bytes: Uint8Array) => boolean): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return needsCopy(value) ? new Uint8Array(value) : value
  if (Array.isArray(value)) return value.map(item => replaced(item, needsCopy))
  if (!isPlain(value)) return value
  const copy: { [key: string]: unknown } = {}
  for (const key of Object.keys(value)) copy[key] = replaced((value as { [key: string]: unknown })[key], needsCopy)
  return copy
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/**
 * A copy as a port would make it, for links that do not leave the thread in the simulated host: own exact byte arrays, plain
 * objects, no shared references. Throws a TypeError on what structured cloning would refuse or quietly mangle (functions, symbols,
 * class instances, views of something bigger that `isListed` does not know). Byte arrays that are listed and large are detached
 * from the sender as a transfer would.
 */
export function portCopy<T>(message: T, listed: ReadonlySet<Uint8Array>, transferBytesMin: number): T {
  return copied(message, listed, transferBytesMin) as T
}

function copied(value: unknown, listed: ReadonlySet<Uint8Array>, transferBytesMin: number): unknown {
  if (typeof value === 'function' || typeof value === 'symbol')
    throw new TypeError(`a ${typeof value} cannot cross a port`)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return copiedBytes(value, listed, transferBytesMin)
  if (Array.isArray(value)) return value.map(item => copied(item, listed, transferBytesMin))
  if (value instanceof Map) {
    return new Map([...value].map(([key, item]) => [key, copied(item, listed, transferBytesMin)]))
  }
  if (value instanceof Set) return new Set([...value].map(item => copied(item, listed, transferBytesMin)))
  if (value instanceof SharedArrayBuffer) return value
  if (!isPlain(value)) return copiedUncommon(value)
  const copy: { [key: string]: unknown } = {}
  for (const key in value) copy[key] = copied((value as { [key: string]: unknown })[key], listed, transferBytesMin)
  return copy
}

function copiedBytes(bytes: Uint8Array, listed: ReadonlySet<Uint8Array>, transferBytesMin: number): Uint8Array {
  if (bytes.buffer instanceof SharedArrayBuffer) return bytes
  if (!listed.has(bytes)) {
    if (bytes.byteLength >= transferBytesMin || !isExact(bytes)) {
      throw new TypeError(
        `a byte array of ${bytes.byteLength} B is not listed among the message's buffers in its contract: ` +
          'it would be cloned together with everything else in its ArrayBuffer',
      )
    }
    return new Uint8Array(bytes)
  }
  if (bytes.byteLength < transferBytesMin) return new Uint8Array(bytes)
  const buffer = bytes.buffer as ArrayBuffer
  return new Uint8Array(structuredClone(buffer, { transfer: [buffer] }))
}

function copiedUncommon(value: object): unknown {
  if (ArrayBuffer.isView(value) || value instanceof Date || value instanceof RegExp) return structuredClone(value)
  throw new TypeError(`an instance of ${value.constructor?.name ?? 'a class'} cannot cross a port`)
}
