// The wire link: a ClusterLink to any Kafka cluster over TCP. One connection per broker and purpose (coordinators get their own, as in Kafka's clients:
// a JoinGroup that waits must not hold up fetches), opened when first needed. A request goes out once; what is repeated here are the link's own questions
// (metadata, coordinators), since any broker can answer them.
import { KafkaError, PortError } from '../../base/errors.ts'
import { sharedAbort } from '../../base/shared-abort.ts'
import type { ApiName, ApiRequest, ApiResponse } from '../../contracts/api-map.ts'
import { defaultPatience, type WirePatience } from '../../contracts/wire-security.ts'
import { errorOf, errors } from '../../protocol/error-codes.ts'
import { backoffMs } from '../backoff.rules.ts'
import type {
  ClusterLink,
  Endpoint,
  LinkHost,
  LinkInput,
  NodeView,
  RefreshOptions,
  RequestOptions,
  TopicView,
} from '../cluster-link.ts'
import { metadataRequest } from '../metadata-request.ts'
import { pause } from '../pause.ts'
import { Connections } from './connections.ts'
import { MetadataView, type NodeEndpoint } from './metadata-view.ts'
import { chooseVersion } from './negotiation.rules.ts'
import { type OpenSocket, openSocket as openTcpSocket } from './open-socket.ts'
import { translateRequest, translateResponse, versionCap } from './translation.rules.ts'

type WireInput = Extract<LinkInput, { kind: 'wire' }>

/** Opens a link; `openSocket` is another way to reach brokers than TCP, for tests. */
export function openWireLink(host: LinkHost, input: WireInput, openSocket: OpenSocket = openTcpSocket): ClusterLink {
  return new WireLink(host, input, openSocket)
}

const COORDINATOR_TYPE = { group: 0, transaction: 1 } as const

