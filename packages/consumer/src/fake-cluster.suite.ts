// A cluster for tests: a ClusterLink over partitions in memory, with errors, lost leaders and silence on demand. No group coordinator of its own:
// tests give answers for those requests.
import type { Clock } from '@odradek/shared/base/clock'
import { PortError } from '@odradek/shared/base/errors'
import type {
  ClusterLink,
  Endpoint,
  GroupNews,
  NodeView,
  PartitionView,
  RequestOptions,
  TopicView,
} from '@odradek/shared/client/cluster-link'
import type { ApiName, ApiRequest, ApiResponse } from '@odradek/shared/contracts/api-map'
import type { FetchRequest, PartitionData } from '@odradek/shared/protocol/messages/01-fetch'
import { BatchBuilder } from '@odradek/shared/records/batch-builder'
import type { BatchSeal } from '@odradek/shared/records/batch-sealing'
import * as batch from '@odradek/shared/records/record-batch'

export interface FakePartition {
  readonly topic: string
  readonly partition: number
  readonly batches: Uint8Array[]
  endOffset: number
  startOffset: number
  lastStableOffset: number | null
  leaderEpoch: number
  endpoint: Endpoint | null
  readonly aborted: { producerId: number; firstOffset: number }[]
  /** Answered instead of data, once each. */
  readonly errors: number[]
}

type Answer<A extends ApiName> = (
  request: ApiRequest<A>,
  endpoint: Endpoint,
) => ApiResponse<A> | Promise<ApiResponse<A>>

const text = new TextEncoder()
const UNKNOWN_TOPIC_OR_PARTITION = 3

export class FakeCluster implements ClusterLink {
  readonly clusterId = 'fake'
  readonly partitions = new Map<string, FakePartition>()
  /** Every request, in order. */
  readonly requests: { readonly api: ApiName; readonly endpoint: string; readonly request: any }[] = []
  readonly answers: { [A in ApiName]?: Answer<A> } = {}
  /** Of each node; partition p has its only replica on node p % nodes. */
  racks: (string | null)[] = [null]
  refreshes = 0
  /** Topics that are there but that the link learns of with the next refresh only. */
  readonly unheard = new Set<string>()
  /** Topics that appear with the next refresh. */
  readonly coming: (() => void)[] = []
  /** Topics that a refresh named: what does not exist is known as such then. */
  readonly #asked = new Set<string>()
  #clock: Clock | null = null
  #listeners = new Set<() => void>()
  #parked = new Set<() => void>()
  readonly #members = new Map<string, (news: GroupNews) => void>()

  /** The link as a consumer that runs under this clock gets it. */
  at(clock: Clock): this {
    this.#clock = clock
    return this
  }

  addTopic(topic: string, partitions: number, endpointOf: (partition: number) => string = p => `${topic}-${p}`): void {
    for (let partition = 0; partition < partitions; partition++) {
      this.partitions.set(`${topic}-${partition}`, {
        topic,
        partition,
        batches: [],
        endOffset: 0,
        startOffset: 0,
        lastStableOffset: null,
        leaderEpoch: 0,
        endpoint: { id: endpointOf(partition), nodeId: 0 },
        aborted: [],
        errors: [],
      })
    }
    this.changed()
  }

  get(topic: string, partition: number): FakePartition {
    return this.partitions.get(`${topic}-${partition}`)!
  }

  /** Appends one batch of text records `value` with keys `k`, and wakes parked fetches. */
  append(topic: string, partition: number, values: readonly string[], seal: BatchSeal = {}, timestamp = 1_000): void {
    const builder = new BatchBuilder({ writeLimit: 2 ** 20 })
    for (const value of values) builder.tryAppend(timestamp, text.encode('k'), text.encode(value))
    this.appendBatch(topic, partition, builder.build(seal))
  }

