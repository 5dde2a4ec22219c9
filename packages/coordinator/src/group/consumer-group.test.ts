import { errors } from '@odradek/shared/protocol/error-codes'
import { describe, expect, test } from 'vitest'
import { consumerGroupState } from './consumer-group.ts'
import { ConsumerMemberDouble, type MemberOptions } from './consumer-member.suite.ts'
import { GroupWorld, type WorldOptions } from './group-world.suite.ts'

function worldWith(options: WorldOptions = {}) {
  const world = new GroupWorld({ topics: { orders: 6, bills: 4 }, ...options })
  return { world, member: (id: string, more?: MemberOptions) => new ConsumerMemberDouble(world, id, more) }
}

/** Heartbeats of all until nothing changes any more. */
function settle(...members: ConsumerMemberDouble[]): void {
  for (let round = 0; round < 10; round++) for (const member of members) member.beat()
}

describe('reconciliation (KIP-848)', () => {
  test('a lone member gets everything with its first heartbeat', () => {
    const { world, member } = worldWith()
    const a = member('a')
    expect(a.beat()).toMatchObject({ errorCode: 0, memberId: 'a', memberEpoch: 1, heartbeatIntervalMs: 5_000 })
    expect(a.of('orders')).toEqual([0, 1, 2, 3, 4, 5])
    expect(consumerGroupState(world.consumer('g'))).toBe('Stable')
  })

  test('a partition moves only after its owner said that it gave it up', () => {
    const { member } = worldWith()
    const a = member('a')
    const b = member('b')
    a.beat()
    expect(b.beat()).toMatchObject({ memberEpoch: 2 })
    expect(b.of('orders')).toEqual([])
    a.beat()
    expect(a.epoch).toBe(1)
    expect(a.of('orders')).toHaveLength(3)
    b.beat()
    expect(b.of('orders')).toEqual([])
    a.beat()
    expect(a.epoch).toBe(2)
    b.beat()
    expect([...a.of('orders'), ...b.of('orders')].sort()).toEqual([0, 1, 2, 3, 4, 5])
  })

  test('those who wait are told at once when partitions are given up, and all when the group changes', () => {
    const { world, member } = worldWith()
    const a = member('a')
    const b = member('b')
    a.beat()
    b.beat()
    expect(world.news).toEqual([{ groupId: 'g', memberId: 'a' }])
    world.news.length = 0
    a.beat()
    a.beat()
    expect(world.news).toEqual([{ groupId: 'g', memberId: 'b' }])
  })

  test('changes within group.consumer.assignment.interval.ms are taken together by the first heartbeat after it (KIP-1263)', () => {
    const { world, member } = worldWith({ settings: { consumerAssignmentIntervalMs: 1_000 } })
    const [a, b, c] = [member('a'), member('b'), member('c')]
    a.beat()
    expect(a.of('orders')).toHaveLength(6)
    world.advance(400)
    b.beat()
    c.beat()
    settle(a, b, c)
    expect(consumerGroupState(world.consumer('g'))).toBe('Assigning')
    expect(world.consumer('g').assignmentEpoch).toBe(1)
    expect([a.of('orders').length, b.of('orders').length, c.of('orders').length]).toEqual([6, 0, 0])
    world.advance(600)
    settle(a, b, c)
    expect(world.consumer('g')).toMatchObject({ groupEpoch: 3, assignmentEpoch: 3 })
    expect([a.of('orders').length, b.of('orders').length, c.of('orders').length]).toEqual([2, 2, 2])
  })

  test("a group's own assignment interval goes first, within the broker's bounds", () => {
    const groupConfigs = { 'consumer.assignment.interval.ms': '60000' }
    const { world, member } = worldWith({ groupConfigs, settings: { consumerAssignmentIntervalMaxMs: 500 } })
    const [a, b] = [member('a'), member('b')]
    a.beat()
    b.beat()
    expect(world.consumer('g').assignmentEpoch).toBe(1)
    world.advance(500)
    b.beat()
    expect(world.consumer('g').assignmentEpoch).toBe(2)
  })

  test('an assignment is told when it changed or was asked for with a full request, else not', () => {
    const { member } = worldWith()
    const a = member('a')
    expect(a.beat().assignment).not.toBeNull()
    expect(a.beat().assignment).not.toBeNull()
    const brief = { rebalanceTimeoutMs: -1, subscribedTopicNames: null, topicPartitions: null }
    expect(a.beat(brief).assignment).toBeNull()
    member('b').beat()
    expect(a.beat(brief).assignment).not.toBeNull()
  })

  test('a member that leaves frees its partitions at once', () => {
    const { world, member } = worldWith()
    const [a, b] = [member('a'), member('b')]
    settle(a, b)
    expect(b.leave()).toMatchObject({ errorCode: 0, memberEpoch: -1 })
    a.beat()
    expect(a.of('orders')).toHaveLength(6)
    a.leave()
    expect(consumerGroupState(world.consumer('g'))).toBe('Empty')
  })

  test('a silent member is fenced after its session timeout', () => {
    const { world, member } = worldWith()
    const [a, b] = [member('a'), member('b')]
    settle(a, b)
    for (let i = 0; i < 10; i++) {
      world.advance(5_000)
      a.beat()
    }
    expect(a.of('orders')).toHaveLength(6)
    expect(b.beat().errorCode).toBe(errors.UNKNOWN_MEMBER_ID.code)
  })

  test('a member that does not give up partitions within its rebalance timeout is fenced', () => {
    const { world, member } = worldWith()
    const a = member('a', { rebalanceTimeoutMs: 10_000 })
    a.beat()
    const b = member('b')
    b.beat()
    const owned = a.beat().assignment!.topicPartitions
    expect(owned).toHaveLength(1)
    const holdsAll = [{ topicId: world.topicId('orders'), partitions: [0, 1, 2, 3, 4, 5] }]
    for (let i = 0; i < 3; i++) {
      world.advance(5_000)
      a.beat({ topicPartitions: holdsAll, isLost: true })
      b.beat()
    }
    expect([...world.consumer('g').members.keys()]).toEqual(['b'])
    expect(b.of('orders')).toHaveLength(6)
  })

  test('the answer with the new epoch was lost: the epoch before is taken again, and the answer repeated', () => {
    const { member } = worldWith()
    const a = member('a')
    const b = member('b')
    a.beat()
    b.beat()
    a.beat()
    a.beat({ isLost: true })
    expect(a.epoch).toBe(1)
    expect(a.beat()).toMatchObject({ errorCode: 0, memberEpoch: 2 })
    settle(a, b)
    expect([...a.of('orders'), ...b.of('orders')].sort()).toEqual([0, 1, 2, 3, 4, 5])
  })

  test('epochs that nobody gave are fenced', () => {
    const { member } = worldWith()
    const a = member('a')
    a.beat()
    for (const memberEpoch of [2, 7, 2 ** 31 - 1]) {
      expect(a.beat({ memberEpoch, isLost: true }).errorCode).toBe(errors.FENCED_MEMBER_EPOCH.code)
    }
    a.beat()
    expect(a.epoch).toBe(1)
  })

  test('three hundred members share six hundred partitions: two each, in one epoch', () => {
    const { world, member } = worldWith({ topics: { orders: 600 } })
    const members = Array.from({ length: 300 }, (_, index) => member(`m${index}`))
    for (const each of members) each.beat()
    for (let round = 0; round < 4; round++) for (const each of members) each.beat()
    expect(new Set(members.map(each => each.of('orders').length))).toEqual(new Set([2]))
    expect(consumerGroupState(world.consumer('g'))).toBe('Stable')
  })
})

