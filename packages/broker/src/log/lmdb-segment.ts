// A segment as one LMDB environment: writes and reads the stored form of log-keys.records.ts.
import { giveBack, take } from '@odradek/shared/base/lent-buffers'
import * as batch from '@odradek/shared/records/record-batch'
import type { Database } from 'lmdb'
import { bootId } from './boot-id.ts'
import { noteFailedFlush } from './failed-flush.ts'
import { FlushedRoot, hasBeenCommitted } from './flushed-root.ts'
import { GatheredRead } from './gathered-read.ts'
import { type Environment, type EnvironmentPool, environmentBytes } from './lmdb-environment.ts'
import { LogCorruptionError, LogIdentityError, LogIOError } from './log-errors.ts'
import {
  decodeAborted,
  decodeNumber,
  decodeProducer,
  decodeSnapshot,
  decodeState,
  decodeSummary,
  encodeAborted,
  encodeNumber,
  encodeProducer,
  encodeSnapshot,
  encodeState,
  encodeSummary,
  FORMAT_VERSION,
  FORMAT_VERSION_MIN,
  keys,
  type StoredState,
  VALUE_BYTES_MAX,
} from './log-keys.records.ts'
import { type MappedShare, mappedByWriting } from './mapped-bytes.ts'
import type {
  AbortedTransaction,
  LogIdentity,
  LogNotice,
  LogRead,
  ProducerState,
  ReadLimits,
  StampedBatch,
} from './partition-log.ts'
import type {
  BatchVisitor,
  LoadedSegment,
  Segment,
  SegmentCommit,
  SegmentName,
  TailCheck,
  TimeEntry,
} from './segment.ts'
import { valuesOf } from './segments.rules.ts'
import { checkValue, soundSize } from './stored-batches.rules.ts'
import { caughtUp, TrailingRows } from './trailing-rows.ts'

type Rows = Database<Buffer, any>

/** A value counts at least this much towards the limit of a tail check: many small ones cost time as well. */
const CHECK_COST_BYTES_MIN = 4096

/** One generation of a segment: the folder at `path`, which its storage made or found. */
export class LmdbSegment implements Segment {
  readonly baseOffset: number
  readonly generation: number
  readonly #path: string
  readonly #pool: EnvironmentPool
  readonly #identity: LogIdentity
  readonly #flushedRoot: FlushedRoot
  readonly #trailing = new TrailingRows()
  /** A look has shown that no aborted transaction ends here or later: every read of what is committed asks. */
  #noAbortedFrom = Number.POSITIVE_INFINITY

