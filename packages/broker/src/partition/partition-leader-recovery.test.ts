// Leaders that die in the middle of their work, on both kinds of log: nothing acknowledged is lost, nothing is doubled, and what was
// open or decided stays so. Each seed is a different interleaving.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { simulate } from '@odradek/shared/actor/simulated-host'
import { isPortError } from '@odradek/shared/base/errors'
import type { PartitionLeaderInput } from '@odradek/shared/contracts/partition-leader.contract'
import { BatchBuilder } from '@odradek/shared/records/batch-builder'
import * as batch from '@odradek/shared/records/record-batch'
import { readRecords } from '@odradek/shared/records/record-reader'
import { afterEach, describe, expect, it } from 'vitest'
import { LeaderUnderTest, START_MS, startLeader } from './partition-leader.suite.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const storages: { [kind: string]: () => PartitionLeaderInput['storage'] } = {
  memory: () => ({ kind: 'memory', store: 'test' }),
  lmdb: () => {
    const dir = mkdtempSync(join(tmpdir(), 'odradek-leader-'))
    folders.push(dir)
    return { kind: 'lmdb', dir }
  },
}

/** Follows a leader through its incarnations. */
class Follower {
  leader: LeaderUnderTest
  readonly #changed: (() => void)[] = []

  constructor(leader: LeaderUnderTest) {
    this.leader = leader
    leader.spawned.onChange(address => {
      if (address === null) return
      this.leader = new LeaderUnderTest(leader.world, leader.spawned)
      for (const resume of this.#changed.splice(0)) resume()
    })
  }

  /** Asks until an incarnation answers. */
  async persist<T>(work: (leader: LeaderUnderTest) => Promise<T>): Promise<T> {
    for (;;) {
      const asked = this.leader
      try {
        return await work(asked)
      } catch (error) {
        if (!isPortError(error)) throw error
        if (asked === this.leader) await new Promise<void>(resolve => this.#changed.push(resolve))
      }
    }
  }
}

/** A batch of one record whose value says who wrote it as which. */
function signed(producerId: number, baseSequence: number): Uint8Array {
  const builder = new BatchBuilder({ writeLimit: 1_000 })
  builder.tryAppend(START_MS, null, Buffer.from(`${producerId}/${baseSequence}`))
  return builder.build({ producerId, producerEpoch: 0, baseSequence, transactional: false })
}

async function valuesOf(leader: LeaderUnderTest): Promise<string[]> {
  const values: string[] = []
  for (let offset = 0; ; ) {
    const { records } = await leader.fetch(offset)
    if (records.length === 0) return values
    for (const at of batch.batchPositions(records)) {
      for (const record of readRecords(records, at, 10_000)) {
        expect(record.offset).toBe(values.length)
        values.push(Buffer.from(record.value!).toString())
      }
      offset = batch.nextOffset(records, at)
    }
  }
}

async function deadlyRun(seed: number, storage: PartitionLeaderInput['storage'], kills: number): Promise<void> {
  const world = simulate({ seed })
  await world.run(async () => {
    const leader = await startLeader(world, { storage })
    const follower = new Follower(leader)
    const acknowledged: { value: string; offset: number }[] = []
    const produce = async (producerId: number) => {
      for (let sequence = 0; sequence < 30; sequence++) {
        const [error, offset] = await follower.persist(now => now.append(signed(producerId, sequence)))
        expect(error).toBe('NONE')
        acknowledged.push({ value: `${producerId}/${sequence}`, offset })
      }
    }
    const strike = async () => {
      for (let n = 0; n < kills; n++) {
        await leader.pass(1 + world.random.int(6))
        world.kill(leader.spawned)
      }
    }
    await Promise.all([produce(1), produce(2), produce(3), strike()])
    const values = await follower.persist(valuesOf)
    expect(values).toHaveLength(90)
    for (const { value, offset } of acknowledged) expect(values[offset]).toBe(value)
    for (const producer of [1, 2, 3]) {
      const sequences = values.filter(value => value.startsWith(`${producer}/`)).map(value => Number(value.slice(2)))
      expect(sequences).toEqual(Array.from({ length: 30 }, (_, n) => n))
    }
    expect((await leader.describe())?.address.incarnation).toBeGreaterThan(1)
  })
  await world.close()
}

describe.each(Object.keys(storages))('leaders that die under load, on a log in %s', kind => {
  const seeds = Array.from({ length: kind === 'memory' ? 25 : 5 }, (_, n) => n + 1)
  it.each(seeds)('lose and double nothing (seed %i)', seed => deadlyRun(seed, storages[kind]!(), 6))

  it('remove their log for good when they are told to', async () => {
    const world = simulate({ seed: 8 })
    const storage = storages[kind]!()
    await world.run(async () => {
      const leader = await startLeader(world, { storage })
      await leader.append({ records: 3 })
      expect(await leader.link.ask('destroy', {})).toEqual({ errorCode: 0 })
      await leader.spawned.close()
      const fresh = await startLeader(world, { storage })
      expect(await fresh.describeLog()).toMatchObject({ logStartOffset: 0, logEndOffset: 0 })
      expect(await fresh.append()).toEqual(['NONE', 0])
    })
    await world.close()
  })

  it('know their transactions again', async () => {
    const world = simulate({ seed: 7 })
    const storage = storages[kind]!()
    await world.run(async () => {
      const leader = await startLeader(world, { storage })
      await leader.begin({ producerId: 1, baseSequence: 0 })
      await leader.begin({ producerId: 2, baseSequence: 0 })
      await leader.marker(2, false)
      const again = await leader.restarted()
      expect(await again.describeLog()).toMatchObject({ highWatermark: 3, lastStableOffset: 0 })
      await again.marker(1, true)
      const { abortedTransactions } = await again.fetch(0, { isolationLevel: 1 })
      expect(abortedTransactions).toEqual([{ producerId: 2, firstOffset: 1 }])
      await again.spawned.close()
      const clean = await startLeader(world, { storage })
      expect(await clean.describeLog()).toMatchObject({ highWatermark: 4, lastStableOffset: 4, leaderEpoch: 3 })
    })
    await world.close()
  })
})
