import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from './random.ts'

describe('seeded random', () => {
  it('repeats its sequence from its seed, forks included', () => {
    const draw = (seed: number) => {
      const random = seededRandom(seed)
      const fork = random.fork()
      return [random.float(), random.int(10), random.uuid(), fork.float(), random.fork().float()]
    }
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
  })

  it('draws integers below the bound, and every one of a small range', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 2 ** 32 }), (seed, below) => {
        const drawn = seededRandom(seed).int(below)
        expect(drawn).toBeGreaterThanOrEqual(0)
        expect(drawn).toBeLessThan(below)
      }),
    )
    const random = seededRandom(3)
    expect(new Set(Array.from({ length: 200 }, () => random.int(6))).size).toBe(6)
  })

  it('draws floats in [0, 1) that are spread evenly', () => {
    const random = seededRandom(5)
    const tenths = Array(10).fill(0)
    for (let n = 0; n < 10_000; n++) tenths[Math.floor(random.float() * 10)]++
    for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150)
  })

  it('makes uuids as Kafka does: version 4, 22 characters, no leading dash', () => {
    const random = seededRandom(7)
    for (let n = 0; n < 1_000; n++) {
      const uuid = random.uuid()
      const bytes = Buffer.from(uuid, 'base64url')
      expect(uuid).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/)
      expect(bytes).toHaveLength(16)
      expect(bytes[6]! >> 4).toBe(4)
      expect(bytes[8]! >> 6).toBe(2)
    }
  })
})
