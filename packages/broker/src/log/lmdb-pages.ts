// What LMDB's file says without LMDB: which pages of the present root later commits may write over (flushed-root.ts keeps and restores them), whether
// the file is sound enough to be mapped, and where large values stand (large-values.ts reads them). Reads the file, never changes it.
//
// A segment's `batches` tree only grows at its right edge: a commit replaces the pages from the root down to the last leaf, all others and all
// overflow pages (values above about 2 KiB) stay where they are for ever. The `meta` tree and the main tree are small and may change anywhere.
// The tree of free pages is not kept: a restored root begins without free pages, which costs a few pages and no care.
//
//   page   | page number 8 | txn id 8 | pad 2 | flags 2 | lower 2 | upper 2 | node pointers 2 each ... nodes |
//          node pointers and lower count from byte 24; number of nodes = lower / 2
//   node   | low 2 | high 2 | flags 2 | key size 2 | key | data |      leaf: data size = low + high * 2^16
//          branch: child page = low + high * 2^16 + flags * 2^32; the key of its first node is empty
//   large  a value above about 2 KiB: the node's data is the number of the first of its pages, and it stands there behind the page's header
//   meta   page 0 and 1, the one with the higher txn id counts: | header 24 | magic 4 | version 4 | address 8 | map size 8 |
//          | free tree 48 | main tree 48 | last page 8 | txn id 8 | boot id 8 |
//   tree   | pad 4 (free tree: page size) | flags 2 | depth 2 | branch pages 8 | leaf pages 8 | overflow pages 8 | entries 8 | root 8 |
import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'

const PAGE_HEADER_BYTES = 24
const NODE_HEADER_BYTES = 8
/** The system's page is the file's; no system that Node runs on has larger ones. */
export const PAGE_BYTES_MAX = 65_536
const MAGIC = 0xbeefc0de
/** The layout above; lmdb-js 3 writes it. */
const DATA_VERSION = 2
const META_AT = PAGE_HEADER_BYTES
const FREE_TREE_AT = META_AT + 24
const MAIN_TREE_AT = FREE_TREE_AT + 48
const LAST_PAGE_AT = MAIN_TREE_AT + 48
const TXN_ID_AT = LAST_PAGE_AT + 8
const ROOT_IN_TREE = 40
const NO_PAGE = 0xffffffffffffffffn

const FLAG_BRANCH = 1
const FLAG_LEAF = 2
const FLAG_LARGE = 4
const FLAG_META = 8
const NODE_IS_LARGE = 1
const NODE_IS_TREE = 2

/** Trees are shallow: this deep, the file is not what we think it is. */
const DEPTH_MAX = 16

export interface KeptPage {
  readonly number: number
  readonly bytes: Buffer
}

export interface RootPages {
  readonly pageBytes: number
  /** To be written over both meta pages (see `metaImages`), with an empty free tree. */
  readonly meta: Buffer
  readonly pages: readonly KeptPage[]
}

/** The pages of the present root. Throws RangeError when the file is not of the layout above. */
export function readRootPages(file: string): RootPages {
  return looked(file, ({ pageBytes, meta, walk }) => {
    for (const [name, root] of namedTrees(meta, walk)) {
      if (name === 'batches') walk.rightEdge(root)
      else walk.whole(root)
    }
    return { pageBytes, meta: withoutFreePages(meta), pages: walk.pages }
  })
}

/**
 * Throws RangeError when the file is not of the layout above, or ends before what leads to its newest records. LMDB maps what it is given unseen: a file that was cut
 * off ends the process with SIGBUS, bytes of something else with SIGSEGV. With `isWritten` (by another process) only what no commit changes is looked at.
 */
export function checkFile(file: string, isWritten: boolean): void {
  looked(file, ({ meta, walk }) => {
    if (isWritten) return
    for (const [, root] of namedTrees(meta, walk)) walk.rightEdge(root)
  })
}

/** The file of the environment in the folder at `path`. */
export function dataFile(path: string): string {
  return join(path, 'data.mdb')
}

/** A value that has pages of its own. */
export interface LargeValue {
  readonly key: number
  /** Where its first page begins in the file; the value stands `LARGE_VALUE_AT` bytes behind it. */
  readonly position: number
  readonly bytes: number
  /** Its place among all values of its leaf. */
  readonly node: number
}

export const LARGE_VALUE_AT = PAGE_HEADER_BYTES

/** Bytes of the pages that a large value of so many bytes has. */
export function largeValueSpan(valueBytes: number, pageBytes: number): number {
  return Math.ceil((LARGE_VALUE_AT + valueBytes) / pageBytes) * pageBytes
}