  constructor(path: string, name: SegmentName, { pool, identity, notice }: SegmentContext) {
    this.#path = path
    this.baseOffset = name.baseOffset
    this.generation = name.generation
    this.#pool = pool
    this.#identity = identity
    this.#flushedRoot = new FlushedRoot(path, error => {
      // The descriptor that was open when a write failed is the one that a later fsync tells of it.
      pool.keep(path)
      notice?.('a checkpoint failed: until the next flush, power loss takes more', { path, error: String(error) })
    })
  }

  load(): LoadedSegment | undefined {
    return this.#use('load', environment => {
      if (environment.meta(keys.state) === undefined) return this.#neverCommitted()
      this.#checkFormat(environment.meta(keys.format))
      const stored = this.#catchUp(environment)
      return {
        summary: stored.summary,
        log: stored.log,
        epochs: [...environment.metaFrom('epoch', 0)].map(([epoch, start]) => ({
          epoch,
          startOffset: decodeNumber(start),
        })),
        sealed: [...environment.metaFrom('sealed', 0)].map(([, summary]) => decodeSummary(summary)),
        sameBoot: bootId() !== '' && stored.bootId === bootId(),
      }
    })
  }

  #neverCommitted(): undefined {
    if (!hasBeenCommitted(this.#path)) return undefined
    throw new LogIOError('opening', this.#path, 'its environment is empty, and records were in it')
  }

  /** What the rows say, and the batches behind them; what those change is noted. */
  #catchUp(environment: Environment): StoredState {
    const { state, producers } = caughtUp(decodeState(environment.meta(keys.state)!), {
      ceilingKey: offset => environment.ceilingKey(offset),
      batchesAt: key => environment.batchesAt(key),
      producers: () => storedProducers(environment),
    })
    this.#trailing.found(producers)
    return state
  }

  commit(change: SegmentCommit): void {
    const bytes = change.batches.reduce((sum, each) => sum + each.bytes.length, 0)
    if (bytes > 0) this.#attempt(() => this.#pool.claimSpace(bytes))
    if (change.snapshot !== undefined) this.#attempt(() => this.#pool.gate.run(() => this.#flushedRoot.beforeFirst()))
    this.#use('commit', environment => {
      if (!change.durable) this.#attempt(() => this.#flushedRoot.beforeUnflushed())
      if ((change.aborted ?? []).length > 0) this.#noAbortedFrom = Number.POSITIVE_INFINITY
      // Reads come before the transaction: within it, they would go through the writer.
      if (change.snapshot === undefined && !this.#trailing.isKnown) this.#catchUp(environment)
      const trails = this.#trailing.takes(change, bytes)
      const cut = change.dropFrom === undefined ? undefined : planCut(environment, change.dropFrom)
      let joined: readonly Uint8Array[] = []
      const write = () =>
        environment.commit((batches, meta) => {
          if (cut !== undefined) {
            environment.cut()
            applyCut(batches, meta, cut)
          }
          joined = putBatches(batches, change.batches, environment.mapped)
          if (!trails) this.#putMeta(meta, change)
        }, change.durable)
      this.#attempt(change.durable ? () => this.#flush(write) : write)
      for (const value of joined) giveBack(value)
      environment.appended(bytes)
      if (trails) this.#trailing.trailed(change, bytes)
      else this.#trailing.written(change)
      if (change.snapshot !== undefined && !change.durable) this.#attempt(() => this.#flushedRoot.afterFirst())
    })
  }

  /** Whoever opens the segment next must know that it failed. */
  #flush(write: () => void): void {
    try {
      write()
      this.#flushedRoot.afterDurable()
    } catch (error) {
      noteFailedFlush(this.#path)
      throw error
    }
  }

  #attempt(write: () => void): void {
    try {
      write()
    } catch (error) {
      throw new LogIOError('commit', this.#path, error)
    }
  }

  read(offset: number, limits: ReadLimits): LogRead | undefined {
    return this.#use('read', environment => {
      const read = new GatheredRead(offset, limits)
      this.#values(environment, offset, value => read.take(value), read)
      return read.result()
    })
  }

  visit(offset: number, visitor: BatchVisitor): void {
    this.#use('visit', environment =>
      this.#values(environment, offset, value => {
        let endOffset = -1
        for (let at = 0; at < value.length; ) {
          const size = soundSize(value, at)
          endOffset = batch.nextOffset(value, at)
          if (endOffset > offset && !visitor(value, at, size)) return undefined
          at += size
        }
        return endOffset
      }),
    )
  }

  timeEntry(timestamp: number): TimeEntry | undefined {
    return this.#use('time lookup', environment => {
      for (const [at, offset] of environment.metaFrom('time', timestamp)) {
        return { timestamp: at, offset: decodeNumber(offset) }
      }
      return undefined
    })
  }

  visitAborted(offset: number, visitor: (aborted: AbortedTransaction) => boolean): void {
    if (offset >= this.#noAbortedFrom) return
    this.#use('transaction index', environment => {
      let isNone = true
      for (const [lastOffset, bytes] of environment.metaFrom('aborted', offset)) {
        isNone = false
        if (!visitor(decodeAborted(lastOffset, bytes))) return
      }
      if (isNone) this.#noAbortedFrom = offset
    })
  }

  producers(): ProducerState[] {
    return this.#use('producer states', environment => {
      if (!this.#trailing.isKnown) this.#catchUp(environment)
      const states = new Map([...storedProducers(environment)].map(producer => [producer.producerId, producer]))
      for (const [id, producer] of this.#trailing.producers) states.set(id, producer)
      return [...states.values()].sort((a, b) => a.producerId - b.producerId)
    })
  }

  snapshot(): ProducerState[] {
    return this.#use('producer snapshot', environment => {
      const bytes = environment.meta(keys.snapshot)
      return bytes === undefined ? [] : decodeSnapshot(bytes)
    })
  }

  checkTail(fromOffset: number, endOffset: number, maxBytes: number): TailCheck {
    return this.#use('check', environment => {
      let scannedBytes = 0
      let cost = 0
      let above = endOffset
      let bad: { badOffset: number; reason: string } | undefined
      const floor = environment.floorKey(fromOffset) ?? this.baseOffset
      for (const key of environment.keysDownTo(floor)) {
        const value = environment.batchesAt(key)!
        const check = checkValue(value, key, this.#mayHaveGaps)
        scannedBytes += value.length
        cost += Math.max(value.length, CHECK_COST_BYTES_MIN)
        if (check.badOffset !== undefined) bad = { badOffset: check.badOffset, reason: check.reason ?? 'damaged' }
        else if (check.nextOffset !== above && above === endOffset && bad === undefined && !this.#mayHaveGaps) {
          bad = {
            badOffset: Math.min(check.nextOffset, endOffset),
            reason: `batches end at ${check.nextOffset}, not ${above}`,
          }
        } else if (check.nextOffset > above) bad = { badOffset: above, reason: `batches overlap at ${above}` }
        above = key
        if (cost >= maxBytes) break
      }
      if (scannedBytes === 0 && endOffset > this.baseOffset && !this.#mayHaveGaps)
        bad = { badOffset: this.baseOffset, reason: 'batches are missing' }
      return { scannedBytes, ...bad }
    })
  }

  /** Compaction wrote it: batches may be missing anywhere. */
  get #mayHaveGaps(): boolean {
    return this.generation > 0
  }

  checkpoint(): Promise<void> {
    return this.#pool.gate.run(() => this.#flushedRoot.checkpoint())
  }

  fileBytes(): number {
    return environmentBytes(this.#path)
  }

  isOpen(): boolean {
    return this.#pool.isOpen(this.#path)
  }

  release(): void {
    this.#pool.release(this.#path)
  }

  /**
   * Stored values from the one that may hold `offset` on; each is borrowed until the visitor returns where its batches end, or undefined
   * to stop. What the visitor cannot read (RangeError) is corruption. The reader, if there is one, has a say in what is read, and to where.
   */
  #values(
    environment: Environment,
    offset: number,
    visitor: (value: Uint8Array) => number | undefined,
    reader?: GatheredRead,
  ): void {
    // Who reads on from where he stopped stands at a key as a rule: a look there costs a fraction of the search for the floor.
    let value = environment.batchesAt(offset, reader)
    let key: number | undefined = offset
    if (value === undefined) {
      key = environment.floorKey(offset) ?? environment.ceilingKey(offset)
      if (key !== undefined) value = environment.batchesAt(key, reader)
    }
    while (key !== undefined && value !== null) {
      // Only compaction leaves gaps.
      key = value === undefined ? environment.ceilingKey(key) : this.#endOf(key, value, visitor)
      if (key !== undefined) value = environment.batchesAt(key, reader)
    }
  }

  /** Where the visitor says that the value's batches end; undefined: enough. */
  #endOf(key: number, value: Uint8Array, visitor: (value: Uint8Array) => number | undefined): number | undefined {
    const read = () => {
      const next = visitor(value)
      if (next !== undefined && next <= key) throw new RangeError('offsets go back')
      return next
    }
    return this.#checked(read, () => checkValue(value, key, this.#mayHaveGaps).badOffset ?? key)
  }

  /** Meta records that do not decode damage the segment as a whole. */
  #use<T>(operation: string, fn: (environment: Environment) => T): T {
    return this.#pool.use(this.#path, operation, environment =>
      this.#checked(
        () => fn(environment),
        () => this.baseOffset,
      ),
    )
  }

  /** What cannot be read (RangeError) is corruption, at the offset that `where` finds. */
  #checked<T>(fn: () => T, where: () => number): T {
    try {
      return fn()
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      throw new LogCorruptionError({ offset: where(), segment: this.baseOffset, reason: error.message })
    }
  }

  #checkFormat(bytes: Buffer | undefined): void {
    const stored = JSON.parse(bytes?.toString() ?? '{}')
    if (!(stored.version >= FORMAT_VERSION_MIN && stored.version <= FORMAT_VERSION)) {
      const understood = `${FORMAT_VERSION_MIN} to ${FORMAT_VERSION}`
      throw new RangeError(`format version ${stored.version} where ${understood} are understood`)
    }
    const { topicId, partition } = this.#identity
    if (stored.topicId !== topicId || stored.partition !== partition) {
      const found = `${stored.topic}-${stored.partition} (${stored.topicId})`
      throw new LogIdentityError(`${this.#path} holds ${found}, not partition ${partition} of ${topicId}`)
    }
  }

  #putMeta(meta: Rows, change: SegmentCommit): void {
    meta.put(keys.state, encodeState({ summary: change.summary, log: change.log, bootId: bootId() }))
    if (change.replaceProducers) removeAll(meta, 'producer')
    for (const producer of this.#trailing.producersWith(change))
      meta.put(keys.producer(producer.producerId), encodeProducer(producer))
    for (const id of change.expiredProducers ?? []) meta.removeSync(keys.producer(id))
    for (const aborted of change.aborted ?? []) meta.put(keys.aborted(aborted.lastOffset), encodeAborted(aborted))
    if (change.timeEntry !== undefined)
      meta.put(keys.time(change.timeEntry.timestamp), encodeNumber(change.timeEntry.offset))
    if (change.epochs !== undefined) {
      removeAll(meta, 'epoch')
      for (const { epoch, startOffset } of change.epochs) meta.put(keys.epoch(epoch), encodeNumber(startOffset))
    }
    if (change.sealed !== undefined) {
      removeAll(meta, 'sealed')
      for (const summary of change.sealed) meta.put(keys.sealed(summary.baseOffset), encodeSummary(summary))
    }
    // Of a segment that an older version has written it is about to become untrue.
    if (!this.#trailing.hasWritten) {
      const { topic, topicId, partition } = this.#identity
      const format = { version: FORMAT_VERSION, topic, topicId, partition, baseOffset: this.baseOffset }
      meta.put(keys.format, Buffer.from(JSON.stringify(format)))
    }
    if (change.snapshot !== undefined && change.snapshot.length > 0)
      meta.put(keys.snapshot, encodeSnapshot(change.snapshot))
  }
}

