import { encodeAssignment, encodeSubscription } from '@odradek/shared/client/assignors/subscription-bytes'
import { errors } from '@odradek/shared/protocol/error-codes'
import { consumerProtocolAssignment } from '@odradek/shared/protocol/stored/consumer-protocol.records'
import { decodeVersionedLenient } from '@odradek/shared/protocol/stored/versioned'
import { describe, expect, test } from 'vitest'
import { ConsumerMemberDouble } from './consumer-member.suite.ts'
import { GroupWorld, type WorldOptions } from './group-world.suite.ts'

const PARTITIONS = 6
const V3 = { apiVersion: 3 }

/** A classic consumer of `orders` that gives everything up before it joins. */
class ClassicMember {
  readonly world: GroupWorld
  memberId = ''
  generation = -1
  owned: number[] = []

  constructor(world: GroupWorld) {
    this.world = world
  }

  join({ groupInstanceId = null as string | null } = {}) {
    this.owned = []
    const subscription = { topics: ['orders'], ownedPartitions: [], generationId: -1, rackId: null, userData: null }
    const protocols = [{ name: 'range', metadata: encodeSubscription(subscription) }]
    return this.world.request('joinGroup', { memberId: this.memberId, groupInstanceId, protocols }, V3)
  }

  /** Joins and syncs in a consumer group, where both are answered at once. */
  rejoin(): number {
    const joined = this.world.answer(this.join())
    if (joined.errorCode !== 0) return joined.errorCode
    this.memberId = joined.memberId
    this.generation = joined.generationId
    return this.sync()
  }

  sync(assignments: { memberId: string; assignment: Uint8Array }[] = []): number {
    const { memberId, generation: generationId } = this
    const { errorCode, assignment } = this.world.answer(
      this.world.request('syncGroup', { memberId, generationId, assignments }),
    )
    if (errorCode === 0) {
      const { assignedPartitions } = decodeVersionedLenient(consumerProtocolAssignment, assignment)
      this.owned = assignedPartitions.flatMap(({ partitions }) => partitions)
    }
    return errorCode
  }

  beat(): number {
    const errorCode = this.live()
    return errorCode === errors.REBALANCE_IN_PROGRESS.code ? this.rejoin() : errorCode
  }

  /** A heartbeat of a client whose application is stuck: whatever the answer is, it does not join anew. */
  live(): number {
    const { memberId, generation: generationId } = this
    return this.world.answer(this.world.request('heartbeat', { memberId, generationId })).errorCode
  }

  commit(generationIdOrMemberEpoch: number, partitionIndex: number): number {
    const partitions = [{ partitionIndex, committedOffset: 5, committedLeaderEpoch: -1, committedMetadata: '' }]
    const topics = [{ name: 'orders', topicId: '', partitions }]
    const request = { memberId: this.memberId, generationIdOrMemberEpoch, topics }
    const reply = this.world.answer(this.world.request('offsetCommit', request, { apiVersion: 9 }))
    return reply.topics[0]!.partitions[0]!.errorCode
  }

  leave() {
    const { memberId } = this
    return this.world.answer(
      this.world.request('leaveGroup', { members: [{ memberId, groupInstanceId: null, reason: null }] }),
    ).members[0]!.errorCode
  }
}

/** A stable classic group of one, and a member of the consumer protocol that has not come yet. */
function classicGroup(options: WorldOptions = {}) {
  const world = new GroupWorld({ topics: { orders: PARTITIONS }, ...options })
  const old = new ClassicMember(world)
  const joined = world.answer(old.join())
  old.memberId = joined.memberId
  old.generation = joined.generationId
  const all = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: 'orders', partition }))
  old.sync([{ memberId: old.memberId, assignment: encodeAssignment(all) }])
  return { world, old, young: new ConsumerMemberDouble(world, 'young') }
}

function settle(old: ClassicMember, young: ConsumerMemberDouble): void {
  for (let round = 0; round < 6; round++) {
    young.beat()
    old.beat()
    const both = [...old.owned, ...young.of('orders')]
    expect(new Set(both).size).toBe(both.length)
  }
}

