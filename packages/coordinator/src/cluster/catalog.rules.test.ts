import { ZERO_TOPIC_ID } from '@odradek/shared/base/brands'
import { limits } from '@odradek/shared/base/limits'
import { seededRandom } from '@odradek/shared/base/random'
import { errors } from '@odradek/shared/protocol/error-codes'
import type { CreatableTopic } from '@odradek/shared/protocol/messages/19-create-topics'
import { expect, test } from 'vitest'
import { type CatalogRecord, decodeCatalogRecord, encodeCatalogRecord, ResourceType } from './catalog.records.ts'
import { type Catalog, emptyCatalog, replayCatalog } from './catalog.ts'
import type { ClusterSetup } from './cluster-setup.ts'
import { alterConfigs, incrementalAlterConfigs } from './config-changes.rules.ts'
import { createPartitions } from './create-partitions.rules.ts'
import { createTopics } from './create-topics.rules.ts'
import { deleteTopics } from './delete-topics.rules.ts'
import { describeConfigs, listConfigResources } from './describe-configs.rules.ts'
import { describeCluster, describeTopicPartitions } from './describe-topics.rules.ts'
import { ensureTopics, metadata } from './ensure-topics.rules.ts'
import { updateFeatures } from './features.rules.ts'
import { imageDelta, wholeImage } from './image.rules.ts'
import { alterPartitionReassignments, bumpLeaderEpochs, electLeaders } from './leadership.rules.ts'
import { allocateProducerIds, firstRecords } from './node.rules.ts'

const { code } = { code: (name: keyof typeof errors) => errors[name].code }

/** A cluster of one node, spoken to as an admin does. */
class Cluster {
  readonly catalog: Catalog = emptyCatalog()
  readonly random = seededRandom(7)
  readonly setup: ClusterSetup
  readonly log: CatalogRecord[] = []

  constructor(given: { [name: string]: string } = {}) {
    const partitionsPerRequestMax = limits.partitionsPerRequestMax
    this.setup = {
      nodeId: 1,
      clusterId: 'cluster-a',
      incarnationId: 'AAAAAAAAAAAAAAAAAAAAAQ',
      given: new Map(Object.entries(given)),
      partitionsPerRequestMax,
    }
    this.become({ records: firstRecords(this.catalog, this.setup) })
  }

  become<D extends { records: readonly CatalogRecord[] }>(decision: D): D {
    for (const record of decision.records) {
      replayCatalog(this.catalog, record)
      this.log.push(record)
    }
    return decision
  }

  create(name: string, topic: Partial<CreatableTopic> = {}, validateOnly = false) {
    const whole = { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [], ...topic }
    const decision = createTopics(
      this.catalog,
      this.setup,
      { topics: [whole], timeoutMs: 0, validateOnly },
      this.random,
    )
    return this.become(decision).response.topics[0]!
  }

  delete(...names: string[]) {
    const topics = names.map(name => ({ name, topicId: ZERO_TOPIC_ID }))
    return this.become(deleteTopics(this.catalog, this.setup, { topics, topicNames: [], timeoutMs: 0 })).response
      .responses
  }

  grow(name: string, count: number, assignments: { brokerIds: number[] }[] | null = null, validateOnly = false) {
    const request = { topics: [{ name, count, assignments }], timeoutMs: 0, validateOnly }
    return this.become(createPartitions(this.catalog, this.setup, request)).response.results[0]!
  }

  change(resourceType: number, resourceName: string, ...configs: [string, number, string | null][]) {
    const operations = configs.map(([name, configOperation, value]) => ({ name, configOperation, value }))
    const request = { resources: [{ resourceType, resourceName, configs: operations }], validateOnly: false }
    return this.become(incrementalAlterConfigs(this.catalog, this.setup, request)).response.responses[0]!
  }

  replace(resourceType: number, resourceName: string, configs: { [name: string]: string }) {
    const entries = Object.entries(configs).map(([name, value]) => ({ name, value }))
    const request = { resources: [{ resourceType, resourceName, configs: entries }], validateOnly: false }
    return this.become(alterConfigs(this.catalog, this.setup, request)).response.responses[0]!
  }

