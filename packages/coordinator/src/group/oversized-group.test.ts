// Groups whose records do not fit a batch of `__consumer_offsets`: whoever waits is told, nothing is half done, and a smaller group goes on.
import { errors } from '@odradek/shared/protocol/error-codes'
import { afterEach, expect, test } from 'vitest'
import { FakeClock } from '../runtime/fake-clock.suite.ts'
import { LeaderDouble } from '../runtime/leader-double.suite.ts'
import { settle, shardContext } from '../runtime/shard-context.suite.ts'
import { ShardRunner } from '../runtime/shard-runner.ts'
import { groupRequests } from './group-requests.suite.ts'
import { groupSettings } from './group-settings.ts'
import { groupShard } from './group-shard.ts'
import type { GroupShard } from './group-words.ts'
import { TopicView } from './topic-view.ts'

type Words = GroupShard['words']

const BATCH_BYTES = 4_000
const TOO_LARGE = errors.UNKNOWN_SERVER_ERROR.code
const bugs: unknown[] = []
afterEach(() => expect(bugs.splice(0)).toEqual([]))

/** A coordinator over a log that takes batches of `BATCH_BYTES`. */
async function coordinator(configs: { readonly [name: string]: string } = {}) {
  const clock = new FakeClock()
  const leader = new LeaderDouble()
  const topics = new TopicView(1)
  const told: string[] = []
  const settings = groupSettings({ 'group.initial.rebalance.delay.ms': '0', ...configs })
  const runner = new ShardRunner<GroupShard>({
    definition: groupShard({ settings, topics, groupConfigs: () => ({}) }),
    name: '__consumer_offsets-0',
    maxBatchBytes: BATCH_BYTES,
    hands: { notify: notice => void (notice.kind === 'rebalance' && told.push(notice.memberId)) },
    context: shardContext(clock, reason => bugs.push(reason)),
  })
  runner.lead(leader.link())
  await settle()
  const ask = <N extends 'joinGroup' | 'syncGroup' | 'heartbeat' | 'consumerGroupHeartbeat'>(
    word: N,
    request: Partial<Words[N]['request']['request']>,
  ): Promise<Words[N]['reply']> => {
    const caller = { apiVersion: 3, clientId: 'client', clientHost: '/127.0.0.1' }
    return runner.submit(word, { ...caller, request: { ...defaults[word], ...request } } as never)
  }
  return { clock, leader, topics, runner, ask, told, group: () => runner.state.groups.get('g') }
}

const protocols = [{ name: 'range', metadata: new Uint8Array(8) }]
const { joinGroup, syncGroup, heartbeat, consumerGroupHeartbeat } = groupRequests
const joining = { rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['t'], topicPartitions: [] }
const defaults = {
  joinGroup: { ...joinGroup, protocols },
  syncGroup,
  heartbeat,
  consumerGroupHeartbeat: { ...consumerGroupHeartbeat, ...joining },
}

/** Two members of a classic group that have joined and not synced; the leader first. */
async function twoJoined(scene: Awaited<ReturnType<typeof coordinator>>) {
  const { memberId: leader } = await scene.ask('joinGroup', {})
  const second = scene.ask('joinGroup', {})
  await settle()
  await scene.ask('joinGroup', { memberId: leader })
  const { memberId: follower, generationId } = await second
  return { leader, follower, generationId }
}

test('a leader that brings more than a batch holds, and all who wait for their shares, are told at once', async () => {
  const scene = await coordinator()
  const { leader, follower, generationId } = await twoJoined(scene)
  const waiting = scene.ask('syncGroup', { memberId: follower, generationId })
  await settle()
  const appends = scene.leader.appends
  const assignments = [leader, follower].map(memberId => ({ memberId, assignment: new Uint8Array(BATCH_BYTES / 2) }))
  const leading = await scene.ask('syncGroup', { memberId: leader, generationId, assignments })
  expect([leading.errorCode, (await waiting).errorCode]).toEqual([TOO_LARGE, TOO_LARGE])
  expect(scene.leader.appends).toBe(appends)
  expect(scene.group()).toMatchObject({ state: 'PreparingRebalance' })
  expect(scene.told.slice(-2).sort()).toEqual([leader, follower].sort())
  const { errorCode } = await scene.ask('heartbeat', { memberId: follower, generationId })
  expect(errorCode).toBe(errors.REBALANCE_IN_PROGRESS.code)
})

test('after that the group goes on with shares that fit', async () => {
  const scene = await coordinator()
  const before = await twoJoined(scene)
  const { leader, follower } = before
  const large = [{ memberId: leader, assignment: new Uint8Array(BATCH_BYTES) }]
  await scene.ask('syncGroup', { memberId: leader, generationId: before.generationId, assignments: large })
  const [{ generationId }] = await Promise.all([
    scene.ask('joinGroup', { memberId: leader }),
    scene.ask('joinGroup', { memberId: follower }),
  ])
  const waiting = scene.ask('syncGroup', { memberId: follower, generationId })
  const assignments = [{ memberId: follower, assignment: new Uint8Array([7]) }]
  expect((await scene.ask('syncGroup', { memberId: leader, generationId, assignments })).errorCode).toBe(0)
  expect([...(await waiting).assignment]).toEqual([7])
})

