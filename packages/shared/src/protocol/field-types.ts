// How one field is read and written: a primitive, an array or a nested struct, plain or compact, nullable or not.
// `codec.ts` asks once per field and version; the functions returned here then run without asking anything again.
//
//   string   int16 length, or compact: varint of length + 1; -1 (compact 0) is null
//   bytes    int32 length, or compact; likewise records
//   array    int32 count, or compact; likewise
//   struct   its fields; a nullable one stands behind an int8, -1 for null and 1 otherwise (KIP-893),
//            or, as a tagged field, behind a varint, 0 for null and 1 otherwise (as Kafka's generated code does)

import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { ProtocolError } from './protocol-error.ts'
import { type Field, INT64_MAX, type PrimitiveName, ZERO_UUID } from './schema.ts'

/** A field's type in one version, compiled. */
export interface FieldType {
  /** The fewest bytes that a value takes. */
  readonly sizeMin: number
  readonly isStruct: boolean
  /** The value of a field that was left out or that the version does not have; arrays and structs are new each time. */
  readonly defaultOf: () => unknown
  readonly isDefault: (value: unknown) => boolean
  readonly read: (reader: ByteReader) => unknown
  readonly write: (writer: ByteWriter, value: unknown) => void
}

interface Encoding {
  readonly compact: boolean
  readonly nullable: boolean
  readonly tagged: boolean
}

/** What a struct counts against `limits.messageElementsMax`. */
const STRUCT_WEIGHT = 8

const EMPTY_BYTES = new Uint8Array(0)

/** Compiles the type of a field; `struct` is the compiled struct of a field that has one. */
export function fieldTypeOf(field: Field<any>, struct: FieldType | undefined, encoding: Encoding): FieldType {
  if (!field.array) return singleType(field, struct, encoding)
  const element = { element: field.element, array: false, versions: field.versions }
  const elementType = singleType(element, struct, { compact: encoding.compact, nullable: false, tagged: false })
  return arrayType(field, elementType, encoding)
}

function singleType(field: Field<any>, struct: FieldType | undefined, encoding: Encoding): FieldType {
  if (struct !== undefined) return structType(field, struct, encoding)
  const name = field.element as PrimitiveName
  if (name === 'string') return stringType(field, encoding)
  if (name === 'bytes' || name === 'records') return bytesType(field, encoding)
  const type = scalarType(name)
  if (field.default === undefined) return type
  const value = field.default
  return { ...type, defaultOf: () => value, isDefault: given => given === value }
}

/** Primitives of a fixed size. */
function scalarType(name: Exclude<PrimitiveName, 'string' | 'bytes' | 'records'>): FieldType {
  switch (name) {
    case 'bool':
      return scalar(1, false, reader => reader.bool(), writeBool)
    case 'int8':
      return scalar(
        1,
        0,
        reader => reader.int8(),
        integer(-0x80, 0x7f, (writer, value) => writer.int8(value)),
      )
    case 'int16':
      return scalar(
        2,
        0,
        reader => reader.int16(),
        integer(-0x8000, 0x7fff, (writer, value) => writer.int16(value)),
      )
    case 'uint16':
      return scalar(
        2,
        0,
        reader => reader.uint16(),
        integer(0, 0xffff, (writer, value) => writer.int16(value)),
      )
    case 'int32':
      return scalar(4, 0, reader => reader.int32(), integer(-(2 ** 31), 2 ** 31 - 1, writeInt32))
    case 'int64':
      return scalar(8, 0, reader => reader.int64(), integer(-INT64_MAX, INT64_MAX, writeInt64))
    case 'float64':
      return scalar(8, 0, reader => reader.float64(), writeFloat64)
    case 'uuid':
      return scalar(16, ZERO_UUID, reader => reader.uuid(), writeUuid)
  }
}

function scalar(
  sizeMin: number,
  value: unknown,
  read: FieldType['read'],
  write: (writer: ByteWriter, value: any) => void,
): FieldType {
  return { sizeMin, isStruct: false, defaultOf: () => value, isDefault: given => given === value, read, write }
}

function mismatch(expected: string, value: unknown): never {
  const got = value === null ? 'null' : typeof value === 'number' ? String(value) : typeof value
  throw new ProtocolError('INVALID_VALUE', `expected ${expected}, got ${got}`)
}

const writeInt32 = (writer: ByteWriter, value: number) => writer.int32(value)
const writeInt64 = (writer: ByteWriter, value: number) => writer.int64(value)

function writeBool(writer: ByteWriter, value: unknown): void {
  if (typeof value !== 'boolean') mismatch('a boolean', value)
  writer.bool(value)
}

function writeFloat64(writer: ByteWriter, value: unknown): void {
  if (typeof value !== 'number') mismatch('a number', value)
  writer.float64(value)
}

function writeUuid(writer: ByteWriter, value: unknown): void {
  if (typeof value !== 'string') mismatch('a UUID', value)
  writer.uuid(value)
}

function integer(min: number, max: number, write: (writer: ByteWriter, value: number) => void) {
  return (writer: ByteWriter, value: unknown) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
      mismatch(`an integer from ${min} to ${max}`, value)
    }
    write(writer, value)
  }
}

