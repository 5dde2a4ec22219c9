// The stored form of a segment. Written by lmdb-segment.ts; read by recovery and by `odradek log`.
//
// A partition log is a folder <topic>-<partition>.<topicId> (a long topic name is cut; `partition.metadata` in it has the whole truth) with
// one folder per segment, named by its base offset in 20 digits and, when compaction has rewritten it, `.generation`. Which folders are the log
// is what the active segment's list of sealed ones says. Each segment is one LMDB environment with two named databases.
//
// `batches`: key = base offset (ordered-binary number), value = one or more adjacent v2 record batches, as sent but for base offset and leader
//   epoch. Batches of one commit share a value up to VALUE_BYTES_MAX; a larger batch has a value of its own. Values of earlier commits are
//   never touched again: LMDB packs small values densely at the right edge (measured 1.12 for 170-byte values, one commit each),
//   while growing the last value in place leaves half-empty pages behind (measured 2.2), and freeing multi-page values slows every later append.
//
// `meta`: what the batches add up to. Rows of state and producers may trail the batches: as of `nextOffset` in the state, what is behind it in `batches` has to be
//   added (trailing-rows.ts); all others are committed with what they say. Keys are ordered-binary arrays; numbers in values are big-endian, int64 as float64
//   (exact to 2^53-1):
//   ['format']              UTF-8 JSON { version, topic, topicId, partition, baseOffset }; by the first commit, and the first of each opening
//   ['state']               summary and log state, see below
//   ['epoch', epoch]        startOffset f64; all epochs of the log
//   ['producer', id]        producer state, see below
//   ['sealed', baseOffset]  summary of an earlier segment, f64 x 9
//   ['snapshot']            producer states as of the base offset, adjacent, each behind its id f64 and length u32; written once
//   ['time', timestamp]     offset f64: the first batch that rose above the entry before; up to `timestamp`, nothing so new begins earlier
//   ['aborted', lastOffset] producerId f64, firstOffset f64, lastStableOffset f64
//
// ['state']     | version u8 | flags u8: 1 clean | boot id 16 bytes | summary f64 x 9 | log state f64 x 5 |     = 130 bytes
// summary       baseOffset, generation, nextOffset, sizeInBytes, maxTimestamp, maxTimestampOffset, riseOffset, firstBatchTimestamp, firstAppendMs
// log state     logStartOffset, highWatermark, lastStableOffset, flushedOffset, firstDirtyOffset
// producer      | epoch i16 | coordinator epoch i32 | last timestamp f64 | current txn first offset f64 | batches u8 | batches ... |
//   each batch  | first sequence i32 | last sequence i32 | first offset f64 | last offset f64 | timestamp f64 |
import type { AbortedTransaction, ProducerBatch, ProducerState } from './partition-log.ts'
import type { LogState, SegmentName, SegmentSummary } from './segment.ts'
import { PAGE_BYTES } from './tree-page.ts'

/** A change that old readers cannot read makes this one larger. */
export const FORMAT_VERSION = 3
/** Rows of version 2 never trail the batches. */
export const FORMAT_VERSION_MIN = 2
/** 16 pages less their header: the size at which LMDB wastes least. */
export const VALUE_BYTES_MAX = 16 * PAGE_BYTES - 32

export const keys = {
  format: ['format'],
  state: ['state'],
  snapshot: ['snapshot'],
  epoch: (epoch: number) => ['epoch', epoch],
  producer: (id: number) => ['producer', id],
  sealed: (baseOffset: number) => ['sealed', baseOffset],
  time: (timestamp: number) => ['time', timestamp],
  aborted: (lastOffset: number) => ['aborted', lastOffset],
} as const

const SEGMENT_NAME = /^(\d{20})(?:\.([1-9]\d{0,14}))?$/

/** The name of a segment's folder. */
export function segmentFolder({ baseOffset, generation }: SegmentName): string {
  const base = String(baseOffset).padStart(20, '0')
  return generation === 0 ? base : `${base}.${generation}`
}

