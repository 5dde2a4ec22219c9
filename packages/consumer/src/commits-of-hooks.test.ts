// Commits that a hook began and did not wait for, while an earlier one is not answered: what is given up arrives before the group is told.
import { expect, test } from 'vitest'
import { consumerWorld } from './consumer-world.suite.ts'
import { FakeGroup } from './fake-group.suite.ts'

const group = { groupId: 'g', heartbeatIntervalMs: 100, sessionTimeoutMs: 1_000, enableAutoCommit: false }

test.each(['range', 'cooperative-sticky'] as const)(
  'with %s a commit of onRevoked is sent although an earlier one is not answered, and in order',
  async strategy => {
    const { world, cluster, create } = consumerWorld()
    cluster.addTopic('words', 2)
    const coordinator = new FakeGroup(cluster, world.clock)
    const taken = cluster.answers.OffsetCommit!
    // The coordinator takes commits at once, and its answers are slow.
    cluster.answers.OffsetCommit = async (request, endpoint) => {
      const answer = await taken(request, endpoint)
      await new Promise<void>(resolve => void world.clock.after(700, resolve))
      return answer
    }
    const outcomes: string[] = []
    const commitBoth = (offset: number) => {
      const offsets = [0, 1].map(partition => ({ topic: 'words', partition, offset }))
      first.commitAsync(offsets, error => outcomes.push(`${offset}: ${error?.code ?? 'taken'}`))
    }
    const options = { ...group, partitionAssignmentStrategy: [strategy] }
    const first = create({
      ...options,
      onRevoked: async () => {
        commitBoth(2)
        await new Promise<void>(resolve => void world.clock.after(50, resolve))
        commitBoth(3)
      },
    })
    const second = create(options)
    void first.each('words', () => {})
    await world.advance(500)
    expect(first.assignment()).toHaveLength(2)
    void second.each('words', () => {})
    await world.advance(5_000)

    expect([first, second].map(consumer => consumer.assignment().length)).toEqual([1, 1])
    expect(outcomes).toEqual(['2: taken', '3: taken'])
    const [given] = second.assignment()
    const ofGiven = coordinator.commits.filter(commit => commit.startsWith(`words-${given!.partition}@`))
    expect(ofGiven).toEqual([2, 3].map(offset => `words-${given!.partition}@${offset}`))
    expect([...coordinator.committed.values()]).toEqual([3, 3])
  },
)
