// What only files can suffer: overhead, a killed process, damaged bytes, a full disk, the folders of a store.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { bootId } from './boot-id.ts'
import { lmdbLogStore } from './lmdb-log-store.ts'
import { LogCorruptionError, LogIdentityError, LogIOError } from './log-errors.ts'
import { appendMany, config, groupOf, identity, NO_LIMITS, noState, readAll, stamped } from './log-fixtures.suite.ts'
import { type LogStore, openGate, type PartitionLog } from './partition-log.ts'
import { replayStored } from './stored-batches.rules.ts'

const packageRoot = fileURLToPath(new URL('../..', import.meta.url))
let dir: string
let store: LogStore

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-files-'))
  store = lmdbLogStore(dir, { gate: openGate })
})
afterEach(() => {
  store.close()
  rmSync(dir, { recursive: true, force: true })
})

function reopenStore(): void {
  store.close()
  store = lmdbLogStore(dir, { gate: openGate })
}

/** Flips one byte of the only (or named) segment's file, `at` bytes behind the first place where `needle` is stored. */
function damage(needle: Uint8Array, at = 0, segment = '0'.repeat(20)): void {
  const [folder] = readdirSync(dir)
  const file = join(dir, folder!, segment, 'data.mdb')
  const bytes = readFileSync(file)
  const found = bytes.indexOf(needle)
  expect(found).toBeGreaterThan(0)
  bytes[found + at]! ^= 0x55
  writeFileSync(file, bytes)
}

/** A single record of about 100 bytes from an idempotent producer, as a client sends it with linger 0. */
const small = (offset: number) => stamped(offset, { valueBytes: 100, producerId: 7, sequence: offset })

test('single 100-byte records, one commit each, take at most 2.2 times their bytes on disk', () => {
  const { log } = store.open(identity)
  const derived = noState()
  for (let offset = 0; offset < 5000; offset++) log.append(groupOf([small(offset)], derived), config)
  const { fileBytes, recordBytes } = log.stats()
  expect(recordBytes).toBe(5000 * small(0).bytes.length)
  expect(fileBytes / recordBytes).toBeLessThanOrEqual(2.2)
  expect(readAll(log)).toHaveLength(5000)
})

/** Bytes of something else, or the beginning of what was there: LMDB would end the process with a signal. */
test.each<readonly [string, (file: Buffer) => Buffer]>([
  ['cut off within its first pages', file => file.subarray(0, 5_000)],
  ['cut off before its newest records', file => file.subarray(0, file.length / 2)],
  ['overwritten', file => Buffer.alloc(file.length, 'x')],
])('a file that is %s is an error that names it, and stays as it is', (_, damaged) => {
  const { log } = store.open(identity)
  const derived = noState()
  for (let offset = 0; offset < 500; offset++) log.append(groupOf([small(offset)], derived), config)
  store.close()
  const file = join(dir, readdirSync(dir)[0]!, '0'.repeat(20), 'data.mdb')
  const left = damaged(readFileSync(file))
  writeFileSync(file, left)
  reopenStore()
  const open = () => store.open(identity)
  expect(open).toThrow(LogIOError)
  expect(open).toThrow(join(dir, readdirSync(dir)[0]!))
  expect(readFileSync(file).equals(left)).toBe(true)
})

/** What somebody did to the folder of a segment; the process had been killed, or had closed the log clean. */
describe.each([
  ['was killed', () => {}],
  ['was closed clean', (log: PartitionLog) => log.close({ clean: true })],
])('the only segment of a log that %s', (_, end) => {
  test.runIf(bootId() !== '').each<readonly [string, (file: string) => void]>([
    ['is missing', file => rmSync(file)],
    ['is empty', file => writeFileSync(file, '')],
    ['is missing and its lock.mdb with it', file => [file, join(file, '..', 'lock.mdb')].map(each => rmSync(each))],
  ])('is an error that names it when its data.mdb %s, and stays one', (_, harm) => {
    const { log } = store.open(identity)
    appendMany(log, 20)
    end(log)
    store.close()
    const segment = join(dir, readdirSync(dir)[0]!, '0'.repeat(20))
    harm(join(segment, 'data.mdb'))
    for (let attempt = 0; attempt < 2; attempt++) {
      reopenStore()
      const open = () => store.open(identity)
      expect(open).toThrow(LogIOError)
      expect(open).toThrow(segment)
    }
    expect(existsSync(segment)).toBe(true)
  })
})

