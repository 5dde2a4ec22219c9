// Paying markers: until every partition has its own, past leaders that move, and not to topics that are gone.
import { type ErrorName, errors } from '@odradek/shared/protocol/error-codes'
import { describe, expect, it } from 'vitest'
import { markersAnswered } from './marker-replies.rules.ts'

type Codes = { readonly [partition: number]: ErrorName }

function reply(codes: Codes) {
  const partitions = Object.entries(codes).map(([partition, name]) => ({
    partitionIndex: Number(partition),
    errorCode: errors[name].code,
  }))
  return { markers: [{ producerId: 1, topics: [{ name: 'orders', partitions }] }] }
}

const answered = (codes: Codes, exists = () => true) => markersAnswered(reply(codes), exists)

describe('a leader that answers a marker', () => {
  it('with success is owed nothing more; the others are sent theirs again', () => {
    const { owed } = answered({
      0: 'NONE',
      1: 'NOT_LEADER_OR_FOLLOWER',
      2: 'REQUEST_TIMED_OUT',
      3: 'KAFKA_STORAGE_ERROR',
    })
    expect(owed).toEqual([{ topic: 'orders', partitions: [1, 2, 3] }])
  })

  it('with an unknown partition is owed it only while the partition exists', () => {
    expect(answered({ 0: 'UNKNOWN_TOPIC_OR_PARTITION' }, () => true).owed).toHaveLength(1)
    expect(answered({ 0: 'UNKNOWN_TOPIC_OR_PARTITION' }, () => false).owed).toEqual([])
  })

  it('with a later epoch has had the marker: the producer could not go on before', () => {
    expect(answered({ 0: 'INVALID_PRODUCER_EPOCH' })).toEqual({ owed: [], notable: [47] })
  })

  it('with a later coordinator has had its end from there, as when an administrator aborts by hand', () => {
    expect(answered({ 0: 'NONE', 1: 'TRANSACTION_COORDINATOR_FENCED' })).toEqual({ owed: [], notable: [52] })
  })
})