test('one that is silent after the refusal is out with its session, and the other leads alone', async () => {
  const scene = await coordinator()
  const { leader, follower, generationId } = await twoJoined(scene)
  const assignments = [{ memberId: leader, assignment: new Uint8Array(BATCH_BYTES) }]
  await scene.ask('syncGroup', { memberId: leader, generationId, assignments })
  const joining = scene.ask('joinGroup', { memberId: follower })
  await settle()
  scene.clock.advance(10_000)
  expect(await joining).toMatchObject({ errorCode: 0, leader: follower })
})

test('a member of the consumer protocol whose subscription does not fit is refused with words, and is no member', async () => {
  const scene = await coordinator()
  const subscribedTopicNames = Array.from({ length: 40 }, (_, at) => `${at}`.padStart(200, 't'))
  const answer = await scene.ask('consumerGroupHeartbeat', { memberId: 'm', subscribedTopicNames })
  expect(answer).toMatchObject({ errorCode: TOO_LARGE, memberEpoch: 0, assignment: null })
  expect(answer.errorMessage).toMatch(/records do not fit one batch of 4000 bytes/)
  expect([scene.group(), scene.leader.appends]).toEqual([undefined, 0])
})

test('a member whose share does not fit is refused, and those who are in the group keep what they have', async () => {
  const scene = await coordinator()
  scene.topics.take({ isWhole: false, topics: [topicOf('t', 4), topicOf('huge', 5_000)], gone: [] })
  const first = await scene.ask('consumerGroupHeartbeat', { memberId: 'a' })
  expect(first).toMatchObject({ errorCode: 0, memberEpoch: 1 })
  const second = await scene.ask('consumerGroupHeartbeat', { memberId: 'b', subscribedTopicNames: ['huge'] })
  expect(second.errorCode).toBe(TOO_LARGE)
  const again = await scene.ask('consumerGroupHeartbeat', { memberId: 'a', memberEpoch: 1, topicPartitions: null })
  expect(again).toMatchObject({ errorCode: 0, memberEpoch: 1 })
  expect(scene.group()).toMatchObject({ groupEpoch: 1 })
})

function topicOf(topic: string, partitions: number) {
  return { topic, topicId: Buffer.from(topic.padEnd(16, '.')).toString('base64url'), partitions }
}

test('groups follow topics that come, however many of them must be told at once', async () => {
  const scene = await coordinator()
  const names = Array.from({ length: 20 }, (_, at) => `topic-${at}`)
  scene.topics.take({ isWhole: false, topics: names.map(name => topicOf(name, 1)), gone: [] })
  const groupIds = Array.from({ length: 30 }, (_, at) => `g-${at}`)
  for (const groupId of groupIds) {
    const joining = { groupId, memberId: 'm', subscribedTopicNames: null, subscribedTopicRegex: 'topic-.*' }
    expect((await scene.ask('consumerGroupHeartbeat', joining)).errorCode).toBe(0)
  }
  // Each group writes what its pattern matches: together more than a batch holds.
  scene.topics.take({ isWhole: false, topics: [topicOf('topic-new', 1)], gone: [] })
  await scene.runner.submit('topicsChanged', {})
  const epochs = groupIds
    .map(id => scene.runner.state.groups.get(id))
    .map(group => group?.type === 'consumer' && group.groupEpoch)
  expect(new Set(epochs)).toEqual(new Set([2]))
  for (const batch of scene.leader.batches) expect(batch.length).toBeLessThanOrEqual(BATCH_BYTES)
})

test('a silent member goes also when the classic group that it would leave behind does not fit: that stays one of the consumer protocol', async () => {
  const scene = await coordinator({ 'group.consumer.migration.policy': 'bidirectional' })
  scene.topics.take({ isWhole: false, topics: [topicOf('t', 2)], gone: [] })
  // Version 0 of the subscription: one topic, and user data of which a batch holds three.
  const head = new Uint8Array([0, 0, 0, 0, 0, 1, 0, 1, 't'.charCodeAt(0), 0, 0, 4, 0])
  const metadata = new Uint8Array([...head, ...new Uint8Array(1_024)])
  const join = () => scene.ask('joinGroup', { sessionTimeoutMs: 60_000, protocols: [{ name: 'range', metadata }] })
  const { memberId, generationId } = await join()
  await scene.ask('syncGroup', { memberId, generationId })
  expect((await scene.ask('consumerGroupHeartbeat', { memberId: 'c' })).errorCode).toBe(0)
  for (let at = 0; at < 3; at++) expect((await join()).errorCode).toBe(0)
  const classic = [...scene.group()!.members.keys()].filter(id => id !== 'c')
  scene.clock.advance(45_000)
  await settle()
  expect(scene.group()).toMatchObject({ type: 'consumer' })
  expect([...scene.group()!.members.keys()]).toEqual(classic)
})
