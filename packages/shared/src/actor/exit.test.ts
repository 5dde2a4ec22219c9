import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { builtUrl } from './built-url.ts'
import { LmdbNumbers } from './suite/lmdb-numbers.ts'

const story = fileURLToPath(builtUrl(new URL('./suite/exit-story.worker.ts', import.meta.url).href))
const ROUNDS = 5

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-exit-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

interface Ending {
  readonly code: number | null
  readonly signal: string | null
  readonly acknowledged: readonly { readonly name: string; readonly count: number }[]
}

/** Runs the story; a process that hangs is killed after the timeout and shows as SIGKILL. */
function run(way: string, appends: number): Promise<Ending> {
  return new Promise(resolve => {
    const child = execFile(process.execPath, [story, way, dir, String(appends)], {
      timeout: 100_000,
      killSignal: 'SIGKILL',
    })
    let out = ''
    child.stdout!.on('data', chunk => {
      out += chunk
    })
    child.on('close', (code, signal) => {
      const lines = out.split('\n').filter(line => line.startsWith('writer-'))
      const acknowledged = lines
        .map(line => line.split(' '))
        .map(([name, count]) => ({ name: name!, count: Number(count) }))
      resolve({ code, signal, acknowledged })
    })
  })
}

function expectNothingLost({ acknowledged }: Ending): void {
  expect(acknowledged).toHaveLength(3)
  for (const { name, count } of acknowledged) {
    const numbers = new LmdbNumbers(join(dir, name))
    const stored = new Set(numbers.all())
    numbers.close()
    // 16 appends were under way; which of them were acknowledged is not known, so at least count of them must be there.
    expect(stored.size).toBeGreaterThanOrEqual(count)
  }
}

describe('a process in the middle of writing', () => {
  it.each([
    ['process.exit()', 'exit', { code: 7, signal: null }],
    ['an uncaught throw in the main thread', 'throw', { code: 1, signal: null }],
    ['an unhandled rejection in the main thread', 'reject', { code: 1, signal: null }],
    ['close()', 'close', { code: 0, signal: null }],
    ['having nothing left to do after unref()', 'leave', { code: 0, signal: null }],
  ])(
    'always ends by %s, and what was acknowledged is stored',
    async (_, way, ending) => {
      for (let round = 0; round < ROUNDS; round++) {
        rmSync(dir, { recursive: true, force: true })
        const ended = await run(way, 50 + round * 37)
        expect({ code: ended.code, signal: ended.signal }).toEqual(ending)
        expectNothingLost(ended)
      }
    },
    300_000,
  )

  it('ends by SIGINT as any process does', async () => {
    expect(await run('interrupt', 100)).toMatchObject({ code: null, signal: 'SIGINT' })
  })
})
