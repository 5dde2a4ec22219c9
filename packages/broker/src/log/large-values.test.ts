// Large values are read from the file, not through LMDB's map: the same bytes, to the right place, and no others (decision 0045).
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { giveBack, isLent } from '@odradek/shared/base/lent-buffers'
import * as batch from '@odradek/shared/records/record-batch'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LargeValues, type ValueReader } from './large-values.ts'
import { Environment } from './lmdb-environment.ts'
import { lmdbLogStore } from './lmdb-log-store.ts'
import { LogIOError } from './log-errors.ts'
import { appendMany, config, identity, NO_LIMITS, readAll, stamped } from './log-fixtures.suite.ts'
import { MappedBytes, mappedByReading } from './mapped-bytes.ts'
import { memoryLogStore } from './memory-log-store.ts'
import { type LogRead, openGate, type PartitionLog } from './partition-log.ts'

const KIB = 1024
const MIB = 1024 * KIB
/** The largest batch of the histories, and what batches are joined to. */
const VALUE_MAX = 301_000
const DEFAULT_MAP_BYTES = 8 * 1024 * MIB

const files = vi.hoisted(() => ({ refuse: '' }))
vi.mock('node:fs', async importOriginal => {
  const fs = await importOriginal<typeof import('node:fs')>()
  const openSync: typeof fs.openSync = (path, ...rest) => {
    if (files.refuse !== '' && String(path).endsWith('data.mdb'))
      throw Object.assign(new Error(files.refuse), { code: files.refuse })
    return fs.openSync(path, ...rest)
  }
  return { ...fs, default: { ...fs, openSync }, openSync }
})

let dir: string
const opened: Environment[] = []
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-large-'))
})
afterEach(() => {
  files.refuse = ''
  vi.restoreAllMocks()
  for (const environment of opened.splice(0)) environment.close()
  rmSync(dir, { recursive: true, force: true })
})

/** An environment with a batch of `valueBytes` under each key, one commit each. */
function environmentWith(batches: readonly (readonly [key: number, valueBytes: number])[]): Environment {
  const path = join(dir, 'segment')
  mkdirSync(path)
  const mapped = new MappedBytes(Number.MAX_SAFE_INTEGER).opened()
  const environment = new Environment(path, { mapSize: DEFAULT_MAP_BYTES, readOnly: false, mapped })
  opened.push(environment)
  for (const [key, valueBytes] of batches) put(environment, key, valueBytes)
  return environment
}

function put(environment: Environment, key: number, valueBytes: number, seed = key): void {
  const { bytes } = stamped(key, { valueBytes, seed })
  environment.commit(batches => void batches.put(key, Buffer.from(bytes)), false)
  environment.appended(bytes.length)
}

const valueAt = (key: number, valueBytes: number, seed = key) => Buffer.from(stamped(key, { valueBytes, seed }).bytes)
/** By one comparison: `toEqual` looks at each byte. */
function expectBytes(found: Uint8Array | undefined, wanted: Uint8Array): void {
  expect(found).toHaveLength(wanted.length)
  expect(Buffer.compare(found!, wanted)).toBe(0)
}
const readerWith = (reader: Partial<ValueReader>): ValueReader => ({
  room: Number.MAX_SAFE_INTEGER,
  offset: 0,
  end: Number.MAX_SAFE_INTEGER,
  wantsPart: true,
  placeFor: () => undefined,
  ...reader,
})

test('what was read from the file counts as mapped by nobody, and is what LMDB has', () => {
  const keys = Array.from({ length: 700 }, (_, key) => [key * 3, 9 * KIB + key] as const)
  const environment = environmentWith(keys)
  // The first one tells that values are large.
  expectBytes(environment.batchesAt(0), valueAt(0, 9 * KIB))
  const mappedBefore = environment.mapped.bytes
  for (const [key, bytes] of keys) expect(environment.batchesAt(key)!.length).toBe(valueAt(key, bytes).length)
  for (const [key, bytes] of [keys[699]!, keys[0]!, keys[350]!]) {
    expectBytes(environment.batchesAt(key), valueAt(key, bytes))
  }
  expect(environment.mapped.bytes).toBe(mappedBefore)
  expect(environment.batchesAt(1)).toBeUndefined()
  expect(environment.batchesAt(699 * 3 + 1)).toBeUndefined()
})

