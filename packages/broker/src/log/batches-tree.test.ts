// Where values stand in the file, found by one that remembers the branch above while the tree grows (decision 0045).
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type BatchesLeaf, BatchesTree, beginsLargeValue, LARGE_VALUE_AT } from './batches-tree.ts'
import { Environment } from './lmdb-environment.ts'
import { loadLmdb } from './lmdb-library.ts'
import { dataFile } from './lmdb-pages.ts'
import { MappedBytes } from './mapped-bytes.ts'

let dir: string
let environment: Environment
let descriptor: number
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-tree-'))
  const mapped = new MappedBytes(Number.MAX_SAFE_INTEGER).opened()
  environment = new Environment(dir, { mapSize: 2 ** 30, readOnly: false, mapped })
  descriptor = openSync(dataFile(dir), 'r')
})
afterEach(() => {
  closeSync(descriptor)
  environment.close()
  rmSync(dir, { recursive: true, force: true })
})

const tree = () => new BatchesTree(descriptor, dataFile(dir), key => loadLmdb().bufferToKeyValue(key) as number)

/** Values of 3,000 bytes, which have pages of their own, and of 600, of which a leaf holds a few, so that the tree is deep soon. */
const bytesOf = (key: number) => Buffer.alloc(key % 5 === 0 ? 3000 : 600, key)
function append(...keys: readonly number[]): void {
  environment.commit(batches => {
    // As logs do: pages at the right edge are filled to the brim.
    for (const key of keys) batches.put(key, bytesOf(key), { append: true } as unknown as number)
  }, false)
}

const seen = (leaf: BatchesLeaf | undefined) =>
  leaf && {
    keys: [leaf.firstKey, leaf.lastKey],
    isLast: leaf.isLast,
    large: Array.from({ length: leaf.count }, (_, index) => leaf.largeAt(index)),
  }

test('while the tree grows, one that remembers finds what one that has just looked finds', () => {
  const remembering = tree()
  expect(remembering.leafFor(0)).toBeUndefined()
  let state = 1
  const random = (below: number) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
  for (let end = 0; end < 6000; ) {
    const keys = Array.from({ length: 1 + random(60) }, (_, n) => 2 * (end + n))
    append(...keys)
    end += keys.length
    for (const key of [0, 2 * end - 2, random(2 * end), random(2 * end), 2 * end + 5]) {
      expect(seen(remembering.leafFor(key))).toEqual(seen(tree().leafFor(key)))
    }
  }
})

test('a value is found by its key alone, and its page where the leaf says', () => {
  append(...Array.from({ length: 1000 }, (_, n) => 2 * n))
  const found = tree()
  const file = readFileSync(dataFile(dir))
  for (let key = 0; key < 2000; key++) {
    const leaf = found.leafFor(key)!
    const index = leaf.indexOf(key)
    expect(index !== undefined).toBe(key % 2 === 0)
    const large = index === undefined ? undefined : leaf.largeAt(index)
    expect(large?.key).toBe(key % 10 === 0 ? key : undefined)
    if (large === undefined) continue
    expect(beginsLargeValue(file, large.position, large.position / leaf.pageBytes)).toBe(true)
    const at = large.position + LARGE_VALUE_AT
    expect(file.subarray(at, at + large.bytes).equals(bytesOf(key))).toBe(true)
  }
})

test('after a cut, what is remembered has to be forgotten', () => {
  append(...Array.from({ length: 2000 }, (_, n) => n))
  const remembering = tree()
  remembering.leafFor(700)
  environment.commit(batches => {
    for (let key = 500; key < 2000; key++) batches.removeSync(key)
  }, false)
  append(...Array.from({ length: 2000 }, (_, n) => 500 + 3 * n))
  remembering.forget()
  for (const key of [0, 499, 500, 503, 700, 6497]) {
    expect(seen(remembering.leafFor(key))).toEqual(seen(tree().leafFor(key)))
  }
})

test('a page that is not what it should be is refused', () => {
  append(...Array.from({ length: 100 }, (_, n) => n))
  const damaged = join(dir, 'damaged')
  const bytes = readFileSync(dataFile(dir))
  for (let at = 2 * 4096; at < bytes.length; at += 4096) bytes[at + 7] = 0xff
  writeFileSync(damaged, bytes)
  const file = openSync(damaged, 'r')
  try {
    expect(() => new BatchesTree(file, damaged, Number).leafFor(0)).toThrow('is not a page of a tree')
  } finally {
    closeSync(file)
  }
})

test('what could not be looked up is not remembered', () => {
  append(...Array.from({ length: 6000 }, (_, n) => n))
  const wanted = seen(tree().leafFor(0))
  const pages = readFileSync(dataFile(dir))
  const isBranch = (page: number) => pages.readUInt16LE(page * 4096 + 18) === 1
  const file = openSync(dataFile(dir), 'r+')
  const found = tree()
  let refused = 0
  for (let page = 2; page < pages.length / 4096; page++) {
    if (!isBranch(page)) continue
    const mark = (byte: number) => writeSync(file, Buffer.from([byte]), 0, 1, page * 4096 + 7)
    found.forget()
    mark(0xff)
    try {
      found.leafFor(0)
    } catch {
      refused++
    }
    mark(0)
    expect(seen(found.leafFor(0))).toEqual(wanted)
  }
  closeSync(file)
  // The root, and a branch below it.
  expect(refused).toBe(2)
})
