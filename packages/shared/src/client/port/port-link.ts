// The port link: a ClusterLink straight to the actors of an embedded broker. Each leader and each coordinator key is an endpoint; requests are
// answered through a door, so what a TCP client gets and what an in-process client gets is decided in one place.

import type { Link } from '../../actor/actor.ts'
import { KafkaError, PortError } from '../../base/errors.ts'
import type { ApiName, ApiRequest, ApiResponse } from '../../contracts/api-map.ts'
import type { BrokerContract, ClusterDelta } from '../../contracts/broker.contract.ts'
import { features } from '../../contracts/features.ts'
import type { MetadataResponse } from '../../protocol/messages/03-metadata.ts'
import type {
  ClusterLink,
  Endpoint,
  GroupNews,
  LinkHost,
  LinkInput,
  NodeView,
  PartitionView,
  RefreshOptions,
  RequestOptions,
  TopicView,
} from '../cluster-link.ts'
import { metadataRequest } from '../metadata-request.ts'
import { answer, type Caller, closeDoor, type Door, openDoor } from './door.ts'

/** In-process clients speak the newest version of everything. */
const NEWEST = 32_767
const CLIENT_HOST = '/in-process'
/** How long the broker may take to say what has become of topics that have grown. */
const GROWTH_DEADLINE_MS = 30_000
/** How long the broker may take to say where leaders are that nobody waits for yet. */
const APPROACH_DEADLINE_MS = 30_000

export function openPortLink(host: LinkHost, input: Extract<LinkInput, { kind: 'port' }>): ClusterLink {
  return new PortLink(host, input)
}

class PortLink implements ClusterLink {
  readonly #door: Door
  readonly #clientId: string
  readonly #topics = new Map<string, TopicView>()
  readonly #endpoints = new Map<string, Endpoint>()
  readonly #listeners = new Set<() => void>()
  readonly #broker: Endpoint = { id: 'broker', nodeId: -1 }
  /** Topics that are as the broker told last, by the line over which it tells what changes. */
  readonly #current = new Map<string, Link<BrokerContract>>()
  /** News of topics that came so far: an answer that was asked for before the last of them may be older. */
  #news = 0
  #nodes: readonly NodeView[] = []
  #clusterId: string | null = null
  #closed = false

  constructor(host: LinkHost, input: Extract<LinkInput, { kind: 'port' }>) {
    this.#door = openDoor(host, input.broker, input.near)
    this.#clientId = input.clientId ?? ''
    this.#door.leaders.onChange(delta => this.#changed(delta))
  }

  get clusterId(): string | null {
    return this.#clusterId
  }

  topic(name: string): TopicView | undefined {
    return this.#topics.get(name)
  }

