import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { limits } from '../base/limits.ts'
import { builtUrl } from './built-url.ts'
import { useThreadEntry } from './thread-entry.ts'
import { WorkerThread } from './worker-thread.ts'

describe.skipIf(process.platform !== 'linux')('a thread that is ended while it starts', () => {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-loading-'))
  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  it('leaves no module file open', { timeout: 180_000 }, async () => {
    const modules = Array.from({ length: 300 }, (_, n) => `m${n}.mjs`)
    for (const module of modules) writeFileSync(join(dir, module), 'export {}\n')
    const main = builtUrl(new URL('./thread-main.ts', import.meta.url).href)
    const entry = join(dir, 'entry.mjs')
    const imports = modules.map(module => `import './${module}'`)
    writeFileSync(entry, [...imports, `import { runThread } from '${main}'`, 'runThread()'].join('\n'))
    useThreadEntry(new URL(`file://${entry}`))
    for (let turn = 0; turn < 5; turn++) {
      const thread = new WorkerThread('to be ended', { limits, ahead: [] }, () => {})
      // Some versions of Node open and close a module in one call: there it is never seen open.
      for (let looks = 0; looks < 5_000 && openModules().length === 0; looks++) await new Promise(setImmediate)
      await thread.terminate('ended by the test')
    }
    expect(openModules()).toEqual([])
  })

  function openModules(): string[] {
    const open: string[] = []
    for (const descriptor of readdirSync('/proc/self/fd')) {
      try {
        open.push(readlinkSync(`/proc/self/fd/${descriptor}`))
      } catch {
        // Closed since it was listed.
      }
    }
    return open.filter(file => file.startsWith(dir))
  }
})
