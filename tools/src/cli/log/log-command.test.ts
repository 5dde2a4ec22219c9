// `odradek log` on logs that a store wrote: what it prints, what it finds, what it refuses.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lockDirectory } from '@odradek/broker/log/directory-lock'
import { lmdbLogStore } from '@odradek/broker/log/lmdb-log-store'
import {
  compact,
  config,
  eager,
  groupOf,
  identity,
  keyed,
  marker,
  noState,
  stamped,
} from '@odradek/broker/log/log-fixtures.suite'
import { openGate } from '@odradek/broker/log/partition-log'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { run as runCommand } from '../run.ts'
import { capturedTerminal } from '../terminal/captured-terminal.suite.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-cli-'))
  const store = lmdbLogStore(dir, { gate: openGate })
  const { log } = store.open(identity)
  const derived = noState()
  const policy = { ...config, segmentBytes: 400 }
  const txn = { producerId: 9, transactional: true, timestamp: 1700 }
  const batches = [
    stamped(0, { ...txn, records: 2, valueBytes: 3, seed: 65 }),
    marker(2, { producerId: 9, commit: false, coordinatorEpoch: 4, timestamp: 1800 }),
    ...[3, 4, 5, 6, 7].map(offset => stamped(offset, { valueBytes: 200, timestamp: 1900 + offset })),
  ]
  for (const batch of batches) log.append(groupOf([batch], derived), policy)
  log.close({ clean: true })
  store.close()
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

async function run(...args: string[]) {
  const terminal = capturedTerminal()
  const code = await runCommand(['log', ...args], terminal)
  return { code, printed: terminal.out.split('\n').slice(0, -1), warned: terminal.notes }
}

/** Damages a byte of the first stored `needle` in any segment. */
function damage(needle: Uint8Array): void {
  const folder = join(dir, readdirSync(dir)[0]!)
  for (const name of readdirSync(folder).filter(each => /^\d+$/.test(each))) {
    const file = join(folder, name, 'data.mdb')
    const bytes = readFileSync(file)
    const at = bytes.indexOf(needle)
    if (at < 0) continue
    bytes[at]! ^= 0x55
    writeFileSync(file, bytes)
    return
  }
  throw new Error('needle not found')
}

test('dump prints the fields of kafka-dump-log, in its order', async () => {
  const { printed, code } = await run('dump', dir)
  expect(code).toBe(0)
  expect(printed[1]).toBe('Log starting offset: 0')
  expect(printed[2]).toMatch(
    /^baseOffset: 0 lastOffset: 1 count: 2 baseSequence: 0 lastSequence: 1 producerId: 9 producerEpoch: 0 partitionLeaderEpoch: 0 isTransactional: true isControl: false deleteHorizonMs: OptionalLong\.empty position: 0 CreateTime: 1700 size: \d+ magic: 2 compresscodec: none crc: \d+ isvalid: true$/,
  )
  expect(printed[3]).toContain('baseOffset: 2 lastOffset: 2')
  expect(printed[3]).toContain('isControl: true')
  expect(printed.filter(line => line.startsWith('baseOffset'))).toHaveLength(7)
})

test('dump prints records and markers on demand', async () => {
  const { printed } = await run('dump', dir, '--print-data-log')
  expect(printed[3]).toBe(
    '| offset: 0 CreateTime: 1700 keySize: -1 valueSize: 3 sequence: 0 headerKeys: [] payload: AAA',
  )
  expect(printed[4]).toBe(
    '| offset: 1 CreateTime: 1700 keySize: -1 valueSize: 3 sequence: 1 headerKeys: [] payload: BBB',
  )
  expect(printed[6]).toBe('| offset: 2 endTxnMarker: ABORT coordinatorEpoch: 4')
})

test('dump in json is one object per line', async () => {
  const { printed } = await run('dump', dir, '-o', 'json', '--print-data-log')
  const lines = printed.map(line => JSON.parse(line))
  expect(lines[0]).toMatchObject({
    type: 'batch',
    baseOffset: 0,
    compresscodec: 'none',
    isvalid: true,
    deleteHorizonMs: null,
  })
  expect(lines[1]).toEqual({
    type: 'record',
    offset: 0,
    timestamp: 1700,
    sequence: 0,
    headers: [],
    key: null,
    value: 'AAA',
  })
  expect(lines.filter(line => line.type === 'record')).toHaveLength(7)
})

