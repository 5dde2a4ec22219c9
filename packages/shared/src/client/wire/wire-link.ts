// The wire link: a ClusterLink to any Kafka cluster over TCP. One connection per broker and purpose (coordinators get their own, as in Kafka's clients:
// a JoinGroup that waits must not hold up fetches), opened when first needed.
import { KafkaError, PortError } from '../../base/errors.ts'
import type { ApiName, ApiRequest, ApiResponse } from '../../contracts/api-map.ts'
import { defaultPatience, type WirePatience } from '../../contracts/wire-security.ts'
import { errorOf, errors } from '../../protocol/error-codes.ts'
import { backoffMs } from '../backoff.rules.ts'
import type {
  ClusterLink,
  Endpoint,
  LinkHost,
  LinkInput,
  RefreshOptions,
  RequestOptions,
  TopicView,
} from '../cluster-link.ts'
import { metadataRequest } from '../metadata-request.ts'
import { Connection } from './connection.ts'
import { MetadataView, type NodeEndpoint } from './metadata-view.ts'
import { chooseVersion } from './negotiation.rules.ts'
import { translateRequest, translateResponse, versionCap } from './translation.rules.ts'

type WireInput = Extract<LinkInput, { kind: 'wire' }>

export function openWireLink(host: LinkHost, input: WireInput): ClusterLink {
  return new WireLink(host, input)
}

const COORDINATOR_TYPE = { group: 0, transaction: 1 } as const