/** Whether `page` begins as the first page of a large value does that stands at `position`. */
export function beginsLargeValue(page: Buffer, position: number, pageBytes: number): boolean {
  return page.readBigUInt64LE(0) === BigInt(position / pageBytes) && page.readUInt16LE(18) === FLAG_LARGE
}

export interface BatchesLeaf {
  readonly pageBytes: number
  readonly firstKey: number
  readonly lastKey: number
  /** The rightmost: more may follow its values. */
  readonly isLast: boolean
  /** Its values that have pages of their own, ascending. */
  readonly large: readonly LargeValue[]
}

/** Decodes a stored key. */
export type KeyOf = (bytes: Buffer) => number

/** The leaf of the present `batches` tree where `key` stands, if it stands anywhere. Undefined: the tree is empty. Throws RangeError when the file is not of the layout above. */
export function leafOfBatches(descriptor: number, file: string, key: number, keyOf: KeyOf): BatchesLeaf | undefined {
  const { pageBytes, meta } = presentMeta(descriptor, file)
  const walk = new Walk(descriptor, pageBytes)
  const root = namedTrees(meta, walk).find(([name]) => name === 'batches')?.[1]
  const found = root === undefined ? undefined : walk.leafFor(root, key, keyOf)
  if (found === undefined) return undefined
  const at = nodes(found.page)
  return {
    pageBytes,
    firstKey: keyOf(keyAt(found.page, at[0]!)),
    lastKey: keyOf(keyAt(found.page, at.at(-1)!)),
    isLast: found.isLast,
    large: largeValues(found.page, pageBytes, keyOf),
  }
}

interface Look {
  readonly pageBytes: number
  /** The meta page that counts. */
  readonly meta: Buffer
  readonly walk: Walk
}

function looked<T>(file: string, look: (of: Look) => T): T {
  const descriptor = openSync(file, 'r')
  try {
    const { pageBytes, meta } = presentMeta(descriptor, file)
    return look({ pageBytes, meta, walk: new Walk(descriptor, pageBytes) })
  } finally {
    closeSync(descriptor)
  }
}

/** Those of the main tree, by name, which is walked for them. */
function namedTrees(meta: Buffer, walk: Walk): [name: string, root: bigint][] {
  walk.whole(meta.readBigUInt64LE(MAIN_TREE_AT + ROOT_IN_TREE))
  return [...walk.trees]
}

/** The meta page that counts. */
function presentMeta(descriptor: number, file: string): { readonly pageBytes: number; readonly meta: Buffer } {
  const probe = readAt(descriptor, 0, 4096)
  if (probe.readUInt16LE(18) !== FLAG_META || probe.readUInt32LE(META_AT) !== MAGIC)
    throw new RangeError(`${file} is no LMDB file`)
  const version = probe.readUInt32LE(META_AT + 4) & 0xffff
  if (version !== DATA_VERSION) throw new RangeError(`${file} has LMDB data version ${version}, not ${DATA_VERSION}`)
  const pageBytes = probe.readUInt32LE(FREE_TREE_AT)
  const metas = [readAt(descriptor, 0, pageBytes), readAt(descriptor, pageBytes, pageBytes)]
  const meta = metas[0]!.readBigUInt64LE(TXN_ID_AT) >= metas[1]!.readBigUInt64LE(TXN_ID_AT) ? metas[0]! : metas[1]!
  return { pageBytes, meta }
}

/** What goes to page 0 and to page 1: the root under its own txn id, and once more under the one before. */
export function metaImages({ meta }: RootPages): [Buffer, Buffer] {
  const txnId = meta.readBigUInt64LE(TXN_ID_AT)
  const older = Buffer.from(meta)
  older.writeBigUInt64LE(txnId > 0n ? txnId - 1n : 0n, TXN_ID_AT)
  const images: [Buffer, Buffer] = txnId % 2n === 0n ? [Buffer.from(meta), older] : [older, Buffer.from(meta)]
  images.forEach((image, page) => {
    image.writeBigUInt64LE(BigInt(page), 0)
  })
  return images
}

class Walk {
  readonly pages: KeptPage[] = []
  /** Named trees that were met, by name. */
  readonly trees = new Map<string, bigint>()
  readonly #descriptor: number
  readonly #pageBytes: number

  constructor(descriptor: number, pageBytes: number) {
    this.#descriptor = descriptor
    this.#pageBytes = pageBytes
  }

  /** Keeps every branch and leaf page below `root`. */
  whole(root: bigint, depth = 0): void {
    const page = this.#keep(root, depth)
    if (page === undefined) return
    for (const child of children(page)) this.whole(child, depth + 1)
    this.#noteTrees(page)
  }

