// Incremental fetch sessions (KIP-227), the broker's side: a session remembers which partitions a client fetches, so that later requests name only what
// changed and responses only what has news. Pure but for the cache's own maps; bounded by `max.incremental.fetch.session.cache.slots`,
// and in partitions per session: a client that fetches more goes on with full fetches.
import { limits } from '@odradek/shared/base/limits'
import { errors } from '@odradek/shared/protocol/error-codes'
import type {
  FetchPartition,
  FetchRequest,
  FetchResponse,
  FetchTopic,
} from '@odradek/shared/protocol/messages/01-fetch'

type PartitionResponse = FetchResponse['responses'][number]['partitions'][number]

interface SessionPartition {
  readonly topic: string
  readonly topicId: string
  asked: FetchPartition
  /** What the client was told last, -1 nothing yet. */
  highWatermark: number
  logStartOffset: number
}

interface Session {
  readonly id: number
  epoch: number
  lastUsedMs: number
  readonly partitions: Map<string, SessionPartition>
}

/** What to fetch for a request, and how to shape its reply. */
export type SessionStep =
  | { readonly kind: 'refused'; readonly errorCode: number }
  | {
      readonly kind: 'fetch'
      readonly topics: FetchTopic[]
      /** Takes the full reply; gives the one for the client. */
      readonly shape: (response: FetchResponse) => FetchResponse
    }

/** Kafka: FetchMetadata. */
const INITIAL_EPOCH = 0
const FINAL_EPOCH = -1
const INVALID_SESSION_ID = 0
/** A session that was not used for this long gives its place to a new one (Kafka: FetchSession eviction). */
const EVICTION_MS = 120_000

export class FetchSessions {
  readonly #sessions = new Map<number, Session>()
  readonly #max: number
  readonly #partitionsMax: number
  #evicted = 0

  constructor(max: number, partitionsMax: number = limits.fetchSessionPartitionsMax) {
    this.#max = max
    this.#partitionsMax = partitionsMax
  }

  get size(): number {
    return this.#sessions.size
  }

  get evicted(): number {
    return this.#evicted
  }

  /** Decides what a request means. `random` is uniform in [0, 1). */
  step(request: FetchRequest, now: number, random: () => number): SessionStep {
    const { sessionId, sessionEpoch } = request
    if (sessionEpoch === FINAL_EPOCH || sessionEpoch === INITIAL_EPOCH) {
      // Both end an old session; INITIAL begins a new one if there is room.
      if (sessionId !== INVALID_SESSION_ID) this.#sessions.delete(sessionId)
      const session = sessionEpoch === INITIAL_EPOCH ? this.#begin(request, now, random) : undefined
      return { kind: 'fetch', topics: request.topics, shape: response => fullReply(response, session) }
    }
    const session = this.#sessions.get(sessionId)
    if (!session) return { kind: 'refused', errorCode: errors.FETCH_SESSION_ID_NOT_FOUND.code }
    if (session.epoch !== sessionEpoch) return { kind: 'refused', errorCode: errors.INVALID_FETCH_SESSION_EPOCH.code }
    session.epoch = sessionEpoch === 0x7fffffff ? 1 : sessionEpoch + 1
    session.lastUsedMs = now
    change(session, request)
    if (session.partitions.size > this.#partitionsMax) {
      // The client begins anew with all that it wants, and is given no session for it.
      this.#sessions.delete(sessionId)
      return { kind: 'refused', errorCode: errors.FETCH_SESSION_ID_NOT_FOUND.code }
    }
    return { kind: 'fetch', topics: topicsOf(session), shape: response => incrementalReply(response, session) }
  }

