// Rows that trail their batches: how far, behind which commits never, and that whoever opens the segment sees no difference.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from 'lmdb'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadLmdb } from './lmdb-library.ts'
import { lmdbLogStore } from './lmdb-log-store.ts'
import { config, groupOf, identity, marker, noState, readAll, stamped } from './log-fixtures.suite.ts'
import { decodeState, keys, type StoredState } from './log-keys.records.ts'
import { type AppendGroup, type LogStore, openGate, type PartitionLog } from './partition-log.ts'

const TRAILING_COMMITS_MAX = 64
const TRAILING_BYTES_MAX = 256 * 1024
let dir: string
let store: LogStore

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-trailing-'))
  store = lmdbLogStore(dir, { gate: openGate })
})
afterEach(() => {
  store.close()
  rmSync(dir, { recursive: true, force: true })
})

/** The log as the death of the process leaves it. */
function reopened(): PartitionLog {
  store.close()
  store = lmdbLogStore(dir, { gate: openGate })
  return store.open(identity).log
}

/** Calls `use` with the rows of the first segment as they are stored. The process that had the log open has died. */
function withRows<T>(use: (rows: Database<Buffer, any>) => T): T {
  store.close()
  const path = join(dir, readdirSync(dir)[0]!, '0'.repeat(20))
  const root = loadLmdb().open({ path, noSubdir: false, overlappingSync: false, maxDbs: 2, encoding: 'binary' })
  try {
    return use(root.openDB({ name: 'meta', encoding: 'binary' }))
  } finally {
    void root.close()
    store = lmdbLogStore(dir, { gate: openGate })
  }
}

const storedState = (): StoredState => withRows(rows => decodeState(rows.getBinary(keys.state)!))
const storedFormat = () => withRows(rows => JSON.parse(`${rows.getBinary(keys.format)}`))

/** Appends so many small batches of three producers, one commit each. */
function appendSome(log: PartitionLog, count: number, derived = noState()): void {
  for (let n = 0; n < count; n++) {
    const offset = log.logEndOffset
    log.append(groupOf([stamped(offset, { producerId: offset % 3, sequence: offset })], derived), config)
  }
}

test.each([1, 2, 64, 65, 66, 100, 200])('after %i commits the rows are 64 behind at most', count => {
  appendSome(store.open(identity).log, count)
  expect(storedState().summary.nextOffset).toBe(count - ((count - 1) % (TRAILING_COMMITS_MAX + 1)))
  expect(readAll(store.open(identity).log)).toHaveLength(count)
})

