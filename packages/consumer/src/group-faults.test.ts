// Groups under faults, from seeds: threads die, members come and go, the coordinator forgets. What must hold whatever happens: every record is processed at
// least once, a partition is never assigned to two members at once, and a committed offset is never ahead of what was processed.
import { string } from '@odradek/shared/client/codecs'
import { topic } from '@odradek/shared/client/topic'
import type { TopicPartition } from '@odradek/shared/contracts/consumer.contract'
import { expect, it } from 'vitest'
import type { Consumer } from './consumer-client.ts'
import { consumerWorld } from './consumer-world.suite.ts'
import { FakeConsumerGroup } from './fake-consumer-group.suite.ts'
import { FakeGroup } from './fake-group.suite.ts'

const words = topic('words', { key: string(), value: string() })
const PARTITIONS = 6
const RECORDS = 120

interface History {
  /** Offsets processed, per partition. */
  readonly processed: Map<number, Set<number>>
  /** A partition was assigned to one member while another had not given it up. */
  readonly shared: string[]
  /** Committed ahead of what was processed. */
  readonly ahead: string[]
}

async function story(seed: number, groupProtocol: 'classic' | 'consumer'): Promise<History> {
  const { world, cluster, create } = consumerWorld(seed)
  cluster.addTopic('words', PARTITIONS)
  const history: History = { processed: new Map(), shared: [], ahead: [] }
  const coordinator =
    groupProtocol === 'classic'
      ? new FakeGroup(cluster, world.clock)
      : new FakeConsumerGroup(cluster, world.clock, 'words').offsets
  for (let partition = 0; partition < PARTITIONS; partition++) history.processed.set(partition, new Set())
  const members = new Set<Consumer>()
  const owners = new Map<number, number>()
  let joined = 0
  const options =
    groupProtocol === 'classic'
      ? { groupProtocol, heartbeatIntervalMs: 100, sessionTimeoutMs: 2_000, maxPollIntervalMs: 3_000 }
      : { groupProtocol, maxPollIntervalMs: 3_000 }
  const strategy =
    seed % 2 === 0 && groupProtocol === 'classic' ? { partitionAssignmentStrategy: 'cooperative-sticky' as const } : {}

  const join = () => {
    const me = ++joined
    const free = (partitions: readonly TopicPartition[]) => {
      for (const { partition } of partitions) if (owners.get(partition) === me) owners.delete(partition)
    }
    const hooks = {
      onAssigned: (partitions: readonly TopicPartition[]) => {
        for (const { partition } of partitions) {
          if (owners.has(partition)) history.shared.push(`${partition}: ${owners.get(partition)} and ${me}`)
          owners.set(partition, me)
        }
      },
      onRevoked: free,
      onLost: free,
    }
    const consumer = create({ groupId: 'g', autoCommitIntervalMs: 150, ...options, ...strategy, ...hooks })
    members.add(consumer)
    const read = async () => {
      await consumer.each(
        words,
        async ({ partition, offset }) => {
          if (world.random.int(4) === 0)
            await new Promise<void>(resolve => world.clock.after(world.random.int(30), resolve))
          history.processed.get(partition)!.add(Number(offset))
        },
        { partitionConcurrency: 3 },
      )
    }
    read().catch(() => members.has(consumer) && void read().catch(() => {}))
  }

  join()
  join()
  for (let n = 0; n < RECORDS; n++) {
    cluster.append('words', n % PARTITIONS, [`${n}`])
    await world.advance(20)
    for (const [name, offset] of coordinator.committed) {
      const done = history.processed.get(Number(name.split('-')[1]))!
      for (let at = 0; at < offset; at++) if (!done.has(at)) history.ahead.push(`${name}@${at}`)
    }
    const dice = world.random.int(40)
    if (dice === 0) join()
    if (dice === 1 && members.size > 1) {
      const [one] = members
      members.delete(one!)
      void one!.close()
    }
    if (dice === 2) {
      const actors = await world.run(() => world.actors())
      const consumers = actors.filter(({ address }) => address.kind === 'consumer')
      if (consumers.length > 0) world.kill(consumers[world.random.int(consumers.length)]!.address)
    }
  }
  await world.advance(60_000)
  return history
}

it.each(['classic', 'consumer'] as const)(
  'a %s group loses no record and commits nothing unprocessed, over 20 seeds',
  async protocol => {
    for (let seed = 1; seed <= 20; seed++) {
      const { processed, shared, ahead } = await story(seed, protocol)
      expect(shared, `seed ${seed}`).toEqual([])
      expect(ahead, `seed ${seed}`).toEqual([])
      const counts = [...processed.values()].map(offsets => offsets.size)
      expect(counts, `seed ${seed}`).toEqual(Array.from({ length: PARTITIONS }, () => RECORDS / PARTITIONS))
    }
  },
)
