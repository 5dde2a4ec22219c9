// The broker's side of the cluster coordinator: hosts its log's leader and the coordinator on the broker's own lane, asks it, and keeps the table of
// topics as its news says. When the coordinator is started anew, the whole image is taken in again.
import { metadataTopicConfigs } from '@odradek/coordinator/cluster/internal-topics.rules'
import { clusterModule } from '@odradek/coordinator/modules'
import type { ActorContext, Address, Link, Spawned } from '@odradek/shared/actor/actor'
import { internalTopics } from '@odradek/shared/client/port/internal-topics'
import type { ApiName, ApiRequest, ApiResponse } from '@odradek/shared/contracts/api-map'
import type { LeaderAddress } from '@odradek/shared/contracts/broker.contract'
import {
  type BrokerEndpoint,
  type ClusterContract,
  clusterContract,
  type ImageDelta,
  type TopicImage,
} from '@odradek/shared/contracts/cluster.contract'
import type { PartitionLeaderContract } from '@odradek/shared/contracts/partition-leader.contract'
import type { LeaderHost } from './leader-host.ts'
import type { TopicTable } from './topic-table.ts'

export interface ClusterClientOptions {
  readonly context: ActorContext
  readonly leaders: LeaderHost
  readonly topics: TopicTable
  readonly nodeId: number
  readonly clusterId: string
  readonly staticConfigs: { readonly [name: string]: string }
  /** Told after the table took a delta in, with the images of topics that went. */
  readonly changed: (delta: ImageDelta, gone: readonly TopicImage[]) => void
}

/** The log of `__cluster_metadata` exists before any image can say so; its id is Kafka's (Uuid.METADATA_TOPIC_ID, the uuid of the number 1). */
export const metadataTopic: TopicImage = {
  topic: internalTopics.metadata,
  topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
  leaderEpochs: [0],
  configs: { 'segment.bytes': String(1024 ** 3), ...metadataTopicConfigs },
}

export class ClusterClient {
  readonly #options: ClusterClientOptions
  #spawned: Spawned<ClusterContract> | undefined
  #link: Link<ClusterContract> | undefined
  /** Of the metadata log, when it was restarted since the coordinator was first started. */
  #leader: Address<PartitionLeaderContract> | undefined
  #clusterId: string
  #closing = false

  constructor(options: ClusterClientOptions) {
    this.#options = options
    this.#clusterId = options.clusterId
  }

  get clusterId(): string {
    return this.#clusterId
  }

  /** Opens the metadata log and starts the coordinator. Throws when the log cannot be opened. */
  async open(): Promise<void> {
    const { context, leaders, nodeId, clusterId, staticConfigs } = this.#options
    const { address, leaderEpoch } = await leaders.address(metadataTopic, 0, { lane: 'self' })
    if (!address) throw new Error(`the log of ${metadataTopic.topic} cannot be opened`)
    const input = { nodeId, leader: address as Address<PartitionLeaderContract>, leaderEpoch, clusterId, staticConfigs }
    this.#spawned = await context.spawn(clusterModule, input, { name: 'cluster', lane: 'self' })
    this.#spawned.onChange(address => address && void this.#connect(address))
  }

  /** Takes the whole image in, after the epochs of all leaders were raised for this start of the broker. */
  async load(): Promise<void> {
    await this.#connect(this.#spawned!.address, { once: true })
    await this.#ask().ask('bumpLeaderEpochs', { partitions: null })
  }

  async request<A extends ApiName>(
    api: A,
    request: ApiRequest<A>,
    brokers: readonly BrokerEndpoint[],
    deadlineMs?: number,
  ): Promise<ApiResponse<A>> {
    const { response } = await this.#ask().ask(
      'request',
      { api, request, brokers },
      deadlineMs === undefined ? {} : { deadlineMs },
    )
    return response as ApiResponse<A>
  }

  /** Creates those topics that do not exist; the table knows them when it resolves. */
  ensureTopics(
    topics: readonly {
      readonly name: string
      readonly partitions?: number
      readonly configs?: { readonly [name: string]: string }
    }[],
  ) {
    return this.#ask().ask('ensureTopics', { topics })
  }

  /** Which of these topics the metadata log says to have been removed. */
  async removedAmong(topicIds: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set((await this.#ask().ask('removedAmong', { topicIds })).topicIds)
  }

  allocateProducerIds() {
    return this.#ask().ask('allocateProducerIds', {})
  }

  /** The leader of the metadata log was restarted: the coordinator loads its catalog from it anew. */
  leaderChanged({ topic, address }: LeaderAddress): void {
    if (topic !== metadataTopic.topic || !address) return
    this.#leader = address as Address<PartitionLeaderContract>
    this.#link?.tell('leaderChanged', { leader: this.#leader })
  }

  async close(): Promise<void> {
    this.#closing = true
    this.#link?.close()
    await this.#spawned?.close()
  }

  #ask(): Link<ClusterContract> {
    return this.#link!
  }

  /**
   * Follows the coordinator that runs there. Resolves when the whole image was taken in, or it has ended. With `once` it rejects when the coordinator
   * cannot serve: nothing can start without it.
   */
  async #connect(address: Address, { once = false } = {}): Promise<void> {
    const { context } = this.#options
    const link = context.link(clusterContract, address as Address<ClusterContract>)
    link.on('imageChanged', delta => this.#take(delta))
    link.tell('subscribe', {})
    // What it was started with is where the leader was first.
    if (this.#leader) link.tell('leaderChanged', { leader: this.#leader })
    this.#link = link
    // Ports lose nothing while both live; should the link end all the same, it is opened anew.
    void link.closed.then(() => context.clock.after(context.limits.cutOffMs, () => this.#reconnect(link)))
    // The next incarnation is connected to by `onChange`.
    while (!link.isClosed) {
      try {
        const { clusterId } = await link.ask('tellImage', {})
        this.#clusterId = clusterId
        return
      } catch (error) {
        if (once) throw error
        // Its log's leader is on its way back, and so is the shard: it waited as long as a request may.
        if (!link.isClosed) context.log.warn({ reason: (error as Error).message }, 'the cluster is not ready yet')
      }
    }
  }

  #reconnect(link: Link<ClusterContract>): void {
    if (this.#link === link && !this.#closing) void this.#connect(link.address)
  }

  #take(delta: ImageDelta): void {
    const { topics, changed } = this.#options
    changed(delta, topics.apply(delta))
  }
}
