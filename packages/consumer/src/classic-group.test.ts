import { string } from '@odradek/shared/client/codecs'
import { topic } from '@odradek/shared/client/topic'
import { buildEndTxnMarker } from '@odradek/shared/records/control-records'
import { describe, expect, it } from 'vitest'
import type { Consumer } from './consumer-client.ts'
import { consumerWorld } from './consumer-world.suite.ts'
import { FakeGroup } from './fake-group.suite.ts'

const words = topic('words', { key: string(), value: string() })
const group = { groupId: 'g', heartbeatIntervalMs: 100, sessionTimeoutMs: 1_000 }

function groupWorld(partitions: number, seed = 1) {
  const { world, cluster, create } = consumerWorld(seed)
  cluster.addTopic('words', partitions)
  return { world, cluster, create, coordinator: new FakeGroup(cluster, world.clock) }
}

/** Reads in the background, collecting values, until the consumer is closed. */
function reading(consumer: Consumer, values: string[]): Promise<void> {
  return (async () => {
    for await (const { value } of consumer.stream(words)) values.push(value!)
  })()
}

/** Polls in the background until the consumer is closed. */
async function polling(consumer: Consumer): Promise<void> {
  await consumer.subscribe(words)
  for (;;) await consumer.poll(100)
}

const partitionsOf = (consumer: Consumer) => consumer.assignment().map(({ partition }) => partition)