  describe(resourceType: number, resourceName: string, configurationKeys: string[] | null = null) {
    const resources = [{ resourceType, resourceName, configurationKeys }]
    const request = { resources, includeSynonyms: true, includeDocumentation: true }
    return describeConfigs(this.catalog, this.setup, request).results[0]!
  }

  metadata(topics: { name: string | null; topicId: string }[] | null, allowAutoTopicCreation = false) {
    const request = {
      topics,
      allowAutoTopicCreation,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    }
    const brokers = [{ nodeId: 1, host: '127.0.0.1', port: 9092, rack: null }]
    return this.become(metadata(this.catalog, this.setup, { request, brokers }, this.random)).response(this.catalog)
  }
}

const named = (name: string) => ({ name, topicId: ZERO_TOPIC_ID })

test('a fresh cluster knows its id, its features and its node; metadata.version is written first', () => {
  const { catalog, log, setup } = new Cluster()
  expect(catalog.clusterId).toBe('cluster-a')
  expect(Object.fromEntries(catalog.features)).toEqual({
    'metadata.version': 30,
    'group.version': 1,
    'transaction.version': 2,
  })
  expect(log[0]).toEqual({ type: 'FeatureLevelRecord', value: { name: 'metadata.version', featureLevel: 30 } })
  expect(catalog.brokers.get(1)).toMatchObject({ brokerEpoch: 1, fenced: false })
  expect(firstRecords(catalog, setup)).toEqual([])
})

test('a node that starts again registers with the next broker epoch and keeps the cluster id', () => {
  const { catalog, setup } = new Cluster()
  const again = firstRecords(catalog, { ...setup, clusterId: 'other', incarnationId: 'AAAAAAAAAAAAAAAAAAAAAg' })
  expect(again).toMatchObject([{ type: 'RegisterBrokerRecord', value: { brokerEpoch: 2 } }])
})

test('a topic is created with the defaults of the broker, its id and its configs are answered', () => {
  const cluster = new Cluster({ 'num.partitions': '3' })
  const created = cluster.create('orders', { configs: [{ name: 'retention.ms', value: '1000' }] })
  expect(created).toMatchObject({ errorCode: 0, numPartitions: 3, replicationFactor: 1 })
  const topic = cluster.catalog.topics.get('orders')!
  expect(created.topicId).toBe(topic.topicId)
  expect(topic.partitions).toEqual(
    Array(3).fill({ replicas: [1], isr: [1], leader: 1, leaderEpoch: 0, partitionEpoch: 0 }),
  )
  expect(created.configs?.find(({ name }) => name === 'retention.ms')).toMatchObject({ value: '1000', configSource: 1 })
  expect(created.configs?.find(({ name }) => name === 'segment.bytes')).toMatchObject({
    value: '1073741824',
    configSource: 5,
  })
})