/** Undefined for names that are not a segment's. */
export function segmentOfFolder(folder: string): SegmentName | undefined {
  const [, base, generation = '0'] = SEGMENT_NAME.exec(folder) ?? []
  return base !== undefined && Number.isSafeInteger(Number(base))
    ? { baseOffset: Number(base), generation: Number(generation) }
    : undefined
}

const BOOT_ID_BYTES = 16
const STATE_VERSION = 2
const STATE_BYTES = 2 + BOOT_ID_BYTES + 14 * 8
const SUMMARY_FIELDS = [
  'baseOffset',
  'generation',
  'nextOffset',
  'sizeInBytes',
  'maxTimestamp',
  'maxTimestampOffset',
  'riseOffset',
  'firstBatchTimestamp',
  'firstAppendMs',
] as const satisfies readonly (keyof SegmentSummary)[]
const LOG_FIELDS = ['logStartOffset', 'highWatermark', 'lastStableOffset', 'flushedOffset', 'firstDirtyOffset'] as const

export interface StoredState {
  readonly summary: SegmentSummary
  readonly log: LogState
  /** Of the system start under which this was written, as 32 hex digits; zeros when the platform has none. */
  readonly bootId: string
}

/** Many commits write one: they are made in one place, each over the one before. */
const stateBytes = Buffer.alloc(STATE_BYTES)
const stateView = new DataView(stateBytes.buffer, stateBytes.byteOffset, STATE_BYTES)
let stateBootId = ''

/** Borrowed: the next call overwrites it. */
export function encodeState({ summary, log, bootId }: StoredState): Buffer {
  stateBytes[0] = STATE_VERSION
  stateBytes[1] = log.clean ? 1 : 0
  if (bootId !== stateBootId) {
    stateBytes.fill(0, 2, 2 + BOOT_ID_BYTES).write(bootId, 2, BOOT_ID_BYTES, 'hex')
    stateBootId = bootId
  }
  const logAt = putFields(stateView, 2 + BOOT_ID_BYTES, SUMMARY_FIELDS, summary)
  putFields(stateView, logAt, LOG_FIELDS, log)
  return stateBytes
}

/** Writes each as f64; returns where they end. */
function putFields<F extends string>(
  out: DataView,
  at: number,
  fields: readonly F[],
  from: { readonly [Field in F]: number },
): number {
  let end = at
  for (const field of fields) {
    out.setFloat64(end, from[field])
    end += 8
  }
  return end
}

/** Throws RangeError for bytes that are no state. */
export function decodeState(bytes: Buffer): StoredState {
  if (bytes.length !== STATE_BYTES || bytes[0] !== STATE_VERSION) throw new RangeError('state record is not readable')
  const bootId = bytes.toString('hex', 2, 2 + BOOT_ID_BYTES)
  const at = 2 + BOOT_ID_BYTES
  const logAt = at + SUMMARY_FIELDS.length * 8
  const log = Object.fromEntries(LOG_FIELDS.map((field, i) => [field, bytes.readDoubleBE(logAt + i * 8)]))
  return { summary: decodeSummary(bytes, at), log: { ...(log as unknown as LogState), clean: bytes[1] === 1 }, bootId }
}

export function encodeSummary(summary: SegmentSummary): Buffer {
  const out = Buffer.alloc(SUMMARY_FIELDS.length * 8)
  putFields(new DataView(out.buffer, out.byteOffset, out.length), 0, SUMMARY_FIELDS, summary)
  return out
}

export function decodeSummary(bytes: Buffer, at = 0): SegmentSummary {
  const entries = SUMMARY_FIELDS.map((field, i) => [field, bytes.readDoubleBE(at + i * 8)])
  return Object.fromEntries(entries) as unknown as SegmentSummary
}

