// The topics that a producer writes to, and the sender that tells of them: asked for when first needed, again when it was lost. Called by the producer only.
import type { KafkaError } from '@odradek/shared/base/errors'
import type { TopicMetadata } from '@odradek/shared/contracts/sender.contract'
import { errorOf } from '@odradek/shared/protocol/error-codes'
import type { Dispatcher } from './dispatcher.ts'
import type { ResolvedProducerOptions } from './options.ts'
import { metadataTimedOut, topicRefused } from './producer-errors.ts'
import type { SenderConnection } from './sender-connection.ts'
import { TopicQueues } from './topic-queues.ts'
import { WaitingSends } from './waiting-sends.ts'

export interface ProducerTopicsParts {
  readonly connection: SenderConnection
  readonly options: Pick<
    ResolvedProducerOptions,
    'maxBlockMs' | 'partitionerAdaptivePartitioningEnable' | 'transactionalId'
  >
  /** Gets the link to the sender while there is one. */
  readonly dispatcher: Dispatcher
  /** Sends to known topics that wait for room. */
  readonly room: WaitingSends
  /** Something moved on. */
  readonly changed: () => void
  /** There is no sender any more; the next one is asked for when it is needed. */
  readonly lost: (error: KafkaError) => void
}

export class ProducerTopics {
  readonly #parts: ProducerTopicsParts
  readonly #topics = new Map<string, TopicQueues>()
  #sender: 'none' | 'asked for' | /* Lost: */ KafkaError = 'none'
  #isClosed = false

  constructor(parts: ProducerTopicsParts) {
    this.#parts = parts
  }

  [Symbol.iterator](): IterableIterator<TopicQueues> {
    return this.#topics.values()
  }

  /** Sends that wait for their topic to become known. */
  get waitingCount(): number {
    let count = 0
    for (const { waiting } of this.#topics.values()) count += waiting.size
    return count
  }

  /** Why the sender that was asked for is not there; null: it is, or it is on its way. */
  get senderLost(): KafkaError | null {
    return typeof this.#sender === 'string' ? null : this.#sender
  }

  /** No sender is asked for any more. */
  close(): void {
    this.#isClosed = true
  }

  /** Ends what waits for topics. */
  failAll(error: KafkaError): void {
    for (const { waiting } of this.#topics.values()) waiting.failAll(error)
  }

  /** Of that name; made when it is new. */
  queuesOf(name: string): TopicQueues {
    let queues = this.#topics.get(name)
    if (queues === undefined) {
      const { maxBlockMs, partitionerAdaptivePartitioningEnable } = this.#parts.options
      const { clock } = this.#parts.connection.host
      const waiting = new WaitingSends(clock, maxBlockMs, () => metadataTimedOut(name, maxBlockMs))
      queues = new TopicQueues(name, partitionerAdaptivePartitioningEnable, waiting)
      this.#topics.set(name, queues)
    }
    return queues
  }

  /** Sees to it that there will be a sender. */
  connect(): void {
    if (this.#sender === 'asked for' || this.#isClosed) return
    const { connection, dispatcher, changed, lost } = this.#parts
    this.#sender = 'asked for'
    connection.open({
      connected: link => {
        dispatcher.link = link
        link.on('topicMetadata', metadata => this.#learned(metadata))
        link.closed.then(() => {
          if (dispatcher.link === link) dispatcher.link = null
        })
        this.#nothingIsAsked()
        for (const queues of this.#topics.values()) this.ask(queues)
        dispatcher.handOver()
        changed()
      },
      lost: error => {
        dispatcher.link = null
        this.#sender = error
        this.#nothingIsAsked()
        lost(error)
      },
    })
  }

  /** Asks the sender for the topic, once; its news keep it true. */
  ask(queues: TopicQueues): void {
    this.connect()
    const { dispatcher, options } = this.#parts
    const { link } = dispatcher
    if (link === null || queues.isAsked) return
    queues.isAsked = true
    link.ask('metadata', { topic: queues.name, maxBlockMs: options.maxBlockMs }).then(
      metadata => this.#learned(metadata),
      thrown => {
        // Perhaps the next sender has been asked meanwhile.
        if (dispatcher.link === link || dispatcher.link === null) queues.isAsked = false
        this.#notTold(queues, this.#parts.connection.failureOf(thrown))
      },
    )
  }

  /**
   * No sender has had what waits for a topic: when the one that was asked dies, the next one is, each send for as long as it may wait. Not so in a transaction, which
   * died with the sender: what belonged to it must not get into the next.
   */
  #notTold({ waiting }: TopicQueues, error: KafkaError): void {
    const { options, changed } = this.#parts
    if (error.code !== 'ODK_SENDER_DIED' || options.transactionalId !== undefined) waiting.failAll(error)
    changed()
  }

  #nothingIsAsked(): void {
    for (const queues of this.#topics.values()) queues.isAsked = false
  }

  #learned(metadata: TopicMetadata): void {
    const queues = this.#topics.get(metadata.topic)
    if (queues === undefined) return
    queues.update(metadata)
    if (queues.isKnown) {
      queues.waiting.proceed()
      this.#moveToRoom(queues)
    } else if (metadata.errorCode !== 0 && !errorOf(metadata.errorCode).retriable) {
      queues.isAsked = false
      queues.waiting.failAll(topicRefused(metadata))
    }
    this.#parts.changed()
  }

  /** Who knows the topic now but found no room waits for room, in the old order. */
  #moveToRoom(queues: TopicQueues): void {
    const { room, dispatcher } = this.#parts
    for (const send of queues.waiting.takeAll()) room.add(send)
    if (room.size > 0) dispatcher.closeAll()
  }
}