const refusals: [string, Partial<CreatableTopic> & { name?: string }, keyof typeof errors, string][] = [
  ['a name that is taken', { name: 'taken' }, 'TOPIC_ALREADY_EXISTS', "Topic 'taken' already exists."],
  ['an empty name', { name: '' }, 'INVALID_TOPIC_EXCEPTION', 'the empty string is not allowed'],
  ['a name of dots', { name: '..' }, 'INVALID_TOPIC_EXCEPTION', "'..' is not allowed"],
  ['a path', { name: 'a/b' }, 'INVALID_TOPIC_EXCEPTION', 'other than ASCII alphanumerics'],
  ['a long name', { name: 'x'.repeat(250) }, 'INVALID_TOPIC_EXCEPTION', 'longer than the max allowed length 249'],
  [
    'a name that differs in . and _ only',
    { name: 'my_topic' },
    'INVALID_TOPIC_EXCEPTION',
    "'my_topic' collides with existing topic: my.topic",
  ],
  ['no partitions', { numPartitions: 0 }, 'INVALID_PARTITIONS', 'non-positive'],
  ['negative partitions', { numPartitions: -2 }, 'INVALID_PARTITIONS', 'non-positive'],
  ['too many partitions', { numPartitions: 10_001 }, 'POLICY_VIOLATION', 'Excessively large number of partitions'],
  ['no replicas', { replicationFactor: 0 }, 'INVALID_REPLICATION_FACTOR', 'non-positive'],
  [
    'more replicas than nodes',
    { replicationFactor: 3 },
    'INVALID_REPLICATION_FACTOR',
    'only 1 broker(s) are registered',
  ],
  [
    'an unknown config',
    { configs: [{ name: 'nope', value: '1' }] },
    'INVALID_CONFIG',
    'Unknown topic config name: nope',
  ],
  [
    'a config without value',
    { configs: [{ name: 'retention.ms', value: null }] },
    'INVALID_CONFIG',
    'Null value not supported',
  ],
  [
    'a config out of range',
    { configs: [{ name: 'segment.bytes', value: '1' }] },
    'INVALID_CONFIG',
    'Value must be at least 1048576',
  ],
  [
    'an assignment and a number',
    { numPartitions: 1, assignments: [{ partitionIndex: 0, brokerIds: [1] }] },
    'INVALID_REQUEST',
    'numPartitions was not set to -1',
  ],
  [
    'an assignment to a stranger',
    { assignments: [{ partitionIndex: 0, brokerIds: [5] }] },
    'INVALID_REPLICA_ASSIGNMENT',
    'includes broker 5, but no such broker is registered',
  ],
  [
    'an assignment twice to one',
    { assignments: [{ partitionIndex: 0, brokerIds: [1, 1] }] },
    'INVALID_REPLICA_ASSIGNMENT',
    'more than once',
  ],
  [
    'an assignment to nobody',
    { assignments: [{ partitionIndex: 0, brokerIds: [] }] },
    'INVALID_REPLICA_ASSIGNMENT',
    'empty replica list',
  ],
  [
    'an assignment with a hole',
    { assignments: [{ partitionIndex: 1, brokerIds: [1] }] },
    'INVALID_REPLICA_ASSIGNMENT',
    'consecutive 0-based',
  ],
]

test.each(refusals)('%s is refused, and nothing is written', (_, { name = 'fresh', ...topic }, error, message) => {
  const cluster = new Cluster()
  cluster.create('taken')
  cluster.create('my.topic')
  const before = cluster.log.length
  const result = cluster.create(name, topic)
  expect(result.errorCode).toBe(code(error))
  expect(result.errorMessage).toContain(message)
  expect(cluster.log.length).toBe(before)
})

test('a name twice in one request is refused once, the rest of the request is done', () => {
  const cluster = new Cluster()
  const topic = { name: 'a', numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] }
  const request = { topics: [topic, { ...topic, name: 'b' }, topic], timeoutMs: 0, validateOnly: false }
  const { response } = cluster.become(createTopics(cluster.catalog, cluster.setup, request, cluster.random))
  expect(response.topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
    ['a', code('INVALID_REQUEST')],
    ['b', 0],
  ])
  expect([...cluster.catalog.topics.keys()]).toEqual(['b'])
})

test('validate-only answers as if done and writes nothing', () => {
  const cluster = new Cluster()
  expect(cluster.create('a', { numPartitions: 2 }, true)).toMatchObject({
    errorCode: 0,
    numPartitions: 2,
    topicId: ZERO_TOPIC_ID,
  })
  cluster.create('b')
  expect(cluster.grow('b', 2, null, true)).toMatchObject({ errorCode: 0 })
  expect([cluster.catalog.topics.has('a'), cluster.catalog.topics.get('b')!.partitions.length]).toEqual([false, 1])
})

test('topics are deleted by name or id, and a deleted name can be used again with a new id', () => {
  const cluster = new Cluster()
  const { topicId } = cluster.create('a')
  cluster.create('b')
  expect(cluster.delete('b')[0]).toMatchObject({ errorCode: 0, name: 'b' })
  const request = { topics: [{ name: null, topicId }], topicNames: [], timeoutMs: 0 }
  expect(cluster.become(deleteTopics(cluster.catalog, cluster.setup, request)).response.responses[0]).toMatchObject({
    errorCode: 0,
    name: 'a',
  })
  expect([cluster.catalog.topics.size, cluster.catalog.partitionCount, cluster.catalog.collisions.size]).toEqual([
    0, 0, 0,
  ])
  expect(cluster.create('a').topicId).not.toBe(topicId)
})