export function encodeNumber(value: number): Buffer {
  const out = Buffer.alloc(8)
  out.writeDoubleBE(value)
  return out
}

export function decodeNumber(bytes: Buffer): number {
  return bytes.readDoubleBE(0)
}

const PRODUCER_HEAD_BYTES = 2 + 4 + 8 + 8 + 1
const PRODUCER_BATCH_BYTES = 4 + 4 + 8 + 8 + 8

export function encodeProducer(state: ProducerState): Buffer {
  const out = Buffer.alloc(PRODUCER_HEAD_BYTES + state.batches.length * PRODUCER_BATCH_BYTES)
  let at = out.writeInt16BE(state.producerEpoch, 0)
  at = out.writeInt32BE(state.coordinatorEpoch, at)
  at = out.writeDoubleBE(state.lastTimestamp, at)
  at = out.writeDoubleBE(state.currentTxnFirstOffset, at)
  at = out.writeUInt8(state.batches.length, at)
  for (const batch of state.batches) {
    at = out.writeInt32BE(batch.firstSequence, at)
    at = out.writeInt32BE(batch.lastSequence, at)
    at = out.writeDoubleBE(batch.firstOffset, at)
    at = out.writeDoubleBE(batch.lastOffset, at)
    at = out.writeDoubleBE(batch.timestamp, at)
  }
  return out
}

export function decodeProducer(producerId: number, bytes: Buffer): ProducerState {
  const count = bytes[PRODUCER_HEAD_BYTES - 1]
  if (count === undefined || bytes.length !== PRODUCER_HEAD_BYTES + count * PRODUCER_BATCH_BYTES) {
    throw new RangeError(`producer state of ${producerId} is not readable`)
  }
  const batches: ProducerBatch[] = []
  for (let at = PRODUCER_HEAD_BYTES; at < bytes.length; at += PRODUCER_BATCH_BYTES) {
    batches.push({
      firstSequence: bytes.readInt32BE(at),
      lastSequence: bytes.readInt32BE(at + 4),
      firstOffset: bytes.readDoubleBE(at + 8),
      lastOffset: bytes.readDoubleBE(at + 16),
      timestamp: bytes.readDoubleBE(at + 24),
    })
  }
  return {
    producerId,
    producerEpoch: bytes.readInt16BE(0),
    coordinatorEpoch: bytes.readInt32BE(2),
    lastTimestamp: bytes.readDoubleBE(6),
    currentTxnFirstOffset: bytes.readDoubleBE(14),
    batches,
  }
}

export function encodeSnapshot(producers: readonly ProducerState[]): Buffer {
  return Buffer.concat(
    producers.flatMap(producer => {
      const state = encodeProducer(producer)
      const length = Buffer.alloc(4)
      length.writeUInt32BE(state.length)
      return [encodeNumber(producer.producerId), length, state]
    }),
  )
}

export function decodeSnapshot(bytes: Buffer): ProducerState[] {
  const producers: ProducerState[] = []
  for (let at = 0; at < bytes.length; ) {
    if (at + 12 > bytes.length) throw new RangeError('producer snapshot is cut off')
    const end = at + 12 + bytes.readUInt32BE(at + 8)
    if (end > bytes.length) throw new RangeError('producer snapshot is cut off')
    producers.push(decodeProducer(bytes.readDoubleBE(at), bytes.subarray(at + 12, end)))
    at = end
  }
  return producers
}

export function encodeAborted({ producerId, firstOffset, lastStableOffset }: AbortedTransaction): Buffer {
  return Buffer.concat([producerId, firstOffset, lastStableOffset].map(encodeNumber))
}

export function decodeAborted(lastOffset: number, bytes: Buffer): AbortedTransaction {
  return {
    producerId: bytes.readDoubleBE(0),
    firstOffset: bytes.readDoubleBE(8),
    lastOffset,
    lastStableOffset: bytes.readDoubleBE(16),
  }
}