  topics(): readonly TopicView[] {
    return [...this.#topics.values()]
  }

  nodes(): readonly NodeView[] {
    return this.#nodes
  }

  async refresh(
    topics: readonly string[] | null,
    { allowAutoTopicCreation, ...options }: RefreshOptions,
  ): Promise<void> {
    const request = metadataRequest(topics, allowAutoTopicCreation)
    const line = this.#door.broker.link
    const news = this.#news
    const response = await answer(this.#door, 'Metadata', request, this.#caller(options))
    this.#take(response, topics === null, news === this.#news ? line : null)
  }

  isCurrent(topics: readonly string[]): boolean {
    const { link } = this.#door.broker
    return topics.every(name => this.#current.get(name) === link)
  }

  onMetadata(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async request<A extends ApiName>(
    _endpoint: Endpoint,
    api: A,
    request: ApiRequest<A>,
    options: RequestOptions,
  ): Promise<ApiResponse<A>> {
    if (this.#closed) throw new PortError({ code: 'LINK_CLOSED', message: 'the link to the broker was closed' })
    return answer(this.#door, api, request, this.#caller(options))
  }

  approach(partitions: readonly { readonly topic: string; readonly partition: number }[]): void {
    this.#door.leaders.find(partitions, APPROACH_DEADLINE_MS).catch(() => undefined)
  }

  async coordinator(kind: 'group' | 'transaction', key: string, { deadlineMs }: RequestOptions): Promise<Endpoint> {
    const shard = await this.#door.coordinators.owner(kind, key, deadlineMs)
    if (!shard)
      throw new KafkaError('ODK_COORDINATOR_NOT_AVAILABLE', `the ${kind} coordinator of '${key}' is not running`, {
        kafkaCode: 15,
        kafkaName: 'COORDINATOR_NOT_AVAILABLE',
        retriable: true,
      })
    return this.#endpoint(`${kind}:${shard.address.name}`)
  }

  /** Nothing to forget: a coordinator that moved has closed its link. */
  forgetCoordinator(): void {}

  async anyEndpoint(): Promise<Endpoint> {
    return this.#broker
  }

  /** The door asks every shard itself. */
  async everyEndpoint(): Promise<readonly Endpoint[]> {
    return [this.#broker]
  }

  async controller(): Promise<Endpoint> {
    return this.#broker
  }

  maxVersion(): number {
    return NEWEST
  }

  /** Both ends are of one version, so there is nothing to agree on: the newest, whatever is finalized for clients of the network. */
  featureLevel(feature: string): number {
    return features.find(({ name }) => name === feature)?.maxSupported ?? 0
  }

  onGroupNews(groupId: string, memberId: string, listener: (news: GroupNews) => void): () => void {
    return this.#door.coordinators.watchMember({ groupId, memberId }, listener)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#listeners.clear()
    closeDoor(this.#door)
  }

  /** Written out, once per request: a spread was the largest part of the door's share in a profile of a sender. */
  #caller({ deadlineMs, signal }: RequestOptions): Caller {
    const clientId = this.#clientId
    return signal === undefined
      ? { deadlineMs, apiVersion: NEWEST, clientId, clientHost: CLIENT_HOST }
      : { deadlineMs, signal, apiVersion: NEWEST, clientId, clientHost: CLIENT_HOST }
  }

  #endpoint(id: string, nodeId = this.#broker.nodeId): Endpoint {
    const known = this.#endpoints.get(id)
    if (known) return known
    const endpoint = { id, nodeId }
    this.#endpoints.set(id, endpoint)
    return endpoint
  }

  #take(response: MetadataResponse, all: boolean, line: Link<BrokerContract> | null): void {
    this.#clusterId = response.clusterId
    this.#nodes = response.brokers.map(({ nodeId, host, port, rack }) => ({ nodeId, host, port, rack }))
    if (all) for (const known of [this.#topics, this.#current]) known.clear()
    for (const topic of response.topics) if (topic.name !== null) this.#learn(this.#view(topic), line)
    for (const listener of this.#listeners) listener()
  }

  /** `line`: null when news came that may be newer than the answer. */
  #learn(topic: TopicView, line: Link<BrokerContract> | null): void {
    const { name, errorCode, partitions } = topic
    this.#topics.set(name, topic)
    const isWhole = errorCode === 0 && partitions.every(partition => partition.errorCode === 0)
    if (isWhole && line !== null) this.#current.set(name, line)
    else this.#current.delete(name)
  }

  #view(topic: MetadataResponse['topics'][number]): TopicView {
    const partitions: PartitionView[] = []
    for (const { partitionIndex, leaderId, leaderEpoch, errorCode, replicaNodes, isrNodes } of topic.partitions) {
      const endpoint = leaderId < 0 ? null : this.#endpoint(`${topic.name}-${partitionIndex}`, leaderId)
      partitions[partitionIndex] = {
        partition: partitionIndex,
        leaderEpoch,
        endpoint,
        errorCode,
        leaderId,
        replicaNodes,
        isrNodes,
      }
    }
    return {
      name: topic.name!,
      topicId: topic.topicId,
      isInternal: topic.isInternal,
      errorCode: topic.errorCode,
      partitions,
    }
  }

  /** Leaders that moved keep their endpoint (the directory finds them); deleted topics are forgotten, new epochs taken in. */
  #changed({ leaders, gone, topics }: ClusterDelta): void {
    if (leaders.length + gone.length + topics.length === 0) return
    if (gone.length + topics.length > 0) this.#news++
    for (const { topic, topicId } of gone) if (this.#topics.get(topic)?.topicId === topicId) this.#forget(topic)
    for (const { topic, partition, leaderEpoch } of leaders) this.#setEpoch(topic, partition, leaderEpoch)
    for (const listener of this.#listeners) listener()
    const grown = topics.filter(
      ({ topic, partitions }) => partitions > (this.#topics.get(topic)?.partitions.length ?? partitions),
    )
    if (grown.length > 0) this.#followGrowth(grown)
  }

  /** Known topics have more partitions: they are looked at at once. Should that fail they are no longer current, and whoever needs them asks again. */
  #followGrowth(grown: ClusterDelta['topics']): void {
    for (const { topic } of grown) this.#current.delete(topic)
    const options = { allowAutoTopicCreation: false, deadlineMs: GROWTH_DEADLINE_MS }
    this.refresh(
      grown.map(({ topic }) => topic),
      options,
    ).catch(() => undefined)
  }

  #forget(topic: string): void {
    for (const { endpoint } of this.#topics.get(topic)!.partitions) if (endpoint) this.#endpoints.delete(endpoint.id)
    this.#topics.delete(topic)
    this.#current.delete(topic)
  }

  #setEpoch(name: string, partition: number, leaderEpoch: number): void {
    const topic = this.#topics.get(name)
    const view = topic?.partitions[partition]
    if (!topic || !view || view.leaderEpoch === leaderEpoch) return
    this.#topics.set(name, { ...topic, partitions: topic.partitions.with(partition, { ...view, leaderEpoch }) })
  }
}
