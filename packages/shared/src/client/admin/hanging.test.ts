import { expect, test } from 'vitest'
import { isHanging, isSuspect } from './hanging.rules.ts'

const MAX_MS = 1_000

test('only an open transaction that has been silent for longer than a transaction may take is suspected', () => {
  expect(isSuspect({ transactionStartOffset: 0n, lastTimestamp: 0 }, MAX_MS + 1, MAX_MS)).toBe(true)
  expect(isSuspect({ transactionStartOffset: 0n, lastTimestamp: 0 }, MAX_MS, MAX_MS)).toBe(false)
  expect(isSuspect({ transactionStartOffset: null, lastTimestamp: 0 }, MAX_MS + 1, MAX_MS)).toBe(false)
})

test('a transaction that its coordinator still lists for this partition does not hang; one of another partition, or none, does', () => {
  const place = { topic: 'orders', partition: 1 }
  expect(isHanging(place, { partitions: [place] })).toBe(false)
  expect(isHanging(place, { partitions: [{ topic: 'orders', partition: 0 }] })).toBe(true)
  expect(isHanging(place, { partitions: [] })).toBe(true)
  expect(isHanging(place, undefined)).toBe(true)
})
