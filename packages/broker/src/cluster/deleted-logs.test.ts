// What is left of the log of a deleted topic: a whole broker in the simulated world, on LMDB logs.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Address, Link } from '@odradek/shared/actor/actor'
import { type SimulatedWorld, simulate } from '@odradek/shared/actor/simulated-host'
import { ZERO_TOPIC_ID } from '@odradek/shared/base/brands'
import { type BrokerContract, brokerContract } from '@odradek/shared/contracts/broker.contract'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lmdbLogStore } from '../log/lmdb-log-store.ts'
import { openGate } from '../log/partition-log.ts'
import { brokerModule } from './modules.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-deleted-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const logsOf = (topic: string) => readdirSync(dir).filter(name => name.startsWith(`${topic}-`))

/** A broker with these topics, each of two partitions. */
function startBroker(world: SimulatedWorld, ...names: readonly string[]) {
  const storage = { kind: 'lmdb', dir } as const
  const topics = names.map(name => ({ name, partitions: 2 }))
  const input = { nodeId: 1, clusterId: 'c', rack: null, storage, staticConfigs: {}, topics }
  return world.spawn(brokerModule, input, { name: 'broker' })
}

/** Starts the leaders of a topic: its logs are there then. */
async function lead(link: Link<BrokerContract>, topic: string): Promise<Address[]> {
  const partitions = [0, 1].map(partition => ({ topic, partition }))
  const { leaders } = await link.ask('leaders', { partitions })
  expect(logsOf(topic)).toHaveLength(2)
  return leaders.map(({ address }) => address!)
}

async function deleteTopic(link: Link<BrokerContract>, name: string): Promise<void> {
  const request = { topics: [{ name, topicId: ZERO_TOPIC_ID }], topicNames: [], timeoutMs: 1_000 }
  const { response } = await link.ask('request', { api: 'DeleteTopics', request })
  expect(response).toMatchObject({ responses: [{ errorCode: 0 }] })
}

/** A topic is made, its leaders started, `first` happens to one of them, and the topic is deleted: what the disk holds of it then. */
async function leftAfterDeletion(first: (world: SimulatedWorld, leader: Address) => void): Promise<string[]> {
  const world = simulate({ seed: 5 })
  let left: string[] = []
  await world.run(async () => {
    const broker = await startBroker(world, 'doomed')
    const link = world.link(brokerContract, broker.address)
    const [leader] = await lead(link, 'doomed')
    first(world, leader!)
    await deleteTopic(link, 'doomed')
    await new Promise<void>(resolve => void world.clock.after(10_000, resolve))
    left = logsOf('doomed')
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

test('the log of a deleted topic goes at the next start, when the process died before it was removed; the logs of others stay', async () => {
  const dying = simulate({ seed: 5 })
  await dying.run(async () => {
    const broker = await startBroker(dying, 'doomed', 'kept')
    const link = dying.link(brokerContract, broker.address)
    await lead(link, 'kept')
    // Leaders that do nothing more: what they are told to remove stays.
    for (const { lane } of await lead(link, 'doomed')) dying.pause(lane, 1e9)
    await deleteTopic(link, 'doomed')
  })
  // Nothing of that world runs any more.
  expect(logsOf('doomed')).toHaveLength(2)
  await restart()
  expect([logsOf('doomed'), logsOf('kept')]).toEqual([[], expect.objectContaining({ length: 2 })])
})

test('the log of a topic that the cluster never had is left alone, and named', async () => {
  const stranger = { topic: 'stranger', topicId: 'AbCdEfGhIjKlMnOpQrStUv', partition: 3 }
  const store = lmdbLogStore(dir, { gate: openGate })
  store.open(stranger).log.close({ clean: true })
  store.close()
  const warned = await restart()
  expect(logsOf('stranger')).toHaveLength(1)
  expect(warned).toEqual([expect.objectContaining(stranger)])
})

/** A broker starts on what the disk holds, and ends in order; what it warned of. */
async function restart(): Promise<object[]> {
  const warned: object[] = []
  const log = ({ level, fields }: { readonly level: string; readonly fields: object }) => {
    if (level === 'warn') warned.push(fields)
  }
  const world = simulate({ seed: 6, log })
  await world.run(async () => (await startBroker(world, 'kept')).close())
  return warned
}
