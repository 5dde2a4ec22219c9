// What LMDB's file says without LMDB: which pages of the present root later commits may write over (flushed-root.ts keeps and restores them), whether
// the file is sound enough to be mapped, and where its trees begin (batches-tree.ts goes on from there). Reads the file, never changes it.
//
// A segment's `batches` tree only grows at its right edge: a commit replaces the pages from the root down to the last leaf, all others and all
// overflow pages (values above about 2 KiB) stay where they are for ever (tree-page.ts has their layout). The `meta` tree and the main tree are small and may change anywhere.
// The tree of free pages is not kept: a restored root begins without free pages, which costs a few pages and no care.
//
//   meta   page 0 and 1, the one with the higher txn id counts: | header 24 | magic 4 | version 4 | address 8 | map size 8 |
//          | free tree 48 | main tree 48 | last page 8 | txn id 8 | boot id 8 |
//   tree   | pad 4 (free tree: page size) | flags 2 | depth 2 | branch pages 8 | leaf pages 8 | overflow pages 8 | entries 8 | root 8 |
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DEPTH_MAX, NO_PAGE, numberIn, PAGE_HEADER_BYTES, PageKind, pageFlags, readAt, TreePage } from './tree-page.ts'

const MAGIC = 0xbeefc0de
/** The layout above; lmdb-js 3 writes it. */
const DATA_VERSION = 2
const META_AT = PAGE_HEADER_BYTES
const FREE_TREE_AT = META_AT + 24
const MAIN_TREE_AT = FREE_TREE_AT + 48
const LAST_PAGE_AT = MAIN_TREE_AT + 48
const TXN_ID_AT = LAST_PAGE_AT + 8
const ROOT_IN_TREE = 40

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

/** Looks at a root again and again until no commit has come in between: at most a second on a log that is never quiet, and every root has been. */
const QUIET_ATTEMPTS = 10_000

/** The pages of a root of a file that another process is writing: no commit ended while they were read. Throws RangeError when there is none such, or no root at all. */
export function readQuietRoot(file: string): RootPages {
  let failure: unknown = new RangeError(`${file} is written without a pause`)
  for (let attempt = 0; attempt < QUIET_ATTEMPTS; attempt++) {
    try {
      const root = readRootPages(file)
      if (looked(file, ({ meta }) => withoutFreePages(meta)).equals(root.meta)) return root
    } catch (error) {
      // Half of a page before a commit and half of it after one.
      failure = error
    }
  }
  throw failure
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

/** Where the present `batches` tree begins, `NO_PAGE` when it is empty. Throws RangeError when the file is not of the layout above. */
export function rootOfBatches(descriptor: number, file: string): { readonly root: number; readonly pageBytes: number } {
  const { pageBytes, meta } = presentMeta(descriptor, file)
  const roots = new Map(namedTrees(meta, new Walk(descriptor, pageBytes)))
  return { root: roots.get('batches') ?? NO_PAGE, pageBytes }
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
function namedTrees(meta: Buffer, walk: Walk): [name: string, root: number][] {
  walk.whole(numberIn(meta, MAIN_TREE_AT + ROOT_IN_TREE))
  return [...walk.trees]
}

/** The meta page that counts. */
function presentMeta(descriptor: number, file: string): { readonly pageBytes: number; readonly meta: Buffer } {
  const probe = readAt(descriptor, 0, 4096)
  if (pageFlags(probe) !== PageKind.META || probe.readUInt32LE(META_AT) !== MAGIC)
    throw new RangeError(`${file} is no LMDB file`)
  const version = probe.readUInt32LE(META_AT + 4) & 0xffff
  if (version !== DATA_VERSION) throw new RangeError(`${file} has LMDB data version ${version}, not ${DATA_VERSION}`)
  const pageBytes = probe.readUInt32LE(FREE_TREE_AT)
  const both = readAt(descriptor, 0, 2 * pageBytes)
  const [even, odd] = [both.subarray(0, pageBytes), both.subarray(pageBytes)]
  return { pageBytes, meta: even.readBigUInt64LE(TXN_ID_AT) >= odd.readBigUInt64LE(TXN_ID_AT) ? even : odd }
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
  /** Roots of named trees that were met, by name. */
  readonly trees = new Map<string, number>()
  readonly #descriptor: number
  readonly #pageBytes: number

  constructor(descriptor: number, pageBytes: number) {
    this.#descriptor = descriptor
    this.#pageBytes = pageBytes
  }

  /** Keeps every branch and leaf page below `root`. */
  whole(root: number, depth = 0): void {
    const page = this.#keep(root, depth)
    if (page === undefined) return
    if (!page.isBranch) this.#noteTrees(page)
    else for (let node = 0; node < page.count; node++) this.whole(page.childAt(node), depth + 1)
  }

  /** Keeps the pages from `root` to the last leaf. */
  rightEdge(root: number, depth = 0): void {
    const page = this.#keep(root, depth)
    if (page?.isBranch) this.rightEdge(page.childAt(page.count - 1), depth + 1)
  }

  #keep(number: number, depth: number): TreePage | undefined {
    if (number === NO_PAGE) return undefined
    if (depth > DEPTH_MAX) throw new RangeError('LMDB tree has no bottom')
    const page = TreePage.read(this.#descriptor, number, this.#pageBytes)
    this.pages.push({ number, bytes: page.bytes })
    return page
  }

  #noteTrees(page: TreePage): void {
    for (let node = 0; node < page.count; node++) {
      if (!page.isTreeAt(node)) continue
      const name = page.keyAt(node).toString('latin1').replaceAll('\0', '')
      this.trees.set(name, numberIn(page.dataAt(node), ROOT_IN_TREE))
    }
  }
}

function withoutFreePages(meta: Buffer): Buffer {
  const image = Buffer.from(meta)
  image.fill(0, FREE_TREE_AT + 6, FREE_TREE_AT + ROOT_IN_TREE)
  image.fill(0xff, FREE_TREE_AT + ROOT_IN_TREE, FREE_TREE_AT + ROOT_IN_TREE + 8)
  return image
}
