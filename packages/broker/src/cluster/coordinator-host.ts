// The broker's hand on coordinator shards: makes the internal topic when it is first needed, and starts the shard of one of its partitions on the
// lane of that partition's leader, so that a commit costs no thread hop (DESIGN 4).
import type { ActorContext, ActorModule, Address, Spawned } from '@odradek/shared/actor/actor'
import { partitionForKey } from '@odradek/shared/base/java-hash'
import { internalTopics } from '@odradek/shared/client/port/internal-topics'
import type { BrokerContract, CoordinatorKind } from '@odradek/shared/contracts/broker.contract'
import type { TopicImage } from '@odradek/shared/contracts/cluster.contract'
import type { CoordinatorContract, CoordinatorInput } from '@odradek/shared/contracts/coordinator.contract'
import type { PartitionLeaderContract } from '@odradek/shared/contracts/partition-leader.contract'
import { coordinatorEpochOf } from './coordinator-epoch.rules.ts'
import type { LeaderHost } from './leader-host.ts'

export type CoordinatorModules = { readonly [K in CoordinatorKind]: ActorModule<CoordinatorContract, CoordinatorInput> }

export interface CoordinatorHostOptions {
  readonly context: ActorContext
  readonly modules: CoordinatorModules
  readonly leaders: LeaderHost
  readonly nodeId: number
  /** The internal topic, created if it does not exist; undefined when that failed. */
  readonly ensureTopic: (name: string) => Promise<TopicImage | undefined>
  readonly brokerConfigs: () => { readonly [name: string]: string }
}

interface Shard {
  spawned: Promise<Spawned<CoordinatorContract> | null>
  address: Address | null
}

const topicOf = { group: internalTopics.offsets, transaction: internalTopics.transactions } as const

export class CoordinatorHost {
  readonly #options: CoordinatorHostOptions
  readonly #shards = new Map<string, Shard>()
  /** How often each shard was started. */
  readonly #starts = new Map<string, number>()
  #closing = false

  constructor(options: CoordinatorHostOptions) {
    this.#options = options
  }

  /** How many shards of a kind there are, and where the asked one runs (null: it cannot run now). */
  async find(
    kind: CoordinatorKind,
    which: { readonly partition?: number; readonly key?: string },
  ): Promise<{ partitions: number; address: Address | null }> {
    const image = await this.#options.ensureTopic(topicOf[kind])
    if (!image) return { partitions: 0, address: null }
    const partitions = image.leaderEpochs.length
    const partition = which.key === undefined ? which.partition : partitionForKey(which.key, partitions)
    if (partition === undefined || partition < 0 || partition >= partitions) return { partitions, address: null }
    const key = `${kind}-${partition}`
    const shard = this.#shards.get(key) ?? this.#start(kind, key, image, partition)
    await shard.spawned
    return { partitions, address: shard.address }
  }

  /**
   * Starts the shards of these partitions one after another, without being asked. Transactions need it: what was decided before a stop is owed
   * its markers, and what was open has a timeout, whether or not a client comes back.
   */
  async resume(kind: CoordinatorKind, partitions: readonly number[]): Promise<void> {
    for (const partition of partitions) if (!this.#closing) await this.find(kind, { partition })
  }

  /** Orderly end of all shards; their leaders close later. */
  async close(): Promise<void> {
    this.#closing = true
    await Promise.all([...this.#shards.values()].map(async ({ spawned }) => (await spawned)?.close()))
    this.#shards.clear()
  }

  #start(kind: CoordinatorKind, key: string, image: TopicImage, partition: number): Shard {
    const shard: Shard = { address: null, spawned: Promise.resolve(null) }
    if (this.#closing) return shard
    this.#shards.set(key, shard)
    shard.spawned = this.#spawn(kind, key, image, partition, shard)
    return shard
  }

  async #spawn(
    kind: CoordinatorKind,
    key: string,
    image: TopicImage,
    partition: number,
    shard: Shard,
  ): Promise<Spawned<CoordinatorContract> | null> {
    const { context, modules, leaders, nodeId, brokerConfigs } = this.#options
    try {
      const { address: leader, leaderEpoch } = await leaders.address(image, partition)
      if (!leader) throw new Error('the leader of its partition does not run')
      const input: CoordinatorInput = {
        kind,
        partition,
        nodeId,
        leaderEpoch,
        coordinatorEpoch: coordinatorEpochOf(leaderEpoch, this.#nextStart(key)),
        leader: leader as Address<PartitionLeaderContract>,
        broker: context.self as Address<BrokerContract>,
        configs: brokerConfigs(),
      }
      // A shard cannot outlive its leader's lane or incarnation: it is started anew, with the leader's new address, when next asked for.
      const spawned = await context.spawn(modules[kind], input, {
        name: `${kind}-coordinator-${partition}`,
        lane: leader.lane,
        onDeath: 'stop',
      })
      shard.address = spawned.address
      spawned.onChange((address, reason) => {
        shard.address = address
        if (address === null && this.#shards.get(key) === shard) this.#shards.delete(key)
        if (this.#closing) return
        context.log.warn({ kind, partition, reason }, 'coordinator shard changed')
        if (address === null) this.#resumeSoon(kind, partition)
      })
      return spawned
    } catch (error) {
      context.log.error({ kind, partition, error: String(error) }, 'coordinator shard did not start')
      this.#shards.delete(key)
      if (!this.#closing) this.#resumeSoon(kind, partition)
      return null
    }
  }

  #nextStart(key: string): number {
    const start = this.#starts.get(key) ?? 0
    this.#starts.set(key, start + 1)
    return start
  }

  /** Groups wait for their members; transactions go on by themselves. */
  #resumeSoon(kind: CoordinatorKind, partition: number): void {
    if (kind !== 'transaction') return
    const { clock, limits } = this.#options.context
    clock.after(limits.shardRetryMs, () =>
      this.resume(kind, [partition]).catch(() => this.#resumeSoon(kind, partition)),
    )
  }
}
