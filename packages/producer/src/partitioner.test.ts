// Murmur2 against published vectors; sticky, adaptive and round-robin choices.
import { seededRandom } from '@odradek/shared/base/random'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  countSticky,
  murmur2,
  newKeylessState,
  type PartitionLoads,
  partitionForKey,
  roundRobinPartition,
  stickyPartition,
} from './partitioner.rules.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)

const loadsOf = (queues: readonly number[], options: Partial<PartitionLoads> = {}): PartitionLoads => ({
  partitionCount: queues.length,
  available: queues.map((_, partition) => partition),
  queued: partition => queues[partition]!,
  adaptive: true,
  ...options,
})

describe('keys', () => {
  // Vectors published with Apache Kafka (UtilsTest.testMurmur2).
  test.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])("murmur2 of %s is Kafka's", (text, hash) => {
    expect(murmur2(utf8(text))).toBe(hash)
  })

  test('a key always has the same partition, in range', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.integer({ min: 1, max: 1_000 }), (key, count) => {
        const partition = partitionForKey(key, count)
        expect(partition).toBe(partitionForKey(Uint8Array.from(key), count))
        expect(partition).toBeGreaterThanOrEqual(0)
        expect(partition).toBeLessThan(count)
      }),
    )
  })
})

describe('sticky', () => {
  test('stays until a batch is produced, then moves on', () => {
    const state = newKeylessState()
    const random = seededRandom(1)
    const loads = loadsOf([0, 0, 0, 0])
    const first = stickyPartition(state, loads, random)
    expect(countSticky(state, { bytes: 999, batchIsOpen: false }, 1_000)).toBe(false)
    expect(stickyPartition(state, loads, random)).toBe(first)
    expect(countSticky(state, { bytes: 1, batchIsOpen: false }, 1_000)).toBe(true)
  })

  test('an open batch is filled up, but not for more than twice the size', () => {
    const state = newKeylessState()
    stickyPartition(state, loadsOf([0, 0]), seededRandom(1))
    expect(countSticky(state, { bytes: 1_999, batchIsOpen: true }, 1_000)).toBe(false)
    expect(countSticky(state, { bytes: 1, batchIsOpen: true }, 1_000)).toBe(true)
  })

  test('equal queues are chosen equally often', () => {
    const counts = choose(loadsOf([2, 2, 2, 2]), 8_000)
    for (const count of counts) expect(Math.abs(count - 2_000)).toBeLessThan(250)
  })

  test('a long queue is chosen less, in proportion', () => {
    const [short, long] = choose(loadsOf([0, 3]), 10_000) // weights 4 and 1
    expect(short! / long!).toBeGreaterThan(3.3)
    expect(short! / long!).toBeLessThan(4.8)
  })

  test('without adaptive partitioning queues do not matter', () => {
    const [short, long] = choose(loadsOf([0, 30], { adaptive: false }), 10_000)
    expect(short! / long!).toBeGreaterThan(0.9)
    expect(short! / long!).toBeLessThan(1.1)
  })

  test('partitions without a leader are avoided while there are others', () => {
    expect(choose(loadsOf([0, 0, 0], { available: [1] }), 100)).toEqual([0, 100, 0])
    const counts = choose(loadsOf([0, 0, 0], { available: [] }), 900)
    for (const count of counts) expect(count).toBeGreaterThan(200)
  })

  test('a topic that lost partitions gets a new choice', () => {
    const state = { ...newKeylessState(), sticky: 7 }
    expect(stickyPartition(state, loadsOf([0, 0]), seededRandom(3))).toBeLessThan(2)
  })

  function choose(loads: PartitionLoads, times: number): number[] {
    const random = seededRandom(42)
    const counts = new Array<number>(loads.partitionCount).fill(0)
    for (let i = 0; i < times; i++) counts[stickyPartition(newKeylessState(), loads, random)]!++
    return counts
  }
})

test('round-robin takes every available partition in turn', () => {
  const state = newKeylessState()
  const loads = loadsOf([0, 0, 0], { available: [0, 2] })
  expect([1, 2, 3, 4].map(() => roundRobinPartition(state, loads))).toEqual([0, 2, 0, 2])
  expect([1, 2].map(() => roundRobinPartition(state, loadsOf([0, 0, 0], { available: [] })))).toEqual([1, 2])
})
