// Fetch requests on their way: builds them (with a session over the wire), takes their answers apart per partition, and forgets what became
// stale. One request per endpoint at a time. Owned by the fetcher.
import { releaseBuffers } from '@odradek/shared/actor/release-buffers'
import { limits } from '@odradek/shared/base/limits'
import { sharedAbort } from '@odradek/shared/base/shared-abort'
import type { ClusterLink, Endpoint } from '@odradek/shared/client/cluster-link'
import type { ConsumerInput } from '@odradek/shared/contracts/consumer.contract'
import { errors } from '@odradek/shared/protocol/error-codes'
import type { FetchRequest, FetchResponse } from '@odradek/shared/protocol/messages/01-fetch'
import { INT64_MAX, ZERO_UUID } from '@odradek/shared/protocol/schema'
import { type FetchBudget, partitionMaxBytes } from './fetch-plan.rules.ts'
import {
  type FetchSession,
  NO_SESSION,
  nextRequest,
  type SessionPartition,
  sessionAnswered,
} from './fetch-session.rules.ts'
import type { FetchedPartition } from './fetched-partition.ts'
import type { AbortedTransaction } from './isolation.rules.ts'
import type { FetchAnswer } from './positions.rules.ts'

export interface FetchAnswers {
  /** True: it keeps the buffer behind `records`. False: it has copied what it wants of them. */
  answered(
    partition: FetchedPartition,
    answer: FetchAnswer,
    records: Uint8Array,
    aborted: readonly AbortedTransaction[] | null,
  ): boolean
  /** The whole request failed: try the partition again later. */
  missing(partition: FetchedPartition, refreshMetadata: boolean): void
  finished(): void
}

interface InFlight {
  readonly endpoint: Endpoint
  /** By `topic-partition`; the epoch and offset with which it was asked. */
  readonly asked: Map<string, { readonly partition: FetchedPartition; readonly epoch: number; readonly offset: number }>
  readonly abort: AbortController
}

const NO_SESSION_EPOCH = -1
const NO_BYTES = new Uint8Array(0)

export class FetchRequests {
  readonly #link: ClusterLink
  readonly #input: ConsumerInput
  readonly #answers: FetchAnswers
  readonly #inFlight = new Map<string, InFlight>()
  readonly #sessions = new Map<string, FetchSession>()
  readonly #aborts = new Map<string, AbortController>()
  readonly busy = new Set<string>()

  constructor(link: ClusterLink, input: ConsumerInput, answers: FetchAnswers) {
    this.#link = link
    this.#input = input
    this.#answers = answers
  }

  /** Sends one request for `partitions`. */
  send(endpoint: Endpoint, partitions: readonly FetchedPartition[], budget: FetchBudget): void {
    const abort = this.#abortOf(endpoint)
    const asked = new Map(
      partitions.map(partition => {
        const { topic, epoch, position } = partition
        return [`${topic}-${partition.partition}`, { partition, epoch, offset: position.offset }]
      }),
    )
    this.#inFlight.set(endpoint.id, { endpoint, asked, abort })
    this.busy.add(endpoint.id)
    void this.#run(endpoint, partitions, partitionMaxBytes(budget), { endpoint, asked, abort })
  }

