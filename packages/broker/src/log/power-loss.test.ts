// Power loss: of what was written after the last flush, any part may have reached the disk. Whatever part it was, the log comes back
// with exactly what was flushed, whole, and goes on.
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Random, seededRandom } from '@odradek/shared/base/random'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { lmdbLogStore } from './lmdb-log-store.ts'
import {
  appendMany,
  config,
  eager,
  groupOf,
  identity,
  keyed,
  noState,
  readAll,
  recordsOf,
  stamped,
} from './log-fixtures.suite.ts'
import { type LogConfig, openGate, type PartitionLog, type ProducerState } from './partition-log.ts'

const boot = vi.hoisted(() => ({ id: 'a'.repeat(32) }))
vi.mock('./boot-id.ts', () => ({ bootId: () => boot.id }))

const PAGE = 4096
let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'odradek-power-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

/** Every file below `dir`, by relative path. */
function filesOf(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(dir.length + 1))
}

/** Of each page that changed since `flushed` was copied, the disk has the old one or the new one; then the system starts again. */
function losePower(dir: string, flushed: string, random: Random): void {
  for (const name of filesOf(dir).filter(each => each.endsWith('data.mdb'))) {
    const bytes = readFileSync(join(dir, name))
    const old = existsSync(join(flushed, name)) ? readFileSync(join(flushed, name)) : Buffer.alloc(0)
    for (let at = 0; at < bytes.length; at += PAGE) {
      if (random.int(2) === 0) continue
      bytes.fill(0, at, at + PAGE)
      bytes.set(old.subarray(at, at + PAGE), at)
    }
    writeFileSync(join(dir, name), bytes)
  }
  boot.id = boot.id === 'a'.repeat(32) ? 'b'.repeat(32) : 'a'.repeat(32)
}

/** Appends `count` batches of mixed sizes from three producers. */
function load(log: PartitionLog, count: number, { random, policy }: { random: Random; policy: LogConfig }): void {
  const derived = noState()
  for (const state of log.producerStates()) derived.producers.set(state.producerId, state)
  for (let n = 0; n < count; n++) {
    const offset = log.logEndOffset
    const shape = { producerId: random.int(3), sequence: offset, timestamp: offset }
    const valueBytes = [20, 150, 900, 3000, 30_000][random.int(5)]!
    log.append(groupOf([stamped(offset, { ...shape, valueBytes })], derived), policy)
  }
}

function stateOf(log: PartitionLog): { end: number; producers: ProducerState[]; bases: number[] } {
  return { end: log.logEndOffset, producers: log.producerStates(), bases: readAll(log) }
}

for (const [segmentBytes, mappedBytesMax] of [
  [2 ** 30, 2 ** 30],
  [150_000, 2 ** 30],
  [2 ** 30, 2_000],
  [150_000, 2_000],
] as const) {
  test(`what was flushed comes back whole, whatever became of the rest (segments of ${segmentBytes}, ${mappedBytesMax} bytes mapped)`, () => {
    for (let seed = 1; seed <= 12; seed++) {
      const random = seededRandom(seed)
      const dir = join(root, `seed-${seed}`)
      const policy = { ...config, segmentBytes }
      let store = lmdbLogStore(dir, { gate: openGate, mappedBytesMax })
      let { log } = store.open(identity)
      for (let round = 0; round < 3; round++) {
        load(log, 20 + random.int(60), { random, policy })
        log.flush()
        const flushed = stateOf(log)
        cpSync(dir, `${dir}-flushed`, { recursive: true })
        load(log, 1 + random.int(60), { random, policy })
        store.close()
        losePower(dir, `${dir}-flushed`, random)
        rmSync(`${dir}-flushed`, { recursive: true })

        store = lmdbLogStore(dir, { gate: openGate, mappedBytesMax })
        const opened = store.open(identity)
        log = opened.log
        expect(opened.recovered.clean).toBe(false)
        expect(stateOf(log)).toEqual(flushed)
      }
      store.close()
    }
  })
}

