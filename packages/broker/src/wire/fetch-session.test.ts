// Fetch sessions (KIP-227): by example, and against a model that keeps everything.
import type { FetchRequest, FetchResponse } from '@odradek/shared/protocol/messages/01-fetch'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FetchSessions } from './fetch-session.rules.ts'
import { fetch, NO_TOPIC_ID } from './sample-requests.suite.ts'

const NO_BYTES = new Uint8Array(0)
type PartitionResponse = FetchResponse['responses'][number]['partitions'][number]

interface Log {
  readonly highWatermark: number
  readonly bytes?: number
  readonly errorCode?: number
}

function partitionResponse(
  partitionIndex: number,
  { highWatermark, bytes = 0, errorCode = 0 }: Log,
): PartitionResponse {
  return {
    partitionIndex,
    errorCode,
    highWatermark,
    lastStableOffset: highWatermark,
    logStartOffset: 0,
    divergingEpoch: { epoch: -1, endOffset: -1 },
    currentLeader: { leaderId: -1, leaderEpoch: -1 },
    snapshotId: { endOffset: -1, epoch: -1 },
    abortedTransactions: null,
    preferredReadReplica: -1,
    records: bytes > 0 ? new Uint8Array(bytes) : NO_BYTES,
  }
}

/** Answers what the session says must be fetched, from the given logs. */
function answered(topics: FetchRequest['topics'], logs: readonly Log[]): FetchResponse {
  const responses = topics.map(({ topic, topicId, partitions }) => ({
    topic,
    topicId,
    partitions: partitions.map(({ partition }) => partitionResponse(partition, logs[partition]!)),
  }))
  return { throttleTimeMs: 0, errorCode: 0, sessionId: 0, responses, nodeEndpoints: [] }
}

const partitionsOf = ({ responses }: FetchResponse) =>
  responses.flatMap(({ partitions }) => partitions.map(({ partitionIndex }) => partitionIndex))

class World {
  readonly sessions: FetchSessions
  now = 0

  constructor(max = 10, partitionsMax?: number) {
    this.sessions = new FetchSessions(max, partitionsMax)
  }

  /** One exchange; the error code when it was refused. */
  exchange(request: Partial<FetchRequest> & Pick<FetchRequest, 'sessionId' | 'sessionEpoch'>, logs: readonly Log[]) {
    const step = this.sessions.step({ ...fetch('t', 0), topics: [], ...request }, this.now, () => 0.5)
    if (step.kind === 'refused') return { refused: step.errorCode }
    const response = step.shape(answered(step.topics, logs))
    const fetched = step.topics.flatMap(({ partitions }) => partitions.map(({ partition }) => partition))
    return { sessionId: response.sessionId, told: partitionsOf(response), fetched }
  }

  begin(partitions: readonly number[], logs: readonly Log[]): number {
    const { topics } = fetch('t', 0, { partitions })
    return this.exchange({ sessionId: 0, sessionEpoch: 0, topics }, logs).sessionId!
  }
}

