// Copies of logs that are being written: what they hold, and that the originals never learn of it.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32c } from '@odradek/shared/records/crc32c'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeRoot } from './flushed-root.ts'
import { copyLive } from './live-copy.ts'
import { EnvironmentPool } from './lmdb-environment.ts'
import { lmdbLogStore } from './lmdb-log-store.ts'
import { dataFile, readQuietRoot } from './lmdb-pages.ts'
import { segmentsForReading } from './lmdb-segment-storage.ts'
import { config, groupOf, identity, noState, readAll, stamped } from './log-fixtures.suite.ts'
import { type LogStore, openGate, type PartitionLog } from './partition-log.ts'
import type { Segment } from './segment.ts'

const SMALL_SEGMENTS = { ...config, segmentBytes: 100_000 }
let root: string
let copies: string
let store: LogStore
let derived = noState()

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'odradek-original-'))
  copies = mkdtempSync(join(tmpdir(), 'odradek-copy-'))
  store = lmdbLogStore(root, { gate: openGate })
  derived = noState()
})
afterEach(() => {
  store.close()
  for (const dir of [root, copies]) rmSync(dir, { recursive: true, force: true })
})

const isSegment = (name: string) => /^\d{20}$/.test(name)
const original = () => join(root, readdirSync(root)[0]!)

function append(log: PartitionLog, count: number): void {
  for (let n = 0; n < count; n++) {
    const offset = log.logEndOffset
    const shape = { producerId: offset % 3, sequence: offset, valueBytes: [10, 900, 5_000, 20_000][offset % 4]! }
    log.append(groupOf([stamped(offset, shape)], derived), SMALL_SEGMENTS)
  }
}

/** What a copy says. */
function read(copy: string) {
  const pool = new EnvironmentPool({
    gate: openGate,
    openMax: 8,
    mapSize: 2 ** 33,
    mappedBytesMax: 2 ** 30,
    readOnly: true,
  })
  try {
    const segments = segmentsForReading(copy, { pool, identity })
    return {
      end: segments.at(-1)!.load()!.summary.nextOffset,
      bases: segments.flatMap(basesOf),
      producers: segments.at(-1)!.producers(),
    }
  } finally {
    pool.releaseAll()
  }
}

function basesOf(segment: Segment): number[] {
  const bases: number[] = []
  segment.visit(
    segment.baseOffset,
    (bytes, at) => bases.push(Buffer.from(bytes.buffer, bytes.byteOffset).readInt32BE(at + 4)) > 0,
  )
  return bases
}

test('a copy is the log as of its last commit, whatever is appended afterwards, and while it is read', () => {
  const { log } = store.open(identity)
  const expected: { end: number; producers: unknown }[] = []
  for (let n = 0; n < 12; n++) {
    append(log, 1 + n * 7)
    copyLive(original(), join(copies, `${n}`))
    expected.push({ end: log.logEndOffset, producers: log.producerStates() })
  }
  expect(log.segments().length).toBeGreaterThan(5)
  expected.forEach((then, n) => {
    expect(read(join(copies, `${n}`))).toEqual({ ...then, bases: Array.from({ length: then.end }, (_, base) => base) })
    append(log, 3)
  })
  expect(readAll(log)).toHaveLength(log.logEndOffset)
})

test('what is written between the look at the root and the copy of the file does no harm', () => {
  const { log } = store.open(identity)
  append(log, 20)
  const segment = readdirSync(original()).filter(isSegment).at(-1)!
  const file = dataFile(join(original(), segment))
  const then = log.producerStates()
  const root = readQuietRoot(file)
  // What is free by then is written over; the segment is rolled in the end.
  while (log.segments().at(-1)!.baseOffset === Number(segment)) append(log, 1)
  cpSync(original(), copies, { recursive: true, filter: path => !path.endsWith('lock.mdb') })
  for (const later of readdirSync(copies).filter(isSegment)) {
    if (Number(later) > Number(segment)) rmSync(join(copies, later), { recursive: true })
  }
  writeRoot(dataFile(join(copies, segment)), root)
  expect(read(copies)).toEqual({ end: 20, bases: Array.from({ length: 20 }, (_, base) => base), producers: then })
})

test('nothing of the original changes, also not the page that its processes share', () => {
  const { log } = store.open(identity)
  append(log, 30)
  // A process has each file open once: what it has open already it would not open again.
  store.close()
  const files = () =>
    readdirSync(original(), { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(({ parentPath, name }) => [name, join(parentPath, name), crc32c(readFileSync(join(parentPath, name)))])
  const before = files()
  expect(before.filter(([name]) => name === 'lock.mdb').length).toBeGreaterThan(1)
  copyLive(original(), copies)
  const seen = read(copies)
  expect(files()).toEqual(before)
  expect(read(original())).toEqual(seen)
  expect(files()).not.toEqual(before)
})
