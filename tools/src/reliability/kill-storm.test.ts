// Random kills of actors and threads under write load: a hundred here, thousands by `pnpm soak`.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { killStorm } from './kill-storm.ts'
import { damages } from './reading-back.ts'

const dir = mkdtempSync(join(tmpdir(), 'odradek-storm-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('a hundred kills of actors and threads under load lose, double and disorder nothing', {
  timeout: 180_000,
}, async () => {
  const { killed, acknowledged, read, ...outcome } = await killStorm({ dir, kills: 100, seed: 1 })
  expect(outcome).toEqual({ findings: [], disorder: [], unhandled: [] })
  expect(Object.values(killed).reduce((sum, kills) => sum + kills, 0)).toBe(100)
  expect(killed.thread).toBeGreaterThan(5)
  expect(killed['partition-leader']).toBeGreaterThan(5)
  expect(acknowledged).toBeGreaterThan(1_000)
  expect(read).toBeGreaterThan(100)
  expect(damages(dir)).toEqual([])
})
