// The schema language of Kafka's wire protocol: what Kafka writes as JSON message definitions, written as TypeScript.
// A schema says which fields a message has in which version; the value type is inferred from it (`Infer`), `codec.ts`
// compiles a reader and a writer per version from it, and `pnpm schemas` prints it in Kafka's own shape.
// Declaring a schema costs almost nothing: version ranges stay strings until a codec is compiled.

/** A range of versions as Kafka writes it: `'3+'`, `'0-12'`, `'4'`, or `'none'`. */
export type Versions = `${number}+` | `${number}-${number}` | `${number}` | 'none'

/** The newest version that an open range such as `'3+'` reaches. */
export const VERSION_MAX = 32767

/**
 * Kafka's `Long.MAX_VALUE`, as the nearest JS number (2^63). Reading 2^63-1 yields this number and writing this number
 * yields 2^63-1; every other int64 is exact up to 2^53-1 and the nearest number beyond.
 */
export const INT64_MAX = 2 ** 63

/** The all-zero UUID: Kafka's "no topic id". */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

/** The JS type of each primitive. Byte views borrow the frame they were read from: copy them to keep them longer. */
export interface Primitives {
  bool: boolean
  int8: number
  int16: number
  uint16: number
  int32: number
  /** Exact to 2^53-1, the nearest number beyond. */
  int64: number
  float64: number
  string: string
  /** 22 characters of base64url, as Kafka prints its ids. */
  uuid: string
  /** A view of the bytes that were read; lives as long as they do. */
  bytes: Uint8Array
  /** Record batches, as a view of the bytes that were read; lives as long as they do. */
  records: Uint8Array
}

export type PrimitiveName = keyof Primitives

/** What a field may say besides its type and versions; each has the meaning of the key of that name in Kafka's JSON. */
export interface FieldOptions {
  /** Versions in which null is allowed (Kafka: `nullableVersions`). */
  readonly nullable?: Versions
  /** The value in versions without this field, and of a field that the caller left out. Without it: zero, '', [], null never. */
  readonly default?: number | string | boolean | null
  /** Whether a value may be dropped when a version has no place for it. Otherwise writing it is an error. */
  readonly ignorable?: boolean
  /** Tag number; the field lies in the tagged section in the versions of `tagged`. */
  readonly tag?: number
  /** Versions in which the field is tagged (Kafka: `taggedVersions`); all its versions if absent. */
  readonly tagged?: Versions
  /** Flexible versions of this field alone, where they differ from the message's (the client id of a request header). */
  readonly flexible?: Versions
  /** The field, or one of the fields, that identifies an element within its array. */
  readonly mapKey?: boolean
  /** What the value names: `topicName`, `groupId`, `transactionalId`, `producerId`, `brokerId`. */
  readonly entityType?: EntityType
}

export type EntityType = 'topicName' | 'groupId' | 'transactionalId' | 'producerId' | 'brokerId'

declare const valueType: unique symbol

/** One field of a message, with the type of its value. */
export interface Field<T> extends FieldOptions {
  readonly [valueType]?: T
  readonly versions: Versions
  readonly array: boolean
  /** Name of the primitive, or the fields of the struct. */
  readonly element: PrimitiveName | Fields
}

/** The fields of a message or struct, in wire order. */
export interface Fields {
  readonly [name: string]: Field<any>
}

/** A tagged field that the schema does not know, as it was read. `bytes` borrows the frame. */
export interface UnknownTag {
  readonly tag: number
  readonly bytes: Uint8Array
}

/** The value of a struct with the fields `F`, as a reader returns it: every field is there. */
export type StructValue<F extends Fields> = {
  -readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never
} & {
  /** Tagged fields of newer versions; present only if the reader was asked to keep them and there were any. */
  unknownTags?: UnknownTag[]
}

type OrNull<T, O> = O extends { readonly nullable: Versions } ? T | null : T
type ElementValue<E> = E extends PrimitiveName ? Primitives[E] : E extends Fields ? StructValue<E> : never

/** A message: a request, a response, a header, or a stored record. */
export interface Message<F extends Fields = Fields> {
  /** Kafka's name, such as `ProduceRequest`. */
  readonly name: string
  readonly type: 'request' | 'response' | 'header' | 'data' | 'metadata' | 'coordinator-key' | 'coordinator-value'
  /** API key of a request or response; record type of a coordinator or metadata record. */
  readonly apiKey?: number
  /** Versions that we read and write. */
  readonly versions: Versions
  /** Versions with compact lengths and tagged fields. */
  readonly flexible: Versions
  readonly fields: F
}

