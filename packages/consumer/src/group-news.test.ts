// News of rebalances, as coordinators in this process tell them: none is missed, whatever the member is at, and no interval has a part in it.
import { errors } from '@odradek/shared/protocol/error-codes'
import { expect, test } from 'vitest'
import type { Consumer } from './consumer-client.ts'
import { consumerWorld } from './consumer-world.suite.ts'
import { commitAnswer } from './fake-cluster.suite.ts'
import { FakeConsumerGroup } from './fake-consumer-group.suite.ts'
import { FakeGroup } from './fake-group.suite.ts'

/** Heartbeats by the clock are far away. */
const classic = { groupId: 'g', heartbeatIntervalMs: 100_000, sessionTimeoutMs: 1_000_000 }

const partitionsOf = (consumer: Consumer) => consumer.assignment().map(({ partition }) => partition)

function read(consumer: Consumer): Consumer {
  consumer.each('words', () => {}).catch(() => undefined)
  return consumer
}

test('news that comes while a heartbeat is on its way is asked for again: the answer may be older than the news', async () => {
  const { world, cluster, create } = consumerWorld()
  cluster.addTopic('words', 4)
  new FakeGroup(cluster, world.clock)
  const first = read(create(classic))
  await world.advance(1_000)
  const heartbeat = cluster.answers.Heartbeat!
  const held: (() => void)[] = []
  cluster.answers.Heartbeat = async (request, endpoint) => {
    const answer = await heartbeat(request, endpoint)
    if (held.length === 0) await new Promise<void>(resolve => held.push(resolve))
    return answer
  }
  cluster.tellNews('member-1')
  await world.advance(10)
  const second = read(create(classic))
  await world.advance(1_000)
  expect(partitionsOf(first)).toEqual([0, 1, 2, 3])
  cluster.tellNews('member-1')
  held[0]!()
  await world.advance(1_000)
  expect([partitionsOf(first).length, partitionsOf(second).length]).toEqual([2, 2])
})

test('news that comes with the answer to JoinGroup is asked for as soon as the member may heartbeat', async () => {
  const { world, cluster, create } = consumerWorld()
  cluster.addTopic('words', 1)
  new FakeGroup(cluster, world.clock)
  const join = cluster.answers.JoinGroup!
  cluster.answers.JoinGroup = async (request, endpoint) => {
    const answer = await join(request, endpoint)
    if (answer.errorCode === 0) cluster.tellNews(answer.memberId)
    return answer
  }
  read(create(classic))
  await world.advance(1_000)
  expect(cluster.requests.filter(({ api }) => api === 'Heartbeat')).toHaveLength(1)
})

test('a commit that is refused for its generation after the member has joined the next one does not cost it its membership', async () => {
  const { world, cluster, create } = consumerWorld()
  cluster.addTopic('words', 4)
  const group = new FakeGroup(cluster, world.clock)
  const log: string[] = []
  const hooks = { onLost: () => void log.push('lost'), onRevoked: () => void log.push('revoked') }
  const first = read(create({ ...classic, enableAutoCommit: false, ...hooks }))
  await world.advance(1_000)
  const commit = cluster.answers.OffsetCommit!
  const held: (() => void)[] = []
  cluster.answers.OffsetCommit = async (request, endpoint) => {
    await new Promise<void>(resolve => held.push(resolve))
    return commit(request, endpoint)
  }
  const committing = first.commit([{ topic: 'words', partition: 0, offset: 1 }]).catch(({ code }) => log.push(code))
  await world.advance(10)
  const second = read(create({ ...classic, enableAutoCommit: false }))
  await world.advance(10)
  cluster.tellNews('member-1')
  await world.advance(1_000)
  expect(group.generationId).toBe(2)
  held[0]!()
  await world.advance(1_000)
  await world.run(() => committing)
  expect(log).toEqual(['revoked', 'ODK_COMMIT_FAILED'])
  expect([...group.members.keys()]).toEqual(['member-1', 'member-2'])
  expect([partitionsOf(first).length, partitionsOf(second).length]).toEqual([2, 2])
})

test('a member of a consumer group that hears while it leaves that it was fenced has lost what it owned, and says no goodbye', async () => {
  const { world, cluster, create } = consumerWorld()
  cluster.addTopic('words', 1)
  const coordinator = new FakeConsumerGroup(cluster, world.clock, 'words')
  cluster.answers.OffsetCommit = request => commitAnswer(request, () => errors.UNKNOWN_MEMBER_ID.code)
  const log: string[] = []
  const consumer = read(
    create({
      groupId: 'g',
      groupProtocol: 'consumer',
      onAssigned: async () => {
        log.push('assigned')
        await new Promise<void>(resolve => world.clock.after(500, resolve))
      },
      onRevoked: () => void log.push('revoked'),
      onLost: () => void log.push('lost'),
    }),
  )
  await world.advance(200)
  const committing = consumer.commit([{ topic: 'words', partition: 0, offset: 1 }]).catch(({ code }) => log.push(code))
  const closing = consumer.close()
  await world.advance(2_000)
  await world.run(() => Promise.all([committing, closing]))
  expect(log).toEqual(['assigned', 'ODK_COMMIT_FAILED', 'lost'])
  expect(coordinator.heartbeats.filter(({ memberEpoch }) => memberEpoch < 0)).toEqual([])
})
