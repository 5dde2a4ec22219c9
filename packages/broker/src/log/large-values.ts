// Values of an environment that have pages of their own, read from its file by a descriptor: LMDB's map gives each of them page by page to this process, where the pages
// stay (decision 0042), and lmdb-js copies them from there; one call of the system copies as many bytes without either (decision 0045).
//
// What makes it sound: only this thread writes the file, and not while it reads; a segment's values of earlier commits stay where they are until a cut removes some,
// which forgets all that is known here. What is read must begin as the page says and hold the batch that the key names; LMDB is asked for everything else.
import { closeSync, openSync, readSync, readvSync } from 'node:fs'
import { join } from 'node:path'
import { limits } from '@odradek/shared/base/limits'
import * as batch from '@odradek/shared/records/record-batch'
import {
  type BatchesLeaf,
  beginsLargeValue,
  type KeyOf,
  LARGE_VALUE_AT,
  type LargeValue,
  leafOfBatches,
} from './lmdb-pages.ts'
import { isShortOfDescriptors, LogIOError } from './log-errors.ts'

/** From this size on it is worth it to look where a value stands: a copy through the map costs less than a call for fewer bytes. */
export const LARGE_BYTES_MIN = 8 * 1024

/** Who reads what was just written looks for it again and again at the end of the tree: worth it only when so much was written since the last look. */
const UNSEEN_BYTES_MIN = 1024 * 1024

/** Leaves that are known at once, of about 150 values each: so many readers go through a segment without looking for the same leaf again and again. */
const LEAVES_MAX = 8

/** Who reads values has a say in what is read, and to where. */
export interface ValueReader {
  /** Bytes that are wanted at most. */
  readonly room: number
  /** Of a value that is larger than that: whether it is wanted at all. */
  wants(firstBatchBytes: number): boolean
  /** Exactly so many bytes that the value may be read to; undefined: wherever. */
  placeFor(bytes: number): Buffer | undefined
}

/** Of this thread: where values are read to that have no other place. Grows to the largest. */
let target = Buffer.alloc(0)
const head = Buffer.alloc(LARGE_VALUE_AT + batch.BATCH_HEADER_BYTES)
const pageHead = head.subarray(0, LARGE_VALUE_AT)

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
    this.#file = join(path, 'data.mdb')
    this.#keyOf = keyOf
  }

  /**
   * The value: borrowed, overwritten by the next read in this thread, unless it stands where the reader wanted it. Undefined: not known to be there, or not large.
   * Null: the reader does not want it. Throws LogIOError.
   */
  at(key: number, reader: ValueReader | undefined): Buffer | null | undefined {
    try {
      const leaf = this.#leafOf(key)
      const value = leaf === undefined ? undefined : valueIn(leaf, key)
      if (value === undefined) return undefined
      if (reader !== undefined && value.bytes > reader.room && !reader.wants(this.#firstBatchBytes(value))) return null
      return this.#read(value, leaf!.pageBytes, reader?.placeFor(value.bytes) ?? scratch(value.bytes))
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
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
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
    const leaf = leafOfBatches(this.#descriptor, this.#file, key, this.#keyOf)
    if (leaf === undefined || leaf.isLast) {
      this.#endKey = leaf?.lastKey ?? -1
      this.#unseenBytes = 0
    }
    return leaf !== undefined && holds(leaf, key) ? leaf : undefined
  }

  #firstBatchBytes({ position }: LargeValue): number {
    readSync(this.#descriptor!, head, 0, head.length, position)
    return batch.batchSizeInBytes(head, LARGE_VALUE_AT)
  }

  #read({ key, position, bytes }: LargeValue, pageBytes: number, value: Buffer): Buffer | undefined {
    const read = readvSync(this.#descriptor!, [pageHead, value], position)
    const isWhole = read === LARGE_VALUE_AT + bytes
    return isWhole && beginsLargeValue(pageHead, position, pageBytes) && batch.baseOffset(value, 0) === key
      ? value
      : undefined
  }
}

/** Undefined when the process or the system has no descriptor to spare. */
function opened(file: string): number | undefined {
  try {
    return openSync(file, 'r')
  } catch (error) {
    if (isShortOfDescriptors(error)) return undefined
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

/** Who reads on finds the next value behind the last one, but a search through some 150 takes no time beside reading one. */
function valueIn({ large }: BatchesLeaf, key: number): LargeValue | undefined {
  let [low, high] = [0, large.length - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    const value = large[middle]!
    if (value.key === key) return value
    if (value.key < key) low = middle + 1
    else high = middle - 1
  }
  return undefined
}
