import { describe, expect, it } from 'vitest'
import { isVerificationExpired, isVerified, maySequence, verificationAsked } from './verification.rules.ts'

const asked = { producerEpoch: 2, baseSequence: 6 }
const first = verificationAsked(undefined, asked, { token: 11, now: 100 })
const again = (rest: Partial<typeof asked>) => verificationAsked(first, { ...asked, ...rest }, { token: 99, now: 200 })

describe('verification guards (KIP-890)', () => {
  it('requests of one producer share a guard until its state changes', () => {
    expect(again({})).toEqual(first)
  })

  it('remember the lowest sequence that asked in the newest epoch', () => {
    expect(again({ baseSequence: 3 })).toMatchObject({ token: 11, lowestSequence: 3, producerEpoch: 2 })
    expect(again({ baseSequence: 9 }).lowestSequence).toBe(6)
    expect(again({ producerEpoch: 3, baseSequence: 9 })).toMatchObject({ lowestSequence: 9, producerEpoch: 3 })
    expect(again({ producerEpoch: 1, baseSequence: 0 })).toEqual(first)
  })

  it('verify only the append that shows the pending token', () => {
    expect(isVerified(first, { token: 11 })).toBe(true)
    expect(isVerified(first, { token: 12 })).toBe(false)
    expect(isVerified(first, undefined)).toBe(false)
    expect(isVerified(undefined, undefined)).toBe(false)
  })

  it('are not needed where the coordinator has added the partition', () => {
    expect(isVerified(undefined, 'added')).toBe(true)
    expect(isVerified(first, 'added')).toBe(true)
  })

  it('hold later sequences back, and nothing when none is pending', () => {
    expect(maySequence(undefined, 1000)).toBe(true)
    expect(maySequence(first, 6)).toBe(true)
    expect(maySequence(first, 7)).toBe(false)
  })

  it('expire with the producer ids', () => {
    expect(isVerificationExpired(first, 599, 500)).toBe(false)
    expect(isVerificationExpired(first, 600, 500)).toBe(true)
  })
})
