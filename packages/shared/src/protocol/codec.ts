// Compiles a schema into one reader and one writer per version, on first use, and keeps them. What a version does not
// have costs nothing at run time: each codec is a flat plan of the fields that version has, in wire order.
//
// A struct on the wire, here with two positional fields and a tagged one (tags only in flexible versions):
//
//   | field | field | tag count | tag | size | field |
//                     varint      varint varint
//
// Readers trust nothing (`ByteReader`). Writers follow Kafka's generated code: a field that was left out takes its default;
// a value that the version has no place for is dropped if the field is ignorable, and refused otherwise unless it is the default.

import { ByteReader, type ReadOptions } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { type FieldType, fieldTypeOf } from './field-types.ts'
import { ProtocolError } from './protocol-error.ts'
import {
  type Draft,
  type Field,
  type Fields,
  inVersions,
  type Message,
  type StructValue,
  type UnknownTag,
} from './schema.ts'

/** Reads and writes one message in one version. */
export interface Codec<T> {
  readonly messageName: string
  readonly version: number
  /** Whether this version has compact lengths and tagged fields; decides the header version too. */
  readonly flexible: boolean
  /** Reads the message where the reader stands; does not care what follows. Byte fields are views. */
  read(reader: ByteReader): T
  write(writer: ByteWriter, value: Draft<T>): void
}

const codecs = new WeakMap<Message<any>, Codec<any>[]>()

/** The codec of a message in a version; compiled once. A version that is not ours is an `UNSUPPORTED_VERSION` error. */
export function codecOf<F extends Fields>(message: Message<F>, version: number): Codec<StructValue<F>> {
  let versions = codecs.get(message)
  if (versions === undefined) {
    versions = []
    codecs.set(message, versions)
  }
  return versions[version] ?? compileInto(versions, message, version)
}

function compileInto<F extends Fields>(
  versions: Codec<any>[],
  message: Message<F>,
  version: number,
): Codec<StructValue<F>> {
  const { name } = message
  if (!inVersions(message.versions, version)) {
    throw new ProtocolError('UNSUPPORTED_VERSION', `only versions ${message.versions} are known`, {
      messageName: name,
      version,
    })
  }
  const flexible = inVersions(message.flexible, version)
  const body = compileStruct(message.fields, version, flexible)
  const codec: Codec<StructValue<F>> = {
    messageName: name,
    version,
    flexible,
    read(reader) {
      try {
        return body.read(reader) as StructValue<F>
      } catch (cause) {
        throw cause instanceof ProtocolError ? cause.inMessage(name, version) : cause
      }
    },
    write(writer, value) {
      try {
        body.write(writer, value)
      } catch (cause) {
        throw cause instanceof ProtocolError ? cause.inMessage(name, version) : cause
      }
    },
  }
  versions[version] = codec
  return codec
}

/**
 * Reads a whole message. Byte fields of the result are views of `bytes`. Anything that is wrong, bytes left over
 * included, is a `MALFORMED` `ProtocolError` that names message, version, field path and offset.
 */
export function decode<F extends Fields>(
  message: Message<F>,
  version: number,
  bytes: Uint8Array,
  options?: ReadOptions,
): StructValue<F> {
  const reader = new ByteReader(bytes, 0, options)
  const value = codecOf(message, version).read(reader)
  expectEnd(reader, message.name, version)
  return value
}

/** Refuses bytes after the end of a message. */
export function expectEnd(reader: ByteReader, messageName: string, version: number): void {
  if (reader.remaining === 0) return
  throw new ProtocolError('MALFORMED', `${reader.remaining} bytes left over`, {
    messageName,
    version,
    offset: reader.offset,
  })
}

/** Writes a message into one exact buffer of its own. */
export function encode<F extends Fields>(
  message: Message<F>,
  version: number,
  value: Draft<StructValue<F>>,
): Uint8Array {
  return withWriter(false, writer => {
    codecOf(message, version).write(writer, value)
    return writer.bytes()
  })
}

/**
 * Writes a message as a list of buffers: byte fields of 4 KiB and more are the caller's own buffers and
 * must not change until they are sent; the small parts between them are views of a slab that many messages share. For sockets,
 * never for ports: cloning or transferring a view takes the whole slab.
 */
