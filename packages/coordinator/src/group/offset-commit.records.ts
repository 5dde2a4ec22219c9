// Offsets are nearly all that a group shard loads, so they are read by hand: five to eight times as fast as through the schema. Whatever is not exactly as this version
// writes it (older versions, unknown tagged fields, damage) is left to the schema's reader, which says what is wrong. A test holds both against each other.
//
//   key             | type int16 = 1 | group string | topic string | partition int32 |           string: length int16, UTF-8
//   value           | version int16  | offset int64 | leader epoch int32 | metadata | commit time int64 | tagged
//     version 3       metadata: string, no tagged fields
//     version 4       metadata: compact string (length + 1 as varint); tagged fields: none (0), or the topic id (1, 0, 16, uuid)
import { ZERO_TOPIC_ID } from '@odradek/shared/base/brands'
import type { RecordOf } from './group.records.ts'

const COMMIT_TYPE = 1
const VALUE_BYTES_MIN = 2 + 8 + 4
const TOPIC_ID_BYTES = 16

/** Undefined: not one of these. */
export function readOffsetCommit(key: Uint8Array, value: Uint8Array | null): RecordOf<'OffsetCommit'> | undefined {
  if (value === null || key.length < 10 || key[0] !== 0 || key[1] !== COMMIT_TYPE) return undefined
  const topicAt = 4 + int16(key, 2)
  if (int16(key, 2) < 0 || topicAt + 2 > key.length) return undefined
  const partitionAt = topicAt + 2 + int16(key, topicAt)
  if (int16(key, topicAt) < 0 || partitionAt + 4 !== key.length) return undefined
  const read = readValue(value)
  if (read === undefined) return undefined
  const group = text(key, 4, topicAt)
  const topic = text(key, topicAt + 2, partitionAt)
  return { kind: 'OffsetCommit', key: { group, topic, partition: int32(key, partitionAt) }, value: read }
}

function readValue(value: Uint8Array): RecordOf<'OffsetCommit'>['value'] | undefined {
  const version = value.length < VALUE_BYTES_MIN + 2 ? -1 : int16(value, 0)
  if (version !== 3 && version !== 4) return undefined
  const isFlexible = version === 4
  const lengthBytes = isFlexible ? 1 : 2
  // A longer varint: metadata of 127 bytes and more.
  if (isFlexible && value[VALUE_BYTES_MIN]! > 127) return undefined
  const length = isFlexible ? value[VALUE_BYTES_MIN]! - 1 : int16(value, VALUE_BYTES_MIN)
  const metadataAt = VALUE_BYTES_MIN + lengthBytes
  const timeAt = metadataAt + length
  const end = timeAt + 8
  if (length < 0 || end > value.length) return undefined
  const topicId = isFlexible ? readTopicId(value, end) : end === value.length ? ZERO_TOPIC_ID : undefined
  if (topicId === undefined) return undefined
  return {
    offset: int64(value, 2),
    leaderEpoch: int32(value, 10),
    metadata: length === 0 ? '' : text(value, metadataAt, timeAt),
    commitTimestamp: int64(value, timeAt),
    expireTimestamp: -1,
    topicId,
  }
}

function readTopicId(value: Uint8Array, at: number): string | undefined {
  if (value.length === at + 1 && value[at] === 0) return ZERO_TOPIC_ID
  const isId = value[at] === 1 && value[at + 1] === 0 && value[at + 2] === TOPIC_ID_BYTES
  if (!isId || value.length !== at + 3 + TOPIC_ID_BYTES) return undefined
  return bufferOf(value).toString('base64url', at + 3)
}

function int16(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) >> 16) | bytes[at + 1]!
}

function int32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

function int64(bytes: Uint8Array, at: number): number {
  return int32(bytes, at) * 2 ** 32 + (int32(bytes, at + 4) >>> 0)
}

/** Names are short and mostly ASCII: cheaper letter by letter than through a decoder. */
function text(bytes: Uint8Array, from: number, to: number): string {
  let ascii = ''
  for (let at = from; at < to; at++) {
    if (bytes[at]! > 127) return bufferOf(bytes).toString('utf8', from, to)
    ascii += String.fromCharCode(bytes[at]!)
  }
  return ascii
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
