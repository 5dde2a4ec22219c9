// Keeps fetches in flight ahead of the reader, and hands out deliveries within the caller's credit. Owned by the consumer actor; the
// decisions are in positions.rules, fetch-plan.rules, fetch-session.rules and isolation.rules.
import type { Clock, Timer } from '@odradek/shared/base/clock'
import type { ErrorData } from '@odradek/shared/base/errors'
import { limits } from '@odradek/shared/base/limits'
import type { Random } from '@odradek/shared/base/random'
import { backoffMs } from '@odradek/shared/client/backoff.rules'
import type { ClusterLink, Endpoint } from '@odradek/shared/client/cluster-link'
import type {
  AssignedPartition,
  CommittedOffset,
  ConsumerInput,
  Delivery,
  SeekTarget,
  TopicPartition,
} from '@odradek/shared/contracts/consumer.contract'
import { errors } from '@odradek/shared/protocol/error-codes'
import { errorData } from './consumer-errors.ts'
import { type FetchCandidate, planFetches } from './fetch-plan.rules.ts'
import { FetchRequests } from './fetch-requests.ts'
import { type FetchedPartition, fetchedPartition, type Ready } from './fetched-partition.ts'
import type { AbortedTransaction } from './isolation.rules.ts'
import { among } from './partition-names.rules.ts'
import { learnLeader, PositionFinder } from './position-finder.ts'
import {
  advanced,
  type FetchAnswer,
  fetchAnswered,
  INITIAL_POSITION,
  isWorthTelling,
  resetTo,
  seekTo,
} from './positions.rules.ts'
import { type VisibleRecords, visibleRecords } from './visible-records.ts'

export interface FetcherHost {
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
  readonly link: ClusterLink
  readonly input: ConsumerInput
  wantMetadata(): void
  committed(partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]>
  /** False: the caller's link is full or closed; tried again when it gives credit back. */
  deliver(deliveries: readonly Delivery[]): boolean
  fail(key: number, error: ErrorData): void
  /** It is tried again, and may well not pass by itself: for the log, told once until the partition is well. */
  troubled(partition: TopicPartition, errorCode: number): void
}

/** A delivery costs this much credit at least, so that empty ones are bounded too. */
const CREDIT_MIN = 64

export class Fetcher {
  readonly #host: FetcherHost
  readonly #finder: PositionFinder
  readonly #requests: FetchRequests
  readonly #partitions = new Map<number, FetchedPartition>()
  /** Keys in the order in which partitions are served: who delivered goes to the end. */
  #order: number[] = []
  #ready: Ready[] = []
  /** Failed, and the caller does not know yet: it first gets what was read before the failure. */
  readonly #untold = new Set<FetchedPartition>()
  #bufferedRecords = 0
  #bufferedBytesHigh = 0
  #bufferedBytes = 0
  /** Credit that the caller has not given back. */
  #outstanding = 0
  #timer: Timer | null = null
  #scheduled = false
  #closed = false