  /** One per endpoint until it was used: making one for every request costs as much as the request. */
  #abortOf({ id }: Endpoint): AbortController {
    let abort = this.#aborts.get(id)
    if (abort === undefined || abort.signal.aborted) {
      abort = sharedAbort()
      this.#aborts.set(id, abort)
    }
    return abort
  }

  /** The partition was sought, paused or taken away: what is on its way is not for it. A request for nothing else is given up. */
  forget(partition: FetchedPartition): void {
    const name = `${partition.topic}-${partition.partition}`
    for (const { endpoint, asked, abort } of this.#inFlight.values()) {
      if (asked.get(name)?.partition !== partition) continue
      asked.delete(name)
      // With a session the answer must be seen, or its epoch would be out of step.
      if (asked.size === 0 && !this.#sessions.has(endpoint.id)) abort.abort()
    }
  }

  abort(): void {
    for (const { abort } of this.#inFlight.values()) abort.abort()
  }

  async #run(
    endpoint: Endpoint,
    partitions: readonly FetchedPartition[],
    bytes: number,
    { asked, abort }: InFlight,
  ): Promise<void> {
    const { request, session } = this.#build(endpoint, partitions, bytes)
    try {
      const deadlineMs = this.#input.fetchMaxWaitMs + this.#input.requestTimeoutMs
      const response = await this.#link.request(endpoint, 'Fetch', request, { deadlineMs, signal: abort.signal })
      this.#done(endpoint)
      if (session !== null)
        this.#sessions.set(endpoint.id, sessionAnswered(session, response.errorCode, response.sessionId))
      this.#take(response, asked)
    } catch {
      this.#done(endpoint)
      this.#sessions.delete(endpoint.id)
      for (const { partition } of asked.values()) this.#answers.missing(partition, true)
    }
    this.#answers.finished()
  }

  #done(endpoint: Endpoint): void {
    this.#inFlight.delete(endpoint.id)
    this.busy.delete(endpoint.id)
  }

  #build(endpoint: Endpoint, partitions: readonly FetchedPartition[], bytes: number) {
    const wanted = partitions.map(partition => this.#sessionPartition(partition, bytes))
    const nameOf = new Map(partitions.map(({ key, topic }) => [key, topic]))
    if (this.#input.link.kind === 'port') {
      return { request: this.#message(0, NO_SESSION_EPOCH, wanted, [], nameOf), session: null }
    }
    const next = nextRequest(this.#sessions.get(endpoint.id) ?? NO_SESSION, wanted)
    return {
      request: this.#message(next.sessionId, next.epoch, next.toSend, next.toForget, nameOf),
      session: next.session,
    }
  }

  #sessionPartition({ key, topic, partition, position }: FetchedPartition, bytes: number): SessionPartition {
    return {
      key,
      topic,
      topicId: this.#link.topic(topic)?.topicId ?? ZERO_UUID,
      partition,
      fetchOffset: position.offset,
      currentLeaderEpoch: position.leaderEpoch,
      lastFetchedEpoch: position.offsetEpoch,
      partitionMaxBytes: bytes,
    }
  }

  #message(
    sessionId: number,
    sessionEpoch: number,
    toSend: readonly SessionPartition[],
    toForget: readonly SessionPartition[],
    nameOf: ReadonlyMap<number, string>,
  ): FetchRequest {
    const { fetchMaxWaitMs, fetchMinBytes, fetchMaxBytes, isolationLevel, clientRack } = this.#input
    return {
      clusterId: null,
      replicaId: -1,
      replicaState: { replicaId: -1, replicaEpoch: -1 },
      maxWaitMs: fetchMaxWaitMs,
      minBytes: fetchMinBytes,
      maxBytes: fetchMaxBytes,
      isolationLevel,
      sessionId,
      sessionEpoch,
      topics: grouped(toSend).map(list => ({
        topic: nameOf.get(list[0]!.key)!,
        topicId: list[0]!.topicId,
        partitions: list.map(({ partition, currentLeaderEpoch, fetchOffset, lastFetchedEpoch, partitionMaxBytes }) => ({
          partition,
          currentLeaderEpoch,
          fetchOffset,
          lastFetchedEpoch,
          logStartOffset: -1,
          partitionMaxBytes,
          replicaDirectoryId: ZERO_UUID,
          highWatermark: INT64_MAX,
        })),
      })),
      forgottenTopicsData: grouped(toForget).map(list => ({
        topic: list[0]!.topic,
        topicId: list[0]!.topicId,
        partitions: list.map(({ partition }) => partition),
      })),
      rackId: clientRack,
    }
  }

  #take(response: FetchResponse, asked: InFlight['asked']): void {
    if (response.errorCode !== errors.NONE.code) {
      for (const { partition } of asked.values()) this.#answers.missing(partition, false)
      return
    }
    let spent: ArrayBufferLike | null = null
    let isKept = false
    for (const { topic, partitions } of response.responses) {
      for (const answer of partitions) {
        const records = answer.records ?? NO_BYTES
        if (records.length > 0) spent = records.buffer
        const sent = asked.get(`${topic}-${answer.partitionIndex}`)
        if (sent === undefined) continue
        const { partition, epoch, offset } = sent
        // Sought in between: the answer is for another place. Or a new leader is being asked whether this place is in its log (KIP-320): his word comes first.
        if (partition.epoch !== epoch || partition.position.offset !== offset) continue
        if (partition.position.state !== 'Fetching') continue
        if (this.#answers.answered(partition, answer, records, answer.abortedTransactions)) isKept = true
      }
    }
    if (spent !== null && !isKept) this.#release(spent)
  }

  /** Over the wire all records of a response lie in one buffer, the reply, which is ours alone. */
  #release(reply: ArrayBufferLike): void {
    if (this.#input.link.kind !== 'wire' || reply.byteLength < limits.transferBytesMin) return
    if (reply instanceof ArrayBuffer) releaseBuffers([reply])
  }
}

function grouped(partitions: readonly SessionPartition[]): SessionPartition[][] {
  const groups = new Map<string, SessionPartition[]>()
  for (const partition of partitions) {
    const group = groups.get(partition.topic)
    if (group === undefined) groups.set(partition.topic, [partition])
    else group.push(partition)
  }
  return [...groups.values()]
}
