// A fetch of several partitions at a door, with leaders that do as they are told under a clock that the test moves.
import { expect, test } from 'vitest'
import type { Advanced, FetchRequest as Asked, FetchResponse } from '../../contracts/partition-leader.contract.ts'
import type { FetchRequest } from '../../protocol/messages/01-fetch.ts'
import type { LinkHost } from '../cluster-link.ts'
import { HandClock, settled } from '../wire/scripted-broker.suite.ts'
import type { BrokerLine } from './broker-line.ts'
import type { Caller, Door } from './door.ts'
import { fetch } from './fetch.ts'
import { LeaderDirectory, type PartitionRef } from './leader-directory.ts'

/** A leader with one byte per record; it counts how often it is asked, and tells its news while it is watched. */
class LeaderDouble {
  asked = 0
  end = 0
  stable = 0
  isWatched = false
  isSlow = false
  /** Sends no more at once, as one whose batches fit no better. */
  sentMax = Number.POSITIVE_INFINITY
  /** Answers that are held back. */
  readonly held: (() => void)[] = []
  #news: (advanced: Advanced) => void = () => undefined
  readonly link = {
    isClosed: false,
    on: (_name: string, listener: (advanced: Advanced) => void) => {
      this.#news = listener
    },
    tell: (name: string) => {
      this.isWatched = name === 'watch'
      return true
    },
    ask: async (_name: string, { fetchOffset, isolationLevel, partitionMaxBytes }: Asked): Promise<FetchResponse> => {
      this.asked++
      const to = isolationLevel === 1 ? this.stable : this.end
      const there = Math.max(0, to - fetchOffset)
      const response = {
        errorCode: 0,
        highWatermark: this.end,
        lastStableOffset: this.stable,
        logStartOffset: 0,
        abortedTransactions: null,
        records: new Uint8Array(Math.min(there, partitionMaxBytes, this.sentMax)),
        more: there > Math.min(partitionMaxBytes, this.sentMax),
      }
      if (this.isSlow) await new Promise<void>(resolve => this.held.push(resolve))
      return response
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
    if (this.isWatched) this.#news({ highWatermark: this.end, lastStableOffset: this.stable, bytes })
  }
}

const LEADER_EPOCH = 3

class Scene {
  readonly clock = new HandClock()
  readonly leaders = [new LeaderDouble(), new LeaderDouble(), new LeaderDouble()]
  readonly #door: Door

  constructor() {
    const link = (_contract: unknown, { actor }: { actor: number }) => this.leaders[actor]!.link
    const leaders = async (_name: string, { partitions }: { partitions: PartitionRef[] }) => ({
      leaders: partitions.map(({ partition }) => ({
        topic: 't',
        topicId: 'id',
        partition,
        leaderEpoch: LEADER_EPOCH,
        address: { actor: partition, incarnation: 1 },
      })),
    })
    const host = { clock: this.clock, link } as unknown as LinkHost
    const line = { onOpen: () => undefined, link: { ask: leaders } } as unknown as BrokerLine
    this.#door = { host, leaders: new LeaderDirectory(host, line) } as unknown as Door
  }