export function encodeParts<F extends Fields>(
  message: Message<F>,
  version: number,
  value: Draft<StructValue<F>>,
): Uint8Array[] {
  return withWriter(true, writer => {
    codecOf(message, version).write(writer, value)
    return writer.parts()
  })
}

/** Runs `write` with a writer whose slab is given back whatever happens. */
export function withWriter<R>(referencing: boolean, write: (writer: ByteWriter) => R): R {
  const writer = new ByteWriter(referencing)
  try {
    return write(writer)
  } catch (cause) {
    writer.release()
    throw cause
  }
}

type Value = Record<string, unknown>

/** One field that a version has. */
interface PlannedField {
  readonly name: string
  readonly type: FieldType
  readonly tag: number
}

/** One field that a version has no place for. */
interface AbsentField {
  readonly name: string
  readonly type: FieldType
  readonly ignorable: boolean
}

function compileStruct(fields: Fields, version: number, flexible: boolean): FieldType {
  const positional: PlannedField[] = []
  const tagged: PlannedField[] = []
  const absent: AbsentField[] = []
  const all: [string, FieldType][] = []
  for (const [name, field] of Object.entries(fields)) {
    const type = compileField(field, version, flexible)
    all.push([name, type])
    if (!inVersions(field.versions, version)) absent.push({ name, type, ignorable: field.ignorable === true })
    else if (isTagged(field, version)) tagged.push({ name, type, tag: field.tag! })
    else positional.push({ name, type, tag: -1 })
  }
  tagged.sort((a, b) => a.tag - b.tag)
  const create = creatorOf(all, new Set(positional.map(field => field.name)))
  return {
    sizeMin: positional.reduce((sum, field) => sum + field.type.sizeMin, flexible ? 1 : 0),
    isStruct: true,
    defaultOf: () => create() as Value,
    isDefault: value => all.every(([name, type]) => isDefaultField(type, (value as Value)[name])),
    read: structReader(create, positional, tagged, flexible),
    write: structWriter(positional, tagged, absent, flexible),
  }
}

function isTagged(field: Field<any>, version: number): boolean {
  return field.tag !== undefined && inVersions(field.tagged ?? field.versions, version)
}

function isDefaultField(type: FieldType, value: unknown): boolean {
  return value === undefined || type.isDefault(value)
}

function compileField(field: Field<any>, version: number, messageFlexible: boolean): FieldType {
  const flexible = messageFlexible && (field.flexible === undefined || inVersions(field.flexible, version))
  const struct = typeof field.element === 'string' ? undefined : compileStruct(field.element, version, messageFlexible)
  return fieldTypeOf(field, struct, {
    compact: flexible,
    nullable: inVersions(field.nullable, version),
    tagged: isTagged(field, version),
  })
}

/** Makes values with every field there is, so that all values of a struct have one shape; what is read is set later. */
function creatorOf(all: [string, FieldType][], read: Set<string>): () => Value {
  const template: Value = {}
  const fresh: [string, () => unknown][] = []
  for (const [name, type] of all) {
    const value = type.defaultOf()
    template[name] = value
    if (typeof value === 'object' && value !== null && !read.has(name)) fresh.push([name, type.defaultOf])
  }
  if (fresh.length === 0) return () => ({ ...template })
  return () => {
    const value = { ...template }
    for (const [name, make] of fresh) value[name] = make()
    return value
  }
}

function structReader(
  create: () => Value,
  positional: PlannedField[],
  tagged: PlannedField[],
  flexible: boolean,
): FieldType['read'] {
  const count = positional.length
  const names = positional.map(field => field.name)
  const reads = positional.map(field => field.type.read)
  const readTags = flexible ? tagReader(tagged) : undefined
  return reader => {
    const value = create()
    let i = 0
    try {
      for (; i < count; i++) value[names[i]!] = reads[i]!(reader)
    } catch (cause) {
      throw cause instanceof ProtocolError ? cause.within(names[i]!) : cause
    }
    readTags?.(reader, value)
    return value
  }
}

