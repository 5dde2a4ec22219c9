// A group coordinator in a simulated world: it and its leader die, links drop, at any message, while members of both protocols join, stay, commit, stall and
// leave as clients do. What they were told is held against what groups promise (PROMISES 6).
import {
  type Address,
  defineActor,
  type Handlers,
  type Link,
  type Peer,
  type Spawned,
} from '@odradek/shared/actor/actor'
import { type SimulatedWorld, simulate } from '@odradek/shared/actor/simulated-host'
import { assert } from '@odradek/shared/base/assert'
import { PortError } from '@odradek/shared/base/errors'
import type { Random } from '@odradek/shared/base/random'
import type { ApiName, ApiRequest, ApiResponse } from '@odradek/shared/contracts/api-map'
import { type BrokerContract, brokerContract, type ImageNews } from '@odradek/shared/contracts/broker.contract'
import type { GroupConfigs } from '@odradek/shared/contracts/cluster.contract'
import { type CoordinatorContract, coordinatorContract } from '@odradek/shared/contracts/coordinator.contract'
import {
  type PartitionLeaderContract,
  type PartitionLeaderInput,
  partitionLeader,
} from '@odradek/shared/contracts/partition-leader.contract'
import { LeaderDouble } from '../runtime/leader-double.suite.ts'
import { groupCoordinator } from './group-coordinator.actor.ts'
import type { groupShard } from './group-shard.ts'

export const TOPIC_ID = 'b3JkZXJzLi4uLi4uLi4uLg'
export const PARTITIONS = 6

const leaderActor = defineActor<PartitionLeaderContract, PartitionLeaderInput>({
  kind: 'partition-leader',
  contract: partitionLeader,
  start({ resources }) {
    const log = resources.get('__consumer_offsets-0', () => new LeaderDouble())
    const ask = Object.keys(partitionLeader.asks).map(name => [name, (request: unknown) => log.answer(name, request)])
    const tell = { watch: () => {}, unwatch: () => {} }
    return { ask: Object.fromEntries(ask), tell, close: () => {} } as Handlers<PartitionLeaderContract>
  },
})

/** A broker that knows one topic, which may grow, and configs of groups. */
export class BrokerDouble {
  readonly actor = defineActor<BrokerContract, Record<string, never>>({
    kind: 'broker',
    contract: brokerContract,
    start: () => {
      const never = () => Promise.reject(new PortError({ code: 'UNREACHABLE', message: 'not asked for' }))
      const watchImage = (_: unknown, peer: Peer<BrokerContract>) => {
        this.#watchers.add(peer)
        peer.news('image', { isWhole: true, topics: this.#topics(), gone: [], groupConfigs: this.#groups })
        return {}
      }
      const ask = { metadata: never, leaders: never, coordinator: never, watchImage, request: never, advertise: never }
      return { ask, tell: { subscribe() {} }, close: () => {} } as unknown as Handlers<BrokerContract>
    },
  })
  readonly #watchers = new Set<Peer<BrokerContract>>()
  #partitions: number | null = PARTITIONS
  #groups: readonly GroupConfigs[] = []

  /** Another number of partitions (null: the topic is deleted), told to whoever watches. */
  resize(partitions: number | null): void {
    this.#partitions = partitions
    const gone = partitions === null ? [{ topic: 'orders', topicId: TOPIC_ID }] : []
    this.#tell({ isWhole: false, topics: this.#topics(), gone })
  }

  /** Configs of groups, told to whoever watches. */
  configure(groupConfigs: readonly GroupConfigs[]): void {
    this.#groups = groupConfigs
    this.#tell({ isWhole: false, topics: [], gone: [], groupConfigs })
  }

  #tell(news: ImageNews): void {
    for (const peer of this.#watchers) peer.news('image', news)
  }

  #topics() {
    return this.#partitions === null ? [] : [{ topic: 'orders', topicId: TOPIC_ID, partitions: this.#partitions }]
  }
}

/** What a member was told and did, and how it contradicts itself. */
export class GroupHistory {
  /** Owner of each partition by generation of the classic group. */
  readonly #owners = new Map<string, string>()
  /** Who reads each partition now, in the consumer group. */
  readonly #readers = new Map<number, string>()
  /** The newest generation that anybody has a part of. */
  #newest = 0
  readonly #committed = new Map<string, number>()
  /** Things that were seen, so that an empty history cannot pass. */
  readonly seen = { generations: new Set<number>(), commits: 0, moves: 0 }

  /** A member was given its part of a generation. (A generation that only JoinGroup told of may die with its coordinator, as in Kafka.) */
  began(generation: number): void {
    this.#newest = Math.max(this.#newest, generation)
    this.seen.generations.add(generation)
  }

  get newest(): number {
    return this.#newest
  }

  owns(memberId: string, generation: number, partition: number): void {
    const key = `${generation}:${partition}`
    const owner = this.#owners.get(key)
    assert(
      owner === undefined || owner === memberId,
      `partition ${partition} has two owners in generation ${generation}`,
    )
    this.#owners.set(key, memberId)
  }