function stringType(field: Field<any>, { compact, nullable }: Encoding): FieldType {
  const value = field.default === undefined ? '' : field.default
  return {
    sizeMin: compact ? 1 : 2,
    isStruct: false,
    defaultOf: () => value,
    isDefault: given => given === value,
    read: reader => readString(reader, compact, nullable),
    write: (writer, given) => {
      if (given === null && nullable) writeNullLength(writer, compact, 2)
      else if (typeof given !== 'string') mismatch(nullable ? 'a string or null' : 'a string', given)
      else writer.string(given, compact)
    },
  }
}

export function readString(reader: ByteReader, compact: boolean, nullable: boolean): string | null {
  const length = compact ? reader.compactLength() : reader.int16()
  if (length === -1 && nullable) return null
  if (length < 0 || length > 0x7fff) reader.fail(length === -1 ? 'null string' : `string length ${length}`)
  return length === 0 ? '' : reader.utf8(length)
}

function bytesType(field: Field<any>, { compact, nullable }: Encoding): FieldType {
  const isNull = field.default === null
  return {
    sizeMin: compact ? 1 : 4,
    isStruct: false,
    defaultOf: () => (isNull ? null : EMPTY_BYTES),
    isDefault: given => (isNull ? given === null : given instanceof Uint8Array && given.length === 0),
    read: reader => readBytes(reader, compact, nullable),
    write: (writer, given) => {
      if (given === null && nullable) return writeNullLength(writer, compact, 4)
      if (!(given instanceof Uint8Array)) mismatch(nullable ? 'a Uint8Array or null' : 'a Uint8Array', given)
      writeLength(writer, given.length, compact)
      writer.raw(given)
    },
  }
}

function readBytes(reader: ByteReader, compact: boolean, nullable: boolean): Uint8Array | null {
  const length = compact ? reader.compactLength() : reader.int32()
  if (length === -1 && nullable) return null
  if (length < 0) reader.fail(length === -1 ? 'null bytes' : `length ${length}`)
  return reader.view(length)
}

function writeLength(writer: ByteWriter, length: number, compact: boolean): void {
  if (compact) writer.unsignedVarint(length + 1)
  else writer.int32(length)
}

function writeNullLength(writer: ByteWriter, compact: boolean, plainSize: 2 | 4): void {
  if (compact) writer.unsignedVarint(0)
  else if (plainSize === 2) writer.int16(-1)
  else writer.int32(-1)
}

function arrayType(field: Field<any>, element: FieldType, { compact, nullable }: Encoding): FieldType {
  const isNull = field.default === null
  return {
    sizeMin: compact ? 1 : 4,
    isStruct: false,
    defaultOf: () => (isNull ? null : []),
    isDefault: value => (isNull ? value === null : Array.isArray(value) && value.length === 0),
    read: arrayReader(element, compact, nullable),
    write: (writer, value) => {
      if (value === null && nullable) return writeNullLength(writer, compact, 4)
      if (!Array.isArray(value)) mismatch(nullable ? 'an array or null' : 'an array', value)
      writeElements(writer, value, element, compact)
    },
  }
}

function arrayReader(element: FieldType, compact: boolean, nullable: boolean): FieldType['read'] {
  const { read, isStruct } = element
  const sizeMin = Math.max(1, element.sizeMin)
  const weight = isStruct ? STRUCT_WEIGHT : 1
  return reader => {
    const declared = compact ? reader.compactLength() : reader.int32()
    if (declared === -1) return nullable ? null : reader.fail('null array')
    const count = reader.count(declared, sizeMin)
    reader.elements(count * weight)
    const values = new Array<unknown>(count)
    let i = 0
    try {
      for (; i < count; i++) values[i] = read(reader)
    } catch (cause) {
      throw cause instanceof ProtocolError ? cause.within(`[${i}]`) : cause
    }
    return values
  }
}

function writeElements(writer: ByteWriter, values: unknown[], element: FieldType, compact: boolean): void {
  const { write } = element
  writeLength(writer, values.length, compact)
  let i = 0
  try {
    for (; i < values.length; i++) write(writer, values[i])
  } catch (cause) {
    throw cause instanceof ProtocolError ? cause.within(`[${i}]`) : cause
  }
}

function structType(field: Field<any>, struct: FieldType, { nullable, tagged }: Encoding): FieldType {
  const isNull = field.default === null
  const isDefault = isNull ? (value: unknown) => value === null : nonNull(struct.isDefault)
  const defaultOf = isNull ? () => null : struct.defaultOf
  if (!nullable) return { ...struct, defaultOf, isDefault }
  return {
    sizeMin: 1,
    isStruct: true,
    defaultOf,
    isDefault,
    read: reader => (isNullMark(reader, tagged) ? null : struct.read(reader)),
    write: (writer, value) => {
      if (tagged) writer.unsignedVarint(value === null ? 0 : 1)
      else writer.int8(value === null ? -1 : 1)
      if (value !== null) struct.write(writer, value)
    },
  }
}

function isNullMark(reader: ByteReader, tagged: boolean): boolean {
  return tagged ? reader.unsignedVarint() === 0 : reader.int8() < 0
}

function nonNull(isDefault: (value: unknown) => boolean): (value: unknown) => boolean {
  return value => typeof value === 'object' && value !== null && isDefault(value)
}
