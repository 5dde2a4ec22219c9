import { describe, expect, it } from 'vitest'
import { type LoadingWord, loading, loadingNow, newLoadingWord, shutLoading } from './loading.ts'

/** The word of a thread that has loaded its entry. */
function idleWord(): LoadingWord {
  return newLoadingWord().fill(0)
}

describe('loading', () => {
  it('is shut at once when nothing is loaded, and again', async () => {
    const word = idleWord()
    expect(await shutLoading(word, 0)).toBe(true)
    expect(await shutLoading(word, 0)).toBe(true)
  })

  it('is shut after the last load, whether it succeeded or failed, and not before', async () => {
    const word = idleWord()
    let succeed!: (module: string) => void
    let fail!: (error: Error) => void
    const loads = [
      loading(() => new Promise<string>(resolve => (succeed = resolve)), word),
      loading(() => new Promise<string>((_, reject) => (fail = reject)), word),
    ]
    let isShut = false
    const shut = shutLoading(word, 60_000).then(outcome => {
      isShut = true
      return outcome
    })
    succeed('module')
    expect(await loads[0]).toBe('module')
    expect(isShut).toBe(false)
    fail(new Error('no such module'))
    await expect(loads[1]).rejects.toThrow('no such module')
    expect(await shut).toBe(true)
  })

  it('needs no word in a thread that nobody ends', async () => {
    expect(await loading(async () => 'module')).toBe('module')
  })

  it('is given up when a load goes on past the deadline', async () => {
    // A thread that has not even loaded its entry.
    expect(await shutLoading(newLoadingWord(), 5)).toBe(false)
  })

  it('begins nothing once it is shut', async () => {
    const word = idleWord()
    await shutLoading(word, 0)
    let begun = 0
    void loading(async () => void begun++, word)
    await new Promise(setImmediate)
    expect(begun).toBe(0)
  })

  it('counts a library that is required while it is, whether that succeeds or fails', () => {
    const word = idleWord()
    expect(loadingNow(() => word[0], word)).toBe(1)
    expect(word[0]).toBe(0)
    const failing = () => {
      throw new Error('no such library')
    }
    expect(() => loadingNow(failing, word)).toThrow('no such library')
    expect(word[0]).toBe(0)
  })

  it('requires nothing once it is shut', async () => {
    const word = idleWord()
    await shutLoading(word, 0)
    let begun = 0
    expect(loadingNow(() => ++begun, word)).toBeUndefined()
    expect(begun).toBe(0)
  })

  it('requires without a word in a thread that nobody ends', () => {
    expect(loadingNow(() => 'library')).toBe('library')
  })
})