describe('upgrade', () => {
  test('a member of the consumer protocol comes to classic ones: both share the partitions, none is read twice', () => {
    const { world, old, young } = classicGroup()
    expect(young.beat()).toMatchObject({ errorCode: 0, memberEpoch: 2 })
    expect(world.consumer('g').members.size).toBe(2)
    expect(young.of('orders')).toEqual([])
    settle(old, young)
    expect([old.owned.length, young.of('orders').length]).toEqual([3, 3])
    expect(old.generation).toBe(young.epoch)
  })

  test('ConsumerGroupDescribe tells members of the two protocols apart (KIP-1099)', () => {
    const { world, old, young } = classicGroup()
    settle(old, young)
    const { members } = world.answer(world.request('consumerGroupDescribe', {})).groups[0]!
    expect(members.map(({ memberType }) => memberType).sort()).toEqual([0, 1])
  })

  test('it survives a restart, and classic sessions count', () => {
    const { world, old, young } = classicGroup()
    settle(old, young)
    world.reload()
    expect(old.beat()).toBe(0)
    world.advance(10_000)
    expect([...world.consumer('g').members.keys()]).toEqual(['young'])
  })

  test('whoever waits in a rebalance is told to join anew', () => {
    const { world, young } = classicGroup()
    const waiting = new ClassicMember(world).join()
    young.beat()
    expect(world.answer(waiting).errorCode).toBe(errors.REBALANCE_IN_PROGRESS.code)
  })

  test('a classic member may come to a consumer group, and a wrong generation is fenced', () => {
    const { world, old, young } = classicGroup()
    settle(old, young)
    const late = new ClassicMember(world)
    expect(late.rejoin()).toBe(0)
    for (let round = 0; round < 6; round++) for (const member of [late, old, young]) member.beat()
    expect([late.owned.length, old.owned.length, young.of('orders').length]).toEqual([2, 2, 2])
    late.generation++
    expect(late.beat()).toBe(errors.ILLEGAL_GENERATION.code)
  })

  test('one that heartbeats and never joins anew holds the others up no longer than its rebalance timeout', () => {
    const { world, old, young } = classicGroup()
    young.beat()
    for (let second = 0; second < 60; second += 5) {
      expect(old.live()).toBe(errors.REBALANCE_IN_PROGRESS.code)
      world.advance(5_000)
      young.beat()
    }
    expect(old.live()).toBe(errors.UNKNOWN_MEMBER_ID.code)
    young.beat()
    expect(young.of('orders')).toHaveLength(PARTITIONS)
  })

  test('one that has joined and does not sync is out after its rebalance timeout, whatever it heartbeats', () => {
    const { world, old, young } = classicGroup()
    young.beat()
    old.generation = world.answer(old.join()).generationId
    for (let second = 0; second < 60; second += 5) {
      expect(old.live()).not.toBe(errors.UNKNOWN_MEMBER_ID.code)
      world.advance(5_000)
      young.beat()
    }
    expect([...world.consumer('g').members.keys()]).toEqual(['young'])
  })

  test('one that does all that it is asked for stays, however long the group lives', () => {
    const { world, old, young } = classicGroup()
    for (let second = 0; second < 300; second += 5) {
      young.beat()
      expect(old.beat()).toBe(0)
      world.advance(5_000)
    }
    expect([old.owned.length, young.of('orders').length]).toEqual([3, 3])
  })

  test('a SyncGroup that a new epoch has passed is told to join anew, unless the member has joined to give partitions up', () => {
    const { world, old, young } = classicGroup()
    settle(old, young)
    const next = new ConsumerMemberDouble(world, 'next')
    next.beat()
    expect(old.sync()).toBe(errors.REBALANCE_IN_PROGRESS.code)
    expect(old.rejoin()).toBe(0)
  })

  test('a classic member commits in its generation, and in an older one where the partition was its own then (KIP-1251)', () => {
    const { old, young } = classicGroup()
    settle(old, young)
    const [kept] = old.owned
    const [moved] = young.of('orders')
    expect(old.generation).toBe(2)
    expect([old.commit(2, kept!), old.commit(1, kept!)]).toEqual([0, 0])
    expect(old.commit(1, moved!)).toBe(errors.ILLEGAL_GENERATION.code)
    expect(old.commit(3, kept!)).toBe(errors.ILLEGAL_GENERATION.code)
  })

  test('a classic member that asks for offsets in another generation is told so in its own words', () => {
    const { world, old, young } = classicGroup()
    settle(old, young)
    const fetch = (memberEpoch: number) => {
      const groups = [{ groupId: 'g', memberId: old.memberId, memberEpoch, topics: null }]
      return world.answer(world.request('offsetFetch', { groups })).groups[0]!.errorCode
    }
    expect([fetch(2), fetch(1)]).toEqual([0, errors.ILLEGAL_GENERATION.code])
  })

  test('within group.consumer.assignment.interval.ms classic members are not told to join for a target that is not there', () => {
    const { world, old, young } = classicGroup({ settings: { consumerAssignmentIntervalMs: 8_000 } })
    settle(old, young)
    world.advance(8_000)
    for (const member of [young, old]) member.beat()
    settle(old, young)
    new ConsumerMemberDouble(world, 'next').beat()
    expect(old.live()).toBe(0)
    world.advance(7_999)
    expect(old.live()).toBe(0)
    world.advance(1)
    expect(old.live()).toBe(errors.REBALANCE_IN_PROGRESS.code)
    expect(old.rejoin()).toBe(0)
    expect(old.generation).toBe(world.consumer('g').groupEpoch)
  })

  test.each(['disabled', 'downgrade'] as const)('with the policy %s it is not allowed', migrationPolicy => {
    const { world, young } = classicGroup({ settings: { migrationPolicy } })
    expect(young.beat().errorCode).toBe(errors.GROUP_ID_NOT_FOUND.code)
    expect(world.classic('g').state).toBe('Stable')
  })

  test('a group that is no group of consumers stays as it is', () => {
    const { world } = classicGroup()
    world.request('joinGroup', { groupId: 'c', protocolType: 'connect' }, V3)
    const young = new ConsumerMemberDouble(world, 'young', { groupId: 'c' })
    expect(young.beat().errorCode).toBe(errors.GROUP_ID_NOT_FOUND.code)
  })
})