class WireLink implements ClusterLink {
  readonly #host: LinkHost
  readonly #input: WireInput
  readonly #patience: WirePatience
  readonly #bootstrap: readonly NodeEndpoint[]
  readonly #view: MetadataView
  readonly #connections: Connections
  readonly #coordinators = new Map<string, NodeEndpoint>()
  readonly #listeners = new Set<() => void>()
  readonly #names = {
    name: (topicId: string) => this.#view.nameOf(topicId),
    id: (name: string) => this.#view.idOf(name),
  }
  readonly #closing = sharedAbort()
  /** Since when no bootstrap server could be reached; null once one was, for the link is then known to be right. */
  #unreachedSinceMs: number | null = Number.POSITIVE_INFINITY

  constructor(host: LinkHost, input: WireInput, openSocket: OpenSocket) {
    this.#host = host
    this.#input = input
    this.#view = new MetadataView(host.limits.topicsKnownMax)
    this.#patience = { ...defaultPatience, ...input.patience }
    this.#bootstrap = input.bootstrapServers.map(bootstrapEndpoint)
    const { clientId, security = {} } = input
    this.#connections = new Connections({ host, clientId, security, patience: this.#patience, openSocket })
  }

  get clusterId(): string | null {
    return this.#view.clusterId
  }

  topic(name: string): TopicView | undefined {
    return this.#view.topics.get(name)
  }

  nodes(): readonly NodeView[] {
    return this.#view.brokers
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
    this.#dropStale()
    for (const listener of this.#listeners) listener()
  }

  isCurrent(): boolean {
    return false
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
    if (this.#isClosed) throw linkClosed()
    const connection = this.#connections.to(endpoint as NodeEndpoint)
    const encode = (chosen: number) => translateRequest(api, request, chosen)
    const { value, version } = await connection
      .request(api, encode, options, versionCap(api, request))
      .catch((error: unknown) => {
        throw this.#isBootstrapOver(error) ? this.#unreachable('ODK_BOOTSTRAP_FAILED', error) : error
      })
    this.#unreachedSinceMs = null
    return translateResponse(api, value, version, request, this.#names)
  }

  /** Leaders are told with the metadata. */
  approach(): void {}

  async coordinator(kind: 'group' | 'transaction', key: string, options: RequestOptions): Promise<Endpoint> {
    const id = `${kind} ${key}`
    const known = this.#coordinators.get(id)
    if (known) return known
    const found = await this.#retrying(options, left => this.#findCoordinator(kind, key, left))
    this.#remember(id, found)
    return found
  }

  forgetCoordinator(kind: 'group' | 'transaction', key: string): void {
    this.#coordinators.delete(`${kind} ${key}`)
  }

  /** The least loaded broker that is connected, else any: known ones first, then the bootstrap servers. */
  async anyEndpoint(_options: RequestOptions): Promise<Endpoint> {
    const nodes = this.#view.nodes()
    const areLost = nodes.every(node => this.#hasFailed(node))
    // Brokers may all have moved: then the bootstrap servers are asked again (KIP-899).
    return this.#connections.leastLoaded(areLost ? [...nodes, ...this.#bootstrap] : nodes, below =>
      this.#host.random.int(below),
    )
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

  featureLevel(feature: string): number {
    return this.#connections.features.levels.get(feature) ?? 0
  }

  /** A cluster over TCP does not call: the next heartbeat tells. */
  onGroupNews(): () => void {
    return () => undefined
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#listeners.clear()
    this.#connections.close()
  }

  #abilities(endpoint: Endpoint) {
    return this.#connections.known(endpoint)?.abilities ?? null
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted
  }

  #remember(id: string, coordinator: NodeEndpoint): void {
    const [oldest] = this.#coordinators.keys()
    if (this.#coordinators.size >= this.#host.limits.coordinatorsKnownMax) this.#coordinators.delete(oldest!)
    this.#coordinators.set(id, coordinator)
  }

  /** Connections to brokers that the cluster no longer has, and to coordinators that nobody needs; so there are at most three to each broker. */
  #dropStale(): void {
    for (const [id, { nodeId, host, port }] of this.#coordinators) {
      const node = this.#view.node(nodeId)
      if (node?.host !== host || node.port !== port) this.#coordinators.delete(id)
    }
    const needed = new Set(
      [...this.#bootstrap, ...this.#view.nodes(), ...this.#coordinators.values()].map(({ id }) => id),
    )
    this.#connections.keep(id => needed.has(id))
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

  /** Repeats what is retriable, with backoff, until the deadline, the caller's signal or the end of the link. */
  async #retrying<T>(
    { deadlineMs, signal }: RequestOptions,
    attempt: (left: RequestOptions) => Promise<T>,
  ): Promise<T> {
    const { clock, random } = this.#host
    const { requestTimeoutMs, retryBackoffMs: initialMs, retryBackoffMaxMs: maxMs } = this.#patience
    const deadline = clock.monotonic() + deadlineMs
    for (let tries = 0; ; tries++) {
      const each = Math.max(1, Math.min(deadline - clock.monotonic(), requestTimeoutMs))
      try {
        return await attempt(signal ? { deadlineMs: each, signal } : { deadlineMs: each })
      } catch (error) {
        const waitMs = backoffMs({ initialMs, maxMs }, tries, random.float())
        if (!isRetriable(error) || this.#isClosed) throw error
        if (clock.monotonic() + waitMs >= deadline)
          throw error instanceof PortError ? this.#unreachable('ODK_NETWORK_EXCEPTION', error) : error
        if (await pause(clock, waitMs, signal, this.#closing.signal)) continue
        throw this.#isClosed ? linkClosed() : new PortError({ code: 'ABORTED', message: 'the caller gave it up' })
      }
    }
  }

  /** Whether every bootstrap server has failed for `bootstrapTimeoutMs`, and none was ever reached; the next call begins to count anew. */
  #isBootstrapOver(error: unknown): boolean {
    const { bootstrapTimeoutMs } = this.#patience
    if (bootstrapTimeoutMs === 0 || this.#unreachedSinceMs === null || !isRetriable(error)) return false
    const now = this.#host.clock.monotonic()
    this.#unreachedSinceMs = Math.min(this.#unreachedSinceMs, now)
    const haveAllFailed = this.#bootstrap.every(node => this.#hasFailed(node))
    if (!haveAllFailed || now - this.#unreachedSinceMs < bootstrapTimeoutMs) return false
    this.#unreachedSinceMs = Number.POSITIVE_INFINITY
    return true
  }

  #hasFailed(node: NodeEndpoint): boolean {
    return (this.#connections.known(node)?.failures ?? 0) > 0
  }

  /** A lost connection alone says little: tell where it was tried. */
  #unreachable(code: 'ODK_BOOTSTRAP_FAILED' | 'ODK_NETWORK_EXCEPTION', error: unknown): KafkaError {
    const why = this.#connections.reasons().join('; ') || (error as Error).message
    const message = `no broker of ${this.#input.bootstrapServers.join(', ')} could be reached: ${why}`
    return new KafkaError(code, message, {
      kafkaCode: errors.NETWORK_EXCEPTION.code,
      kafkaName: 'NETWORK_EXCEPTION',
      retriable: code === 'ODK_NETWORK_EXCEPTION',
      cause: error,
    })
  }
}

const RETRIABLE: ReadonlySet<string> = new Set(['LINK_CLOSED', 'UNREACHABLE', 'DEADLINE'])

function linkClosed(): PortError {
  return new PortError({ code: 'LINK_CLOSED', message: 'the link to the cluster was closed' })
}

function isRetriable(error: unknown): boolean {
  if (error instanceof KafkaError) return error.retriable && !error.fatal
  return error instanceof PortError && RETRIABLE.has(error.code)
}

function bootstrapEndpoint(server: string, index: number): NodeEndpoint {
  const colon = server.lastIndexOf(':')
  const [host, port] = [server.slice(0, colon), Number(server.slice(colon + 1))]
  return { id: `bootstrap:${server}`, nodeId: -1 - index, host, port }
}