describe('topics', () => {
  test('a topic that grows makes a new epoch, and members learn it with their next heartbeat', () => {
    const { world, member } = worldWith()
    const a = member('a')
    a.beat()
    world.createTopic('orders', 8)
    a.beat()
    expect(a.of('orders')).toHaveLength(8)
    expect(a.epoch).toBe(2)
  })

  test('a subscribed topic that does not exist yet is assigned when it comes', () => {
    const { world, member } = worldWith()
    const a = member('a', { topics: ['later'] })
    a.beat()
    expect(a.of('later')).toEqual([])
    world.createTopic('later', 2)
    a.beat()
    expect(a.of('later')).toEqual([0, 1])
  })

  test('members subscribe to different topics', () => {
    const { member } = worldWith()
    const [a, b] = [member('a', { topics: ['orders'] }), member('b', { topics: ['orders', 'bills'] })]
    settle(a, b)
    expect([a.of('orders').length, b.of('orders').length + b.of('bills').length]).toEqual([5, 5])
    expect(b.of('bills')).toHaveLength(4)
  })

  test('another subscription moves what it has to', () => {
    const { member } = worldWith()
    const a = member('a')
    a.beat()
    a.options = { topics: ['bills'] }
    settle(a)
    expect([a.of('orders').length, a.of('bills').length]).toEqual([0, 4])
  })

  test('a regular expression is resolved by the coordinator, anew when topics come', () => {
    const { world, member } = worldWith()
    const a = member('a', { topics: null, regex: 'b.*|ord[a-z]+' })
    a.beat()
    expect([a.of('orders').length, a.of('bills').length]).toEqual([6, 4])
    world.createTopic('bananas', 1)
    world.createTopic('xb', 1)
    a.beat()
    expect([a.of('bananas').length, a.of('xb').length]).toEqual([1, 0])
    a.options = { topics: ['bills'], regex: '' }
    settle(a)
    expect(world.consumer('g').patterns.size).toBe(0)
    expect([a.of('orders').length, a.of('bills').length]).toEqual([0, 4])
  })

  test('what is no regular expression is refused', () => {
    const { member } = worldWith()
    const reply = member('a', { topics: null, regex: '(a' }).beat()
    expect(reply.errorCode).toBe(errors.INVALID_REGULAR_EXPRESSION.code)
  })
})

