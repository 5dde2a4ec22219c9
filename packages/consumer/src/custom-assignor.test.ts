import { string } from '@odradek/shared/client/codecs'
import { topic } from '@odradek/shared/client/topic'
import type { GroupMetadata } from '@odradek/shared/contracts/consumer.contract'
import { describe, expect, it } from 'vitest'
import type { Consumer } from './consumer-client.ts'
import { readConsumerOptions } from './consumer-options.ts'
import { consumerWorld } from './consumer-world.suite.ts'
import { FakeGroup } from './fake-group.suite.ts'
import { takenTooEarly, withheld } from './membership.rules.ts'
import type { AssignorCluster, MemberAssignment, MemberSubscription, PartitionAssignor } from './partition-assignor.ts'

const words = topic('words', { key: string(), value: string() })
const group = { groupId: 'g', heartbeatIntervalMs: 100, sessionTimeoutMs: 1_000 }
const bytes = (text: string) => new TextEncoder().encode(text)
const textOf = (given: Uint8Array | null | undefined) => (given ? new TextDecoder().decode(given) : null)

function groupWorld(partitions: number, racks: (string | null)[] = [null]) {
  const { world, cluster, create } = consumerWorld(1)
  cluster.racks = racks
  cluster.addTopic('words', partitions)
  return { world, cluster, create, coordinator: new FakeGroup(cluster, world.clock) }
}

/** Reads in the background; what ends the reading is kept. */
function reading(consumer: Consumer): { error: unknown; values: string[] } {
  const seen: { error: unknown; values: string[] } = { error: null, values: [] }
  const read = async () => {
    for await (const { value } of consumer.stream(words)) seen.values.push(value!)
  }
  read().catch(error => {
    seen.error = error
  })
  return seen
}

const partitionsOf = (consumer: Consumer) => consumer.assignment().map(({ partition }) => partition)

type Members = ReadonlyMap<string, MemberSubscription>

/** Gives everything to the member whose user data is the greatest number. */
function heaviest(weight: number, changes: Partial<PartitionAssignor> = {}) {
  const told: { assignment: MemberAssignment; member: GroupMetadata }[] = []
  const asked: { cluster: AssignorCluster; members: Members }[] = []
  const assignor: PartitionAssignor = {
    name: 'heaviest',
    subscriptionUserData: () => bytes(String(weight)),
    assign(cluster, members) {
      asked.push({ cluster, members })
      const weightOf = (id: string) => Number(textOf(members.get(id)!.userData))
      const [first] = [...members.keys()].sort((a, b) => weightOf(b) - weightOf(a))
      const { partitions } = cluster.topics.get('words')!
      const all = partitions.map((_, partition) => ({ topic: 'words', partition }))
      return new Map([[first!, { partitions: all, userData: bytes('you are it') }]])
    },
    onAssignment: (assignment, member) => void told.push({ assignment, member }),
    ...changes,
  }
  return { assignor, told, asked }
}

