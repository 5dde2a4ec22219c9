// Topics: created, refused, grown and deleted.
import { ZERO_TOPIC_ID } from '@odradek/shared/base/brands'
import type { errors } from '@odradek/shared/protocol/error-codes'
import type { CreatableTopic } from '@odradek/shared/protocol/messages/19-create-topics'
import { expect, test } from 'vitest'
import { Cluster, code } from './cluster-verbs.suite.ts'
import { createTopics } from './create-topics.rules.ts'
import { deleteTopics } from './delete-topics.rules.ts'

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
