// What a send of several records remembers of where each went, against a list with one entry per record.
import { KafkaError } from '@odradek/shared/base/errors'
import { BatchBuilder } from '@odradek/shared/records/batch-builder'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Acknowledgements, PartialSendError, SendGroup } from './acknowledgement.ts'
import { RecordBatchInProgress } from './batch-in-progress.ts'

const SENT_AT = 1_000

function batchOf(partition: number): RecordBatchInProgress {
  return new RecordBatchInProgress({ topic: 'orders', partition }, -1, 0, new BatchBuilder({ writeLimit: 1_024 }))
}

/** One of the group's records goes to the batch. */
function place(group: SendGroup, batch: RecordBatchInProgress, timestamp = SENT_AT): void {
  batch.recordCount++
  group.place(batch, timestamp)
}

function deliver(batch: RecordBatchInProgress, baseOffset: number): void {
  batch.ended([{ recordCount: batch.recordCount, baseOffset, logAppendTimeMs: -1, error: null }], () => {})
}

/** What a record meets: one of three batches, maybe behind records of others, maybe with a time of its own. */
const steps = fc.array(
  fc.record({ partition: fc.nat(2), others: fc.constantFrom(0, 0, 0, 1, 3), timestamp: fc.constantFrom(SENT_AT, 7) }),
  { minLength: 1, maxLength: 60 },
)

describe('records that were sent in one call', () => {
  it('are each acknowledged with the partition, offset and time that they got, however they were spread', () => {
    fc.assert(
      fc.property(steps, records => {
        const outcomes: (Acknowledgements | KafkaError)[] = []
        const group = new SendGroup(records.length, SENT_AT, outcome => outcomes.push(outcome))
        const batches = [batchOf(0), batchOf(1), batchOf(2)]
        const expected = records.map(({ partition, others, timestamp }) => {
          const batch = batches[partition]!
          batch.recordCount += others
          place(group, batch, timestamp)
          return { topic: 'orders', partition, offset: BigInt(100 * partition + batch.recordCount - 1), timestamp }
        })
        group.sealed()
        for (const batch of batches) deliver(batch, 100 * batch.partition)
        expect(outcomes).toHaveLength(1)
        expect((outcomes[0] as Acknowledgements).toArray()).toEqual(expected)
      }),
    )
  })

  it('of which some failed say of each whether it did', () => {
    const outcomes: (Acknowledgements | KafkaError)[] = []
    const group = new SendGroup(4, SENT_AT, outcome => outcomes.push(outcome))
    const [good, bad] = [batchOf(0), batchOf(1)]
    for (const batch of [good, bad, bad]) place(group, batch)
    group.sealed(new KafkaError('ODK_RECORD_TOO_LARGE', 'the fourth is too large'))
    deliver(good, 5)
    const error = { code: 'ODK_DELIVERY_TIMEOUT', message: 'too late' }
    bad.ended([{ recordCount: 2, baseOffset: -1, logAppendTimeMs: -1, error }], () => {})
    const [outcome] = outcomes
    expect(outcome).toBeInstanceOf(PartialSendError)
    const results = (outcome as PartialSendError).results
    expect(results.map(result => (result instanceof KafkaError ? result.code : result.offset))).toEqual([
      5n,
      'ODK_DELIVERY_TIMEOUT',
      'ODK_DELIVERY_TIMEOUT',
      'ODK_RECORD_TOO_LARGE',
    ])
  })
})
