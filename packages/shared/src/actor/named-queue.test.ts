import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NamedQueue } from './named-queue.ts'

describe('a named queue', () => {
  it('behaves as an array that refuses what is beyond its bound', () => {
    const step = fc.oneof(fc.constant('shift' as const), fc.constant('clear' as const), fc.nat(1_000), fc.nat(1_000))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(step, { maxLength: 200 }), (max, steps) => {
        const queue = new NamedQueue<number>('model', max)
        let model: number[] = []
        let high = 0
        for (const each of steps) {
          if (each === 'shift') expect(queue.shift()).toBe(model.shift())
          else if (each === 'clear') {
            expect(queue.clear()).toEqual(model)
            model = []
          } else {
            expect(queue.push(each)).toBe(model.length < max)
            if (model.length < max) model.push(each)
          }
          high = Math.max(high, model.length)
          expect([...queue]).toEqual(model)
          expect(queue.peek()).toBe(model[0])
          expect(queue.stats()).toEqual({ name: 'model', size: model.length, high, max })
        }
      }),
    )
  })

  it('keeps order over many more items than it ever holds', () => {
    const queue = new NamedQueue<number>('long', 3_000)
    let [pushed, shifted] = [0, 0]
    for (let round = 0; round < 10; round++) {
      while (queue.push(pushed)) pushed++
      while (queue.size > 1_000) expect(queue.shift()).toBe(shifted++)
    }
    expect(pushed).toBeGreaterThan(20_000)
  })
})