/** Stores batches, small ones together. Returns the lent buffers in which they were joined: the commit ends their use. */
function putBatches(rows: Rows, batches: readonly StampedBatch[], mapped: MappedShare): readonly Uint8Array[] {
  const joined: Uint8Array[] = []
  for (const { from, to, bytes } of valuesOf(batches, VALUE_BYTES_MAX)) {
    let value = batches[from]!.bytes
    if (to - from > 1) {
      value = take(bytes)
      let filled = 0
      for (let at = from; at < to; at++) {
        value.set(batches[at]!.bytes, filled)
        filled += batches[at]!.bytes.length
      }
      joined.push(value)
    }
    // `append` fills pages to the brim; keys always ascend here, as the log asserts density.
    rows.put(batches[from]!.baseOffset, value as Buffer, APPEND)
    mapped.add(mappedByWriting(bytes))
  }
  return joined
}

function* storedProducers(environment: Environment): Iterable<ProducerState> {
  for (const [id, bytes] of environment.metaFrom('producer', 0)) yield decodeProducer(id, bytes)
}

function removeAll(meta: Rows, name: string): void {
  for (const key of [...meta.getKeys({ start: [name, 0], end: [name, Number.MAX_VALUE] })]) meta.removeSync(key)
}

/** lmdb-js takes put options in the place of a version; its types know only the version. */
const APPEND = { append: true } as unknown as number

