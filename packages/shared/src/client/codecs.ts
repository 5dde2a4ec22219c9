// How keys and values become bytes and come back. Producer and consumer share a topic's codecs; both call them in the
// caller's thread. null never reaches a codec: it is the null key and the tombstone.
import { KafkaError } from '../base/errors.ts'
import { notTaken } from './options.ts'

/**
 * Turns values into bytes and back. `Decoded` is what consumers get, `Encodable` what producers give.
 * `encode` and `decode` are synchronous and may throw: the client wraps what they throw into ODK_ENCODE_FAILED
 * or ODK_DECODE_FAILED. A custom codec needs only those two.
 */
export interface Codec<Decoded = any, Encodable = Decoded> {
  /** Own or borrowed bytes: the client copies them before it returns to you. */
  encode(value: Encodable): Uint8Array
  /** `bytes` is a view that belongs to the fetched batch: copy what must outlive it. A Buffer decodes fastest. */
  decode(bytes: Uint8Array): Decoded
  /**
   * Optional, for speed: writes the bytes of `value` to `target` from `at` and returns where they end, or -1 when they
   * might not fit (then `encode` is called). Anything beyond the returned end may be scribbled on.
   */
  encodeInto?(value: Encodable, target: Buffer, at: number): number
  /** Optional, for speed: as `decode(bytes.subarray(from, to))` without making the view. */
  decodeRange?(bytes: Uint8Array, from: number, to: number): Decoded
}

export type DecodedOf<C> = C extends Codec<infer Decoded, any> ? Decoded : never
export type EncodableOf<C> = C extends Codec<any, infer Encodable> ? Encodable : never

const MAX_UTF8_BYTES_PER_UNIT = 3
/** Below this many UTF-16 units a loop over character codes beats a call into the platform's encoder (measured). */
const SHORT_TEXT_UNITS = 24

/** Bytes as they are (Java: `ByteArraySerializer`). Decoding gives a view, not a copy. */
export function bytes(): Codec<Uint8Array> {
  return bytesCodec
}

/** UTF-8 text (Java: `StringSerializer`). Malformed bytes decode to U+FFFD, as in Java. */
export function string(): Codec<string> {
  return stringCodec
}

/** Four bytes, big-endian (Java: `IntegerSerializer`). */
export function int32(): Codec<number> {
  return int32Codec
}

/** Eight bytes, big-endian (Java: `LongSerializer`). */
export function int64(): Codec<bigint> {
  return int64Codec
}

/** Eight bytes, IEEE 754, big-endian (Java: `DoubleSerializer`). */
export function float64(): Codec<number> {
  return float64Codec
}

/** JSON text in UTF-8. The type parameter is a promise of yours, not checked at run time; {@link schema} checks. */
export function json<T = unknown>(): Codec<T> {
  return jsonCodec
}

/** The part of Standard Schema version 1 that is used here; zod, valibot, arktype and others implement it. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/**
 * Values checked by a Standard Schema on both ways: producers give the schema's input, which is checked and written as given by `codec`
 * (default {@link json}); consumers get the schema's output. Only schemas that validate synchronously.
 */
export function schema<Input, Output>(
  standard: StandardSchema<Input, Output>,
  codec: Codec<unknown> = jsonCodec,
): Codec<Output, Input> {
  if (typeof (standard as Partial<typeof standard> | null)?.['~standard']?.validate !== 'function')
    throw notTaken('schema', 'a Standard Schema (zod, valibot, arktype and others make them)', standard)
  const validate = (value: unknown): Output => {
    const result = standard['~standard'].validate(value)
    if (result instanceof Promise) {
      result.catch(() => {})
      throw new TypeError(
        `the ${standard['~standard'].vendor} schema validates asynchronously, which a codec cannot wait for`,
      )
    }
    if (result.issues !== undefined) throw new TypeError(issuesText(result.issues))
    return result.value
  }
  return {
    encode(value) {
      validate(value)
      return codec.encode(value)
    },
    decode: encoded => validate(codec.decode(encoded)),
  }
}

function issuesText(issues: readonly SchemaIssue[]): string {
  return issues
    .map(issue => {
      const path = issue.path?.map(part => String(typeof part === 'object' ? part.key : part)).join('.')
      return path ? `${path}: ${issue.message}` : issue.message
    })
    .join('; ')
}

/** What a topic given by name alone takes: bytes, or text as UTF-8; consumers get bytes. */
export const rawCodec: Codec<Uint8Array, Uint8Array | string> = {
  encode: value => (typeof value === 'string' ? stringCodec.encode(value) : bytesCodec.encode(value)),
  decode: encoded => encoded,
  encodeInto: (value, target, at) =>
    typeof value === 'string' ? stringCodec.encodeInto!(value, target, at) : bytesCodec.encodeInto!(value, target, at),
  decodeRange: (encoded, from, to) => encoded.subarray(from, to),
}