  appendBatch(topic: string, partition: number, bytes: Uint8Array): void {
    const log = this.get(topic, partition)
    batch.setBaseOffset(bytes, 0, log.endOffset)
    batch.setPartitionLeaderEpoch(bytes, 0, log.leaderEpoch)
    log.batches.push(bytes)
    log.endOffset = batch.nextOffset(bytes, 0)
    this.changed()
  }

  /** Wakes parked fetches and tells metadata listeners. */
  changed(): void {
    for (const wake of [...this.#parked]) wake()
    for (const listener of this.#listeners) listener()
  }

  // --- ClusterLink --------------------------------------------------------------------------------------------------------------

  topic(name: string): TopicView | undefined {
    const partitions = [...this.partitions.values()].filter(({ topic }) => topic === name)
    if (partitions.length === 0 && this.#asked.has(name))
      return { name, topicId: '', isInternal: false, errorCode: UNKNOWN_TOPIC_OR_PARTITION, partitions: [] }
    if (partitions.length === 0 || this.unheard.has(name)) return undefined
    return {
      name,
      topicId: `id-${name}`,
      isInternal: false,
      errorCode: 0,
      partitions: partitions.map(partition => viewOf(partition, this.racks.length)),
    }
  }

  nodes(): readonly NodeView[] {
    return this.racks.map((rack, nodeId) => ({ nodeId, host: '127.0.0.1', port: 9_092 + nodeId, rack }))
  }

  topics(): readonly TopicView[] {
    const names = [...new Set([...this.partitions.values()].map(({ topic }) => topic))]
    return names.flatMap(name => this.topic(name) ?? [])
  }

  async refresh(topics: readonly string[] | null): Promise<void> {
    this.refreshes++
    this.unheard.clear()
    for (const name of topics ?? []) this.#asked.add(name)
    for (const come of this.coming.splice(0)) come()
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
    { signal, deadlineMs }: RequestOptions,
  ): Promise<ApiResponse<A>> {
    this.requests.push({ api, endpoint: endpoint.id, request })
    const given = this.answers[api] as Answer<A> | undefined
    if (given !== undefined) return given(request, endpoint)
    switch (api) {
      case 'Fetch':
        return (await this.#fetch(request as FetchRequest, signal)) as ApiResponse<A>
      case 'ListOffsets':
        return this.#listOffsets(request as ApiRequest<'ListOffsets'>) as ApiResponse<A>
      default:
        throw new PortError({ code: 'DEADLINE', message: `nobody answers ${api} within ${deadlineMs}` })
    }
  }

  async coordinator(): Promise<Endpoint> {
    return { id: 'coordinator', nodeId: 0 }
  }
  approach(): void {}
  forgetCoordinator(): void {}
  async anyEndpoint(): Promise<Endpoint> {
    return { id: 'any', nodeId: 0 }
  }
  async everyEndpoint(): Promise<readonly Endpoint[]> {
    return [await this.anyEndpoint()]
  }

  async controller(): Promise<Endpoint> {
    return { id: 'any', nodeId: 0 }
  }
  maxVersion(): number {
    return 18
  }
  featureLevel(): number {
    return 0
  }
  onGroupNews(_groupId: string, memberId: string, listener: (news: GroupNews) => void): () => void {
    this.#members.set(memberId, listener)
    return () => this.#members.delete(memberId)
  }

  /** Tells a member of this process that a heartbeat would be news, or even which. */
  tellNews(memberId: string, isRebalancing = false): void {
    this.#members.get(memberId)?.({ isRebalancing })
  }
  async close(): Promise<void> {
    for (const wake of [...this.#parked]) wake()
  }

  // --- what leaders do ------------------------------------------------------------------------------------------------------------

  async #fetch(request: FetchRequest, signal: AbortSignal | undefined): Promise<ApiResponse<'Fetch'>> {
    const read = () =>
      request.topics.map(({ topic, topicId, partitions }) => ({
        topic,
        topicId,
        partitions: partitions.map(asked => this.#read(topic, asked, request.isolationLevel)),
      }))
    let responses = read()
    const isEmpty = () =>
      responses.every(({ partitions }) => partitions.every(p => p.errorCode === 0 && p.records!.length === 0))
    if (isEmpty() && request.maxWaitMs > 0) {
      await this.#park(request.maxWaitMs, signal)
      responses = read()
    }
    return { throttleTimeMs: 0, errorCode: 0, sessionId: 0, responses, nodeEndpoints: [] }
  }

  async #park(ms: number, signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const done = (outcome: () => void) => () => {
        this.#parked.delete(wake)
        timer.cancel()
        outcome()
      }
      const wake = done(resolve)
      const timer = this.#clock!.after(ms, wake)
      this.#parked.add(wake)
      signal?.addEventListener(
        'abort',
        done(() => reject(new PortError({ code: 'ABORTED', message: 'given up' }))),
      )
    })
  }

  #read(
    topic: string,
    asked: FetchRequest['topics'][number]['partitions'][number],
    isolationLevel: number,
  ): PartitionData {
    const log = this.get(topic, asked.partition)
    const error = log.errors.shift() ?? 0
    const isOut = asked.fetchOffset < log.startOffset || asked.fetchOffset > log.endOffset
    const end = isolationLevel === 1 ? (log.lastStableOffset ?? log.endOffset) : log.endOffset
    const found: Uint8Array[] = []
    let size = 0
    for (const bytes of log.batches) {
      if (error !== 0 || isOut || batch.nextOffset(bytes, 0) <= asked.fetchOffset || batch.nextOffset(bytes, 0) > end)
        continue
      if (size > 0 && size + bytes.length > asked.partitionMaxBytes) break
      found.push(bytes)
      size += bytes.length
    }
    return {
      partitionIndex: asked.partition,
      errorCode: error !== 0 ? error : isOut ? 1 : 0,
      highWatermark: log.endOffset,
      lastStableOffset: log.lastStableOffset ?? log.endOffset,
      logStartOffset: log.startOffset,
      divergingEpoch: { epoch: -1, endOffset: -1 },
      currentLeader: { leaderId: -1, leaderEpoch: -1 },
      snapshotId: { endOffset: -1, epoch: -1 },
      abortedTransactions: isolationLevel === 1 ? [...log.aborted] : null,
      preferredReadReplica: -1,
      records: new Uint8Array(Buffer.concat(found)),
    }
  }

  #listOffsets({ topics }: ApiRequest<'ListOffsets'>): ApiResponse<'ListOffsets'> {
    return {
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, timestamp }) => {
          const log = this.get(name, partitionIndex)
          const offset = offsetAt(log, timestamp)
          return { partitionIndex, errorCode: log.errors.shift() ?? 0, timestamp, offset, leaderEpoch: log.leaderEpoch }
        }),
      })),
    }
  }
}

function offsetAt(log: FakePartition, timestamp: number): number {
  if (timestamp === -2) return log.startOffset
  if (timestamp === -1) return log.endOffset
  const found = log.batches.find(bytes => batch.maxTimestamp(bytes, 0) >= timestamp)
  return found === undefined ? -1 : batch.baseOffset(found, 0)
}

function viewOf({ partition, leaderEpoch, endpoint }: FakePartition, nodes: number): PartitionView {
  const node = partition % nodes
  return { partition, leaderEpoch, endpoint, errorCode: 0, leaderId: node, replicaNodes: [node], isrNodes: [node] }
}

/** The answer to an OffsetCommit, with the code that each partition is given. */
export function commitAnswer(
  { topics }: ApiRequest<'OffsetCommit'>,
  codeOf: (topic: string, partition: number) => number,
): ApiResponse<'OffsetCommit'> {
  return {
    throttleTimeMs: 0,
    topics: topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: codeOf(name, partitionIndex),
      })),
    })),
  }
}
