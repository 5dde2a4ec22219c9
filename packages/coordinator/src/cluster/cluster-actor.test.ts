// The cluster coordinator in a simulated world, with a broker's hands: it loses its leader, its lane and itself at any message.
import { type Address, defineActor, type Handlers, type Link, type Spawned } from '@odradek/shared/actor/actor'
import { type SimulatedWorld, simulate } from '@odradek/shared/actor/simulated-host'
import { PortError } from '@odradek/shared/base/errors'
import {
  type ClusterContract,
  type ClusterInput,
  clusterContract,
  type ImageDelta,
} from '@odradek/shared/contracts/cluster.contract'
import {
  type PartitionLeaderContract,
  type PartitionLeaderInput,
  partitionLeader,
} from '@odradek/shared/contracts/partition-leader.contract'
import { expect, test } from 'vitest'
import { LeaderDouble } from '../runtime/leader-double.suite.ts'
import { actor as clusterActor } from './cluster.actor.ts'

/** A leader whose log lies on the machine's disk. */
const leaderActor = defineActor<PartitionLeaderContract, PartitionLeaderInput>({
  kind: 'partition-leader',
  contract: partitionLeader,
  start({ resources }) {
    const log = resources.get('__cluster_metadata-0', () => new LeaderDouble())
    const ask = Object.keys(partitionLeader.asks).map(name => [name, (request: unknown) => log.answer(name, request)])
    const tell = { watch: () => {}, unwatch: () => {} }
    return { ask: Object.fromEntries(ask), tell, close: () => {} } as Handlers<PartitionLeaderContract>
  },
})

/** What the broker does for the cluster coordinator: starts both, and tells it where its leader is. */
class Host {
  readonly world: SimulatedWorld
  readonly leader: Spawned<PartitionLeaderContract>
  readonly cluster: Spawned<ClusterContract>
  readonly news: ImageDelta[] = []
  link: Link<ClusterContract>

  private constructor(
    world: SimulatedWorld,
    leader: Spawned<PartitionLeaderContract>,
    cluster: Spawned<ClusterContract>,
  ) {
    this.world = world
    this.leader = leader
    this.cluster = cluster
    this.link = this.#open(cluster.address)
    leader.onChange(address => address !== null && this.link.tell('leaderChanged', { leader: address }))
    cluster.onChange(address => {
      if (address === null) return
      this.link = this.#open(address)
      this.link.tell('leaderChanged', { leader: this.leader.address })
    })
  }

  static async start(world: SimulatedWorld): Promise<Host> {
    const identity = {
      topic: '__cluster_metadata',
      topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
      partition: 0,
      nodeId: 1,
      leaderEpoch: 0,
    }
    const storage = { kind: 'memory', store: 'test' } as const
    const leader = await world.spawn(
      leaderActor,
      { ...identity, configs: {}, storage },
      { name: '__cluster_metadata-0' },
    )
    const input: ClusterInput = {
      nodeId: 1,
      leader: leader.address,
      leaderEpoch: 0,
      clusterId: 'cluster-a',
      staticConfigs: { 'num.partitions': '2' },
    }
    return new Host(world, leader, await world.spawn(clusterActor, input, { name: 'cluster' }))
  }

  #open(address: Address<ClusterContract>): Link<ClusterContract> {
    const link = this.world.link(clusterContract, address)
    link.on('imageChanged', delta => this.news.push(delta))
    link.tell('subscribe', {})
    return link
  }

  request(api: 'CreateTopics' | 'DeleteTopics' | 'CreatePartitions' | 'Metadata', request: unknown): Promise<any> {
    return this.link.ask('request', { api, request, brokers: [] }).then(({ response }) => response)
  }

  create(name: string, numPartitions: number) {
    const topic = { name, numPartitions, replicationFactor: -1, assignments: [], configs: [] }
    return this.request('CreateTopics', { topics: [topic], timeoutMs: 0, validateOnly: false }).then(
      ({ topics }) => topics[0].errorCode,
    )
  }

  delete(name: string) {
    const topics = [{ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }]
    return this.request('DeleteTopics', { topics, topicNames: [], timeoutMs: 0 }).then(
      ({ responses }) => responses[0].errorCode,
    )
  }

  grow(name: string, count: number) {
    const topics = [{ name, count, assignments: null }]
    return this.request('CreatePartitions', { topics, timeoutMs: 0, validateOnly: false }).then(
      ({ results }) => results[0].errorCode,
    )
  }

  /** Asks until the coordinator serves. */
  async image(): Promise<ImageDelta & { clusterId: string }> {
    for (;;) {
      try {
        const { clusterId } = await this.link.ask('tellImage', {})
        return { ...this.news.findLast(({ isWhole }) => isWhole)!, clusterId }
      } catch (cause) {
        if (!(cause instanceof PortError)) throw cause
        await this.pass(5)
      }
    }
  }

  pass(ms: number): Promise<void> {
    return new Promise(resolve => void this.world.clock.after(ms, resolve))
  }
}

const sizes = ({ topics }: ImageDelta) =>
  Object.fromEntries(topics.map(({ topic, leaderEpochs }) => [topic, leaderEpochs.length]).sort())