  constructor(host: FetcherHost) {
    this.#host = host
    this.#finder = new PositionFinder({
      link: host.link,
      input: host.input,
      signal: host.signal,
      now: () => host.clock.now(),
      leaderOf: partition => this.#leaderOf(partition),
      backOff: (partition, refresh, errorCode) => this.#backOff(partition, refresh, errorCode),
      fail: (partition, error) => this.#fail(partition, error),
      committed: partitions => host.committed(partitions),
      changed: () => this.schedule(),
    })
    this.#requests = new FetchRequests(host.link, host.input, {
      answered: (partition, answer, records, aborted) => this.#answered(partition, answer, records, aborted),
      missing: (partition, refresh) => this.#backOff(partition, refresh),
      finished: () => this.schedule(),
    })
  }

  /** Begins to read a partition, without an offset at the committed one or by reset policy. Of a held one nothing is handed out before `release`. */
  add(
    { key, topic, partition }: AssignedPartition,
    options: { readonly offset?: number; readonly held?: boolean } = {},
  ): void {
    const added = fetchedPartition(key, topic, partition)
    if (options.offset !== undefined) added.position = seekTo(added.position, options.offset)
    added.held = options.held ?? false
    this.#partitions.set(key, added)
    this.#order.push(key)
    this.schedule()
  }

  remove(keys: Iterable<number>): void {
    for (const key of keys) {
      const partition = this.#partitions.get(key)
      if (partition === undefined) continue
      this.#drop(partition)
      this.#partitions.delete(key)
      wake(partition)
    }
    this.#order = this.#order.filter(key => this.#partitions.has(key))
    this.schedule()
  }

  seek(key: number, epoch: number, target: SeekTarget): void {
    const partition = this.#partitions.get(key)
    if (partition === undefined) return
    this.#drop(partition)
    partition.epoch = epoch
    partition.course++
    partition.failure = null
    partition.retryAtMs = 0
    partition.beganAt = -1
    partition.sought = true
    partition.position =
      'offset' in target ? seekTo(partition.position, target.offset) : resetTo(partition.position, target.timestamp)
    this.schedule()
  }

  /** Drops what was prefetched, so that a paused partition holds no memory, and goes on from the caller's position later. */
  pause(key: number, epoch: number, offset: number): void {
    const partition = this.#partitions.get(key)
    if (partition === undefined) return
    this.#drop(partition)
    partition.epoch = epoch
    partition.course++
    partition.paused = true
    if (offset >= 0 && partition.position.state === 'Fetching') {
      partition.position = seekTo(partition.position, offset)
    }
    this.schedule()
  }

  /** The caller's hook for these has run. */
  release(keys: Iterable<number>): void {
    for (const key of keys) {
      const partition = this.#partitions.get(key)
      if (partition !== undefined) partition.held = false
    }
    this.schedule()
  }

  /** The caller commits these: of those whose hook has not run, unless it has sought, reading begins where the commit leads. */
  committing(offsets: readonly TopicPartition[]): readonly FetchedPartition[] {
    const isCommitted = among(offsets)
    const beginning = this.all().filter(partition => partition.held && !partition.sought && isCommitted(partition))
    for (const partition of beginning) partition.commits++
    return beginning
  }

  /** The commit was answered: where to begin is asked again. */
  beginAgain(partitions: readonly FetchedPartition[]): void {
    for (const partition of partitions) {
      partition.commits--
      if (partition.sought || this.#partitions.get(partition.key) !== partition) continue
      this.#drop(partition)
      partition.course++
      partition.failure = null
      partition.beganAt = -1
      partition.position = INITIAL_POSITION
    }
    if (partitions.length > 0) this.schedule()
  }

  resume(key: number): void {
    const partition = this.#partitions.get(key)
    if (partition !== undefined) partition.paused = false
    this.schedule()
  }

  /** The caller finished this many bytes. */
  credit(bytes: number): void {
    this.#outstanding = Math.max(0, this.#outstanding - bytes)
    this.schedule()
  }

  get(key: number): FetchedPartition | undefined {
    return this.#partitions.get(key)
  }

  all(): readonly FetchedPartition[] {
    return [...this.#partitions.values()]
  }

  /** True while the caller holds records that it has not finished. */
  get isOwed(): boolean {
    return this.#outstanding > 0
  }

  /** Resolves when the position is known; also when the partition fails or is taken away. */
  async located(key: number): Promise<FetchedPartition | undefined> {
    const partition = this.#partitions.get(key)
    if (partition === undefined || partition.failure !== null || partition.beganAt >= 0) return partition
    await new Promise<void>(resolve => partition.waiting.push(resolve))
    return this.located(key)
  }

  /** Metadata changed: leaders may have moved. */
  metadataChanged(): void {
    for (const partition of this.#partitions.values()) {
      const topic = this.#host.link.topic(partition.topic)
      const view = topic?.partitions[partition.partition]
      if (view !== undefined) learnLeader(partition, view.leaderEpoch)
      else if (topic !== undefined) this.#note(partition, topic.errorCode || errors.UNKNOWN_TOPIC_OR_PARTITION.code)
    }
    this.schedule()
  }

  /** Fetches and delivers what can be, once, after what is going on now. */
  schedule(): void {
    if (this.#scheduled || this.#closed) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      if (!this.#closed) this.#pump()
    })
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    this.#requests.abort()
    for (const partition of this.#partitions.values()) wake(partition)
  }

  /** For `describe`. */
  queues() {
    const { prefetchBytesMax, windowBytes } = this.#host.input
    return [
      { name: 'prefetched bytes', size: this.#bufferedBytes, high: this.#bufferedBytesHigh, max: prefetchBytesMax },
      { name: 'delivered bytes', size: this.#outstanding, high: this.#outstanding, max: windowBytes },
    ]
  }

  #pump(): void {
    const nowMs = this.#host.clock.monotonic()
    const askable: FetchedPartition[] = []
    let wakeAtMs = Number.POSITIVE_INFINITY
    for (const partition of this.#partitions.values()) {
      noteBeginning(partition)
      if (partition.failure !== null || partition.commits > 0) continue
      if (partition.retryAtMs > nowMs) wakeAtMs = Math.min(wakeAtMs, partition.retryAtMs)
      else if (partition.position.state !== 'Fetching') askable.push(partition)
    }
    this.#finder.pump(askable)
    // First what the caller waits for, then what he will want: a delivery makes room for the next fetch.
    this.#deliver()
    this.#sendFetches(nowMs)
    this.#tellFailures()
    this.#timer?.cancel()
    this.#timer =
      wakeAtMs < Number.POSITIVE_INFINITY ? this.#host.clock.after(wakeAtMs - nowMs, () => this.schedule()) : null
  }

  #sendFetches(nowMs: number): void {
    const { input } = this.#host
    const endpoints = new Map<string, Endpoint>()
    const candidates: FetchCandidate[] = []
    // Runs after every answer: of many partitions nearly all have a request on their way, and those must cost next to nothing.
    for (const key of this.#order) {
      const partition = this.#partitions.get(key)!
      if (!isFetchable(partition, nowMs)) continue
      const endpoint = this.#leaderOf(partition)
      if (endpoint === null || this.#requests.busy.has(endpoint.id)) continue
      endpoints.set(endpoint.id, endpoint)
      candidates.push({ key, endpointId: endpoint.id, bufferedBytes: partition.bufferedBytes })
    }
    if (candidates.length === 0) return
    const budget = {
      partitions: this.#partitions.size,
      prefetchBytesMax: input.prefetchBytesMax,
      prefetchRecordsMax: input.prefetchRecordsMax,
      bufferedRecords: this.#bufferedRecords,
      maxPartitionFetchBytes: input.maxPartitionFetchBytes,
      fetchBytesMin: limits.consumerFetchBytesMin,
    }
    for (const { endpointId, keys } of planFetches(candidates, budget)) {
      const partitions = keys.map(key => this.#partitions.get(key)!)
      this.#requests.send(endpoints.get(endpointId)!, partitions, budget)
    }
  }

  #answered(
    partition: FetchedPartition,
    answer: FetchAnswer,
    records: Uint8Array,
    aborted: readonly AbortedTransaction[] | null,
  ): boolean {
    const startOffset = partition.position.offset
    const [position, verdict] = fetchAnswered(partition.position, answer)
    partition.position = position
    if (!this.#finder.judge(partition, verdict) || records.byteLength === 0) return false
    const { isolationLevel, checkCrcs } = this.#host.input
    const visible = visibleRecords(records, aborted, {
      isolationLevel,
      checkCrcs,
      decompressedBytesMax: limits.decompressedBatchBytesMax,
    })
    if (visible.nextOffset >= 0) this.#buffer(partition, startOffset, visible)
    if (visible.error !== null) {
      const at = `${partition.topic}-${partition.partition}@${partition.position.offset}`
      this.#fail(
        partition,
        errorData('ODK_CORRUPT_RECORD', `records at ${at} cannot be read: ${visible.error.message}`),
      )
    }
    return visible.records.buffer === records.buffer
  }

  #buffer(partition: FetchedPartition, startOffset: number, visible: VisibleRecords): void {
    partition.position = advanced(partition.position, visible.nextOffset, visible.leaderEpoch)
    const { records, from, length, recordCount, nextOffset, leaderEpoch } = visible
    const { highWatermark, lastStableOffset } = partition.position
    const credit = Math.max(records.byteLength, CREDIT_MIN)
    const { key, epoch } = partition
    const delivery = {
      key,
      epoch,
      records,
      from,
      length,
      startOffset,
      nextOffset,
      leaderEpoch,
      credit,
      highWatermark,
      lastStableOffset,
    }
    this.#ready.push({ partition, delivery, recordCount })
    partition.bufferedBytes += credit
    this.#bufferedBytes += credit
    this.#bufferedBytesHigh = Math.max(this.#bufferedBytesHigh, this.#bufferedBytes)
    this.#bufferedRecords += recordCount
    this.#order.splice(this.#order.indexOf(key), 1)
    this.#order.push(key)
  }

  #deliver(): void {
    if (this.#ready.length === 0) return
    const { windowBytes } = this.#host.input
    const sent: Ready[] = []
    const kept: Ready[] = []
    let credit = 0
    let isFull = false
    for (const ready of this.#ready) {
      const used = this.#outstanding + credit
      // One delivery always fits, however large its batch is.
      const isWithheld = mustWait(ready.partition)
      isFull ||= !isWithheld && used > 0 && used + ready.delivery.credit > windowBytes
      if (isFull || isWithheld) kept.push(ready)
      else {
        credit += ready.delivery.credit
        sent.push(ready)
      }
    }
    if (sent.length === 0) return
    if (!this.#host.deliver(sent.map(({ delivery }) => delivery))) return
    this.#ready = kept
    this.#outstanding += credit
    for (const ready of sent) this.#unbuffer(ready)
  }

  #tellFailures(): void {
    for (const partition of this.#untold) {
      if (partition.bufferedBytes > 0 || mustWait(partition)) continue
      this.#untold.delete(partition)
      if (partition.failure !== null) this.#host.fail(partition.key, partition.failure)
    }
  }

  #unbuffer({ partition, delivery, recordCount }: Ready): void {
    partition.bufferedBytes -= delivery.credit
    this.#bufferedBytes -= delivery.credit
    this.#bufferedRecords -= recordCount
  }

  #drop(partition: FetchedPartition): void {
    this.#requests.forget(partition)
    const [dropped, kept] = split(this.#ready, ready => ready.partition === partition)
    this.#ready = kept
    for (const ready of dropped) this.#unbuffer(ready)
    const first = dropped[0]
    // What was fetched and not handed out will be fetched again.
    if (first !== undefined) partition.position = seekTo(partition.position, first.delivery.startOffset)
  }

  #leaderOf({ topic, partition }: FetchedPartition): Endpoint | null {
    const view = this.#host.link.topic(topic)
    const endpoint = view?.partitions[partition]?.endpoint ?? null
    if (endpoint === null) this.#host.wantMetadata()
    return endpoint
  }

  #backOff(partition: FetchedPartition, refreshMetadata: boolean, errorCode = 0): void {
    this.#note(partition, errorCode)
    const { retryBackoffMs, retryBackoffMaxMs } = this.#host.input
    const backoff = { initialMs: retryBackoffMs, maxMs: retryBackoffMaxMs }
    const waitMs = backoffMs(backoff, partition.attempts++, this.#host.random.float())
    partition.retryAtMs = this.#host.clock.monotonic() + waitMs
    if (refreshMetadata) this.#host.wantMetadata()
    this.schedule()
  }

  #note(partition: FetchedPartition, errorCode: number): void {
    if (partition.trouble === errorCode || !isWorthTelling(errorCode)) return
    partition.trouble = errorCode
    this.#host.troubled(partition, errorCode)
  }

  #fail(partition: FetchedPartition, error: ErrorData): void {
    partition.failure = error
    this.#untold.add(partition)
    wake(partition)
    this.schedule()
  }
}

/** Its hook has not run, or has committed and the answer, which says where to begin, is not here: nothing of it may come to the caller. */
function mustWait({ held, commits }: FetchedPartition): boolean {
  return held || commits > 0
}

function isFetchable({ failure, commits, paused, retryAtMs, position }: FetchedPartition, nowMs: number): boolean {
  return failure === null && commits === 0 && !paused && retryAtMs <= nowMs && position.state === 'Fetching'
}

/** Remembers where reading begins, and tells who waits for it. */
function noteBeginning(partition: FetchedPartition): void {
  const { state, offset } = partition.position
  if (state === 'Initializing' || state === 'AwaitReset') partition.beganAt = -1
  else if (partition.beganAt < 0) partition.beganAt = offset
  if (state === 'Fetching') wake(partition)
}

function wake(partition: FetchedPartition): void {
  if (partition.waiting.length === 0) return
  for (const resolve of partition.waiting.splice(0)) resolve()
}

function split<T>(list: readonly T[], belongs: (item: T) => boolean): [T[], T[]] {
  return [list.filter(belongs), list.filter(item => !belongs(item))]
}
