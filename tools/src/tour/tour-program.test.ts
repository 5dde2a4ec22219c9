// `odradek tour` as a program: a file goes through, a second run finds the first, and what is wrong is said.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lockDirectory } from '@odradek/broker/log/directory-lock'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { odradek } from '../cli/odradek-process.suite.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-tour-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

function file(name: string, lines: readonly string[]): string {
  const path = join(dir, name)
  writeFileSync(path, lines.map(line => `${line}\n`).join(''))
  return path
}

function tour(...args: string[]) {
  return odradek(['tour', '--dir', join(dir, 'data'), ...args])
}

test('a file goes through its acts and is verified; a second run finds the first and adds to it', {
  timeout: 300_000,
}, async () => {
  const input = file(
    'orders.jsonl',
    Array.from({ length: 1_300 }, (_, id) => JSON.stringify({ id, customer: `c${id % 17}` })),
  )
  const first = await tour('--input', input, '--key', 'customer')
  expect(first.stderr).not.toContain('earlier')
  expect(first.stdout).toContain(
    'Verified: all 1,300 records were processed at least once, in the order of each customer (17), and committed.',
  )
  expect(first.stdout).toMatch(/A member dies: thread \d+, one of 3, was killed after [\d,]+ records/)
  expect(first.stdout).toMatch(/its thread \d+ crashed after 650 records, in the middle of a transaction/)
  expect(first.stdout).toContain(
    'Verified: the totals of all 17 values of customer equal those counted directly from the input (1,300 records).',
  )
  expect(first.stdout).not.toMatch(/flight|airport/)
  expect(first.code).toBe(0)
  const second = await tour('--input', input, '--key', 'customer')
  expect(second.stderr).toContain('found: 1,300 records of earlier runs')
  expect(second.stderr).toContain('found: totals of 1,300 records of earlier runs')
  expect(second.stdout).toContain('Verified: all 1,300 records were processed at least once')
  expect(second.stdout).toContain('1,300 records of earlier runs are there, too.')
  expect(second.stdout).toContain('counted directly from the input (2,600 records).')
  expect(second.code).toBe(0)
})

test('the flights that vega-datasets ships go through', { timeout: 300_000 }, async () => {
  const { code, stdout } = await tour('--records', '2000')
  expect(stdout).toMatch(/Verified: all 2,000 records .* in the order of each airport of departure/)
  expect(stdout).toMatch(/Verified: the totals of all \d+ airports of departure equal .* \(2,000 records\)/)
  expect(code).toBe(0)
})

test('lines without keys are counted by partition; totals of something else are not mixed in', {
  timeout: 300_000,
}, async () => {
  const input = file(
    'lines.txt',
    Array.from({ length: 40 }, (_, n) => `line ${n}`),
  )
  const { code, stdout } = await tour('--input', input, '--partitions', '1')
  expect(stdout).toContain('all 40 records were processed at least once, in the order of each partition (1)')
  expect(stdout).toContain('totals of all 1 partitions equal')
  expect(code).toBe(0)
  const mixed = await tour('--records', '10', '--topic', 'lines')
  expect(mixed.code).toBe(1)
  expect(mixed.stderr).toContain('topic lines-totals holds totals of another measure (bytes)')
})

test('a broken line ends with 1 and its number; what came before it is in the log', async () => {
  const input = file('broken.jsonl', ['{"id":1}', '{"id":2}', '{"id":', '{"id":4}'])
  const { code, stdout, stderr } = await tour('--input', input, '--key', 'id')
  expect(code).toBe(1)
  expect(stderr).toContain(`line 3 of ${input}: it is no JSON`)
  expect(stdout).toContain('Verified: all 2 records were processed at least once')
})

test('a file that is not there, no file, or empty is named', async () => {
  const missing = await tour('--input', join(dir, 'missing'))
  expect(missing).toMatchObject({ code: 2, stdout: '' })
  expect(missing.stderr).toContain('cannot be read: ENOENT')
  const noFile = await tour('--input', dir)
  expect(noFile.code).toBe(2)
  expect(noFile.stderr).toContain(`odradek tour: --input ${dir} is no file\n`)
  const empty = await tour('--input', file('empty.txt', []))
  expect(empty.code).toBe(1)
  expect(empty.stderr).toContain('holds no records')
})

test('a directory that another broker holds, or that is no directory, is refused', async () => {
  const lock = lockDirectory(dir)
  const locked = await odradek(['tour', '--dir', dir, '--records', '5'])
  lock.release()
  expect(locked.code).toBe(1)
  expect(locked.stderr).toContain(`process ${process.pid}`)
  const noDirectory = await odradek(['tour', '--dir', file('x', []), '--records', '5'])
  expect(noDirectory.code).toBe(1)
  expect(noDirectory.stderr).toContain('cannot use')
})
