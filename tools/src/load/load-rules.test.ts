// The load tool's rules: pacing, thresholds, sequences, the record's layout.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { loadDecoder, loadEncoder } from './load-record.records.ts'
import { checksOf, transactionsOf } from './load-result.rules.ts'
import { dueRecords, intendedMs, isAborted, measuredFromMs, shareOf } from './pacing.rules.ts'
import { SequenceCheck } from './sequence-check.rules.ts'
import { judge, readThreshold } from './thresholds.rules.ts'

function figures(sequences: readonly number[]) {
  const check = new SequenceCheck()
  for (const sequence of sequences) check.take(sequence)
  return check.figures
}

test('numbers in order, each once, are neither duplicated nor disordered', () => {
  expect(figures([0, 1, 2, 3])).toEqual({ received: 4, duplicated: 0, disordered: 0 })
})

test('a number that comes again is duplicated, one after a later one is disordered, one that never comes is not received', () => {
  expect(figures([0, 1, 1, 2])).toEqual({ received: 3, duplicated: 1, disordered: 0 })
  expect(figures([0, 2, 1, 3])).toEqual({ received: 4, duplicated: 0, disordered: 1 })
  expect(figures([0, 5, 6])).toEqual({ received: 3, duplicated: 0, disordered: 0 })
  expect(figures([0, 5, 2, 2, 3])).toEqual({ received: 4, duplicated: 1, disordered: 2 })
})

test('any history: received are the different numbers, duplicated the rest', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 40 }), sequences => {
      const different = new Set(sequences).size
      const { received, duplicated } = figures(sequences)
      expect(received).toBe(different)
      expect(duplicated).toBe(sequences.length - different)
    }),
  )
})

test('with a rate, records have their time whatever the client does; without, the time is now', () => {
  const pace = { startMs: 1_000, rate: 100 }
  expect(intendedMs(pace, 0, 5_000)).toBe(1_000)
  expect(intendedMs(pace, 250, 5_000)).toBe(3_500)
  expect(intendedMs({ startMs: 1_000, rate: null }, 250, 5_000)).toBe(5_000)
})

test('a record is due from its intended time on', () => {
  const pace = { startMs: 1_000, rate: 100 }
  expect(dueRecords(pace, 999)).toBe(0)
  expect(dueRecords(pace, 1_000)).toBe(1)
  expect(dueRecords(pace, 1_009)).toBe(1)
  expect(dueRecords(pace, 1_010)).toBe(2)
  expect(dueRecords({ startMs: 1_000, rate: null }, 1_000)).toBe(Number.POSITIVE_INFINITY)
})

test('a client that comes late to a rate is measured from when it should have begun, one without a rate from when it did', () => {
  const pace = { startMs: 1_000, rate: 100 }
  expect(measuredFromMs(pace, 1_000, { sentMs: 1_400, measureMs: 1_000 })).toBe(1_000)
  expect(measuredFromMs(pace, 1_000, { sentMs: 1_400, measureMs: 1_300 })).toBe(1_300)
  expect(measuredFromMs({ ...pace, rate: null }, 1_400, { sentMs: 1_400, measureMs: 1_000 })).toBe(1_400)
})

test('shares differ by at most one and add up', () => {
  expect([0, 1, 2].map(worker => shareOf(10, 3, worker))).toEqual([4, 3, 3])
})

test('the share of transactions that is aborted is met, evenly', () => {
  const aborted = (share: number) => Array.from({ length: 8 }, (_, index) => Number(isAborted(index, share))).join('')
  expect([0, 0.25, 0.5, 1].map(aborted)).toEqual(['00000000', '00010001', '01010101', '11111111'])
})

test('transactions are added up over clients, per second of the time that they took together', () => {
  const client = (worker: number, fromMs: number, toMs: number, committed: number) => ({
    role: 'produce' as const,
    worker,
    records: committed * 10,
    fromMs,
    toMs,
    acknowledged: committed * 10,
    failed: 0,
    failure: null,
    check: null,
    transactions: { committed, aborted: 1, records: committed * 10 },
    busyMs: 0,
  })
  expect(transactionsOf([client(0, 1_000, 2_500, 10), client(1, 1_500, 3_000, 28)])).toEqual({
    committed: 38,
    aborted: 2,
    records: 380,
    perSecond: 20,
    recordsPerTransaction: 10,
  })
  expect(transactionsOf([{ ...client(0, 1, 2, 1), transactions: null }])).toBeNull()
})

test('what a reader saw of aborted transactions is in the checks', () => {
  const check = { received: 9, duplicated: 0, disordered: 0, aborted: 2 }
  const reader = { role: 'consume' as const, worker: 0, records: 9, fromMs: 0, toMs: 1, acknowledged: 0, failed: 0 }
  const client = { ...reader, failure: null, check, transactions: null, busyMs: 0 }
  expect(checksOf([client])).toEqual({ lost: 0, duplicated: 0, disordered: 0, aborted: 2 })
})

test('thresholds are read with units and judged by the number they name', () => {
  const result = { totals: { recordsPerSecond: 2_000_000 }, latencyMs: { publish: { p99: 12 } }, checks: { lost: 0 } }
  expect(judge(readThreshold('publish.p99<50ms'), result)).toEqual({
    threshold: 'publish.p99<50ms',
    value: 12,
    holds: true,
  })
  expect(judge(readThreshold('publish.p99 < 0.01s'), result).holds).toBe(false)
  expect(judge(readThreshold('recordsPerSecond>=2M'), result).holds).toBe(true)
  expect(judge(readThreshold('lost<=0'), result).holds).toBe(true)
  const transactions = { transactions: { perSecond: 900 }, latencyMs: { commit: { p99: 3 } } }
  expect(judge(readThreshold('transactionsPerSecond>1k'), transactions)).toMatchObject({ value: 900, holds: false })
  expect(judge(readThreshold('commit.p99<=3ms'), transactions).holds).toBe(true)
})

test('a threshold over a number that was not measured is broken', () => {
  expect(judge(readThreshold('e2e.max<1s'), { latencyMs: {} })).toEqual({
    threshold: 'e2e.max<1s',
    value: null,
    holds: false,
  })
})

test('what is no threshold says what is right', () => {
  expect(() => readThreshold('publish.p99')).toThrow("write 'publish.p99<50ms'")
  expect(() => readThreshold('publish.p98<5ms')).toThrow('publish.p98 is not measured; there are')
})

test('a record is read as it was written, and records of other runs are told apart', () => {
  const encoder = loadEncoder({ size: 100, payload: 'text', runId: 77 }, 3, () => 0.5)
  const bytes = encoder.encode({ partition: 9, sequence: 2 ** 40, intended: 1_700_000_000_000.25 })
  expect(bytes.length).toBe(100)
  const seen: number[][] = []
  const visit = (...numbers: number[]) => seen.push(numbers)
  expect(loadDecoder(77, visit).decode(bytes)).toBe(true)
  expect(seen).toEqual([[3, 9, 2 ** 40, 1_700_000_000_000.25]])
  expect(loadDecoder(78, visit).decode(bytes)).toBe(false)
  expect(loadDecoder(77, visit).decode(bytes.subarray(0, 10))).toBe(false)
  expect(seen).toHaveLength(1)
})
