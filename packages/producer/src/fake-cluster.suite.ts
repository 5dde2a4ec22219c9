// A cluster for tests, behind the ClusterLink interface: leaders with Kafka's produce checks, and a network that loses requests and replies, is
// late, or moves leaders, all by the seed. Kept apart from the sender's actor, so that it survives the sender's death.
import type { ActorContext } from '@odradek/shared/actor/actor'
import { assert } from '@odradek/shared/base/assert'
import { PortError } from '@odradek/shared/base/errors'
import type { ClusterLink, Endpoint, NodeView, TopicView } from '@odradek/shared/client/cluster-link'
import { errors } from '@odradek/shared/protocol/error-codes'
import type { ProduceRequest, ProduceResponse } from '@odradek/shared/protocol/messages/00-produce'
import * as batch from '@odradek/shared/records/record-batch'
import { readRecords } from '@odradek/shared/records/record-reader'
import { incrementSequence } from './sequences.rules.ts'

export interface FakeFaults {
  /** Chance that a Produce request is lost, or its reply, or that its leader has moved. */
  loseRequest: number
  loseReply: number
  notLeader: number
  /** Milliseconds that a request and a reply travel, at most each. */
  delayMs: number
  /** As Apache Kafka: EndTxn is answered so long before the markers are written, and what comes meanwhile is put off by 20 ms. */
  markersMs: number
}

interface ProducerState {
  epoch: number
  lastSequence: number
  remembered: { readonly first: number; readonly last: number; readonly baseOffset: number }[]
}

/** One partition's log, and what its leader knows of producers. */
export class FakePartition {
  /** Text of the values, by offset. */
  readonly log: string[] = []
  /** Codec of each batch, and whether it was transactional. */
  readonly batches: {
    readonly records: number
    readonly compression: string | undefined
    readonly transactional: boolean
  }[] = []
  readonly producers = new Map<number, ProducerState>()
  /** Larger batches are refused. */
  maxBatchBytes = Number.POSITIVE_INFINITY
  /** Forced reply codes, in order; 0: none. */
  readonly scripted: number[] = []

  append(records: Uint8Array): { errorCode: number; baseOffset: number } {
    assert(batch.computeBatchCrc(records, 0) === batch.batchCrc(records, 0), 'a sent batch has a valid CRC')
    const scripted = this.scripted.shift() ?? 0
    if (scripted !== 0) return { errorCode: scripted, baseOffset: -1 }
    if (records.length > this.maxBatchBytes) return { errorCode: errors.MESSAGE_TOO_LARGE.code, baseOffset: -1 }
    const known = batch.hasProducerId(records, 0) ? this.#check(records) : null
    if (known !== null) return known
    const baseOffset = this.log.length
    for (const { value } of readRecords(records, 0, 2 ** 31))
      this.log.push(value === null ? '' : Buffer.from(value).toString())
    this.batches.push({
      records: batch.recordCount(records, 0),
      compression: batch.compressionType(records, 0),
      transactional: batch.isTransactional(records, 0),
    })
    if (batch.hasProducerId(records, 0)) this.#remember(records, baseOffset)
    return { errorCode: 0, baseOffset }
  }

  #check(records: Uint8Array): { errorCode: number; baseOffset: number } | null {
    const state = this.producers.get(batch.producerId(records, 0))
    const epoch = batch.producerEpoch(records, 0)
    const first = batch.baseSequence(records, 0)
    if (state === undefined) return null
    if (epoch < state.epoch) return { errorCode: errors.INVALID_PRODUCER_EPOCH.code, baseOffset: -1 }
    if (epoch > state.epoch)
      return first === 0 ? null : { errorCode: errors.OUT_OF_ORDER_SEQUENCE_NUMBER.code, baseOffset: -1 }
    const last = batch.lastSequence(records, 0)
    const duplicate = state.remembered.find(known => known.first === first && known.last === last)
    if (duplicate !== undefined) return { errorCode: 0, baseOffset: duplicate.baseOffset }
    if (first === incrementSequence(state.lastSequence, 1)) return null
    return { errorCode: errors.OUT_OF_ORDER_SEQUENCE_NUMBER.code, baseOffset: -1 }
  }

  #remember(records: Uint8Array, baseOffset: number): void {
    const id = batch.producerId(records, 0)
    const epoch = batch.producerEpoch(records, 0)
    const entry = { first: batch.baseSequence(records, 0), last: batch.lastSequence(records, 0), baseOffset }
    const state = this.producers.get(id)
    const earlier = state?.epoch === epoch ? state.remembered : []
    this.producers.set(id, { epoch, lastSequence: entry.last, remembered: [...earlier, entry].slice(-5) })
  }
}