test("deletions that cannot be are refused with Kafka's codes", () => {
  const cluster = new Cluster()
  const { topicId } = cluster.create('a')
  cluster.create('__consumer_offsets')
  expect(cluster.delete('nope')[0]?.errorCode).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
  expect(cluster.delete('a', 'a').map(({ errorCode }) => errorCode)).toEqual(Array(2).fill(code('INVALID_REQUEST')))
  expect(cluster.delete('__consumer_offsets')[0]?.errorCode).toBe(code('INVALID_TOPIC_EXCEPTION'))
  const ask = (topics: { name: string | null; topicId: string }[]) =>
    deleteTopics(cluster.catalog, cluster.setup, { topics, topicNames: [], timeoutMs: 0 }).response.responses.map(
      ({ errorCode }) => errorCode,
    )
  expect(ask([{ name: null, topicId: 'AAAAAAAAAAAAAAAAAAAAZg' }])).toEqual([code('UNKNOWN_TOPIC_ID')])
  expect(ask([{ name: null, topicId: ZERO_TOPIC_ID }])).toEqual([code('INVALID_REQUEST')])
  expect(ask([{ name: 'a', topicId }])).toEqual([code('INVALID_REQUEST')])
  expect(
    ask([
      { name: 'a', topicId: ZERO_TOPIC_ID },
      { name: null, topicId },
    ]),
  ).toEqual([0, code('INVALID_REQUEST')])
  const locked = new Cluster({ 'delete.topic.enable': 'false' })
  locked.create('a')
  expect(locked.delete('a')[0]?.errorCode).toBe(code('TOPIC_DELETION_DISABLED'))
})

test('partitions can be added, not taken away', () => {
  const cluster = new Cluster()
  cluster.create('a', { numPartitions: 2 })
  expect(cluster.grow('a', 4)).toMatchObject({ errorCode: 0 })
  expect(cluster.grow('a', 5, [{ brokerIds: [1] }])).toMatchObject({ errorCode: 0 })
  expect(cluster.catalog.topics.get('a')!.partitions.length).toBe(5)
  expect(cluster.grow('a', 5)).toMatchObject({
    errorCode: code('INVALID_PARTITIONS'),
    errorMessage: 'Topic already has 5 partition(s).',
  })
  expect(cluster.grow('a', 1).errorMessage).toBe(
    'The topic a currently has 5 partition(s); 1 would not be an increase.',
  )
  expect(cluster.grow('a', 8, [{ brokerIds: [1] }]).errorCode).toBe(code('INVALID_REPLICA_ASSIGNMENT'))
  expect(cluster.grow('a', 6, [{ brokerIds: [9] }]).errorCode).toBe(code('INVALID_REPLICA_ASSIGNMENT'))
  expect(cluster.grow('a', 20_000).errorCode).toBe(code('POLICY_VIOLATION'))
  expect(cluster.grow('nope', 2).errorCode).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
})

const SET = 0
const DELETE = 1
const APPEND = 2
const SUBTRACT = 3

test('configs are set, deleted, appended to and subtracted from', () => {
  const cluster = new Cluster()
  cluster.create('a')
  const configs = () => Object.fromEntries(cluster.catalog.topics.get('a')!.configs)
  expect(cluster.change(2, 'a', ['retention.ms', SET, '5'], ['cleanup.policy', APPEND, 'compact'])).toMatchObject({
    errorCode: 0,
  })
  expect(configs()).toEqual({ 'retention.ms': '5', 'cleanup.policy': 'delete,compact' })
  cluster.change(2, 'a', ['cleanup.policy', APPEND, 'compact'], ['retention.ms', DELETE, null])
  expect(configs()).toEqual({ 'cleanup.policy': 'delete,compact' })
  cluster.change(2, 'a', ['cleanup.policy', SUBTRACT, 'delete'])
  expect(configs()).toEqual({ 'cleanup.policy': 'compact' })
  const before = cluster.log.length
  cluster.change(2, 'a', ['cleanup.policy', SET, 'compact'])
  expect(cluster.log.length).toBe(before)
})

