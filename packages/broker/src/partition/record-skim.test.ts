// The skim may only save work: whatever it calls sound, the careful reader finds sound too, and tells the same of it.
import { BatchBuilder } from '@odradek/shared/records/batch-builder'
import * as batch from '@odradek/shared/records/record-batch'
import { readRecords } from '@odradek/shared/records/record-reader'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Skimmed, skimRecords } from './record-skim.rules.ts'

interface PlainRecord {
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
}

function built(records: readonly PlainRecord[], headers: { key: string; value: Uint8Array | null }[] = []): Uint8Array {
  const builder = new BatchBuilder({ writeLimit: 2 ** 30 })
  for (const { timestamp, key, value } of records) builder.tryAppend(timestamp, key, value, headers)
  return builder.build()
}

/** What the careful reader says; it throws where records are not sound. */
function read(bytes: Uint8Array): Skimmed {
  const records = [...readRecords(bytes, 0, 2 ** 30)]
  expect(records.map(({ offset }) => offset)).toEqual(records.map((_, index) => index))
  const timestamps = records.map(({ timestamp }) => timestamp)
  return {
    maxTimestamp: Math.max(...timestamps),
    minTimestamp: Math.min(...timestamps),
    keyless: records.some(({ key }) => key === null),
  }
}

const field = fc.option(fc.uint8Array({ maxLength: 200 }))
const record = fc.record({ timestamp: fc.integer({ min: 1_000, max: 9_000 }), key: field, value: field })

describe('a skim', () => {
  it('proves plain batches, of one record or many, of empty or long fields', () => {
    const at = (timestamp: number) => ({ timestamp, key: new Uint8Array(0), value: new Uint8Array(100_000) })
    expect(skimRecords(built([at(5)]))).toEqual({ maxTimestamp: 5, minTimestamp: 5, keyless: false })
    const many = Array.from({ length: 300 }, (_, n) => ({ timestamp: 1_000 + (n % 7), key: null, value: null }))
    expect(skimRecords(built(many))).toEqual({ maxTimestamp: 1_006, minTimestamp: 1_000, keyless: true })
  })

  it('does not know batches with headers, of times that go back, or compressed', () => {
    const plain = { timestamp: 5, key: null, value: null }
    expect(skimRecords(built([plain], [{ key: 'h', value: null }]))).toBeUndefined()
    expect(skimRecords(built([plain, { ...plain, timestamp: 4 }]))).toBeUndefined()
    const builder = new BatchBuilder({ writeLimit: 1_000 })
    builder.tryAppend(5, null, null)
    expect(skimRecords(builder.build({ compression: 'gzip' }))).toBeUndefined()
  })

  it('agrees with the reader on every batch that it proves', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), records => {
        const bytes = built(records)
        const skimmed = skimRecords(bytes)
        if (skimmed !== undefined) expect(skimmed).toEqual(read(bytes))
        else expect(records.some(({ timestamp }) => timestamp < records[0]!.timestamp)).toBe(true)
      }),
    )
  })

  it('proves no damaged batch that the reader would refuse', () => {
    const damage = fc.record({ at: fc.nat(), value: fc.nat(255) })
    let proved = 0
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 4 }),
        fc.array(damage, { maxLength: 3 }),
        (records, damages) => {
          const bytes = built(records)
          for (const { at, value } of damages) {
            const position = batch.BATCH_HEADER_BYTES + (at % (bytes.length - batch.BATCH_HEADER_BYTES))
            bytes[position] = value
          }
          const skimmed = skimRecords(bytes)
          if (skimmed === undefined) return
          proved++
          expect(skimmed).toEqual(read(bytes))
        },
      ),
      { numRuns: 3_000 },
    )
    expect(proved).toBeGreaterThan(100)
  })
})
