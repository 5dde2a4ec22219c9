// The consumer as users hold it. Everything here runs in the caller's thread: it decodes, runs the user's functions, and asks the consumer's own
// thread for the rest.
import type { Clock } from '@odradek/shared/base/clock'
import { KafkaError } from '@odradek/shared/base/errors'
import { functionIn, integer, optionsIn, partitionsIn, waitMs } from '@odradek/shared/client/call-input'
import type { ClusterDoor } from '@odradek/shared/client/cluster-link'
import { shown } from '@odradek/shared/client/options'
import { type Topic, topicOf } from '@odradek/shared/client/topic'
import type {
  CommittedOffset,
  GroupMetadata,
  Subscription,
  TopicPartition,
} from '@odradek/shared/contracts/consumer.contract'
import type {
  BatchOptions,
  CallOptions,
  ConsumerMetrics,
  OffsetToCommit,
  PartitionToAssign,
  RecordOf,
  RunOptions,
  SeekTo,
  Topics,
} from './consumer-calls.ts'
import { ConsumerConnection } from './consumer-connection.ts'
import { errorData, kafkaErrorOf } from './consumer-errors.ts'
import {
  batchOptionsIn,
  committedOffsets,
  runOptionsIn,
  seekTarget,
  timestampOf,
  wholeNumber,
} from './consumer-input.ts'
import type { ResolvedConsumerOptions } from './consumer-options.ts'
import type { ConsumerRecord } from './consumer-record.ts'
import { markDone, RecordBatch, runDeliveries, runEach } from './delivery-runner.ts'
import type { Arrival, ReadPartition } from './inbox.ts'
import { RecordFeed, type RecordGate } from './record-feed.ts'
import { gateOf, ignoringErrors } from './record-gate.ts'
import { RecordStream } from './record-stream.ts'

/** Java: ConsumerUtils.DEFAULT_CLOSE_TIMEOUT_MS. */
const CLOSE_TIMEOUT_MS = 30_000

export class Consumer {
  readonly #options: ResolvedConsumerOptions
  readonly #connection: ConsumerConnection
  readonly #clock: Clock
  readonly #topics = new Map<string, Topic<any, any>>()
  readonly #gate: RecordGate
  readonly #feed: RecordFeed
  /** Whether anything was subscribed or assigned. */
  #hasSource = false
  #reading = false
  /** `each` or `batch` is at work. */
  #running = false
  #closed: Promise<void> | null = null

  /** Use `createConsumer`. */
  constructor(
    door: ClusterDoor,
    options: ResolvedConsumerOptions,
    module?: ConstructorParameters<typeof ConsumerConnection>[2],
  ) {
    this.#options = options
    this.#clock = door.host.clock
    this.#gate = gateOf(options)
    const host = {
      options,
      codecsOf: (topic: string) => this.#topics.get(topic) ?? topicOf(topic),
      committed: (offsets: readonly CommittedOffset[]) => this.#intercepted(offsets),
    }
    this.#connection = new ConsumerConnection(door, host, module)
    this.#feed = new RecordFeed(this.#connection.inbox, this.#gate)
  }

