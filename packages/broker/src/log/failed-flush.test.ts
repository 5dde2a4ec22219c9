// PROMISES 10: a log whose flush failed promises nothing more until it is opened anew, and then what it had is safe.
import { mkdtempSync, promises, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Environment } from './lmdb-environment.ts'
import { lmdbLogStore } from './lmdb-log-store.ts'
import { LogIOError } from './log-errors.ts'
import { appendMany, config, identity, readAll, stamped } from './log-fixtures.suite.ts'
import { memoryLogStore } from './memory-log-store.ts'
import { type LogStore, openGate } from './partition-log.ts'

const flushed = { ...config, flushMessages: 1 }

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'odradek-flush-'))
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(root, { recursive: true, force: true })
})

interface FailingDisk {
  readonly store: LogStore
  /** From now on fsync fails, or succeeds again. */
  failFlushes(fails: boolean): void
}

function lmdb(): FailingDisk {
  const disk = { fails: false }
  const { commit } = Environment.prototype
  vi.spyOn(Environment.prototype, 'commit').mockImplementation(function (this: Environment, write, durable) {
    if (durable && disk.fails) throw new Error('EIO: fsync')
    commit.call(this, write, durable)
  })
  return { store: lmdbLogStore(root, { gate: openGate }), failFlushes: fails => void Object.assign(disk, { fails }) }
}

function memory(): FailingDisk {
  const disk = { fails: false }
  const simulated = { refusesWrite: () => null, refusesFlush: () => (disk.fails ? 'EIO: fsync' : null) }
  return { store: memoryLogStore({ disk: simulated }), failFlushes: fails => void Object.assign(disk, { fails }) }
}

describe.each([
  ['LMDB', lmdb],
  ['memory', memory],
])('a flush that fails (%s)', (_, open) => {
  test('stores nothing of its group, and nothing after it is taken although the disk would take it', () => {
    const { store, failFlushes } = open()
    const { log } = store.open(identity)
    appendMany(log, 3, {}, flushed)
    failFlushes(true)
    expect(() => log.append({ batches: [stamped(3)], now: 1 }, flushed)).toThrow(LogIOError)
    failFlushes(false)
    expect(log.hasFailed).toBe(true)
    // Not even what asks for no flush: its flush would be believed.
    expect(() => log.append({ batches: [stamped(3)], now: 1 }, config)).toThrow(/after a failed flush/)
    expect(() => log.flush()).toThrow(/after a failed flush/)
    expect(() => log.roll(1)).toThrow(/after a failed flush/)
    expect([log.logEndOffset, readAll(log)]).toEqual([3, [0, 1, 2]])
    store.close()
  })

  test('is over when the log was opened anew: what was there is there, and appends are taken', () => {
    const { store, failFlushes } = open()
    const { log } = store.open(identity)
    appendMany(log, 2, {}, flushed)
    appendMany(log, 3)
    failFlushes(true)
    expect(() => log.flush()).toThrow(LogIOError)
    log.close({ clean: true })
    failFlushes(false)
    const again = store.open(identity)
    expect(again.recovered.clean).toBe(false)
    expect(again.log.hasFailed).toBe(false)
    expect(readAll(again.log)).toEqual([0, 1, 2, 3, 4])
    appendMany(again.log, 1, {}, flushed)
    expect(again.log.flushedOffset).toBe(6)
    again.log.close({ clean: true })
    expect(store.open(identity).recovered.clean).toBe(true)
    store.close()
  })
})

test('a segment whose flush failed says so to whoever opens it next, also in another process', () => {
  const { store, failFlushes } = lmdb()
  const { log } = store.open(identity)
  appendMany(log, 3)
  failFlushes(true)
  expect(() => log.flush()).toThrow(LogIOError)
  store.close()
  const note = () => readdirSync(root, { recursive: true }).filter(name => String(name).endsWith('flush-failed'))
  expect(note()).toHaveLength(1)
  failFlushes(false)
  const notices: string[] = []
  const next = lmdbLogStore(root, { gate: openGate, notice: message => notices.push(message) })
  expect(readAll(next.open(identity).log)).toEqual([0, 1, 2])
  expect(notices).toContain('a flush had failed: the segment was written anew')
  expect(note()).toEqual([])
  next.close()
})

test('after a checkpoint whose data was refused no later one is believed, and whoever opens the segment next writes it anew', async () => {
  const notices: string[] = []
  const notice = (message: string) => notices.push(message)
  const store = lmdbLogStore(root, { gate: openGate, notice })
  const { log } = store.open(identity)
  appendMany(log, 3)
  const { open } = promises
  const opened = vi.spyOn(promises, 'open').mockImplementationOnce(async (...args) => {
    const file = await open(...args)
    vi.spyOn(file, 'datasync').mockRejectedValueOnce(new Error('EIO: fdatasync'))
    return file
  })
  await log.checkpoint()
  const found = (name: string) => readdirSync(root, { recursive: true }).filter(each => String(each).endsWith(name))
  expect(found('flush-failed')).toHaveLength(1)
  expect(notices).toEqual(['a checkpoint failed: until the next flush, power loss takes more'])
  appendMany(log, 2)
  // The disk would take it now.
  await log.checkpoint()
  expect(opened).toHaveBeenCalledOnce()
  expect(found('flushed-root')).toEqual([])
  store.close()
  const next = lmdbLogStore(root, { gate: openGate, notice })
  const again = next.open(identity).log
  expect(readAll(again)).toEqual([0, 1, 2, 3, 4])
  expect(notices).toContain('a flush had failed: the segment was written anew')
  await again.checkpoint()
  expect(found('flushed-root')).toHaveLength(1)
  next.close()
})

test('memory: power loss takes what a failed flush left in doubt, unless the log was opened anew', () => {
  const disk = { fails: false }
  const simulated = { refusesWrite: () => null, refusesFlush: () => (disk.fails ? 'EIO' : null) }
  for (const opensAnew of [false, true]) {
    const store = memoryLogStore({ forgetful: true, disk: simulated })
    let { log } = store.open(identity)
    appendMany(log, 2, {}, flushed)
    appendMany(log, 2)
    disk.fails = true
    expect(() => log.flush()).toThrow(LogIOError)
    disk.fails = false
    if (opensAnew) {
      log.close({ clean: false })
      log = store.open(identity).log
      log.flush()
    }
    store.crash({ keepUnflushed: false })
    expect(readAll(store.open(identity).log)).toEqual(opensAnew ? [0, 1, 2, 3] : [0, 1])
  }
})