  reads(memberId: string, partitions: ReadonlySet<number>): void {
    for (const [partition, reader] of this.#readers) if (reader === memberId) this.#readers.delete(partition)
    for (const partition of partitions) {
      const reader = this.#readers.get(partition)
      assert(reader === undefined, `partition ${partition} is read by ${reader} and ${memberId}`)
      this.#readers.set(partition, memberId)
    }
    this.seen.moves++
  }

  /** `newestBefore`: the newest generation that was known when the commit was sent. */
  committed(
    partition: number,
    offset: number,
    { generation, newestBefore }: { generation: number; newestBefore: number },
  ) {
    assert(generation >= newestBefore, `a commit of generation ${generation} was taken in generation ${newestBefore}`)
    this.#committed.set(`c${partition}`, Math.max(offset, this.#committed.get(`c${partition}`) ?? 0))
    this.seen.commits++
  }

  fetched(partition: number, offset: number, before: number): void {
    assert(offset >= before, `offset ${before} of partition ${partition} was committed, and ${offset} is found`)
  }

  committedSoFar(partition: number): number {
    return this.#committed.get(`c${partition}`) ?? 0
  }
}

export class GroupSimulation {
  readonly world: SimulatedWorld
  readonly random: Random
  readonly history = new GroupHistory()
  readonly broker: BrokerDouble
  readonly #coordinator: () => Promise<Spawned<CoordinatorContract>>
  #running: Promise<Spawned<CoordinatorContract>> | null = null
  #link: Link<CoordinatorContract> | null = null
  /** True once the trouble is over. */
  calm = false

  private constructor(
    world: SimulatedWorld,
    broker: BrokerDouble,
    coordinator: () => Promise<Spawned<CoordinatorContract>>,
  ) {
    this.world = world
    this.broker = broker
    this.random = world.random.fork()
    this.#coordinator = coordinator
  }

  /** `shardOf`: a shard with a planted bug. */
  static async start(world: SimulatedWorld, shardOf?: typeof groupShard): Promise<GroupSimulation> {
    const identity = {
      topic: '__consumer_offsets',
      topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
      partition: 0,
      nodeId: 1,
      leaderEpoch: 0,
    }
    const storage = { kind: 'memory', store: 'test' } as const
    const leader = await world.spawn(
      leaderActor,
      { ...identity, configs: {}, storage },
      { name: '__consumer_offsets-0' },
    )
    const double = new BrokerDouble()
    const broker = await world.spawn(double.actor, {}, { name: 'broker', lane: 0 })
    const input = {
      kind: 'group' as const,
      partition: 0,
      nodeId: 1,
      leaderEpoch: 0,
      coordinatorEpoch: 0,
      leader: leader.address,
      broker: broker.address as Address<BrokerContract>,
      configs: { 'group.initial.rebalance.delay.ms': '50' },
    }
    const module = groupCoordinator(shardOf)
    return new GroupSimulation(world, double, () =>
      world.spawn(module, { ...input, leader: leader.address }, { name: 'group-coordinator-0', onDeath: 'stop' }),
    )
  }

  pass(ms: number): Promise<void> {
    return new Promise(resolve => void this.world.clock.after(ms, resolve))
  }

  /** As a door asks: null when no answer came. */
  async ask<A extends ApiName>(api: A, request: ApiRequest<A>, apiVersion = 9): Promise<ApiResponse<A> | null> {
    try {
      const link = await this.#open()
      const asked = { api, apiVersion, request, clientId: 'client', clientHost: '/in-process' }
      return (await link.ask('request', asked, { deadlineMs: 90_000 })).response as ApiResponse<A>
    } catch (cause) {
      if (!(cause instanceof PortError)) throw cause
      await this.pass(20)
      return null
    }
  }

  /** Dies and is started anew by the next request. */
  async killCoordinator(): Promise<void> {
    await (await this.#running)?.kill('for the test')
  }

  async #open(): Promise<Link<CoordinatorContract>> {
    if (this.#link?.isClosed === false) return this.#link
    this.#running ??= this.#start()
    const spawned = await this.#running
    if (this.#link === null || this.#link.isClosed) this.#link = this.world.link(coordinatorContract, spawned.address)
    return this.#link
  }

  async #start(): Promise<Spawned<CoordinatorContract>> {
    try {
      const spawned = await this.#coordinator()
      spawned.onChange(address => {
        if (address === null) this.#running = null
      })
      return spawned
    } catch (cause) {
      this.#running = null
      throw cause
    }
  }
}

/** Runs `work` in a world of this seed. */
export function inGroupWorld(
  seed: number,
  work: (simulation: GroupSimulation) => Promise<void>,
  shardOf?: typeof groupShard,
): Promise<void> {
  const world = simulate({ seed, threads: 4 })
  return world.run(async () => work(await GroupSimulation.start(world, shardOf)), { withinMs: 24 * 3_600_000 })
}
