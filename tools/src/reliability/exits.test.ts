// A process that embeds a broker ends when it wants to, in the middle of writing, and never hangs or tears a log apart.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ChildProgram } from './child-program.ts'
import { damages } from './reading-back.ts'

const dir = mkdtempSync(join(tmpdir(), 'odradek-exit-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test.each([
  ['process.exit()', 'exit', 7, /^$/],
  ['an uncaught throw', 'throw', 1, /thrown in the middle of writing/],
  ['an unhandled rejection', 'reject', 1, /rejected in the middle of writing/],
])(
  '%s in the middle of writing ends the process, five times of five',
  { timeout: 300_000 },
  async (_, way, exitCode, errors) => {
    for (const after of [1, 10, 100, 1_000, 3_000]) {
      const ending = await new ChildProgram('exits', [join(dir, way), way, String(after)]).ended()
      expect(ending).toEqual({ exitCode, signal: null, errors: expect.stringMatching(errors) })
    }
    expect(damages(join(dir, way))).toEqual([])
  },
)