  /** Fetches all partitions from their beginning; the result has the records' bytes by partition once there is a reply. */
  fetch({
    minBytes = 1,
    maxWaitMs = 500,
    maxBytes = 1_000,
    isolationLevel = 0,
    from = [0, 0, 0],
    epoch = -1,
    partitions: asked = [0, 1, 2],
  } = {}) {
    const partitions = asked.map(partition => ({
      partition,
      currentLeaderEpoch: epoch,
      fetchOffset: from[partition]!,
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

test('minBytes counts what is there, as far as the client takes it, also where it was left for the next fetch', async () => {
  const scene = new Scene()
  scene.leaders[1]!.append(500)
  scene.leaders[1]!.sentMax = 60
  const replies = [90, 100].map(minBytes => scene.fetch({ minBytes }))
  await settled()
  expect(replies.map(({ bytes }) => bytes)).toEqual([
    [0, 60, 0],
    [0, 60, 0],
  ])
  const tooMuch = scene.fetch({ minBytes: 101 })
  await settled()
  expect(tooMuch.bytes).toBeUndefined()
  scene.leaders[0]!.append(1)
  await settled()
  expect(tooMuch.bytes).toEqual([1, 60, 0])
})

test('minBytes counts what did not fit into the response', async () => {
  const scene = new Scene()
  for (const leader of scene.leaders) leader.append(100)
  const reply = scene.fetch({ minBytes: 300, maxBytes: 150 })
  await settled()
  expect(reply.bytes).toEqual([100, 0, 50])
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

test('a leader that was asked a moment ago is not asked again while it has nothing to read', async () => {
  const scene = new Scene()
  const first = scene.fetch()
  await settled()
  scene.leaders[1]!.append(5)
  await settled()
  const second = scene.fetch({ from: [0, 5, 0] })
  await settled()
  expect([first.bytes, second.bytes, scene.asked]).toEqual([[0, 5, 0], undefined, [1, 2, 1]])
  scene.leaders[0]!.append(2)
  await settled()
  expect([second.bytes, scene.asked]).toEqual([
    [2, 0, 0],
    [2, 2, 1],
  ])
})

test('who asks for offsets with records is answered by the leader, also when it told of them', async () => {
  const scene = new Scene()
  const first = scene.fetch({ minBytes: 100 })
  await settled()
  scene.leaders[0]!.append(3)
  const second = scene.fetch()
  await settled()
  expect([first.bytes, second.bytes, scene.asked]).toEqual([undefined, [3, 0, 0], [2, 1, 1]])
})

test('an offset beyond the end, another leader epoch, and an answer older than half a second are for the leader to judge', async () => {
  const scene = new Scene()
  scene.fetch()
  await settled()
  scene.fetch({ from: [1, 0, 0] })
  await settled()
  expect(scene.asked).toEqual([2, 1, 1])
  scene.fetch({ epoch: LEADER_EPOCH })
  await settled()
  expect(scene.asked).toEqual([2, 1, 1])
  scene.fetch({ epoch: LEADER_EPOCH - 1 })
  await settled()
  expect(scene.asked).toEqual([3, 2, 2])
  await scene.clock.advance(500)
  scene.fetch()
  await settled()
  expect(scene.asked).toEqual([4, 3, 3])
})

test('news that nobody waits for end the watch, and with it what was known', async () => {
  const scene = new Scene()
  scene.fetch({ maxWaitMs: 10 })
  await scene.clock.advance(10)
  expect(scene.leaders.map(({ isWatched }) => isWatched)).toEqual([true, true, true])
  scene.leaders[2]!.append(1)
  expect(scene.leaders.map(({ isWatched }) => isWatched)).toEqual([true, true, false])
  scene.leaders[2]!.append(1)
  const reply = scene.fetch({ from: [0, 0, 2], maxWaitMs: 10 })
  await scene.clock.advance(10)
  expect([reply.bytes, scene.asked]).toEqual([
    [0, 0, 0],
    [1, 1, 2],
  ])
})

test('an answer that was asked for under an earlier watch says nothing of what came between the two', async () => {
  const scene = new Scene()
  const slow = scene.leaders[0]!
  scene.fetch({ maxWaitMs: 10 })
  await scene.clock.advance(10)
  slow.isSlow = true
  scene.fetch({ partitions: [0] })
  await settled()
  // The first ends the watch; the second is told to nobody.
  slow.append(1)
  slow.append(1)
  scene.fetch({ from: [2, 0, 0] })
  await settled()
  slow.isSlow = false
  slow.held.shift()!()
  await settled()
  const reply = scene.fetch()
  await settled()
  expect(reply.bytes).toEqual([2, 0, 0])
})