test.runIf(bootId() !== '')(
  'a sealed segment whose data.mdb is missing is an error to who reads it, never a gap',
  () => {
    appendMany(store.open(identity).log, 4, {}, { ...config, segmentBytes: 100 })
    reopenStore()
    const segment = join(dir, readdirSync(dir)[0]!, `${'0'.repeat(19)}1`)
    rmSync(join(segment, 'data.mdb'))
    const { log } = store.open(identity)
    expect(log.read(0, NO_LIMITS).nextOffset).toBe(1)
    expect(() => log.read(1, NO_LIMITS)).toThrow(segment)
  },
)

test('a segment that was being made when the process died is made again: with no file, an empty one, or one without a commit', () => {
  const policy = { ...config, segmentBytes: 100 }
  appendMany(store.open(identity).log, 2, {}, policy)
  reopenStore()
  const next = join(dir, readdirSync(dir)[0]!, `${'0'.repeat(19)}2`)
  const [mark] = readdirSync(join(next, '..', `${'0'.repeat(19)}1`)).filter(name => name.startsWith('never-flushed.'))
  const begun: readonly (() => void)[] = [
    () => {},
    () => writeFileSync(join(next, mark ?? 'lock.mdb'), ''),
    () => writeFileSync(join(next, 'data.mdb'), ''),
  ]
  for (let steps = 1; steps <= begun.length; steps++) {
    reopenStore()
    mkdirSync(next)
    for (const step of begun.slice(0, steps)) step()
    const { log, recovered } = store.open(identity)
    expect(recovered.droppedBytes).toBe(0)
    expect(readAll(log)).toEqual([0, 1])
    expect(existsSync(next)).toBe(false)
  }
})

test('commits of 16 KiB take at most 1.3 times their bytes on disk, of 64 KiB at most 1.1', () => {
  const derived = noState()
  for (const [partition, bytes, most] of [
    [0, 16 * 1024, 1.3],
    [1, 64 * 1024, 1.1],
  ] as const) {
    const { log } = store.open({ ...identity, partition })
    for (let offset = 0; offset < 400; offset++) {
      const batch = stamped(offset, { valueBytes: bytes - 72, producerId: 7, sequence: offset })
      expect(Math.abs(batch.bytes.length - bytes)).toBeLessThan(8)
      log.append(groupOf([batch], derived), config)
    }
    const { fileBytes, recordBytes } = log.stats()
    expect(fileBytes / recordBytes).toBeLessThanOrEqual(most)
  }
})

test('small batches of one turn share stored values', () => {
  const { log } = store.open(identity)
  const derived = noState()
  for (let group = 0; group < 20; group++) {
    const batches = Array.from({ length: 300 }, (_, i) => stamped(group * 300 + i, { valueBytes: 100 }))
    log.append(groupOf(batches, derived), config)
  }
  const { fileBytes, recordBytes } = log.stats()
  expect(fileBytes / recordBytes).toBeLessThanOrEqual(1.2)
})

const CHILD = `
import { lmdbLogStore } from './dist/log/lmdb-log-store.js'
import { stamped, groupOf, noState, config } from './dist/log/log-fixtures.suite.js'
import { openGate } from './dist/log/partition-log.js'
const [dir, identity, segmentBytes] = process.argv.slice(1)
const store = lmdbLogStore(dir, { gate: openGate })
const { log } = store.open(JSON.parse(identity))
const derived = noState()
for (const producer of log.producerStates()) derived.producers.set(producer.producerId, producer)
`
const LOAD = `${CHILD}
import { writeSync } from 'node:fs'
for (let n = 0; ; n++) {
  const batches = []
  let offset = log.logEndOffset
  for (let i = 0; i <= n % 4; i++, offset++) {
    batches.push(stamped(offset, { valueBytes: [10, 900, 5000, 40000][(n + i) % 4], producerId: (n + i) % 3, sequence: offset }))
  }
  log.append(groupOf(batches, derived), { ...config, segmentBytes: Number(segmentBytes), flushMessages: 97 })
  writeSync(1, log.logEndOffset + '\\n')
}
`