  /**
   * Subscribes (with a `groupId`), or without one assigns all partitions that the topics have now. Called by `stream`, `each` and `batch`
   * when they are given topics. Rejects with ODK_CONSUMER_STATE when partitions are assigned by hand.
   */
  async subscribe(topics: Topics, options: CallOptions = {}): Promise<void> {
    optionsIn('subscribe', options)
    const subscription = this.#remember(topics)
    this.#hasSource = true
    if (this.#options.groupId !== undefined) return this.#connection.subscribe(subscription, options)
    if (subscription.pattern !== null)
      throw kafkaErrorOf(errorData('ODK_GROUP_MISSING', 'a pattern needs the option groupId'))
    const lists = await Promise.all(
      subscription.topics.map(async topic => {
        const { partitions } = await this.#connection.ask('partitionsFor', { topic }, options)
        return partitions.map(partition => ({ topic, partition }))
      }),
    )
    await this.#connection.assign(lists.flat(), options)
  }

  /** Reads exactly these partitions, without the group's coordination. Replaces the assignment; an empty list ends it. */
  async assign(partitions: readonly PartitionToAssign[], options: CallOptions = {}): Promise<void> {
    optionsIn('assign', options)
    const list = partitionsIn('assign', partitions, { partition: integer }).map(({ topic, partition, offset }) => {
      const known = topicOf(topic)
      this.#topics.set(known.name, known)
      const place = { topic: known.name, partition: wholeNumber(partition, 'assign: partition') }
      return offset === undefined ? place : { ...place, offset: wholeNumber(offset, 'assign: offset') }
    })
    this.#hasSource = list.length > 0
    await this.#connection.assign(list, options)
  }

  /** Leaves the group (hooks run, offsets are committed) or drops the assignment. */
  unsubscribe(): Promise<void> {
    this.#hasSource = false
    return this.#connection.unsubscribe()
  }

  /**
   * Records as an async iterable. With topics it subscribes first. A record counts as processed, for automatic commits, when the next one is
   * asked for. About 0.3 us per record: `batch` is faster.
   */
  stream<const T extends Topics>(topics?: T, options: CallOptions = {}): RecordStream<RecordOf<T>> {
    const { signal } = optionsIn('stream', options)
    const source = {
      begin: () => this.#begin(),
      next: () => {
        this.#connection.throwFailure()
        this.#feed.settle()
        return this.#connection.isClosing ? null : this.#feed.next()
      },
      wait: (given: AbortSignal | undefined) => this.#wait(given),
      end: () => this.#end(),
    }
    return new RecordStream(source, () => this.#ready(topics, signal), signal)
  }

  /**
   * Subscribes to the topics (without: reads what is assigned or subscribed already), calls `fn` for every record and awaits it: in order within a partition, `partitionConcurrency` partitions at once. Resolves when the signal
   * fires or the consumer is closed, after running calls are done; rejects with what `fn` threw, and that record will come again.
   */
  async each<const T extends Topics>(
    topics: T | undefined,
    fn: (record: RecordOf<T>) => unknown,
    options: RunOptions = {},
  ): Promise<void> {
    functionIn('each', 'topics and a function of a record', fn)
    await this.#run(topics, runOptionsIn(options), arrival =>
      runEach(this.#connection.inbox, arrival, this.#gate, fn as (record: ConsumerRecord<any, any>) => unknown),
    )
  }

  /** As `each`, for records of one partition that arrived together: the fastest way. A batch is processed when `fn` has resolved. */
  async batch<const T extends Topics>(
    topics: T | undefined,
    fn: (batch: RecordBatch<RecordOf<T>>) => unknown,
    options: BatchOptions = {},
  ): Promise<void> {
    functionIn('batch', 'topics and a function of a batch', fn)
    const { emptyBatches = false } = batchOptionsIn(options)
    await this.#run(topics, options, async arrival => {
      const { inbox } = this.#connection
      const batch = new RecordBatch<RecordOf<T>>(inbox, arrival, this.#gate)
      if (arrival.delivery.length > 0 || emptyBatches) await fn(batch)
      if (!batch.toldStale) markDone(inbox, arrival)
    })
  }

  /**
   * Up to `maxPollRecords` records, waiting at most `maxWaitMs` for the first. Records of the poll before count as processed. For people who come
   * from Java; rejects with ODK_CONSUMER_STATE when nothing is subscribed or assigned.
   */
  async poll(maxWaitMs = 0, options: CallOptions = {}): Promise<ConsumerRecord<any, any>[]> {
    const { signal } = optionsIn('poll', options)
    this.#refuseReader()
    if (!this.#hasSource)
      throw kafkaErrorOf(errorData('ODK_CONSUMER_STATE', 'poll: subscribe to topics or assign partitions first'))
    if (typeof maxWaitMs !== 'number' || Number.isNaN(maxWaitMs))
      throw new KafkaError(
        'ODK_OPTION_INVALID',
        `poll: maxWaitMs must be a number of milliseconds, got ${shown(maxWaitMs)}`,
      )
    const endMs = this.#clock.monotonic() + maxWaitMs
    const records: ConsumerRecord<any, any>[] = []
    this.#feed.settle()
    for (;;) {
      this.#connection.throwFailure()
      if (this.#connection.isClosing) throw kafkaErrorOf(errorData('ODK_CONSUMER_CLOSED', 'the consumer was closed'))
      while (records.length < this.#options.maxPollRecords) {
        const record = this.#feed.next()
        if (record === null) break
        records.push(record)
      }
      const leftMs = endMs - this.#clock.monotonic()
      if (records.length > 0 || leftMs <= 0 || signal?.aborted) return records
      await this.#changedWithin(leftMs, signal)
    }
  }

  /**
   * Commits and waits for the answer: given offsets, or the position of everything that was handed out (`stream`, `poll`) or finished (`each`, `batch`).
   * Retries until `defaultApiTimeoutMs`. Rejects with ODK_COMMIT_FAILED when the group has moved on: those records come again, to whoever owns them.
   */
  async commit(offsets?: readonly OffsetToCommit[], options: CallOptions = {}): Promise<void> {
    optionsIn('commit', options)
    const list = offsets === undefined ? this.#committable() : committedOffsets(offsets)
    if (list.length === 0) return
    await this.#connection.ask('commit', { offsets: list }, options)
    this.#intercepted(list)
  }

  /** As `commit`, without waiting; commits keep their order. `callback` hears the outcome; what it throws is ignored. */
  commitAsync(offsets?: readonly OffsetToCommit[], callback?: (error: KafkaError | null) => void): void {
    if (callback !== undefined) functionIn('commitAsync', 'offsets and a function of an error', callback)
    this.commit(offsets).then(
      () => ignoringErrors(() => callback?.(null)),
      error => ignoringErrors(() => callback?.(error as KafkaError)),
    )
  }

  /** Committed offsets of the group; null where there is none. */
  async committed(partitions: readonly TopicPartition[], options: CallOptions = {}): Promise<(bigint | null)[]> {
    partitionsIn('committed', partitions)
    const { offsets } = await this.#connection.ask('committed', { partitions }, optionsIn('committed', options))
    return partitions.map(({ topic, partition }) => {
      const found = offsets.find(offset => offset.topic === topic && offset.partition === partition)
      return found === undefined ? null : BigInt(found.offset)
    })
  }

  /** Goes on elsewhere. Throws ODK_CONSUMER_STATE when the partition is not assigned. */
  seek(at: TopicPartition, to: SeekTo): void {
    const partition = this.#assigned(at)
    this.#connection.seek(partition, seekTarget(to))
  }

  /** Stops reading these until `resume`; what was fetched ahead of the reader is dropped and fetched again later. */
  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitionsIn('pause', partitions).map(at => this.#assigned(at)))
      this.#connection.pause(partition)
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitionsIn('resume', partitions).map(at => this.#assigned(at)))
      this.#connection.resume(partition)
  }

  paused(): TopicPartition[] {
    return this.#list(({ paused }) => paused)
  }

  assignment(): TopicPartition[] {
    return this.#list(() => true)
  }

  /** Offset of the next record that will be handed out; waits until it is known. */
  async position(at: TopicPartition, options: CallOptions = {}): Promise<bigint> {
    const { signal } = optionsIn('position', options)
    const partition = this.#assigned(at)
    if (partition.position >= 0) return BigInt(partition.position)
    const wait = { deadlineMs: this.#options.defaultApiTimeoutMs, ...(signal && { signal }) }
    const { position } = await this.#connection.ask('position', { key: partition.key }, wait)
    return BigInt(partition.position >= 0 ? partition.position : position)
  }

  /** Records between the position and the end that the isolation level lets this consumer see; null while nothing was fetched. */
  async lag(at: TopicPartition, options: CallOptions = {}): Promise<bigint | null> {
    const partition = this.#assigned(at)
    const state = await this.#connection.ask('partitionState', { key: partition.key }, optionsIn('lag', options))
    const end = this.#options.isolationLevel === 'readCommitted' ? state.lastStableOffset : state.highWatermark
    const from = partition.position >= 0 ? partition.position : state.position
    return end < 0 || from < 0 ? null : BigInt(Math.max(0, end - from))
  }

  /** Partition numbers of a topic. */
  async partitionsFor(topic: Topic<any, any> | string, options: CallOptions = {}): Promise<readonly number[]> {
    const { name } = topicOf(topic)
    const { partitions } = await this.#connection.ask(
      'partitionsFor',
      { topic: name },
      optionsIn('partitionsFor', options),
    )
    return partitions
  }

  /** First offset of each, in the order given. */
  beginningOffsets(partitions: readonly TopicPartition[], options: CallOptions = {}): Promise<(bigint | null)[]> {
    return this.#listOffsets(partitions, timestampOf.earliest, options)
  }

  /** Offset after the last record that this consumer may see. */
  endOffsets(partitions: readonly TopicPartition[], options: CallOptions = {}): Promise<(bigint | null)[]> {
    return this.#listOffsets(partitions, timestampOf.latest, options)
  }

  /** Offset of the first record at or after the time; null where there is none. */
  offsetsForTime(
    partitions: readonly TopicPartition[],
    timestamp: number,
    options: CallOptions = {},
  ): Promise<(bigint | null)[]> {
    return this.#listOffsets(partitions, wholeNumber(timestamp, 'offsetsForTime: timestamp'), options)
  }

  /** Makes the group rebalance soon (Java: enforceRebalance). */
  async enforceRebalance(reason = 'requested by the application'): Promise<void> {
    await this.#connection.ask('enforceRebalance', { reason })
  }

  /**
   * The membership, as a transactional producer needs it to send offsets (KIP-447): what the consumer's thread told last, so it costs no message. No member (yet, or any more):
   * `memberId` is empty and `generationId` -1. Rejects with ODK_GROUP_MISSING without a `groupId`.
   */
  async groupMetadata(): Promise<GroupMetadata> {
    if (this.#options.groupId === undefined)
      throw kafkaErrorOf(errorData('ODK_GROUP_MISSING', 'group metadata needs the option groupId'))
    return this.#connection.member
  }

  metrics(): ConsumerMetrics {
    const { inbox, rebalances } = this.#connection
    const { deliveries, bytes } = inbox
    return {
      recordsStreamed: this.#feed.records,
      deliveries,
      bytes,
      rebalances,
      assignedPartitions: inbox.partitions.size,
    }
  }

  /**
   * Ends reading, waits for the functions of `each` and `batch` that are at work (they may `commit` still), commits what was processed (with
   * `enableAutoCommit`), runs `onRevoked`, leaves the group, ends the thread. `each` begins no other record; what `stream` handed out last does not count
   * as processed. Waits `timeoutMs` at most (default 30,000, as Java's `close`): what takes longer, or closes the consumer itself and awaits
   * that, does not count as processed either. Idempotent.
   */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    const { timeoutMs = CLOSE_TIMEOUT_MS } = optionsIn('close', options, { timeoutMs: waitMs })
    this.#feed.release()
    this.#closed ??= this.#connection.close(() => this.#drained(timeoutMs))
    return this.#closed
  }

  async #drained(timeoutMs: number): Promise<void> {
    const endMs = this.#clock.monotonic() + timeoutMs
    for (let leftMs = timeoutMs; this.#running && leftMs > 0; leftMs = endMs - this.#clock.monotonic()) {
      await this.#changedWithin(leftMs, undefined)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #run(
    topics: Topics | undefined,
    options: RunOptions,
    work: (arrival: Arrival) => Promise<void>,
  ): Promise<void> {
    const { partitionConcurrency = 1, signal } = options
    this.#begin()
    this.#running = true
    try {
      await this.#ready(topics, signal)
      const host = {
        inbox: this.#connection.inbox,
        wait: (given: AbortSignal | undefined) => this.#wait(given),
        rewind: (partition: ReadPartition) => this.#rewind(partition),
      }
      await runDeliveries(host, { partitionConcurrency, signal }, work)
    } finally {
      this.#running = false
      this.#end()
      this.#connection.inbox.wake()
    }
  }

  /** After a failure in the middle of a delivery: what was not processed is read again. */
  #rewind(partition: ReadPartition): void {
    const { processed, committable } = partition
    const from = processed >= 0 ? processed : partition.position
    this.#connection.seek(partition, { offset: from })
    partition.processed = processed
    partition.committable = committable
  }

  /** Subscribed, or given up: reading ends in good order when the signal fires or the consumer is closed, also while it begins. */
  async #ready(topics: Topics | undefined, signal: AbortSignal | undefined): Promise<void> {
    if (topics === undefined) return
    try {
      await this.subscribe(topics, signal && { signal })
    } catch (thrown) {
      if (!signal?.aborted && !this.#connection.isClosing) throw thrown
    }
  }

  #begin(): void {
    this.#refuseReader()
    this.#feed.release()
    this.#reading = true
  }

  #refuseReader(): void {
    if (!this.#reading) return
    throw kafkaErrorOf(
      errorData('ODK_CONSUMER_STATE', 'this consumer is being read already: one stream, each, batch or poll at a time'),
    )
  }

  #end(): void {
    this.#reading = false
    this.#feed.release()
  }

  async #wait(signal: AbortSignal | undefined): Promise<boolean> {
    this.#connection.throwFailure()
    if (this.#connection.isClosing) return false
    await this.#changedWithin(null, signal)
    this.#connection.throwFailure()
    return !this.#connection.isClosing && !signal?.aborted
  }

  async #changedWithin(ms: number | null, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return
    const { inbox } = this.#connection
    const wake = () => inbox.wake()
    const timer = ms === null ? null : this.#clock.after(ms, wake)
    signal?.addEventListener('abort', wake, { once: true })
    await inbox.changed()
    timer?.cancel()
    signal?.removeEventListener('abort', wake)
  }

