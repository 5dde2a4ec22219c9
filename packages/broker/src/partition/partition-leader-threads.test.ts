// The same leader on a real thread with a real LMDB log, whose thread is ended in the middle of commits.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Link, Spawned } from '@odradek/shared/actor/actor'
import { type ActorSystem, createActorSystem } from '@odradek/shared/actor/actor-system'
import { isPortError } from '@odradek/shared/base/errors'
import { type PartitionLeaderContract, partitionLeader } from '@odradek/shared/contracts/partition-leader.contract'
import * as batch from '@odradek/shared/records/record-batch'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { leaderModule } from '../cluster/modules.ts'
import { sampleBatch } from './sample-batches.suite.ts'

let dir: string
let system: ActorSystem
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-leader-threads-'))
  system = createActorSystem({ threads: 1, seed: 1 })
})
afterEach(async () => {
  await system.close()
  rmSync(dir, { recursive: true, force: true })
})

/** Follows a leader through its incarnations. */
class Follower {
  #link: Link<PartitionLeaderContract>
  #waiting: (() => void)[] = []

  constructor(spawned: Spawned<PartitionLeaderContract>) {
    this.#link = system.link(partitionLeader, spawned.address)
    spawned.onChange(address => {
      if (address === null) return
      this.#link = system.link(partitionLeader, address)
      for (const resume of this.#waiting.splice(0)) resume()
    })
  }

  /** Asks until an incarnation answers. */
  async persist<T>(work: (link: Link<PartitionLeaderContract>) => Promise<T>): Promise<T> {
    for (;;) {
      const link = this.#link
      try {
        return await work(link)
      } catch (error) {
        if (!isPortError(error)) throw error
        if (link === this.#link) await new Promise<void>(resolve => this.#waiting.push(resolve))
      }
    }
  }
}

it('a leader whose thread is ended under load loses and doubles nothing', async () => {
  const input = {
    topic: 'orders',
    topicId: 'AbCdEfGhIjKlMnOpQrStUw',
    partition: 0,
    nodeId: 1,
    leaderEpoch: 1,
    configs: {},
    storage: { kind: 'lmdb', dir },
  } as const
  const spawned = await system.spawn(leaderModule, input, { name: 'orders-0' })
  const follower = new Follower(spawned)
  const batches = 120
  const produce = async (producerId: number) => {
    for (let sequence = 0; sequence < batches; sequence++) {
      const shape = { producerId, producerEpoch: 0, baseSequence: sequence, valueBytes: 20_000, timestamp: sequence }
      const { errorCode } = await follower.persist(link =>
        link.ask('append', { records: sampleBatch(shape), acks: -1, origin: 'client', currentLeaderEpoch: -1 }),
      )
      expect(errorCode).toBe(0)
      if (producerId === 1 && sequence % 40 === 20) void system.killLane(spawned.address.lane)
    }
  }
  await Promise.all([produce(1), produce(2)])
  expect(spawned.address.incarnation).toBeGreaterThan(1)

  const stored: string[] = []
  for (let fetchOffset = 0; fetchOffset < 2 * batches; ) {
    const request = { currentLeaderEpoch: -1, lastFetchedEpoch: -1, partitionMaxBytes: 2 ** 20, isolationLevel: 0 }
    const { records } = await follower.persist(link =>
      link.ask('fetch', { ...request, fetchOffset, minBytes: 1, maxWaitMs: 0 }),
    )
    for (const at of batch.batchPositions(records)) {
      expect(batch.computeBatchCrc(records, at)).toBe(batch.batchCrc(records, at))
      stored.push(`${batch.producerId(records, at)}/${batch.baseSequence(records, at)}`)
      fetchOffset = batch.nextOffset(records, at)
    }
  }
  for (const producer of [1, 2]) {
    const theirs = stored.filter(name => name.startsWith(`${producer}/`))
    expect(theirs).toEqual(Array.from({ length: batches }, (_, sequence) => `${producer}/${sequence}`))
  }
})
