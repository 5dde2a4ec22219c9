// Under which id and in which role a classic member goes on after the coordinator refused it (Kafka's AbstractCoordinator and ConsumerCoordinator).
import { errors } from '@odradek/shared/protocol/error-codes'
import { expect, test } from 'vitest'
import type { Consumer } from './consumer-client.ts'
import type { ConsumerOptions } from './consumer-options.ts'
import { consumerWorld } from './consumer-world.suite.ts'
import { FakeConsumerGroup } from './fake-consumer-group.suite.ts'
import { FakeGroup } from './fake-group.suite.ts'
import type { PartitionAssignor } from './partition-assignor.ts'

const group = { groupId: 'g', heartbeatIntervalMs: 100, sessionTimeoutMs: 1_000 }
const at = (partition: number) => ({ topic: 'words', partition })

function groupWorld() {
  const { world, cluster, create } = consumerWorld()
  cluster.addTopic('words', 2)
  const coordinator = new FakeGroup(cluster, world.clock)
  const log: string[] = []
  const member = (options: Partial<ConsumerOptions> = {}) => {
    const hooks = { onAssigned: () => void log.push('assigned'), onLost: () => void log.push('lost') }
    return read(create({ ...group, ...hooks, ...options }))
  }
  return { world, cluster, coordinator, member, log }
}

/** Reads in the background; what ends the reading is kept. */
function read(consumer: Consumer) {
  const seen: { readonly consumer: Consumer; error: unknown } = { consumer, error: null }
  consumer
    .each('words', () => {})
    .catch(error => {
      seen.error = error
    })
  return seen
}

/** Refuses the next commit of `words-0`. */
function refuseCommit({ cluster }: ReturnType<typeof groupWorld>, errorCode: number): void {
  const commit = cluster.answers.OffsetCommit!
  cluster.answers.OffsetCommit = () => {
    cluster.answers.OffsetCommit = commit
    const partitions = [{ partitionIndex: 0, errorCode }]
    return { throttleTimeMs: 0, topics: [{ name: 'words', topicId: 'id-words', partitions }] }
  }
}

test('a member whose generation is refused by a heartbeat loses what it owned, and comes back under the same id', async () => {
  const { world, coordinator, member, log } = groupWorld()
  member()
  await world.advance(300)
  coordinator.heartbeatErrors.push(errors.ILLEGAL_GENERATION.code)
  await world.advance(900)
  expect(log).toEqual(['assigned', 'lost', 'assigned'])
  expect([...coordinator.members.keys()]).toEqual(['member-1'])
})

test('a member whose generation is refused by a commit comes back under the same id', async () => {
  const scene = groupWorld()
  const { world, coordinator, member, log } = scene
  const { consumer } = member({ enableAutoCommit: false })
  await world.advance(300)
  refuseCommit(scene, errors.ILLEGAL_GENERATION.code)
  await world.run(() =>
    expect(consumer.commit([{ ...at(0), offset: 1 }])).rejects.toMatchObject({ code: 'ODK_COMMIT_FAILED' }),
  )
  await world.advance(900)
  expect(log).toEqual(['assigned', 'lost', 'assigned'])
  expect([...coordinator.members.keys()]).toEqual(['member-1'])
})

test('a member whose id is refused while it has no generation asks for another', async () => {
  const { world, coordinator, member, log } = groupWorld()
  member()
  await world.advance(300)
  coordinator.remove('member-1')
  coordinator.heartbeatErrors.push(errors.ILLEGAL_GENERATION.code)
  const join = coordinator.refuseUnknown()
  await world.advance(900)
  expect(join.refused).toEqual(['member-1'])
  expect(log).toEqual(['assigned', 'lost', 'assigned'])
  expect([...coordinator.members.keys()]).toEqual(['member-2'])
})

test('a commit that is fenced because another took the instance id ends the member: it must not take it back', async () => {
  const scene = groupWorld()
  const { world, coordinator, member } = scene
  const seen = member({ groupInstanceId: 'i', enableAutoCommit: false })
  await world.advance(300)
  const joins = coordinator.generationId
  refuseCommit(scene, errors.FENCED_INSTANCE_ID.code)
  await world.run(() =>
    expect(seen.consumer.commit([{ ...at(0), offset: 1 }])).rejects.toMatchObject({ code: 'ODK_COMMIT_FAILED' }),
  )
  await world.advance(900)
  expect(seen.error).toMatchObject({ kafkaName: 'FENCED_INSTANCE_ID', fatal: true })
  expect(coordinator.generationId).toBe(joins)
})

test('a commit that is refused ends no member of a consumer group: its heartbeat, asked at once, tells whether it is one', async () => {
  const { world, cluster, create } = consumerWorld()
  cluster.addTopic('words', 1)
  const coordinator = new FakeConsumerGroup(cluster, world.clock, 'words')
  const lost: unknown[] = []
  const hooks = { onLost: (partitions: unknown) => void lost.push(partitions) }
  const { consumer } = read(create({ groupId: 'g', groupProtocol: 'consumer', enableAutoCommit: false, ...hooks }))
  await world.advance(500)
  const beats = coordinator.heartbeats.length
  refuseCommit({ cluster } as ReturnType<typeof groupWorld>, errors.UNKNOWN_MEMBER_ID.code)
  const committing = consumer.commit([{ ...at(0), offset: 1 }]).catch(({ code }) => code)
  await world.advance(20)
  expect(await committing).toBe('ODK_COMMIT_FAILED')
  expect(coordinator.heartbeats.length).toBe(beats + 1)
  expect([lost, consumer.assignment()]).toEqual([[], [at(0)]])
})

test('a leader that loses its membership while its assignor works owes the group nothing of that generation', async () => {
  const { world, cluster, coordinator, member } = groupWorld()
  let isSlow = false
  let answered: () => void = () => {}
  const slow: PartitionAssignor = {
    name: 'mine',
    supportedProtocols: ['COOPERATIVE'],
    async assign(_cluster, members) {
      const [first] = [...members.keys()]
      if (!isSlow) return new Map([[first!, { partitions: [at(0), at(1)] }]])
      await new Promise<void>(resolve => {
        answered = resolve
      })
      // One is withheld: the round that gives it to another would be owed.
      return new Map([[first!, { partitions: [at(0)] }]])
    },
  }
  const quick: PartitionAssignor = {
    ...slow,
    assign: (_, members) => new Map([[[...members.keys()][0]!, { partitions: [at(0), at(1)] }]]),
  }
  member({ partitionAssignmentStrategy: slow })
  await world.advance(300)
  isSlow = true
  member({ partitionAssignmentStrategy: quick })
  await world.advance(200)
  expect(coordinator.state).toBe('CompletingRebalance')
  const join = cluster.answers.JoinGroup!
  cluster.answers.JoinGroup = (request, endpoint) => {
    // The one that was given up comes back under another id; only now its assignor has an answer.
    if (request.memberId === 'member-3') answered()
    return join(request, endpoint)
  }
  coordinator.remove('member-1')
  await world.advance(500)
  expect([coordinator.state, coordinator.leader]).toEqual(['Stable', 'member-2'])
  const { generationId } = coordinator
  await world.advance(3 * group.sessionTimeoutMs)
  expect(coordinator.generationId).toBe(generationId)
})