/** Leader epochs by topic id, as one knows them who takes the news in one after another. */
function followed(news: readonly ImageDelta[]): Map<string, readonly number[]> {
  const known = new Map<string, readonly number[]>()
  for (const { isWhole, topics, deleted } of news) {
    if (isWhole) known.clear()
    for (const { topicId } of deleted) known.delete(topicId)
    for (const { topicId, leaderEpochs } of topics) known.set(topicId, leaderEpochs)
  }
  return known
}

function inWorld(work: (host: Host) => Promise<void>, seed = 1): Promise<void> {
  const world = simulate({ seed, threads: 4 })
  return world.run(async () => work(await Host.start(world)))
}

test('what is acknowledged is told before, and is there after both actors died', () =>
  inWorld(async host => {
    expect(await host.create('a', -1)).toBe(0)
    expect(host.news.some(({ topics }) => topics.some(({ topic }) => topic === 'a'))).toBe(true)
    const before = await host.image()
    host.world.kill(host.leader)
    host.world.kill(host.cluster)
    await host.pass(500)
    expect(await host.image()).toEqual(before)
    expect(sizes(before)).toEqual({ a: 2 })
  }))

test('a watcher that follows the news knows what the image says', () =>
  inWorld(async host => {
    await host.create('a', 3)
    await host.create('b', 1)
    await host.delete('a')
    await host.grow('b', 4)
    await host.link.ask('bumpLeaderEpochs', { partitions: null })
    const known = followed(host.news)
    const { topics } = await host.image()
    expect([...known]).toEqual(topics.map(({ topicId, leaderEpochs }) => [topicId, leaderEpochs]))
    expect([...known.values()]).toEqual([[1, 1, 1, 1]])
  }))

test('a whole image that is asked for while topics come is told in its place: what came after it stays', () =>
  inWorld(async host => {
    const asked = [1, 2, 3].flatMap(n => [host.link.ask('tellImage', {}), host.create(`topic-${n}`, n)])
    await Promise.all(asked)
    expect([...followed(host.news).values()].map(({ length }) => length)).toEqual([1, 2, 3])
    expect(host.news.filter(({ isWhole }) => isWhole).length).toBeGreaterThanOrEqual(3)
  }))

test('an API that the cluster does not answer fails with UNSUPPORTED_VERSION', () =>
  inWorld(async host => {
    await expect(host.request('Produce' as 'Metadata', {})).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION' })
  }))

/** The state after an operation, by a model that knows names and sizes only; null when it changes nothing. */
function modelled(model: ReadonlyMap<string, number>, [kind, name, count]: Operation): Map<string, number> | null {
  const size = model.get(name)
  const allowed =
    kind === 'create' ? size === undefined : kind === 'delete' ? size !== undefined : size !== undefined && count > size
  if (!allowed) return null
  const next = new Map(model)
  if (kind === 'delete') next.delete(name)
  else next.set(name, count)
  return next
}

type Operation = readonly ['create' | 'delete' | 'grow', string, number]

async function administer(host: Host): Promise<{ acknowledged: number; unknown: number }> {
  const random = host.world.random
  let model: ReadonlyMap<string, number> = new Map()
  const outcome = { acknowledged: 0, unknown: 0 }
  let lastProducerId = -1
  for (let step = 0; step < 25; step++) {
    const operation: Operation = [
      (['create', 'delete', 'grow'] as const)[random.int(3)]!,
      `t${random.int(3)}`,
      1 + random.int(4),
    ]
    const victim = [host.leader, host.cluster, null, null][random.int(4)]
    if (victim !== null && victim !== undefined)
      host.world.clock.after(random.float() * 3, () => host.world.kill(victim))
    const after = modelled(model, operation)
    const [kind, name, count] = operation
    try {
      const errorCode = await (kind === 'create'
        ? host.create(name, count)
        : kind === 'delete'
          ? host.delete(name)
          : host.grow(name, count))
      expect(errorCode === 0, `${operation} on ${[...model]}`).toBe(after !== null)
      outcome.acknowledged++
      model = after ?? model
    } catch (cause) {
      if (!(cause instanceof PortError)) throw cause
      outcome.unknown++
      const seen = JSON.stringify(sizes(await host.image()))
      const possible = [model, after ?? model].find(
        state => JSON.stringify(Object.fromEntries([...state].sort())) === seen,
      )
      expect(possible, `${seen} after ${operation} on ${[...model]}`).toBeDefined()
      model = possible!
    }
    expect(sizes(await host.image())).toEqual(Object.fromEntries(model))
    const block = await host.link.ask('allocateProducerIds', {}).catch(() => null)
    if (block !== null) {
      expect(block.firstProducerId).toBeGreaterThan(lastProducerId)
      lastProducerId = block.firstProducerId + block.length - 1
    }
  }
  return outcome
}

test('random admin operations under kills: nothing acknowledged is lost, nothing else appears, no producer id comes twice', async () => {
  const total = { acknowledged: 0, unknown: 0 }
  for (let seed = 1; seed <= 40; seed++) {
    await inWorld(async host => {
      const { acknowledged, unknown } = await administer(host)
      total.acknowledged += acknowledged
      total.unknown += unknown
    }, seed)
  }
  expect(total.acknowledged).toBeGreaterThan(400)
  expect(total.unknown).toBeGreaterThan(40)
})