describe('static members', () => {
  test('one that left for a while gets back what it had, under its new id and without moving others', () => {
    const { member } = worldWith()
    const [a, b] = [member('a', { instanceId: 'i' }), member('b')]
    settle(a, b)
    const had = a.of('orders')
    const others = b.of('orders')
    expect(a.leave(-2)).toMatchObject({ errorCode: 0, memberEpoch: -2 })
    b.beat()
    expect(b.of('orders')).toEqual(others)
    const back = member('a2', { instanceId: 'i' })
    settle(back, b)
    expect([back.of('orders'), b.of('orders')]).toEqual([had, others])
  })

  test('an instance id that is in use is not given away; one that was taken over is fenced', () => {
    const { member } = worldWith()
    const a = member('a', { instanceId: 'i' })
    a.beat()
    expect(member('a2', { instanceId: 'i' }).beat().errorCode).toBe(errors.UNRELEASED_INSTANCE_ID.code)
    const epoch = a.epoch
    a.leave(-2)
    member('a2', { instanceId: 'i' }).beat()
    expect(a.beat({ memberEpoch: epoch, isLost: true }).errorCode).toBe(errors.FENCED_INSTANCE_ID.code)
  })

  test('one that does not come back is removed after its session timeout', () => {
    const { world, member } = worldWith()
    const a = member('a', { instanceId: 'i' })
    a.beat()
    a.leave(-2)
    world.advance(45_000)
    expect(world.consumer('g').members.size).toBe(0)
  })

  test('an unknown instance cannot stay', () => {
    const { member } = worldWith()
    member('b').beat()
    const a = member('a', { instanceId: 'i' })
    expect(a.beat({ memberEpoch: 3 }).errorCode).toBe(errors.UNKNOWN_MEMBER_ID.code)
  })
})

describe('bad requests', () => {
  const bad: readonly [string, object, keyof typeof errors][] = [
    ['an empty group id', { groupId: '' }, 'INVALID_REQUEST'],
    ['an empty member id', { memberId: '' }, 'INVALID_REQUEST'],
    ['an empty instance id', { instanceId: '' }, 'INVALID_REQUEST'],
    ['an empty rack id', { rackId: '' }, 'INVALID_REQUEST'],
    ['an epoch that does not exist', { memberEpoch: -3 }, 'INVALID_REQUEST'],
    ['a static leave without an instance', { memberEpoch: -2 }, 'INVALID_REQUEST'],
    ['a join without a rebalance timeout', { rebalanceTimeoutMs: -1 }, 'INVALID_REQUEST'],
    ['a join with partitions', { topicPartitions: [{ topicId: 'x', partitions: [1] }] }, 'INVALID_REQUEST'],
    ['a join without a report', { topicPartitions: null }, 'INVALID_REQUEST'],
    ['a join without a subscription', { subscribedTopicNames: null }, 'INVALID_REQUEST'],
    ['an unknown assignor', { serverAssignor: 'mine' }, 'UNSUPPORTED_ASSIGNOR'],
    ['a group that does not exist', { memberEpoch: 1 }, 'GROUP_ID_NOT_FOUND'],
    ['leaving a group that does not exist', { memberEpoch: -1 }, 'GROUP_ID_NOT_FOUND'],
  ]

  test.each(bad)('%s is refused and changes nothing', (_, fields, code) => {
    const { world, member } = worldWith()
    expect(member('a').beat(fields as never).errorCode).toBe(errors[code].code)
    expect(world.log).toHaveLength(0)
  })

  test('group.consumer.max.size bounds the group, and members that are in it may go on', () => {
    const { member } = worldWith({ settings: { consumerSizeMax: 1 } })
    const a = member('a')
    a.beat()
    expect(member('b').beat().errorCode).toBe(errors.GROUP_MAX_SIZE_REACHED.code)
    expect(a.beat().errorCode).toBe(0)
  })

  test('without the protocol among group.coordinator.rebalance.protocols it is not supported', () => {
    const { member } = worldWith({ settings: { consumerProtocolEnabled: false } })
    expect(member('a').beat().errorCode).toBe(errors.UNSUPPORTED_VERSION.code)
  })

  test('members unknown to the group are told so', () => {
    const { member } = worldWith()
    member('a').beat()
    expect(member('b').beat({ memberEpoch: 1 }).errorCode).toBe(errors.UNKNOWN_MEMBER_ID.code)
    expect(member('b').leave().errorCode).toBe(errors.UNKNOWN_MEMBER_ID.code)
  })
})

