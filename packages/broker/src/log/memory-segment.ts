// A segment in memory: keeps the buffers it is given and serves reads by concatenating slices. Nothing survives its store.
// For tests, `storage: 'memory'` and the simulator, which can make it forget what was not flushed.
import { isLent } from '@odradek/shared/base/lent-buffers'
import * as batch from '@odradek/shared/records/record-batch'
import { LogIOError } from './log-errors.ts'
import type { AbortedTransaction, LogRead, ProducerState, ReadLimits, StampedBatch } from './partition-log.ts'
import type {
  BatchVisitor,
  LoadedSegment,
  Segment,
  SegmentCommit,
  SegmentName,
  SegmentStorage,
  TailCheck,
  TimeEntry,
} from './segment.ts'
import { bySegmentName, segmentKey } from './segments.rules.ts'

type Undo = () => void

/** What may go wrong with a disk that is only simulated: the reason why it refuses, or null. */
export interface SimulatedDisk {
  refusesWrite(): string | null
  refusesFlush(): string | null
}

/** Takes everything. */
export const soundDisk: SimulatedDisk = { refusesWrite: () => null, refusesFlush: () => null }

/** What outlives a crash of the actor that uses it: the content of one segment. */
class SegmentContent {
  loaded: LoadedSegment
  batches: StampedBatch[] = []
  aborted: AbortedTransaction[] = []
  times: TimeEntry[] = []
  producers = new Map<number, ProducerState>()
  snapshot: readonly ProducerState[]
  /** How to take back what came after the last durable commit, oldest first; undefined when nobody will ask. */
  undo: Undo[] | undefined
  /** A flush failed: the system takes what was not flushed by then for written, and no later flush writes it. */
  isSuspect = false

  constructor(first: SegmentCommit, forgets: boolean) {
    this.loaded = { summary: first.summary, log: first.log, epochs: [], sealed: [], sameBoot: true }
    this.snapshot = first.snapshot ?? []
    if (forgets) this.undo = []
  }
}

/** The batch as it may be kept: what came in a lent buffer is only lent. */
function kept(stamped: StampedBatch): StampedBatch {
  return isLent(stamped.bytes) ? { ...stamped, bytes: new Uint8Array(stamped.bytes) } : stamped
}

class MemorySegment implements Segment {
  readonly baseOffset: number
  readonly generation: number
  readonly #content: SegmentContent
  readonly #disk: SimulatedDisk

  constructor({ baseOffset, generation }: SegmentName, content: SegmentContent, disk: SimulatedDisk) {
    this.baseOffset = baseOffset
    this.generation = generation
    this.#content = content
    this.#disk = disk
  }

  load(): LoadedSegment {
    return this.#content.loaded
  }

  commit(change: SegmentCommit): void {
    const content = this.#content
    const refusal = this.#disk.refusesWrite() ?? (change.durable ? this.#disk.refusesFlush() : null)
    if (refusal !== null) {
      if (change.durable) content.isSuspect = true
      throw new LogIOError('commit', `segment ${this.baseOffset}`, refusal)
    }
    content.undo?.push(undoOf(content, change))
    if (change.dropFrom !== undefined) dropFrom(content, change.dropFrom)
    content.batches.push(...change.batches.map(kept))
    if (change.replaceProducers) content.producers = new Map()
    for (const producer of change.producers ?? []) content.producers.set(producer.producerId, producer)
    for (const id of change.expiredProducers ?? []) content.producers.delete(id)
    content.aborted.push(...(change.aborted ?? []))
    if (change.timeEntry !== undefined) content.times.push(change.timeEntry)
    content.loaded = {
      summary: change.summary,
      log: change.log,
      epochs: change.epochs ?? content.loaded.epochs,
      sealed: change.sealed ?? content.loaded.sealed,
      sameBoot: true,
    }
    if (change.durable && content.undo !== undefined && !content.isSuspect) content.undo = []
  }

  read(offset: number, limits: ReadLimits): LogRead | undefined {
    const { batches } = this.#content
    const start = this.#indexOf(offset)
    if (start === batches.length) return undefined
    let end = start
    let bytes = 0
    for (; end < batches.length; end++) {
      const next = batches[end]!
      if (next.lastOffset >= limits.maxOffset) break
      if (bytes + next.bytes.length > limits.maxBytes && !(bytes === 0 && limits.minOneBatch)) break
      bytes += next.bytes.length
    }
    if (end === start) return { bytes: new Uint8Array(0), firstOffset: offset, nextOffset: offset }
    const out = new Uint8Array(bytes)
    let at = 0
    for (let index = start; index < end; index++) {
      out.set(batches[index]!.bytes, at)
      at += batches[index]!.bytes.length
    }
    return { bytes: out, firstOffset: batches[start]!.baseOffset, nextOffset: batches[end - 1]!.lastOffset + 1 }
  }

  visit(offset: number, visitor: BatchVisitor): void {
    const { batches } = this.#content
    for (let index = this.#indexOf(offset); index < batches.length; index++) {
      const { bytes } = batches[index]!
      if (!visitor(bytes, 0, bytes.length)) return
    }
  }

  timeEntry(timestamp: number): TimeEntry | undefined {
    return this.#content.times.find(entry => entry.timestamp >= timestamp)
  }

