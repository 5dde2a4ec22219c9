// Classic and consumer-protocol members in one group (KIP-848, migration), with the default policy: both ways.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GroupScene, keysOutOfOrder } from './group-scene.suite.ts'
import { type Target, targets } from './targets.ts'

describe.each(targets)('over $name', ({ missing, open }) => {
  describe.skipIf(missing !== null)(missing ?? 'groups', () => {
    let target: Target
    beforeAll(async () => {
      target = await open()
    }, 120_000)
    afterAll(() => target?.close())

    test('a group moves from the classic to the consumer protocol member by member', async () => {
      const topicName = await target.topic(4)
      const group = new GroupScene(target, 'migrating')
      const classic = group.member('classic', { partitionAssignmentStrategy: 'cooperative-sticky' }).read(topicName)
      await group.shared(topicName, 4, [classic])
      const modern = group.member('modern', { groupProtocol: 'consumer' }).read(topicName)
      await group.shared(topicName, 4, [classic, modern])
      await group.produce(topicName, 160)
      await group.until('all is read', () => group.distinct === 160)
      await classic.close()
      await group.shared(topicName, 4, [modern])
      await group.produce(topicName, 160, 10)
      await group.until('all is read again', () => group.distinct === 320)
      expect(keysOutOfOrder(group.seen)).toEqual([])
      await group.close()
    })

    test('and back: when its last member of the consumer protocol leaves, the classic ones go on among themselves', async () => {
      const topicName = await target.topic(4)
      const group = new GroupScene(target, 'going-back')
      const modern = group.member('modern', { groupProtocol: 'consumer' }).read(topicName)
      await group.shared(topicName, 4, [modern])
      const classic = ['a', 'b'].map(name =>
        group.member(name, { partitionAssignmentStrategy: 'cooperative-sticky' }).read(topicName),
      )
      await group.shared(topicName, 4, [modern, ...classic])
      await group.produce(topicName, 160)
      await group.until('all is read', () => group.distinct === 160)
      await modern.close()
      await group.shared(topicName, 4, classic)
      const late = group.member('late', { partitionAssignmentStrategy: 'cooperative-sticky' }).read(topicName)
      await group.shared(topicName, 4, [...classic, late])
      await group.produce(topicName, 160, 10)
      await group.until('all is read again', () => group.distinct === 320)
      expect(keysOutOfOrder(group.seen)).toEqual([])
      await group.close()
    })
  })
})