test('a reader says where a value is to be read to', () => {
  const environment = environmentWith([
    [0, 20 * KIB],
    [1, 30 * KIB],
  ])
  environment.batchesAt(0)
  const [first, second] = [valueAt(0, 20 * KIB), valueAt(1, 30 * KIB)]
  const place = Buffer.alloc(64 * KIB)
  const reader = readerWith({ placeFor: bytes => place.subarray(7, 7 + bytes) })
  const found = environment.batchesAt(1, reader)!
  expect([found.buffer === place.buffer, found.byteOffset - place.byteOffset]).toEqual([true, 7])
  expect(place.subarray(7, 7 + second.length).equals(second)).toBe(true)
  expectBytes(environment.batchesAt(0), first)
  expect(place.subarray(7, 7 + second.length).equals(second)).toBe(true)
})

/** Reads `key` as a fetch with so much room does. Gives the keys that came with it; what came must be their values. */
function keysReadWith(environment: Environment, key: number, room: number, valueBytes: number): number[] {
  const reader = readerWith({
    room,
    placeFor: bytes => (bytes > room ? undefined : Buffer.alloc(bytes)),
  })
  const found = environment.batchesAt(key, reader)!
  const keys = [...batch.batchPositions(found)].map(at => batch.baseOffset(found, at))
  expectBytes(found, Buffer.concat(keys.map(each => valueAt(each, valueBytes))))
  expect(keys.shift()).toBe(key)
  return keys
}

test('values that stand one behind the other come with the first, as far as there is room', () => {
  const environment = environmentWith(Array.from({ length: 100 }, (_, key) => [key, 16 * KIB] as const))
  environment.batchesAt(0)
  const size = valueAt(10, 16 * KIB).length
  const keys = (from: number, count: number) => Array.from({ length: count }, (_, n) => from + n)
  expect(keysReadWith(environment, 10, 5 * size, 16 * KIB)).toEqual(keys(11, 4))
  expect(keysReadWith(environment, 10, 6 * size - 1, 16 * KIB)).toEqual(keys(11, 4))
  expect(keysReadWith(environment, 10, size, 16 * KIB)).toEqual([])
  expect(keysReadWith(environment, 5, MIB * 8, 16 * KIB)).toEqual(keys(6, 63))
  expect(keysReadWith(environment, 98, MIB, 16 * KIB)).toEqual([99])
})

/** Many enough that the last ones stand one behind the other: the first leave the pages of trees between them. */
const manyWith = (valueBytes: (key: number) => number) =>
  environmentWith(Array.from({ length: 30 }, (_, key) => [key, valueBytes(key)] as const))

test('a value between them that LMDB has to be asked for ends what comes together', () => {
  const environment = manyWith(key => (key === 23 ? 100 : 16 * KIB))
  environment.batchesAt(0)
  expect(keysReadWith(environment, 21, MIB, 16 * KIB)).toEqual([22])
  expectBytes(environment.batchesAt(23), valueAt(23, 100))
  environment.batchesAt(24)
  expect(keysReadWith(environment, 24, MIB, 16 * KIB)).toEqual([25, 26, 27, 28, 29])
})

test('what comes together ends before the one that is not what it should be', () => {
  const environment = manyWith(() => 16 * KIB)
  environment.batchesAt(0)
  damagePageOf(environment, 24)
  environment.batchesAt(0)
  expect(keysReadWith(environment, 21, MIB, 16 * KIB)).toEqual([22, 23])
  expect(keysReadWith(environment, 24, MIB, 16 * KIB)).toEqual([])
  expect(keysReadWith(environment, 25, MIB, 16 * KIB)).toEqual([26, 27, 28, 29])
})

test('a value for which there is too little room is not read for a reader that wants no part of it', () => {
  const environment = environmentWith([
    [0, 20 * KIB],
    [1, 30 * KIB],
  ])
  environment.batchesAt(0)
  const placeFor = vi.fn()
  const size = valueAt(1, 30 * KIB).length
  expect(environment.batchesAt(1, readerWith({ room: size - 1, wantsPart: false, placeFor }))).toBeNull()
  expect(placeFor).not.toHaveBeenCalled()
  expect(environment.batchesAt(1, readerWith({ room: size, wantsPart: false }))!.length).toBe(size)
  expect(environment.batchesAt(1, readerWith({ room: size - 1 }))!.length).toBe(size)
})

test('values that are not wanted yet do not come with it', () => {
  const environment = manyWith(() => 16 * KIB)
  environment.batchesAt(0)
  const placeFor = (bytes: number) => Buffer.alloc(bytes)
  const size = valueAt(20, 16 * KIB).length
  const read = (end: number) => environment.batchesAt(20, readerWith({ offset: 20, end, placeFor }))!.length / size
  expect([read(20), read(21), read(23)]).toEqual([1, 1, 3])
})

