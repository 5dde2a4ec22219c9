// What topic and config commands read and print, apart from any cluster: kcat's habits and the text of Kafka's scripts.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { TopicDescription } from '@odradek/shared/client/admin'
import { readSasl } from '@odradek/shared/client/sasl-option'
import { expect, test } from 'vitest'
import { kafkaConfigLines } from '../config/kafka-configs.rules.ts'
import { readAddress, readTopic } from '../serve/serve-flags.rules.ts'
import { clientOptionsOf, readProperties } from '../terminal/properties.rules.ts'
import { collisionWarning, kafkaOffsetLine, kafkaTopicLines } from './kafka-style.rules.ts'
import { formatPrinter, jsonPrinter, type PrintableRecord, readPlace } from './record-format.rules.ts'
import { LineSplitter, recordOfLine, unescaped } from './record-lines.rules.ts'

const plain = { keySeparator: null, isJson: false, emptyIsNull: false, key: null, headers: [] }

function printed(
  print: (record: PrintableRecord, write: (part: string | Uint8Array) => void) => void,
  changes: Partial<PrintableRecord> = {},
) {
  const record = {
    topic: 'orders',
    partition: 3,
    offset: 42n,
    timestamp: 1_700,
    key: Buffer.from('k'),
    value: Buffer.from('v\u00e9'),
    headers: [
      { key: 'a', value: Buffer.from('1') },
      { key: 'a', value: null },
    ],
    ...changes,
  }
  const parts: Buffer[] = []
  print(record, part => parts.push(Buffer.from(part)))
  return Buffer.concat(parts).toString()
}

test('lines are cut where the delimiter is, however chunks fall', () => {
  const splitter = new LineSplitter('\r\n')
  const lines = ['ab\r', '\ncd', '\r\n\r\ne'].flatMap(chunk => [...splitter.push(Buffer.from(chunk))].map(String))
  expect(lines).toEqual(['ab', 'cd', ''])
  expect(String(splitter.end())).toBe('e')
})

test('a line is a value; with -K the first separator parts key and value', () => {
  expect(recordOfLine(Buffer.from('a:b'), plain)).toMatchObject({ key: null, value: Buffer.from('a:b') })
  const keyed = { ...plain, keySeparator: ':' }
  expect(recordOfLine(Buffer.from('a:b:c'), keyed)).toMatchObject({ key: Buffer.from('a'), value: Buffer.from('b:c') })
  expect(recordOfLine(Buffer.from('no'), keyed)).toMatchObject({ key: null, value: Buffer.from('no') })
})

test('-Z makes empty values tombstones and empty keys null', () => {
  const shape = { ...plain, keySeparator: ':', emptyIsNull: true }
  expect(recordOfLine(Buffer.from('a:'), shape)).toMatchObject({ key: Buffer.from('a'), value: null })
  expect(recordOfLine(Buffer.from(':b'), shape)).toMatchObject({ key: null, value: Buffer.from('b') })
})

test('an envelope that consume -J printed is read back with headers, timestamp and tombstone', () => {
  const line = Buffer.from(printed(jsonPrinter, { value: null }).trim())
  expect(recordOfLine(line, { ...plain, isJson: true })).toEqual({
    key: Buffer.from('k'),
    value: null,
    headers: [
      ['a', '1'],
      ['a', null],
    ],
    timestamp: 1_700,
  })
})

test('a broken envelope says what is wrong', () => {
  const read = (text: string) => () => recordOfLine(Buffer.from(text), { ...plain, isJson: true })
  expect(read('{')).toThrow(/JSON/)
  expect(read('[1]')).toThrow('an envelope is a JSON object')
  expect(read('{"key":"a"}')).toThrow("has a 'payload'")
})

test('formats print each part of a record, and bytes as they are', () => {
  expect(printed(formatPrinter('%t[%p]@%o %k=%s %T %h %K %S %%\n', ''))).toBe(
    'orders[3]@42 k=v\u00e9 1700 a=1,a=NULL 1 3 %\n',
  )
  expect(printed(formatPrinter('%k|%s', 'NULL'), { key: null, value: null })).toBe('NULL|NULL')
  expect(() => formatPrinter('%x', '')).toThrow('%x is no token')
})

test('an envelope is one line of JSON with kcat names', () => {
  expect(JSON.parse(printed(jsonPrinter))).toEqual({
    topic: 'orders',
    partition: 3,
    offset: 42,
    tstype: 'create',
    ts: 1_700,
    headers: ['a', '1', 'a', null],
    key: 'k',
    payload: 'v\u00e9',
  })
})

