// Values of an environment that have pages of their own, read from its file by a descriptor: LMDB's map gives each of them page by page to this process, where the pages
// stay (decision 0042), and lmdb-js copies them from there; one call of the system copies as many bytes without either (decision 0045).
//
// What makes it sound: only this thread writes the file, and not while it reads; a segment's values of earlier commits stay where they are until a cut removes some,
// which forgets all that is known here. What is read must begin as the page says and hold the batch that the key names; LMDB is asked for everything else.
import { closeSync, openSync, readSync, readvSync } from 'node:fs'
import { limits } from '@odradek/shared/base/limits'
import * as batch from '@odradek/shared/records/record-batch'
import {
  type BatchesLeaf,
  beginsLargeValue,
  dataFile,
  type KeyOf,
  LARGE_VALUE_AT,
  type LargeValue,
  largeValueSpan,
  leafOfBatches,
  PAGE_BYTES_MAX,
} from './lmdb-pages.ts'
import { isShortOfDescriptors, LogIOError } from './log-errors.ts'

/** From this size on it is worth it to look where a value stands: a copy through the map costs less than a call for fewer bytes. */
export const LARGE_BYTES_MIN = 8 * 1024

/** Who reads what was just written looks for it again and again at the end of the tree: worth it only when so much was written since the last look. */
const UNSEEN_BYTES_MIN = 1024 * 1024

/** Leaves that are known at once, of about 150 values and 8 KB each: so many readers go through a segment without looking for the same leaf again and again. */
const LEAVES_MAX = 4

/** Values that stand one behind the other are read by one call, so many at most. */
const RUN_MAX = 64

/** Who reads values has a say in what is read, and to where. */
export interface ValueReader {
  /** Bytes that are wanted at most. */
  readonly room: number
  /** Of a value that is larger than that: whether it is wanted at all. */
  wants(firstBatchBytes: number): boolean
  /** Exactly so many bytes that values may be read to; undefined: the value that was asked for comes wherever it can. */
  placeFor(bytes: number): Buffer | undefined
  /** Those that stand in that place behind the value that was asked for, ascending: to be asked for next, before anything else is put there. */
  foundAhead(values: readonly FoundValue[]): void
}

export interface FoundValue {
  readonly key: number
  readonly value: Buffer
}

/** Of this thread: where values are read to that have no other place. Grows to the largest. */
let target = Buffer.alloc(0)
/** Where the heads of pages are read to, and what is behind a value in its last page. */
const heads = Array.from({ length: RUN_MAX }, () => Buffer.alloc(LARGE_VALUE_AT))
const padding = Buffer.alloc(PAGE_BYTES_MAX)
const firstBatch = Buffer.alloc(LARGE_VALUE_AT + batch.BATCH_HEADER_BYTES)

export class LargeValues {
  readonly #path: string
  readonly #file: string
  readonly #keyOf: KeyOf
  #descriptor: number | undefined
  /** The one that was of use last comes first. */
  #leaves: readonly BatchesLeaf[] = []
  /** The last key of the tree when its end was looked at. */
  #endKey = -1
  /** Bytes written since then. */
  #unseenBytes = Number.POSITIVE_INFINITY

  /** `path`: of the environment. */
  constructor(path: string, keyOf: KeyOf) {
    this.#path = path
    this.#file = dataFile(path)
    this.#keyOf = keyOf
  }

  /**
   * The value: borrowed, overwritten by the next read in this thread, unless it stands where the reader wanted it. Undefined: not known to be there, or not large.
   * Null: the reader does not want it. Throws LogIOError.
   */
  at(key: number, reader: ValueReader | undefined): Buffer | null | undefined {
    try {
      const leaf = this.#leafOf(key)
      const index = leaf === undefined ? -1 : indexIn(leaf, key)
      return index < 0 ? undefined : this.#readFor(reader, leaf!, index)
    } catch (error) {
      throw new LogIOError('read', this.#path, error)
    }
  }

  /** So many bytes were committed behind all others. */
  wrote(bytes: number): void {
    this.#unseenBytes += bytes
  }

  /** Values were removed or replaced. */
  forget(): void {
    this.#leaves = []
    this.#unseenBytes = Number.POSITIVE_INFINITY
  }

  close(): void {
    const descriptor = this.#descriptor
    this.#descriptor = undefined
    if (descriptor !== undefined) closeSync(descriptor)
  }

  #leafOf(key: number): BatchesLeaf | undefined {
    const [first] = this.#leaves
    if (first !== undefined && holds(first, key)) return first
    const known = this.#leaves.find(leaf => holds(leaf, key)) ?? this.#lookFor(key)
    if (known !== undefined) this.#leaves = [known, ...this.#leaves.filter(leaf => leaf !== known)].slice(0, LEAVES_MAX)
    return known
  }

