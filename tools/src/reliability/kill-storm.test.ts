// Random kills of actors and threads under write load: a hundred here, thousands by `pnpm soak`.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { heldByProcess } from './held-by-process.ts'
import { killStorm } from './kill-storm.ts'
import { damages } from './reading-back.ts'

const dir = mkdtempSync(join(tmpdir(), 'odradek-storm-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('a hundred kills of actors and threads under load lose, double and disorder nothing, and leave nothing open', {
  timeout: 300_000,
}, async () => {
  // The first storm loads what stays: code, native libraries, the platform's own threads.
  await killStorm({ dir: join(dir, 'first'), kills: 5, seed: 2 })
  const before = heldByProcess()
  const { killed, acknowledged, read, ...outcome } = await killStorm({
    dir: join(dir, 'second'),
    kills: 100,
    seed: 1,
  })
  expect(outcome).toEqual({ findings: [], disorder: [], unhandled: [] })
  expect(Object.values(killed).reduce((sum, kills) => sum + kills, 0)).toBe(100)
  expect(killed.thread).toBeGreaterThan(5)
  expect(killed['partition-leader']).toBeGreaterThan(5)
  expect(acknowledged).toBeGreaterThan(1_000)
  expect(read).toBeGreaterThan(100)
  expect(damages(join(dir, 'second'))).toEqual([])
  expect(heldByProcess()).toEqual(before)
})