test('-o takes ends, offsets, counts from the end and times', () => {
  expect(readPlace('beginning')).toEqual({ kind: 'beginning' })
  expect(readPlace('end')).toEqual({ kind: 'end' })
  expect(readPlace('7')).toEqual({ kind: 'offset', offset: 7 })
  expect(readPlace('-7')).toEqual({ kind: 'fromEnd', count: 7 })
  expect(readPlace('@1700')).toEqual({ kind: 'time', timestamp: 1_700 })
  expect(readPlace('s@1700')).toEqual({ kind: 'time', timestamp: 1_700 })
  expect(() => readPlace('soon')).toThrow("got 'soon'")
})

test('escapes in flags stand for their characters', () => {
  expect(unescaped('a\\tb\\n\\x1f\\\\')).toBe('a\tb\n\x1f\\')
})

const orders: TopicDescription = {
  name: 'orders',
  topicId: 'zxqKXmg6QzuUa8_btaX-EA',
  isInternal: false,
  partitions: [0, 1].map(partition => ({
    partition,
    leader: 1,
    leaderEpoch: 0,
    replicas: [1],
    isr: [1],
    offlineReplicas: [],
    elr: [],
    lastKnownElr: [],
  })),
}

// Captured from org.apache.kafka.tools.TopicCommand 4.3.1.
test('a topic is described as kafka-topics does', () => {
  const configs = [
    { name: 'min.insync.replicas', value: '1' },
    { name: 'cleanup.policy', value: 'compact' },
    { name: 'retention.ms', value: '1000' },
  ]
  expect(kafkaTopicLines(orders, configs)).toEqual([
    'Topic: orders\tTopicId: zxqKXmg6QzuUa8_btaX-EA\tPartitionCount: 2\tReplicationFactor: 1\tConfigs: min.insync.replicas=1,cleanup.policy=compact,retention.ms=1000',
    '\tTopic: orders\tPartition: 0\tLeader: 1\tReplicas: 1\tIsr: 1\tElr: \tLastKnownElr: ',
    '\tTopic: orders\tPartition: 1\tLeader: 1\tReplicas: 1\tIsr: 1\tElr: \tLastKnownElr: ',
  ])
})

test('a partition without leader, and a cluster without ELR, are described as kafka-topics does', () => {
  const partition = { ...orders.partitions[0]!, leader: -1, elr: null, lastKnownElr: null }
  expect(kafkaTopicLines({ ...orders, partitions: [partition] }, [])[1]).toBe(
    '\tTopic: orders\tPartition: 0\tLeader: none\tReplicas: 1\tIsr: 1\tElr: N/A\tLastKnownElr: N/A',
  )
})

// Captured from org.apache.kafka.tools.GetOffsetShell 4.3.1.
test('offsets are printed as kafka-get-offsets does', () => {
  expect(kafkaOffsetLine({ topic: 'orders', partition: 4, offset: 0n })).toBe('orders:4:0')
})

// Captured from org.apache.kafka.tools.TopicCommand 4.3.1.
test('names with a period or underscore bring the warning of kafka-topics', () => {
  expect(collisionWarning('orders')).toBeNull()
  expect(collisionWarning('my_topic')).toBe(
    "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could collide. To avoid issues it is best to use either, but not both.",
  )
})

// Captured from kafka.admin.ConfigCommand 4.3.1.
test('configs are printed as kafka-configs does', () => {
  const entry = { isReadOnly: false, isSensitive: false, documentation: null }
  const entries = [
    {
      ...entry,
      name: 'retention.ms',
      value: '1000',
      source: 'topic' as const,
      synonyms: [{ name: 'retention.ms', value: '1000', source: 'topic' as const }],
    },
    {
      ...entry,
      name: 'cleanup.policy',
      value: 'compact',
      source: 'topic' as const,
      synonyms: [
        { name: 'cleanup.policy', value: 'compact', source: 'topic' as const },
        { name: 'log.cleanup.policy', value: 'delete', source: 'default' as const },
      ],
    },
  ]
  expect(kafkaConfigLines({ type: 'topic', name: 'orders' }, entries, false)).toEqual([
    'Dynamic configs for topic orders are:',
    '  cleanup.policy=compact sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:cleanup.policy=compact, DEFAULT_CONFIG:log.cleanup.policy=delete}',
    '  retention.ms=1000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=1000}',
  ])
  expect(kafkaConfigLines({ type: 'topic', name: 'orders' }, [], true)).toEqual(['All configs for topic orders are:'])
})

