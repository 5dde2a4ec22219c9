// Groups through the public API, the same on every target and with every protocol: who owns what, what is seen, what is committed.
import { Worker } from 'node:worker_threads'
import type { ConsumerOptions } from '@odradek/consumer/consumer-options'
import { createConsumer } from '@odradek/consumer/create-consumer'
import type { PartitionAssignor } from '@odradek/consumer/partition-assignor'
import { builtUrl } from '@odradek/shared/actor/built-url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type GroupMember, GroupScene, keysOutOfOrder, type Sighting, words } from './group-scene.suite.ts'
import { type Target, targets } from './targets.ts'

const protocols: readonly { readonly protocol: string; readonly options: Partial<ConsumerOptions> }[] = [
  { protocol: 'classic, range', options: { partitionAssignmentStrategy: 'range' } },
  { protocol: 'classic, cooperative-sticky', options: { partitionAssignmentStrategy: 'cooperative-sticky' } },
  { protocol: 'consumer', options: { groupProtocol: 'consumer' } },
]

let groups = 0

describe.each(targets)('over $name', ({ missing, open }) => {
  describe.skipIf(missing !== null)(missing ?? 'groups', () => {
    let target: Target
    beforeAll(async () => {
      target = await open()
    }, 120_000)
    afterAll(() => target?.close())

    function scene(): GroupScene {
      const made = new GroupScene(target, `group-${++groups}`)
      onTestFinished(() => made.close())
      return made
    }

    /** A member in another thread that can be ended as by a crash. */
    function doomedMember(group: GroupScene, topicName: string, options: Partial<ConsumerOptions>) {
      const reach = target.reach()
      const url = new URL(builtUrl(new URL('./group-member.worker.ts', import.meta.url).href))
      const sessions = options.groupProtocol === 'consumer' ? {} : { heartbeatIntervalMs: 100, sessionTimeoutMs: 2_000 }
      const all = { ...options, ...sessions, groupId: group.groupId, clientId: 'doomed', autoOffsetReset: 'earliest' }
      const transferList = typeof reach === 'string' ? [] : [reach.port]
      const worker = new Worker(url, { workerData: { reach, topicName, options: all }, transferList })
      const owned: number[] = []
      worker.on('message', ({ assigned, sighting }: { assigned?: number[]; sighting?: Sighting }) => {
        if (assigned !== undefined) owned.push(...assigned)
        if (sighting !== undefined) group.saw({ ...sighting, by: 'doomed' })
        group.changed()
      })
      group.also(() => worker.terminate())
      return { owned, die: () => worker.terminate() }
    }

    describe.each(protocols)('$protocol', ({ options }) => {
      test('one member reads all partitions, a second shares them, and takes all when the first leaves', async () => {
        const topicName = await target.topic(4)
        const group = scene()
        const a = group.member('a', options).read(topicName)
        await group.shared(topicName, 4, [a])
        await group.produce(topicName, 160)
        await group.until('a saw all', () => group.seen.length === 160)
        const b = group.member('b', options).read(topicName)
        await group.shared(topicName, 4, [a, b])
        await group.produce(topicName, 160, 10)
        await group.until('both saw all', () => group.distinct === 320)
        expect(new Set(group.seen.map(({ by }) => by)).size).toBe(2)
        await a.close()
        await group.shared(topicName, 4, [b])
        await group.produce(topicName, 160, 20)
        await group.until('b saw the rest', () => group.distinct === 480)
        // Closing and revoking commit what was processed: nothing came twice.
        expect(group.seen).toHaveLength(480)
        expect(keysOutOfOrder(group.seen)).toEqual([])
      })

      test('three members share under load while one comes and one goes: nothing is missed, order per key holds', async () => {
        const topicName = await target.topic(6)
        const group = scene()
        const [a, b] = [group.member('a', options).read(topicName), group.member('b', options).read(topicName)]
        let c: GroupMember | null = null
        for (let round = 0; round < 12; round++) {
          await group.produce(topicName, 160, round * 10)
          if (round === 3) c = group.member('c', options).read(topicName)
          if (round === 4) await group.until('c owns some', () => c!.owned(topicName).length > 0)
          if (round === 8) await a.close()
        }
        await group.until('all was seen', () => group.distinct === 12 * 160)
        expect(keysOutOfOrder(group.seen)).toEqual([])
        await group.shared(topicName, 6, [b, c!])
      })

      test('offsets that were committed are where the next member goes on', async () => {
        const topicName = await target.topic(2)
        const group = scene()
        await group.produce(topicName, 64)
        const a = group.member('a', { ...options, enableAutoCommit: false })
        await a.consumer.subscribe(words(topicName))
        let count = 0
        while (count < 64) count += (await a.consumer.poll(1_000)).length
        const at = [0, 1].map(partition => ({ topic: topicName, partition }))
        const ends = await a.consumer.endOffsets(at)
        expect(await a.consumer.committed(at)).toEqual([null, null])
        await a.consumer.commit()
        expect(await a.consumer.committed(at)).toEqual(ends)
        await a.consumer.commit([{ ...at[0]!, offset: ends[0]! - 1n, metadata: 'one back' }])
        await a.close()
        const b = group.member('b', options).read(topicName)
        await group.until('b goes on', () => group.seen.length === 1)
        await group.shared(topicName, 2, [b])
        expect(group.seen.map(({ partition, offset }) => [partition, offset])).toEqual([[0, ends[0]! - 1n]])
        await group.until('what b processed is committed', () => b.log.length > 0)
        await b.close()
        const c = group.member('c', options)
        expect(await c.consumer.committed(at)).toEqual(ends)
      })

      test('asynchronous commits are answered in order and the last one counts', async () => {
        const topicName = await target.topic(1)
        const group = scene()
        const a = group.member('a', { ...options, enableAutoCommit: false }).read(topicName)
        await group.shared(topicName, 1, [a])
        const at = { topic: topicName, partition: 0 }
        const answered: number[] = []
        for (let offset = 1; offset <= 5; offset++)
          a.consumer.commitAsync([{ ...at, offset }], error => {
            expect(error).toBeNull()
            answered.push(offset)
            group.changed()
          })
        await group.until('all are answered', () => answered.length === 5)
        expect(answered).toEqual([1, 2, 3, 4, 5])
        expect(await a.consumer.committed([at])).toEqual([5n])
      })

      test('processed records are committed at intervals, without a word of the user', async () => {
        const topicName = await target.topic(1)
        const group = scene()
        await group.produce(topicName, 32)
        let committed = 0n
        const interceptor = {
          onCommit(offsets: readonly { readonly offset: bigint }[]) {
            for (const { offset } of offsets) committed = offset > committed ? offset : committed
            group.changed()
          },
        }
        group.member('a', { ...options, autoCommitIntervalMs: 50, interceptors: [interceptor] }).read(topicName)
        await group.until('32 are committed', () => committed === 32n)
        const other = group.member('b', options)
        expect(await other.consumer.committed([{ topic: topicName, partition: 0 }])).toEqual([32n])
      })

      test('the old owner finishes its record and its hook before the new owner begins', async () => {
        const topicName = await target.topic(2)
        const group = scene()
        const order: string[] = []
        const slow = () => new Promise(resolve => setTimeout(resolve, 300))
        const a = group.member('a', {
          ...options,
          onRevoked: async partitions => {
            order.push(`revoking ${partitions.length > 0}`)
            await slow()
            order.push('revoked')
          },
        })
        a.read(topicName)
        await group.shared(topicName, 2, [a])
        order.length = 0
        const b = group.member('b', {
          ...options,
          onAssigned: partitions => {
            if (partitions.length > 0) order.push('b assigned')
          },
        })
        b.read(topicName)
        await group.shared(topicName, 2, [a, b])
        expect(order).toEqual(['revoking true', 'revoked', 'b assigned'])
      })

      test('a member that dies without a word is replaced, and what it had not committed comes again', async () => {
        const topicName = await target.topic(4)
        const group = scene()
        const a = group.member('a', options).read(topicName)
        await group.shared(topicName, 4, [a])
        const doomed = doomedMember(group, topicName, { ...options, enableAutoCommit: false })
        await group.until('the doomed one owns some', () => doomed.owned.length > 0 && a.owned(topicName).length === 2)
        await group.produce(topicName, 320)
        await group.until('the doomed one saw some', () => group.seen.some(({ by }) => by === 'doomed'))
        await doomed.die()
        await group.shared(topicName, 4, [a])
        const byA = () => new Set(group.seen.filter(({ by }) => by === 'a').map(s => `${s.partition}@${s.offset}`)).size
        await group.until('a saw everything itself', () => byA() === 320)
        expect(keysOutOfOrder(group.seen.filter(({ by }) => by === 'a'))).toEqual([])
      })

      test('a static member that comes back in time gets its partitions without a rebalance of the others', async () => {
        const topicName = await target.topic(4)
        const group = scene()
        const still = { ...options, ...(options.groupProtocol === 'consumer' ? {} : { sessionTimeoutMs: 30_000 }) }
        const a = group.member('a', { ...still, groupInstanceId: 'instance-a' }).read(topicName)
        const b = group.member('b', { ...still, groupInstanceId: 'instance-b' }).read(topicName)
        await group.shared(topicName, 4, [a, b])
        await group.settled([a, b])
        const [ofA, before] = [a.owned(topicName), b.log.length]
        await a.close()
        const again = group.member('a again', { ...still, groupInstanceId: 'instance-a' }).read(topicName)
        await group.shared(topicName, 4, [again, b])
        expect(again.owned(topicName)).toEqual(ofA)
        expect(b.log.slice(before)).toEqual([])
      })

      test('a second member with the same instance id ends the first with an error that says so', async () => {
        const topicName = await target.topic(2)
        const group = scene()
        const first = group.member('first', { ...options, groupInstanceId: 'twin' }).read(topicName)
        await group.shared(topicName, 2, [first])
        const second = group.member('second', { ...options, groupInstanceId: 'twin' }).read(topicName)
        // KIP-848 refuses the newcomer while the first one lives; the classic protocol fences the first.
        const loser = options.groupProtocol === 'consumer' ? second : first
        await group.until('one of them hears of it', () => loser.error !== null)
        expect(loser.error).toMatchObject({ fatal: true })
        const winner = loser === first ? second : first
        await group.shared(topicName, 2, [winner])
      })

      test('a pattern follows topics that come', async () => {
        const group = scene()
        const first = await target.topic(1)
        const a = group.member('a', options).read(new RegExp(`${first}|e2e-pattern-.*-${group.groupId}`))
        await group.shared(first, 1, [a])
        const second = await target.topic(2, {}, `e2e-pattern-x-${group.groupId}`)
        await group.shared(second, 2, [a])
        await group.produce(second, 32)
        await group.until('its records come', () => group.seen.length === 32)
      })

      test('partitions that are added are assigned and read from their beginning', async () => {
        const topicName = await target.topic(1)
        const group = scene()
        const a = group.member('a', options).read(topicName)
        await group.shared(topicName, 1, [a])
        await target.addPartitions(topicName, 3)
        await group.shared(topicName, 3, [a])
        await group.produce(topicName, 96)
        await group.until('all are read', () => group.seen.length === 96)
        expect(new Set(group.seen.map(({ partition }) => partition)).size).toBeGreaterThan(1)
      })

      test('a commit after the group moved on is refused', async () => {
        const topicName = await target.topic(1)
        const group = scene()
        await group.produce(topicName, 16)
        const a = group.member('a', { ...options, enableAutoCommit: false, maxPollIntervalMs: 300 })
        await a.consumer.subscribe(words(topicName))
        while ((await a.consumer.poll(500)).length === 0);
        // Records in hand for longer than maxPollIntervalMs: the member has left.
        await group.until('a is out', () => a.log.some(entry => entry.startsWith('!')))
        await expect(a.consumer.commit([{ topic: topicName, partition: 0, offset: 1 }])).rejects.toMatchObject({
          code: 'ODK_COMMIT_FAILED',
        })
      })
    })

    test('assignors of the user, given as values, divide the group by the user data of its members', async () => {
      const topicName = await target.topic(4)
      const group = scene()
      const told = new Map<string, string>()
      /** The member whose user data sorts first gets partition 0 alone, the others share what is left. */
      const pilotFirst = (name: string): PartitionAssignor => ({
        name: 'pilot-first',
        subscriptionUserData: async () => Buffer.from(name),
        assign: (cluster, members) => {
          const nameOf = (id: string) => Buffer.from(members.get(id)!.userData!).toString()
          const [pilot, ...crew] = [...members.keys()].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
          const all = cluster.topics.get(topicName)!.partitions.map((_, partition) => ({ topic: topicName, partition }))
          const share = (id: string) => {
            if (crew.length === 0) return all
            if (id === pilot) return all.slice(0, 1)
            return all.slice(1).filter(({ partition }) => crew[partition % crew.length] === id)
          }
          const of = (id: string) => ({ partitions: share(id), userData: Buffer.from(`pilot is ${nameOf(pilot!)}`) })
          return new Map([...members.keys()].map(id => [id, of(id)]))
        },
        onAssignment: ({ userData }) => void told.set(name, Buffer.from(userData!).toString()),
      })
      const join = (name: string) =>
        group.member(name, { partitionAssignmentStrategy: pilotFirst(name) }).read(topicName)
      const b = join('b')
      await group.shared(topicName, 4, [b])
      const a = join('a')
      await group.until('a is the pilot', () => a.owned(topicName).join() === '0' && b.owned(topicName).length === 3)
      await group.until('both were told', () => [...told.values()].every(text => text === 'pilot is a'))
      expect([...told.keys()].sort()).toEqual(['a', 'b'])
      await group.produce(topicName, 160)
      await group.until('all was seen', () => group.distinct === 160)
      expect(group.seen.filter(({ by }) => by === 'a').every(({ partition }) => partition === 0)).toBe(true)
    })

    test('members with several assignors agree on one they all have: a rolling upgrade from range to cooperative-sticky', async () => {
      const topicName = await target.topic(4)
      const group = scene()
      const both = ['cooperative-sticky', 'range'] as const
      const old = group.member('old', { partitionAssignmentStrategy: 'range' }).read(topicName)
      await group.shared(topicName, 4, [old])
      const bridge = group.member('bridge', { partitionAssignmentStrategy: both }).read(topicName)
      await group.shared(topicName, 4, [old, bridge])
      await old.close()
      const fresh = group.member('fresh', { partitionAssignmentStrategy: 'cooperative-sticky' }).read(topicName)
      await group.shared(topicName, 4, [bridge, fresh])
      await group.produce(topicName, 160)
      await group.until('all is read', () => group.distinct === 160)
      expect(keysOutOfOrder(group.seen)).toEqual([])
    })

    test('a manual assignment commits and resumes under a group id without being a member', async () => {
      const topicName = await target.topic(1)
      const group = scene()
      await group.produce(topicName, 16)
      const options = {
        bootstrapServers: target.bootstrapServers,
        groupId: group.groupId,
        autoOffsetReset: 'earliest',
      } as const
      const at = { topic: topicName, partition: 0 }
      {
        await using first = createConsumer({ ...options, enableAutoCommit: false })
        await first.assign([at])
        let count = 0
        while (count < 16) count += (await first.poll(1_000)).length
        await first.commit([{ ...at, offset: 10 }])
      }
      await using second = createConsumer(options)
      await second.assign([at])
      const [next] = await second.poll(5_000)
      expect(next!.offset).toBe(10n)
    })
  })
})
