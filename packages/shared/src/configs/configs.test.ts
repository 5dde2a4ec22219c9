import { expect, test } from 'vitest'
import { brokerConfigs } from './broker-configs.ts'
import { configTableMarkdown } from './config-docs.ts'
import { invalidValue } from './config-values.rules.ts'
import {
  brokerConfigSources,
  ConfigSource,
  configSources,
  effectiveBrokerConfigs,
  effectiveConfig,
  effectiveTopicConfigs,
} from './effective-configs.rules.ts'
import { camelCaseOf, readGivenConfigs } from './given-configs.ts'
import { groupConfigs } from './group-configs.ts'
import { topicConfigs } from './topic-configs.ts'

const tables = { topicConfigs, brokerConfigs, groupConfigs }
const none = new Map<string, string>()
const noLevels = { broker: none, brokers: none, given: none }
const topic = (name: string) => topicConfigs.get(name)!

test.each(Object.entries(tables))('every default in %s is itself a valid value', (_, table) => {
  for (const spec of table.values()) {
    if (spec.defaultValue !== null) expect(invalidValue(spec, spec.defaultValue)).toBeNull()
  }
})

test('every synonym of a topic or group config is a broker config', () => {
  for (const spec of [...topicConfigs.values(), ...groupConfigs.values()]) {
    for (const { name } of spec.synonyms) expect(brokerConfigs.has(name), `${spec.name}: ${name}`).toBe(true)
  }
})

test('without any setting the broker defaults give each topic config its own default', () => {
  const effective = effectiveTopicConfigs(none, noLevels)
  for (const spec of topicConfigs.values()) expect(effective[spec.name] ?? null, spec.name).toBe(spec.defaultValue)
})

test('camelCase names are unique within a table', () => {
  for (const table of Object.values(tables)) expect(new Set([...table.keys()].map(camelCaseOf)).size).toBe(table.size)
})

test.each([
  ['retention.ms', '604800000', null],
  ['retention.ms', '-1', null],
  ['retention.ms', '-2', 'Invalid value -2 for configuration retention.ms: Value must be at least -1'],
  ['retention.ms', 'abc', 'Invalid value abc for configuration retention.ms: Not a number of type LONG'],
  ['retention.ms', '1.5', 'Invalid value 1.5 for configuration retention.ms: Not a number of type LONG'],
  ['retention.ms', '9223372036854775807', null],
  [
    'retention.ms',
    '9223372036854775808',
    'Invalid value 9223372036854775808 for configuration retention.ms: Not a number of type LONG',
  ],
  ['segment.bytes', '2147483648', 'Invalid value 2147483648 for configuration segment.bytes: Not a number of type INT'],
  ['segment.bytes', '1024', 'Invalid value 1024 for configuration segment.bytes: Value must be at least 1048576'],
  ['cleanup.policy', 'compact,delete', null],
  [
    'cleanup.policy',
    'shrink',
    'Invalid value shrink for configuration cleanup.policy: String must be one of: compact, delete',
  ],
  [
    'cleanup.policy',
    'delete,delete',
    'Invalid value delete,delete for configuration cleanup.policy: Configuration has a duplicate entry',
  ],
  ['cleanup.policy', '', null],
  ['preallocate', 'TRUE', null],
  ['preallocate', 'yes', 'Invalid value yes for configuration preallocate: Expected value to be either true or false'],
  ['min.cleanable.dirty.ratio', '0.25', null],
  [
    'min.cleanable.dirty.ratio',
    '1.1',
    'Invalid value 1.1 for configuration min.cleanable.dirty.ratio: Value must be no more than 1',
  ],
  [
    'min.cleanable.dirty.ratio',
    '',
    'Invalid value  for configuration min.cleanable.dirty.ratio: Not a number of type DOUBLE',
  ],
  ['compression.gzip.level', '0', 'Invalid value 0 for configuration compression.gzip.level: Value must not be 0'],
])('%s=%s is answered with %j', (name, value, complaint) => {
  expect(invalidValue(topic(name), value)).toBe(complaint)
})

test('two-phase commit cannot be switched on (KIP-939), and is described with Kafka’s default', () => {
  const spec = brokerConfigs.get('transaction.two.phase.commit.enable')!
  expect([spec.defaultValue, invalidValue(spec, 'false')]).toEqual(['false', null])
  expect(invalidValue(spec, 'true')).toMatch(
    /^Invalid value true for configuration transaction.two.phase.commit.enable/,
  )
})