test('listen addresses default to loopback, and mistakes say what is right', () => {
  expect(readAddress('9092')).toEqual({ host: '127.0.0.1', port: 9092 })
  expect(readAddress(':0')).toEqual({ host: '127.0.0.1', port: 0 })
  expect(readAddress('0.0.0.0:9092')).toEqual({ host: '0.0.0.0', port: 9092 })
  expect(readAddress('[::1]:9092')).toEqual({ host: '::1', port: 9092 })
  expect(() => readAddress('host:99999')).toThrow('It takes host:port')
  expect(readTopic('orders:8')).toEqual({ name: 'orders', partitions: 8 })
  expect(readTopic('orders')).toEqual({ name: 'orders', partitions: null })
  expect(() => readTopic('orders:0')).toThrow('NAME:PARTITIONS')
})

test('properties files are read as Java reads them', () => {
  expect(readProperties('# c\n! c\na.b = 1\nc:2\nd e f\nlist=x,\\\n   y\n\n')).toEqual({
    'a.b': '1',
    c: '2',
    d: 'e f',
    list: 'x,y',
  })
})

test('OAUTHBEARER takes its token from a file that is read for every login, or from a module; extensions come from the JAAS options', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-token-'))
  try {
    const file = join(dir, 'a token')
    writeFileSync(file, 'abc.def\n')
    const bearer = { 'security.protocol': 'SASL_PLAINTEXT', 'sasl.mechanism': 'OAUTHBEARER' }
    const from = (url: string) => ({ ...bearer, 'sasl.oauthbearer.token.endpoint.url': url })
    const by = (module: string) => ({ ...bearer, 'sasl.login.callback.handler.class': module })
    const jaas = 'OAuthBearerLoginModule required extension_logicalCluster="lkc-1" extension_pool="p 2";'
    const { sasl } = clientOptionsOf(
      { ...from(pathToFileURL(file).href), 'sasl.jaas.config': jaas },
      readFileSync,
    ) as unknown as { readonly sasl: { readonly token: URL } }
    expect(readSasl(sasl)).toMatchObject({
      mechanism: 'OAUTHBEARER',
      extensions: { logicalCluster: 'lkc-1', pool: 'p 2' },
    })
    const { token } = (await import(sasl.token.href)) as { readonly token: () => string }
    expect(token()).toBe('abc.def')
    writeFileSync(file, 'ghi')
    expect(token()).toBe('ghi')
    expect(clientOptionsOf(by('file:///my/login.mjs'), readFileSync)).toEqual({
      sasl: { mechanism: 'OAUTHBEARER', token: new URL('file:///my/login.mjs') },
    })
    const refusal = (properties: { readonly [name: string]: string }) => () => clientOptionsOf(properties, readFileSync)
    expect(refusal(bearer)).toThrow('needs sasl.oauthbearer.token.endpoint.url')
    expect(refusal(from('https://idp/token'))).toThrow("got 'https://idp/token'")
    expect(refusal(from(pathToFileURL(join(dir, 'none')).href))).toThrow('ENOENT')
    expect(refusal(by('com.example.Handler'))).toThrow("got 'com.example.Handler'")
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

test('security properties of Kafka become options of our clients', () => {
  const read = () => Buffer.from('PEM')
  expect(
    clientOptionsOf(
      {
        'security.protocol': 'SASL_SSL',
        'sasl.mechanism': 'SCRAM-SHA-512',
        'sasl.jaas.config':
          'org.apache.kafka.common.security.scram.ScramLoginModule required username="u" password="p";',
        'ssl.ca.location': 'ca.pem',
        'request.timeout.ms': '5000',
      },
      read,
    ),
  ).toEqual({
    tls: { ca: 'PEM' },
    sasl: { mechanism: 'SCRAM-SHA-512', username: 'u', password: 'p' },
    'request.timeout.ms': '5000',
  })
  expect(() => clientOptionsOf({ 'security.protocol': 'SASL_PLAINTEXT' }, read)).toThrow('sasl.username')
  expect(() => clientOptionsOf({ 'security.protocol': 'TLS' }, read)).toThrow("got 'TLS'")
})