  #lookFor(key: number): BatchesLeaf | undefined {
    if (key > this.#endKey && this.#unseenBytes < UNSEEN_BYTES_MIN) return undefined
    this.#descriptor ??= opened(this.#file)
    if (this.#descriptor === undefined) return undefined
    const leaf = this.#leafInFile(this.#descriptor, key)
    if (leaf === 'unreadable') return undefined
    if (leaf === undefined || leaf.isLast) {
      this.#endKey = leaf?.lastKey ?? -1
      this.#unseenBytes = 0
    }
    return leaf !== undefined && holds(leaf, key) ? leaf : undefined
  }

  #leafInFile(descriptor: number, key: number): BatchesLeaf | 'unreadable' | undefined {
    try {
      return leafOfBatches(descriptor, this.#file, key, this.#keyOf)
    } catch (error) {
      // LMDB does not look at all that we look at.
      if (error instanceof RangeError) return 'unreadable'
      throw error
    }
  }

  #readFor(reader: ValueReader | undefined, leaf: BatchesLeaf, index: number): Buffer | null | undefined {
    const value = leaf.large[index]!
    if (reader !== undefined && value.bytes > reader.room) {
      const firstBatchBytes = this.#firstBatchBytes(value, leaf)
      if (firstBatchBytes === undefined) return undefined
      if (!reader.wants(firstBatchBytes)) return null
    }
    const run = reader === undefined ? [value] : runOf(leaf, index, reader.room)
    const place = reader?.placeFor(bytesOf(run))
    if (reader === undefined || place === undefined) return this.#read([value], leaf, scratch(value.bytes))[0]?.value
    const [found, ...ahead] = this.#read(run, leaf, place)
    reader.foundAhead(ahead)
    return found?.value
  }

  #firstBatchBytes(value: LargeValue, { pageBytes }: BatchesLeaf): number | undefined {
    const read = readSync(this.#descriptor!, firstBatch, 0, firstBatch.length, value.position)
    const isIt = read === firstBatch.length && begins(value, firstBatch, firstBatch.subarray(LARGE_VALUE_AT), pageBytes)
    return isIt ? batch.batchSizeInBytes(firstBatch, LARGE_VALUE_AT) : undefined
  }

  /** Reads values that stand one behind the other in the file, to one place. Those before the first that is not what it should be. */
  #read(run: readonly LargeValue[], { pageBytes }: BatchesLeaf, place: Buffer): FoundValue[] {
    const found: FoundValue[] = []
    const parts: Buffer[] = []
    let filled = 0
    for (const [n, { key, bytes }] of run.entries()) {
      const value = place.subarray(filled, filled + bytes)
      found.push({ key, value })
      parts.push(heads[n]!, value)
      if (n < run.length - 1) parts.push(padding.subarray(0, largeValueSpan(bytes, pageBytes) - LARGE_VALUE_AT - bytes))
      filled += bytes
    }
    const [first, last] = [run[0]!, run.at(-1)!]
    const end = last.position + LARGE_VALUE_AT + last.bytes
    if (readvSync(this.#descriptor!, parts, first.position) !== end - first.position) return []
    const bad = run.findIndex((each, n) => !begins(each, heads[n]!, found[n]!.value, pageBytes))
    return bad < 0 ? found : found.slice(0, bad)
  }
}

/** Whether what was read is the page of a large value, and the value the one that has its key. */
function begins({ key, position }: LargeValue, page: Buffer, value: Buffer, pageBytes: number): boolean {
  return beginsLargeValue(page, position, pageBytes) && batch.baseOffset(value, 0) === key
}

/** The value at `index` and those right behind it, in the tree and in the file, as far as they fit. */
function runOf({ large, pageBytes }: BatchesLeaf, index: number, room: number): readonly LargeValue[] {
  let end = index + 1
  for (let left = room - large[index]!.bytes; end < Math.min(large.length, index + RUN_MAX); end++) {
    const [before, next] = [large[end - 1]!, large[end]!]
    left -= next.bytes
    const follows =
      next.node === before.node + 1 && next.position === before.position + largeValueSpan(before.bytes, pageBytes)
    if (left < 0 || !follows) break
  }
  return large.slice(index, end)
}

function bytesOf(run: readonly LargeValue[]): number {
  return run.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** Undefined when the process or the system has no descriptor to spare, or somebody has moved the file, which LMDB has open. */
function opened(file: string): number | undefined {
  try {
    return openSync(file, 'r')
  } catch (error) {
    if (isShortOfDescriptors(error) || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function scratch(bytes: number): Buffer {
  if (bytes > limits.lentBufferBytesMax) return Buffer.allocUnsafeSlow(bytes)
  if (target.length < bytes) target = Buffer.allocUnsafeSlow(bytes)
  return target.subarray(0, bytes)
}

function holds(leaf: BatchesLeaf, key: number): boolean {
  return key >= leaf.firstKey && key <= leaf.lastKey
}

/** Among the large values of the leaf; -1: not one of them. */
function indexIn({ large }: BatchesLeaf, key: number): number {
  let [low, high] = [0, large.length - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    const found = large[middle]!.key
    if (found === key) return middle
    if (found < key) low = middle + 1
    else high = middle - 1
  }
  return -1
}