test('a background checkpoint bounds what is lost without a flush, and never takes a later flush back', async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const random = seededRandom(100 + seed)
    const dir = join(root, `seed-${seed}`)
    let store = lmdbLogStore(dir, { gate: openGate })
    const { log } = store.open(identity)
    load(log, 50, { random, policy: config })
    const running = log.checkpoint()
    const covered = stateOf(log)
    cpSync(dir, `${dir}-covered`, { recursive: true })
    load(log, 1 + random.int(50), { random, policy: config })
    const flushesMeanwhile = random.int(2) === 1
    if (flushesMeanwhile) log.flush()
    const expected = flushesMeanwhile ? stateOf(log) : covered
    if (flushesMeanwhile) cpSync(dir, `${dir}-covered`, { recursive: true })
    await running
    load(log, 1 + random.int(50), { random, policy: config })
    store.close()
    losePower(dir, `${dir}-covered`, random)
    store = lmdbLogStore(dir, { gate: openGate })
    expect(stateOf(store.open(identity).log)).toEqual(expected)
    store.close()
  }
})

test('with flush.messages=1 there is nothing to bring back: every commit stands', () => {
  const dir = join(root, 'durable')
  const store = lmdbLogStore(dir, { gate: openGate })
  const { log } = store.open(identity)
  appendMany(log, 30, { valueBytes: 3000 }, { ...config, flushMessages: 1 })
  store.close()
  boot.id = 'c'.repeat(32)
  const again = lmdbLogStore(dir, { gate: openGate })
  expect(readAll(again.open(identity).log)).toHaveLength(30)
  again.close()
})

test('when only the process died, unflushed commits stay', () => {
  const dir = join(root, 'killed')
  const store = lmdbLogStore(dir, { gate: openGate })
  appendMany(store.open(identity).log, 30)
  store.close()
  const again = lmdbLogStore(dir, { gate: openGate })
  expect(readAll(again.open(identity).log)).toHaveLength(30)
  again.close()
})

test('a log that was never flushed is empty after power loss, and starts again', () => {
  const dir = join(root, 'never')
  const store = lmdbLogStore(dir, { gate: openGate })
  appendMany(store.open(identity).log, 30)
  store.close()
  losePower(dir, join(root, 'nothing'), seededRandom(1))
  const notices: string[] = []
  const again = lmdbLogStore(dir, { gate: openGate, notice: message => notices.push(message) })
  const { log } = again.open(identity)
  expect([log.logStartOffset, log.logEndOffset]).toEqual([0, 0])
  expect(notices[0]).toContain('back at its last')
  appendMany(log, 2)
  expect(readAll(log)).toEqual([0, 1])
  again.close()
})

test('power loss in the middle of compaction leaves every key at its last flushed value, whatever the disk kept', async () => {
  for (let seed = 1; seed <= 4; seed++) {
    const random = seededRandom(200 + seed)
    const dir = join(root, `compacted-${seed}`)
    let store = lmdbLogStore(dir, { gate: openGate })
    let { log } = store.open(identity)
    const records: [string, string][] = []
    const put = (key: string, value: string) => {
      log.append({ batches: [keyed(log.logEndOffset, [[key, value]])], now: 5_000 }, config)
      records.push([key, value])
    }
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 40; n++) {
        const value = `${n}`.padStart(20 + random.int(1_000), '.')
        put(`key-${n % 5}`, value)
        if (random.int(8) === 0) log.roll(5_000)
      }
      log.roll(5_000)
      const keep = () => cpSync(dir, `${dir}-flushed`, { recursive: true, force: true })
      log.flush()
      keep()
      // A swap flushes: from there on, what is on the disk is what the swap left.
      let { flushes } = log.stats()
      const compaction = log.beginCompaction({ ...eager, segmentBytes: 20_000 })
      put('late', 'x')
      for (let steps = random.int(60); steps > 0 && compaction !== undefined; steps--) {
        const progress = compaction.step(3_000)
        if (progress.state === 'waiting') await progress.until
        if (log.stats().flushes > flushes) {
          rmSync(`${dir}-flushed`, { recursive: true })
          keep()
          flushes = log.stats().flushes
        }
        if (progress.state === 'done') break
      }
      const { flushedOffset } = log
      store.close()
      losePower(dir, `${dir}-flushed`, random)
      rmSync(`${dir}-flushed`, { recursive: true })

      store = lmdbLogStore(dir, { gate: openGate })
      log = store.open(identity).log
      expect(log.logEndOffset).toBeGreaterThanOrEqual(flushedOffset)
      records.length = log.logEndOffset
      const last = new Map(recordsOf(log).map(([, key, value]) => [key as string, value]))
      expect(last).toEqual(new Map(records))
    }
    store.close()
  }
})