describe('configs of a group', () => {
  test('its session timeout and heartbeat interval go before the broker’s', () => {
    const groupConfigs = { 'consumer.session.timeout.ms': '50000', 'consumer.heartbeat.interval.ms': '7000' }
    const { world, member } = worldWith({ groupConfigs })
    expect(member('a').beat().heartbeatIntervalMs).toBe(7_000)
    world.advance(49_999)
    expect(world.consumer('g').members.size).toBe(1)
    world.advance(1)
    expect(world.consumer('g').members.size).toBe(0)
  })

  test('a change takes effect with the next heartbeat, and holds after a reload', () => {
    const groupConfigs: Record<string, string> = {}
    const { world, member } = worldWith({ groupConfigs })
    const a = member('a')
    expect(a.beat().heartbeatIntervalMs).toBe(5_000)
    groupConfigs['consumer.session.timeout.ms'] = '60000'
    groupConfigs['consumer.heartbeat.interval.ms'] = '15000'
    expect(a.beat().heartbeatIntervalMs).toBe(15_000)
    world.advance(59_999)
    expect(world.consumer('g').members.size).toBe(1)
    world.reload()
    world.advance(59_999)
    expect(world.consumer('g').members.size).toBe(1)
    world.advance(1)
    expect(world.consumer('g').members.size).toBe(0)
  })

  test('what was allowed once stays within the bounds that the broker has now', () => {
    const groupConfigs = { 'consumer.session.timeout.ms': '1000', 'consumer.heartbeat.interval.ms': '99000' }
    const { world, member } = worldWith({ groupConfigs })
    expect(member('a').beat().heartbeatIntervalMs).toBe(15_000)
    world.advance(44_999)
    expect(world.consumer('g').members.size).toBe(1)
  })

  test('the assignor that most members ask for is used, else the first configured', () => {
    const { world, member } = worldWith()
    const described = () => world.answer(world.request('consumerGroupDescribe', {})).groups[0]!
    const [a, b, c] = [member('a'), member('b', { serverAssignor: 'range' }), member('c', { serverAssignor: 'range' })]
    a.beat()
    expect(described().assignorName).toBe('uniform')
    settle(a, b, c)
    expect(described()).toMatchObject({ assignorName: 'range', groupState: 'Stable' })
    expect([a.of('orders'), b.of('orders'), c.of('orders')]).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ])
  })
})

