/**
 * Zigzag varints of the record format (protobuf's sint32 and sint64; Kafka's `ByteUtils`), for builder and reader.
 * Writers return the position after what they wrote; readers advance a cursor. Nothing here allocates.
 */
import { CorruptRecordError } from './corrupt-record-error.ts'

const INT32_MIN = -(2 ** 31)
const INT32_MAX = 2 ** 31 - 1

// A varlong is handled as two parts, because 2 * (2^53 - 1) + 1 is not a number that a double holds exactly:
//
//     zigzag value = | upper ... | lower 27 bits of the magnitude | sign bit |
//                                 \____________ 28 bits = 4 bytes _________/
const LOWER_MAGNITUDE = 2 ** 27
const UPPER_MAGNITUDE_MAX = 2 ** 26

/** A position in borrowed bytes. `end` is exclusive; readers refuse to pass it. */
export class ByteCursor {
  bytes: Uint8Array
  position: number
  end: number

  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    this.bytes = bytes
    this.position = position
    this.end = end
  }
}

/** Bytes that `writeVarint` needs for an int32: 1 to 5. */
export function varintSize(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  if (zigzag < 0x80) return 1
  if (zigzag < 0x4000) return 2
  if (zigzag < 0x200000) return 3
  if (zigzag < 0x10000000) return 4
  return 5
}

/** Bytes that `writeVarlong` needs for a safe integer: 1 to 8. */
export function varlongSize(value: number): number {
  if (value >= INT32_MIN && value <= INT32_MAX) return varintSize(value)
  let size = 4
  let upper = Math.floor((value < 0 ? -value - 1 : value) / LOWER_MAGNITUDE)
  while (upper > 0) {
    size++
    upper = Math.floor(upper / 0x80)
  }
  return size
}

/** Writes an int32; the caller has made room. Returns the position after it. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  let position = at
  while (zigzag >= 0x80) {
    bytes[position++] = (zigzag & 0x7f) | 0x80
    zigzag >>>= 7
  }
  bytes[position++] = zigzag
  return position
}

/** Writes a safe integer; the caller has made room. Returns the position after it. */
export function writeVarlong(bytes: Uint8Array, at: number, value: number): number {
  if (value >= INT32_MIN && value <= INT32_MAX) return writeVarint(bytes, at, value)
  const magnitude = value < 0 ? -value - 1 : value
  const lower = (magnitude % LOWER_MAGNITUDE) * 2 + (value < 0 ? 1 : 0)
  let upper = Math.floor(magnitude / LOWER_MAGNITUDE)
  bytes[at] = (lower & 0x7f) | 0x80
  bytes[at + 1] = ((lower >>> 7) & 0x7f) | 0x80
  bytes[at + 2] = ((lower >>> 14) & 0x7f) | 0x80
  bytes[at + 3] = (lower >>> 21) | 0x80
  let position = at + 4
  while (upper >= 0x80) {
    bytes[position++] = (upper & 0x7f) | 0x80
    upper = Math.floor(upper / 0x80)
  }
  bytes[position++] = upper
  return position
}

/**
 * Reads an int32. Padded encodings are accepted, as Kafka does; more than five bytes, more than 32 bits or a cut
 * varint are refused with INVALID_RECORD.
 */
export function readVarint(cursor: ByteCursor): number {
  const { bytes, end } = cursor
  let position = cursor.position
  let zigzag = 0
  for (let shift = 0; shift < 35; shift += 7) {
    if (position >= end) throw new CorruptRecordError('INVALID_RECORD', 'varint is cut off')
    const byte = bytes[position++]
    if (byte < 0x80) {
      if (shift === 28 && byte > 0x0f) break
      zigzag |= byte << shift
      cursor.position = position
      return (zigzag >>> 1) ^ -(zigzag & 1)
    }
    zigzag |= (byte & 0x7f) << shift
  }
  throw new CorruptRecordError('INVALID_RECORD', 'varint is longer than 32 bits')
}

/**
 * Reads an int64 that must be a safe integer. Refused with INVALID_RECORD: more than ten bytes, a cut varlong, and a
 * value outside +-(2^53 - 1), which no offset or timestamp of ours can be.
 */
export function readVarlong(cursor: ByteCursor): number {
  const { bytes, end } = cursor
  let position = cursor.position
  let lower = 0
  let upper = 0
  let upperFactor = 1
  for (let index = 0; index < 10; index++) {
    if (position >= end) throw new CorruptRecordError('INVALID_RECORD', 'varlong is cut off')
    const byte = bytes[position++]
    if (index < 4) {
      lower |= (byte & 0x7f) << (7 * index)
    } else {
      upper += (byte & 0x7f) * upperFactor
      upperFactor *= 0x80
    }
    if (byte < 0x80) {
      cursor.position = position
      const magnitude = (lower >>> 1) + upper * LOWER_MAGNITUDE
      const value = (lower & 1) === 0 ? magnitude : -magnitude - 1
      if (upper >= UPPER_MAGNITUDE_MAX || !Number.isSafeInteger(value)) break
      return value
    }
  }
  throw new CorruptRecordError('INVALID_RECORD', 'varlong is outside the safe integers')
}