  #begin(request: FetchRequest, now: number, random: () => number): Session | undefined {
    const count = request.topics.reduce((sum, { partitions }) => sum + partitions.length, 0)
    if (count === 0 || count > this.#partitionsMax || !this.#makeRoom(now)) return undefined
    let id = 0
    while (id === INVALID_SESSION_ID || this.#sessions.has(id)) id = 1 + Math.floor(random() * 0x7ffffffe)
    const session: Session = { id, epoch: 1, lastUsedMs: now, partitions: new Map() }
    change(session, request)
    this.#sessions.set(id, session)
    return session
  }

  #makeRoom(now: number): boolean {
    if (this.#sessions.size < this.#max) return true
    let oldest: Session | undefined
    for (const session of this.#sessions.values())
      if (!oldest || session.lastUsedMs < oldest.lastUsedMs) oldest = session
    if (!oldest || now - oldest.lastUsedMs < EVICTION_MS) return false
    this.#sessions.delete(oldest.id)
    this.#evicted++
    return true
  }
}

function key(topic: string, topicId: string, partition: number): string {
  return `${topic || topicId} ${partition}`
}

/** Key of a partition in a reply: Fetch 13 and up ask by id alone, replies hold the name as well. */
function keyOf({ partitions }: Pick<Session, 'partitions'>, topic: string, topicId: string, partition: number): string {
  const named = key(topic, topicId, partition)
  return partitions.has(named) ? named : key('', topicId, partition)
}

function change({ partitions }: Session, { topics, forgottenTopicsData }: FetchRequest): void {
  for (const { topic, topicId, partitions: forgotten } of forgottenTopicsData)
    for (const partition of forgotten) partitions.delete(key(topic, topicId, partition))
  for (const { topic, topicId, partitions: asked } of topics) {
    for (const partition of asked) {
      const known = partitions.get(key(topic, topicId, partition.partition))
      if (known) known.asked = partition
      else
        partitions.set(key(topic, topicId, partition.partition), {
          topic,
          topicId,
          asked: partition,
          highWatermark: -1,
          logStartOffset: -1,
        })
    }
  }
}

/** All partitions of the session, in its order: partitions that had data last time come last (fairness, as Kafka's). */
function topicsOf({ partitions }: Session): FetchTopic[] {
  const topics: FetchTopic[] = []
  for (const { topic, topicId, asked } of partitions.values()) {
    const last = topics.at(-1)
    if (last && last.topic === topic && last.topicId === topicId) last.partitions.push(asked)
    else topics.push({ topic, topicId, partitions: [asked] })
  }
  return topics
}

function fullReply(response: FetchResponse, session: Session | undefined): FetchResponse {
  if (!session) return response
  for (const { topic, topicId, partitions } of response.responses)
    for (const partition of partitions) remember(session, topic, topicId, partition)
  return { ...response, sessionId: session.id }
}

/** Only partitions with news: records, an error, or another high watermark or log start. */
function incrementalReply(response: FetchResponse, session: Session): FetchResponse {
  const responses = response.responses.flatMap(({ topic, topicId, partitions }) => {
    const news = partitions.filter(partition => remember(session, topic, topicId, partition))
    return news.length === 0 ? [] : [{ topic, topicId, partitions: news }]
  })
  for (const { topic, topicId, partitions } of responses)
    for (const partition of partitions)
      if (partition.records?.byteLength) moveLast(session, keyOf(session, topic, topicId, partition.partitionIndex))
  return { ...response, sessionId: session.id, responses }
}

/** Takes in what the client is about to be told; says whether it is news. */
function remember({ partitions }: Session, topic: string, topicId: string, partition: PartitionResponse): boolean {
  const known = partitions.get(keyOf({ partitions }, topic, topicId, partition.partitionIndex))
  if (!known) return true
  const { highWatermark, logStartOffset, errorCode, records, divergingEpoch } = partition
  const news =
    (records?.byteLength ?? 0) > 0 ||
    errorCode !== 0 ||
    divergingEpoch.epoch >= 0 ||
    known.highWatermark !== highWatermark ||
    known.logStartOffset !== logStartOffset
  // After an error everything is news again.
  known.highWatermark = errorCode === 0 ? highWatermark : -1
  known.logStartOffset = errorCode === 0 ? logStartOffset : -1
  return news
}

function moveLast({ partitions }: Session, id: string): void {
  const partition = partitions.get(id)
  if (!partition) return
  partitions.delete(id)
  partitions.set(id, partition)
}
