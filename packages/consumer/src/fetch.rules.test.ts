import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type FetchBudget, partitionMaxBytes, planFetches } from './fetch-plan.rules.ts'
import { NO_SESSION, nextRequest, type SessionPartition, sessionAnswered } from './fetch-session.rules.ts'
import { isolationFilter } from './isolation.rules.ts'

const budget: FetchBudget = {
  partitions: 5,
  prefetchBytesMax: 1_000,
  prefetchRecordsMax: 100,
  bufferedRecords: 0,
  maxPartitionFetchBytes: 400,
  fetchBytesMin: 50,
}
const candidate = (key: number, endpointId = 'a', bufferedBytes = 0) => ({ key, endpointId, bufferedBytes })

describe('the fetch plan', () => {
  it('asks each endpoint once, for its partitions in fair order', () => {
    const plan = planFetches([candidate(2, 'b'), candidate(1, 'a'), candidate(3, 'b')], budget)
    expect(plan).toEqual([
      { endpointId: 'b', keys: [2, 3] },
      { endpointId: 'a', keys: [1] },
    ])
  })

  it('leaves out what has its share', () => {
    const candidates = [candidate(4, 'a', 200), candidate(5, 'a', 199)]
    expect(planFetches(candidates, budget)).toEqual([{ endpointId: 'a', keys: [5] }])
  })

  it('fetches nothing ahead once the records are at their bound, but starves nobody', () => {
    const full = { ...budget, bufferedRecords: 100 }
    expect(planFetches([candidate(1, 'a', 10), candidate(2, 'b', 0)], full)).toEqual([{ endpointId: 'b', keys: [2] }])
  })

  it('divides the bound equally, within the limits of one partition', () => {
    const shareOf = (partitions: number) => partitionMaxBytes({ ...budget, partitions })
    expect([1, 4, 1_000].map(shareOf)).toEqual([400, 250, 50])
  })
})

describe('a fetch session', () => {
  const at = (key: number, fetchOffset: number): SessionPartition => ({
    key,
    topic: 't',
    topicId: 'id',
    partition: key,
    fetchOffset,
    currentLeaderEpoch: 0,
    lastFetchedEpoch: -1,
    partitionMaxBytes: 100,
  })

  it('begins with everything, then names what changed and what is no longer wanted', () => {
    const first = nextRequest(NO_SESSION, [at(1, 0), at(2, 0)])
    expect([first.sessionId, first.epoch, first.toSend.length, first.toForget]).toEqual([0, 0, 2, []])
    const session = sessionAnswered(first.session, 0, 77)
    const second = nextRequest(session, [at(1, 5), at(3, 0)])
    expect([second.sessionId, second.epoch]).toEqual([77, 1])
    expect(second.toSend.map(({ key }) => key)).toEqual([1, 3])
    expect(second.toForget.map(({ key }) => key)).toEqual([2])
  })

  it('forgets what it does not fetch for a moment, and asks for it again', () => {
    const session = sessionAnswered(nextRequest(NO_SESSION, [at(1, 0), at(2, 0)]).session, 0, 5)
    const without = nextRequest(session, [at(1, 0)])
    expect([without.toSend, without.toForget.map(({ key }) => key)]).toEqual([[], [2]])
    const again = nextRequest(sessionAnswered(without.session, 0, 5), [at(1, 0), at(2, 0)])
    expect(again.toSend.map(({ key }) => key)).toEqual([2])
  })

  it('ends when the broker does not know it, and is full again after another error', () => {
    const session = sessionAnswered(nextRequest(NO_SESSION, [at(1, 0)]).session, 0, 5)
    expect(sessionAnswered(session, 70, 0)).toEqual(NO_SESSION)
    expect(sessionAnswered(session, 71, 0)).toMatchObject({ sessionId: 5, epoch: 0 })
    expect(sessionAnswered(session, 0, 0)).toEqual(NO_SESSION)
  })

  it('wraps its epoch to 1', () => {
    const session = { sessionId: 5, epoch: 2 ** 31 - 1, partitions: new Map() }
    expect(sessionAnswered(session, 0, 5).epoch).toBe(1)
  })

  it('asks again for a partition that went and came back under another key, and does not forget it', () => {
    const session = sessionAnswered(nextRequest(NO_SESSION, [at(1, 0)]).session, 0, 5)
    const again = nextRequest(session, [{ ...at(1, 0), key: 9 }])
    expect([again.toSend.map(({ key }) => key), again.toForget]).toEqual([[9], []])
  })

  it('leaves the broker with exactly what is wanted, whatever was asked before and under which keys', () => {
    const partition = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.nat(3), fc.nat(2))
    const wanted = fc.uniqueArray(partition, { selector: ([number]) => number })
    fc.assert(
      fc.property(fc.array(wanted, { minLength: 1, maxLength: 8 }), rounds => {
        const broker = new Map<number, number>()
        let session = NO_SESSION
        for (const round of rounds) {
          const asked = round.map(([number, offset, life]) => ({ ...at(number, offset), key: number * 10 + life }))
          const request = nextRequest(session, asked)
          if (request.epoch === 0) broker.clear()
          // Kafka's FetchSession.update: adds and changes first, then forgets.
          for (const sent of request.toSend) broker.set(sent.partition, sent.fetchOffset)
          for (const forgotten of request.toForget) broker.delete(forgotten.partition)
          expect([...broker].sort()).toEqual(asked.map(one => [one.partition, one.fetchOffset]).sort())
          session = sessionAnswered(request.session, 0, 9)
        }
      }),
    )
  })
})

describe('isolation', () => {
  const data = (producerId: number, lastOffset: number, isTransactional = true) => ({
    producerId,
    lastOffset,
    isTransactional,
    isControl: false,
    isAbortMarker: false,
  })
  const marker = (producerId: number, lastOffset: number, isAbortMarker: boolean) => ({
    ...data(producerId, lastOffset),
    isControl: true,
    isAbortMarker,
  })

  it('shows all data and no markers to read_uncommitted', () => {
    const filter = isolationFilter(0, [{ producerId: 1, firstOffset: 0 }])
    expect(filter.shows(data(1, 0))).toBe(true)
    expect(filter.shows(marker(1, 1, true))).toBe(false)
  })

  it('hides an aborted transaction from its first offset to its marker, and only its producer', () => {
    const filter = isolationFilter(1, [{ producerId: 1, firstOffset: 10 }])
    const shown = [
      data(1, 9),
      data(1, 12),
      data(2, 13),
      data(1, 14, false),
      marker(2, 15, false),
      data(1, 16),
      marker(1, 17, true),
      data(1, 18),
    ].map(batch => filter.shows(batch))
    expect(shown).toEqual([true, false, true, true, false, false, false, true])
  })

  it('hides two aborted transactions of one producer, in whatever order they are listed', () => {
    const filter = isolationFilter(1, [
      { producerId: 1, firstOffset: 20 },
      { producerId: 1, firstOffset: 0 },
    ])
    const shown = [data(1, 5), marker(1, 6, true), data(1, 10), data(1, 25)].map(batch => filter.shows(batch))
    expect(shown).toEqual([false, false, true, false])
  })
})
