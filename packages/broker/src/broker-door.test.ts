// The door over a whole broker in the simulated world: real broker actor, cluster coordinator and leaders, memory logs, virtual time.
import { simulate } from '@odradek/shared/actor/simulated-host'
import { limits } from '@odradek/shared/base/limits'
import type { LinkHost } from '@odradek/shared/client/cluster-link'
import { answer, type Caller, closeDoor, type Door, openDoor } from '@odradek/shared/client/port/door'
import type { ApiName, ApiRequest, ApiResponse } from '@odradek/shared/contracts/api-map'
import { errors } from '@odradek/shared/protocol/error-codes'
import { BatchBuilder } from '@odradek/shared/records/batch-builder'
import { sealBatch } from '@odradek/shared/records/batch-sealing'
import { batchPositions, recordCount } from '@odradek/shared/records/record-batch'
import { describe, expect, test } from 'vitest'
import { brokerModule } from './cluster/modules.ts'

const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

class House {
  readonly world = simulate({ seed: 7 })
  broker!: Parameters<typeof openDoor>[1]
  door!: Door
  caller: Caller = { deadlineMs: 10_000, apiVersion: 32_767, clientId: 'test', clientHost: '/in-process' }

  /** Runs `story` in a world with a broker; closes it all the same. */
  static async tell(story: (house: House) => Promise<void>): Promise<void> {
    const house = new House()
    const { world } = house
    await world.run(async () => {
      const storage = { kind: 'memory', store: 'disk' } as const
      const input = {
        nodeId: 1,
        clusterId: 'c',
        rack: null,
        storage,
        staticConfigs: { 'num.partitions': '2' },
        topics: [],
      }
      const broker = await world.spawn(brokerModule, input, { name: 'broker' })
      const log = { debug() {}, info() {}, warn() {}, error() {} }
      const host: LinkHost = {
        clock: world.clock,
        random: world.random,
        log,
        limits,
        link: (contract, address) => world.link(contract, address),
      }
      house.broker = broker.address
      house.door = openDoor(host, house.broker)
      await story(house)
      closeDoor(house.door)
      await broker.close()
    })
  }

  ask<A extends ApiName>(api: A, request: ApiRequest<A>, caller: Partial<Caller> = {}): Promise<ApiResponse<A>> {
    return answer(this.door, api, request, { ...this.caller, ...caller })
  }