describe('a fetch session', () => {
  const still = [{ highWatermark: 5 }, { highWatermark: 7 }, { highWatermark: 9 }]

  test('answers all partitions first, and afterwards only those with news', () => {
    const world = new World()
    const sessionId = world.begin([0, 1, 2], still)
    expect(sessionId).toBeGreaterThan(0)
    expect(world.exchange({ sessionId, sessionEpoch: 1 }, still)).toMatchObject({ fetched: [0, 1, 2], told: [] })
    const moved = [still[0]!, { highWatermark: 8 }, still[2]!]
    expect(world.exchange({ sessionId, sessionEpoch: 2 }, moved).told).toEqual([1])
    expect(world.exchange({ sessionId, sessionEpoch: 3 }, moved).told).toEqual([])
  })

  test('puts partitions that had data last, so that none starves', () => {
    const world = new World()
    const sessionId = world.begin([0, 1, 2], still)
    const busy = [{ highWatermark: 5, bytes: 10 }, still[1]!, still[2]!]
    expect(world.exchange({ sessionId, sessionEpoch: 1 }, busy)).toMatchObject({ fetched: [0, 1, 2], told: [0] })
    expect(world.exchange({ sessionId, sessionEpoch: 2 }, still).fetched).toEqual([1, 2, 0])
  })

  test('puts partitions that had data last although they are asked by id and answered with the name too', () => {
    const sessions = new FetchSessions(10)
    const topics = fetch('', 0, { partitions: [0, 1] }).topics.map(topic => ({
      ...topic,
      topic: '',
      topicId: 'AAAAAAAAAAAAAAAAAAAAZQ',
    }))
    const exchange = (request: Pick<FetchRequest, 'sessionId' | 'sessionEpoch' | 'topics'>, logs: readonly Log[]) => {
      const step = sessions.step({ ...fetch('', 0), ...request }, 0, () => 0.5)
      if (step.kind === 'refused') throw new Error(`refused with ${step.errorCode}`)
      const response = answered(step.topics, logs)
      const named = response.responses.map(answer => ({ ...answer, topic: 't' }))
      const { sessionId } = step.shape({ ...response, responses: named })
      return {
        sessionId,
        fetched: step.topics.flatMap(({ partitions }) => partitions.map(({ partition }) => partition)),
      }
    }
    const busy = [{ highWatermark: 5, bytes: 10 }, still[1]!]
    const { sessionId } = exchange({ sessionId: 0, sessionEpoch: 0, topics }, busy)
    expect(exchange({ sessionId, sessionEpoch: 1, topics: [] }, busy).fetched).toEqual([0, 1])
    expect(exchange({ sessionId, sessionEpoch: 2, topics: [] }, busy).fetched).toEqual([1, 0])
  })

  test('takes in partitions that are added or asked anew, and lets forgotten ones go', () => {
    const world = new World()
    const sessionId = world.begin([0, 1], still)
    const forgottenTopicsData = [{ topic: 't', topicId: NO_TOPIC_ID, partitions: [0] }]
    const { topics } = fetch('t', 3, { partitions: [2] })
    expect(world.exchange({ sessionId, sessionEpoch: 1, topics, forgottenTopicsData }, still)).toMatchObject({
      fetched: [1, 2],
      told: [2],
    })
  })

  test('tells an error every time, and everything anew once it is over', () => {
    const world = new World()
    const sessionId = world.begin([0], still)
    const broken = [{ highWatermark: -1, errorCode: 100 }]
    expect(world.exchange({ sessionId, sessionEpoch: 1 }, broken).told).toEqual([0])
    expect(world.exchange({ sessionId, sessionEpoch: 2 }, broken).told).toEqual([0])
    expect(world.exchange({ sessionId, sessionEpoch: 3 }, still).told).toEqual([0])
    expect(world.exchange({ sessionId, sessionEpoch: 4 }, still).told).toEqual([])
  })

  test('is not given for more partitions than one may remember, and ends when it grows past them', () => {
    const world = new World(10, 2)
    expect(world.begin([0, 1, 2], still)).toBe(0)
    expect(world.sessions.size).toBe(0)
    const sessionId = world.begin([0, 1], still)
    const { topics } = fetch('t', 0, { partitions: [2] })
    expect(world.exchange({ sessionId, sessionEpoch: 1, topics }, still)).toEqual({ refused: 70 })
    expect(world.sessions.size).toBe(0)
  })

  test('an unknown session is FETCH_SESSION_ID_NOT_FOUND, another epoch than the next INVALID_FETCH_SESSION_EPOCH', () => {
    const world = new World()
    const sessionId = world.begin([0], still)
    expect(world.exchange({ sessionId: sessionId + 1, sessionEpoch: 1 }, still)).toEqual({ refused: 70 })
    expect(world.exchange({ sessionId, sessionEpoch: 2 }, still)).toEqual({ refused: 71 })
    expect(world.exchange({ sessionId, sessionEpoch: 1 }, still)).toMatchObject({ told: [] })
  })

  test('the final epoch ends it, a new initial epoch replaces it', () => {
    const world = new World()
    const first = world.begin([0], still)
    const { topics } = fetch('t', 0)
    expect(world.exchange({ sessionId: first, sessionEpoch: -1, topics }, still)).toMatchObject({
      sessionId: 0,
      told: [0],
    })
    expect(world.sessions.size).toBe(0)
    const second = world.begin([0], still)
    world.exchange({ sessionId: second, sessionEpoch: 0, topics }, still)
    expect(world.sessions.size).toBe(1)
  })

  test('when all slots are taken there is none, until one was idle for two minutes', () => {
    const world = new World(1)
    world.begin([0], still)
    expect(world.begin([0], still)).toBe(0)
    world.now += 120_000
    expect(world.begin([0], still)).toBeGreaterThan(0)
    expect([world.sessions.size, world.sessions.evicted]).toEqual([1, 1])
  })

  test('a client that keeps what it was told always knows the newest of every partition', () => {
    const step = fc.record({
      moved: fc.array(fc.record({ partition: fc.nat(3), by: fc.integer({ min: 1, max: 3 }) }), { maxLength: 3 }),
      add: fc.option(fc.nat(3)),
      forget: fc.option(fc.nat(3)),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), steps => {
        const world = new World()
        const logs = [0, 0, 0, 0].map(highWatermark => ({ highWatermark }))
        const asked = new Set([0, 1])
        const known = new Map<number, number>()
        const note = ({ told }: { told?: readonly number[] }) => {
          for (const partition of told ?? []) known.set(partition, logs[partition]!.highWatermark)
        }
        const { topics } = fetch('t', 0, { partitions: [0, 1] })
        const begun = world.exchange({ sessionId: 0, sessionEpoch: 0, topics }, logs)
        note(begun)
        for (const [index, { moved, add, forget }] of steps.entries()) {
          for (const { partition, by } of moved)
            logs[partition] = { highWatermark: logs[partition]!.highWatermark + by }
          const forgottenTopicsData =
            forget === null ? [] : [{ topic: 't', topicId: NO_TOPIC_ID, partitions: [forget] }]
          const added = add === null ? [] : fetch('t', 0, { partitions: [add] }).topics
          if (forget !== null) asked.delete(forget)
          if (add !== null) asked.add(add)
          const request = { sessionId: begun.sessionId!, sessionEpoch: index + 1, topics: added, forgottenTopicsData }
          const exchanged = world.exchange(request, logs)
          note(exchanged)
          expect(new Set(exchanged.fetched)).toEqual(asked)
          for (const partition of asked) expect(known.get(partition)).toBe(logs[partition]!.highWatermark)
        }
      }),
    )
  })
})
