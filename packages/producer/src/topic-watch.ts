// What the sender knows of topics, kept fresh for itself and for the producer in the caller's thread: one refresh at a time, with backoff while a
// topic is not usable; changes are told to whoever asked for the topic. Used by sender.actor.
import type { ActorContext, Peer } from '@odradek/shared/actor/actor'
import { type ErrorData, KafkaError, PortError } from '@odradek/shared/base/errors'
import { WakeTimer } from '@odradek/shared/base/wake-timer'
import { backoffMs } from '@odradek/shared/client/backoff.rules'
import type { ClusterLink, TopicView } from '@odradek/shared/client/cluster-link'
import type { SenderContract, TopicMetadata } from '@odradek/shared/contracts/sender.contract'
import { errorOf, errors } from '@odradek/shared/protocol/error-codes'
import { errorData, portFailure } from './producer-errors.ts'
import type { SenderPolicy } from './sender-policy.ts'

interface Waiting {
  readonly deadline: number
  readonly resolve: (metadata: TopicMetadata) => void
  readonly reject: (error: PortError) => void
}

export interface TopicWatchOptions {
  readonly context: Pick<ActorContext, 'clock' | 'random' | 'log'>
  readonly link: ClusterLink
  readonly policy: SenderPolicy
  /** Called after any topic changed. */
  readonly changed: () => void
}

export class TopicWatch {
  readonly #options: TopicWatchOptions
  readonly #waiting = new Map<string, Waiting[]>()
  /** Who asked for a topic, and what it was told last. */
  readonly #watchers = new Map<string, { readonly peers: Set<Peer<SenderContract>>; told: string }>()
  readonly #wanted = new Set<string>()
  readonly #wake: WakeTimer
  readonly #age: WakeTimer
  readonly #deadlines: WakeTimer
  readonly #stopListening: () => void
  #isRefreshing = false
  /** Why the last refresh failed; empty when it did not. */
  #failure = ''
  #fruitless = 0
  #notBefore = 0
  #isClosed = false

  constructor(options: TopicWatchOptions) {
    this.#options = options
    const { clock } = options.context
    this.#wake = new WakeTimer(clock, () => this.#refreshWanted())
    this.#age = new WakeTimer(clock, () => this.#refreshAll())
    this.#deadlines = new WakeTimer(clock, () => this.#giveUp())
    this.#stopListening = options.link.onMetadata(() => this.#linkChanged())
    this.#armAge()
  }

  /** Topics that are waited for. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** The topic as it is, or as soon as it is usable; changes are told to `peer` from now on. */
  metadata(topic: string, maxBlockMs: number, peer: Peer<SenderContract>): Promise<TopicMetadata> {
    const metadata = this.#usable(topic)
    this.#watch(topic, peer, metadata)
    if (metadata !== undefined) return Promise.resolve(metadata)
    return new Promise((resolve, reject) => {
      const deadline = this.#options.context.clock.monotonic() + maxBlockMs
      const waiting = this.#waiting.get(topic)
      if (waiting === undefined) this.#waiting.set(topic, [{ deadline, resolve, reject }])
      else waiting.push({ deadline, resolve, reject })
      this.#deadlines.wakeAt(deadline)
      this.refresh(topic)
    })
  }

  /** Asks for fresh metadata of the topic, soon: many calls are one request. */
  refresh(topic: string): void {
    this.#wanted.add(topic)
    this.#refreshWanted()
  }

