// What admin calls refuse before anybody is asked.
import { expect, test } from 'vitest'
import type { AdminSession } from './admin-session.ts'
import { ConfigsAdmin } from './configs-admin.ts'
import { GroupsAdmin } from './groups-admin.ts'
import { RecordsAdmin } from './records-admin.ts'
import { TopicsAdmin } from './topics-admin.ts'
import { TransactionsAdmin } from './transactions-admin.ts'

let asked = 0
const session = { run: async () => void asked++ } as unknown as AdminSession
const [topics, configs, groups] = [new TopicsAdmin(session), new ConfigsAdmin(session), new GroupsAdmin(session)]
const [records, transactions] = [new RecordsAdmin(session), new TransactionsAdmin(session)]
const as = (given: unknown) => given as never

test.each([
  [
    'a name for a topic',
    () => topics.create(as('orders')),
    'ODK_OPTION_INVALID',
    "topics.create takes an object of options, got 'orders'",
  ],
  ['no topic', () => topics.create(as(undefined)), 'ODK_OPTION_INVALID', 'topics.create'],
  ['a topic without a name', () => topics.create(as({ partitions: 1 })), 'ODK_OPTION_MISSING', 'name is missing'],
  [
    'a topic with a mistyped field',
    () => topics.create(as({ name: 'a', partition: 1 })),
    'ODK_OPTION_UNKNOWN',
    'did you mean partitions?',
  ],
  [
    'partitions as text',
    () => topics.create(as({ name: 'a', partitions: '3' })),
    'ODK_OPTION_INVALID',
    "partitions must be an integer, got '3'",
  ],
  [
    'no name of a topic',
    () => topics.delete(as(undefined)),
    'ODK_OPTION_INVALID',
    'topics.delete takes a name or a list of names',
  ],
  ['a number for a name', () => topics.describe(as(['a', 5])), 'ODK_OPTION_INVALID', 'got 5'],
  ['growth by nothing', () => topics.addPartitions(as({ name: 'a' })), 'ODK_OPTION_MISSING', 'count is missing'],
  [
    'configs of what there is not',
    () => configs.describe(as({ type: 'topics', name: 'a' })),
    'ODK_OPTION_INVALID',
    'type must be one of topic, broker',
  ],
  [
    'changes beside the resource',
    () => configs.set(as({ type: 'topic', name: 'a', sets: {} })),
    'ODK_OPTION_UNKNOWN',
    'did you mean set?',
  ],
  [
    'a group that is no name',
    () => groups.offsets(as({})),
    'ODK_OPTION_INVALID',
    'groups.offsets takes a name, got an object',
  ],
  [
    'offsets that are no list',
    () => groups.resetOffsets('g', as('earliest')),
    'ODK_OPTION_INVALID',
    "takes a list of partitions, got 'earliest'",
  ],
  [
    'a partition as text',
    () => groups.deleteOffsets('g', as([{ topic: 'a', partition: '0' }])),
    'ODK_OPTION_INVALID',
    'partition must be an integer',
  ],
  [
    'a place that there is not',
    () => records.offsets([{ topic: 'a', partition: 0 }], as('first')),
    'ODK_OPTION_INVALID',
    'latest, earliest',
  ],
  [
    'no offset',
    () => records.deleteBefore(as([{ topic: 'a', partition: 0 }])),
    'ODK_OPTION_MISSING',
    'offset is missing',
  ],
  [
    'no producer',
    () => transactions.abort(as({ topic: 'a', partition: 0 })),
    'ODK_OPTION_MISSING',
    'producerId is missing',
  ],
] as const)('%s is refused by name', async (_, call, code, words) => {
  await expect(call()).rejects.toMatchObject({ code, message: expect.stringContaining(words) })
})

test('partitions with all that another call said of them are taken', async () => {
  const found = { topic: 'a', partition: 0, offset: 5n, timestamp: 7, leaderEpoch: 0, errorMessage: 'none' }
  await groups.resetOffsets('g', [found])
  await groups.deleteOffsets('g', [found])
  expect(asked).toBe(2)
})
