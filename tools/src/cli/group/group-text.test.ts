// What group commands read and print, apart from any cluster. The expected lines were printed by kafka-consumer-groups of Apache Kafka 4.3.1.
import type { GroupDescription, GroupMember } from '@odradek/shared/client/admin'
import { expect, test } from 'vitest'
import {
  kafkaListLines,
  kafkaMemberLines,
  kafkaPositionLines,
  kafkaResetLines,
  kafkaStateLines,
  kafkaStateRemark,
} from './kafka-groups.rules.ts'
import { groupPositions } from './positions.rules.ts'
import { readResetFile, readTopicArgument, resetOffset, scenarioOf, timeOf } from './reset-plan.rules.ts'

const member: GroupMember = {
  memberId: 'app-163b2229-fb8b-41e8-95a3-7aae173779ba',
  groupInstanceId: null,
  clientId: 'app',
  host: '/127.0.0.1',
  rackId: null,
  memberEpoch: null,
  assignment: [0, 1].map(partition => ({ topic: 'orders', partition })),
  targetAssignment: null,
  isUpgraded: null,
}
const group: GroupDescription = {
  groupId: 'alpha',
  type: 'classic',
  state: 'Stable',
  protocolType: 'consumer',
  assignor: 'range',
  groupEpoch: null,
  targetAssignmentEpoch: null,
  coordinator: { nodeId: 1, host: '127.0.0.1', port: 44_711 },
  members: [member],
}
const committed = [0, 2].map(partition => ({
  topic: 'orders',
  partition,
  offset: 7n,
  leaderEpoch: partition - 1,
  metadata: '',
}))
const positions = groupPositions([member], committed, () => 10n)

test('positions: partitions of members first, also without a commit; then those that nobody owns', () => {
  expect(positions.map(({ partition, offset, lag }) => [partition, offset, lag])).toEqual([
    [0, 7n, 3n],
    [1, null, null],
    [2, 7n, 3n],
  ])
  expect(positions.map(each => each.member === null)).toEqual([false, false, true])
})

test('positions as Kafka prints them', () => {
  expect(kafkaPositionLines('alpha', positions, false)).toEqual([
    '',
    'GROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG             CONSUMER-ID                              HOST            CLIENT-ID',
    'alpha           orders          0          7               10              3               app-163b2229-fb8b-41e8-95a3-7aae173779ba /127.0.0.1      app',
    'alpha           orders          1          -               10              -               app-163b2229-fb8b-41e8-95a3-7aae173779ba /127.0.0.1      app',
    'alpha           orders          2          7               10              3               -                                        -               -',
  ])
  expect(kafkaPositionLines('alpha', [], true)[1]).toBe(
    'GROUP           TOPIC           PARTITION  LEADER-EPOCH    CURRENT-OFFSET  LOG-END-OFFSET  LAG             CONSUMER-ID     HOST            CLIENT-ID',
  )
})

test('members and state as Kafka prints them', () => {
  const modern = {
    ...group,
    groupId: 'newer',
    assignor: 'uniform',
    groupEpoch: 2,
    targetAssignmentEpoch: 2,
    members: [{ ...member, memberId: 'f6rI_5daQD275tzGr95ffw', memberEpoch: 2, targetAssignment: member.assignment }],
  }
  expect(kafkaMemberLines(group, false)).toEqual([
    '',
    'GROUP           CONSUMER-ID                              HOST            CLIENT-ID       #PARTITIONS     ',
    'alpha           app-163b2229-fb8b-41e8-95a3-7aae173779ba /127.0.0.1      app             2               ',
  ])
  expect(kafkaMemberLines(modern, true)).toEqual([
    '',
    'GROUP           CONSUMER-ID            HOST            CLIENT-ID       #PARTITIONS     CURRENT-EPOCH   CURRENT-ASSIGNMENT   TARGET-EPOCH    TARGET-ASSIGNMENT   ',
    'newer           f6rI_5daQD275tzGr95ffw /127.0.0.1      app             2               2               orders:0,1           2               orders:0,1          ',
  ])
  expect(kafkaStateLines(group, false)).toEqual([
    '',
    'GROUP           COORDINATOR (ID)          ASSIGNMENT-STRATEGY  STATE                #MEMBERS',
    'alpha           127.0.0.1:44711  (1)      range                Stable               1',
  ])
  expect(kafkaStateLines(modern, true)).toEqual([
    '',
    'GROUP           COORDINATOR (ID)          ASSIGNMENT-STRATEGY  STATE                GROUP-EPOCH     TARGET-ASSIGNMENT-EPOCH   #MEMBERS',
    'newer           127.0.0.1:44711  (1)      uniform              Stable               2               2                         1',
  ])
})

