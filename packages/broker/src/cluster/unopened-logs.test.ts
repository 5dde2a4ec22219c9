// A log that cannot be opened: a whole broker in the simulated world, on LMDB logs, and what its door answers.
import { mkdtempSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type SimulatedWorld, simulate } from '@odradek/shared/actor/simulated-host'
import { ZERO_TOPIC_ID } from '@odradek/shared/base/brands'
import { limits } from '@odradek/shared/base/limits'
import type { LinkHost } from '@odradek/shared/client/cluster-link'
import { answer, type Caller, closeDoor, type Door, openDoor } from '@odradek/shared/client/port/door'
import { errors } from '@odradek/shared/protocol/error-codes'
import { BatchBuilder } from '@odradek/shared/records/batch-builder'
import { sealBatch } from '@odradek/shared/records/batch-sealing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { brokerModule } from './modules.ts'

const STORAGE_ERROR = errors.KAFKA_STORAGE_ERROR.code
const UNKNOWN = errors.UNKNOWN_TOPIC_OR_PARTITION.code
const caller: Caller = { deadlineMs: 10_000, apiVersion: 32_767, clientId: 'test', clientHost: '/in-process' }

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-unopened-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** A broker with the topic `orders` of two partitions runs for a while; what its log was told of. */
async function run(story: (door: Door, world: SimulatedWorld) => Promise<void>): Promise<string[]> {
  const told: string[] = []
  const log = ({ level, message }: { readonly level: string; readonly message: string }) => {
    if (level === 'error') told.push(message)
  }
  const world = simulate({ seed: 5, log })
  await world.run(async () => {
    const storage = { kind: 'lmdb', dir } as const
    const topics = [{ name: 'orders', partitions: 2 }]
    const input = { nodeId: 1, clusterId: 'c', rack: null, storage, staticConfigs: {}, topics }
    const broker = await world.spawn(brokerModule, input, { name: 'broker' })
    const silent = { debug() {}, info() {}, warn() {}, error() {} }
    const { clock, random } = world
    const link: LinkHost['link'] = (contract, address) => world.link(contract, address)
    const door = openDoor({ clock, random, log: silent, limits, link }, broker.address)
    await story(door, world)
    closeDoor(door)
    await broker.close()
  })
  return told
}

async function produce(door: Door, index: number) {
  const builder = new BatchBuilder({ writeLimit: 1_000_000 })
  builder.tryAppend(1, null, Buffer.from('x'))
  const partitionData = [{ index, records: sealBatch(builder.close()) }]
  const topicData = [{ name: 'orders', topicId: ZERO_TOPIC_ID, partitionData }]
  const request = { transactionalId: null, acks: -1, timeoutMs: 1_000, topicData }
  const { responses } = await answer(door, 'Produce', request, caller)
  return responses[0]!.partitionResponses[0]!
}

async function earliest(door: Door, partitionIndex: number): Promise<number> {
  const partitions = [{ partitionIndex, currentLeaderEpoch: -1, timestamp: -2 }]
  const request = { replicaId: -1, isolationLevel: 0, topics: [{ name: 'orders', partitions }], timeoutMs: 1_000 }
  const { topics } = await answer(door, 'ListOffsets', request, caller)
  return topics[0]!.partitions[0]!.errorCode
}

/** AddPartitionsToTxn as a client of transaction version 1 asks it: the code of each partition. */
async function addToTransaction(door: Door, partitions: readonly number[]): Promise<number[]> {
  const transactionalId = 'mover'
  const begin = { transactionalId, transactionTimeoutMs: 10_000, producerId: -1, producerEpoch: -1 }
  const { producerId, producerEpoch } = await answer(
    door,
    'InitProducerId',
    { ...begin, enable2Pc: false, keepPreparedTxn: false },
    caller,
  )
  const topics = [{ name: 'orders', partitions: [...partitions] }]
  const request = {
    transactions: [{ transactionalId, producerId, producerEpoch, verifyOnly: false, topics }],
    v3AndBelowTransactionalId: '',
    v3AndBelowProducerId: 0,
    v3AndBelowProducerEpoch: 0,
    v3AndBelowTopics: [],
  }
  const { resultsByTransaction } = await answer(door, 'AddPartitionsToTxn', request, { ...caller, apiVersion: 3 })
  return resultsByTransaction[0]!.topicResults[0]!.resultsByPartition.map(
    ({ partitionErrorCode }) => partitionErrorCode,
  )
}

/** The file of the newest segment of orders-0. */
function fileOfFirst(): string {
  const log = join(dir, readdirSync(dir).find(name => name.startsWith('orders-0'))!)
  return join(
    log,
    readdirSync(log)
      .filter(name => /^\d+$/.test(name))
      .at(-1)!,
    'data.mdb',
  )
}

test('a partition whose log cannot be opened is KAFKA_STORAGE_ERROR, others are served, and the log is told once, with the folder', async () => {
  await run(async door => {
    expect(await produce(door, 0)).toMatchObject({ errorCode: 0 })
    expect(await produce(door, 1)).toMatchObject({ errorCode: 0 })
  })
  const file = fileOfFirst()
  truncateSync(file, 5_000)
  const told = await run(async door => {
    const refused = await produce(door, 0)
    expect(refused).toMatchObject({ errorCode: STORAGE_ERROR, baseOffset: -1 })
    expect(refused.errorMessage).toContain(join(file, '..'))
    expect(await earliest(door, 0)).toBe(STORAGE_ERROR)
    expect(await earliest(door, 2)).toBe(UNKNOWN)
    expect(await produce(door, 1)).toMatchObject({ errorCode: 0, baseOffset: 1 })
  })
  expect(told).toEqual(['partition leader did not start'])
})

test('a transaction that wants such a partition is refused at once: its markers could not be written', async () => {
  await run(async door => void (await produce(door, 0)))
  truncateSync(fileOfFirst(), 5_000)
  await run(async door => {
    const added = (...partitions: number[]) => addToTransaction(door, partitions)
    expect(await added(0, 1)).toEqual([STORAGE_ERROR, errors.OPERATION_NOT_ATTEMPTED.code])
    expect(await added(0, 7)).toEqual([errors.OPERATION_NOT_ATTEMPTED.code, UNKNOWN])
    expect(await added(1)).toEqual([0])
  })
})

test('what keeps a log from being opened is mended while the broker runs: it is opened then', async () => {
  await run(async door => void (await produce(door, 0)))
  const log = join(fileOfFirst(), '..', '..')
  const aside = join(dir, 'orders-aside')
  renameSync(log, aside)
  writeFileSync(log, '')
  await run(async door => {
    expect(await produce(door, 0)).toMatchObject({ errorCode: STORAGE_ERROR })
    rmSync(log)
    renameSync(aside, log)
    expect(await produce(door, 0)).toMatchObject({ errorCode: 0, baseOffset: 1 })
  })
})
