import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DraftMap, settled } from './draft-map.ts'

const keys = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const change = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant('set' as const), keys, fc.option(fc.integer(), { nil: undefined })) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('delete' as const), keys, fc.constant(undefined)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('clear' as const), keys, fc.constant(undefined)) },
)

type Change = readonly ['set' | 'delete' | 'clear', string, number | undefined]

function apply(map: Map<string, number | undefined>, [kind, key, value]: Change) {
  if (kind === 'clear') return map.clear()
  return kind === 'delete' ? map.delete(key) : map.set(key, value) === map
}

function seen(map: Map<string, number | undefined>) {
  const visited: unknown[] = []
  map.forEach((value, key) => void visited.push([key, value]))
  return {
    size: map.size,
    entries: [...map],
    keys: [...map.keys()],
    values: [...map.values()],
    has: ['a', 'b', 'c', 'd', 'e'].map(key => [map.has(key), map.get(key)]),
    visited,
  }
}

test('a draft is seen as a map with the same changes, its base is untouched until it settles, and then it is that map', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(keys, fc.integer())), fc.array(change), (entries, changes) => {
      const base: Map<string, number | undefined> = new Map(entries)
      const before = seen(base)
      const model = new Map(base)
      const draft = new DraftMap(base)
      for (const each of changes) {
        expect(apply(draft, each as Change)).toEqual(apply(model, each as Change))
        expect(seen(draft)).toEqual(seen(model))
        expect(seen(base)).toEqual(before)
      }
      expect(seen(settled(draft))).toEqual(seen(model))
    }),
  )
})

test('a map that is no draft settles as itself', () => {
  const map = new Map([['a', 1]])
  expect(settled(map)).toBe(map)
})