class WireLink implements ClusterLink {
  readonly #host: LinkHost
  readonly #input: WireInput
  readonly #patience: WirePatience
  readonly #bootstrap: readonly NodeEndpoint[]
  readonly #view = new MetadataView()
  readonly #connections = new Map<string, Connection>()
  readonly #coordinators = new Map<string, NodeEndpoint>()
  readonly #listeners = new Set<() => void>()
  readonly #names = {
    name: (topicId: string) => this.#view.nameOf(topicId),
    id: (name: string) => this.#view.idOf(name),
  }
  #closed = false

  constructor(host: LinkHost, input: WireInput) {
    this.#host = host
    this.#input = input
    this.#patience = { ...defaultPatience, ...input.patience }
    this.#bootstrap = input.bootstrapServers.map(bootstrapEndpoint)
  }

  get clusterId(): string | null {
    return this.#view.clusterId
  }

  topic(name: string): TopicView | undefined {
    return this.#view.topics.get(name)
  }

  topics(): readonly TopicView[] {
    return [...this.#view.topics.values()]
  }

  async refresh(
    topics: readonly string[] | null,
    { allowAutoTopicCreation, ...options }: RefreshOptions,
  ): Promise<void> {
    const request = metadataRequest(topics, allowAutoTopicCreation)
    const response = await this.#retrying(options, async left =>
      this.request(await this.anyEndpoint(left), 'Metadata', request, left),
    )
    this.#view.take(response, topics === null)
    for (const listener of this.#listeners) listener()
  }

  onMetadata(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async request<A extends ApiName>(
    endpoint: Endpoint,
    api: A,
    request: ApiRequest<A>,
    options: RequestOptions,
  ): Promise<ApiResponse<A>> {
    if (this.#closed) throw new PortError({ code: 'LINK_CLOSED', message: 'the link to the cluster was closed' })
    const connection = this.#connection(endpoint as NodeEndpoint)
    const { value, version } = await connection.request(
      api,
      chosen => translateRequest(api, request, chosen),
      options,
      versionCap(api, request),
    )
    return translateResponse(api, value, version, request, this.#names)
  }

  async coordinator(kind: 'group' | 'transaction', key: string, options: RequestOptions): Promise<Endpoint> {
    const id = `${kind} ${key}`
    const known = this.#coordinators.get(id)
    if (known) return known
    const found = await this.#retrying(options, left => this.#findCoordinator(kind, key, left))
    this.#coordinators.set(id, found)
    return found
  }

  forgetCoordinator(kind: 'group' | 'transaction', key: string): void {
    this.#coordinators.delete(`${kind} ${key}`)
  }

  /** The least loaded broker that is connected, else any: known ones first, then the bootstrap servers. */
  async anyEndpoint(_options: RequestOptions): Promise<Endpoint> {
    const nodes = this.#view.nodes().length > 0 ? this.#view.nodes() : this.#bootstrap
    const ready = nodes.filter(node => this.#connections.get(node.id)?.isReady)
    if (ready.length > 0)
      return ready.reduce((a, b) => (this.#connections.get(b.id)!.load < this.#connections.get(a.id)!.load ? b : a))
    // Brokers may all have moved: the bootstrap servers stay in the draw (KIP-899).
    const candidates = nodes === this.#bootstrap ? nodes : [...nodes, ...this.#bootstrap]
    return candidates[this.#host.random.int(candidates.length)]!
  }

  async everyEndpoint(options: RequestOptions): Promise<readonly Endpoint[]> {
    await this.refresh([], { ...options, allowAutoTopicCreation: false })
    return this.#view.nodes()
  }

  async controller(options: RequestOptions): Promise<Endpoint> {
    if (!this.#view.controller()) await this.refresh([], { ...options, allowAutoTopicCreation: false })
    return this.#view.controller() ?? this.anyEndpoint(options)
  }

  maxVersion(endpoint: Endpoint, api: ApiName): number {
    const abilities = this.#abilities(endpoint)
    return abilities ? chooseVersion(api, abilities) : -1
  }

  featureLevel(endpoint: Endpoint, feature: string): number {
    return this.#abilities(endpoint)?.features.get(feature) ?? 0
  }

  /** A cluster over TCP does not call: the next heartbeat tells. */
  onGroupNews(): () => void {
    return () => undefined
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#listeners.clear()
    for (const connection of this.#connections.values()) connection.close()
    this.#connections.clear()
  }

  #abilities(endpoint: Endpoint) {
    return this.#connections.get(endpoint.id)?.abilities ?? null
  }

  #connection(node: NodeEndpoint): Connection {
    const known = this.#connections.get(node.id)
    if (known) return known
    const { clientId, security = {} } = this.#input
    const connection = new Connection({ host: this.#host, address: node, clientId, security, patience: this.#patience })
    this.#connections.set(node.id, connection)
    return connection
  }

  async #findCoordinator(kind: 'group' | 'transaction', key: string, options: RequestOptions): Promise<NodeEndpoint> {
    const request = { key: '', keyType: COORDINATOR_TYPE[kind], coordinatorKeys: [key] }
    const { coordinators } = await this.request(await this.anyEndpoint(options), 'FindCoordinator', request, options)
    const found = coordinators[0]!
    if (found.errorCode !== 0) {
      const { name, retriable, message } = errorOf(found.errorCode)
      throw new KafkaError(`ODK_${name}`, `no ${kind} coordinator for '${key}': ${found.errorMessage ?? message}`, {
        kafkaCode: found.errorCode,
        kafkaName: name,
        retriable,
      })
    }
    const { nodeId, host, port } = found
    return { id: `coordinator:${kind}:${nodeId}@${host}:${port}`, nodeId, host, port }
  }

  /** Repeats what is retriable, with backoff, until the deadline. */
  async #retrying<T>(
    { deadlineMs, signal }: RequestOptions,
    attempt: (left: RequestOptions) => Promise<T>,
  ): Promise<T> {
    const { clock, random } = this.#host
    const deadline = clock.monotonic() + deadlineMs
    for (let tries = 0; ; tries++) {
      const leftMs = deadline - clock.monotonic()
      const each = Math.max(1, Math.min(leftMs, this.#patience.requestTimeoutMs))
      try {
        return await attempt(signal ? { deadlineMs: each, signal } : { deadlineMs: each })
      } catch (error) {
        const waitMs = backoffMs(
          { initialMs: this.#patience.retryBackoffMs, maxMs: this.#patience.retryBackoffMaxMs },
          tries,
          random.float(),
        )
        if (!isRetriable(error) || this.#closed || clock.monotonic() + waitMs >= deadline) throw this.#explain(error)
        await new Promise<void>(resolve => clock.after(waitMs, resolve))
      }
    }
  }

  /** A lost connection alone says little: tell where it was tried. */
  #explain(error: unknown): unknown {
    if (!(error instanceof PortError) || error.code === 'ABORTED') return error
    const tried = [...this.#connections.values()]
      .filter(connection => !connection.isReady)
      .map(connection => connection.reason)
    const message = `no broker of ${this.#input.bootstrapServers.join(', ')} could be reached: ${[...new Set(tried)].join('; ') || error.message}`
    return new KafkaError('ODK_NETWORK_EXCEPTION', message, {
      kafkaCode: errors.NETWORK_EXCEPTION.code,
      kafkaName: 'NETWORK_EXCEPTION',
      retriable: true,
      cause: error,
    })
  }
}

function isRetriable(error: unknown): boolean {
  if (error instanceof KafkaError) return error.retriable && !error.fatal
  return error instanceof PortError && (error.code === 'LINK_CLOSED' || error.code === 'DEADLINE')
}

function bootstrapEndpoint(server: string, index: number): NodeEndpoint {
  const colon = server.lastIndexOf(':')
  const [host, port] = [server.slice(0, colon), Number(server.slice(colon + 1))]
  return { id: `bootstrap:${server}`, nodeId: -1 - index, host, port }
}
