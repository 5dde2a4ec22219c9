// Two brokers never open one directory; a lock outlives neither its process nor its machine.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bootId } from './boot-id.ts'
import { claimDirectory, lockDirectory, lockHolder, readMetaProperties } from './directory-lock.ts'
import { LogDirectoryError } from './log-errors.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-lock-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

function refusal(fn: () => unknown): LogDirectoryError {
  try {
    fn()
  } catch (error) {
    if (error instanceof LogDirectoryError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

test('a second broker is refused with the pid of the first, until that one lets go', () => {
  const first = lockDirectory(dir)
  expect(refusal(() => lockDirectory(dir))).toMatchObject({ code: 'LOCKED', pid: process.pid })
  expect(lockHolder(dir)).toBe(process.pid)
  first.release()
  first.release()
  expect(lockHolder(dir)).toBeUndefined()
  lockDirectory(dir).release()
  expect(existsSync(join(dir, '.lock'))).toBe(false)
})

test('a lock is stale when its process is gone, started at another time, or belongs to an earlier system start', () => {
  const stale = [
    { pid: 2 ** 22 + 1, started: '1', bootId: bootId() },
    { pid: process.pid, started: '1', bootId: bootId() },
    { pid: process.pid, started: '1', bootId: '0'.repeat(32) },
  ]
  for (const holder of stale) {
    writeFileSync(join(dir, '.lock'), JSON.stringify(holder))
    expect(lockHolder(dir)).toBeUndefined()
    lockDirectory(dir).release()
  }
  writeFileSync(join(dir, '.lock'), 'half a li')
  lockDirectory(dir).release()
})

test('a directory keeps the cluster id of its data and belongs to one node', () => {
  const mine = { clusterId: 'MkU3OEVBNTcwNTJENDM2Qg', nodeId: 1 }
  expect(readMetaProperties(dir)).toBeUndefined()
  expect(claimDirectory(dir, mine)).toEqual(mine)
  expect(claimDirectory(dir, { clusterId: 'another', nodeId: 1 })).toEqual(mine)
  expect(refusal(() => claimDirectory(dir, { ...mine, nodeId: 2 })).code).toBe('FOREIGN')
})

test('a directory of a format that is not understood is left alone', () => {
  writeFileSync(join(dir, 'meta.properties'), 'version=9\ncluster.id=x\nnode.id=1\n')
  expect(refusal(() => readMetaProperties(dir)).code).toBe('UNSUPPORTED_FORMAT')
  writeFileSync(join(dir, 'meta.properties'), 'version=1\nnode.id=one\n')
  expect(refusal(() => readMetaProperties(dir)).code).toBe('UNREADABLE')
})

test('a log directory of Apache Kafka is left alone, and told as such', () => {
  writeFileSync(
    join(dir, 'meta.properties'),
    'version=1\ncluster.id=x\nnode.id=1\ndirectory.id=AAAAAAAAAAAAAAAAAAAAAQ\n',
  )
  expect(refusal(() => claimDirectory(dir, { clusterId: 'x', nodeId: 1 }))).toMatchObject({
    code: 'FOREIGN',
    message: expect.stringContaining('Apache Kafka'),
  })
})
