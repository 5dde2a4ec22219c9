import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  isSatisfied,
  noFetchWaits,
  park,
  takeAll,
  takeWoken,
  unpark,
  waitingCount,
  wakeMark,
} from './fetch-wait.rules.ts'

const parked = (reply: string, wakeAt: number, readCommitted = false) => ({ reply, wakeAt, readCommitted })
const names = (fetches: readonly { reply: string }[]) => fetches.map(({ reply }) => reply)

describe('parked fetches', () => {
  it('wait for the bytes that they miss, at least for one', () => {
    expect(wakeMark(1000, 0, 1)).toBe(1001)
    expect(wakeMark(1000, 300, 500)).toBe(1200)
    expect(wakeMark(1000, 500, 500)).toBe(1001)
  })

  it('do not wait when there is enough or when they will not', () => {
    expect(isSatisfied(0, { minBytes: 0, maxWaitMs: 500 })).toBe(true)
    expect(isSatisfied(10, { minBytes: 10, maxWaitMs: 500 })).toBe(true)
    expect(isSatisfied(0, { minBytes: 1, maxWaitMs: 0 })).toBe(true)
    expect(isSatisfied(9, { minBytes: 10, maxWaitMs: 500 })).toBe(false)
  })

  it('are woken in the order of their marks, equal ones in the order of arrival', () => {
    const waits = noFetchWaits<string>(10)
    for (const fetch of [parked('c', 300), parked('a', 100), parked('b', 200), parked('a2', 100)]) park(waits, fetch)
    expect(names(takeWoken(waits, { appended: 200, stable: 0 }))).toEqual(['a', 'a2', 'b'])
    expect(names(takeAll(waits))).toEqual(['c'])
  })

  it('of read_committed readers are woken by what is stable, not by what is appended', () => {
    const waits = noFetchWaits<string>(10)
    park(waits, parked('committed', 100, true))
    park(waits, parked('uncommitted', 100))
    expect(names(takeWoken(waits, { appended: 500, stable: 99 }))).toEqual(['uncommitted'])
    expect(names(takeWoken(waits, { appended: 500, stable: 100 }))).toEqual(['committed'])
  })

  it('are bounded, and the most ever is remembered', () => {
    const waits = noFetchWaits<string>(2)
    expect([park(waits, parked('a', 1)), park(waits, parked('b', 1, true)), park(waits, parked('c', 1))]).toEqual([
      true,
      true,
      false,
    ])
    takeAll(waits)
    expect([waitingCount(waits), waits.high]).toEqual([0, 2])
  })

  it('leave once', () => {
    const waits = noFetchWaits<string>(2)
    const fetch = parked('a', 1)
    park(waits, fetch)
    expect([unpark(waits, fetch), unpark(waits, fetch)]).toEqual([true, false])
  })

  it('are woken exactly when their mark is reached, whatever came in between', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 40 }),
        fc.array(fc.nat(10)),
        (marks, steps) => {
          const waits = noFetchWaits<number>(100)
          for (const wakeAt of marks) park(waits, { wakeAt, readCommitted: false, reply: wakeAt })
          const woken: number[] = []
          let appended = 0
          for (const step of steps) {
            appended += step
            for (const { reply } of takeWoken(waits, { appended, stable: 0 })) woken.push(reply)
            expect(waits.uncommitted.every(({ wakeAt }) => wakeAt > appended)).toBe(true)
          }
          expect(woken).toEqual(marks.filter(mark => mark <= appended).toSorted((a, b) => a - b))
        },
      ),
    )
  })
})
