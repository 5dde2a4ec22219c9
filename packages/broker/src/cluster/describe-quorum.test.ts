// DescribeQuorum as `kafka-metadata-quorum` asks it: the quorum of one, and where the log of `__cluster_metadata` stands.
import { simulate } from '@odradek/shared/actor/simulated-host'
import type { ApiResponse } from '@odradek/shared/contracts/api-map'
import { brokerContract } from '@odradek/shared/contracts/broker.contract'
import { expect, test } from 'vitest'
import { brokerModule } from './modules.ts'

test('its only voter has all of the metadata log, which grows with what is decided', async () => {
  const world = simulate({ seed: 5 })
  await world.run(async () => {
    const storage = { kind: 'memory', store: 'quorum' } as const
    const input = { nodeId: 1, clusterId: 'c', rack: null, storage, staticConfigs: {}, topics: [] }
    const broker = await world.spawn(brokerModule, input, { name: 'broker' })
    const link = world.link(brokerContract, broker.address)
    const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
    const quorum = async () => {
      const { response } = await link.ask('request', { api: 'DescribeQuorum', request: { topics } })
      return (response as ApiResponse<'DescribeQuorum'>).topics[0]!.partitions[0]!
    }
    const before = await quorum()
    expect(before).toMatchObject({ errorCode: 0, leaderId: 1, leaderEpoch: 0 })
    expect(before.highWatermark).toBeGreaterThan(0)
    expect(before.currentVoters).toMatchObject([{ replicaId: 1, logEndOffset: before.highWatermark }])
    const create = { name: 'orders', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
    await link.ask('request', {
      api: 'CreateTopics',
      request: { topics: [create], timeoutMs: 1_000, validateOnly: false },
    })
    expect((await quorum()).highWatermark).toBe(before.highWatermark + 2)
    link.close()
    await broker.close()
  })
})
