import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { newGateWord, shutGate, shutGateNow, threadGate } from './gate.ts'

/** A thread that enters its gate, says so in the second word, and leaves when the second word becomes 2. */
const insider = `
const { workerData: [gate, story] } = require('node:worker_threads')
Atomics.compareExchange(gate, 0, 0, 1)
Atomics.store(story, 0, 1)
Atomics.notify(story, 0)
Atomics.wait(story, 0, 1)
Atomics.store(gate, 0, 0)
Atomics.notify(gate, 0)`

function threadInside() {
  const word = newGateWord()
  const story = newGateWord()
  const worker = new Worker(insider, { eval: true, workerData: [word, story] })
  return {
    word,
    worker,
    isInside: async () => {
      while (Atomics.load(story, 0) === 0) await new Promise(resolve => setImmediate(resolve))
    },
    leave: () => {
      Atomics.store(story, 0, 2)
      Atomics.notify(story, 0)
    },
  }
}

describe('the gate', () => {
  it('is marked while a section runs, also a nested one, and open after a throw', () => {
    const word = newGateWord()
    const gate = threadGate(word)
    const seen = gate.run(() => [word[0], gate.run(() => word[0]), word[0]])
    expect(seen).toEqual([1, 1, 1])
    expect(() => gate.run(() => JSON.parse('{'))).toThrow(SyntaxError)
    expect(word[0]).toBe(0)
  })

  it('is shut at once while the thread is outside', async () => {
    const word = newGateWord()
    expect(await shutGate(word, 0)).toBe(true)
    expect(word[0]).toBe(2)
    expect(shutGateNow(word, 0)).toBe(true)
  })

  it('is shut when the thread comes out, and not before', async () => {
    const { word, worker, isInside, leave } = threadInside()
    await isInside()
    const shut = shutGate(word, 60_000)
    expect(word[0]).toBe(1)
    leave()
    expect(await shut).toBe(true)
    expect(word[0]).toBe(2)
    await worker.terminate()
  })

  it('is given up when the thread stays inside past the deadline', async () => {
    const { word, worker, isInside, leave } = threadInside()
    await isInside()
    expect(await shutGate(word, 1)).toBe(false)
    expect(shutGateNow(word, 1)).toBe(false)
    leave()
    expect(shutGateNow(word, 60_000)).toBe(true)
    await worker.terminate()
  })
})