test('verify finds nothing wrong with a sound log, of a directory or of one folder', async () => {
  for (const target of [dir, join(dir, readdirSync(dir)[0]!)]) {
    const { printed, code } = await run('verify', target)
    expect(code).toBe(0)
    expect(printed).toHaveLength(1)
    expect(printed[0]).toMatch(/^orders-3: ok, \d+ bytes in [2-9] segments$/)
  }
})

test('verify names segment and offset of damaged batches and ends with code 3', async () => {
  damage(new Uint8Array(200).fill(5))
  const { printed, code } = await run('verify', dir, '-o', 'json')
  expect(code).toBe(3)
  const [finding] = JSON.parse(printed[0]!).findings
  expect(finding).toMatchObject({ offset: 5 })
  expect(finding.problem).toContain('CRC')
})

test('verify finds a producer state that its batches do not give', async () => {
  const store = lmdbLogStore(dir, { gate: openGate })
  const { log } = store.open(identity)
  const [state] = log.producerStates()
  log.append({ batches: [], producers: [{ ...state!, producerEpoch: 3 }], now: 1 }, config)
  store.close()
  const { printed, code } = await run('verify', dir)
  expect(code).toBe(3)
  expect(printed[1]).toContain('state of producer 9 is not what its batches give')
})

test('stats gives offsets, bytes and their ratio', async () => {
  const { printed } = await run('stats', dir, '-o', 'json')
  const [figures] = JSON.parse(printed.join(''))
  expect(figures).toMatchObject({
    topic: 'orders',
    partition: 3,
    logStartOffset: 0,
    logEndOffset: 8,
    producers: 1,
    cleanShutdown: true,
  })
  const { printed: table } = await run('stats', dir)
  expect(table[0]).toMatch(/^TOPIC +PARTITION +SEGMENTS +START +END/)
  expect(table[1]).toMatch(/^orders +3 .* true$/)
  expect((await run('stats', dir, '-o', 'wide')).printed[0]).toMatch(/ID$/)
})

test('a directory that a broker holds is refused with its pid, unless told otherwise', async () => {
  const lock = lockDirectory(dir)
  const { warned, code } = await run('verify', dir)
  expect(code).toBe(1)
  expect(warned[0]).toContain(`in use by process ${process.pid}`)
  expect((await run('verify', dir, '--live')).code).toBe(0)
  lock.release()
})

test.each([
  ['changes nothing', [], (name: string) => name.endsWith('data.mdb')],
  ['with --live does not even open what is there', ['--live'], (name: string) => name.endsWith('.mdb')],
])('reading %s', async (_, flags, isLooked) => {
  const folder = join(dir, readdirSync(dir)[0]!)
  const content = () =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter(isLooked)
      .map(name => readFileSync(join(folder, name)).toString('hex'))
  const before = content()
  for (const command of ['dump', 'verify', 'stats']) expect((await run(command, dir, ...flags)).code).toBe(0)
  expect(before.length).toBeGreaterThan(1)
  expect(content()).toEqual(before)
})

test('what is no log directory is named', async () => {
  const empty = mkdtempSync(join(tmpdir(), 'odradek-none-'))
  expect(await run('dump', empty)).toMatchObject({
    code: 1,
    warned: [`odradek log dump: ${empty} holds no partition logs`],
  })
  expect((await run('dump', join(empty, 'x'))).warned[0]).toContain('is not a directory')
  rmSync(empty, { recursive: true })
})

test('verify, dump and stats understand a compacted log, also one whose compaction was cut short', async () => {
  const store = lmdbLogStore(dir, { gate: openGate })
  const { log } = store.open(identity)
  for (let n = 0; n < 20; n++) {
    log.append({ batches: [keyed(log.logEndOffset, [[`key-${n % 2}`, `${n}`]])], now: 5_000 }, config)
    if (n % 5 === 4) log.roll(5_000)
  }
  await compact(log)
  const round = log.beginCompaction({ ...eager, maxCompactionLagMs: -1 })
  expect(round).toBeUndefined()
  log.append({ batches: [keyed(log.logEndOffset, [['key-0', 'last']])], now: 5_000 }, config)
  log.roll(5_000)
  log.beginCompaction(eager)!.step(10)
  store.close()
  const { code, printed } = await run('verify', dir)
  expect([code, printed[0]]).toEqual([0, expect.stringContaining('ok')])
  const dumped = await run('dump', dir, '--print-data-log')
  expect(dumped.code).toBe(0)
  expect((await run('stats', dir)).code).toBe(0)
})
