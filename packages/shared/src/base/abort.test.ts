import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { onAbort } from './abort.ts'

describe('onAbort', () => {
  it('calls everybody once, in order', () => {
    const abort = new AbortController()
    const calls: number[] = []
    for (const caller of [1, 2, 3]) onAbort(abort.signal, () => calls.push(caller))
    abort.abort()
    abort.abort()
    expect(calls).toEqual([1, 2, 3])
  })

  it('does not call who took the listener back', () => {
    const abort = new AbortController()
    const calls: string[] = []
    const stop = onAbort(abort.signal, () => calls.push('stopped'))
    onAbort(abort.signal, () => calls.push('stays'))
    stop()
    stop()
    abort.abort()
    expect(calls).toEqual(['stays'])
  })

  it('is one listener of the signal, however many wait', () => {
    const { signal } = new AbortController()
    for (let waiting = 0; waiting < 1_000; waiting++) onAbort(signal, () => {})()
    for (let waiting = 0; waiting < 1_000; waiting++) onAbort(signal, () => {})
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
  })
})
