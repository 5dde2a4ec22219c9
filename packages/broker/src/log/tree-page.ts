// A page of a tree in LMDB's file, and what its nodes say.
//
//   page   | page number 8 | txn id 8 | pad 2 | flags 2 | lower 2 | upper 2 | node pointers 2 each ... nodes |
//          node pointers and lower count from byte 24; number of nodes = lower / 2
//   node   | low 2 | high 2 | flags 2 | key size 2 | key | data |      leaf: data size = low + high * 2^16
//          branch: child page = low + high * 2^16 + flags * 2^32; the key of its first node is empty
//   large  a value above about 2 KiB: the node's data is the number of the first of its pages, and it stands there behind the page's header
import { readSync } from 'node:fs'

/** Of each environment that is made here, also where the system's pages are larger (decision 0049). Others can be read all the same. */
export const PAGE_BYTES = 4096
export const PAGE_HEADER_BYTES = 24
const NODE_HEADER_BYTES = 8
/** In the place of a page's number: all bits are set. */
export const NO_PAGE = 2 ** 64

/** Trees are shallow: this deep, the file is not what we think it is. */
export const DEPTH_MAX = 16

export const PageKind = { BRANCH: 1, LEAF: 2, LARGE: 4, META: 8 } as const
const NODE_IS_LARGE = 1
const NODE_IS_TREE = 2

/** Decodes a stored key. */
export type KeyOf = (bytes: Buffer) => number

/** The kind of the page that begins at `at`. */
export function pageFlags(bytes: Buffer, at = 0): number {
  return bytes.readUInt16LE(at + 18)
}

/** A whole number of 8 bytes: of pages there are fewer than 2^53. */
export function numberIn(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32
}

/** Throws RangeError when the file ends before it. */
export function readAt(descriptor: number, position: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  if (readSync(descriptor, buffer, 0, bytes, position) !== bytes) throw new RangeError('LMDB file ends too early')
  return buffer
}

export class TreePage {
  readonly bytes: Buffer
  readonly isBranch: boolean
  /** Of its nodes. */
  readonly count: number

  private constructor(bytes: Buffer) {
    this.bytes = bytes
    this.isBranch = (pageFlags(bytes) & PageKind.BRANCH) !== 0
    this.count = bytes.readUInt16LE(20) >> 1
  }

  /** Throws RangeError when what stands there is no page of a tree. */
  static read(descriptor: number, number: number, pageBytes: number): TreePage {
    const bytes = readAt(descriptor, number * pageBytes, pageBytes)
    const page = new TreePage(bytes)
    const isOfTree = (pageFlags(bytes) & (PageKind.BRANCH | PageKind.LEAF)) !== 0 && page.count > 0
    if (numberIn(bytes, 0) !== number || !isOfTree) throw new RangeError(`LMDB page ${number} is not a page of a tree`)
    return page
  }

  keyAt(node: number): Buffer {
    const at = this.#at(node) + NODE_HEADER_BYTES
    return this.bytes.subarray(at, at + this.#keyBytes(node))
  }

  /** Of a leaf: from the node's data on. */
  dataAt(node: number): Buffer {
    return this.bytes.subarray(this.#dataBegin(node))
  }

  /** Of a branch: the page below. */
  childAt(node: number): number {
    const at = this.#at(node)
    return this.bytes.readUInt32LE(at) + this.bytes.readUInt16LE(at + 4) * 2 ** 32
  }

  /** Of a leaf: bytes of the node's value. */
  valueBytes(node: number): number {
    return this.bytes.readUInt32LE(this.#at(node))
  }

  /** Of a leaf: the first page of a value that has pages of its own; undefined: it has none. */
  largePageAt(node: number): number | undefined {
    return this.#has(node, NODE_IS_LARGE) ? numberIn(this.bytes, this.#dataBegin(node)) : undefined
  }

  /** Of a leaf: whether the node's data is a tree. */
  isTreeAt(node: number): boolean {
    return this.#has(node, NODE_IS_TREE)
  }

  /** The last node whose key is not above `key`, or else the first: in a branch `key` belongs below it. */
  nodeFor(key: number, keyOf: KeyOf): number {
    let [low, high] = [0, this.count - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (keyOf(this.keyAt(middle)) <= key) low = middle
      else high = middle - 1
    }
    return low
  }

  #at(node: number): number {
    return PAGE_HEADER_BYTES + this.bytes.readUInt16LE(PAGE_HEADER_BYTES + 2 * node)
  }

  #keyBytes(node: number): number {
    return this.bytes.readUInt16LE(this.#at(node) + 6)
  }

  #dataBegin(node: number): number {
    return this.#at(node) + NODE_HEADER_BYTES + this.#keyBytes(node)
  }

  #has(node: number, flag: number): boolean {
    return (this.bytes.readUInt16LE(this.#at(node) + 4) & flag) !== 0
  }
}
