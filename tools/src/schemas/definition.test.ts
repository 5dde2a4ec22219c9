// The printed schemas: Kafka's shape, one by one and as the program prints them.

import { spawnSync } from 'node:child_process'
import { fetchRequest } from '@odradek/shared/protocol/messages/01-fetch'
import { expect, test } from 'vitest'
import { definitionOf } from './definition.ts'

const definition = definitionOf(fetchRequest)
const field = (name: string) => definition.fields.find(candidate => candidate.name === name)

test('a message has its key, type and versions', () => {
  expect(definition).toMatchObject({
    apiKey: 1,
    type: 'request',
    name: 'FetchRequest',
    validVersions: '4-18',
    flexibleVersions: '12+',
  })
})

test('a field has the keys that differ from their default, under the names of Kafka', () => {
  expect(field('ClusterId')).toEqual({
    name: 'ClusterId',
    type: 'string',
    versions: '12+',
    nullableVersions: '12+',
    tag: 0,
    taggedVersions: '12+',
    default: 'null',
    ignorable: true,
  })
  expect(field('MaxWaitMs')).toEqual({ name: 'MaxWaitMs', type: 'int32', versions: '0+' })
})

test('a struct carries its fields', () => {
  expect(field('ForgottenTopicsData')).toMatchObject({ type: '[]struct' })
  expect(field('ForgottenTopicsData')!.fields!.map(inner => `${inner.name} ${inner.type}`)).toEqual([
    'Topic string',
    'TopicId uuid',
    'Partitions []int32',
  ])
})

test.each([
  [[], 'FetchRequest', 'ConsumerProtocolAssignment', 'OffsetCommitValue'],
  [['--all'], 'OffsetCommitValue', 'PartitionRecord', 'none'],
])('the program prints every message once: %j', (args, first, second, absent) => {
  const entry = new URL('../../dist/schemas/main.js', import.meta.url).pathname
  const { stdout } = spawnSync(process.execPath, [entry, ...args], { encoding: 'utf8', maxBuffer: 1 << 26 })
  const names = JSON.parse(stdout).map((message: { name: string }) => message.name)
  expect(new Set(names).size).toBe(names.length)
  expect(names).toEqual(expect.arrayContaining([first, second]))
  expect(names).not.toContain(absent)
})