test('AlterConfigs replaces: what is not named goes back to its default', () => {
  const cluster = new Cluster()
  cluster.create('a', {
    configs: [
      { name: 'retention.ms', value: '5' },
      { name: 'flush.ms', value: '6' },
    ],
  })
  expect(cluster.replace(2, 'a', { 'flush.ms': '7' })).toMatchObject({ errorCode: 0 })
  expect(Object.fromEntries(cluster.catalog.topics.get('a')!.configs)).toEqual({ 'flush.ms': '7' })
})

test.each<[string, number, string, [string, number, string | null][], keyof typeof errors, string]>([
  [
    'an unknown topic',
    2,
    'nope',
    [['retention.ms', SET, '1']],
    'UNKNOWN_TOPIC_OR_PARTITION',
    "The topic 'nope' does not exist.",
  ],
  ['an invalid topic name', 2, 'a/b', [['retention.ms', SET, '1']], 'INVALID_TOPIC_EXCEPTION', 'Topic name is invalid'],
  ['an unknown config', 2, 'a', [['nope', SET, '1']], 'INVALID_CONFIG', 'Unknown topic config name: nope'],
  [
    'a wrong value',
    2,
    'a',
    [['retention.ms', SET, 'x']],
    'INVALID_CONFIG',
    'Invalid value x for configuration retention.ms',
  ],
  ['a null value', 2, 'a', [['retention.ms', SET, null]], 'INVALID_REQUEST', 'Null value not supported'],
  [
    'an append to what is no list',
    2,
    'a',
    [['retention.ms', APPEND, '1']],
    'INVALID_CONFIG',
    "Can't APPEND to key retention.ms because its type is not LIST.",
  ],
  ['an unknown operation', 2, 'a', [['retention.ms', 9, '1']], 'INVALID_REQUEST', 'Unknown config operation 9.'],
  [
    'one config twice',
    2,
    'a',
    [
      ['retention.ms', SET, '1'],
      ['retention.ms', DELETE, null],
    ],
    'INVALID_REQUEST',
    'duplicate config keys',
  ],
  [
    'a read-only broker config',
    4,
    '1',
    [['num.partitions', SET, '3']],
    'INVALID_REQUEST',
    'Cannot update these configs dynamically: Set(num.partitions)',
  ],
  ['another broker', 4, '2', [['log.retention.ms', SET, '3']], 'INVALID_REQUEST', 'Unexpected broker id'],
  ['a broker logger', 8, '1', [['root', SET, 'INFO']], 'INVALID_REQUEST', 'Log levels'],
  ['a resource type nobody has', 3, 'a', [['x', SET, 'y']], 'INVALID_REQUEST', 'Unsupported resource type 3'],
])('%s is refused, the resource stays as it is', (_, type, name, configs, error, message) => {
  const cluster = new Cluster()
  cluster.create('a')
  const before = cluster.log.length
  const result = cluster.change(type, name, ['flush.ms', SET, '1'], ...configs)
  const single = cluster.change(type, name, ...configs)
  expect(cluster.log.length).toBe(before)
  expect(result.errorCode).not.toBe(0)
  expect(single.errorCode).toBe(code(error))
  expect(single.errorMessage).toContain(message)
})

