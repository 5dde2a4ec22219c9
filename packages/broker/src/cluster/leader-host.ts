// The broker's hand on partition leaders: starts each when it is first asked for, tells where it runs, passes configs on, removes the logs of
// deleted topics. One leader per partition at any time; knows nothing of requests.
import type { ActorContext, ActorModule, Address, Link, Spawned, SpawnOptions } from '@odradek/shared/actor/actor'
import type { LeaderAddress } from '@odradek/shared/contracts/broker.contract'
import type { TopicImage } from '@odradek/shared/contracts/cluster.contract'
import {
  type PartitionLeaderContract,
  type PartitionLeaderInput,
  partitionLeader,
  type StorageInput,
} from '@odradek/shared/contracts/partition-leader.contract'
import type { LogIdentity } from '../log/partition-log.ts'
import { leaderBrokerConfigs } from '../partition/leader-config.rules.ts'

export interface LeaderHostOptions {
  readonly context: ActorContext
  readonly module: ActorModule<PartitionLeaderContract, PartitionLeaderInput>
  readonly nodeId: number
  readonly storage: StorageInput
  /** Effective broker configs: a leader obeys some of them besides its topic's. */
  readonly brokerConfigs: () => { readonly [name: string]: string }
  /** Removes the log of a partition whose leader does not run. */
  readonly deleteLog: (identity: LogIdentity) => void
  /** Told whenever a leader starts, moves or ends. */
  readonly changed: (leader: LeaderAddress) => void
}

/** On which lane a leader starts; left out: its own. */
type Where = Pick<SpawnOptions, 'lane' | 'near'>
type Configs = { readonly [name: string]: string }

interface Hosted {
  image: TopicImage
  readonly partition: number
  spawned: Promise<Spawned<PartitionLeaderContract> | null>
  address: Address | null
  failure?: string
}

export class LeaderHost {
  readonly #options: LeaderHostOptions
  readonly #hosted = new Map<string, Hosted>()
  /** Why leaders did not start when they were last asked for: clients ask again and again, the log is told once. */
  readonly #failures = new Map<string, string>()
  readonly #configs = new WeakMap<TopicImage, { readonly broker: Configs; readonly configs: Configs }>()
  #closing = false

  constructor(options: LeaderHostOptions) {
    this.#options = options
  }

  /** Leaders that were started and have not ended. */
  get size(): number {
    return this.#hosted.size
  }

  /** Where the leader runs, started if need be; its address is null when it cannot start (its log is damaged, or its disk fails). */
  async address(image: TopicImage, partition: number, where: Where = {}): Promise<LeaderAddress> {
    const hosted = this.#hosted.get(key(image, partition)) ?? this.#start(image, partition, where)
    await hosted.spawned
    return leaderAddress(hosted)
  }

  /** Whether a leader of the partition was started and has not ended: its log is nobody else's. */
  isHosted(image: TopicImage, partition: number): boolean {
    return this.#hosted.has(key(image, partition))
  }

  /** Takes in a changed topic: running leaders get its effective configs. */
  configure(image: TopicImage): void {
    for (const hosted of this.#running(image)) {
      hosted.image = image
      this.#configure(hosted)
    }
  }

  /** Broker configs changed: every leader gets them. */
  configureAll(): void {
    for (const hosted of this.#hosted.values()) this.#configure(hosted)
  }

  /** What a leader of that topic obeys; made once for all partitions of a topic, until its configs or the broker's change. */
  configsOf(image: TopicImage): Configs {
    const broker = this.#options.brokerConfigs()
    const known = this.#configs.get(image)
    if (known?.broker === broker) return known.configs
    const configs = this.#effective(image, broker)
    this.#configs.set(image, { broker, configs })
    return configs
  }

  #effective(image: TopicImage, broker: Configs): Configs {
    const own = leaderBrokerConfigs.flatMap(name => (broker[name] === undefined ? [] : [[name, broker[name]]]))
    return { ...Object.fromEntries(own), ...image.configs }
  }