/** What the transaction coordinator knows of one transactional id. */
export interface FakeTransaction {
  producerId: number
  epoch: number
  readonly partitions: Set<string>
  /** Values that transactions wrote and that were committed. */
  readonly committed: string[]
  open: string[]
  offsets: string[]
  readonly committedOffsets: string[]
}

export class FakeCluster {
  /** What a leader says beside an error code. */
  errorMessage: string | null = null
  readonly topics = new Map<string, FakePartition[]>()
  readonly faults: FakeFaults = { loseRequest: 0, loseReply: 0, notLeader: 0, delayMs: 1, markersMs: 0 }
  /** Replies to InitProducerId, before it succeeds. */
  readonly producerIdErrors: number[] = []
  /** Endpoints by node; one node: all partitions share requests. */
  nodes = 3
  /** Partitions without a leader, as `orders-0`. */
  readonly leaderless = new Set<string>()
  readonly requests: { readonly acks: number; readonly batches: number }[] = []
  /** Until then the markers of a transaction are being written. */
  markersUntil = 0
  refreshes = 0
  /** What asking for metadata fails with. */
  refreshFailure: Error | null = null
  #nextProducerId = 1_000
  /** Level of the feature `transaction.version`. */
  transactionVersion = 2
  readonly transactions = new Map<string, FakeTransaction>()
  /** Forced reply codes per API of the coordinators, in order. */
  readonly coordinatorErrors: { [api: string]: number[] } = {}
  readonly coordinatorRequests: string[] = []
  /** What the group's coordinator says to offsets of a member: a code, 0 none. */
  offsetsRefused: (memberId: string, generationId: number) => number = () => 0

  /** Codes with which the coordinators answer the API next; 0 once: as usual. */
  refuse(api: string, ...codes: readonly number[]): void {
    this.coordinatorErrors[api] = [...(this.coordinatorErrors[api] ?? []), ...codes]
  }

  create(topic: string, partitions: number): FakePartition[] {
    const created = Array.from({ length: partitions }, () => new FakePartition())
    this.topics.set(topic, created)
    return created
  }

  partition(topic: string, partition = 0): FakePartition {
    return this.topics.get(topic)![partition]!
  }

  open(context: Pick<ActorContext, 'clock' | 'random'>): FakeLink {
    return new FakeLink(this, context)
  }

  nextProducerId(): number {
    return this.#nextProducerId++
  }
}

/** Kafka: `add.partitions.to.txn.retry.backoff.ms`. */
const PUT_OFF_MS = 20
const CONNECTION_BROKE = { code: 'LINK_CLOSED', message: 'the connection broke' }

interface Connection {
  /** When the latest request arrives. */
  arrival: number
  isBroken: boolean
}

class FakeLink implements ClusterLink {
  readonly clusterId = 'fake'
  readonly #cluster: FakeCluster
  readonly #context: Pick<ActorContext, 'clock' | 'random'>
  readonly #views = new Map<string, TopicView>()
  readonly #listeners = new Set<() => void>()
  readonly #connections = new Map<string, Connection>()

  constructor(cluster: FakeCluster, context: Pick<ActorContext, 'clock' | 'random'>) {
    this.#cluster = cluster
    this.#context = context
  }

  topic(name: string): TopicView | undefined {
    return this.#views.get(name)
  }

  nodes(): readonly NodeView[] {
    return []
  }