const bytesCodec: Codec<Uint8Array> = {
  encode(value) {
    if (!(value instanceof Uint8Array)) throw new TypeError(`expected a Uint8Array, got ${kindOf(value)}`)
    return value
  },
  decode: encoded => encoded,
  encodeInto(value, target, at) {
    if (!(value instanceof Uint8Array)) throw new TypeError(`expected a Uint8Array, got ${kindOf(value)}`)
    if (value.length > target.length - at) return -1
    target.set(value, at)
    return at + value.length
  },
  decodeRange: (encoded, from, to) => encoded.subarray(from, to),
}

const stringCodec: Codec<string> = {
  encode(value) {
    if (typeof value !== 'string') throw new TypeError(`expected a string, got ${kindOf(value)}`)
    return Buffer.from(value, 'utf8')
  },
  decode: encoded => decodeText(encoded, 0, encoded.length),
  encodeInto(value, target, at) {
    if (typeof value !== 'string') throw new TypeError(`expected a string, got ${kindOf(value)}`)
    return writeText(value, target, at)
  },
  decodeRange: decodeText,
}

const jsonCodec: Codec<any> = {
  encode: value => Buffer.from(jsonText(value), 'utf8'),
  decode: encoded => JSON.parse(decodeText(encoded, 0, encoded.length)),
  encodeInto: (value, target, at) => writeText(jsonText(value), target, at),
  decodeRange: (encoded, from, to) => JSON.parse(decodeText(encoded, from, to)),
}

const int32Codec: Codec<number> = {
  encode(value) {
    const encoded = Buffer.allocUnsafeSlow(4)
    encoded.writeInt32BE(value)
    return encoded
  },
  decode: encoded => view(encoded, 4, 'int32').readInt32BE(),
  encodeInto: (value, target, at) => (target.length - at < 4 ? -1 : target.writeInt32BE(value, at)),
}

const int64Codec: Codec<bigint> = {
  encode(value) {
    const encoded = Buffer.allocUnsafeSlow(8)
    encoded.writeBigInt64BE(value)
    return encoded
  },
  decode: encoded => view(encoded, 8, 'int64').readBigInt64BE(),
  encodeInto: (value, target, at) => (target.length - at < 8 ? -1 : target.writeBigInt64BE(value, at)),
}

const float64Codec: Codec<number> = {
  encode(value) {
    const encoded = Buffer.allocUnsafeSlow(8)
    writeFloat64(encoded, value, 0)
    return encoded
  },
  decode: encoded => view(encoded, 8, 'float64').readDoubleBE(),
  encodeInto: (value, target, at) => (target.length - at < 8 ? -1 : writeFloat64(target, value, at)),
}

function writeFloat64(target: Buffer, value: number, at: number): number {
  if (typeof value !== 'number') throw new TypeError(`expected a number, got ${kindOf(value)}`)
  return target.writeDoubleBE(value, at)
}

function jsonText(value: unknown): string {
  const text = JSON.stringify(value)
  if (text === undefined) throw new TypeError(`${kindOf(value)} has no JSON form`)
  return text
}

function writeText(text: string, target: Buffer, at: number): number {
  const units = text.length
  if (units * MAX_UTF8_BYTES_PER_UNIT > target.length - at) return -1
  if (units <= SHORT_TEXT_UNITS) {
    let i = 0
    for (; i < units; i++) {
      const code = text.charCodeAt(i)
      if (code > 0x7f) break
      target[at + i] = code
    }
    if (i === units) return at + units
  }
  return at + target.write(text, at, 'utf8')
}

function decodeText(encoded: Uint8Array, from: number, to: number): string {
  if (to <= from) return ''
  return asBuffer(encoded).toString('utf8', from, to)
}

function view(encoded: Uint8Array, expected: number, name: string): Buffer {
  if (encoded.length !== expected) throw new TypeError(`${name} takes ${expected} bytes, got ${encoded.length}`)
  return asBuffer(encoded)
}

/** A Buffer over the same memory. */
function asBuffer(encoded: Uint8Array): Buffer {
  return Buffer.isBuffer(encoded) ? encoded : Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength)
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value !== 'object') return value === undefined ? 'undefined' : `a ${typeof value}`
  return `an object of ${value.constructor?.name ?? 'no class'}`
}

/** Wraps what a codec threw. `what` is 'key' or 'value'. */
export function encodeFailed(topic: string, what: 'key' | 'value', cause: unknown): KafkaError {
  return new KafkaError(
    'ODK_ENCODE_FAILED',
    `${what} of a record for ${topic} could not be encoded: ${reason(cause)}`,
    { cause },
  )
}

/** Wraps what a codec threw. `where` names the record, such as `orders-3@1042`. */
export function decodeFailed(where: string, what: 'key' | 'value', cause: unknown): KafkaError {
  return new KafkaError('ODK_DECODE_FAILED', `${what} of record ${where} could not be decoded: ${reason(cause)}`, {
    cause,
  })
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