test('configs are described with their source, synonyms, type and documentation', () => {
  const cluster = new Cluster({ 'log.retention.hours': '1' })
  cluster.create('a', { configs: [{ name: 'segment.bytes', value: '2000000' }] })
  cluster.change(4, '', ['log.flush.interval.messages', SET, '10'])
  const { configs } = cluster.describe(2, 'a')
  const find = (name: string) => configs.find(config => config.name === name)
  expect(find('segment.bytes')).toMatchObject({ value: '2000000', configSource: 1, configType: 3, readOnly: false })
  expect(find('segment.bytes')?.synonyms.map(({ source }) => source)).toEqual([1, 5])
  expect(find('retention.ms')).toMatchObject({ value: '3600000', configSource: 4 })
  expect(find('flush.messages')).toMatchObject({ value: '10', configSource: 3 })
  expect(find('retention.ms')?.documentation).toContain('milliseconds')
  expect(cluster.describe(2, 'a', ['flush.ms']).configs.map(({ name }) => name)).toEqual(['flush.ms'])
  expect(cluster.describe(2, 'a', []).configs).toEqual([])
  expect(cluster.describe(2, 'nope').errorCode).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
  expect(cluster.describe(4, '1', ['num.partitions']).configs[0]).toMatchObject({
    value: '1',
    configSource: 5,
    readOnly: true,
  })
  expect(cluster.describe(4, '').configs.map(({ name, value }) => [name, value])).toEqual([
    ['log.flush.interval.messages', '10'],
  ])
  expect(cluster.describe(4, '9').errorCode).toBe(code('INVALID_REQUEST'))
  expect(cluster.describe(32, 'group', ['consumer.session.timeout.ms']).configs[0]).toMatchObject({
    value: '45000',
    configSource: 5,
  })
})

test('sensitive values are never shown', () => {
  const cluster = new Cluster({ 'ssl.key.password': 'secret' })
  expect(JSON.stringify(cluster.describe(4, '1'))).not.toContain('secret')
})

test('resources that have configs are listed by type', () => {
  const cluster = new Cluster()
  cluster.create('a')
  cluster.change(32, 'g', ['consumer.session.timeout.ms', SET, '50000'])
  const list = (resourceTypes: number[]) => listConfigResources(cluster.catalog, cluster.setup, { resourceTypes })
  expect(list([2, 32]).configResources).toEqual([
    { resourceName: 'a', resourceType: 2 },
    { resourceName: 'g', resourceType: 32 },
  ])
  expect(list([]).configResources.length).toBe(4)
  expect(list([7]).errorCode).toBe(code('UNSUPPORTED_VERSION'))
})

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

test('every bump begins a new leader epoch of the partitions it names, or of all', () => {
  const cluster = new Cluster()
  const { topicId } = cluster.create('a', { numPartitions: 2 })
  cluster.become({
    records: bumpLeaderEpochs(cluster.catalog, [
      { topicId, partition: 1 },
      { topicId, partition: 7 },
    ]),
  })
  cluster.become({ records: bumpLeaderEpochs(cluster.catalog, null) })
  expect(cluster.catalog.topics.get('a')!.partitions.map(({ leaderEpoch }) => leaderEpoch)).toEqual([1, 2])
  expect(cluster.metadata([named('a')]).topics[0]?.partitions.map(({ leaderEpoch }) => leaderEpoch)).toEqual([1, 2])
})

test('elections find nothing to do and say so per partition', () => {
  const cluster = new Cluster()
  cluster.create('a')
  const elect = (topicPartitions: { topic: string; partitions: number[] }[] | null, electionType = 0) =>
    electLeaders(cluster.catalog, { electionType, topicPartitions, timeoutMs: 0 })
  expect(
    elect([
      { topic: 'a', partitions: [0, 4] },
      { topic: 'b', partitions: [0] },
    ]).replicaElectionResults.flatMap(({ partitionResult }) => partitionResult.map(({ errorCode }) => errorCode)),
  ).toEqual([84, 3, 3])
  expect(elect(null)).toMatchObject({ errorCode: 0, replicaElectionResults: [] })
  expect(elect([], 5).errorCode).toBe(code('INVALID_REQUEST'))
})

test('a reassignment to where the partition is succeeds; cancelling finds none; strangers are refused', () => {
  const cluster = new Cluster()
  cluster.create('a')
  const move = (partitionIndex: number, replicas: number[] | null) =>
    alterPartitionReassignments(cluster.catalog, cluster.setup, {
      timeoutMs: 0,
      allowReplicationFactorChange: true,
      topics: [{ name: 'a', partitions: [{ partitionIndex, replicas }] }],
    }).responses[0]!.partitions[0]!.errorCode
  expect([move(0, [1]), move(0, null), move(0, [2]), move(3, [1])]).toEqual([0, 85, 39, 3])
})