/** The value type of a message. */
export type Infer<M> = M extends Message<infer F> ? StructValue<F> : never

/**
 * What a writer accepts for a value of type `T`: the same shape, where every field may be left out (it then takes its
 * default) and arrays and objects may be read-only.
 */
export type Draft<T> = T extends Uint8Array
  ? T
  : T extends readonly (infer E)[]
    ? readonly Draft<E>[]
    : T extends object
      ? { readonly [K in keyof T]?: Draft<T[K]> }
      : T

type MessageOptions = { readonly versions: Versions; readonly flexible: Versions }

export function request<F extends Fields>(
  apiKey: number,
  name: string,
  options: MessageOptions,
  fields: F,
): Message<F> {
  return { name, type: 'request', apiKey, versions: options.versions, flexible: options.flexible, fields }
}

export function response<F extends Fields>(
  apiKey: number,
  name: string,
  options: MessageOptions,
  fields: F,
): Message<F> {
  return { name, type: 'response', apiKey, versions: options.versions, flexible: options.flexible, fields }
}

/** A message that is neither a request nor a response: headers, stored records, embedded protocol data. */
export function data<F extends Fields>(
  name: string,
  options: MessageOptions & { readonly type?: Message['type']; readonly apiKey?: number },
  fields: F,
): Message<F> {
  const { type = 'data', apiKey, versions, flexible } = options
  return apiKey === undefined
    ? { name, type, versions, flexible, fields }
    : { name, type, apiKey, versions, flexible, fields }
}

function field(
  element: PrimitiveName | Fields,
  isArray: boolean,
  versions: Versions,
  options?: FieldOptions,
): Field<any> {
  return { element, array: isArray, versions, ...options }
}

type PrimitiveField<P extends PrimitiveName> = <const O extends FieldOptions>(
  versions: Versions,
  options?: O,
) => Field<OrNull<Primitives[P], O>>

const primitive =
  <P extends PrimitiveName>(name: P): PrimitiveField<P> =>
  (versions, options) =>
    field(name, false, versions, options)

export const bool: PrimitiveField<'bool'> = primitive('bool')
export const int8: PrimitiveField<'int8'> = primitive('int8')
export const int16: PrimitiveField<'int16'> = primitive('int16')
export const uint16: PrimitiveField<'uint16'> = primitive('uint16')
export const int32: PrimitiveField<'int32'> = primitive('int32')
export const int64: PrimitiveField<'int64'> = primitive('int64')
export const float64: PrimitiveField<'float64'> = primitive('float64')
export const string: PrimitiveField<'string'> = primitive('string')
export const uuid: PrimitiveField<'uuid'> = primitive('uuid')
export const bytes: PrimitiveField<'bytes'> = primitive('bytes')
export const records: PrimitiveField<'records'> = primitive('records')

/** An array of primitives (`array('0+', 'int32')`) or of structs (`array('0+', { index: int32('0+') })`). */
export function array<E extends PrimitiveName | Fields, const O extends FieldOptions>(
  versions: Versions,
  element: E,
  options?: O,
): Field<OrNull<ElementValue<E>[], O>> {
  return field(element, true, versions, options)
}

/** A struct within a struct. Kafka only nests them in flexible versions when they are nullable. */
export function struct<F extends Fields, const O extends FieldOptions>(
  versions: Versions,
  fields: F,
  options?: O,
): Field<OrNull<StructValue<F>, O>> {
  return field(fields, false, versions, options)
}

/** A version range as numbers; `high < low` when it is empty. */
export interface VersionRange {
  readonly low: number
  readonly high: number
}

const EMPTY_RANGE: VersionRange = { low: 1, high: 0 }

/** Parses a version range. Throws on anything that Kafka's definitions would not contain. */
export function parseVersions(versions: Versions | undefined): VersionRange {
  if (versions === undefined || versions === 'none') return EMPTY_RANGE
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(versions)
  if (match === null) throw new TypeError(`not a version range: ${versions}`)
  const low = Number(match[1])
  if (match[2] !== undefined) return { low, high: VERSION_MAX }
  return { low, high: match[3] === undefined ? low : Number(match[3]) }
}

/** Whether `version` lies in the range. */
export function inVersions(versions: Versions | undefined, version: number): boolean {
  const { low, high } = parseVersions(versions)
  return version >= low && version <= high
}
