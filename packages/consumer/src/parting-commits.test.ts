// Automatic commits of what a member gives up, in one process: the group does not wait for their answers.
import { errors } from '@odradek/shared/protocol/error-codes'
import { expect, test } from 'vitest'
import { consumerWorld } from './consumer-world.suite.ts'
import { commitAnswer } from './fake-cluster.suite.ts'
import { FakeGroup } from './fake-group.suite.ts'

const group = { groupId: 'g', heartbeatIntervalMs: 100, sessionTimeoutMs: 1_000, autoCommitIntervalMs: 60_000 }

/** A group with one member that has read both records of both partitions of `words`. */
async function readingMember() {
  const made = consumerWorld()
  const { world, cluster, create } = made
  cluster.addTopic('words', 2)
  for (const partition of [0, 1]) cluster.append('words', partition, ['a', 'b'])
  const coordinator = new FakeGroup(cluster, world.clock)
  const member = create({ ...group, partitionAssignmentStrategy: ['range'] })
  void member.each('words', () => {})
  await world.advance(500)
  expect(member.assignment()).toHaveLength(2)
  expect(coordinator.commits).toEqual([])
  return { ...made, coordinator, member }
}

/** The coordinator takes commits at once, and answers them when it is told to. */
function holdAnswers({ cluster }: Awaited<ReturnType<typeof readingMember>>): () => void {
  const take = cluster.answers.OffsetCommit!
  let release = () => {}
  const released = new Promise<void>(resolve => (release = resolve))
  cluster.answers.OffsetCommit = async (request, endpoint) => {
    const answer = await take(request, endpoint)
    await released
    return answer
  }
  return release
}

test('a member joins again behind the commit of what it gives up, and not behind its answer', async () => {
  const given = await readingMember()
  const { world, cluster, create, coordinator, member } = given
  const release = holdAnswers(given)
  const asked = cluster.requests.length
  const other = create({ ...group, partitionAssignmentStrategy: ['range'] })
  void other.each('words', () => {})
  await world.advance(2_000)
  expect(other.assignment()).toHaveLength(1)
  expect(member.assignment()).toHaveLength(1)
  const { memberId } = await member.groupMetadata()
  const apis = cluster.requests.slice(asked).filter(({ request }) => request.memberId === memberId)
  const order = apis.map(({ api }) => api).filter(api => api === 'OffsetCommit' || api === 'JoinGroup')
  expect(order).toEqual(['OffsetCommit', 'JoinGroup'])
  expect([...coordinator.committed]).toEqual([
    ['words-0', 2],
    ['words-1', 2],
  ])
  release()
})

test('who leaves waits for the answer of its last commit', async () => {
  const given = await readingMember()
  const { world, coordinator, member } = given
  const release = holdAnswers(given)
  let isClosed = false
  const closing = member.close().then(() => {
    isClosed = true
  })
  await world.advance(500)
  expect([...coordinator.committed.values()]).toEqual([2, 2])
  expect(coordinator.members.size).toBe(0)
  expect(isClosed).toBe(false)
  release()
  await world.advance(500)
  await closing
  expect(isClosed).toBe(true)
})

test('what the coordinator did not take is not sent again under the next generation: those records come again', async () => {
  const { world, cluster, create, coordinator } = await readingMember()
  const take = cluster.answers.OffsetCommit!
  const refused: string[] = []
  cluster.answers.OffsetCommit = (request, endpoint) => {
    if (refused.length > 0) return take(request, endpoint)
    return commitAnswer(request, (topic, partition) => {
      refused.push(`${topic}-${partition}`)
      return errors.NOT_COORDINATOR.code
    })
  }
  const other = create({ ...group, partitionAssignmentStrategy: ['range'] })
  const values: unknown[] = []
  void other.each('words', ({ value }) => {
    values.push(value!.toString())
  })
  await world.advance(5_000)
  expect(refused).toEqual(['words-0', 'words-1'])
  expect(coordinator.commits).toEqual([])
  expect(values).toEqual(['a', 'b'])
})
