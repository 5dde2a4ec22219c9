// A fetch of several partitions at a door, with leaders that do as they are told under a clock that the test moves.
import { expect, test } from 'vitest'
import type { Advanced, FetchRequest as Asked, FetchResponse } from '../../contracts/partition-leader.contract.ts'
import type { FetchRequest } from '../../protocol/messages/01-fetch.ts'
import { HandClock, settled } from '../wire/scripted-broker.suite.ts'
import type { Caller, Door } from './door.ts'
import { fetch } from './fetch.ts'
import type { PartitionRef } from './leader-directory.ts'

/** A leader with one byte per record; it counts how often it is asked. */
class LeaderDouble {
  readonly waiters = new Set<(advanced: Advanced) => void>()
  asked = 0
  end = 0
  stable = 0
  readonly topic = 't'
  readonly link = {
    isClosed: false,
    tell: () => true,
    ask: async (_name: string, { fetchOffset, isolationLevel, partitionMaxBytes }: Asked): Promise<FetchResponse> => {
      this.asked++
      const to = isolationLevel === 1 ? this.stable : this.end
      return {
        errorCode: 0,
        highWatermark: this.end,
        lastStableOffset: this.stable,
        logStartOffset: 0,
        abortedTransactions: null,
        records: new Uint8Array(Math.max(0, Math.min(to - fetchOffset, partitionMaxBytes))),
      }
    },
  }

  append(records: number, { decided = true } = {}): void {
    this.end += records
    if (decided) this.stable = this.end
    this.#tell(records)
  }

  decide(): void {
    const bytes = this.end - this.stable
    this.stable = this.end
    this.#tell(bytes)
  }

  #tell(bytes: number): void {
    for (const waiter of this.waiters) waiter({ highWatermark: this.end, lastStableOffset: this.stable, bytes })
  }
}

class Scene {
  readonly clock = new HandClock()
  readonly leaders = [new LeaderDouble(), new LeaderDouble(), new LeaderDouble()]
  readonly #door = {
    host: { clock: this.clock },
    leaders: { known: ({ partition }: PartitionRef) => this.leaders[partition], find: async () => undefined },
  } as unknown as Door

  /** Fetches all partitions from their beginning; the result has the records' bytes by partition once there is a reply. */
  fetch({ minBytes = 1, maxWaitMs = 500, maxBytes = 1_000, isolationLevel = 0 } = {}) {
    const partitions = this.leaders.map((_, partition) => ({
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: 0,
      lastFetchedEpoch: -1,
      logStartOffset: -1,
      partitionMaxBytes: 100,
    }))
    const request = { minBytes, maxWaitMs, maxBytes, isolationLevel, topics: [{ topic: 't', topicId: '', partitions }] }
    const reply: { bytes: number[] | undefined } = { bytes: undefined }
    void fetch(this.#door, request as unknown as FetchRequest, { deadlineMs: 1_000 } as Caller).then(response => {
      reply.bytes = response.responses[0]!.partitions.map(({ records }) => records!.byteLength)
    })
    return reply
  }

  get asked(): readonly number[] {
    return this.leaders.map(({ asked }) => asked)
  }
}

test('a fetch of several partitions that waits is woken by one of them, and asks that one alone again', async () => {
  const scene = new Scene()
  const reply = scene.fetch()
  await settled()
  expect([reply.bytes, scene.asked]).toEqual([undefined, [1, 1, 1]])
  scene.leaders[1]!.append(5)
  await settled()
  expect([reply.bytes, scene.asked]).toEqual([
    [0, 5, 0],
    [1, 2, 1],
  ])
})

test('when the wait is over nobody is asked again but those with less than was wanted', async () => {
  const scene = new Scene()
  const [idle, little] = [scene.fetch(), scene.fetch({ minBytes: 10 })]
  await settled()
  await scene.clock.advance(499)
  expect([idle.bytes, little.bytes, scene.asked]).toEqual([undefined, undefined, [2, 2, 2]])
  await scene.clock.advance(1)
  expect([idle.bytes, little.bytes, scene.asked]).toEqual([
    [0, 0, 0],
    [0, 0, 0],
    [2, 2, 2],
  ])
  const later = scene.fetch({ minBytes: 10 })
  await settled()
  scene.leaders[0]!.append(4)
  await scene.clock.advance(500)
  expect([later.bytes, scene.asked]).toEqual([
    [4, 0, 0],
    [4, 3, 3],
  ])
})

test('minBytes is counted over all partitions, with what was read before the wait', async () => {
  const scene = new Scene()
  scene.leaders[2]!.append(6)
  const reply = scene.fetch({ minBytes: 10 })
  await settled()
  scene.leaders[0]!.append(2)
  await settled()
  expect([reply.bytes, scene.asked]).toEqual([undefined, [1, 1, 1]])
  scene.leaders[1]!.append(2)
  await settled()
  expect([reply.bytes, scene.asked]).toEqual([
    [2, 2, 6],
    [2, 2, 1],
  ])
})

test('what was read before the wait counts against maxBytes', async () => {
  const scene = new Scene()
  scene.leaders[2]!.append(6)
  const reply = scene.fetch({ minBytes: 8, maxBytes: 9 })
  await settled()
  scene.leaders[0]!.append(50)
  await settled()
  expect(reply.bytes).toEqual([3, 0, 6])
})

test('records that are not decided wake no reader of what is committed', async () => {
  const scene = new Scene()
  const reply = scene.fetch({ isolationLevel: 1 })
  await settled()
  scene.leaders[0]!.append(5, { decided: false })
  await settled()
  expect([reply.bytes, scene.asked]).toEqual([undefined, [1, 1, 1]])
  scene.leaders[0]!.decide()
  await settled()
  expect([reply.bytes, scene.asked]).toEqual([
    [5, 0, 0],
    [2, 1, 1],
  ])
})

test('news of what the first look showed already wakes nobody', async () => {
  const scene = new Scene()
  const reply = scene.fetch({ minBytes: 6 })
  // The leaders are watched by now, but not yet asked.
  scene.leaders[0]!.append(5)
  await settled()
  expect([reply.bytes, scene.asked]).toEqual([undefined, [1, 1, 1]])
  scene.leaders[0]!.append(5)
  await settled()
  expect([reply.bytes, scene.asked]).toEqual([
    [10, 0, 0],
    [2, 1, 1],
  ])
})

test('a leader that ended while it was watched is asked again when the wait is over', async () => {
  const scene = new Scene()
  const reply = scene.fetch()
  await settled()
  const successor = new LeaderDouble()
  successor.append(7)
  scene.leaders[1]!.link.isClosed = true
  const ended = scene.leaders.splice(1, 1, successor)[0]!
  await scene.clock.advance(500)
  expect([reply.bytes, ended.asked, successor.asked]).toEqual([[0, 7, 0], 1, 1])
})
