// Frames and headers: what stands around every message on a connection. Used by the listener and by the wire link.
//
//   | size int32 | header | body |                          size counts header and body
//
//   request header   v1: | api key int16 | version int16 | correlation id int32 | client id nullable string |
//                    v2: the same, then | tagged fields |; the client id stays a plain string with int16 length
//                    v0: without client id; only ControlledShutdown v0 had it, which Kafka 4 has dropped
//   response header  v0: | correlation id int32 |     v1: the same, then | tagged fields |
//
// The header is the newer one in flexible versions of the message, except that ApiVersions is always answered with v0:
// a client must be able to read that answer before it knows what the broker speaks (KIP-511).

import { apiOf } from './api-table.ts'
import { ByteReader, type ReadOptions } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { codecOf, expectEnd, passTags, withWriter } from './codec.ts'
import { readString } from './field-types.ts'
import { ProtocolError } from './protocol-error.ts'
import { type Draft, data, type Fields, int16, int32, type Message, type StructValue, string } from './schema.ts'

/** API key of ApiVersions, the exception among response headers. */
const API_VERSIONS_KEY = 18
/** API key of ControlledShutdown, the exception among request headers. */
const CONTROLLED_SHUTDOWN_KEY = 7

export const requestHeader = data(
  'RequestHeader',
  { type: 'header', versions: '1-2', flexible: '2+' },
  {
    requestApiKey: int16('0+'),
    requestApiVersion: int16('0+'),
    correlationId: int32('0+'),
    /** Never compact, so that a broker can read the header of a version it does not know. */
    clientId: string('1+', { nullable: '1+', flexible: 'none' }),
  },
)

export const responseHeader = data(
  'ResponseHeader',
  { type: 'header', versions: '0-1', flexible: '1+' },
  { correlationId: int32('0+') },
)

/** What can be read of a request without knowing its API. */
export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
  /** Where the body begins, if API and version are Kafka's; where the client id ends otherwise. */
  readonly bodyOffset: number
}

/** Header version of a request: 2 for flexible versions, 1 otherwise, 0 for ControlledShutdown v0. */
export function requestHeaderVersion(apiKey: number, apiVersion: number): 0 | 1 | 2 {
  if (apiKey === CONTROLLED_SHUTDOWN_KEY && apiVersion === 0) return 0
  const api = apiOf(apiKey)
  return api !== undefined && apiVersion >= api.flexibleFrom ? 2 : 1
}

/** Header version of a response: 1 for flexible versions, 0 otherwise and always for ApiVersions. */
export function responseHeaderVersion(apiKey: number, apiVersion: number): 0 | 1 {
  if (apiKey === API_VERSIONS_KEY) return 0
  return requestHeaderVersion(apiKey, apiVersion) === 2 ? 1 : 0
}

/**
 * Reads the header of a request and leaves the body alone. `frame` is a frame without its size. Never refuses an API or
 * version; bytes that cannot be a header are a `MALFORMED` `ProtocolError`.
 */
export function peekRequestHeader(frame: Uint8Array): RequestHeader {
  const reader = new ByteReader(frame)
  // By hand: every request has one.
  const apiKey = reader.int16()
  const apiVersion = reader.int16()
  const correlationId = reader.int32()
  const version = requestHeaderVersion(apiKey, apiVersion)
  try {
    const clientId = version === 0 ? null : readString(reader, false, true)
    if (version === 2) passTags(reader)
    return { apiKey, apiVersion, correlationId, clientId, bodyOffset: reader.offset }
  } catch (cause) {
    throw cause instanceof ProtocolError ? cause.inMessage(requestHeader.name, version) : cause
  }
}

export interface RequestReadOptions extends ReadOptions {
  /**
   * Takes a body with bytes left over, and is told how many; without it they are `MALFORMED`. Kafka's brokers pass over them, and librdkafka up to 2.16 sends
   * three when it asks for all topics (librdkafka #5049).
   */
  readonly onLeftOver?: (bytes: number) => void
}

/** Reads the body of a request whose header was peeked. Byte fields are views of `frame`. */
export function decodeRequest<F extends Fields>(
  message: Message<F>,
  header: RequestHeader,
  frame: Uint8Array,
  options?: RequestReadOptions,
): StructValue<F> {
  const reader = new ByteReader(frame, header.bodyOffset, options)
  const value = codecOf(message, header.apiVersion).read(reader)
  if (!options?.onLeftOver) expectEnd(reader, message.name, header.apiVersion)
  else if (reader.remaining > 0) options.onLeftOver(reader.remaining)
  return value
}

/** What a client says about a request besides its body. */
export interface RequestEnvelope {
  readonly correlationId: number
  readonly clientId: string | null
}

/** A request as a frame with its size: a list of buffers as from `encodeParts`. */
export function encodeRequest<F extends Fields>(
  message: Message<F>,
  version: number,
  envelope: RequestEnvelope,
  value: Draft<StructValue<F>>,
): Uint8Array[] {
  const apiKey = message.apiKey!
  const headerVersion = requestHeaderVersion(apiKey, version) === 2 ? 2 : 1
  return encodeFrame(writer => {
    codecOf(requestHeader, headerVersion).write(writer, {
      requestApiKey: apiKey,
      requestApiVersion: version,
      correlationId: envelope.correlationId,
      clientId: envelope.clientId,
    })
    codecOf(message, version).write(writer, value)
  })
}

/**
 * A response as a frame with its size: a list of buffers as from `encodeParts`. The value has the newest shape: what the client's version has no place
 * for (a leader epoch in ListOffsets 2) is left out, since that is all an old client can be told.
 */
export function encodeResponse<F extends Fields>(
  message: Message<F>,
  version: number,
  correlationId: number,
  value: Draft<StructValue<F>>,
): Uint8Array[] {
  const headerVersion = responseHeaderVersion(message.apiKey!, version)
  return encodeFrame(writer => {
    writer.dropsAbsent = true
    codecOf(responseHeader, headerVersion).write(writer, { correlationId })
    codecOf(message, version).write(writer, value)
  })
}

function encodeFrame(write: (writer: ByteWriter) => void): Uint8Array[] {
  return withWriter(true, writer => {
    writer.int32(0)
    write(writer)
    writer.patchSize(writer.length - 4)
    return writer.parts()
  })
}

/** The correlation id of a response, which says what request it answers and thereby how to read the rest. */
export function peekCorrelationId(frame: Uint8Array): number {
  return new ByteReader(frame).int32()
}

/** Reads a response, header included. Byte fields are views of `frame`, which is a frame without its size. */
export function decodeResponse<F extends Fields>(
  message: Message<F>,
  version: number,
  frame: Uint8Array,
  options?: ReadOptions,
): StructValue<F> {
  const reader = new ByteReader(frame, 0, options)
  codecOf(responseHeader, responseHeaderVersion(message.apiKey!, version)).read(reader)
  const value = codecOf(message, version).read(reader)
  expectEnd(reader, message.name, version)
  return value
}
