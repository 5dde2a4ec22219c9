// What stays mapped of logs that were read: bounded, whatever else happens to them (decision 0042).
import { existsSync, mkdtempSync, promises, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Environment } from './lmdb-environment.ts'
import { lmdbLogStore } from './lmdb-log-store.ts'
import { appendMany, config, identity, NO_LIMITS, readAll, stamped } from './log-fixtures.suite.ts'
import { MappedBytes } from './mapped-bytes.ts'
import { type LogStore, openGate, type PartitionLog } from './partition-log.ts'

const KIB = 1024
const MIB = 1024 * KIB
const SMAPS = '/proc/self/smaps'

let dir: string
let store: LogStore | undefined
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-mapped-'))
})
afterEach(() => {
  store?.close()
  vi.restoreAllMocks()
  rmSync(dir, { recursive: true, force: true })
})

function storeOf(mappedBytesMax: number): LogStore {
  store = lmdbLogStore(dir, { gate: openGate, mappedBytesMax })
  return store
}

/** Resident bytes of this process that are pages of the logs' files. */
function residentLogBytes(): number {
  let isLog = false
  let kib = 0
  for (const line of readFileSync(SMAPS, 'utf8').split('\n')) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) isLog = line.includes(dir) && line.endsWith('data.mdb')
    else if (isLog && line.startsWith('Rss:')) kib += Number.parseInt(line.slice(4), 10)
  }
  return kib * KIB
}

/** Read through the map: larger values are read from the file (decision 0045). */
const VALUE_BYTES = 6 * KIB

/** Fills `log` with batches of `valueBytes` and reads all of it while more is appended. Returns the most that was mapped meanwhile. */
function readWhileAppending(log: PartitionLog, bytes: number, valueBytes = VALUE_BYTES): number {
  const fill = () => appendMany(log, 1, { valueBytes })
  while (log.sizeInBytes < bytes) fill()
  let most = 0
  const appendedBefore = log.logEndOffset
  for (let offset = 0, reads = 0; offset < log.logEndOffset; reads++) {
    const read = log.read(offset, { ...NO_LIMITS, maxBytes: MIB })
    expect(read.firstOffset).toBe(offset)
    offset = read.nextOffset
    if (log.logEndOffset < appendedBefore + 100) fill()
    if (reads % 4 === 0) most = Math.max(most, residentLogBytes())
  }
  expect(readAll(log, log.logEndOffset - 3)).toHaveLength(3)
  return most
}

// smaps is Linux'; elsewhere what is resident of a file cannot be asked for.
test.skipIf(!existsSync(SMAPS))(
  'a log of 200 MiB that is read while it grows keeps no more mapped than the bound',
  () => {
    const { log } = storeOf(8 * MIB).open(identity)
    // What a read took since the last look, and the last read before the bound was passed, come on top.
    expect(readWhileAppending(log, 200 * MIB)).toBeLessThan(8 * MIB + 5 * MIB)
  },
)

test.skipIf(!existsSync(SMAPS))('without the bound all of it is mapped', () => {
  const { log } = storeOf(Number.MAX_SAFE_INTEGER).open(identity)
  expect(readWhileAppending(log, 40 * MIB)).toBeGreaterThan(30 * MIB)
})

test.skipIf(!existsSync(SMAPS))('of large values nothing is mapped, bound or no bound', () => {
  const { log } = storeOf(Number.MAX_SAFE_INTEGER).open(identity)
  // But for what leads to them, and the first of each environment.
  expect(readWhileAppending(log, 40 * MIB, 60 * KIB)).toBeLessThan(5 * MIB)
})

test.skipIf(!existsSync(SMAPS))('records of a few bytes, which writing maps, keep to the bound', () => {
  const { log } = storeOf(MIB).open(identity)
  appendMany(log, 20_000, { valueBytes: 100 })
  expect(log.stats().fileBytes).toBeGreaterThan(3 * MIB)
  expect(residentLogBytes()).toBeLessThan(1.5 * MIB)
  expect(readAll(log)).toHaveLength(20_000)
})

test('the environment of which most is mapped closes first', () => {
  const logs = storeOf(MIB)
  const [large, small] = [0, 1].map(partition => logs.open({ ...identity, partition }).log) as [
    PartitionLog,
    PartitionLog,
  ]
  appendMany(large, 90, { valueBytes: VALUE_BYTES })
  appendMany(small, 30, { valueBytes: VALUE_BYTES })
  expect([large, small].map(log => log.stats().openSegments)).toEqual([1, 1])
  appendMany(small, 20, { valueBytes: VALUE_BYTES })
  expect([large, small].map(log => log.stats().openSegments)).toEqual([0, 1])
  expect([large, small].map(log => readAll(log).length)).toEqual([90, 50])
})

test('what is smaller than the bound is read again and again without closing it', () => {
  const { log } = storeOf(MIB).open(identity)
  appendMany(log, 10, { valueBytes: VALUE_BYTES })
  const closed = vi.spyOn(Environment.prototype, 'close')
  for (let n = 0; n < 50; n++) expect(readAll(log)).toHaveLength(10)
  expect(closed).not.toHaveBeenCalled()
})

test('closing flushes nothing, and commits without a flush are there when it opens again', () => {
  const { log } = storeOf(256 * KIB).open(identity)
  const commits = vi.spyOn(Environment.prototype, 'commit')
  const closed = vi.spyOn(Environment.prototype, 'close')
  for (let n = 0; n < 40; n++) {
    appendMany(log, 1, { valueBytes: VALUE_BYTES })
    expect(readAll(log)).toHaveLength(n + 1)
  }
  expect(closed.mock.calls.length).toBeGreaterThan(10)
  expect(commits.mock.calls.some(([, durable]) => durable)).toBe(false)
  expect(log.flushedOffset).toBe(0)
  log.flush()
  expect(log.flushedOffset).toBe(40)
})

test('a log whose checkpoint failed keeps the descriptor that the next fsync tells of it', async () => {
  const { log } = storeOf(256 * KIB).open(identity)
  appendMany(log, 20, { valueBytes: VALUE_BYTES })
  vi.spyOn(promises, 'open').mockRejectedValueOnce(new Error('EIO'))
  await log.checkpoint()
  const closed = vi.spyOn(Environment.prototype, 'close')
  expect(readAll(log)).toHaveLength(20)
  expect(closed).not.toHaveBeenCalled()
  log.append({ batches: [stamped(20)], now: 1, durable: true }, config)
})

test('no more than sixteen first closings pay for memory that the next environment has cleared', () => {
  const mapped = new MappedBytes(100)
  const first = Array.from({ length: 20 }, () => mapped.opened())
  for (const share of first) share.add(50)
  const closed = first.filter(share => {
    if (!mapped.isWorthClosing(share)) return false
    mapped.closed(share)
    return true
  })
  expect(closed).toHaveLength(16)
  expect(mapped.total).toBe(200)
  // What is opened in their memory may be closed and opened for ever.
  const again = mapped.opened()
  again.add(50)
  expect(mapped.isWorthClosing(again)).toBe(true)
})