test('what is behind the rows is never more than opening should read', () => {
  const { log } = store.open(identity)
  const batches = Array.from({ length: 23 }, (_, offset) => stamped(offset, { valueBytes: 60_000 }))
  for (const batch of batches) log.append(groupOf([batch], noState()), config)
  const behind = batches.slice(storedState().summary.nextOffset)
  expect(behind.length).toBeGreaterThan(0)
  expect(behind.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThanOrEqual(TRAILING_BYTES_MAX)
})

describe('rows are written with', () => {
  const append = (log: PartitionLog, change: Partial<AppendGroup>, shape = {}) =>
    log.append({ ...groupOf([stamped(log.logEndOffset, shape)], noState()), ...change }, config)

  test.each<readonly [string, (log: PartitionLog) => void]>([
    ['a flush', log => log.flush()],
    ['a durable commit', log => append(log, { durable: true })],
    ['a commit that says more than its batches', log => append(log, { isDerived: false })],
    ['a high watermark below the end', log => append(log, { highWatermark: log.logEndOffset })],
    ['a new epoch', log => append(log, {}, { epoch: 5 })],
    ['a producer that expires', log => append(log, { expiredProducers: [1] })],
    ['an entry of the time index', log => append(log, {}, { valueBytes: 70_000, timestamp: 2_000 })],
    ['deleted records', log => log.deleteRecordsTo(1)],
    ['a clean end', log => log.close({ clean: true })],
  ])('%s', (_, change) => {
    const { log } = store.open(identity)
    appendSome(log, 10)
    change(log)
    expect(storedState().summary.nextOffset).toBe(log.logEndOffset)
  })

  test('an abort', () => {
    const { log } = store.open(identity)
    const derived = noState()
    for (const batch of [
      stamped(0, { producerId: 1, transactional: true }),
      stamped(1, { producerId: 2, transactional: true }),
      marker(2, { producerId: 1, commit: false }),
    ])
      log.append(groupOf([batch], derived), config)
    expect(storedState()).toMatchObject({ summary: { nextOffset: 3 }, log: { lastStableOffset: 1 } })
  })

  test('the first commit of each opening', () => {
    appendSome(store.open(identity).log, 10)
    const derived = noState()
    const log = reopened()
    for (const producer of log.producerStates()) derived.producers.set(producer.producerId, producer)
    appendSome(log, 1, derived)
    const expected = log.producerStates()
    expect(expected).toHaveLength(3)
    expect(storedState().summary.nextOffset).toBe(11)
    expect(store.open(identity).log.producerStates()).toEqual(expected)
  })
})

test('when its first batch came is known of a segment that was begun without one', () => {
  const { log } = store.open(identity)
  appendSome(log, 1)
  log.roll(0)
  log.append(groupOf([stamped(1, { timestamp: -1 })], noState(), 7_000), config)
  const segments = log.segments()
  expect(segments.at(-1)).toMatchObject({ baseOffset: 1, firstAppendMs: 7_000 })
  expect(reopened().segments()).toEqual(segments)
})

test('the last stable offset behind the rows follows from transactions that began before and behind them', () => {
  const begin = (producerId: number) => (offset: number) => stamped(offset, { producerId, transactional: true })
  const commit = (producerId: number) => (offset: number) => marker(offset, { producerId, commit: true })
  const history = [begin(1), begin(2), commit(1), begin(3), commit(2), commit(3), begin(1)]
  const stable = history.map((_, count) => {
    const { log } = store.open(identity)
    const derived = noState()
    for (const build of history.slice(0, count + 1)) log.append(groupOf([build(log.logEndOffset)], derived), config)
    const again = reopened()
    const { lastStableOffset, highWatermark } = again
    expect(again.producerStates()).toEqual([...derived.producers.values()].sort((a, b) => a.producerId - b.producerId))
    expect(highWatermark).toBe(count + 1)
    store.delete(identity)
    return lastStableOffset
  })
  expect(stable).toEqual([0, 0, 1, 1, 3, 6, 6])
})

test('producers of a sealed segment whose rows trail are not lost by a flush of whoever opened it next', () => {
  const derived = noState()
  const { log } = store.open(identity)
  appendSome(log, 10, derived)
  log.roll(0)
  const again = reopened()
  again.append(groupOf([stamped(10, { producerId: 9 })], noState()), config)
  again.flush()
  again.truncateTo(10)
  expect(again.producerStates()).toEqual([...derived.producers.values()].sort((a, b) => a.producerId - b.producerId))
})

describe('a segment of format version', () => {
  const asVersion = (version: number) =>
    withRows(rows => {
      const format = JSON.parse(`${rows.getBinary(keys.format)}`)
      rows.putSync(keys.format, Buffer.from(JSON.stringify({ ...format, version })))
    })

  test('2, whose rows never trail, is read, and is of version 3 once something was appended', () => {
    const { log } = store.open(identity)
    appendSome(log, 10)
    log.close({ clean: true })
    asVersion(2)
    expect(readAll(store.open(identity).log)).toHaveLength(10)
    expect(storedFormat()).toMatchObject({ version: 2 })
    appendSome(store.open(identity).log, 2)
    expect(storedFormat()).toEqual({
      version: 3,
      topic: identity.topic,
      topicId: identity.topicId,
      partition: identity.partition,
      baseOffset: 0,
    })
    expect(readAll(store.open(identity).log)).toHaveLength(12)
  })

  test.each([1, 4])('%i is refused', version => {
    appendSome(store.open(identity).log, 1)
    asVersion(version)
    expect(() => store.open(identity)).toThrow(`format version ${version} where 2 to 3 are understood`)
  })
})

describe('what is damaged behind the rows is cut off where it begins', () => {
  /** Three batches of three records in each of three commits, of which two are behind the rows. Returns which batches are left when one was harmed. */
  function leftAfter(harmed: number, harm: (batch: Buffer) => void) {
    const { log } = store.open(identity)
    const derived = noState()
    const batchesFrom = (first: number) =>
      [first, first + 3, first + 6].map(offset => stamped(offset, { records: 3, producerId: offset, seed: offset }))
    const all = [batchesFrom(0), batchesFrom(9), batchesFrom(18)]
    for (const batches of all) log.append(groupOf(batches, derived), config)
    store.close()
    const file = join(dir, readdirSync(dir)[0]!, '0'.repeat(20), 'data.mdb')
    const bytes = readFileSync(file)
    const { bytes: batch } = all.flat().find(({ baseOffset }) => baseOffset === harmed)!
    // Pages of earlier commits have it, too.
    for (let at = bytes.indexOf(batch); at >= 0; at = bytes.indexOf(batch, at + 1)) harm(bytes.subarray(at))
    writeFileSync(file, bytes)
    store = lmdbLogStore(dir, { gate: openGate })
    const { log: left, recovered } = store.open(identity)
    expect(left.sizeInBytes + recovered.droppedBytes).toBe(9 * all[0]![0]!.bytes.length)
    const bases = readAll(left)
    appendSome(left, 3, { producers: new Map(), aborted: [] })
    expect(readAll(reopened())).toEqual([...bases, ...[0, 1, 2].map(n => left.logEndOffset - 3 + n)])
    expect(left.logEndOffset - 3).toBe(bases.at(-1)! + 3)
    return bases
  }
  const inRecords = (batch: Buffer) => batch.writeUInt8(batch[70]! ^ 1, 70)

  test.each([
    ['its first batch', 18, [0, 3, 6, 9, 12, 15]],
    ['its second', 21, [0, 3, 6, 9, 12, 15, 18]],
    ['its last', 24, [0, 3, 6, 9, 12, 15, 18, 21]],
  ])('in the last value: %s', (_, offset, left) => {
    expect(leftAfter(offset, inRecords)).toEqual(left)
  })

  test('in a value that others follow', () => {
    expect(leftAfter(12, inRecords)).toEqual([0, 3, 6, 9])
  })

  test.each([
    ['a little too high', 22n],
    ['far too high', 2n ** 40n],
    ['beyond all numbers', 2n ** 60n],
    ['too low', 3n],
  ])('a base offset within a value, which no CRC covers: %s', (_, wrong) => {
    expect(leftAfter(21, batch => batch.writeBigInt64BE(wrong, 0))).toEqual([0, 3, 6, 9, 12, 15, 18])
  })
})