/** Reads the tagged section. Tags must ascend, which also rules out duplicates (KIP-482). */
function tagReader(tagged: PlannedField[]): (reader: ByteReader, value: Value) => void {
  const known = new Map(tagged.map(field => [field.tag, field]))
  return (reader, value) => {
    const count = reader.count(reader.unsignedVarint(), 2)
    let previous = -1
    for (let i = 0; i < count; i++) {
      const tag = reader.unsignedVarint()
      if (tag <= previous) reader.fail(`tag ${tag} after tag ${previous}`)
      previous = tag
      const size = reader.unsignedVarint()
      if (size > reader.remaining) reader.fail(`tag ${tag} needs ${size} bytes, ${reader.remaining} left`)
      const field = known.get(tag)
      if (field !== undefined) readTagged(reader, value, field, size)
      else if (reader.keepUnknownTags) keepUnknownTag(value, { tag, bytes: reader.view(size) })
      else reader.view(size)
    }
  }
}

/** Reads a tagged section of which nothing is wanted. */
export function passTags(reader: ByteReader): void {
  noTags(reader, {})
}

const noTags = tagReader([])

function readTagged(reader: ByteReader, value: Value, field: PlannedField, size: number): void {
  const outerEnd = reader.end
  reader.end = reader.offset + size
  try {
    value[field.name] = field.type.read(reader)
    if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes left over in tag ${field.tag}`)
  } catch (cause) {
    throw cause instanceof ProtocolError ? cause.within(field.name) : cause
  }
  reader.end = outerEnd
}

function keepUnknownTag(value: Value, tag: UnknownTag): void {
  const kept = value.unknownTags as UnknownTag[] | undefined
  if (kept === undefined) value.unknownTags = [tag]
  else kept.push(tag)
}

function structWriter(
  positional: PlannedField[],
  tagged: PlannedField[],
  absent: AbsentField[],
  flexible: boolean,
): FieldType['write'] {
  const guarded = absent.filter(field => !field.ignorable)
  const writePositional = (writer: ByteWriter, value: Value) => {
    for (const { name, type } of positional) {
      const given = value[name]
      try {
        type.write(writer, given === undefined ? type.defaultOf() : given)
      } catch (cause) {
        throw cause instanceof ProtocolError ? cause.within(name) : cause
      }
    }
  }
  return (writer, given) => {
    if (typeof given !== 'object' || given === null) writer.fail(`expected an object, got ${describe(given)}`)
    const value = given as Value
    if (!writer.dropsAbsent) {
      for (const field of guarded) if (!isDefaultField(field.type, value[field.name])) refuseAbsent(field.name)
    }
    writePositional(writer, value)
    if (flexible) writeTags(writer, value, tagged)
    else if ((value.unknownTags as UnknownTag[] | undefined)?.length) refuseAbsent('unknownTags')
  }
}

function refuseAbsent(name: string): never {
  throw new ProtocolError('UNSUPPORTED_VERSION', 'this version has no place for a value here').within(name)
}

function describe(value: unknown): string {
  return value === null ? 'null' : typeof value
}

/** Writes tagged fields that differ from their default, and the unknown ones that were kept, in ascending order. */
function writeTags(writer: ByteWriter, value: Value, tagged: PlannedField[]): void {
  const unknown = (value.unknownTags as UnknownTag[] | undefined) ?? []
  const present = tagged.filter(({ name, type }) => !isDefaultField(type, value[name]))
  writer.unsignedVarint(present.length + unknown.length)
  if (present.length + unknown.length === 0) return
  const all = [...present, ...unknown].sort((a, b) => a.tag - b.tag)
  let previous = -1
  for (const entry of all) {
    if (entry.tag === previous) writer.fail(`tag ${entry.tag} twice`)
    previous = entry.tag
    writer.unsignedVarint(entry.tag)
    if ('bytes' in entry) writer.sized(() => writer.raw(entry.bytes))
    else writeTagged(writer, value, entry)
  }
}

function writeTagged(writer: ByteWriter, value: Value, { name, type }: PlannedField): void {
  try {
    writer.sized(() => type.write(writer, value[name]))
  } catch (cause) {
    throw cause instanceof ProtocolError ? cause.within(name) : cause
  }
}
