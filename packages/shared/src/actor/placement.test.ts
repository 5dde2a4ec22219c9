import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mayBusyPoll, place, threadBudget, threadFor } from './placement.rules.ts'

describe('placement', () => {
  const lanes = [
    { lane: 1, actors: 2 },
    { lane: 2, actors: 1 },
    { lane: 3, actors: 1 },
  ]

  it.each([
    ['the spawner', 'self', lanes, 3, { lane: 9 }],
    ['the lane that was named', 2, lanes, 3, { lane: 2 }],
    ['a new lane while the budget lasts', 'own', lanes, 4, { lane: 'new' }],
    ['the emptiest lane, then the lowest', 'own', lanes, 3, { lane: 2 }],
    ['an empty lane before a new one', 'own', [...lanes, { lane: 4, actors: 0 }], 9, { lane: 4 }],
    ['a new lane when there is none', 'own', [], 1, { lane: 'new' }],
  ] as const)('gives %s', (_, wish, known, budget, expected) => {
    expect(place({ wish, spawner: 9, lanes: known, budget })).toEqual(expected)
  })

  it('spreads any number of actors over any budget within one of each other', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 300 }), (budget, actors) => {
        const loads = new Map<number, number>()
        for (let n = 0; n < actors; n++) {
          const known = [...loads].map(([lane, count]) => ({ lane, actors: count }))
          const { lane } = place({ wish: 'own', spawner: 0, lanes: known, budget })
          const number = lane === 'new' ? loads.size + 1 : lane
          loads.set(number, (loads.get(number) ?? 0) + 1)
        }
        expect(loads.size).toBe(Math.min(budget, actors))
        expect(Math.max(...loads.values()) - Math.min(...loads.values())).toBeLessThanOrEqual(1)
      }),
    )
  })

  it("has a thread for each core but the caller's, and bounds a large machine", () => {
    expect([1, 2, 4, 16, 128].map(threadBudget)).toEqual([1, 1, 3, 15, 64])
  })

  it('lets threads look before they sleep while each, and the caller, can have a core', () => {
    expect([1, 2, 3, 4].map(threads => mayBusyPoll(threads, 4))).toEqual([true, true, true, false])
    expect([1, 2, 4, 128].map(cores => mayBusyPoll(threadBudget(cores), cores))).toEqual([false, true, true, true])
    expect(mayBusyPoll(0, 4)).toBe(false)
  })
})

describe('the thread for a lane', () => {
  const other = (lanes: number) => ({ lanes, isSibling: false })
  const sibling = { lanes: 1, isSibling: true }

  it.each([
    ['is new when none runs', [], true, 2, 'new'],
    ['of a first lane is one that runs', [other(1)], true, 2, 0],
    ['of a first lane is the emptiest, then the oldest', [other(2), other(1), other(1)], true, 9, 1],
    ['of a further lane is new while the budget lasts', [sibling, other(1)], false, 3, 'new'],
    ['of a further lane is shared when the budget is spent', [sibling, other(3), other(2)], false, 3, 2],
    ['is new when all that run have a lane of the same system', [sibling, sibling], false, 2, 'new'],
  ] as const)('%s', (_, threads, isFirst, budget, expected) => {
    expect(threadFor({ threads, isFirst, budget })).toBe(expected)
  })
})
