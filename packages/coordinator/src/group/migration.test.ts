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

  join() {
    this.owned = []
    const subscription = { topics: ['orders'], ownedPartitions: [], generationId: -1, rackId: null, userData: null }
    const protocols = [{ name: 'range', metadata: encodeSubscription(subscription) }]
    return this.world.request('joinGroup', { memberId: this.memberId, protocols }, V3)
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
    const { memberId, generation: generationId } = this
    const { errorCode } = this.world.answer(this.world.request('heartbeat', { memberId, generationId }))
    return errorCode === errors.REBALANCE_IN_PROGRESS.code ? this.rejoin() : errorCode
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
