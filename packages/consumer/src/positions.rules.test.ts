import { describe, expect, it } from 'vitest'
import {
  advanced,
  fetchAnswered,
  INITIAL_POSITION,
  leaderLearned,
  offsetFound,
  resetTimestamp,
  resetTo,
  seekTo,
  validated,
  verdictOf,
} from './positions.rules.ts'

const known = leaderLearned(INITIAL_POSITION, 3)
const answer = { errorCode: 0, highWatermark: 90, lastStableOffset: 80, logStartOffset: 10 }

describe('a position', () => {
  it('that is given without an epoch is fetched at once, with one it is validated by a known leader first', () => {
    expect(seekTo(known, 7)).toMatchObject({ state: 'Fetching', offset: 7 })
    expect(seekTo(known, 7, 2)).toMatchObject({ state: 'AwaitValidation', offset: 7, offsetEpoch: 2 })
    expect(seekTo(INITIAL_POSITION, 7, 2)).toMatchObject({ state: 'Fetching' })
  })

  it('proves itself when a newer leader is learned, and only then', () => {
    const fetching = { ...seekTo(known, 7), offsetEpoch: 3 }
    expect(leaderLearned(fetching, 3)).toBe(fetching)
    expect(leaderLearned(fetching, 2)).toBe(fetching)
    expect(leaderLearned(fetching, 4)).toMatchObject({ state: 'AwaitValidation', leaderEpoch: 4 })
    // KIP-320 needs the epoch of the record before.
    expect(leaderLearned(seekTo(known, 7), 4)).toMatchObject({ state: 'Fetching', leaderEpoch: 4 })
  })

  it('never goes back as it advances', () => {
    const fetching = seekTo(known, 7)
    expect(advanced(fetching, 5, 9)).toBe(fetching)
    expect(advanced(fetching, 12, 9)).toMatchObject({ offset: 12, offsetEpoch: 9 })
  })
})

describe('the reset policy', () => {
  it('asks for the earliest, the latest, a time, or the user', () => {
    expect(resetTimestamp({ kind: 'earliest' }, 1_000)).toBe(-2)
    expect(resetTimestamp({ kind: 'latest' }, 1_000)).toBe(-1)
    expect(resetTimestamp({ kind: 'byDuration', durationMs: 400 }, 1_000)).toBe(600)
    expect(resetTimestamp({ kind: 'byDuration', durationMs: 4_000 }, 1_000)).toBe(0)
    expect(resetTimestamp({ kind: 'none' }, 1_000)).toBeNull()
  })

  it('begins at what ListOffsets found', () => {
    const [position] = offsetFound(resetTo(known, -2), { errorCode: 0, offset: 10, leaderEpoch: 1 })
    expect(position).toMatchObject({ state: 'Fetching', offset: 10, offsetEpoch: 1 })
  })

  it('goes to the end when no record is as young', () => {
    const [position] = offsetFound(resetTo(known, 5_000), { errorCode: 0, offset: -1, leaderEpoch: -1 })
    expect(position).toMatchObject({ state: 'AwaitReset', resetTo: -1 })
  })

  it('ignores an answer that came after a seek', () => {
    const sought = seekTo(known, 4)
    expect(offsetFound(sought, { errorCode: 0, offset: 10, leaderEpoch: 1 })).toEqual([sought, { kind: 'ok' }])
  })
})

describe('validation', () => {
  const validating = seekTo(known, 50, 2)
  it('passes when the epoch of the last record reaches the position', () => {
    const [position, verdict] = validated(validating, { errorCode: 0, leaderEpoch: 2, endOffset: 50 })
    expect([position.state, verdict.kind]).toEqual(['Fetching', 'ok'])
  })

  it('finds the truncation below the position', () => {
    const [, verdict] = validated(validating, { errorCode: 0, leaderEpoch: 1, endOffset: 40 })
    expect(verdict).toEqual({ kind: 'truncated', endOffset: 40, epoch: 1 })
  })

  it('resets when the leader knows no such epoch', () => {
    expect(validated(validating, { errorCode: 0, leaderEpoch: -1, endOffset: -1 })[1]).toEqual({ kind: 'reset' })
  })
})

describe('a fetch answer', () => {
  it('brings the watermarks, the high watermark for an unknown LSO', () => {
    const fetching = seekTo(known, 20)
    expect(fetchAnswered(fetching, answer)[0]).toMatchObject({
      highWatermark: 90,
      lastStableOffset: 80,
      logStartOffset: 10,
    })
    expect(fetchAnswered(fetching, { ...answer, lastStableOffset: -1 })[0]).toMatchObject({ lastStableOffset: 90 })
  })

  it('with a diverging epoch is a truncation', () => {
    const diverging = { ...answer, divergingEpoch: { epoch: 1, endOffset: 15 } }
    expect(fetchAnswered(seekTo(known, 20), diverging)[1]).toEqual({ kind: 'truncated', endOffset: 15, epoch: 1 })
  })

  it.each([
    [0, 'ok'],
    [1, 'reset'],
    [3, 'retry'],
    [6, 'retry'],
    [74, 'retry'],
    [75, 'retry'],
    [100, 'retry'],
    [29, 'fatal'],
    [2, 'fatal'],
  ])('of error %i is %s', (errorCode, kind) => {
    expect(verdictOf(errorCode).kind).toBe(kind)
  })
})
