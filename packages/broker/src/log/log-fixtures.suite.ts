// What tests of logs are made from: a harness over one implementation, sound batches of any shape, and the groups that a leader would append.
import { BatchBuilder } from '@odradek/shared/records/batch-builder'
import type { BatchSeal } from '@odradek/shared/records/batch-sealing'
import * as batch from '@odradek/shared/records/record-batch'
import { readRecords } from '@odradek/shared/records/record-reader'
import { expect } from 'vitest'
import { type DerivedState, firstUndecidedOffset } from './derived-state.rules.ts'
import type {
  AppendGroup,
  CompactionOutcome,
  CompactionPolicy,
  LogConfig,
  LogIdentity,
  OpenedLog,
  PartitionLog,
  StampedBatch,
} from './partition-log.ts'
import { replayStored, stampBatch } from './stored-batches.rules.ts'

export interface LogHarness {
  /** Opens the log; again after `close` or `stop`: the same one. */
  open(): OpenedLog
  /** What the death of the process leaves behind. */
  stop(): void
  dispose(): void
}

export const identity: LogIdentity = { topic: 'orders', topicId: 'AbCdEfGhIjKlMnOpQrStUw', partition: 3 }

export const config: LogConfig = {
  segmentBytes: 1024 ** 3,
  segmentMs: 7 * 24 * 3600 * 1000,
  flushMessages: Number.MAX_SAFE_INTEGER,
  flushMs: Number.MAX_SAFE_INTEGER,
}

export const NO_LIMITS = { maxBytes: 2 ** 30, maxOffset: Number.MAX_SAFE_INTEGER, minOneBatch: true }

export interface BatchShape {
  readonly records?: number
  readonly valueBytes?: number
  readonly timestamp?: number
  readonly epoch?: number
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly sequence?: number
  readonly transactional?: boolean
  /** Fills the values; equal seeds give equal bytes. */
  readonly seed?: number
}

/** A sound batch, stamped for `baseOffset`. */
export function stamped(baseOffset: number, shape: BatchShape = {}): StampedBatch {
  const { records = 1, valueBytes = 10, timestamp = 1000, epoch = 0, seed = baseOffset } = shape
  const builder = new BatchBuilder({ writeLimit: 2 ** 30, initialBytes: 128 })
  for (let index = 0; index < records; index++) {
    builder.tryAppend(timestamp, null, new Uint8Array(valueBytes).fill(seed + index))
  }
  const { producerId, producerEpoch = 0, sequence = 0, transactional = false } = shape
  const seal = producerId === undefined ? {} : { producerId, producerEpoch, baseSequence: sequence, transactional }
  return stampBatch(builder.build(seal), baseOffset, epoch)
}

/** A transaction marker as a broker writes it. */
export function marker(
  offset: number,
  shape: { producerId: number; producerEpoch?: number; commit: boolean; coordinatorEpoch?: number; timestamp?: number },
): StampedBatch {
  const { producerId, producerEpoch = 0, commit, coordinatorEpoch = 0, timestamp = 1000 } = shape
  const key = Buffer.allocUnsafeSlow(4)
  key.writeInt16BE(0, 0)
  key.writeInt16BE(commit ? 1 : 0, 2)
  const value = Buffer.allocUnsafeSlow(6)
  value.writeInt16BE(0, 0)
  value.writeInt32BE(coordinatorEpoch, 2)
  const builder = new BatchBuilder({ writeLimit: 1024 })
  builder.tryAppend(timestamp, key, value)
  const bytes = builder.build({ producerId, producerEpoch, baseSequence: -1, transactional: true })
  batch.writeAttributes(bytes, 0, batch.attributes(bytes, 0) | batch.CONTROL_FLAG)
  batch.writeBatchCrc(bytes, 0)
  return stampBatch(bytes, offset, 0)
}

/** The group a leader would append: batches with what follows from them. `derived` goes along. */
export function groupOf(batches: readonly StampedBatch[], derived: DerivedState, now = 5000): AppendGroup {
  const known = derived.aborted.length
  const ids = new Set<number>()
  for (const { bytes } of batches) {
    replayStored(derived, bytes, 0)
    if (batch.hasProducerId(bytes, 0)) ids.add(batch.producerId(bytes, 0))
  }
  const producers = [...ids].map(id => derived.producers.get(id)!)
  const lastStableOffset = firstUndecidedOffset(derived.producers.values())
  return { batches, producers, aborted: derived.aborted.slice(known), lastStableOffset, isDerived: true, now }
}

