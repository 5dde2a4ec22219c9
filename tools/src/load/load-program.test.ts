// `odradek load` as a program: every kind runs, checks, measures, and ends with the exit code that its thresholds ask for.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { odradek, startOdradek } from '../cli/odradek-process.suite.ts'
import { ownServer } from '../cli/serve/own-server.ts'
import type { LoadResult } from './load-result.rules.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-load-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const QUICK = ['--embedded', '--warmup', '0', '--no-progress']

async function load(...args: string[]): Promise<{ code: number | null; stderr: string; result: LoadResult }> {
  const { code, stdout, stderr } = await odradek(['load', ...args, '--json', '-'])
  return { code, stderr, result: JSON.parse(stdout) }
}

test('records that are sent are received once, in order, and measured on both sides', async () => {
  const { code, stderr, result } = await load(
    'e2e',
    ...QUICK,
    '--records',
    '20000',
    '--workers',
    '2',
    '--partitions',
    '3',
  )
  expect(stderr).toBe('')
  expect(code).toBe(0)
  expect(result).toMatchObject({
    schema: 'odradek-load/1',
    kind: 'e2e',
    totals: { records: 20_000 },
    checks: { lost: 0, duplicated: 0, disordered: 0 },
    failed: 0,
  })
  expect(result.perThread.map(({ role, worker }) => `${role} ${worker}`).sort()).toEqual([
    'consume 0',
    'consume 1',
    'produce 0',
    'produce 1',
  ])
  for (const kind of ['delay', 'publish', 'e2e'] as const) {
    const { p50, p99, max } = result.latencyMs[kind]!
    expect(p50).toBeLessThanOrEqual(p99)
    expect(p99).toBeLessThanOrEqual(max)
  }
})

test('consume reads what was filled in, and checks it', async () => {
  const { code, result } = await load('consume', ...QUICK, '--records', '5000')
  expect(code).toBe(0)
  expect(result).toMatchObject({
    kind: 'consume',
    totals: { records: 5_000 },
    checks: { lost: 0, duplicated: 0, disordered: 0 },
  })
})

test('transactions are committed and aborted as asked, and only committed records are read, each once', async () => {
  const shape = ['--records', '2000', '--transaction-records', '20', '--abort-share', '0.25', '--workers', '2']
  const { code, result } = await load('txn', ...QUICK, ...shape, '--partitions', '3', '--threshold', 'aborted<=0')
  expect(code).toBe(0)
  expect(result).toMatchObject({
    kind: 'txn',
    totals: { records: 1_520 },
    transactions: { committed: 76, aborted: 24, records: 1_520, recordsPerTransaction: 20 },
    checks: { lost: 0, duplicated: 0, disordered: 0, aborted: 0 },
    thresholds: [{ threshold: 'aborted<=0', value: 0, holds: true }],
  })
  for (const kind of ['delay', 'commit', 'transaction', 'e2e'] as const) {
    const { p50, p99, max } = result.latencyMs[kind]!
    expect(p50).toBeLessThanOrEqual(p99)
    expect(p99).toBeLessThanOrEqual(max)
  }
  expect(result.latencyMs.transaction!.max).toBeGreaterThanOrEqual(result.latencyMs.commit!.p50)
})

test('a rate is kept, and the result is written as JSON beside the text for people', async () => {
  const file = join(dir, 'result.json')
  const rate = ['--rate', '2000', '--records', '1000', '--linger-ms', '0', '--dir', join(dir, 'data')]
  const { code, stdout } = await odradek(['load', 'produce', ...QUICK, ...rate, '--json', file])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^produce: 1,000 records in /)
  const result: LoadResult = JSON.parse(readFileSync(file, 'utf8'))
  expect(result.checks).toBeNull()
  // The last record is due half a second after the first, however fast the machine is.
  expect(result.totals.recordsPerSecond).toBeLessThan(2_100)
})

test('a broken threshold ends with 3 and is named, one that holds with 0', async () => {
  const impossible = await load(
    'produce',
    ...QUICK,
    '--records',
    '1000',
    '--threshold',
    'publish.p50<0us',
    '--threshold',
    'lost<=0',
  )
  expect(impossible.code).toBe(3)
  expect(impossible.stderr).toBe('odradek load produce: broken: publish.p50<0us, lost<=0\n')
  expect(impossible.result.thresholds).toEqual([
    { threshold: 'publish.p50<0us', value: expect.any(Number), holds: false },
    { threshold: 'lost<=0', value: null, holds: false },
  ])
  const { code } = await load(
    'e2e',
    ...QUICK,
    '--records',
    '1000',
    '--threshold',
    'recordsPerSecond>1',
    '--threshold',
    'lost<=0',
  )
  expect(code).toBe(0)
})

test('clusters over TCP are driven the same way', async () => {
  const served = startOdradek([...ownServer, '--memory'])
  const { bootstrapServers } = JSON.parse(await served.says('stdout', '}'))
  const { code, result } = await load(
    'e2e',
    '-b',
    bootstrapServers,
    '--warmup',
    '0',
    '--no-progress',
    '--records',
    '5000',
    '--compression',
    'lz4',
  )
  const transactions = await load(
    'txn',
    '-b',
    bootstrapServers,
    '--warmup',
    '0',
    '--no-progress',
    '--records',
    '500',
    '--rate',
    '1000',
    '--topic',
    'transactions',
  )
  served.child.kill('SIGTERM')
  await served.ended
  expect(transactions.code).toBe(0)
  expect(transactions.result).toMatchObject({ transactions: { committed: 5 }, checks: { lost: 0, duplicated: 0 } })
  expect(code).toBe(0)
  expect(result).toMatchObject({ totals: { records: 5_000 }, checks: { lost: 0, duplicated: 0, disordered: 0 } })
})

test('an interrupt ends with 130 after the result so far', async () => {
  const running = startOdradek(['load', 'e2e', '--embedded', '--warmup', '0', '--duration', '60s'])
  await running.says('stderr', '1 s')
  running.child.kill('SIGINT')
  const { code, stdout } = await running.ended
  expect(code).toBe(130)
  expect(stdout).toMatch(/^e2e: [\d,]+ records in /)
})

test('wrong flags end with 2 and say what is right', async () => {
  const ended = await Promise.all([
    odradek(['load', 'e2e', '--embedded', '-b', '127.0.0.1:1']),
    odradek(['load', 'e2e', '--embedded', '--threshold', 'publish.p98<5ms']),
    odradek(['load', 'e2e', '--embedded', '--size', '10']),
    odradek(['load', 'e2e', '--dir', dir]),
    odradek(['load', 'txn', '--embedded', '--abort-share', '1.5']),
    odradek(['load', 'txn', '--embedded', '--acks', '1']),
  ])
  expect(ended.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2, 2])
  expect(ended[1]!.stderr).toContain('publish.p98 is not measured')
})
