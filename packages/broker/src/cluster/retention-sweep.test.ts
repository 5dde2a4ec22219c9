// Retention without leaders: a whole broker in the simulated world, on LMDB logs that earlier runs have left; nobody asks for their topics.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { simulate } from '@odradek/shared/actor/simulated-host'
import { brokerContract } from '@odradek/shared/contracts/broker.contract'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lmdbLogStore } from '../log/lmdb-log-store.ts'
import { config, stamped } from '../log/log-fixtures.suite.ts'
import { type LogIdentity, openGate, type PartitionLog } from '../log/partition-log.ts'
import { brokerModule } from './modules.ts'

const START_MS = Date.UTC(2024, 0, 1)
let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-sweep-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** One run of the broker on `dir` that lasts `ms` of virtual time; answers the id of its topic. */
async function runBroker(ms: number): Promise<string> {
  const world = simulate({ seed: 3, startMs: START_MS })
  let topicId = ''
  await world.run(async () => {
    const input = {
      nodeId: 1,
      clusterId: 'c',
      rack: null,
      storage: { kind: 'lmdb', dir } as const,
      staticConfigs: { 'log.retention.check.interval.ms': '5000' },
      topics: [{ name: 'idle', partitions: 3, configs: { 'retention.ms': '60000' } }],
    }
    const broker = await world.spawn(brokerModule, input, { name: 'broker' })
    await new Promise<void>(resolve => void world.clock.after(ms, resolve))
    const link = world.link(brokerContract, broker.address)
    const asked = { topics: null, allowAutoTopicCreation: false }
    const authorized = { includeClusterAuthorizedOperations: false, includeTopicAuthorizedOperations: false }
    topicId = (await link.ask('metadata', { ...asked, ...authorized })).topics[0]!.topicId
    link.close()
    await broker.close()
  })
  return topicId
}

/** Looks into a log while no broker runs. */
function withLog<T>(identity: LogIdentity, look: (log: PartitionLog) => T): T {
  const store = lmdbLogStore(dir, { gate: openGate })
  const { log } = store.open(identity)
  try {
    return look(log)
  } finally {
    log.close({ clean: true })
    store.close()
  }
}

test('logs of topics that nobody asks for lose what has outlived their configs, and nothing else is touched or made', async () => {
  const log0 = { topic: 'idle', topicId: await runBroker(1), partition: 0 }
  const fill = (log: PartitionLog, timestamp: number) => {
    for (let n = 0; n < 3; n++) {
      log.append({ batches: [stamped(log.logEndOffset, { timestamp, valueBytes: 100 })], now: timestamp }, config)
      log.roll(timestamp)
    }
  }
  withLog(log0, log => fill(log, START_MS - 50_000))
  withLog({ ...log0, partition: 1 }, log => fill(log, START_MS + 50_000))
  await runBroker(30_000)
  expect(withLog(log0, log => [log.logStartOffset, log.logEndOffset, log.segments().length])).toEqual([3, 3, 1])
  expect(withLog({ ...log0, partition: 1 }, log => [log.logStartOffset, log.logEndOffset])).toEqual([0, 3])
  const store = lmdbLogStore(dir, { gate: openGate })
  expect(store.has({ ...log0, partition: 2 })).toBe(false)
  store.close()
})