/** Keyed records of one batch: undefined deletes the key. */
export type KeyedRecords = readonly (readonly [key: string | null, value: string | undefined])[]

/** A batch of keyed records, for compaction. */
export function keyed(baseOffset: number, records: KeyedRecords, shape: BatchShape & BatchSeal = {}): StampedBatch {
  const { timestamp = 1000, epoch = 0, producerId, producerEpoch = 0, sequence = 0, transactional = false } = shape
  const builder = new BatchBuilder({ writeLimit: 2 ** 30, initialBytes: 128 })
  for (const [index, [key, value]] of records.entries()) {
    const bytes = (text: string | null | undefined) => (text == null ? null : Buffer.from(text))
    builder.tryAppend(timestamp + index, bytes(key), bytes(value))
  }
  const seal = producerId === undefined ? {} : { producerId, producerEpoch, baseSequence: sequence, transactional }
  const compression = shape.compression === undefined ? {} : { compression: shape.compression }
  return stampBatch(builder.build({ ...seal, ...compression }), baseOffset, epoch)
}

/** What is in the log: offset, key, value (undefined: a tombstone) of every record, markers left out. */
export function recordsOf(log: PartitionLog): (readonly [number, string | null, string | undefined])[] {
  const found: (readonly [number, string | null, string | undefined])[] = []
  for (let offset = log.logStartOffset; ; ) {
    const { bytes, nextOffset } = log.read(offset, { ...NO_LIMITS, maxBytes: 10_000 })
    if (bytes.length === 0) {
      expect(offset).toBe(log.logEndOffset)
      return found
    }
    for (const at of batch.batchPositions(bytes)) {
      expect(batch.computeBatchCrc(bytes, at)).toBe(batch.batchCrc(bytes, at))
      if (batch.isControlBatch(bytes, at)) continue
      for (const { offset: at0, key, value } of readRecords(bytes, at, 1_000_000)) {
        if (at0 >= log.logStartOffset) found.push([at0, key && text(key), value === null ? undefined : text(value)])
      }
    }
    offset = nextOffset
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}

export const eager: CompactionPolicy = {
  now: 10_000,
  minCleanableDirtyRatio: 0,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Number.POSITIVE_INFINITY,
  deleteRetentionMs: 1_000,
  segmentBytes: 1024 ** 3,
  keyBytesMax: 10_000_000,
  decompressedBytesMax: 10_000_000,
}

/** Runs a whole round in steps of `stepBytes`; undefined when none was worth it. `between` runs after each step. */
export async function compact(
  log: PartitionLog,
  policy: Partial<CompactionPolicy> = {},
  { stepBytes = 1_000, between = () => {} }: { stepBytes?: number; between?: (step: number) => void } = {},
): Promise<CompactionOutcome | undefined> {
  const round = log.beginCompaction({ ...eager, ...policy })
  for (let step = 0; round !== undefined; step++) {
    const progress = round.step(stepBytes)
    if (progress.state === 'done') return progress.outcome
    if (progress.state === 'waiting') await progress.until
    between(step)
  }
  return undefined
}

export const noState = (): DerivedState => ({ producers: new Map(), aborted: [] })

/** Appends `count` single-record batches, one commit each. */
export function appendMany(log: PartitionLog, count: number, shape: BatchShape = {}, policy = config): void {
  for (let index = 0; index < count; index++) {
    log.append({ batches: [stamped(log.logEndOffset, shape)], now: 5000 }, policy)
  }
}

/** Base offsets of the batches in `bytes`. */
export function basesIn(bytes: Uint8Array): number[] {
  return [...batch.batchPositions(bytes)].map(at => batch.baseOffset(bytes, at))
}

/** Every batch from `from` on, through as many reads as it takes. */
export function readAll(log: PartitionLog, from = log.logStartOffset, maxBytes = 2 ** 20): number[] {
  const bases: number[] = []
  for (let offset = from; ; ) {
    const read = log.read(offset, { ...NO_LIMITS, maxBytes })
    if (read.bytes.length === 0) return bases
    for (const at of batch.batchPositions(read.bytes)) {
      expect(batch.computeBatchCrc(read.bytes, at)).toBe(batch.batchCrc(read.bytes, at))
    }
    bases.push(...basesIn(read.bytes))
    offset = read.nextOffset
  }
}

/** The log under test, which changes when it is reopened. */
export type Current = () => PartitionLog
/** Closes the log with its mark, or lets its process die, and opens it again. */
export type Reopen = (how: 'clean' | 'stop') => OpenedLog
