import { expect, test } from 'vitest'
import { ConsumerMemberDouble } from './consumer-member.suite.ts'
import { GroupWorld } from './group-world.suite.ts'

test('DescribeGroups does not find a consumer group, ConsumerGroupDescribe no classic one', () => {
  const world = new GroupWorld({ topics: { orders: 6 } })
  new ConsumerMemberDouble(world, 'a').beat()
  expect(world.answer(world.request('describeGroups', {})).groups[0]!.errorMessage).toContain('not a classic group')
  world.request('joinGroup', { groupId: 'c' })
  const described = world.answer(world.request('consumerGroupDescribe', { groupIds: ['c', 'none', 'g'] })).groups
  expect(described.map(({ errorCode }) => errorCode)).toEqual([69, 69, 0])
  expect(described[2]!.members[0]!.assignment.topicPartitions[0]!.topicName).toBe('orders')
})

test('who asks is told what it may do with a group: everything, in the bits of Kafka (KIP-430)', () => {
  const world = new GroupWorld({ topics: { orders: 6 } })
  new ConsumerMemberDouble(world, 'a').beat()
  world.request('joinGroup', { groupId: 'c' })
  const asked = { includeAuthorizedOperations: true }
  const [READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS] = [3, 6, 8, 10, 11]
  const all = [READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS].reduce((bits, bit) => bits | (1 << bit), 0)
  const classic = world.request('describeGroups', { groups: ['c', 'none'], ...asked })
  const consumer = world.request('consumerGroupDescribe', { groupIds: ['g', 'none'], ...asked })
  for (const { groups } of [world.answer(classic), world.answer(consumer)])
    expect(groups.map(({ authorizedOperations }) => authorizedOperations)).toEqual([all, -(2 ** 31)])
  const unasked = world.answer(world.request('describeGroups', { groups: ['c'] })).groups
  expect(unasked[0]!.authorizedOperations).toBe(-(2 ** 31))
})