test('producer ids are handed out in blocks that never overlap', () => {
  const cluster = new Cluster()
  const blocks = [1, 2, 3].map(() => cluster.become(allocateProducerIds(cluster.catalog, cluster.setup)).response)
  expect(blocks.map(({ firstProducerId }) => firstProducerId)).toEqual([0, 1_000, 2_000])
})

test('features move within what is supported, down only when that is said, and all or none', () => {
  const cluster = new Cluster()
  const update = (...featureUpdates: [string, number, number][]) =>
    cluster.become(
      updateFeatures(cluster.catalog, {
        timeoutMs: 0,
        validateOnly: false,
        featureUpdates: featureUpdates.map(([feature, maxVersionLevel, upgradeType]) => ({
          feature,
          maxVersionLevel,
          upgradeType,
          allowDowngrade: false,
        })),
      }),
    ).response.errorCode
  expect(update(['transaction.version', 3, 1])).toBe(code('INVALID_UPDATE_VERSION'))
  expect(update(['transaction.version', 1, 1])).toBe(code('INVALID_UPDATE_VERSION'))
  expect(update(['transaction.version', 1, 2], ['nope', 1, 1])).toBe(code('INVALID_UPDATE_VERSION'))
  expect(cluster.catalog.features.get('transaction.version')).toBe(2)
  expect(update(['transaction.version', 1, 2])).toBe(0)
  expect(cluster.catalog.features.get('transaction.version')).toBe(1)
  expect(update(['transaction.version', 2, 1], ['metadata.version', 30, 1])).toBe(0)
  expect(update(['group.version', 0, 3])).toBe(0)
  expect(cluster.catalog.features.has('group.version')).toBe(false)
})

test('an image delta holds what changed, whole, and a broker default changes all topics', () => {
  const cluster = new Cluster()
  cluster.create('a', { numPartitions: 2 })
  cluster.create('b')
  const delta = (records: readonly CatalogRecord[]) =>
    imageDelta(cluster.catalog, cluster.setup, cluster.become({ records }).records)
  const config = (resourceType: number, resourceName: string, name: string, value: string): CatalogRecord => ({
    type: 'ConfigRecord',
    value: { resourceType, resourceName, name, value },
  })
  expect(delta([config(ResourceType.TOPIC, 'a', 'retention.ms', '9')])?.topics).toMatchObject([
    { topic: 'a', leaderEpochs: [0, 0], configs: { 'retention.ms': '9' } },
  ])
  const all = delta([config(ResourceType.BROKER, '', 'log.segment.bytes', '2000000')])
  expect(all?.topics.map(({ configs }) => configs['segment.bytes'])).toEqual(['2000000', '2000000'])
  expect(all?.brokerConfigs?.['log.segment.bytes']).toBe('2000000')
  expect(delta([config(ResourceType.BROKER, '1', 'max.connections', '5')])).toMatchObject({
    topics: [],
    brokerConfigs: { 'max.connections': '5' },
  })
  expect(delta([config(ResourceType.GROUP, 'g', 'consumer.session.timeout.ms', '50000')])).toBe(null)
  expect(wholeImage(cluster.catalog, cluster.setup).topics.length).toBe(2)
})

test('stored records come back as they were written, and kinds that are not known are passed over', () => {
  const cluster = new Cluster()
  cluster.create('a', { numPartitions: 2, configs: [{ name: 'flush.ms', value: '1' }] })
  cluster.become({ records: bumpLeaderEpochs(cluster.catalog, null) })
  cluster.become(allocateProducerIds(cluster.catalog, cluster.setup))
  cluster.delete('a')
  expect(new Set(cluster.log.map(({ type }) => type)).size).toBe(9)
  for (const record of cluster.log) expect(decodeCatalogRecord(null, encodeCatalogRecord(record).value)).toEqual(record)
  expect(decodeCatalogRecord(null, Uint8Array.of(1, 99, 0, 0))).toBe(null)
  expect(() => decodeCatalogRecord(null, Uint8Array.of(1, 2, 0))).toThrow()
})