  visitAborted(offset: number, visitor: (aborted: AbortedTransaction) => boolean): void {
    for (const aborted of this.#content.aborted) {
      if (aborted.lastOffset >= offset && !visitor(aborted)) return
    }
  }

  producers(): ProducerState[] {
    return [...this.#content.producers.values()].sort(byProducerId)
  }

  snapshot(): ProducerState[] {
    return [...this.#content.snapshot]
  }

  checkTail(fromOffset: number, endOffset: number): TailCheck {
    const { batches } = this.#content
    let scannedBytes = 0
    for (let index = this.#indexOf(fromOffset); index < batches.length; index++) {
      const { bytes, baseOffset } = batches[index]!
      scannedBytes += bytes.length
      if (batch.computeBatchCrc(bytes, 0) !== batch.batchCrc(bytes, 0)) {
        return { scannedBytes, badOffset: baseOffset, reason: 'CRC does not match' }
      }
    }
    const end = (batches.at(-1)?.lastOffset ?? endOffset - 1) + 1
    return end === endOffset || this.generation > 0
      ? { scannedBytes }
      : { scannedBytes, badOffset: end, reason: 'batches are missing' }
  }

  /** Memory has no background: only a flush is a flush, so that the simulator decides what is lost. */
  async checkpoint(): Promise<void> {}

  fileBytes(): number {
    return this.#content.loaded.summary.sizeInBytes
  }

  isOpen(): boolean {
    return true
  }

  release(): void {}

  /** Index of the batch that holds `offset`, or of the next one. */
  #indexOf(offset: number): number {
    const { batches } = this.#content
    let low = 0
    let high = batches.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (batches[middle]!.lastOffset < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}

function byProducerId(a: ProducerState, b: ProducerState): number {
  return a.producerId - b.producerId
}

function dropFrom(content: SegmentContent, offset: number): void {
  content.batches = content.batches.filter(stored => stored.lastOffset < offset)
  content.aborted = content.aborted.filter(aborted => aborted.lastOffset < offset)
  content.times = []
}

/** Takes one commit back. A truncation copies the lists, an append only remembers their lengths. */
function undoOf(content: SegmentContent, change: SegmentCommit): Undo {
  const { loaded, batches, aborted, times, producers } = content
  const lengths = [batches.length, aborted.length, times.length] as const
  const before = change.replaceProducers
    ? undefined
    : [...(change.producers ?? []).map(p => p.producerId), ...(change.expiredProducers ?? [])].map(
        id => [id, producers.get(id)] as const,
      )
  return () => {
    Object.assign(content, { loaded, batches, aborted, times, producers })
    batches.length = lengths[0]
    aborted.length = lengths[1]
    times.length = lengths[2]
    for (const [id, state] of before ?? []) {
      if (state === undefined) producers.delete(id)
      else producers.set(id, state)
    }
  }
}

interface StoredSegment {
  readonly name: SegmentName
  readonly content: SegmentContent
}

/** The segments of one log in memory. Owned by a MemoryLogStore, so it survives the actor that uses the log. */
export class MemorySegmentStorage implements SegmentStorage {
  readonly keepsBytes = true
  readonly #segments = new Map<string, StoredSegment>()
  readonly #forgets: boolean
  readonly #disk: SimulatedDisk

  /** `forgets`: remember how to take back unflushed commits. */
  constructor(forgets: boolean, disk: SimulatedDisk = soundDisk) {
    this.#forgets = forgets
    this.#disk = disk
  }

  /** Before the log is opened: what a failed flush left in doubt is written once more. Throws LogIOError while the disk refuses. */
  rewriteSuspects(): void {
    for (const { content } of this.#segments.values()) {
      if (!content.isSuspect) continue
      const refusal = this.#disk.refusesWrite() ?? this.#disk.refusesFlush()
      if (refusal !== null) throw new LogIOError('writing anew after a failed flush', 'memory', refusal)
      content.isSuspect = false
    }
  }

  list(): SegmentName[] {
    return [...this.#segments.values()].map(({ name }) => name).sort(bySegmentName)
  }

  open(name: SegmentName): Segment {
    const stored = this.#segments.get(segmentKey(name))
    if (stored === undefined) throw new RangeError(`no segment ${segmentKey(name)}`)
    return new MemorySegment(name, stored.content, this.#disk)
  }

  create({ baseOffset, generation }: SegmentName, first: SegmentCommit): Segment {
    const name = { baseOffset, generation }
    const content = new SegmentContent(first, this.#forgets)
    // Taking back the first commit takes back the segment.
    content.undo?.push(() => this.#segments.delete(segmentKey(name)))
    const segment = new MemorySegment(name, content, this.#disk)
    segment.commit(first)
    this.#segments.set(segmentKey(name), { name, content })
    return segment
  }

  replace(name: SegmentName, first: SegmentCommit): Segment {
    this.remove(name)
    return this.create(name, first)
  }

  remove(name: SegmentName): void {
    this.#segments.delete(segmentKey(name))
  }

  /** Power loss: what was not flushed is gone. */
  forgetUnflushed(): void {
    for (const { content } of [...this.#segments.values()].reverse()) {
      if (content.undo === undefined) throw new Error('this store was not told to remember what is unflushed')
      for (const undo of content.undo.reverse()) undo()
      content.undo = []
    }
  }
}
