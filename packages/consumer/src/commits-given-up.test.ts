// Commits that the coordinator has not taken when their partitions go to another member: they would set back what that one commits.
import { errors } from '@odradek/shared/protocol/error-codes'
import { expect, test } from 'vitest'
import { consumerWorld } from './consumer-world.suite.ts'
import { commitAnswer } from './fake-cluster.suite.ts'
import { FakeGroup } from './fake-group.suite.ts'

const group = { groupId: 'g', heartbeatIntervalMs: 100, sessionTimeoutMs: 1_000, enableAutoCommit: false }

test.each(['range', 'cooperative-sticky'] as const)(
  'with %s they are given up, and their caller is told',
  async strategy => {
    const { world, cluster, create } = consumerWorld()
    cluster.addTopic('words', 2)
    const coordinator = new FakeGroup(cluster, world.clock)
    const taken = cluster.answers.OffsetCommit!
    let refuses = true
    cluster.answers.OffsetCommit = (request, endpoint) => {
      return refuses ? commitAnswer(request, () => errors.NOT_COORDINATOR.code) : taken(request, endpoint)
    }
    const options = { ...group, partitionAssignmentStrategy: [strategy] }
    const [first, second] = [create(options), create(options)]
    void first.each('words', () => {})
    await world.advance(500)
    expect(first.assignment()).toHaveLength(2)

    let failure: unknown
    const all = [0, 1].map(partition => ({ topic: 'words', partition, offset: 3 }))
    first.commit(all).catch(error => {
      failure = error
    })
    await world.advance(50)
    void second.each('words', () => {})
    await world.advance(2_000)
    expect(second.assignment()).toHaveLength(1)
    expect(failure === undefined || strategy === 'range').toBe(true)
    refuses = false
    await world.advance(5_000)

    const [given] = second.assignment()
    expect(coordinator.committed.has(`words-${given!.partition}`)).toBe(false)
    expect(failure).toMatchObject({
      code: 'ODK_COMMIT_FAILED',
      message: expect.stringContaining('went to another member'),
    })
  },
)