  /** Keeps the pages from `root` to the last leaf. */
  rightEdge(root: bigint, depth = 0): void {
    const page = this.#keep(root, depth)
    const last = page === undefined ? undefined : children(page).at(-1)
    if (last !== undefined) this.rightEdge(last, depth + 1)
  }

  /** Down to the one leaf where `key` belongs. */
  leafFor(root: bigint, key: number, keyOf: KeyOf): { readonly page: Buffer; readonly isLast: boolean } | undefined {
    let page = this.#keep(root, 0)
    let isLast = true
    for (let depth = 1; page !== undefined && isBranch(page); depth++) {
      const at = nodes(page)
      const chosen = nodeFor(page, at, { key, keyOf })
      isLast &&= chosen === at.length - 1
      page = this.#keep(childAt(page, at[chosen]!), depth)
    }
    return page === undefined ? undefined : { page, isLast }
  }

  #keep(number: bigint, depth: number): Buffer | undefined {
    if (number === NO_PAGE) return undefined
    if (depth > DEPTH_MAX) throw new RangeError('LMDB tree has no bottom')
    const bytes = readAt(this.#descriptor, Number(number) * this.#pageBytes, this.#pageBytes)
    const flags = bytes.readUInt16LE(18)
    if (bytes.readBigUInt64LE(0) !== number || (flags & (FLAG_BRANCH | FLAG_LEAF)) === 0) {
      throw new RangeError(`LMDB page ${number} is not a page of a tree`)
    }
    this.pages.push({ number: Number(number), bytes })
    return bytes
  }

  #noteTrees(page: Buffer): void {
    if ((page.readUInt16LE(18) & FLAG_LEAF) === 0) return
    for (const at of nodes(page)) {
      if ((page.readUInt16LE(at + 4) & NODE_IS_TREE) === 0) continue
      const key = keyAt(page, at)
      const name = key.toString('latin1').replaceAll('\0', '')
      this.trees.set(name, page.readBigUInt64LE(at + NODE_HEADER_BYTES + key.length + ROOT_IN_TREE))
    }
  }
}

function nodes(page: Buffer): number[] {
  const count = page.readUInt16LE(20) >> 1
  return Array.from({ length: count }, (_, i) => PAGE_HEADER_BYTES + page.readUInt16LE(PAGE_HEADER_BYTES + 2 * i))
}

function keyAt(page: Buffer, node: number): Buffer {
  return page.subarray(node + NODE_HEADER_BYTES, node + NODE_HEADER_BYTES + page.readUInt16LE(node + 6))
}

function isBranch(page: Buffer): boolean {
  return (page.readUInt16LE(18) & FLAG_BRANCH) !== 0
}

function children(page: Buffer): bigint[] {
  return isBranch(page) ? nodes(page).map(at => childAt(page, at)) : []
}

function childAt(page: Buffer, node: number): bigint {
  return BigInt(page.readUInt32LE(node)) + (BigInt(page.readUInt16LE(node + 4)) << 32n)
}

/** Of the nodes `at` these places of a branch, the one below which `key` belongs: the last that begins at or before it. */
function nodeFor(
  page: Buffer,
  at: readonly number[],
  { key, keyOf }: { readonly key: number; readonly keyOf: KeyOf },
): number {
  let [low, high] = [0, at.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (keyOf(keyAt(page, at[middle]!)) <= key) low = middle
    else high = middle - 1
  }
  return low
}

function largeValues(leaf: Buffer, pageBytes: number, keyOf: KeyOf): LargeValue[] {
  return nodes(leaf).flatMap((at, node) => {
    if ((leaf.readUInt16LE(at + 4) & NODE_IS_LARGE) === 0) return []
    const key = keyAt(leaf, at)
    const page = leaf.readBigUInt64LE(at + NODE_HEADER_BYTES + key.length)
    return [{ key: keyOf(key), position: Number(page) * pageBytes, bytes: leaf.readUInt32LE(at), node }]
  })
}

function withoutFreePages(meta: Buffer): Buffer {
  const image = Buffer.from(meta)
  image.fill(0, FREE_TREE_AT + 6, FREE_TREE_AT + ROOT_IN_TREE)
  image.writeBigUInt64LE(NO_PAGE, FREE_TREE_AT + ROOT_IN_TREE)
  return image
}

function readAt(descriptor: number, position: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  if (readSync(descriptor, buffer, 0, bytes, position) !== bytes) throw new RangeError('LMDB file ends too early')
  return buffer
}