  metadata(...names: string[]) {
    const topics = names.map(name => ({ name, topicId: ZERO_UUID }))
    return this.ask('Metadata', {
      topics,
      allowAutoTopicCreation: true,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
  }

  async produce(topic: string, partition: number, ...values: string[]) {
    const request = {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1_000,
      topicData: [{ name: topic, topicId: ZERO_UUID, partitionData: [{ index: partition, records: batchOf(values) }] }],
    }
    return (await this.ask('Produce', request)).responses[0]!.partitionResponses[0]!
  }

  fetch(
    topic: string | { id: string },
    offsets: readonly number[],
    options: { minBytes?: number; maxWaitMs?: number; maxBytes?: number } = {},
    caller: Partial<Caller> = {},
  ) {
    const { minBytes = 1, maxWaitMs = 0, maxBytes = 1_000_000 } = options
    const partitions = offsets.map((fetchOffset, partition) => ({
      partition,
      currentLeaderEpoch: -1,
      fetchOffset,
      lastFetchedEpoch: -1,
      logStartOffset: -1,
      partitionMaxBytes: 1_000_000,
      replicaDirectoryId: ZERO_UUID,
      highWatermark: -1,
    }))
    const topics = [
      typeof topic === 'string'
        ? { topic, topicId: ZERO_UUID, partitions }
        : { topic: '', topicId: topic.id, partitions },
    ]
    const session = { sessionId: 0, sessionEpoch: -1, forgottenTopicsData: [], rackId: '' }
    const request = {
      clusterId: null,
      replicaId: -1,
      replicaState: { replicaId: -1, replicaEpoch: -1 },
      maxWaitMs,
      minBytes,
      maxBytes,
      isolationLevel: 0,
      topics,
      ...session,
    }
    return this.ask('Fetch', request, caller)
  }

  async laneOf(name: string): Promise<number> {
    return (await this.world.actors()).find(({ address }) => address.name === name)!.address.lane
  }

  async kill(name: string): Promise<void> {
    const listed = (await this.world.actors()).find(({ address }) => address.name === name)
    this.world.kill(listed!.address)
  }
}

function batchOf(values: readonly string[]): Uint8Array {
  const builder = new BatchBuilder({ writeLimit: 1_000_000 })
  for (const value of values) builder.tryAppend(1, null, Buffer.from(value))
  return sealBatch(builder.close())
}

/** Records per partition of a fetch reply. */
function counts(response: ApiResponse<'Fetch'>): number[] {
  return response.responses.flatMap(({ partitions }) =>
    partitions.map(({ records }) =>
      [...batchPositions(records!)].reduce((sum, at) => sum + recordCount(records!, at), 0),
    ),
  )
}

describe('the door', () => {
  test('Metadata waits for a topic that it creates, and knows its leaders', () =>
    House.tell(async house => {
      const { topics, brokers, controllerId } = await house.metadata('orders')
      expect(topics[0]).toMatchObject({ name: 'orders', errorCode: 0 })
      expect(topics[0]!.partitions.map(({ leaderId, errorCode }) => [leaderId, errorCode])).toEqual([
        [1, 0],
        [1, 0],
      ])
      expect(brokers.map(({ nodeId }) => nodeId)).toEqual([1])
      expect(controllerId).toBe(1)
    }))

  test('an unknown topic is UNKNOWN_TOPIC_OR_PARTITION by name and UNKNOWN_TOPIC_ID by id', () =>
    House.tell(async house => {
      expect((await house.produce('nowhere', 0, 'x')).errorCode).toBe(errors.UNKNOWN_TOPIC_OR_PARTITION.code)
      const byId = await house.fetch({ id: 'BBBBBBBBBBBBBBBBBBBBBA' }, [0])
      expect(byId.responses[0]!.partitions[0]!.errorCode).toBe(errors.UNKNOWN_TOPIC_ID.code)
    }))

  test('the leader of an only partition starts near who needs it first, those of several are spread', () =>
    House.tell(async house => {
      const topics = ['first', 'near', 'later'].map(name => ({
        name,
        numPartitions: 1,
        replicationFactor: 1,
        assignments: [],
        configs: [],
      }))
      await house.ask('CreateTopics', { topics, timeoutMs: 1_000, validateOnly: false })
      await house.metadata('spread')
      await house.produce('first', 0, 'x')
      const lane = await house.laneOf('first-0')
      const door = house.door
      house.door = openDoor(door.host, house.broker, lane)
      await house.produce('near', 0, 'x')
      await house.produce('spread', 0, 'x')
      await house.produce('spread', 1, 'x')
      closeDoor(house.door)
      house.door = door
      await house.produce('later', 0, 'x')
      expect(await house.laneOf('near-0')).toBe(lane)
      for (const name of ['spread-0', 'spread-1', 'later-0']) expect(await house.laneOf(name)).not.toBe(lane)
    }))

  test('a fetch over partitions waits for minBytes over all of them, and no longer than maxWaitMs', () =>
    House.tell(async house => {
      await house.metadata('orders')
      const before = house.world.elapsedMs
      expect(counts(await house.fetch('orders', [0, 0], { maxWaitMs: 500 }))).toEqual([0, 0])
      expect(house.world.elapsedMs - before).toBeGreaterThanOrEqual(500)
      const waiting = house.fetch('orders', [0, 0], { maxWaitMs: 60_000, minBytes: 150 })
      await house.produce('orders', 1, 'one')
      const started = house.world.elapsedMs
      await house.produce('orders', 0, 'two', 'three')
      expect(counts(await waiting)).toEqual([2, 1])
      expect(house.world.elapsedMs - started).toBeLessThan(60_000)
    }))

  test('what arrives between the first read and the wait wakes a fetch', () =>
    House.tell(async house => {
      await house.metadata('orders')
      for (let round = 0; round < 20; round++) {
        const [fetched] = await Promise.all([
          house.fetch('orders', [round, 0], { maxWaitMs: 30_000 }),
          house.produce('orders', 0, `v${round}`),
        ])
        expect(counts(fetched)).toEqual([1, 0])
      }
      expect(house.world.elapsedMs).toBeLessThan(20_000)
    }))

  test('maxBytes bounds the whole reply, but the first batch always comes', () =>
    House.tell(async house => {
      await house.metadata('orders')
      for (const partition of [0, 1]) await house.produce('orders', partition, 'x'.repeat(2_000))
      expect(counts(await house.fetch('orders', [0, 0], { maxBytes: 10 }))).toEqual([1, 0])
      expect(counts(await house.fetch('orders', [0, 0], { maxBytes: 5_000 }))).toEqual([1, 1])
    }))

  test('a parked fetch whose leader dies is NOT_LEADER_OR_FOLLOWER, and the next one finds it again', () =>
    House.tell(async house => {
      await house.metadata('orders')
      await house.produce('orders', 0, 'kept')
      const parked = house.fetch('orders', [1], { maxWaitMs: 60_000 })
      await house.fetch('orders', [0])
      await house.kill('orders-0')
      expect((await parked).responses[0]!.partitions[0]!.errorCode).toBe(errors.NOT_LEADER_OR_FOLLOWER.code)
      for (;;) {
        const again = await house.fetch('orders', [0])
        if (again.responses[0]!.partitions[0]!.errorCode === 0) return expect(counts(again)).toEqual([1])
      }
    }))

  test('when the broker itself dies, the door finds the next one and nothing is lost', () =>
    House.tell(async house => {
      await house.metadata('orders')
      await house.produce('orders', 1, 'kept')
      await house.kill('broker')
      for (;;) {
        const again = await house.fetch('orders', [0, 0]).catch(() => null)
        if (again !== null && again.responses[0]!.partitions.every(({ errorCode }) => errorCode === 0))
          return expect(counts(again)).toEqual([0, 1])
      }
    }))

  test('a deleted topic is gone for those who knew it, and its name is free again', () =>
    House.tell(async house => {
      await house.metadata('orders')
      await house.produce('orders', 0, 'old')
      const parked = house.fetch('orders', [1], { maxWaitMs: 60_000 })
      const deleted = await house.ask('DeleteTopics', {
        topics: [{ name: 'orders', topicId: ZERO_UUID }],
        topicNames: [],
        timeoutMs: 1_000,
      })
      expect(deleted.responses[0]!.errorCode).toBe(0)
      expect([errors.NOT_LEADER_OR_FOLLOWER.code, errors.UNKNOWN_TOPIC_OR_PARTITION.code]).toContain(
        (await parked).responses[0]!.partitions[0]!.errorCode,
      )
      expect((await house.produce('orders', 0, 'lost')).errorCode).toBe(errors.UNKNOWN_TOPIC_OR_PARTITION.code)
      await house.metadata('orders')
      expect(counts(await house.fetch('orders', [0, 0]))).toEqual([0, 0])
    }))

  test('a fetch by topic id is answered by that id', () =>
    House.tell(async house => {
      const { topics } = await house.metadata('orders')
      await house.produce('orders', 0, 'x')
      const fetched = await house.fetch({ id: topics[0]!.topicId }, [0])
      expect(fetched.responses[0]!.topicId).toBe(topics[0]!.topicId)
      expect(counts(fetched)).toEqual([1])
    }))

  test('a caller that goes away is not waited for', () =>
    House.tell(async house => {
      await house.metadata('orders')
      const going = new AbortController()
      const parked = house.fetch('orders', [0, 0], { maxWaitMs: 600_000 }, { signal: going.signal })
      await house.fetch('orders', [0])
      going.abort()
      await parked
      expect(house.world.elapsedMs).toBeLessThan(600_000)
    }))

  test('an unknown key type has no coordinator', () =>
    House.tell(async house => {
      const { coordinators } = await house.ask('FindCoordinator', { key: '', keyType: 7, coordinatorKeys: ['k'] })
      expect(coordinators[0]).toMatchObject({ key: 'k', nodeId: -1, errorCode: errors.INVALID_REQUEST.code })
    }))

  test('a running group keeps to its own configs from the next heartbeat on, also after the broker died', () =>
    House.tell(async house => {
      let memberEpoch = 0
      const beat = async (): Promise<number> => {
        const response = await house.ask('ConsumerGroupHeartbeat', {
          groupId: 'g',
          memberId: 'AAAAAAAAAAAAAAAAAAAAAA',
          memberEpoch,
          instanceId: null,
          rackId: null,
          rebalanceTimeoutMs: 60_000,
          subscribedTopicNames: ['orders'],
          subscribedTopicRegex: null,
          serverAssignor: null,
          topicPartitions: [],
        })
        if (response.errorCode === errors.NOT_COORDINATOR.code) return beat()
        expect(response.errorCode).toBe(0)
        memberEpoch = response.memberEpoch
        return response.heartbeatIntervalMs
      }
      const configure = async (configOperation: number, value: string | null) => {
        const configs = [{ name: 'consumer.heartbeat.interval.ms', configOperation, value }]
        const resources = [{ resourceType: 32, resourceName: 'g', configs }]
        const { responses } = await house.ask('IncrementalAlterConfigs', { validateOnly: false, resources })
        expect(responses).toMatchObject([{ errorCode: 0 }])
      }
      expect(await beat()).toBe(5_000)
      await configure(0, '7000')
      expect(await beat()).toBe(7_000)
      await house.kill('broker')
      expect(await beat()).toBe(7_000)
      await configure(1, null)
      expect(await beat()).toBe(5_000)
    }))

  test('producer ids are handed out once, also after the broker died', () =>
    House.tell(async house => {
      const init = () =>
        house.ask('InitProducerId', {
          transactionalId: null,
          transactionTimeoutMs: 0,
          producerId: -1,
          producerEpoch: -1,
          enable2Pc: false,
          keepPreparedTxn: false,
        })
      const first = [(await init()).producerId, (await init()).producerId]
      await house.kill('broker')
      for (;;) {
        const again = await init().catch(() => null)
        if (again) return expect(new Set([...first, again.producerId]).size).toBe(3)
      }
    }))

  test.each(['__consumer_offsets', '__transaction_state'])(
    'clients neither write to %s nor delete its records: coordinators replay what is there',
    topic =>
      House.tell(async house => {
        await house.metadata(topic)
        expect((await house.produce(topic, 0, 'x')).errorCode).toBe(errors.INVALID_TOPIC_EXCEPTION.code)
        const topics = [{ name: topic, partitions: [{ partitionIndex: 0, offset: -1 }] }]
        const deleted = await house.ask('DeleteRecords', { topics, timeoutMs: 1_000 })
        expect(deleted.topics[0]!.partitions).toEqual([
          { partitionIndex: 0, lowWatermark: -1, errorCode: errors.INVALID_TOPIC_EXCEPTION.code },
        ])
      }),
  )

  test('log directories tell the sizes of what runs', () =>
    House.tell(async house => {
      await house.metadata('orders')
      await house.produce('orders', 0, 'x'.repeat(500))
      const { results } = await house.ask('DescribeLogDirs', { topics: [{ topic: 'orders', partitions: [0, 1] }] })
      expect(results[0]!.topics[0]!.partitions.map(({ partitionSize }) => partitionSize > 500)).toEqual([true, false])
    }))
})
