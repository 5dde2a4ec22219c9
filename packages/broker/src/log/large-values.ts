// Values of an environment that have pages of their own, read from its file by a descriptor: LMDB's map gives each of them page by page to this process, where the pages
// stay (decision 0042), and lmdb-js copies them from there; one call of the system copies as many bytes without either (decision 0045).
//
// What makes it sound: only this thread writes the file, and not while it reads; a segment's values of earlier commits stay where they are until a cut removes some,
// which forgets all that is known here. What is read must begin as the page says and hold the batch that the key names; LMDB is asked for everything else.
import { closeSync, openSync } from 'node:fs'
import { limits } from '@odradek/shared/base/limits'
import { type BatchesLeaf, BatchesTree, type LargeValue } from './batches-tree.ts'
import { dataFile } from './lmdb-pages.ts'
import { isShortOfDescriptors, LogIOError } from './log-errors.ts'
import type { KeyOf } from './tree-page.ts'
import { readRun, runFrom, runOf } from './value-run.ts'

/** From this size on it is worth it to look where a value stands: a copy through the map costs less than a call for fewer bytes. */
export const LARGE_BYTES_MIN = 8 * 1024

/** Who reads what was just written looks for it again and again at the end of the tree: worth it only when so much was written since the last look. */
const UNSEEN_BYTES_MIN = 1024 * 1024

/** Leaves that are known at once, of about 150 values and 8 KB each: so many readers go through a segment without looking for the same leaf again and again. */
const LEAVES_MAX = 4

/** Who reads values has a say in what is read, and to where. */
export interface ValueReader {
  /** The first that is wanted: a value that begins before it comes alone, since what is behind it stands elsewhere in the end. */
  readonly offset: number
  /** Values from here on are not wanted. */
  readonly end: number
  /** Bytes that are wanted at most. */
  readonly room: number
  /** Whether a value that is larger than that is wanted, for the sake of some of its batches. */
  readonly wantsPart: boolean
  /** Exactly so many bytes that values may be read to; undefined: the value that was asked for comes wherever it can. */
  placeFor(bytes: number): Buffer | undefined
}

/** Of this thread: where values are read to that have no other place. Grows to the largest. */
let target = Buffer.alloc(0)

export class LargeValues {
  readonly #path: string
  readonly #file: string
  readonly #keyOf: KeyOf
  #descriptor: number | undefined
  #tree: BatchesTree | undefined
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
   * The value, and in a place that the reader gives for them those that stand right behind it: borrowed, overwritten by the next read in this thread, unless it stands
   * where the reader wanted it. Undefined: not known to be there, or not large. Null: the reader does not want it. Throws LogIOError.
   */
  at(key: number, reader: ValueReader | undefined): Buffer | null | undefined {
    try {
      const leaf = this.#leafOf(key)
      const index = leaf?.indexOf(key)
      const value = index === undefined ? undefined : leaf!.largeAt(index)
      return value === undefined ? undefined : this.#readFor(reader, value, leaf!, index!)
    } catch (error) {
      // A page that is not as it should be: LMDB does not look at all that we look at.
      if (error instanceof RangeError) return undefined
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
    this.#tree?.forget()
    this.#unseenBytes = Number.POSITIVE_INFINITY
  }

  close(): void {
    const descriptor = this.#descriptor
    this.#descriptor = undefined
    this.#tree = undefined
    if (descriptor !== undefined) closeSync(descriptor)
  }

  #leafOf(key: number): BatchesLeaf | undefined {
    const [first] = this.#leaves
    if (first?.holds(key)) return first
    const known = this.#leaves.find(leaf => leaf.holds(key)) ?? this.#lookFor(key)
    if (known !== undefined) this.#leaves = [known, ...this.#leaves.filter(leaf => leaf !== known)].slice(0, LEAVES_MAX)
    return known
  }

  #lookFor(key: number): BatchesLeaf | undefined {
    if (key > this.#endKey && this.#unseenBytes < UNSEEN_BYTES_MIN) return undefined
    this.#descriptor ??= opened(this.#file)
    if (this.#descriptor === undefined) return undefined
    this.#tree ??= new BatchesTree(this.#descriptor, this.#file, this.#keyOf)
    const leaf = this.#tree.leafFor(key)
    if (leaf === undefined || leaf.isLast) {
      this.#endKey = leaf?.lastKey ?? -1
      this.#unseenBytes = 0
    }
    return leaf?.holds(key) ? leaf : undefined
  }

  #readFor(
    reader: ValueReader | undefined,
    value: LargeValue,
    leaf: BatchesLeaf,
    index: number,
  ): Buffer | null | undefined {
    if (reader !== undefined && value.bytes > reader.room && !reader.wantsPart) return null
    const alone = runOf(value, leaf)
    const isBegun = reader === undefined || value.key < reader.offset
    const run = isBegun ? alone : runFrom(value, leaf, { index, room: reader.room, end: reader.end })
    const place = reader?.placeFor(run.bytes)
    return place === undefined
      ? readRun(this.#descriptor!, alone, scratch(value.bytes))
      : readRun(this.#descriptor!, run, place)
  }
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
