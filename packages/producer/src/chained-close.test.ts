// A producer that is closed while commits are under way: what a commit says is true.
import { expect, test } from 'vitest'
import { openWorld } from './producer-world.suite.ts'

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    error => error.code as string,
  )

test('a commit that is asked for while the producer closes does not leave out what still waits', async () => {
  const { world, producer, cluster } = openWorld({ transactionalId: 'tx', lingerMs: 0 })
  const [commit, sent] = await world.run(async () => {
    const one = await producer.begin()
    const sent = codeOf(one.send('later', { value: 'a' }))
    world.clock.after(500, () => void cluster.create('later', 1))
    const closed = producer.close()
    const commit = codeOf(one.commit())
    await closed
    return Promise.all([commit, sent])
  })
  const { committed } = cluster.transactions.get('tx')!
  expect({ commit, sent, committed }).not.toMatchObject({ commit: 'done', committed: [] })
})

test.each([1, 2])('close() waits for commits that were asked for (%i transactions)', async count => {
  const { world, producer, cluster } = openWorld({ transactionalId: 'tx', lingerMs: 0 })
  const codes = await world.run(async () => {
    const commits: Promise<string>[] = []
    for (let n = 1; n <= count; n++) {
      const each = await producer.begin()
      void each.sendOffsets({ groupId: 'g', offsets: [{ topic: 'in', partition: 0, offset: n }] })
      commits.push(codeOf(each.commit()))
    }
    await producer.close()
    return Promise.all(commits)
  })
  expect(codes).toEqual(codes.map(() => 'done'))
  expect(cluster.transactions.get('tx')!.committedOffsets).toHaveLength(count)
})
