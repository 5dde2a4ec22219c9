import { expect, test } from 'vitest'
import { Cluster, code, named } from './cluster-verbs.suite.ts'
import { describeCluster, describeTopicPartitions } from './describe-topics.rules.ts'
import { ensureTopics } from './ensure-topics.rules.ts'

test('metadata tells leaders by name and id, and what is wrong with names', () => {
  const cluster = new Cluster()
  const { topicId } = cluster.create('a', { numPartitions: 2 })
  const { topics, brokers, clusterId, controllerId } = cluster.metadata([
    named('a'),
    { name: null, topicId },
    named('nope'),
    named('a/b'),
    { name: null, topicId: 'AAAAAAAAAAAAAAAAAAAAZg' },
  ])
  expect(topics.map(({ errorCode }) => errorCode)).toEqual([0, 0, 3, 17, 100])
  expect(topics[0]).toBe(topics[1])
  expect(topics[0]?.partitions[1]).toEqual({
    errorCode: 0,
    partitionIndex: 1,
    leaderId: 1,
    leaderEpoch: 0,
    replicaNodes: [1],
    isrNodes: [1],
    offlineReplicas: [],
  })
  expect([brokers.length, clusterId, controllerId]).toEqual([1, 'cluster-a', 1])
  expect(cluster.metadata(null).topics.length).toBe(1)
  expect(cluster.metadata([]).topics).toEqual([])
})

test('a topic that is asked for is created when client and broker allow it, and answered at once', () => {
  const cluster = new Cluster({ 'num.partitions': '4' })
  expect(cluster.metadata([named('a')], false).topics[0]?.errorCode).toBe(3)
  const { topics } = cluster.metadata([named('a'), named('a'), named('b/c'), named('__consumer_offsets')], true)
  expect(topics.map(({ errorCode, partitions }) => [errorCode, partitions.length])).toEqual([
    [0, 4],
    [0, 4],
    [17, 0],
    [0, 50],
  ])
  expect(topics[3]?.isInternal).toBe(true)
  expect(cluster.metadata([named('a.b')], true).topics[0]?.errorCode).toBe(0)
  expect(cluster.metadata([named('a_b')], true).topics[0]?.errorCode).toBe(17)
  const closed = new Cluster({ 'auto.create.topics.enable': 'false' })
  expect(closed.metadata([named('a')], true).topics[0]?.errorCode).toBe(3)
})

test("the broker's wishes create what is missing and leave what is there", () => {
  const cluster = new Cluster({ 'offsets.topic.num.partitions': '2' })
  cluster.create('a')
  const wishes = {
    topics: [
      { name: 'a', partitions: 9 },
      { name: 'b', partitions: 3, configs: { 'flush.ms': '1' } },
      { name: '__consumer_offsets' },
      { name: 'x/y' },
    ],
  }
  const { response } = cluster.become(ensureTopics(cluster.catalog, cluster.setup, wishes, cluster.random))
  expect(response.results.map(({ errorCode }) => errorCode)).toEqual([0, 0, 0, 17])
  expect(['a', 'b', '__consumer_offsets'].map(name => cluster.catalog.topics.get(name)?.partitions.length)).toEqual([
    1, 3, 2,
  ])
  expect(cluster.catalog.topics.get('__consumer_offsets')?.configs.get('cleanup.policy')).toBe('compact')
})

test('pages of partitions continue where the last one ended and lose none', () => {
  const cluster = new Cluster()
  for (const [name, numPartitions] of [
    ['b', 3],
    ['a', 5],
    ['c', 2],
  ] as const)
    cluster.create(name, { numPartitions })
  const seen: string[] = []
  let cursor: { topicName: string; partitionIndex: number } | null = null
  let pages = 0
  do {
    const response = describeTopicPartitions(cluster.catalog, cluster.setup, {
      topics: [],
      responsePartitionLimit: 2,
      cursor,
    })
    for (const { name, partitions } of response.topics)
      for (const { partitionIndex } of partitions) seen.push(`${name}-${partitionIndex}`)
    cursor = response.nextCursor
    pages++
  } while (cursor !== null && pages < 20)
  expect(seen).toEqual(['a-0', 'a-1', 'a-2', 'a-3', 'a-4', 'b-0', 'b-1', 'b-2', 'c-0', 'c-1'])
})

test('DescribeCluster answers for brokers and refuses to answer for controllers', () => {
  const { catalog, setup } = new Cluster()
  const ask = (endpointType: number) =>
    describeCluster(
      catalog,
      setup,
      { includeClusterAuthorizedOperations: true, endpointType, includeFencedBrokers: false },
      [{ nodeId: 1, host: 'h', port: 1, rack: 'r' }],
    )
  expect(ask(1)).toMatchObject({
    errorCode: 0,
    controllerId: 1,
    clusterAuthorizedOperations: 8096,
    brokers: [{ brokerId: 1, rack: 'r' }],
  })
  expect(ask(2).errorCode).toBe(code('MISMATCHED_ENDPOINT_TYPE'))
  expect(ask(9).errorCode).toBe(code('UNSUPPORTED_ENDPOINT_TYPE'))
})

test('eligible leader replicas are told as none, never as null: the Java admin reads them without looking', () => {
  const cluster = new Cluster()
  cluster.create('a', { numPartitions: 1 })
  const request = { topics: [{ name: 'a' }], responsePartitionLimit: 10, cursor: null }
  const { topics } = describeTopicPartitions(cluster.catalog, cluster.setup, request)
  expect(topics[0]?.partitions[0]).toMatchObject({ eligibleLeaderReplicas: [], lastKnownElr: [] })
})
