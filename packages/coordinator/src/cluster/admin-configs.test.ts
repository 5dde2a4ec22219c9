import type { errors } from '@odradek/shared/protocol/error-codes'
import { expect, test } from 'vitest'
import { Cluster, code } from './cluster-verbs.suite.ts'
import { listConfigResources } from './describe-configs.rules.ts'

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

test.each([
  ['consumer.session.timeout.ms', '44999', 'must be greater than or equal to group.consumer.min.session.timeout.ms'],
  ['consumer.session.timeout.ms', '60001', 'must be less than or equal to group.consumer.max.session.timeout.ms'],
  [
    'consumer.heartbeat.interval.ms',
    '4999',
    'must be greater than or equal to group.consumer.min.heartbeat.interval.ms',
  ],
  ['consumer.heartbeat.interval.ms', '15001', 'must be less than or equal to group.consumer.max.heartbeat.interval.ms'],
  [
    'consumer.assignment.interval.ms',
    '15001',
    'must be less than or equal to group.consumer.max.assignment.interval.ms',
  ],
])('a group keeps within the bounds of the broker: %s=%s is INVALID_CONFIG', (name, value, why) => {
  const cluster = new Cluster()
  const { errorCode, errorMessage } = cluster.change(32, 'g', [name, SET, value])
  expect({ errorCode, errorMessage }).toEqual({ errorCode: code('INVALID_CONFIG'), errorMessage: `${name} ${why}` })
  expect(cluster.catalog.groupConfigs.size).toBe(0)
})

test('a group whose sessions would not outlast its heartbeats is INVALID_CONFIG, whichever of the two is set last', () => {
  const cluster = new Cluster({
    'group.consumer.min.session.timeout.ms': '5000',
    'group.consumer.min.heartbeat.interval.ms': '1000',
  })
  const session = (value: string | null) =>
    cluster.change(32, 'g', ['consumer.session.timeout.ms', value ? SET : DELETE, value])
  expect(session('5000')).toMatchObject({
    errorCode: code('INVALID_CONFIG'),
    errorMessage: 'consumer.session.timeout.ms must be greater than consumer.heartbeat.interval.ms',
  })
  expect(cluster.change(32, 'g', ['consumer.heartbeat.interval.ms', SET, '2000'])).toMatchObject({ errorCode: 0 })
  expect(session('5000')).toMatchObject({ errorCode: 0 })
  expect(cluster.change(32, 'g', ['consumer.heartbeat.interval.ms', DELETE, null]).errorCode).toBe(
    code('INVALID_CONFIG'),
  )
  expect(session(null)).toMatchObject({ errorCode: 0 })
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