  forget(peer: Peer<SenderContract>): void {
    for (const { peers } of this.#watchers.values()) peers.delete(peer)
  }

  close(error: ErrorData): void {
    this.#isClosed = true
    this.#stopListening()
    for (const timer of [this.#wake, this.#age, this.#deadlines]) timer.cancel()
    this.#rejectAll(error)
  }

  /** Waiting longer is of no use: refused credentials, a certificate that is not trusted, a cluster that is not there. */
  #rejectAll(error: ErrorData): void {
    for (const waiting of this.#waiting.values()) for (const { reject } of waiting) reject(new PortError(error))
    this.#waiting.clear()
  }

  #watch(topic: string, peer: Peer<SenderContract>, metadata: TopicMetadata | undefined): void {
    const watcher = this.#watchers.get(topic)
    if (watcher !== undefined) watcher.peers.add(peer)
    else this.#watchers.set(topic, { peers: new Set([peer]), told: JSON.stringify(metadata) ?? '' })
  }

  #refreshWanted(): void {
    if (this.#isRefreshing || this.#isClosed || this.#wanted.size === 0) return
    const now = this.#options.context.clock.monotonic()
    if (now < this.#notBefore) {
      this.#wake.wakeAt(this.#notBefore)
      return
    }
    const topics = [...this.#wanted]
    this.#wanted.clear()
    this.#isRefreshing = true
    const { link, policy, context } = this.#options
    link.refresh(topics, { allowAutoTopicCreation: true, deadlineMs: policy.requestTimeoutMs }).then(
      () => {
        this.#failure = ''
        this.#refreshed(topics)
      },
      thrown => {
        context.log.warn({ topics, reason: String(thrown) }, 'metadata could not be refreshed')
        this.#failure = thrown instanceof Error ? thrown.message : String(thrown)
        for (const topic of topics) this.#wanted.add(topic)
        if (thrown instanceof KafkaError && !thrown.retriable) this.#rejectAll(portFailure(thrown))
        this.#refreshed(topics)
      },
    )
  }

  #refreshed(topics: readonly string[]): void {
    this.#isRefreshing = false
    if (this.#isClosed) return
    const fruitful = topics.every(topic => {
      const view = this.#options.link.topic(topic)
      return view !== undefined && isUsable(view) && view.partitions.every(({ endpoint }) => endpoint !== null)
    })
    this.#fruitless = fruitful ? 0 : this.#fruitless + 1
    const { retryBackoffMs, retryBackoffMaxMs } = this.#options.policy
    const { clock, random } = this.#options.context
    const backoff = { initialMs: retryBackoffMs, maxMs: retryBackoffMaxMs }
    this.#notBefore = clock.monotonic() + backoffMs(backoff, Math.max(0, this.#fruitless - 1), random.float())
    this.#linkChanged()
    for (const topic of this.#waiting.keys()) this.#wanted.add(topic)
    this.#refreshWanted()
  }

  /** Answers who waits, tells who watches. */
  #linkChanged(): void {
    for (const [topic, waiting] of this.#waiting) {
      const metadata = this.#usable(topic)
      if (metadata === undefined) continue
      this.#waiting.delete(topic)
      for (const { resolve } of waiting) resolve(metadata)
    }
    for (const [topic, watcher] of this.#watchers) this.#tell(topic, watcher)
    this.#options.changed()
  }

  #tell(topic: string, watcher: { readonly peers: Set<Peer<SenderContract>>; told: string }): void {
    const view = this.#options.link.topic(topic)
    if (view === undefined || watcher.peers.size === 0) return
    const metadata = metadataOf(view)
    const text = JSON.stringify(metadata)
    if (text === watcher.told) return
    watcher.told = text
    for (const peer of watcher.peers) peer.news('topicMetadata', metadata)
  }

  /** The topic when producing to it can begin, or when waiting longer is of no use. */
  #usable(topic: string): TopicMetadata | undefined {
    const view = this.#options.link.topic(topic)
    if (view === undefined) return undefined
    const isFinal = view.errorCode !== 0 && !errorOf(view.errorCode).retriable
    return isUsable(view) || isFinal ? metadataOf(view) : undefined
  }

  #giveUp(): void {
    const now = this.#options.context.clock.monotonic()
    for (const [topic, waiting] of this.#waiting) {
      const left = waiting.filter(({ deadline }) => deadline > now)
      for (const { deadline, reject } of waiting) if (deadline <= now) reject(this.#timedOut(topic))
      if (left.length === 0) this.#waiting.delete(topic)
      else this.#waiting.set(topic, left)
      for (const { deadline } of left) this.#deadlines.wakeAt(deadline)
    }
  }

  #timedOut(topic: string): PortError {
    const code = this.#options.link.topic(topic)?.errorCode ?? 0
    const reason = code === 0 ? this.#failure || 'no broker answered' : errorOf(code).name
    const kafkaCode = code === 0 ? errors.REQUEST_TIMED_OUT.code : code
    return new PortError(
      errorData('ODK_METADATA_TIMEOUT', `topic ${topic} is not known after maxBlockMs: ${reason}`, { kafkaCode }),
    )
  }

  #armAge(): void {
    const { clock } = this.#options.context
    this.#age.wakeAt(clock.monotonic() + this.#options.policy.metadataMaxAgeMs)
  }

  #refreshAll(): void {
    for (const topic of this.#watchers.keys()) this.refresh(topic)
    this.#armAge()
  }
}

function isUsable(view: TopicView): boolean {
  return view.errorCode === 0 && view.partitions.length > 0
}

function metadataOf({ name, errorCode, partitions }: TopicView): TopicMetadata {
  return {
    topic: name,
    errorCode,
    partitions: partitions.map(({ partition, leaderId, endpoint, replicaNodes, isrNodes }) => ({
      partition,
      leader: endpoint === null ? -1 : leaderId,
      replicas: replicaNodes,
      inSyncReplicas: isrNodes,
    })),
  }
}
