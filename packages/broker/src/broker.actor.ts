// The broker's hands: opens `__cluster_metadata` and its coordinator on this lane, keeps the image, starts leaders and coordinators when they are
// first asked for, and answers what no leader and no coordinator owns. On no data path.
import { type ActorContext, defineActor, type Handlers, type Peer } from '@odradek/shared/actor/actor'
import { type MachineRun, runMachine } from '@odradek/shared/actor/machine-runner'
import { PortError } from '@odradek/shared/base/errors'
import { internalTopics, isInternalTopic } from '@odradek/shared/client/port/internal-topics'
import type { ApiName, ApiRequest, ApiResponse } from '@odradek/shared/contracts/api-map'
import {
  type BrokerContract,
  brokerContract,
  type ClusterDelta,
  type LeaderAddress,
} from '@odradek/shared/contracts/broker.contract'
import type { BrokerEndpoint, ImageDelta, TopicImage } from '@odradek/shared/contracts/cluster.contract'
import type { StorageInput } from '@odradek/shared/contracts/partition-leader.contract'
import { errorOf } from '@odradek/shared/protocol/error-codes'
import type { MetadataRequest, MetadataResponse } from '@odradek/shared/protocol/messages/03-metadata'
import { brokerMachine } from './broker.machine.ts'
import { type BrokerView, brokerApis } from './cluster/broker-apis.ts'
import { ClusterClient, metadataTopic } from './cluster/cluster-client.ts'
import { CoordinatorHost } from './cluster/coordinator-host.ts'
import { LeaderHost } from './cluster/leader-host.ts'
import { coordinatorModules, leaderModule } from './cluster/modules.ts'
import { removeOrphanedLogs } from './cluster/orphaned-logs.ts'
import { ProducerIdBlock } from './cluster/producer-id-block.ts'
import { RetentionSweep } from './cluster/retention-sweep.ts'
import { TopicTable } from './cluster/topic-table.ts'
import type { LogIdentity, LogStore } from './log/partition-log.ts'
import { openLogStore } from './partition/leader-storage.ts'

export interface BrokerInput {
  readonly nodeId: number
  /** For a fresh directory; an existing cluster keeps its own. */
  readonly clusterId: string
  readonly rack: string | null
  readonly storage: StorageInput
  /** Static broker configs, Kafka's names, values as strings. */
  readonly staticConfigs: { readonly [name: string]: string }
  /** Created at the start if they do not exist. */
  readonly topics: readonly {
    readonly name: string
    readonly partitions?: number
    readonly configs?: { readonly [name: string]: string }
  }[]
}

/** Who hears of changes: they stay when the broker begins anew. */
interface Audience {
  readonly subscribers: Set<Peer<BrokerContract>>
  readonly imageWatchers: Set<Peer<BrokerContract>>
}

class Broker {
  readonly #context: ActorContext
  readonly #topics = new TopicTable()
  readonly #audience: Audience
  readonly #logs: LogStore
  readonly #leaders: LeaderHost
  readonly #coordinators: CoordinatorHost
  readonly #cluster: ClusterClient
  readonly #sweep: RetentionSweep
  readonly #view: BrokerView
  readonly #machine: MachineRun<typeof brokerMachine>
  #endpoint: BrokerEndpoint
  #closed: () => void = () => undefined
  /** Whether closing also removes what is stored. */
  #wipes = false
  #closeError: unknown