describe('downgrade', () => {
  test('the last member of the consumer protocol leaves: the rest is a classic group again, and rebalances', () => {
    const { world, old, young } = classicGroup()
    settle(old, young)
    young.leave()
    const group = world.classic('g')
    expect(group.state).toBe('PreparingRebalance')
    expect(world.answer(old.join())).toMatchObject({ errorCode: 0, generationId: group.generationId + 1 })
    world.reload()
    expect(world.classic('g').members.size).toBe(1)
  })

  test('the last static member of the consumer protocol comes back with the classic one: the group is classic again, and rebalances', () => {
    const { world, old, young } = classicGroup()
    young.options = { instanceId: 'i' }
    settle(old, young)
    young.leave(-2)
    const heir = new ClassicMember(world)
    const joined = world.answer(heir.join({ groupInstanceId: 'i' }))
    expect(joined).toMatchObject({ errorCode: 0, generationId: 2 })
    const group = world.classic('g')
    expect(group.state).toBe('PreparingRebalance')
    heir.memberId = joined.memberId
    heir.generation = joined.generationId
    expect(heir.sync()).toBe(errors.REBALANCE_IN_PROGRESS.code)
    const waiting = old.join()
    expect(world.answer(heir.join({ groupInstanceId: 'i' })).generationId).toBe(3)
    expect(world.answer(waiting).generationId).toBe(3)
  })

  test('a group with more members than group.max.size stays a consumer group', () => {
    const { world, old, young } = classicGroup({ settings: { classicSizeMax: 1 } })
    const second = new ClassicMember(world)
    settle(old, young)
    expect(second.rejoin()).toBe(0)
    young.leave()
    expect(world.consumer('g').members.size).toBe(2)
  })

  test('with migration disabled nobody comes to a consumer group with the classic protocol', () => {
    const world = new GroupWorld({ topics: { orders: PARTITIONS }, settings: { migrationPolicy: 'disabled' } })
    new ConsumerMemberDouble(world, 'young').beat()
    expect(new ClassicMember(world).rejoin()).toBe(errors.INCONSISTENT_GROUP_PROTOCOL.code)
  })

  test('where the policy does not allow it the group stays a consumer group', () => {
    const { world, old, young } = classicGroup({ settings: { migrationPolicy: 'upgrade' } })
    settle(old, young)
    young.leave()
    for (let round = 0; round < 3; round++) old.beat()
    expect(world.consumer('g').members.size).toBe(1)
    expect(old.owned).toHaveLength(PARTITIONS)
  })

  test('the last classic member leaves by LeaveGroup, and its partitions are free', () => {
    const { world, old, young } = classicGroup()
    settle(old, young)
    expect(old.leave()).toBe(0)
    young.beat()
    expect(young.of('orders')).toHaveLength(PARTITIONS)
    expect(old.leave()).toBe(errors.UNKNOWN_MEMBER_ID.code)
    expect(world.consumer('g').members.size).toBe(1)
  })
})
