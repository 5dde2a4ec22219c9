// How Kafka stores messages: a number or two before the body. Used by the coordinators, the consumer's membership and tools.
//
//   versioned          | version int16 | body |                              values, control records, consumer protocol
//   coordinator key    | type int16    | body at version 0 |                 type = `apiKey` of the key's schema
//   metadata record    | frame version varint = 1 | type varint | version varint | body |

import { ByteReader, type ReadOptions } from '../byte-reader.ts'
import { codecOf, expectEnd, withWriter } from '../codec.ts'
import { ProtocolError } from '../protocol-error.ts'
import { type Draft, type Fields, type Message, parseVersions, type StructValue } from '../schema.ts'

/** The frame of a metadata record; there has only ever been one (Java: `AbstractApiMessageSerde`). */
const METADATA_FRAME_VERSION = 1

/** Writes `int16 version + body` into an exact buffer of its own. */
export function encodeVersioned<F extends Fields>(
  message: Message<F>,
  version: number,
  value: Draft<StructValue<F>>,
): Uint8Array {
  return withWriter(false, writer => {
    writer.int16(version)
    codecOf(message, version).write(writer, value)
    return writer.bytes()
  })
}

/** Reads `int16 version + body`. A version that is not ours is an `UNSUPPORTED_VERSION` error. */
export function decodeVersioned<F extends Fields>(
  message: Message<F>,
  bytes: Uint8Array,
  options?: ReadOptions,
): StructValue<F> {
  const reader = new ByteReader(bytes, 0, options)
  const version = reader.int16()
  const value = codecOf(message, version).read(reader)
  expectEnd(reader, message.name, version)
  return value
}

/**
 * Reads `int16 version + body` where versions only append fields. A newer version is read as our newest, and what follows is
 * left alone (Java: `ConsumerProtocol`). A body that is too short for its version is read as the newest version that it
 * holds: @platformatic/kafka 1.35.0 writes version 1 of a subscription without the field that version 1 added.
 * A negative version, and a body too short for every version, are malformed.
 */
export function decodeVersionedLenient<F extends Fields>(message: Message<F>, bytes: Uint8Array): StructValue<F> {
  const reader = new ByteReader(bytes)
  const declared = reader.int16()
  if (declared < 0) reader.fail(`version ${declared}`)
  const { low, high } = parseVersions(message.versions)
  const bodyOffset = reader.offset
  for (let version = Math.min(declared, high); ; version--) {
    reader.offset = bodyOffset
    try {
      return codecOf(message, version).read(reader)
    } catch (cause) {
      if (version <= low || !(cause instanceof ProtocolError)) throw cause
    }
  }
}

/** Writes the key of a coordinator record. */
export function encodeCoordinatorKey<F extends Fields>(key: Message<F>, value: Draft<StructValue<F>>): Uint8Array {
  return withWriter(false, writer => {
    writer.int16(key.apiKey!)
    codecOf(key, 0).write(writer, value)
    return writer.bytes()
  })
}

/** The record type before a coordinator key, which says what schema key and value have. */
export function coordinatorRecordType(key: Uint8Array): number {
  return new ByteReader(key).int16()
}

/** Reads the key of a coordinator record of this type; another type is malformed. */
export function decodeCoordinatorKey<F extends Fields>(key: Message<F>, bytes: Uint8Array): StructValue<F> {
  const reader = new ByteReader(bytes)
  const type = reader.int16()
  if (type !== key.apiKey) reader.fail(`record type ${type}, expected ${key.apiKey} (${key.name})`)
  const value = codecOf(key, 0).read(reader)
  expectEnd(reader, key.name, 0)
  return value
}

/** Writes a record of the metadata log. */
export function encodeMetadataRecord<F extends Fields>(
  message: Message<F>,
  version: number,
  value: Draft<StructValue<F>>,
): Uint8Array {
  return withWriter(false, writer => {
    writer.unsignedVarint(METADATA_FRAME_VERSION)
    writer.unsignedVarint(message.apiKey!)
    writer.unsignedVarint(version)
    codecOf(message, version).write(writer, value)
    return writer.bytes()
  })
}

/** A record of the metadata log, with the schema that its type belongs to. */
export type MetadataRecord<M> =
  M extends Message<infer F> ? { readonly message: M; readonly version: number; readonly value: StructValue<F> } : never

/** Reads a record of the metadata log that is one of `messages`; others are an `UNSUPPORTED_VERSION` error. */
export function decodeMetadataRecord<M extends Message<any>>(
  messages: readonly M[],
  bytes: Uint8Array,
): MetadataRecord<M> {
  const reader = new ByteReader(bytes)
  const frameVersion = reader.unsignedVarint()
  if (frameVersion !== METADATA_FRAME_VERSION) reader.fail(`frame version ${frameVersion}`)
  const type = reader.unsignedVarint()
  const version = reader.unsignedVarint()
  const message = messages.find(candidate => candidate.apiKey === type)
  if (message === undefined) {
    throw new ProtocolError('UNSUPPORTED_VERSION', `metadata record of type ${type} is not known here`)
  }
  const value = codecOf(message, version).read(reader)
  expectEnd(reader, message.name, version)
  return { message, version, value } as MetadataRecord<M>
}