test('values that end with a page, or a byte before it or behind it', () => {
  const overhead = valueAt(0, 10_000).length - 10_000
  const sizes = Array.from(
    { length: 120 },
    (_, n) => 4096 * (3 + (n % 3)) - overhead + [-25, -24, -23, -1, 0, 1][n % 6]!,
  )
  const environment = environmentWith(sizes.map((valueBytes, key) => [key, valueBytes] as const))
  environment.batchesAt(0)
  for (const from of [0, 1, 2, 37, 64, 119]) {
    const found = environment.batchesAt(from, readerWith({ offset: from, placeFor: bytes => Buffer.alloc(bytes) }))!
    const keys = [...batch.batchPositions(found)].map(at => batch.baseOffset(found, at))
    expect(keys[0]).toBe(from)
    expectBytes(found, Buffer.concat(keys.map(key => valueAt(key, sizes[key]!))))
  }
})

test('a value that begins before what is wanted comes alone', () => {
  const environment = manyWith(() => 16 * KIB)
  environment.batchesAt(0)
  const placeFor = (bytes: number) => Buffer.alloc(bytes)
  const size = valueAt(20, 16 * KIB).length
  expect(environment.batchesAt(20, readerWith({ offset: 20, placeFor }))!.length).toBeGreaterThan(2 * size)
  expect(environment.batchesAt(20, readerWith({ offset: 21, placeFor }))!.length).toBe(size)
})

test('a value in the place of a removed one is read, not what stood there', () => {
  const environment = environmentWith(Array.from({ length: 40 }, (_, key) => [key, 40 * KIB] as const))
  for (const key of [0, 20, 30, 39]) environment.batchesAt(key)
  environment.cut()
  environment.commit(batches => {
    for (let key = 20; key < 40; key++) batches.removeSync(key)
    // Elsewhere: the pages of what is removed are free from the next commit on.
    batches.put(20, valueAt(20, 40 * KIB, 21))
  }, false)
  expectBytes(environment.batchesAt(20), valueAt(20, 40 * KIB, 21))
  for (let key = 21; key < 60; key++) put(environment, key, 40 * KIB, key + 1)
  for (const key of [0, 19, 20, 30, 39, 59]) {
    expectBytes(environment.batchesAt(key), valueAt(key, 40 * KIB, key < 20 ? key : key + 1))
  }
})

test('what does not begin as the value that should stand there is asked of LMDB', () => {
  const environment = environmentWith(Array.from({ length: 4 }, (_, key) => [key, 40 * KIB] as const))
  for (let key = 0; key < 4; key++) environment.batchesAt(key)
  const before = environment.mapped.bytes
  const whole = Buffer.from(environment.batchesAt(2)!)
  damagePageOf(environment, 2)
  expectBytes(environment.batchesAt(2), whole)
  expect(environment.mapped.bytes - before).toBe(mappedByReading(whole.length))
})

/** Another number in the head of the value's first page, which LMDB does not look at here. */
function damagePageOf(environment: Environment, key: number): void {
  const file = join(dir, 'segment', 'data.mdb')
  const at = readFileSync(file).indexOf(environment.batchesAt(key)!.subarray(0, 200)) - 24
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, Buffer.from([0xff]), 0, 1, at + 7)
  closeSync(descriptor)
}

test('without a descriptor to spare, LMDB is asked; another failure is told', () => {
  const environment = environmentWith(Array.from({ length: 4 }, (_, key) => [key, 40 * KIB] as const))
  environment.batchesAt(0)
  files.refuse = 'EMFILE'
  expectBytes(environment.batchesAt(1), valueAt(1, 40 * KIB))
  files.refuse = 'ENOENT'
  expectBytes(environment.batchesAt(1), valueAt(1, 40 * KIB))
  files.refuse = 'EACCES'
  expect(() => environment.batchesAt(2)).toThrow(LogIOError)
  files.refuse = ''
  expectBytes(environment.batchesAt(2), valueAt(2, 40 * KIB))
})

test('where a page of the tree is not what it should be, LMDB is asked', () => {
  const environment = environmentWith(Array.from({ length: 4 }, (_, key) => [key, 40 * KIB] as const))
  environment.batchesAt(0)
  const file = join(dir, 'segment', 'data.mdb')
  const descriptor = openSync(file, 'r+')
  // The number of each leaf, which LMDB does not look at.
  const pages = readFileSync(file)
  for (let at = 2 * 4096; at < pages.length; at += 4096) {
    if (pages.readUInt16LE(at + 18) === 2) writeSync(descriptor, Buffer.from([0xff]), 0, 1, at + 7)
  }
  closeSync(descriptor)
  for (let key = 0; key < 4; key++) expectBytes(environment.batchesAt(key), valueAt(key, 40 * KIB))
})

