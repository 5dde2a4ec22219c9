// Groups and transactions of the admin client, the same on every target.
import { createConsumer } from '@odradek/consumer/create-consumer'
import { createProducer } from '@odradek/producer/create-producer'
import { type Admin, createAdmin } from '@odradek/shared/client/admin'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refusal } from './refusal.suite.ts'
import { type Target, targets } from './targets.ts'

describe.each(targets)('over $name', ({ missing, open }) => {
  describe.skipIf(missing !== null)(missing ?? 'the admin of groups and transactions', () => {
    let target: Target
    let admin: Admin
    let names = 0
    const fresh = (what: string) => `${what}-${++names}`

    beforeAll(async () => {
      target = await open()
      admin = createAdmin({ bootstrapServers: target.bootstrapServers })
    }, 120_000)
    afterAll(async () => {
      await admin?.close()
      await target?.close()
    })

    async function letters(partitions: number): Promise<string> {
      const topic = await target.topic(partitions)
      await using producer = createProducer({ bootstrapServers: target.bootstrapServers })
      for (let partition = 0; partition < partitions; partition++)
        for (const value of ['a', 'b', 'c']) await producer.send(topic, { value, partition })
      return topic
    }

    /** A member that has read everything and committed it. */
    async function member(groupId: string, topic: string, count: number, options = {}) {
      const consumer = createConsumer({
        bootstrapServers: target.bootstrapServers,
        groupId,
        clientId: 'reader',
        autoOffsetReset: 'earliest',
        enableAutoCommit: false,
        ...options,
      })
      let read = 0
      for await (const _ of consumer.stream(topic)) if (++read === count) break
      await consumer.commit()
      return consumer
    }

    test.each([
      { groupProtocol: 'classic', assignor: 'range', type: 'classic' },
      { groupProtocol: 'consumer', assignor: 'uniform', type: 'consumer' },
    ])(
      'a $type group is listed and described with its members and offsets',
      async ({ groupProtocol, assignor, type }) => {
        const [groupId, topic] = [fresh('group'), await letters(2)]
        await using _ = await member(groupId, topic, 6, { groupProtocol })
        expect((await admin.groups.list()).find(group => group.groupId === groupId)).toEqual({
          groupId,
          type,
          protocolType: 'consumer',
          state: 'Stable',
        })
        const [described] = await admin.groups.describe(groupId)
        const assignment = [0, 1].map(partition => ({ topic, partition }))
        expect(described).toMatchObject({ groupId, type, state: 'Stable', protocolType: 'consumer', assignor })
        expect(described!.coordinator.nodeId).toBe(1)
        expect(described!.members).toMatchObject([{ clientId: 'reader', groupInstanceId: null, assignment }])
        expect(described!.members[0]!.targetAssignment).toEqual(type === 'consumer' ? assignment : null)
        expect((await admin.groups.offsets(groupId)).map(({ partition, offset }) => [partition, offset])).toEqual([
          [0, 3n],
          [1, 3n],
        ])
        expect(await admin.groups.offsets(groupId, { partitions: [{ topic, partition: 1 }] })).toMatchObject([
          { topic, partition: 1, offset: 3n },
        ])
        expect((await admin.groups.list({ states: ['Empty'] })).map(group => group.groupId)).not.toContain(groupId)
      },
    )

    test('a group with members refuses reset and deletion; an empty one goes on where it was set, and is deleted', async () => {
      const [groupId, topic] = [fresh('group'), await letters(1)]
      const first = await member(groupId, topic, 3)
      const reset = [{ topic, partition: 0, offset: 1n, metadata: 'by hand' }]
      expect((await refusal(admin.groups.resetOffsets(groupId, reset))).kafkaName).toBe('UNKNOWN_MEMBER_ID')
      expect((await refusal(admin.groups.delete(groupId))).kafkaName).toBe('NON_EMPTY_GROUP')
      await first.close()
      await admin.groups.resetOffsets(groupId, reset)
      expect(await admin.groups.offsets(groupId)).toMatchObject([{ topic, offset: 1n, metadata: 'by hand' }])
      await (await member(groupId, topic, 2)).close()
      await admin.groups.deleteOffsets(groupId, [{ topic, partition: 0 }])
      expect(await admin.groups.offsets(groupId)).toEqual([])
      await admin.groups.resetOffsets(groupId, reset)
      await admin.groups.delete(groupId)
      expect((await admin.groups.list()).map(group => group.groupId)).not.toContain(groupId)
    })

    test('groups that are not there: no description, no deletion, no offsets', async () => {
      expect((await refusal(admin.groups.describe('nobody'))).kafkaName).toBe('GROUP_ID_NOT_FOUND')
      expect((await refusal(admin.groups.delete('nobody'))).kafkaName).toBe('GROUP_ID_NOT_FOUND')
      expect(await admin.groups.offsets('nobody')).toEqual([])
    })

    test('a transaction is listed and described while it is open and after its end', async () => {
      const [transactionalId, topic] = [fresh('txn'), await target.topic(1)]
      await using producer = createProducer({ bootstrapServers: target.bootstrapServers, transactionalId })
      await producer.transaction(async transaction => {
        await transaction.send(topic, { value: 'x' })
        const [open] = await admin.transactions.describe(transactionalId)
        expect(open).toMatchObject({ transactionalId, state: 'Ongoing', partitions: [{ topic, partition: 0 }] })
        expect(open!.startTime).toBeGreaterThan(0)
        const [writer] = await admin.transactions.producers([{ topic, partition: 0 }])
        expect(writer).toMatchObject({ producerId: open!.producerId, transactionStartOffset: 0n })
        expect(await admin.transactions.list({ producerIds: [open!.producerId] })).toEqual([
          { transactionalId, producerId: open!.producerId, state: 'Ongoing' },
        ])
        expect(
          await admin.transactions.findHanging([{ topic, partition: 0 }], { maxTransactionTimeoutMs: -1 }),
        ).toEqual([])
      })
      await expect
        .poll(async () => (await admin.transactions.describe(transactionalId))[0]!.state)
        .toBe('CompleteCommit')
      expect((await refusal(admin.transactions.describe('nothing'))).kafkaName).toBe('TRANSACTIONAL_ID_NOT_FOUND')
    })

    test('a marker written past the coordinator ends what a partition holds open', async () => {
      const [transactionalId, topic] = [fresh('txn'), await target.topic(1)]
      const place = { topic, partition: 0 }
      await using producer = createProducer({ bootstrapServers: target.bootstrapServers, transactionalId })
      const ended = producer.transaction(async transaction => {
        await transaction.send(topic, { value: 'x' })
        const [writer] = await admin.transactions.producers([place])
        await admin.transactions.abort({ ...place, ...writer! })
        expect((await admin.transactions.producers([place]))[0]!.transactionStartOffset).toBeNull()
        throw new Error('enough')
      })
      await expect(ended).rejects.toThrow('enough')
    })

    test('terminating a transactional id aborts what it has open and fences its producer', async () => {
      const [transactionalId, topic] = [fresh('txn'), await target.topic(1)]
      await using producer = createProducer({ bootstrapServers: target.bootstrapServers, transactionalId })
      const fenced = producer.transaction(async transaction => {
        await transaction.send(topic, { value: 'x' })
        await admin.transactions.terminate(transactionalId)
      })
      await expect(fenced).rejects.toMatchObject({ fatal: true })
      expect((await admin.transactions.producers([{ topic, partition: 0 }]))[0]!.transactionStartOffset).toBeNull()
    })
  })
})