  topics(): readonly TopicView[] {
    return [...this.#views.values()]
  }

  async refresh(topics: readonly string[] | null): Promise<void> {
    this.#cluster.refreshes++
    await this.#travel()
    if (this.#cluster.refreshFailure !== null) throw this.#cluster.refreshFailure
    for (const name of topics ?? this.#cluster.topics.keys()) this.#views.set(name, this.#view(name))
    for (const listener of this.#listeners) listener()
  }

  isCurrent(): boolean {
    return false
  }

  onMetadata(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Requests to one endpoint arrive in order. What is lost is lost with its connection, and with all that was on it. */
  async request(endpoint: Endpoint, api: string, request: unknown): Promise<any> {
    const connection = this.#connection(endpoint)
    const lost = api === 'Produce' ? this.#context.random.float() : 1
    const { loseRequest, loseReply, delayMs } = this.#cluster.faults
    const { clock, random } = this.#context
    connection.arrival = Math.max(connection.arrival, clock.monotonic() + random.float() * delayMs)
    await this.#until(connection.arrival)
    if (lost < loseRequest) this.#breakConnection(endpoint)
    if (connection.isBroken) throw new PortError(CONNECTION_BROKE)
    if (clock.monotonic() < this.#cluster.markersUntil) await this.#until(clock.monotonic() + PUT_OFF_MS)
    const response = this.#answer(endpoint, api, request)
    if (api === 'EndTxn') this.#cluster.markersUntil = clock.monotonic() + this.#cluster.faults.markersMs
    await this.#travel()
    if (lost < loseRequest + loseReply) this.#breakConnection(endpoint)
    if (connection.isBroken) throw new PortError(CONNECTION_BROKE)
    return response
  }

  #answerTransactional(api: string, id: string, request: any, forced: number): unknown {
    const transaction = this.#transaction(id)
    const epoch = request.producerEpoch ?? request.v3AndBelowProducerEpoch
    const fenced = api !== 'InitProducerId' && epoch !== transaction.epoch ? errors.PRODUCER_FENCED.code : 0
    const errorCode = forced || fenced
    switch (api) {
      case 'InitProducerId':
        if (errorCode === 0) this.#endOpen(transaction, false)
        if (errorCode === 0) transaction.epoch++
        return { errorCode, producerId: transaction.producerId, producerEpoch: transaction.epoch }
      case 'AddPartitionsToTxn': {
        const topics: { name: string; partitions: number[] }[] = request.v3AndBelowTopics
        for (const { name, partitions } of topics)
          for (const p of partitions) transaction.partitions.add(`${name}-${p}`)
        const resultsByPartition = [{ partitionIndex: 0, partitionErrorCode: errorCode }]
        return { errorCode: 0, resultsByTransaction: [], resultsByTopicV3AndBelow: [{ name: '', resultsByPartition }] }
      }
      case 'AddOffsetsToTxn':
        return { errorCode }
      case 'TxnOffsetCommit': {
        const refused = errorCode || this.#cluster.offsetsRefused(request.memberId, request.generationIdOrMemberEpoch)
        for (const { name, partitions } of request.topics) {
          for (const { partitionIndex, committedOffset } of partitions) {
            if (refused === 0) transaction.offsets.push(`${name}-${partitionIndex}@${committedOffset}`)
          }
        }
        return { topics: [{ name: '', partitions: [{ partitionIndex: 0, errorCode: refused }] }] }
      }
      default: {
        assert(api === 'EndTxn', `the fake coordinator knows ${api}`)
        if (errorCode !== 0) return { errorCode, producerId: -1, producerEpoch: -1 }
        this.#endOpen(transaction, request.committed)
        if (this.#cluster.transactionVersion < 2) return { errorCode, producerId: -1, producerEpoch: -1 }
        transaction.epoch++
        return { errorCode, producerId: transaction.producerId, producerEpoch: transaction.epoch }
      }
    }
  }

  #transaction(id: string): FakeTransaction {
    let transaction = this.#cluster.transactions.get(id)
    if (transaction === undefined) {
      transaction = {
        producerId: this.#cluster.nextProducerId(),
        epoch: -1,
        partitions: new Set(),
        committed: [],
        open: [],
        offsets: [],
        committedOffsets: [],
      }
      this.#cluster.transactions.set(id, transaction)
    }
    return transaction
  }

  #endOpen(transaction: FakeTransaction, committed: boolean): void {
    if (committed) transaction.committed.push(...transaction.open)
    if (committed) transaction.committedOffsets.push(...transaction.offsets)
    transaction.open = []
    transaction.offsets = []
    transaction.partitions.clear()
  }

  /** Appends, and for a transactional batch checks and notes what the transaction now holds. */
  #append(
    transactionalId: string | null,
    name: string,
    index: number,
    records: Uint8Array,
  ): { errorCode: number; baseOffset: number } {
    const partition = this.#cluster.partition(name, index)
    if (transactionalId === null) return partition.append(records)
    const transaction = this.#transaction(transactionalId)
    if (batch.producerEpoch(records, 0) !== transaction.epoch)
      return { errorCode: errors.INVALID_PRODUCER_EPOCH.code, baseOffset: -1 }
    if (this.#cluster.transactionVersion < 2 && !transaction.partitions.has(`${name}-${index}`)) {
      return { errorCode: errors.INVALID_TXN_STATE.code, baseOffset: -1 }
    }
    const before = partition.log.length
    const outcome = partition.append(records)
    transaction.open.push(...partition.log.slice(before))
    return outcome
  }

  #connection({ id }: Endpoint): Connection {
    let connection = this.#connections.get(id)
    if (connection === undefined) {
      connection = { arrival: 0, isBroken: false }
      this.#connections.set(id, connection)
    }
    return connection
  }

  #breakConnection({ id }: Endpoint): void {
    const connection = this.#connections.get(id)
    if (connection !== undefined) connection.isBroken = true
    this.#connections.delete(id)
  }

  #answer(_endpoint: Endpoint, api: string, request: unknown): unknown {
    if (api === 'Produce') return this.#produce(request as ProduceRequest)
    this.#cluster.coordinatorRequests.push(api)
    const forced = this.#cluster.coordinatorErrors[api]?.shift() ?? 0
    const { transactionalId, v3AndBelowTransactionalId } = request as { [name: string]: string | null }
    const id = transactionalId ?? v3AndBelowTransactionalId
    if (id != null) return this.#answerTransactional(api, id, request, forced)
    assert(api === 'InitProducerId', `the fake cluster knows ${api}`)
    const errorCode = this.#cluster.producerIdErrors.shift() ?? 0
    const producerId = errorCode === 0 ? this.#cluster.nextProducerId() : -1
    return {
      throttleTimeMs: 0,
      errorCode,
      producerId,
      producerEpoch: 0,
      ongoingTxnProducerId: -1,
      ongoingTxnProducerEpoch: -1,
    }
  }

