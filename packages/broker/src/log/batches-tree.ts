// Where the values of a segment's `batches` tree stand in LMDB's file, read by a descriptor (decision 0045).
//
// A tree that only grows at its right edge leaves all other leaves where they are: whoever goes through them asks the branch above, and reads one page for each.
import { rootOfBatches } from './lmdb-pages.ts'
import {
  DEPTH_MAX,
  type KeyOf,
  NO_PAGE,
  numberIn,
  PAGE_HEADER_BYTES,
  PageKind,
  pageFlags,
  TreePage,
} from './tree-page.ts'

/** A value that has pages of its own. */
export interface LargeValue {
  readonly key: number
  /** Where its first page begins in the file; the value stands `LARGE_VALUE_AT` bytes behind it. */
  readonly position: number
  readonly bytes: number
}

export const LARGE_VALUE_AT = PAGE_HEADER_BYTES

/** Bytes of the pages that a large value of so many bytes has. */
export function largeValueSpan(valueBytes: number, pageBytes: number): number {
  return Math.ceil((LARGE_VALUE_AT + valueBytes) / pageBytes) * pageBytes
}

/** Whether the first page of a large value begins at `at`, the page of this number. */
export function beginsLargeValue(bytes: Buffer, at: number, page: number): boolean {
  return pageFlags(bytes, at) === PageKind.LARGE && numberIn(bytes, at) === page
}

export class BatchesLeaf {
  readonly pageBytes: number
  readonly firstKey: number
  readonly lastKey: number
  /** The rightmost: more may follow its values. */
  readonly isLast: boolean
  /** Of its values. */
  readonly count: number
  readonly #page: TreePage
  readonly #keyOf: KeyOf

  constructor(page: TreePage, { isLast, keyOf }: { readonly isLast: boolean; readonly keyOf: KeyOf }) {
    this.#page = page
    this.#keyOf = keyOf
    this.pageBytes = page.bytes.length
    this.count = page.count
    this.isLast = isLast
    this.firstKey = keyOf(page.keyAt(0))
    this.lastKey = keyOf(page.keyAt(page.count - 1))
  }

  holds(key: number): boolean {
    return key >= this.firstKey && key <= this.lastKey
  }

  /** Which of its values has this key; undefined: none. */
  indexOf(key: number): number | undefined {
    const index = this.#page.nodeFor(key, this.#keyOf)
    return this.#keyOf(this.#page.keyAt(index)) === key ? index : undefined
  }

  /** Undefined: the value stands in the leaf itself. */
  largeAt(index: number): LargeValue | undefined {
    const page = this.#page.largePageAt(index)
    if (page === undefined) return undefined
    const key = this.#keyOf(this.#page.keyAt(index))
    return { key, position: page * this.pageBytes, bytes: this.#page.valueBytes(index) }
  }
}

/** The branch above the leaf that was found last. */
interface Above {
  readonly branch: TreePage
  /** Keys below it are not smaller. */
  readonly fromKey: number
  /** Keys below it are smaller; infinite at the right edge, where its last child is about to be replaced. */
  readonly toKey: number
}

export class BatchesTree {
  readonly #descriptor: number
  readonly #file: string
  readonly #keyOf: KeyOf
  #above: Above | undefined

  constructor(descriptor: number, file: string, keyOf: KeyOf) {
    this.#descriptor = descriptor
    this.#file = file
    this.#keyOf = keyOf
  }

  /** The leaf of the present tree where `key` stands, if it stands anywhere. Undefined: the tree is empty. Throws RangeError when the file is not as it should be. */
  leafFor(key: number): BatchesLeaf | undefined {
    const known = this.#above
    if (known !== undefined && key >= known.fromKey && key < known.toKey) {
      const node = known.branch.nodeFor(key, this.#keyOf)
      if (node < known.branch.count - 1 || known.toKey !== Number.POSITIVE_INFINITY) {
        const page = TreePage.read(this.#descriptor, known.branch.childAt(node), known.branch.bytes.length)
        if (page.isBranch) throw new RangeError('LMDB tree is deeper than it was')
        return new BatchesLeaf(page, { isLast: false, keyOf: this.#keyOf })
      }
    }
    return this.#descend(key)
  }

  /** Values were removed or replaced. */
  forget(): void {
    this.#above = undefined
  }

  #descend(key: number): BatchesLeaf | undefined {
    const { root, pageBytes } = rootOfBatches(this.#descriptor, this.#file)
    if (root === NO_PAGE) return undefined
    let page = TreePage.read(this.#descriptor, root, pageBytes)
    let [fromKey, toKey] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
    let above: Above | undefined
    for (let depth = 1; page.isBranch; depth++) {
      if (depth > DEPTH_MAX) throw new RangeError('LMDB tree has no bottom')
      above = { branch: page, fromKey, toKey }
      const node = page.nodeFor(key, this.#keyOf)
      if (node > 0) fromKey = this.#keyOf(page.keyAt(node))
      if (node < page.count - 1) toKey = this.#keyOf(page.keyAt(node + 1))
      page = TreePage.read(this.#descriptor, page.childAt(node), pageBytes)
    }
    this.#above = above
    return new BatchesLeaf(page, { isLast: toKey === Number.POSITIVE_INFINITY, keyOf: this.#keyOf })
  }
}