describe('a consumer in a classic group', () => {
  it('joins with the id it is given, gets all partitions, and reads from the start without commits', async () => {
    const { world, cluster, create, coordinator } = groupWorld(2)
    cluster.append('words', 0, ['a'])
    cluster.append('words', 1, ['b'])
    const consumer = create(group)
    const values: string[] = []
    void reading(consumer, values)
    await world.advance(500)
    expect(values.sort()).toEqual(['a', 'b'])
    expect(coordinator.state).toBe('Stable')
    expect(await world.run(() => consumer.groupMetadata())).toEqual({
      groupId: 'g',
      generationId: 1,
      memberId: 'member-1',
      groupInstanceId: null,
    })
  })

  it('is no member before it has joined, nor when its thread has died, until it has joined again', async () => {
    const { world, create } = groupWorld(1)
    const lost: unknown[] = []
    const consumer = create({ ...group, onLost: async () => void lost.push(await consumer.groupMetadata()) })
    const member = () => world.run(() => consumer.groupMetadata())
    const nobody = { groupId: 'g', generationId: -1, memberId: '', groupInstanceId: null }
    expect(await member()).toEqual(nobody)
    void reading(consumer, [])
    await world.advance(500)
    expect(await member()).toMatchObject({ memberId: 'member-1', generationId: 1 })
    const [thread] = (await world.run(() => world.actors())).filter(({ address }) => address.kind === 'consumer')
    world.kill(thread!.address)
    await world.advance(5_000)
    expect(lost).toEqual([nobody])
    expect(await member()).toMatchObject({ memberId: 'member-2' })
    await world.run(() => consumer.unsubscribe())
    expect(await member()).toEqual(nobody)
  })

  it('has no group metadata without a groupId', async () => {
    const { create } = groupWorld(1)
    await expect(create({}).groupMetadata()).rejects.toMatchObject({ code: 'ODK_GROUP_MISSING' })
  })

  it('shares partitions with a second member, and takes them back when that one is closed', async () => {
    const { world, create } = groupWorld(4)
    const [first, second] = [create(group), create(group)]
    void reading(first, [])
    await world.advance(500)
    expect(partitionsOf(first)).toEqual([0, 1, 2, 3])
    void reading(second, [])
    await world.advance(1_000)
    expect(partitionsOf(first)).toHaveLength(2)
    expect(partitionsOf(second)).toHaveLength(2)
    expect([...partitionsOf(first), ...partitionsOf(second)].sort()).toEqual([0, 1, 2, 3])
    await world.run(() => second.close())
    await world.advance(1_000)
    expect(partitionsOf(first)).toEqual([0, 1, 2, 3])
  })

  it.each(['range', 'sticky', 'cooperative-sticky'] as const)(
    'gets partitions with a replica in its rack when the leader assigns by %s (KIP-881)',
    async partitionAssignmentStrategy => {
      const { world, cluster, create } = groupWorld(4)
      cluster.racks = ['east', 'west']
      const options = { ...group, partitionAssignmentStrategy }
      const [west, east] = [create({ ...options, clientRack: 'west' }), create({ ...options, clientRack: 'east' })]
      void reading(west, [])
      await world.advance(300)
      void reading(east, [])
      await world.advance(1_000)
      expect([partitionsOf(east).sort(), partitionsOf(west).sort()]).toEqual([
        [0, 2],
        [1, 3],
      ])
    },
  )

  it('commits nothing that its caller finished after its thread died and the partitions were told lost', async () => {
    const { world, cluster, create, coordinator } = groupWorld(1)
    cluster.append('words', 0, ['a'])
    const log: string[] = []
    const hooks = { onRevoked: () => void log.push('revoked'), onLost: () => void log.push('lost') }
    const first = create({ ...group, ...hooks, autoCommitIntervalMs: 60_000 })
    const thread = async () => (await world.actors()).find(({ address }) => address.kind === 'consumer')!.address
    await world.run(() => first.subscribe(words))
    await world.advance(500)
    expect(await world.run(() => first.poll(100))).toHaveLength(1)
    // The group rebalances, which waits for the record in hand; then the thread dies.
    first.enforceRebalance().catch(() => undefined)
    await world.advance(200)
    expect(coordinator.state).toBe('Stable')
    world.kill(await world.run(thread))
    await world.advance(500)
    expect(log).toEqual(['lost'])
    await world.run(() => first.poll(50))
    await world.advance(500)
    expect(coordinator.commits).toEqual([])
    expect(log).toEqual(['lost'])
  })

  // Found by `odradek simulate --seed 310036 --scenario groups --weather deaths`. A static member comes back without a rebalance, so nobody asks for the round that is owed.
  it.each([
    ['leader', 'member-1'],
    ['follower', 'member-2'],
  ])(
    'leaves nothing without an owner when a static %s dies between what it gave up and the round that gives it to another',
    async (_, leader) => {
      const { world, create, coordinator } = groupWorld(4)
      const thread = async () => (await world.actors()).find(({ address }) => address.kind === 'consumer')!.address
      let kills = 0
      const onRevoked = async () => {
        if (kills++ === 0) world.kill(await thread())
      }
      const options = { ...group, partitionAssignmentStrategy: 'cooperative-sticky' } as const
      const first = create({ ...options, groupInstanceId: 'one', onRevoked })
      void reading(first, [])
      await world.advance(500)
      coordinator.leader = leader
      const second = create({ ...options, groupInstanceId: 'two' })
      void reading(second, [])
      await world.advance(5_000)
      expect(kills).toBeGreaterThan(0)
      expect(coordinator.leader === 'member-2').toBe(leader === 'member-2')
      expect([...partitionsOf(first), ...partitionsOf(second)].sort()).toEqual([0, 1, 2, 3])
    },
  )

  it('under cooperative rebalancing runs onRevoked for what goes, and then onAssigned although nothing comes', async () => {
    const { world, create } = groupWorld(4)
    const log: string[] = []
    const options = { ...group, partitionAssignmentStrategy: 'cooperative-sticky' } as const
    const first = create({
      ...options,
      onAssigned: list => void log.push(`+${list.length}`),
      onRevoked: list => void log.push(`-${list.length}`),
    })
    void reading(first, [])
    await world.advance(500)
    expect(log).toEqual(['+4'])
    void reading(create(options), [])
    await world.advance(1_000)
    expect(log).toEqual(['+4', '-2', '+0', '+0'])
  })

  it('runs hooks in order and waits for them before it rejoins', async () => {
    const { world, create } = groupWorld(2)
    const log: string[] = []
    const consumer = create({
      ...group,
      onAssigned: partitions => void log.push(`+${partitions.length}`),
      onRevoked: async partitions => {
        log.push(`-${partitions.length}`)
        await new Promise<void>(resolve => world.clock.after(700, resolve))
        log.push('revoked')
      },
    })
    void reading(consumer, [])
    await world.advance(300)
    const second = create(group)
    void reading(second, [])
    await world.advance(300)
    expect(log).toEqual(['+2', '-2'])
    expect(partitionsOf(second)).toEqual([])
    await world.advance(1_000)
    expect(log).toEqual(['+2', '-2', 'revoked', '+1'])
    expect(partitionsOf(second)).toHaveLength(1)
  })

  it('commits what was processed at intervals, never what was only handed out', async () => {
    const { world, cluster, create, coordinator } = groupWorld(1)
    cluster.append('words', 0, ['0', '1', '2', '3'])
    const consumer = create({ ...group, autoCommitIntervalMs: 200 })
    const stream = consumer.stream(words)
    await world.run(async () => {
      await stream.next()
      await stream.next()
      await stream.next()
    })
    await world.advance(1_000)
    expect(coordinator.committed.get('words-0')).toBe(2)
  })

  it.each(['stream', 'poll', 'each', 'batch'] as const)(
    'commits past the marker that ends a partition, so that nothing is left to read: %s',
    async how => {
      const { world, cluster, create, coordinator } = groupWorld(1)
      const consumer = create({ ...group, autoCommitIntervalMs: 200 })
      if (how === 'stream') void reading(consumer, [])
      else if (how === 'poll') polling(consumer).catch(() => undefined)
      else void consumer[how](words, () => undefined)
      await world.advance(500)
      cluster.append('words', 0, ['0'], { producerId: 1, producerEpoch: 0, baseSequence: 0, transactional: true })
      await world.advance(500)
      const marker = { producerId: 1, producerEpoch: 0, coordinatorEpoch: 0, timestamp: 5 }
      cluster.appendBatch('words', 0, buildEndTxnMarker({ ...marker, type: 'COMMIT' }))
      await world.advance(1_000)
      expect(coordinator.committed.get('words-0')).toBe(2)
      expect(await world.run(() => consumer.lag({ topic: 'words', partition: 0 }))).toBe(0n)
    },
  )

  it('reads on when an automatic commit is refused, and commits the same with the next', async () => {
    const { world, cluster, create, coordinator } = groupWorld(1)
    cluster.append('words', 0, ['0', '1', '2', '3'])
    const values: string[] = []
    const reader = reading(create({ ...group, autoCommitIntervalMs: 200 }), values)
    const commit = cluster.answers.OffsetCommit!
    let refusals = 0
    cluster.answers.OffsetCommit = (request, endpoint) => {
      if (refusals++ > 0) return commit(request, endpoint)
      const { generationIdOrMemberEpoch } = request
      return commit({ ...request, generationIdOrMemberEpoch: generationIdOrMemberEpoch - 1 }, endpoint)
    }
    await world.advance(2_000)
    cluster.append('words', 0, ['4'])
    await world.advance(500)
    expect(values.slice(-1)).toEqual(['4'])
    expect(coordinator.committed.get('words-0')).toBe(5)
    expect(await Promise.race([reader.then(() => 'ended'), Promise.resolve('reads on')])).toBe('reads on')
  })

  it('commits on close, and the next member goes on there', async () => {
    const { world, cluster, create, coordinator } = groupWorld(1)
    cluster.append('words', 0, ['0', '1', '2'])
    const first = create(group)
    await world.run(async () => {
      for await (const { value } of first.stream(words)) if (value === '1') await first.close()
    })
    // '1' was in hand when the consumer was closed: not processed.
    expect(coordinator.committed.get('words-0')).toBe(1)
    const values: string[] = []
    void reading(create(group), values)
    await world.advance(1_000)
    expect(values).toEqual(['1', '2'])
  })

  it('commits positions on demand, in order, also without waiting', async () => {
    const { world, cluster, create, coordinator } = groupWorld(1)
    cluster.append('words', 0, ['0', '1', '2'])
    const consumer = create({ ...group, enableAutoCommit: false })
    const outcomes: unknown[] = []
    await world.run(async () => {
      for await (const { value } of consumer.stream(words)) {
        if (value === '2') break
        consumer.commitAsync(undefined, error => outcomes.push(error))
      }
      await consumer.commit()
      expect(
        await consumer.committed([
          { topic: 'words', partition: 0 },
          { topic: 'words', partition: 9 },
        ]),
      ).toEqual([3n, null])
    })
    // The three wait for the same turn, so the last is sent for all.
    expect(coordinator.commits).toEqual(['words-0@3'])
    expect(outcomes).toEqual([null, null])
  })

  it('refuses a commit when the group has moved on, and rejoins', async () => {
    const { world, cluster, create, coordinator } = groupWorld(1)
    cluster.append('words', 0, ['0', '1'])
    const lost: number[] = []
    const consumer = create({
      ...group,
      enableAutoCommit: false,
      onLost: partitions => void lost.push(partitions.length),
    })
    await world.run(async () => {
      await consumer.subscribe(words)
      while ((await consumer.poll(100)).length === 0);
      coordinator.remove('member-1')
      await expect(consumer.commit()).rejects.toMatchObject({
        code: 'ODK_COMMIT_FAILED',
        kafkaName: 'UNKNOWN_MEMBER_ID',
      })
    })
    await world.advance(1_000)
    expect(lost).toEqual([1])
    expect(coordinator.state).toBe('Stable')
    expect(partitionsOf(consumer)).toEqual([0])
  })

  it('is rid of its partitions when its session was lost, and comes back as a new member', async () => {
    const { world, create, coordinator } = groupWorld(2)
    const log: string[] = []
    const consumer = create({
      ...group,
      onLost: () => void log.push('lost'),
      onAssigned: () => void log.push('assigned'),
    })
    void reading(consumer, [])
    await world.advance(300)
    coordinator.heartbeatErrors.push(25)
    await world.advance(2_000)
    expect(log).toEqual(['assigned', 'lost', 'assigned'])
    expect([...coordinator.members.keys()]).toContain('member-2')
  })

  it('keeps its membership while the caller is busy, until maxPollIntervalMs', async () => {
    const { world, cluster, create, coordinator } = groupWorld(1)
    cluster.append('words', 0, ['0', '1', '2'])
    const values: string[] = []
    const consumer = create({ ...group, maxPollIntervalMs: 5_000 })
    void (async () => {
      for await (const { value } of consumer.stream(words)) {
        values.push(value!)
        if (values.length === 1) await new Promise<void>(resolve => world.clock.after(20_000, resolve))
      }
    })()
    await world.advance(4_000)
    expect(coordinator.members.size).toBe(1)
    await world.advance(8_000)
    expect(coordinator.members.size).toBe(0)
    await world.advance(20_000)
    expect(coordinator.state).toBe('Stable')
    // What was in hand when the member was stale comes again.
    expect(values).toEqual(['0', '0', '1', '2'])
  })

  it('refuses a commit of who is no member, even while the group is empty', async () => {
    const { world, cluster, create, coordinator } = groupWorld(1)
    cluster.append('words', 0, ['0', '1'])
    const consumer = create({ ...group, enableAutoCommit: false, maxPollIntervalMs: 1_000 })
    await world.run(async () => {
      await consumer.subscribe(words)
      while ((await consumer.poll(100)).length === 0);
    })
    // The records of the poll are in hand: the member has left.
    await world.advance(3_000)
    expect(coordinator.members.size).toBe(0)
    const commit = world.run(() => consumer.commit([{ topic: 'words', partition: 0, offset: 1 }]))
    await expect(commit).rejects.toMatchObject({ code: 'ODK_COMMIT_FAILED' })
    expect(coordinator.committed.size).toBe(0)
  })

  it('finds new partitions of its topics', async () => {
    const { world, cluster, create } = groupWorld(1)
    const consumer = create({ ...group, metadataMaxAgeMs: 1_000 })
    void reading(consumer, [])
    await world.advance(500)
    cluster.addTopic('words', 3)
    await world.advance(3_000)
    expect(partitionsOf(consumer)).toEqual([0, 1, 2])
  })

  it('subscribes to topics that match a pattern, whole names only', async () => {
    const { world, cluster, create } = groupWorld(1)
    cluster.addTopic('words-de', 1)
    cluster.addTopic('other', 1)
    const consumer = create({ ...group, metadataMaxAgeMs: 1_000 })
    void (async () => {
      for await (const _ of consumer.stream(/words(-..)?/));
    })()
    await world.advance(1_000)
    expect(consumer.assignment().map(({ topic: name }) => name)).toEqual(['words', 'words-de'])
    cluster.addTopic('words-fr', 1)
    await world.advance(3_000)
    expect(consumer.assignment().map(({ topic: name }) => name)).toEqual(['words', 'words-de', 'words-fr'])
  })

  it('keeps a static member in the group when it is closed', async () => {
    const { world, create, coordinator } = groupWorld(1)
    const consumer = create({ ...group, groupInstanceId: 'one' })
    void reading(consumer, [])
    await world.advance(500)
    await world.run(() => consumer.close())
    expect(coordinator.members.size).toBe(1)
  })

  // KIP-814. Found by `odradek simulate --seed 5 --scenario all --weather calm`.
  it('finds new partitions also as a static leader that came back and was told to assign nothing', async () => {
    const { world, cluster, create } = groupWorld(1)
    const options = { ...group, groupInstanceId: 'one', metadataMaxAgeMs: 500 }
    const before = create(options)
    void reading(before, [])
    await world.advance(500)
    await world.run(() => before.close())
    const consumer = create(options)
    void reading(consumer, [])
    await world.advance(300)
    expect(partitionsOf(consumer)).toEqual([0])
    cluster.addTopic('words', 3)
    await world.advance(3_000)
    expect(partitionsOf(consumer)).toEqual([0, 1, 2])
  })

  it('does not assign and subscribe at once', async () => {
    const { world, create } = groupWorld(1)
    const consumer = create(group)
    await world.run(async () => {
      await consumer.assign([{ topic: words, partition: 0 }])
      await expect(consumer.subscribe(words)).rejects.toMatchObject({ code: 'ODK_CONSUMER_STATE' })
    })
    expect.assertions(1)
  })
})
