// What an embedded broker leaves in its process when it is closed: nothing.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ChildProgram } from './child-program.ts'

const dir = mkdtempSync(join(tmpdir(), 'odradek-hygiene-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test.each([['alone'], ['listen']])(
  'a closed broker (%s) leaves no handle, thread, timer, file or rejection, and the process ends by itself',
  { timeout: 300_000 },
  async how => {
    const child = new ChildProgram('hygiene', [join(dir, how), '20000', how])
    const [line] = await child.rest()
    expect(await child.ended()).toEqual({ exitCode: 0, signal: null, errors: '' })
    const { acknowledged, before, after, resources, unhandled } = JSON.parse(line!)
    expect(acknowledged).toBeGreaterThanOrEqual(20_000)
    expect(after).toEqual(before)
    expect({ resources, unhandled }).toEqual({ resources: [], unhandled: [] })
  },
)