interface Cut {
  readonly offset: number
  readonly removed: readonly number[]
  readonly shortened: { readonly key: number; readonly value: Buffer } | undefined
}

/** What a truncation removes: whole values, and the end of the value that spans the cut. */
function planCut(environment: Environment, offset: number): Cut {
  const removed = [...environment.keysDownTo(offset)]
  const key = environment.floorKey(offset - 1)
  const value = key === undefined ? undefined : environment.batchesAt(key)
  if (key === undefined || value === undefined) return { offset, removed, shortened: undefined }
  let keep = 0
  let end = key
  for (const at of batch.batchPositions(value)) {
    // What begins too low is damaged, and may be why the log is cut.
    if (batch.lastOffset(value, at) >= offset || batch.baseOffset(value, at) < end) break
    keep = at + batch.batchSizeInBytes(value, at)
    end = batch.nextOffset(value, at)
  }
  if (keep === 0) return { offset, removed: [...removed, key], shortened: undefined }
  const shortened = keep === value.length ? undefined : { key, value: Buffer.from(value.subarray(0, keep)) }
  return { offset, removed, shortened }
}

function applyCut(batches: Rows, meta: Rows, { offset, removed, shortened }: Cut): void {
  for (const key of removed) batches.removeSync(key)
  if (shortened !== undefined) batches.put(shortened.key, shortened.value)
  removeAll(meta, 'time')
  for (const key of [...meta.getKeys({ start: keys.aborted(offset), end: keys.aborted(Number.MAX_VALUE) })]) {
    meta.removeSync(key)
  }
}

/** What the segments of a log share. */
export interface SegmentContext {
  readonly pool: EnvironmentPool
  readonly identity: LogIdentity
  readonly notice?: LogNotice
}