describe('offsets of members', () => {
  function commit(world: GroupWorld, memberId: string, epoch: number, partition: number): number {
    const partitions = [
      { partitionIndex: partition, committedOffset: 5, committedLeaderEpoch: -1, committedMetadata: '' },
    ]
    const topics = [{ name: 'orders', topicId: world.topicId('orders'), partitions }]
    const request = { memberId, generationIdOrMemberEpoch: epoch, topics }
    return world.answer(world.request('offsetCommit', request, { apiVersion: 9 })).topics[0]!.partitions[0]!.errorCode
  }

  test('a commit is taken in the member’s epoch, and in an older one where the partition was its own then (KIP-1251)', () => {
    const { world, member } = worldWith()
    const [a, b] = [member('a'), member('b')]
    a.beat()
    settle(a, b)
    const [kept] = a.of('orders')
    const [moved] = b.of('orders')
    expect(commit(world, 'a', 2, kept!)).toBe(0)
    expect(commit(world, 'a', 1, kept!)).toBe(0)
    expect(commit(world, 'a', 1, moved!)).toBe(errors.STALE_MEMBER_EPOCH.code)
    expect(commit(world, 'b', 1, moved!)).toBe(errors.STALE_MEMBER_EPOCH.code)
    expect(commit(world, 'a', 3, kept!)).toBe(errors.STALE_MEMBER_EPOCH.code)
    expect(commit(world, 'nobody', 1, kept!)).toBe(errors.UNKNOWN_MEMBER_ID.code)
    expect(commit(world, '', -1, kept!)).toBe(errors.UNKNOWN_MEMBER_ID.code)
  })

  test('a commit by a version that knows no epochs is refused', () => {
    const { world, member } = worldWith()
    member('a').beat()
    const partitions = [{ partitionIndex: 0, committedOffset: 5, committedLeaderEpoch: -1, committedMetadata: '' }]
    const topics = [{ name: 'orders', topicId: '', partitions }]
    const request = { memberId: 'a', generationIdOrMemberEpoch: 1, topics }
    const reply = world.answer(world.request('offsetCommit', request, { apiVersion: 8 }))
    expect(reply.topics[0]!.partitions[0]!.errorCode).toBe(errors.UNSUPPORTED_VERSION.code)
  })

  test('a member that asks for offsets must be in its epoch', () => {
    const { world, member } = worldWith()
    member('a').beat()
    const fetch = (memberId: string, memberEpoch: number) =>
      world.answer(world.request('offsetFetch', { groups: [{ groupId: 'g', memberId, memberEpoch, topics: null }] }))
        .groups[0]!.errorCode
    expect(fetch('a', 1)).toBe(0)
    expect(fetch('a', 0)).toBe(errors.STALE_MEMBER_EPOCH.code)
    expect(fetch('b', 1)).toBe(errors.UNKNOWN_MEMBER_ID.code)
  })
})

describe('groups of both protocols', () => {
  test('a group that nobody is in becomes one of the protocol of the first that comes, and keeps its offsets', () => {
    const { world, member } = worldWith()
    const topics = [
      {
        name: 'orders',
        topicId: '',
        partitions: [{ partitionIndex: 0, committedOffset: 5, committedLeaderEpoch: -1, committedMetadata: '' }],
      },
    ]
    world.request('offsetCommit', { topics }, { apiVersion: 9 })
    const a = member('a')
    expect(a.beat().errorCode).toBe(0)
    expect(world.state.offsets.committed.get('g')!.size).toBe(1)
    a.leave()
    const joined = world.request('joinGroup', {}, { apiVersion: 3 })
    expect(world.answer(joined).errorCode).toBe(0)
    expect(world.classic('g').members.size).toBe(1)
    world.reload()
    expect(world.state.offsets.committed.get('g')!.size).toBe(1)
  })

  test('a consumer group without members is deleted with all its records', () => {
    const { world, member } = worldWith()
    const a = member('a')
    a.beat()
    const remove = () => world.answer(world.request('deleteGroups', {})).results[0]!.errorCode
    expect(remove()).toBe(errors.NON_EMPTY_GROUP.code)
    a.leave()
    expect(remove()).toBe(0)
    world.reload()
    expect(world.state.groups.size).toBe(0)
  })
})

test('after the coordinator died members go on in their epochs, and sessions count', () => {
  const { world, member } = worldWith()
  const [a, b] = [member('a'), member('b')]
  settle(a, b)
  const epochs = [a.epoch, b.epoch]
  world.reload()
  expect(a.beat()).toMatchObject({ errorCode: 0, memberEpoch: epochs[0] })
  world.advance(45_000)
  expect(world.consumer('g').members.size).toBe(0)
})

test('one heartbeat that changes nothing writes nothing', () => {
  const { world, member } = worldWith()
  const [a, b] = [member('a'), member('b')]
  settle(a, b)
  const before = world.log.length
  settle(a, b)
  expect(world.log.length).toBe(before)
})

test('the story that REBALANCE.md tells of the consumer protocol', () => {
  const { world, member } = worldWith({ topics: { orders: 4 } })
  const [a, b] = [member('a'), member('b')]
  const beat = (who: ConsumerMemberDouble) => {
    const { memberEpoch } = who.beat()
    const { groupEpoch, assignmentEpoch, members } = world.consumer('g')
    return [memberEpoch, who.of('orders'), groupEpoch, assignmentEpoch, members.get(who.memberId)!.state]
  }
  expect(beat(a)).toEqual([1, [0, 1, 2, 3], 1, 1, 'Stable'])
  expect(beat(b)).toEqual([2, [], 2, 2, 'UnreleasedPartitions'])
  expect(beat(a)).toEqual([1, [0, 1], 2, 2, 'UnrevokedPartitions'])
  expect(beat(a)).toEqual([2, [0, 1], 2, 2, 'Stable'])
  expect(beat(b)).toEqual([2, [2, 3], 2, 2, 'Stable'])
})
