// Layout of a load record's value: who sent it, its number, and when it should have been sent. The rest is payload.
//
//   0       4        6           8              16              24             size
//   | runId | worker | partition | sequence f64 | intended f64  | payload ...  |
//
// `sequence` counts per worker and partition from 0, and is negative in a transaction that will be aborted; `intended` is milliseconds since 1970, with fractions. Little-endian.
import { assert } from '@odradek/shared/base/assert'
import type { Codec } from '@odradek/shared/client/codecs'

export const LOAD_RECORD_BYTES_MIN = 24

/** A record to send; the same object may be changed and sent again once it was encoded. */
export interface LoadRecord {
  readonly partition: number
  sequence: number
  /** Milliseconds since 1970. */
  intended: number
}

const WORDS = [
  'order',
  'shipped',
  'customer',
  'amount',
  'status',
  'created',
  'region',
  'north',
  'paid',
  'item',
  'total',
  'note',
]
const POOL_BYTES = 64 * 1024

/** Writes load records of one worker. `random` is uniform in [0, 1). */
export function loadEncoder(
  { size, payload, runId }: { readonly size: number; readonly payload: 'text' | 'random'; readonly runId: number },
  worker: number,
  random: () => number,
): Codec<LoadRecord> {
  assert(size >= LOAD_RECORD_BYTES_MIN, 'a load record has room for its head')
  const pool = payload === 'text' ? textPool(size, random) : randomPool(size, random)
  let at = 0
  const encodeInto = ({ partition, sequence, intended }: LoadRecord, target: Buffer, from: number) => {
    if (target.length - from < size) return -1
    at = (at + 61) % POOL_BYTES
    pool.copy(target, from + LOAD_RECORD_BYTES_MIN, at, at + size - LOAD_RECORD_BYTES_MIN)
    target.writeUInt32LE(runId, from)
    target.writeUInt16LE(worker, from + 4)
    target.writeUInt16LE(partition, from + 6)
    target.writeDoubleLE(sequence, from + 8)
    target.writeDoubleLE(intended, from + 16)
    return from + size
  }
  const encode = (record: LoadRecord) => {
    const bytes = Buffer.allocUnsafeSlow(size)
    encodeInto(record, bytes, 0)
    return bytes
  }
  return { encode, encodeInto, decode: () => assert(false, 'a load encoder only encodes') as never }
}

function textPool(size: number, random: () => number): Buffer {
  let text = ''
  while (text.length < POOL_BYTES + size) {
    text += `"${WORDS[Math.floor(random() * WORDS.length)]}":${Math.floor(random() * 100_000)},`
  }
  return Buffer.from(text)
}

function randomPool(size: number, random: () => number): Buffer {
  const pool = Buffer.allocUnsafeSlow(POOL_BYTES + size)
  for (let index = 0; index < pool.length; index++) pool[index] = Math.floor(random() * 256)
  return pool
}

/** What a reader of load records sees; numbers are those of the layout. */
export type LoadVisitor = (worker: number, partition: number, sequence: number, intended: number) => void

/** Reads load records of one run without making objects. False for values of others: `visit` hears nothing of them. */
export function loadDecoder(runId: number, visit: LoadVisitor): Codec<boolean> {
  const decodeRange = (bytes: Uint8Array, from: number, to: number) => {
    const view = bytes as Buffer
    if (to - from < LOAD_RECORD_BYTES_MIN || view.readUInt32LE(from) !== runId) return false
    visit(
      view.readUInt16LE(from + 4),
      view.readUInt16LE(from + 6),
      view.readDoubleLE(from + 8),
      view.readDoubleLE(from + 16),
    )
    return true
  }
  return {
    encode: () => assert(false, 'a load decoder only decodes') as never,
    decode: bytes => decodeRange(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length),
    decodeRange: (bytes, from, to) =>
      decodeRange(
        Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
        from,
        to,
      ),
  }
}