test('a secret is not repeated in a complaint', () => {
  const secret = { ...brokerConfigs.get('ssl.key.password')!, valid: { notEmpty: true } }
  expect(invalidValue(secret, ' ')).not.toContain("' '")
  expect(invalidValue(secret, ' ')).toContain('[hidden]')
})

test('a topic config beats broker levels, which beat each other in the order broker, all brokers, given, default', () => {
  const spec = topic('segment.bytes')
  const levels = {
    broker: new Map([['log.segment.bytes', '2000000']]),
    brokers: new Map([['log.segment.bytes', '3000000']]),
    given: new Map([['log.segment.bytes', '4000000']]),
  }
  const own = new Map([['segment.bytes', '1500000']])
  const sources = configSources(spec, own, ConfigSource.DYNAMIC_TOPIC_CONFIG, levels)
  expect(sources.map(({ value, source }) => [value, source])).toEqual([
    ['1500000', 1],
    ['2000000', 2],
    ['3000000', 3],
    ['4000000', 4],
    ['1073741824', 5],
  ])
  expect(sources.map(({ name }) => name)).toEqual(['segment.bytes', ...Array(4).fill('log.segment.bytes')])
})

test('retention.ms follows milliseconds, then minutes, then hours, in milliseconds', () => {
  const of = (given: [string, string][]) =>
    effectiveConfig(topic('retention.ms'), none, ConfigSource.DYNAMIC_TOPIC_CONFIG, {
      ...noLevels,
      given: new Map(given),
    })
  expect(of([['log.retention.hours', '2']])).toMatchObject({ value: '7200000', source: 4 })
  expect(
    of([
      ['log.retention.hours', '2'],
      ['log.retention.minutes', '5'],
    ]),
  ).toMatchObject({ value: '300000' })
  expect(
    of([
      ['log.retention.minutes', '5'],
      ['log.retention.ms', '1'],
    ]),
  ).toMatchObject({ value: '1' })
  expect(of([['log.retention.hours', '-1']])).toMatchObject({ value: '-1' })
  expect(of([])).toMatchObject({ name: 'retention.ms', value: '604800000', source: 5 })
})

test('a broker config without a value anywhere is described as null by default', () => {
  expect(brokerConfigSources(brokerConfigs.get('log.retention.ms')!, noLevels)).toEqual([
    { name: 'log.retention.ms', value: null, source: ConfigSource.DEFAULT_CONFIG },
  ])
  expect(effectiveBrokerConfigs(noLevels)).not.toHaveProperty(['log.retention.ms'])
  expect(effectiveBrokerConfigs(noLevels)['num.partitions']).toBe('1')
})

test("given configs take both spellings and become strings under Kafka's names", () => {
  const given = {
    logRetentionMs: 1000,
    'num.partitions': 3,
    autoCreateTopicsEnable: false,
    listeners: ['PLAINTEXT://a:1', 'SSL://b:2'],
  }
  expect(readGivenConfigs(given, brokerConfigs, 'createBroker')).toEqual({
    'log.retention.ms': '1000',
    'num.partitions': '3',
    'auto.create.topics.enable': 'false',
    listeners: 'PLAINTEXT://a:1,SSL://b:2',
  })
})

test('a config nobody knows is refused with the nearest one, in the spelling that was used', () => {
  const read = (given: { [name: string]: string }) => () => readGivenConfigs(given, brokerConfigs, 'createBroker')
  expect(read({ logRetentonMs: '1' })).toThrow('did you mean logRetentionMs?')
  expect(read({ 'log.retenton.ms': '1' })).toThrow('did you mean log.retention.ms?')
  expect(read({ 'log.retention.ms': '1', logRetentionMs: '1' })).toThrow('given twice')
  expect(read({ 'num.partitions': '0' })).toThrow('Value must be at least 1')
  expect(read({ constructor: '1' })).toThrow('there is no config constructor')
})

test('the reference table has one row per config and says what is stored only', () => {
  const lines = configTableMarkdown(topicConfigs).trim().split('\n')
  expect(lines.length).toBe(topicConfigs.size + 2)
  expect(lines.find(line => line.includes('`remote.storage.enable`'))).toContain('stored only')
  expect(lines.find(line => line.includes('`retention.ms`'))).toContain('`log.retention.hours`')
})