describe('an assignor of the user', () => {
  it('divides by the user data of the members, and tells each of them what it got', async () => {
    const { world, create, coordinator } = groupWorld(3)
    const [light, heavy] = [heaviest(1), heaviest(2)]
    const [a, b] = [light, heavy].map(({ assignor }) => create({ ...group, partitionAssignmentStrategy: assignor }))
    reading(a!)
    await world.advance(500)
    expect(partitionsOf(a!)).toEqual([0, 1, 2])
    reading(b!)
    await world.advance(1_000)
    expect(coordinator.protocolName).toBe('heaviest')
    expect([partitionsOf(a!), partitionsOf(b!)]).toEqual([[], [0, 1, 2]])
    expect(textOf(heavy.told.at(-1)!.assignment.userData)).toBe('you are it')
    expect(heavy.told.at(-1)!.assignment.partitions).toHaveLength(3)
    expect(heavy.told.at(-1)!.member).toMatchObject({ groupId: 'g', memberId: 'member-2', generationId: 2 })
    // Left out of the answer: an empty share, told all the same.
    expect(light.told.at(-1)!.assignment).toEqual({ partitions: [], userData: null })
  })

  it('is shown the brokers with their racks, the leaders and replicas, and what each member said of itself', async () => {
    const { world, create } = groupWorld(2, ['east', 'west'])
    const { assignor, asked } = heaviest(1)
    const consumer = create({ ...group, clientRack: 'west', partitionAssignmentStrategy: [assignor] })
    reading(consumer)
    await world.advance(500)
    const { cluster, members } = asked[0]!
    expect(cluster.brokers.map(({ nodeId, rack }) => [nodeId, rack])).toEqual([
      [0, 'east'],
      [1, 'west'],
    ])
    expect(cluster.topics.get('words')!.partitions).toEqual([
      { leader: 0, replicas: [0] },
      { leader: 1, replicas: [1] },
    ])
    expect([...members.values()]).toMatchObject([{ topics: ['words'], rackId: 'west', ownedPartitions: [] }])
  })

  it('may be asynchronous: the group waits for it', async () => {
    const { world, create, coordinator } = groupWorld(2)
    const pause = (ms: number) => new Promise<void>(resolve => world.clock.after(ms, resolve))
    const { assignor } = heaviest(1)
    const slow: PartitionAssignor = {
      ...assignor,
      subscriptionUserData: async () => {
        await pause(200)
        return bytes('5')
      },
      assign: async (cluster, members) => {
        await pause(200)
        return assignor.assign(cluster, members)
      },
    }
    const consumer = create({ ...group, partitionAssignmentStrategy: slow })
    reading(consumer)
    await world.advance(300)
    expect(coordinator.state).not.toBe('Stable')
    await world.advance(500)
    expect(coordinator.state).toBe('Stable')
    expect(partitionsOf(consumer)).toEqual([0, 1])
  })

  it('that throws is told to the reader as ODK_ASSIGNOR_FAILED, and asked again', async () => {
    const { world, create } = groupWorld(2)
    let fails = true
    const { assignor } = heaviest(1)
    const shaky: PartitionAssignor = {
      ...assignor,
      assign: (cluster, members) => {
        if (fails) throw new Error('no idea')
        return assignor.assign(cluster, members)
      },
    }
    const consumer = create({ ...group, partitionAssignmentStrategy: shaky })
    const first = reading(consumer)
    await world.advance(500)
    expect(first.error).toMatchObject({ code: 'ODK_ASSIGNOR_FAILED', fatal: false })
    expect(String(first.error)).toMatch(/heaviest failed in assign: no idea/)
    fails = false
    await world.advance(3_000)
    expect(partitionsOf(consumer)).toEqual([0, 1])
  })

  it.each([
    ['no Map', {}, /must return a Map/],
    ['a share without partitions', new Map([['m', {}]]), /must give m a list of partitions/],
    ['a partition that is none', new Map([['m', { partitions: [{ topic: 'words', partition: -1 }] }]]), /list/],
    ['user data that is no bytes', new Map([['m', { partitions: [], userData: 'text' }]]), /as userData a Uint8Array/],
  ])('that returns %s is told what it should return', async (_, answer, message) => {
    const { world, create } = groupWorld(1)
    const { assignor } = heaviest(1, { assign: () => answer as never })
    const seen = reading(create({ ...group, partitionAssignmentStrategy: assignor }))
    await world.advance(500)
    expect(seen.error).toMatchObject({ code: 'ODK_ASSIGNOR_FAILED' })
    expect(String(seen.error)).toMatch(message)
  })

  it('that throws in onAssignment is told to the reader, and the assignment holds', async () => {
    const { world, create } = groupWorld(2)
    const { assignor } = heaviest(1, {
      onAssignment: () => {
        throw new Error('not now')
      },
    })
    const consumer = create({ ...group, partitionAssignmentStrategy: assignor })
    const seen = reading(consumer)
    await world.advance(500)
    expect(String(seen.error)).toMatch(/failed in onAssignment: not now/)
    expect(partitionsOf(consumer)).toEqual([0, 1])
  })

  it('that is COOPERATIVE must leave a partition out while another member owns it', async () => {
    const { world, create } = groupWorld(2)
    const cooperative = { supportedProtocols: ['COOPERATIVE', 'EAGER'] } as const
    const [light, heavy] = [heaviest(1, cooperative), heaviest(2, cooperative)]
    const a = create({ ...group, partitionAssignmentStrategy: light.assignor })
    const seen = reading(a)
    await world.advance(500)
    expect(partitionsOf(a)).toEqual([0, 1])
    reading(create({ ...group, partitionAssignmentStrategy: heavy.assignor }))
    await world.advance(1_000)
    expect(light.asked.at(-1)!.members.get('member-1')!.ownedPartitions).toHaveLength(2)
    expect(seen.error).toMatchObject({ code: 'ODK_ASSIGNOR_FAILED' })
    expect(String(seen.error)).toMatch(/still owns: words-0, words-1/)
    expect(partitionsOf(a)).toEqual([0, 1])
  })

  it('stands beside a built-in one while a group is upgraded: what all members have is used', async () => {
    const { world, create, coordinator } = groupWorld(2)
    const { assignor } = heaviest(1)
    const [a, b] = [
      create({ ...group, partitionAssignmentStrategy: [assignor, 'range'] }),
      create({ ...group, partitionAssignmentStrategy: 'range' }),
    ]
    reading(a!)
    await world.advance(500)
    expect(coordinator.protocolName).toBe('heaviest')
    reading(b!)
    await world.advance(1_000)
    expect(coordinator.protocolName).toBe('range')
    expect([...partitionsOf(a!), ...partitionsOf(b!)].sort()).toEqual([0, 1])
  })

  it('is left alone when the consumer is closed while it thinks', async () => {
    const { world, create } = groupWorld(2)
    const { assignor } = heaviest(1, { assign: () => new Promise(() => {}) })
    const consumer = create({ ...group, partitionAssignmentStrategy: assignor })
    reading(consumer)
    await world.advance(500)
    await world.run(() => consumer.close())
    expect(partitionsOf(consumer)).toEqual([])
  })
})