test('who reads what was just written does not look for it each time', () => {
  const environment = environmentWith([[0, 40 * KIB]])
  environment.batchesAt(0)
  const looks = vi.spyOn(LargeValues.prototype, 'at')
  for (let key = 1; key < 100; key++) {
    put(environment, key, 40 * KIB)
    expectBytes(environment.batchesAt(key), valueAt(key, 40 * KIB))
  }
  const fromFile = looks.mock.results.filter(({ value }) => value !== undefined).length
  expect(looks).toHaveBeenCalledTimes(99)
  // One for each MiB that was written.
  expect(fromFile).toBeGreaterThan(2)
  expect(fromFile).toBeLessThan(6)
})

test('a lent read comes in a buffer of its own, and what it could not use goes back', () => {
  const store = lmdbLogStore(dir, { gate: openGate })
  const { log } = store.open(identity)
  appendMany(log, 30, { valueBytes: 60 * KIB })
  const limits = { ...NO_LIMITS, maxBytes: MIB, lend: true }
  const first = log.read(0, limits)
  const second = log.read(first.nextOffset, limits)
  expect([first, second].map(({ bytes }) => isLent(bytes))).toEqual([true, true])
  expect(first.bytes.buffer).not.toBe(second.bytes.buffer)
  expect(first.nextOffset + second.nextOffset).toBeGreaterThan(40)
  for (const { bytes } of [first, second]) giveBack(bytes)
  expect(log.read(5, { ...limits, maxOffset: 5 }).bytes).toHaveLength(0)
  store.close()
})

type Step =
  | { readonly do: 'append'; readonly sizes: readonly number[] }
  | { readonly do: 'truncate'; readonly share: number }
  | { readonly do: 'read'; readonly share: number; readonly maxBytes: number; readonly lend: boolean }
  | { readonly do: 'all' }

const share = fc.double({ min: 0, max: 1, noNaN: true })
const size = fc.oneof(
  fc.integer({ min: 0, max: 3_000 }),
  fc.integer({ min: 7_000, max: 20_000 }),
  fc.integer({ min: 60_000, max: 300_000 }),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('append' as const), sizes: fc.array(size, { minLength: 1, maxLength: 8 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      share,
      maxBytes: fc.integer({ min: 1, max: MIB }),
      lend: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('truncate' as const), share }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('all' as const) }) },
)

function endOf({ bytes, nextOffset }: LogRead): number {
  return [...batch.batchPositions(bytes)].reduce((_, at) => batch.nextOffset(bytes, at), nextOffset)
}

/** Runs the step on both logs, which must not differ. */
function run(steps: Step, [log, model]: readonly [PartitionLog, PartitionLog]): void {
  const at = (share: number) => Math.floor(model.logEndOffset * share)
  if (steps.do === 'append') {
    for (const each of [log, model]) {
      let offset = each.logEndOffset
      const batches = steps.sizes.map(valueBytes => stamped(offset++, { valueBytes, seed: valueBytes }))
      each.append({ batches, now: 5000 }, { ...config, segmentBytes: 8 * MIB })
    }
  } else if (steps.do === 'truncate') {
    const offset = at(0.5 + steps.share / 2)
    for (const each of [log, model]) each.truncateTo(offset)
  } else if (steps.do === 'all') {
    expect(readAll(log)).toEqual(readAll(model))
  } else {
    const limits = { maxOffset: model.logEndOffset, maxBytes: steps.maxBytes, minOneBatch: true }
    const wanted = model.read(at(steps.share), limits)
    const found = log.read(at(steps.share), { ...limits, lend: steps.lend })
    expect(found.firstOffset).toBe(wanted.firstOffset)
    expectBytes(found.bytes, wanted.bytes.subarray(0, found.bytes.length))
    // It may have ended before a value that did not fit whole.
    const isEnough = found.bytes.length >= steps.maxBytes / 2 && found.bytes.length + VALUE_MAX > steps.maxBytes
    expect(found.nextOffset).toBe(isEnough ? endOf(found) : wanted.nextOffset)
    giveBack(found.bytes)
  }
}

test('random histories of small and large batches read as a log in memory does', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), steps => {
      const path = mkdtempSync(join(dir, 'history-'))
      const store = lmdbLogStore(path, { gate: openGate })
      const logs = [store.open(identity).log, memoryLogStore().open(identity).log] as const
      try {
        for (const each of steps) run(each, logs)
      } finally {
        store.close()
        rmSync(path, { recursive: true })
      }
    }),
    { numRuns: 40 },
  )
})
