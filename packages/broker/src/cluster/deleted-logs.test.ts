// What is left of the log of a deleted topic: a whole broker in the simulated world, on LMDB logs.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Address } from '@odradek/shared/actor/actor'
import { type SimulatedWorld, simulate } from '@odradek/shared/actor/simulated-host'
import { ZERO_TOPIC_ID } from '@odradek/shared/base/brands'
import { brokerContract } from '@odradek/shared/contracts/broker.contract'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { brokerModule } from './modules.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-deleted-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** A topic is made, its leader started, `first` happens to it, and the topic is deleted: what the disk holds of it then. */
async function leftAfterDeletion(first: (world: SimulatedWorld, leader: Address) => void): Promise<string[]> {
  const logs = () => readdirSync(dir).filter(name => name.startsWith('doomed-'))
  const world = simulate({ seed: 5 })
  let left: string[] = []
  await world.run(async () => {
    const storage = { kind: 'lmdb', dir } as const
    const topics = [{ name: 'doomed', partitions: 1 }]
    const input = { nodeId: 1, clusterId: 'c', rack: null, storage, staticConfigs: {}, topics }
    const broker = await world.spawn(brokerModule, input, { name: 'broker' })
    const link = world.link(brokerContract, broker.address)
    const { leaders } = await link.ask('leaders', { partitions: [{ topic: 'doomed', partition: 0 }] })
    expect(logs()).toHaveLength(1)
    first(world, leaders[0]!.address!)
    const request = { topics: [{ name: 'doomed', topicId: ZERO_TOPIC_ID }], topicNames: [], timeoutMs: 1_000 }
    const { response } = await link.ask('request', { api: 'DeleteTopics', request })
    expect(response).toMatchObject({ responses: [{ errorCode: 0 }] })
    await new Promise<void>(resolve => void world.clock.after(10_000, resolve))
    left = logs()
    link.close()
    await broker.close()
  })
  return left
}

test('the log goes with its topic', async () => {
  expect(await leftAfterDeletion(() => {})).toEqual([])
})

test('the log goes with its topic, also when its leader has just died', async () => {
  expect(await leftAfterDeletion((world, leader) => world.kill(leader))).toEqual([])
})
