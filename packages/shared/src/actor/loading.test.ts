import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { limits } from '../base/limits.ts'
import { loaded, loading, newLoadingWord, shutLoading } from './loading.ts'
import { useThreadEntry } from './thread-entry.ts'
import { WorkerThread } from './worker-thread.ts'

describe('loading', () => {
  it('is shut at once when nothing is loaded, and again', async () => {
    const word = newLoadingWord()
    loaded(word)
    expect(await shutLoading(word, 0)).toBe(true)
    expect(await shutLoading(word, 0)).toBe(true)
  })

  it('is shut after the last load, whether it succeeded or failed, and not before', async () => {
    const word = newLoadingWord()
    let succeed!: (module: string) => void
    let fail!: (error: Error) => void
    const loads = [
      loading(word, () => new Promise<string>(resolve => (succeed = resolve))),
      loading(word, () => new Promise<string>((_, reject) => (fail = reject))),
    ]
    let isShut = false
    const shut = shutLoading(word, 60_000).then(outcome => {
      isShut = true
      return outcome
    })
    loaded(word)
    succeed('module')
    expect(await loads[0]).toBe('module')
    expect(isShut).toBe(false)
    fail(new Error('no such module'))
    await expect(loads[1]).rejects.toThrow('no such module')
    expect(await shut).toBe(true)
  })

  it('is given up when a load goes on past the deadline', async () => {
    expect(await shutLoading(newLoadingWord(), 5)).toBe(false)
  })

  it('begins nothing once it is shut', async () => {
    const word = newLoadingWord()
    loaded(word)
    await shutLoading(word, 0)
    let begun = 0
    void loading(word, async () => void begun++)
    await new Promise(setImmediate)
    expect(begun).toBe(0)
  })
})

describe.skipIf(process.platform !== 'linux')('a thread that is ended while it starts', () => {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-loading-'))
  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  it('leaves no module file open', { timeout: 60_000 }, async () => {
    const modules = Array.from({ length: 300 }, (_, n) => `m${n}.mjs`)
    for (const module of modules) writeFileSync(join(dir, module), 'export {}\n')
    const main = new URL('./thread-main.ts', import.meta.url).href.replace('/src/', '/dist/').replace('.ts', '.js')
    const entry = join(dir, 'entry.mjs')
    const imports = modules.map(module => `import './${module}'`)
    writeFileSync(entry, [...imports, `import { runThread } from '${main}'`, 'runThread()'].join('\n'))
    useThreadEntry(new URL(`file://${entry}`))
    for (let turn = 0; turn < 5; turn++) {
      const thread = new WorkerThread('to be ended', limits, () => {})
      while (openModules().length === 0) await new Promise(setImmediate)
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
