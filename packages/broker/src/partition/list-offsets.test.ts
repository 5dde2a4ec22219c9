import { describe, expect, it } from 'vitest'
import { foundOffset, offsetQuery, readableEnd } from './list-offsets.rules.ts'

const log = { logStartOffset: 10, highWatermark: 50, lastStableOffset: 40, leaderEpoch: 3 }
const query = (timestamp: number, isolationLevel = 0) => offsetQuery(log, { timestamp, isolationLevel }, () => 1)

describe('ListOffsets', () => {
  it.each([
    { name: 'latest is the high watermark', timestamp: -1, isolation: 0, offset: 50, leaderEpoch: 3 },
    { name: 'latest of read_committed is the LSO', timestamp: -1, isolation: 1, offset: 40, leaderEpoch: 3 },
    { name: 'earliest is the log start', timestamp: -2, isolation: 1, offset: 10, leaderEpoch: 1 },
    { name: 'earliest local is the log start', timestamp: -4, isolation: 0, offset: 10, leaderEpoch: 1 },
    { name: 'nothing is tiered', timestamp: -5, isolation: 0, offset: -1, leaderEpoch: -1 },
    { name: 'nothing waits for upload', timestamp: -6, isolation: 0, offset: -1, leaderEpoch: -1 },
  ])('$name', ({ timestamp, isolation, offset, leaderEpoch }) => {
    expect(query(timestamp, isolation)).toEqual({ kind: 'answer', offset, leaderEpoch })
  })

  it('a time and the largest timestamp are looked up below what the reader may see', () => {
    expect(query(1234)).toEqual({ kind: 'byTime', timestamp: 1234, below: 50 })
    expect(query(-3, 1)).toEqual({ kind: 'maxTimestamp', below: 40 })
    expect(readableEnd(log, 1)).toBe(40)
  })

  it('an unknown special timestamp is refused', () => {
    expect(query(-7)).toEqual({ kind: 'unsupported' })
  })

  it('what is found at or beyond the end is not found', () => {
    expect(foundOffset({ offset: 49 }, 50)).toEqual({ offset: 49 })
    expect(foundOffset({ offset: 50 }, 50)).toBeUndefined()
    expect(foundOffset(undefined, 50)).toBeUndefined()
  })
})