describe('the option partitionAssignmentStrategy', () => {
  const assign = () => new Map()
  it.each([
    ['a built-in name for something else', { name: 'range', assign }],
    ['an assignor without a name', { assign }],
    ['an assignor without assign', { name: 'mine' }],
    ['an unknown protocol', { name: 'mine', assign, supportedProtocols: ['LAZY'] }],
    [
      'two assignors of one name',
      [
        { name: 'mine', assign },
        { name: 'mine', assign },
      ],
    ],
    ['nothing', []],
  ])('refuses %s', (_, partitionAssignmentStrategy) => {
    const given = { bootstrapServers: 'a:1', groupId: 'g', partitionAssignmentStrategy } as never
    expect(() => readConsumerOptions(given)).toThrow(expect.objectContaining({ code: 'ODK_OPTION_INVALID' }))
  })
})

it('what one member owns is taken too early by another, not by itself, and not when nobody owns it', () => {
  const at = (partition: number) => ({ topic: 't', partition })
  const members = [
    { memberId: 'a', ownedPartitions: [at(0), at(1)] },
    { memberId: 'b', ownedPartitions: [at(1)] },
  ]
  const shares = [
    { memberId: 'a', partitions: [at(0), at(1)] },
    { memberId: 'b', partitions: [at(0), at(2)] },
  ]
  expect(takenTooEarly(members, shares)).toEqual([at(0)])
})

it('withheld is what somebody owns and nobody is given', () => {
  const at = (partition: number) => ({ topic: 't', partition })
  const members = [{ ownedPartitions: [at(0), at(1), at(2)] }, { ownedPartitions: [] }]
  expect(withheld(members, [{ partitions: [at(0)] }, { partitions: [at(2), at(3)] }])).toEqual([at(1)])
  expect(withheld(members, [{ partitions: [at(0), at(1), at(2)] }, { partitions: [] }])).toEqual([])
})
