// What changes while a group coordinator's link to its broker is broken.
import { expect, test } from 'vitest'
import {
  type BrokerDouble,
  type GroupSimulation,
  inGroupWorld,
  PARTITIONS,
  TOPIC_ID,
} from './group-simulation.suite.ts'

const MEMBER = 'consumer-0'

/** Joins a group of its own, and is given everything; resolves with its epoch. */
async function join(simulation: GroupSimulation): Promise<number> {
  const joined = await heartbeat(simulation, 0)
  expect(joined.assignment!.topicPartitions[0]!.partitions).toHaveLength(PARTITIONS)
  return joined.memberEpoch
}

async function heartbeat(simulation: GroupSimulation, memberEpoch: number) {
  const isNew = memberEpoch === 0
  const answer = await simulation.ask('ConsumerGroupHeartbeat', {
    groupId: 'readers',
    memberId: MEMBER,
    memberEpoch,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: isNew ? 60_000 : -1,
    subscribedTopicNames: isNew ? ['orders'] : null,
    subscribedTopicRegex: null,
    serverAssignor: null,
    topicPartitions: isNew ? [] : null,
  })
  expect(answer?.errorCode).toBe(0)
  return answer!
}

async function commit(simulation: GroupSimulation, memberEpoch: number): Promise<void> {
  const partition = { partitionIndex: 0, committedOffset: 7, committedLeaderEpoch: -1, committedMetadata: null }
  const answer = await simulation.ask('OffsetCommit', {
    groupId: 'readers',
    generationIdOrMemberEpoch: memberEpoch,
    memberId: MEMBER,
    groupInstanceId: null,
    retentionTimeMs: -1,
    topics: [{ name: 'orders', topicId: TOPIC_ID, partitions: [partition] }],
  })
  expect(answer?.topics[0]?.partitions[0]?.errorCode).toBe(0)
}

/** What is committed for the first partition; -1: nothing. */
async function committed(simulation: GroupSimulation): Promise<number> {
  const topics = [{ name: 'orders', topicId: TOPIC_ID, partitionIndexes: [0] }]
  const groups = [{ groupId: 'readers', memberId: null, memberEpoch: -1, topics }]
  const answer = await simulation.ask('OffsetFetch', { groupId: '', topics: null, groups, requireStable: false })
  return answer!.groups[0]!.topics[0]!.partitions[0]!.committedOffset
}

/** The link between broker and coordinator breaks with the news of it (nothing else is said meanwhile), and is there again. */
async function unheard(simulation: GroupSimulation, change: (broker: BrokerDouble) => void): Promise<void> {
  const { world, broker } = simulation
  world.faults = { ...world.faults, close: 1 }
  change(broker)
  await simulation.pass(10)
  world.faults = { ...world.faults, close: 0 }
  await simulation.pass(10_000)
}

test('partitions that came while the link to the broker was broken are assigned', () =>
  inGroupWorld(1, async simulation => {
    const epoch = await join(simulation)
    await unheard(simulation, broker => broker.resize(PARTITIONS + 2))
    const { assignment } = await heartbeat(simulation, epoch)
    const partitions = Array.from({ length: PARTITIONS + 2 }, (_, partition) => partition)
    expect(assignment?.topicPartitions).toEqual([{ topicId: TOPIC_ID, partitions }])
  }))

test('news are heard again after the link to the broker was broken', () =>
  inGroupWorld(2, async simulation => {
    const epoch = await join(simulation)
    await unheard(simulation, broker => broker.resize(PARTITIONS))
    simulation.broker.resize(PARTITIONS + 1)
    await simulation.pass(10)
    const { assignment } = await heartbeat(simulation, epoch)
    expect(assignment?.topicPartitions[0]?.partitions).toHaveLength(PARTITIONS + 1)
  }))

test('a topic that went while the link to the broker was broken is assigned to nobody, and its offsets are forgotten', () =>
  inGroupWorld(3, async simulation => {
    const epoch = await join(simulation)
    await commit(simulation, epoch)
    expect(await committed(simulation)).toBe(7)
    await unheard(simulation, broker => broker.resize(null))
    expect(await committed(simulation)).toBe(-1)
    const { assignment } = await heartbeat(simulation, epoch)
    expect(assignment?.topicPartitions).toEqual([])
  }))

test("a group's own configs that changed while the link to the broker was broken take effect", () =>
  inGroupWorld(4, async simulation => {
    const epoch = await join(simulation)
    const configs = { 'consumer.heartbeat.interval.ms': '7000' }
    await unheard(simulation, broker => broker.configure([{ groupId: 'readers', configs }]))
    expect(await heartbeat(simulation, epoch)).toMatchObject({ heartbeatIntervalMs: 7_000 })
  }))
