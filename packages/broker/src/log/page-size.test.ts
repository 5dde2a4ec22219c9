// Pages are of one size on every system (decision 0049); logs that have others, as systems with larger pages made them, go on.
import { closeSync, mkdtempSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadLmdb } from './lmdb-library.ts'
import { lmdbLogStore } from './lmdb-log-store.ts'
import { dataFile, rootOfBatches } from './lmdb-pages.ts'
import { config, identity, NO_LIMITS, readAll, stamped } from './log-fixtures.suite.ts'
import { type LogStore, openGate, type PartitionLog } from './partition-log.ts'

let dir: string
let store: LogStore

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-pages-'))
  store = lmdbLogStore(dir, { gate: openGate })
})
afterEach(() => {
  store.close()
  rmSync(dir, { recursive: true, force: true })
})

const segmentPath = () => join(dir, readdirSync(dir)[0]!, '0'.repeat(20))

function pageBytes(): number {
  const file = dataFile(segmentPath())
  const descriptor = openSync(file, 'r')
  try {
    return rootOfBatches(descriptor, file).pageBytes
  } finally {
    closeSync(descriptor)
  }
}

function reopened(): PartitionLog {
  store.close()
  store = lmdbLogStore(dir, { gate: openGate })
  return store.open(identity).log
}

/** From a value of a few bytes to one of several pages of any size. */
const SIZES = [1, 700, 1_900, 2_100, 5_000, 16_300, 16_400, 60_000, 70_000, 200_000]

function appendSizes(log: PartitionLog): void {
  for (const valueBytes of SIZES) log.append({ batches: [stamped(log.logEndOffset, { valueBytes })], now: 1 }, config)
}

/** As another system stored it: the same keys and values, with pages of that size. */
async function storeWithPagesOf(pageSize: number): Promise<void> {
  store.close()
  const { open } = loadLmdb()
  const shape = { encoding: 'binary', overlappingSync: false, noSubdir: false, maxDbs: 2 } as const
  const [from, to] = [segmentPath(), `${segmentPath()}.other`]
  const here = open<Buffer, any>({ ...shape, path: from })
  const there = open<Buffer, any>({ ...shape, path: to, pageSize })
  for (const name of ['batches', 'meta']) {
    const rows = [...here.openDB<Buffer, any>({ name, encoding: 'binary' }).getRange()]
    const copy = there.openDB<Buffer, any>({ name, encoding: 'binary' })
    there.transactionSync(() => {
      for (const { key, value } of rows) copy.put(key, value)
    })
  }
  await Promise.all([here.close(), there.close()])
  rmSync(from, { recursive: true })
  renameSync(to, from)
}

test('a log has pages of 4 KiB', () => {
  appendSizes(store.open(identity).log)
  expect(pageBytes()).toBe(4096)
})

test.each([1024, 16_384, 32_768])('a log with pages of %i bytes is read, and goes on', async bytes => {
  const { log } = store.open(identity)
  appendSizes(log)
  const before = log.read(0, NO_LIMITS)
  log.close({ clean: true })
  await storeWithPagesOf(bytes)
  const other = reopened()
  expect(pageBytes()).toBe(bytes)
  expect(other.read(0, NO_LIMITS)).toEqual(before)
  appendSizes(other)
  expect(pageBytes()).toBe(bytes)
  const offsets = Array.from({ length: 2 * SIZES.length }, (_, offset) => offset)
  expect(readAll(other)).toEqual(offsets)
  expect(readAll(reopened())).toEqual(offsets)
})