  #travel(): Promise<void> {
    return this.#until(this.#context.clock.monotonic() + this.#context.random.float() * this.#cluster.faults.delayMs)
  }

  #until(at: number): Promise<void> {
    const { clock } = this.#context
    return new Promise(resolve => void clock.after(at - clock.monotonic(), resolve))
  }

  #produce({ transactionalId, acks, topicData }: ProduceRequest): ProduceResponse {
    this.#cluster.requests.push({
      acks,
      batches: topicData.reduce((sum, { partitionData }) => sum + partitionData.length, 0),
    })
    const responses = topicData.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index, records }) => {
        const moved = this.#context.random.float() < this.#cluster.faults.notLeader
        const { errorCode, baseOffset } = moved
          ? { errorCode: errors.NOT_LEADER_OR_FOLLOWER.code, baseOffset: -1 }
          : this.#append(transactionalId, name, index, records!)
        const currentLeader = { leaderId: -1, leaderEpoch: -1 }
        return {
          index,
          errorCode,
          baseOffset,
          logAppendTimeMs: -1,
          logStartOffset: 0,
          recordErrors: [],
          errorMessage: errorCode === 0 ? null : this.#cluster.errorMessage,
          currentLeader,
        }
      }),
    }))
    return { responses, throttleTimeMs: 0, nodeEndpoints: [] }
  }

  #view(name: string): TopicView {
    const partitions = this.#cluster.topics.get(name)
    return {
      name,
      topicId: name,
      isInternal: false,
      errorCode: partitions === undefined ? errors.UNKNOWN_TOPIC_OR_PARTITION.code : 0,
      partitions: (partitions ?? []).map((_, partition) => {
        const nodeId = partition % this.#cluster.nodes
        const endpoint = this.#cluster.leaderless.has(`${name}-${partition}`) ? null : { id: `node-${nodeId}`, nodeId }
        return {
          partition,
          leaderEpoch: 0,
          endpoint,
          errorCode: 0,
          leaderId: nodeId,
          replicaNodes: [nodeId],
          isrNodes: [nodeId],
        }
      }),
    }
  }

  async coordinator(): Promise<Endpoint> {
    return { id: 'node-0', nodeId: 0 }
  }

  approach(): void {}
  forgetCoordinator(): void {}

  async anyEndpoint(): Promise<Endpoint> {
    return { id: 'node-0', nodeId: 0 }
  }

  async everyEndpoint(): Promise<readonly Endpoint[]> {
    return [await this.anyEndpoint()]
  }

  async controller(): Promise<Endpoint> {
    return { id: 'node-0', nodeId: 0 }
  }

  maxVersion(): number {
    return 32_767
  }

  featureLevel(): number {
    return this.#cluster.transactionVersion
  }

  onGroupNews(): () => void {
    return () => {}
  }

  async close(): Promise<void> {
    this.#listeners.clear()
  }
}