test('lists, resets and the remark about an empty group as Kafka prints them', () => {
  const listed = [{ groupId: 'empty', type: 'classic', protocolType: 'consumer', state: 'Empty' } as const]
  expect(kafkaListLines(listed, { state: false, type: false })).toEqual(['empty'])
  expect(kafkaListLines(listed, { state: false, type: true })).toEqual([
    'GROUP                     TYPE                ',
    'empty                     Classic             ',
  ])
  expect(kafkaResetLines('empty', [{ topic: 'orders', partition: 0, offset: 9n }])).toEqual([
    '',
    'GROUP           TOPIC           PARTITION  NEW-OFFSET',
    'empty           orders          0          9',
  ])
  expect(kafkaStateRemark({ groupId: 'empty', state: 'Empty' })).toBe("\nConsumer group 'empty' has no active members.")
  expect(kafkaStateRemark(group)).toBeNull()
})

test('a reset goes where it is told, and never outside of what there is', () => {
  const facts = { topic: 'orders', partition: 0, beginning: 2n, end: 10n, current: 5n, atTime: null }
  expect(resetOffset('toEarliest', {}, facts)).toBe(2n)
  expect(resetOffset('toLatest', {}, facts)).toBe(10n)
  expect(resetOffset('toCurrent', {}, facts)).toBe(5n)
  expect(resetOffset('toCurrent', {}, { ...facts, current: null })).toBe(10n)
  expect(resetOffset('toOffset', { toOffset: 1 }, facts)).toBe(2n)
  expect(resetOffset('shiftBy', { shiftBy: -2 }, facts)).toBe(3n)
  expect(resetOffset('shiftBy', { shiftBy: 99 }, facts)).toBe(10n)
  expect(() => resetOffset('shiftBy', { shiftBy: 1 }, { ...facts, current: null })).toThrow('no committed offset')
  expect(resetOffset('toDatetime', {}, { ...facts, atTime: 4n })).toBe(4n)
  expect(resetOffset('byDuration', {}, facts)).toBe(10n)
})

test("exactly one scenario is asked for; dates are UTC, durations Java's", () => {
  expect(scenarioOf({ shiftBy: 0 })).toBe('shiftBy')
  expect(() => scenarioOf({})).toThrow('exactly one of --to-earliest')
  expect(() => scenarioOf({ toLatest: true, shiftBy: 1 })).toThrow('exactly one')
  expect(timeOf({ toDatetime: '1970-01-01T00:00:01.500' }, 0)).toBe(1_500)
  expect(timeOf({ toDatetime: '1970-01-01T01:00:00+01:00' }, 0)).toBe(0)
  expect(() => timeOf({ toDatetime: 'yesterday' }, 0)).toThrow("got 'yesterday'")
  expect(timeOf({ byDuration: 'PT1M' }, 90_000)).toBe(30_000)
  expect(() => timeOf({ byDuration: '1m' }, 0)).toThrow("got '1m'")
})

test('topics may name partitions; files may name groups', () => {
  expect(readTopicArgument('orders')).toEqual({ topic: 'orders', partitions: null })
  expect(readTopicArgument('orders:0,12')).toEqual({ topic: 'orders', partitions: [0, 12] })
  expect(() => readTopicArgument('orders:x')).toThrow("got 'orders:x'")
  expect(readResetFile('a,0,7\nother,a,1,8\nmine,a,2,9\n', 'mine')).toEqual([
    { topic: 'a', partition: 0, offset: 7n },
    { topic: 'a', partition: 2, offset: 9n },
  ])
  expect(() => readResetFile('a,0\n', 'mine')).toThrow('line 1: it takes topic,partition,offset')
})
