// What a transaction of a pipeline holds, when it is due, and what an error means for it.
import { describe, expect, test } from 'vitest'
import { addOutputs, advanced, isDue, offsetsOf, rewindsOf, verdictOn } from './pipeline.rules.ts'

const at = (partition: number, from: number, next: number) => ({ topic: 't', partition, from, next, leaderEpoch: 0 })

describe('positions of a transaction', () => {
  const positions = [at(0, 5, 7), at(1, 0, 3), at(0, 7, 9)].reduce(advanced, new Map())

  test('it commits the offset after the last record of each partition', () => {
    expect(offsetsOf(positions)).toEqual([
      { topic: 't', partition: 0, offset: 9, leaderEpoch: 0 },
      { topic: 't', partition: 1, offset: 3, leaderEpoch: 0 },
    ])
  })

  test('undone, reading goes back to its first record of each partition that is still ours', () => {
    expect(
      rewindsOf(positions, [
        { topic: 't', partition: 0 },
        { topic: 'u', partition: 1 },
      ]),
    ).toEqual([at(0, 5, 9)])
  })
})

test.each([
  [10, 0, true],
  [9, 0, false],
  [1, 100, true],
  [1, 99, false],
])('%i records after %i ms are due: %s', (records, ms, due) => {
  expect(isDue({ records: 10, ms: 100 }, { records, beganMs: 1_000 }, 1_000 + ms)).toBe(due)
})

test.each([
  [{ code: 'ODK_TRANSACTION_ABORTABLE', fatal: false }, 'abort'],
  [{ code: 'ODK_TIMEOUT', fatal: false }, 'abort'],
  [{ code: 'ODK_SENDER_DIED', fatal: false }, 'recover'],
  [{ code: 'ODK_PRODUCER_FENCED', fatal: true }, 'fatal'],
  [{ code: 'ODK_TRANSACTION_TIMEOUT', fatal: true }, 'fatal'],
  [{ code: 'ODK_PRODUCER_CLOSED', fatal: false }, 'fatal'],
] as const)('%o means %s', (error, verdict) => {
  expect(verdictOn(error)).toBe(verdict)
})

test('a function may make nothing, one record, or several', () => {
  const outputs: string[] = []
  for (const made of [null, 'a', undefined, ['b', 'c'], []]) addOutputs(outputs, made)
  expect(outputs).toEqual(['a', 'b', 'c'])
})