  #remember(topics: Topics): Subscription {
    if (topics instanceof RegExp) return { topics: [], pattern: { source: topics.source, flags: topics.flags } }
    const list = (Array.isArray(topics) ? topics : [topics]) as readonly (Topic<any, any> | string)[]
    for (const given of list) {
      const known = topicOf(given)
      this.#topics.set(known.name, known)
    }
    return { topics: [...new Set(list.map(given => topicOf(given).name))], pattern: null }
  }

  #assigned(at: TopicPartition): ReadPartition {
    const [{ topic, partition }] = partitionsIn('a call of one partition', [at]) as [TopicPartition]
    const found = this.#connection.inbox.find(topic, partition)
    if (found === undefined)
      throw kafkaErrorOf(errorData('ODK_CONSUMER_STATE', `${topic}-${partition} is not assigned to this consumer`))
    return found
  }

  #list(wanted: (partition: ReadPartition) => boolean): TopicPartition[] {
    return [...this.#connection.inbox.partitions.values()]
      .filter(wanted)
      .map(({ topic, partition }) => ({ topic, partition }))
  }

  #committable(): CommittedOffset[] {
    return [...this.#connection.inbox.partitions.values()]
      .filter(({ committable }) => committable >= 0)
      .map(({ topic, partition, committable, leaderEpoch }) => ({
        topic,
        partition,
        offset: committable,
        leaderEpoch,
        metadata: '',
      }))
  }

  async #listOffsets(
    partitions: readonly TopicPartition[],
    timestamp: number,
    options: CallOptions,
  ): Promise<(bigint | null)[]> {
    const request = { partitions: partitionsIn('listing offsets', partitions), timestamp }
    const { offsets } = await this.#connection.ask('listOffsets', request, optionsIn('listing offsets', options))
    return partitions.map(({ topic, partition }) => {
      const found = offsets.find(answer => answer.topic === topic && answer.partition === partition)
      return found === undefined || found.offset < 0 ? null : BigInt(found.offset)
    })
  }

  #intercepted(offsets: readonly CommittedOffset[]): void {
    const shown = offsets.map(({ topic, partition, offset }) => ({ topic, partition, offset: BigInt(offset) }))
    for (const interceptor of this.#options.interceptors) ignoringErrors(() => interceptor.onCommit?.(shown))
  }
}