  #configure(hosted: Hosted): void {
    void this.#ask(hosted, link => link.ask('configure', { configs: this.configsOf(hosted.image) }))
  }

  /** Ends the leaders of a deleted topic and removes its logs. Rejects with what the disk says when one cannot be removed. */
  async destroy(image: TopicImage): Promise<void> {
    await Promise.all(image.leaderEpochs.map((_, partition) => this.#destroy(image, partition)))
  }

  async #destroy(image: TopicImage, partition: number): Promise<void> {
    this.#failures.delete(key(image, partition))
    const hosted = this.#hosted.get(key(image, partition))
    const spawned = await hosted?.spawned
    if (hosted && spawned) {
      const answer = await this.#ask(hosted, link => link.ask('destroy', {}))
      await spawned.close()
      this.#hosted.delete(key(image, partition))
      if (answer?.errorCode === 0) return
    }
    // No leader runs, or it was just being restarted, or it failed: its log is nobody's now.
    const { topic, topicId } = image
    this.#options.deleteLog({ topic, topicId, partition })
  }

  /** Sizes and offsets of the leaders that run, for DescribeLogDirs. */
  describe(image: TopicImage, partition: number) {
    const hosted = this.#hosted.get(key(image, partition))
    return hosted ? this.#ask(hosted, link => link.ask('describeLog', {})) : Promise.resolve(undefined)
  }

  /** Orderly end of all. */
  async close(): Promise<void> {
    this.#closing = true
    await Promise.all([...this.#hosted.values()].map(async ({ spawned }) => (await spawned)?.close()))
    this.#hosted.clear()
  }

  #start(image: TopicImage, partition: number, where: Where): Hosted {
    const hosted: Hosted = { image, partition, address: null, spawned: Promise.resolve(null) }
    if (this.#closing) return hosted
    this.#hosted.set(key(image, partition), hosted)
    hosted.spawned = this.#spawn(hosted, where)
    return hosted
  }

  async #spawn(hosted: Hosted, where: Where): Promise<Spawned<PartitionLeaderContract> | null> {
    const { context, module, nodeId, storage } = this.#options
    const { image, partition } = hosted
    const { topic, topicId, leaderEpochs } = image
    const configs = this.configsOf(image)
    const input = { topic, topicId, partition, nodeId, leaderEpoch: leaderEpochs[partition]!, configs, storage }
    try {
      const spawned = await context.spawn(module, input, { name: `${topic}-${partition}`, ...where })
      hosted.address = spawned.address
      this.#failures.delete(key(image, partition))
      spawned.onChange((address, reason) => this.#moved(hosted, address, reason))
      return spawned
    } catch (error) {
      this.#hosted.delete(key(image, partition))
      this.#failed(hosted, (error as Error).message)
      return null
    }
  }

  #failed(hosted: Hosted, failure: string): void {
    const { image, partition } = hosted
    const { topic } = image
    hosted.failure = failure
    if (this.#closing || this.#failures.get(key(image, partition)) === failure) return
    this.#failures.set(key(image, partition), failure)
    this.#options.context.log.error({ topic, partition, error: failure }, 'partition leader did not start')
  }

  #moved(hosted: Hosted, address: Address | null, reason: string): void {
    const { context, changed } = this.#options
    hosted.address = address
    if (address === null) this.#hosted.delete(key(hosted.image, hosted.partition))
    if (this.#closing) return
    const fields = { topic: hosted.image.topic, partition: hosted.partition, reason, running: address !== null }
    // A leader that was told to close (its topic was deleted) is no news for the log.
    if (reason === 'closed') context.log.debug(fields, 'partition leader closed')
    else context.log.warn(fields, 'partition leader changed')
    changed(leaderAddress(hosted))
  }

  #running({ topicId }: TopicImage): Hosted[] {
    return [...this.#hosted.values()].filter(hosted => hosted.image.topicId === topicId)
  }

  /** One question over a link of its own; undefined when the leader is not there to answer. */
  async #ask<T>({ address }: Hosted, ask: (link: Link<PartitionLeaderContract>) => Promise<T>): Promise<T | undefined> {
    if (!address) return undefined
    const link = this.#options.context.link(partitionLeader, address as Address<PartitionLeaderContract>)
    try {
      return await ask(link)
    } catch {
      return undefined
    } finally {
      link.close()
    }
  }
}

function key({ topicId }: TopicImage, partition: number): string {
  return `${topicId}-${partition}`
}

function leaderAddress({ image, partition, address, failure }: Hosted): LeaderAddress {
  const { topic, topicId, leaderEpochs } = image
  const why = failure === undefined ? {} : { failure }
  return { topic, topicId, partition, leaderEpoch: leaderEpochs[partition]!, address, ...why }
}
