// Batches are refused while something is left of the disk: LMDB's library cannot be trusted on a full one (decision 0046).
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DiskSpace, freeBytesAt } from './disk-space.ts'

const KIB = 1024
const MIB = 1024 * KIB

/** A disk of so many free bytes, of which a commit takes its batches and as much again at most. */
function diskOf(free: number) {
  const disk = { free, looks: 0 }
  const space = new DiskSpace(() => {
    disk.looks++
    return disk.free
  })
  const write = (bytes: number) => {
    space.claim(bytes)
    disk.free -= 2 * bytes
  }
  return { disk, write }
}

test('a disk is never written full, and what fits is written', () => {
  const { disk, write } = diskOf(100 * MIB)
  let written = 0
  expect(() => {
    for (; ; written++) write(200 * KIB)
  }).toThrow(expect.objectContaining({ code: 'ENOSPC', message: expect.stringContaining('no space left on device') }))
  expect(disk.free).toBeGreaterThan(2 * MIB)
  expect(disk.free).toBeLessThan(3 * MIB)
  expect(written).toBeGreaterThan(240)
})

test('smaller batches are taken while a larger one is refused, and all are when there is room again', () => {
  const { disk, write } = diskOf(4 * MIB)
  expect(() => write(MIB)).toThrow(/no space/)
  write(500 * KIB)
  expect(() => write(500 * KIB)).toThrow(/no space/)
  disk.free = 100 * MIB
  write(MIB)
})

test('a large disk is looked at once for each 16 MiB', () => {
  const { disk, write } = diskOf(1024 * 1024 * MIB)
  for (let n = 0; n < 1_000; n++) write(8 * KIB)
  expect(disk.looks).toBeGreaterThan(2)
  expect(disk.looks).toBeLessThan(8)
})

test('on a small one a thread leaves most of it for the others until it looks again', () => {
  const { disk, write } = diskOf(34 * MIB)
  write(KIB)
  const other = diskOf(0)
  expect(() => other.write(KIB)).toThrow(/no space/)
  disk.free = MIB
  expect(() => {
    for (let n = 0; n < 32; n++) write(KIB)
  }).toThrow(/no space/)
})

test('a system that does not know takes everything', () => {
  const space = new DiskSpace(() => undefined)
  for (let n = 0; n < 100; n++) space.claim(MIB)
})

test('what is free is what the file system says', () => {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-space-'))
  const { bavail, bsize } = statfsSync(dir)
  expect(Math.abs(freeBytesAt(dir)()! - bavail * bsize)).toBeLessThan(1024 * MIB)
  rmSync(dir, { recursive: true })
  expect(freeBytesAt(dir)()).toBeUndefined()
})