  constructor(context: ActorContext, input: BrokerInput, endpoint: BrokerEndpoint, audience: Audience) {
    this.#context = context
    this.#audience = audience
    this.#endpoint = endpoint
    const { nodeId, storage } = input
    const logs = openLogStore(context, storage)
    this.#logs = logs
    logs.removeStray()
    this.#leaders = new LeaderHost({
      context,
      module: leaderModule,
      nodeId,
      storage,
      brokerConfigs: () => this.#topics.brokerConfigs,
      deleteLog: identity => logs.delete(identity),
      changed: leader => {
        this.#cluster.leaderChanged(leader)
        this.#publish({ leaders: [leader], gone: [], topics: [] })
      },
    })
    this.#cluster = new ClusterClient({
      ...input,
      context,
      leaders: this.#leaders,
      topics: this.#topics,
      changed: (delta, gone) => this.#imageChanged(delta, gone),
    })
    this.#coordinators = new CoordinatorHost({
      context,
      modules: coordinatorModules,
      leaders: this.#leaders,
      nodeId,
      ensureTopic: name => this.#ensureTopic(name),
      brokerConfigs: () => this.#topics.brokerConfigs,
    })
    this.#sweep = new RetentionSweep({ context, logs, topics: this.#topics, leaders: this.#leaders })
    const producerIds = new ProducerIdBlock(() => this.#cluster.allocateProducerIds())
    this.#view = {
      context,
      endpoint: () => this.#endpoint,
      topics: this.#topics,
      logDir: storage.kind === 'lmdb' ? storage.dir : 'memory',
      describeLog: (image, partition) => this.#leaders.describe(image, partition),
      nextProducerId: () => producerIds.next(),
    }
    this.#machine = runMachine(context, brokerMachine, {
      effects: {
        closeEverything: () => void this.#closeEverything(),
      },
    })
  }

  /** Resolves when the image is known and holds the topics asked for. A failure is the actor's: it has not started. */
  async open(topics: BrokerInput['topics']): Promise<void> {
    await this.#cluster.open()
    this.#machine.send({ type: 'metadata.opened' })
    await this.#cluster.load()
    const stored = this.#logs.list()
    await removeOrphanedLogs(
      { context: this.#context, logs: this.#logs, topics: this.#topics, cluster: this.#cluster },
      stored,
    )
    if (topics.length > 0) await this.#createAsked(topics)
    this.#machine.send({ type: 'image.loaded' })
    this.#sweep.start()
    void this.#resumeTransactions(stored)
  }

  /** Removes everything that is stored, and ends. Resolves with the first producer id that was never handed out. */
  async wipe(): Promise<number> {
    const { firstProducerId } = await this.#cluster.allocateProducerIds()
    this.#wipes = true
    await this.close()
    if (this.#closeError !== undefined) throw this.#closeError
    return firstProducerId
  }

  /** Orderly end of the coordinators; what is asked of one from now on is refused for the moment. */
  closeCoordinators(): Promise<void> {
    return this.#coordinators.close()
  }

  /** Producers of before a reset may still be there: their ids are nobody else's. */
  async keepProducerIdsBelow(firstFree: number): Promise<void> {
    let end = 0
    while (end < firstFree) {
      const { firstProducerId, length } = await this.#cluster.allocateProducerIds()
      end = firstProducerId + length
    }
  }

  get endpoint(): BrokerEndpoint {
    return this.#endpoint
  }

  close(): Promise<void> {
    return new Promise(resolve => {
      this.#closed = resolve
      this.#machine.send({ type: 'close.asked' })
    })
  }

  /** Only partitions that have a log can hold transactions. */
  async #resumeTransactions(stored: readonly LogIdentity[]): Promise<void> {
    const image = this.#topics.find({ topic: internalTopics.transactions })
    const ofTransactions = stored.filter(({ topicId }) => topicId === image?.topicId)
    await this.#coordinators.resume(
      'transaction',
      ofTransactions.map(({ partition }) => partition),
    )
  }

  async #createAsked(topics: BrokerInput['topics']): Promise<void> {
    const { results } = await this.#cluster.ensureTopics(topics)
    const failed = results.find(({ errorCode }) => errorCode !== 0)
    if (failed)
      throw new PortError({
        code: 'FAILED',
        message: `topic '${failed.name}' cannot be created: ${failed.errorMessage ?? errorOf(failed.errorCode).message}`,
      })
  }

  handlers(): Omit<Handlers<BrokerContract>, 'ask'> & { readonly ask: Omit<Handlers<BrokerContract>['ask'], 'reset'> } {
    return {
      ask: {
        metadata: request => this.#metadata(request),
        leaders: async ({ partitions, near }) => ({ leaders: await this.#find(partitions, near) }),
        coordinator: ({ kind, ...which }) => this.#coordinators.find(kind, which),
        watchImage: (_request, peer) => {
          this.#audience.imageWatchers.add(peer)
          const { groupConfigs } = this.#topics
          const topics = [...this.#topics.topics()].map(topicFacts)
          peer.news('image', { isWhole: true, topics, gone: [], groupConfigs })
          return {}
        },
        request: async ({ api, request }) => ({ response: await this.#answer(api, request as never) }),
        advertise: ({ host, port }) => {
          this.#endpoint = { ...this.#endpoint, host, port }
          return {}
        },
      },
      tell: {
        subscribe: (_message, peer) => {
          this.#audience.subscribers.add(peer)
          peer.news('changed', { leaders: [], gone: [], topics: [], features: this.#topics.features })
        },
      },
      closed: peer => {
        this.#audience.subscribers.delete(peer)
        this.#audience.imageWatchers.delete(peer)
      },
      close: () => this.close(),
      describe: () => ({
        state: this.#machine.state,
        detail: {
          topics: this.#topics.size,
          leaders: this.#leaders.size,
          clusterId: this.#cluster.clusterId,
          refusedEvents: this.#machine.refused,
        },
      }),
    }
  }

  async #metadata(request: MetadataRequest): Promise<MetadataResponse> {
    const { topics, allowAutoTopicCreation } = request
    const unknown = (topics ?? []).flatMap(({ name }) => (name && !this.#topics.find({ topic: name }) ? [name] : []))
    const mayCreate = allowAutoTopicCreation && this.#topics.brokerConfigs['auto.create.topics.enable'] !== 'false'
    // Kafka answers LEADER_NOT_AVAILABLE and creates behind the client's back; here the reply waits the moment that creation takes (DESIGN 1.10).
    if (unknown.length > 0) await this.#create(unknown.filter(name => mayCreate || isInternalTopic(name)))
    return this.#cluster.request('Metadata', request, [this.#endpoint])
  }

  async #create(names: readonly string[]): Promise<void> {
    if (names.length > 0) await this.#cluster.ensureTopics(names.map(name => ({ name })))
  }

  async #ensureTopic(name: string): Promise<TopicImage | undefined> {
    if (!this.#topics.find({ topic: name })) await this.#create([name])
    return this.#topics.find({ topic: name })
  }

  async #find(
    partitions: readonly { readonly topic?: string; readonly topicId?: string; readonly partition: number }[],
    near?: number,
  ): Promise<LeaderAddress[]> {
    const found = partitions.map(async ref => {
      const image = this.#topics.find(ref)
      if (!image || !(ref.partition in image.leaderEpochs)) return []
      // Several partitions were asked for to be spread over threads.
      const beside = near !== undefined && image.leaderEpochs.length === 1 ? { near } : {}
      return [await this.#leaders.address(image, ref.partition, beside)]
    })
    return (await Promise.all(found)).flat()
  }

  async #answer<A extends ApiName>(api: A, request: ApiRequest<A>): Promise<ApiResponse<A>> {
    const own = brokerApis[api]
    if (own) return own(this.#view, request)
    if (!clusterApis.has(api))
      throw new PortError({ code: 'UNSUPPORTED_VERSION', message: `${api} is not served by a broker actor` })
    return this.#cluster.request(api, request, [this.#endpoint])
  }

  #imageChanged({ topics, brokerConfigs, groupConfigs, features }: ImageDelta, gone: readonly TopicImage[]): void {
    if (brokerConfigs) this.#leaders.configureAll()
    for (const image of topics) this.#leaders.configure(image)
    const hasTopics = gone.length > 0 || topics.length > 0
    if (hasTopics || groupConfigs) this.#tellWatchers({ topics, gone, groupConfigs })
    if (hasTopics || features) {
      const told = { leaders: [], gone: gone.map(nameOf), topics: topics.map(topicFacts) }
      this.#publish({ ...told, ...(features && { features }) })
    }
    for (const image of gone) void this.#destroy(image)
  }

  /** What cannot be removed now (a disk error) is named; the topic is gone all the same. */
  async #destroy(image: TopicImage): Promise<void> {
    try {
      await this.#leaders.destroy(image)
    } catch (error) {
      this.#context.log.error({ topic: image.topic, error: String(error) }, 'logs of a deleted topic were not removed')
    }
  }

  /** Logs of all topics, internal ones too. */
  async #removeTopics(): Promise<void> {
    const gone = [...this.#topics.topics()]
    this.#tellWatchers({ topics: [], gone })
    this.#publish({ leaders: [], gone: gone.map(nameOf), topics: [] })
    await Promise.all(gone.map(image => this.#leaders.destroy(image)))
  }

  #tellWatchers({ topics, gone, groupConfigs }: Told): void {
    const told = { isWhole: false, topics: topics.map(topicFacts), gone: gone.map(nameOf) }
    const news = { ...told, ...(groupConfigs && { groupConfigs }) }
    for (const peer of this.#audience.imageWatchers) peer.news('image', news)
  }

  #publish(delta: ClusterDelta): void {
    for (const peer of this.#audience.subscribers) peer.news('changed', delta)
  }

  /** Coordinators write to leaders and the cluster coordinator to its own, so leaders close last. */
  async #closeEverything(): Promise<void> {
    this.#sweep.stop()
    try {
      await this.#coordinators.close()
      if (this.#wipes) await this.#removeTopics()
      await this.#cluster.close()
      // What is known of topics goes last: whatever stops a reset on its way, no log is left that nothing names.
      if (this.#wipes) await this.#leaders.destroy(metadataTopic)
      await this.#leaders.close()
      if (this.#wipes) for (const identity of this.#logs.list()) this.#logs.delete(identity)
    } catch (error) {
      this.#closeError = error
      this.#context.log.error({ error: String(error) }, 'a part of the broker did not close in order')
    }
    this.#machine.send({ type: 'closed' })
    this.#closed()
  }
}

interface Told {
  readonly topics: readonly TopicImage[]
  readonly gone: readonly TopicImage[]
  readonly groupConfigs?: ImageDelta['groupConfigs']
}

function topicFacts({ topic, topicId, leaderEpochs }: TopicImage) {
  return { topic, topicId, partitions: leaderEpochs.length }
}

function nameOf({ topic, topicId }: TopicImage) {
  return { topic, topicId }
}

/** What the cluster coordinator answers; anything else would be a door's mistake. */
const clusterApis: ReadonlySet<ApiName> = new Set<ApiName>([
  'DescribeTopicPartitions',
  'DescribeCluster',
  'CreateTopics',
  'DeleteTopics',
  'CreatePartitions',
  'DescribeConfigs',
  'AlterConfigs',
  'IncrementalAlterConfigs',
  'ListConfigResources',
  'UpdateFeatures',
  'ElectLeaders',
  'AlterPartitionReassignments',
  'ListPartitionReassignments',
])

type OwnHandlers = ReturnType<Broker['handlers']>

/** The broker's actor through its resets: what is asked while it begins anew waits. */
class ResettableBroker {
  readonly #context: ActorContext
  readonly #input: BrokerInput
  readonly #audience: Audience = { subscribers: new Set(), imageWatchers: new Set() }
  #broker: Broker
  #own: OwnHandlers
  /** One after another. */
  #resets: Promise<void> = Promise.resolve()
  /** While there is no broker to ask; null: there is one. */
  #resetting: Promise<void> | null = null

  constructor(context: ActorContext, input: BrokerInput) {
    this.#context = context
    this.#input = input
    const { nodeId, rack } = input
    this.#broker = new Broker(context, input, { nodeId, host: '127.0.0.1', port: 0, rack }, this.#audience)
    this.#own = this.#broker.handlers()
  }

  open(): Promise<void> {
    return this.#broker.open(this.#input.topics)
  }

  handlers(): Handlers<BrokerContract> {
    const settled = <T>(use: (ask: OwnHandlers['ask']) => T): T | Promise<Awaited<T>> =>
      this.#resetting === null
        ? use(this.#own.ask)
        : (this.#resetting.then(() => use(this.#own.ask)) as Promise<Awaited<T>>)
    return {
      ask: {
        metadata: (request, peer) => settled(ask => ask.metadata(request, peer)),
        leaders: (request, peer) => settled(ask => ask.leaders(request, peer)),
        coordinator: (request, peer) => settled(ask => ask.coordinator(request, peer)),
        watchImage: (request, peer) => settled(ask => ask.watchImage(request, peer)),
        request: (request, peer) => settled(ask => ask.request(request, peer)),
        advertise: (request, peer) => settled(ask => ask.advertise(request, peer)),
        reset: async () => {
          const reset = this.#resets.then(() => this.#reset())
          // One that failed is told to who asked for it; those that follow, and the close, do not fail with it.
          this.#resets = reset.catch(() => undefined)
          await reset
          return {}
        },
      },
      tell: this.#own.tell,
      closed: peer => this.#own.closed?.(peer),
      close: async () => {
        await this.#resets
        await this.#broker.close()
      },
      describe: () => this.#own.describe!(),
    }
  }

  async #reset(): Promise<void> {
    // Coordinators may ask the broker until they have closed.
    await this.#broker.closeCoordinators()
    this.#resetting = this.#beginAnew()
    await this.#resetting
    this.#resetting = null
  }

  /** A failure is the actor's death: it starts anew from whatever is left. */
  async #beginAnew(): Promise<void> {
    try {
      const firstFree = await this.#broker.wipe()
      this.#broker = new Broker(this.#context, this.#input, this.#broker.endpoint, this.#audience)
      this.#own = this.#broker.handlers()
      await this.#broker.open(this.#input.topics)
      await this.#broker.keepProducerIdsBelow(firstFree)
    } catch (error) {
      this.#context.fail(error)
    }
  }
}

export const actor = defineActor<BrokerContract, BrokerInput>({
  kind: 'broker',
  contract: brokerContract,
  async start(context, input) {
    const broker = new ResettableBroker(context, input)
    await broker.open()
    return broker.handlers()
  },
})
