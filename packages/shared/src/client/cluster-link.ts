// One client, two links (DESIGN 1.3): what sender, consumer and admin know of a cluster. The port link speaks to an embedded broker over
// MessagePorts, the wire link to any Kafka cluster over TCP. Requests and replies are Kafka's, decoded, newest version, all fields set; a link
// translates to what the other side understands, and fills in topic names and ids that a version leaves out of a reply.
import type { ActorContext } from '../actor/actor.ts'
import { KafkaError } from '../base/errors.ts'
import type { ApiName, ApiRequest, ApiResponse } from '../contracts/api-map.ts'
import type { LinkInput } from '../contracts/link-input.ts'
import type { BrokerTicket } from './join-broker.ts'

/**
 * Where a request can be sent. Over the port link each partition leader and each coordinator is an endpoint of its own; over the wire link
 * each broker node is one. Group requests by `id`; an endpoint object stays usable (and fails with PortError) after it has gone.
 */
export interface Endpoint {
  /** Unique within the link. */
  readonly id: string
  readonly nodeId: number
}

export interface PartitionView {
  readonly partition: number
  /** -1 unknown. */
  readonly leaderEpoch: number
  /** Null while there is no leader. */
  readonly endpoint: Endpoint | null
  /** Kafka's code: LEADER_NOT_AVAILABLE and the like; 0 none. */
  readonly errorCode: number
  readonly leaderId: number
  readonly replicaNodes: readonly number[]
  readonly isrNodes: readonly number[]
}

export interface TopicView {
  readonly name: string
  /** The zero uuid when the cluster is too old to have topic ids. */
  readonly topicId: string
  readonly isInternal: boolean
  /** Kafka's code of the topic, such as UNKNOWN_TOPIC_OR_PARTITION or TOPIC_AUTHORIZATION_FAILED; 0 none. */
  readonly errorCode: number
  /** By partition number, dense. */
  readonly partitions: readonly PartitionView[]
}

/** A broker, as metadata tells of it. */
export interface NodeView {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  /** `broker.rack`; null when it has none. */
  readonly rack: string | null
}

export interface RequestOptions {
  /** Milliseconds until the request fails with DEADLINE. */
  readonly deadlineMs: number
  readonly signal?: AbortSignal
}

export interface RefreshOptions extends RequestOptions {
  /** Ask the cluster to create what does not exist, if its `auto.create.topics.enable` allows. */
  readonly allowAutoTopicCreation: boolean
}

/** What an in-process coordinator says to a member without being asked. */
export interface GroupNews {
  /** The heartbeat need not be sent: its answer would be REBALANCE_IN_PROGRESS. */
  readonly isRebalancing: boolean
}

export interface ClusterLink {
  /** What is known now; undefined when the topic was never asked for. */
  topic(name: string): TopicView | undefined
  /** All topics known now (all of the cluster after `refresh(null)`). */
  topics(): readonly TopicView[]
  /** Brokers known now: all of the cluster after the first `refresh`. */
  nodes(): readonly NodeView[]
  /** Learns the named topics, or all (null). A topic's own errors are in its view; rejects with PortError or KafkaError if no broker answers. */
  refresh(topics: readonly string[] | null, options: RefreshOptions): Promise<void>
  /** Whether a refresh of these topics would bring nothing new: all are known, and the cluster tells of every change. Never so where nobody tells. */
  isCurrent(topics: readonly string[]): boolean
  /** Called after any view changed (leaders moved, topics came or went). Returns how to stop. */
  onMetadata(listener: () => void): () => void
  /**
   * Sends a request and resolves with its reply, whatever error codes it holds. Rejects with PortError when the endpoint ended (LINK_CLOSED,
   * UNREACHABLE), the deadline passed, or the signal fired, and with KafkaError UNSUPPORTED_VERSION when the other side cannot express it.
   * Large byte arrays in the request are given away.
   */
  request<A extends ApiName>(
    endpoint: Endpoint,
    api: A,
    request: ApiRequest<A>,
    options: RequestOptions,
  ): Promise<ApiResponse<A>>
  /** These will be fetched from soon: finds the way to their leaders meanwhile, where that takes a question. Nothing is told; the fetch asks again if need be. */
  approach(partitions: readonly { readonly topic: string; readonly partition: number }[]): void
  /** Finds (and caches) the coordinator of a group or transactional id; retries what is retriable until the deadline. */
  coordinator(kind: 'group' | 'transaction', key: string, options: RequestOptions): Promise<Endpoint>
  /** Forgets a cached coordinator after NOT_COORDINATOR or a lost connection. */
  forgetCoordinator(kind: 'group' | 'transaction', key: string): void
  /** An endpoint for requests that any broker answers. */
  anyEndpoint(options: RequestOptions): Promise<Endpoint>
  /** Endpoints that together answer what every broker answers a part of, such as ListGroups. */
  everyEndpoint(options: RequestOptions): Promise<readonly Endpoint[]>
  /** An endpoint for requests that the controller answers. */
  controller(options: RequestOptions): Promise<Endpoint>
  /** The newest version of `api` that both sides have; -1 when the other side lacks the API. Known after the first answer of that endpoint. */
  maxVersion(endpoint: Endpoint, api: ApiName): number
  /** Level of a finalized feature such as `transaction.version`; 0 when the cluster does not say. */
  featureLevel(feature: string): number
  /** Port link only: called when the coordinator wants the member to heartbeat at once. Returns how to stop; a no-op over the wire. */
  onGroupNews(groupId: string, memberId: string, listener: (news: GroupNews) => void): () => void
  readonly clusterId: string | null
  close(): Promise<void>
}

export type { LinkInput } from '../contracts/link-input.ts'

/** What a link needs from where it runs: an actor's context, or the embedding thread's system. */
export type LinkHost = Pick<ActorContext, 'clock' | 'random' | 'log' | 'limits' | 'link'>
/** What a client object needs from the thread it is used in. */
export type ClientHost = LinkHost & Pick<ActorContext, 'spawn'>

/** The property by which a client finds the way into an embedded broker. */
export const clusterDoor: unique symbol = Symbol.for('odradek.cluster-door') as never

/** A broker in this thread, as clients see it. */
export interface EmbeddedBroker {
  readonly [clusterDoor]: ClusterDoor
}

export interface ClusterDoor {
  /** Spawn senders and consumers here: they are listed and closed with the broker. */
  readonly host: ClientHost
  readonly link: LinkInput
  /** Lets go of what was made for one client (its threads, over TCP); absent where the broker owns them. */
  release?(): Promise<void>
  /** A ticket for another thread of the application; absent in a thread that came with one itself. */
  ticket?(): BrokerTicket
  /** Whether the embedded broker was closed: nothing there answers any more. Absent where that is not known, or no reason to give up. */
  isClosed?(): boolean
}

/** What a failure is called once the embedded broker was closed; null: it was not. */
export function brokerClosed(door: Pick<ClusterDoor, 'isClosed'>, cause: unknown): KafkaError | null {
  if (door.isClosed?.() !== true) return null
  return new KafkaError('ODK_BROKER_CLOSED', 'the embedded broker was closed', { fatal: true, cause })
}