/** Appends in a child process until it has acknowledged offset `enough`, then kills it. Returns the last offset it acknowledged. */
async function loadAndKill(enough: number): Promise<number> {
  const args = ['--input-type=module', '-e', LOAD, dir, JSON.stringify(identity), String(2 * 1024 * 1024)]
  const child = spawn(process.execPath, args, { cwd: packageRoot, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  const closed = new Promise(resolve => child.on('close', resolve))
  child.stdout.on('data', chunk => {
    text += chunk
    const lines = text.split('\n')
    if (Number(lines.at(-2)) >= enough) child.kill('SIGKILL')
  })
  await closed
  return Number(text.split('\n').at(-2))
}

test('after SIGKILL under load nothing acknowledged is missing, and state equals replay', async () => {
  for (let round = 1; round <= 5; round++) {
    store.close()
    const acknowledged = await loadAndKill(round * 400)
    reopenStore()
    const { log, recovered } = store.open(identity)
    expect(recovered).toMatchObject({ clean: false, droppedBytes: 0 })
    expect(log.logEndOffset).toBeGreaterThanOrEqual(acknowledged)
    const replayed = noState()
    let expected = 0
    for (const base of readAll(log)) {
      expect(base).toBe(expected++)
      replayStored(replayed, log.read(base, { ...NO_LIMITS, maxBytes: 1 }).bytes, 0)
    }
    expect(expected).toBe(log.logEndOffset)
    expect(log.producerStates()).toEqual([...replayed.producers.values()].sort((a, b) => a.producerId - b.producerId))
    log.close({ clean: false })
  }
})

test('a damaged unflushed tail is cut at the first bad batch, and what followed from it with it', () => {
  const { log } = store.open(identity)
  const derived = noState()
  log.append({ ...groupOf([stamped(0, { producerId: 1, valueBytes: 3000, seed: 1 })], derived), durable: true }, config)
  const before = log.producerStates()
  for (const offset of [1, 2, 3]) {
    log.append(groupOf([stamped(offset, { producerId: offset, valueBytes: 3000, seed: 40 + offset })], derived), config)
  }
  reopenStore()
  damage(new Uint8Array(500).fill(41), 100)
  const notices: string[] = []
  store.close()
  store = lmdbLogStore(dir, { gate: openGate, notice: message => notices.push(message) })
  const { log: reopened, recovered } = store.open(identity)
  expect(recovered).toMatchObject({ clean: false, truncatedFrom: 1 })
  expect(recovered.reason).toContain('CRC')
  expect(recovered.droppedBytes).toBe(3 * stamped(1, { producerId: 1, valueBytes: 3000 }).bytes.length)
  expect(notices).toEqual(['cut the log at its first bad batch'])
  expect(readAll(reopened)).toEqual([0])
  expect(reopened.producerStates()).toEqual(before)
  appendMany(reopened, 2)
  expect(readAll(reopened)).toEqual([0, 1, 2])
})

test('damage below the flush point is an error that names offset and segment, never silently skipped', () => {
  const { log } = store.open(identity)
  for (const offset of [0, 1, 2])
    log.append({ batches: [stamped(offset, { valueBytes: 3000, seed: 50 + offset })], now: 1 }, config)
  log.close({ clean: true })
  reopenStore()
  // The length field of the batch at offset 1: base offset 1 as int64, then the length.
  damage(Buffer.concat([Buffer.alloc(7), Buffer.from([1]), Buffer.from([0, 0, 11])]), 9)
  const { log: reopened, recovered } = store.open(identity)
  expect(recovered.clean).toBe(true)
  const failure = () => reopened.read(1, NO_LIMITS)
  expect(failure).toThrow(LogCorruptionError)
  expect(failure).toThrow('offset 1 in segment 0')
})

test('a damaged batch is named by its own offset, also behind others that are read together with it', () => {
  const { log } = store.open(identity)
  const batches = [0, 1, 2, 3, 4, 5].map(offset => stamped(offset, { valueBytes: 12_000 }))
  log.append(groupOf(batches.slice(0, 3), noState()), config)
  for (const batch of batches.slice(3)) log.append(groupOf([batch], noState()), config)
  log.flush()
  log.close({ clean: true })
  // The magic byte; to be found after the producer's fields, a CRC and a length that all batches have.
  const inFile = (offset: number) => batches[offset]!.bytes.subarray(0, 12)
  damage(inFile(1), 8)
  damage(inFile(4), 8)
  reopenStore()
  const reopened = store.open(identity).log
  const failure = (offset: number) => () => reopened.read(offset, { ...NO_LIMITS, lend: true })
  expect(failure(0)).toThrow(expect.objectContaining({ offset: 1 }))
  expect(failure(3)).toThrow(expect.objectContaining({ offset: 4 }))
})

test('a wrong length that takes in the batch behind is not believed, and what is above the end of a read does no harm to it', () => {
  const { log } = store.open(identity)
  const at = 50
  // All alike, and of a size that one bit more doubles.
  const { length: overhead } = stamped(0, { valueBytes: 10_000 }).bytes
  const batches = Array.from({ length: 80 }, (_, n) => stamped(n, { valueBytes: 16_384 - (overhead - 10_000) }))
  expect(batches[at]!.bytes).toHaveLength(16_384)
  for (const batch of batches) log.append(groupOf([batch], noState()), config)
  log.close({ clean: true })
  const [folder] = readdirSync(dir)
  const file = join(dir, folder!, '0'.repeat(20), 'data.mdb')
  store.close()
  const bytes = readFileSync(file)
  const length = bytes.indexOf(batches[at]!.bytes.subarray(0, 12)) + 8
  // The length counts what follows it: 16,372, which becomes 32,756.
  bytes.writeInt32BE(bytes.readInt32BE(length) + 16_384, length)
  writeFileSync(file, bytes)
  reopenStore()
  const reopened = store.open(identity).log
  const limits = { ...NO_LIMITS, maxBytes: 2 ** 20, lend: true }
  reopened.read(0, { ...limits, maxOffset: 1 })
  expect(() => reopened.read(at - 5, limits)).toThrow(expect.objectContaining({ offset: at }))
  expect(reopened.read(at - 5, { ...limits, maxOffset: at }).nextOffset).toBe(at)
  expect(reopened.read(at + 1, limits).firstOffset).toBe(at + 1)
})

test('a missing segment in the middle is an error, missing oldest ones move the log start', () => {
  const policy = { ...config, segmentBytes: 100 }
  appendMany(store.open(identity).log, 4, {}, policy)
  reopenStore()
  const [folder] = readdirSync(dir)
  rmSync(join(dir, folder!, '0'.repeat(20)), { recursive: true })
  const { log } = store.open(identity)
  expect(log.logStartOffset).toBe(1)
  expect(readAll(log)).toEqual([1, 2, 3])
  reopenStore()
  rmSync(join(dir, folder!, `${'0'.repeat(19)}2`), { recursive: true })
  expect(() => store.open(identity)).toThrow(/offset 2 in segment 2: the segment is missing/)
})

test('a full disk fails the append with KAFKA_STORAGE_ERROR, keeps what was there, and ends when there is space', () => {
  const script = `${CHILD}
const batch = () => groupOf([stamped(log.logEndOffset, { valueBytes: 60000 })], derived)
let failure
while (failure === undefined) { try { log.append(batch(), config) } catch (error) { failure = error } }
const end = log.logEndOffset
const read = log.read(end - 1, { maxBytes: 1, maxOffset: end, minOneBatch: true })
let again = 'nothing'
try { log.append(batch(), config) } catch (error) { again = error.code }
log.roll(1)
log.append(batch(), config)
console.log(JSON.stringify({ code: failure.code, end, firstOffset: read.firstOffset, again, after: log.logEndOffset }))
`
  store.close()
  // Files may grow to 4 MiB; the signal that comes with the limit is ignored, so that writes fail as on a full disk.
  const args = [
    '-c',
    `trap '' XFSZ; ulimit -f 4096; exec "$0" "$@"`,
    process.execPath,
    '--input-type=module',
    '-e',
    script,
  ]
  const run = spawnSync('bash', [...args, dir, JSON.stringify(identity)], { cwd: packageRoot, encoding: 'utf8' })
  const seen = JSON.parse(run.stdout.trim().split('\n').at(-1) || `{ "stderr": ${JSON.stringify(run.stderr)} }`)
  expect(seen).toMatchObject({
    code: 'KAFKA_STORAGE_ERROR',
    again: 'KAFKA_STORAGE_ERROR',
    firstOffset: seen.end - 1,
    after: seen.end + 1,
  })
  reopenStore()
  const { log, recovered } = store.open(identity)
  expect(recovered).toMatchObject({ clean: false, droppedBytes: 0 })
  expect(readAll(log)).toHaveLength(seen.after)
})

test('when file descriptors run out, logs take turns instead of failing', () => {
  const script = `${CHILD}
let appended = 0
for (let round = 0; round < 2; round++) {
  for (let partition = 10; partition < 70; partition++) {
    const { log } = store.open({ ...JSON.parse(identity), partition })
    log.append({ batches: [stamped(log.logEndOffset)], now: 1 }, config)
    appended += log.logEndOffset
  }
}
console.log(appended)
`
  const args = ['-c', 'ulimit -n 100; exec "$0" "$@"', process.execPath, '--input-type=module', '-e', script]
  const run = spawnSync('bash', [...args, dir, JSON.stringify(identity)], { cwd: packageRoot, encoding: 'utf8' })
  expect(run.stdout.trim() || run.stderr).toBe(String(60 * 1 + 60 * 2))
})

test('an untouched partition has no environment', () => {
  const { log } = store.open(identity)
  log.append({ batches: [], epochStart: { epoch: 3, startOffset: 0 }, now: 1 }, config)
  expect(log.latestEpoch).toBe(3)
  expect(readdirSync(join(dir, readdirSync(dir)[0]!))).toEqual(['partition.metadata'])
})

test('a store lists its logs by what their folders say, and deletes them with what a crash left of them', () => {
  const long = { ...identity, topic: 'x'.repeat(249), partition: 2 ** 31 - 1 }
  appendMany(store.open(identity).log, 2)
  appendMany(store.open(long).log, 1)
  reopenStore()
  expect(store.list().sort((a, b) => a.topic.length - b.topic.length)).toEqual([identity, long])
  store.delete(long)
  expect(store.list()).toEqual([identity])
  mkdirSync(join(dir, 'gone-0.AbCdEfGhIjKlMnOpQrStUw.deleted', 'x'), { recursive: true })
  expect(store.list()).toEqual([identity])
  expect(store.removeStray()).toBe(1)
  expect(existsSync(join(dir, 'gone-0.AbCdEfGhIjKlMnOpQrStUw.deleted'))).toBe(false)
})

test('names that must not become paths are refused', () => {
  for (const topic of ['..', '../x', 'a/b', '', 'x'.repeat(250)]) {
    expect(() => store.open({ ...identity, topic })).toThrow(RangeError)
  }
  expect(() => store.open({ ...identity, topicId: '../../etc/passwd.......' })).toThrow(RangeError)
  expect(() => store.open({ ...identity, partition: -1 })).toThrow(RangeError)
  expect(readdirSync(dir)).toEqual([])
})

test('a folder that holds another partition is not opened', () => {
  appendMany(store.open(identity).log, 1)
  reopenStore()
  const folder = join(dir, readdirSync(dir)[0]!)
  const file = join(folder, 'partition.metadata')
  writeFileSync(file, readFileSync(file, 'utf8').replace('partition: 3', 'partition: 4'))
  expect(() => store.open(identity)).toThrow(LogIdentityError)
  expect(statSync(folder).isDirectory()).toBe(true)
})

test('no more environments are open than the store allows, however many logs there are: those that were used last', () => {
  store.close()
  store = lmdbLogStore(dir, { gate: openGate, openMax: 4 })
  const logs = Array.from({ length: 20 }, (_, partition) => store.open({ ...identity, partition }).log)
  for (const log of logs) appendMany(log, 2)
  for (const log of logs) expect(readAll(log)).toEqual([0, 1])
  const open = () => logs.flatMap((log, partition) => (log.stats().openSegments > 0 ? [partition] : []))
  expect(open()).toEqual([16, 17, 18, 19])
  readAll(logs[16]!)
  readAll(logs[0]!)
  expect(open()).toEqual([0, 16, 18, 19])
})
