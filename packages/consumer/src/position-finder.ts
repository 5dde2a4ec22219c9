// Finds where to read: committed offsets, ListOffsets for resets and seeks by time, OffsetForLeaderEpoch for validation (KIP-320). The hands
// of positions.rules; the fetcher calls `pump` whenever a partition may need it.
import type { ErrorData } from '@odradek/shared/base/errors'
import type { ClusterLink, Endpoint } from '@odradek/shared/client/cluster-link'
import type { CommittedOffset, ConsumerInput, TopicPartition } from '@odradek/shared/contracts/consumer.contract'
import { brokerError, errorData } from './consumer-errors.ts'
import type { FetchedPartition } from './fetched-partition.ts'
import { byTopic, nameOf } from './partition-names.rules.ts'
import {
  leaderLearned,
  offsetFound,
  type PartitionPosition,
  resetTimestamp,
  resetTo,
  seekTo,
  type Verdict,
  validated,
} from './positions.rules.ts'

export interface PositionFinderHost {
  readonly link: ClusterLink
  readonly input: ConsumerInput
  readonly signal: AbortSignal
  /** Wall clock, for reset by duration. */
  now(): number
  leaderOf(partition: FetchedPartition): Endpoint | null
  /** Waits before the partition is tried again. `errorCode`: Kafka's, when a broker said why. */
  backOff(partition: FetchedPartition, refreshMetadata: boolean, errorCode?: number): void
  fail(partition: FetchedPartition, error: ErrorData): void
  /** Committed offsets of the group; partitions without one are left out. */
  committed(partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]>
  /** Something changed: fetch, or look up again. */
  changed(): void
}

export class PositionFinder {
  readonly #host: PositionFinderHost

  constructor(host: PositionFinderHost) {
    this.#host = host
  }

  /** Sends lookups for those of `partitions` (ready to be asked) whose position is not usable yet. */
  pump(partitions: readonly FetchedPartition[]): void {
    const idle = partitions.filter(({ lookingUp, position }) => !lookingUp && position.state !== 'Fetching')
    if (idle.length === 0) return
    this.#initialise(idle.filter(({ position }) => position.state === 'Initializing'))
    const located = idle.filter(({ position }) => position.state !== 'Initializing')
    for (const [endpoint, group] of this.#byLeader(located)) {
      const reset = group.filter(({ position }) => position.state === 'AwaitReset')
      const validate = group.filter(({ position }) => position.state === 'AwaitValidation')
      if (reset.length > 0) void this.#lookUp(reset, asked => this.#listOffsets(endpoint, asked))
      if (validate.length > 0) void this.#lookUp(validate, asked => this.#validate(endpoint, asked))
    }
  }

  /** Applies the reset policy: the position was out of range, truncated, or there is none. */
  reset(partition: FetchedPartition, why: 'outOfRange' | 'noOffset' | 'truncated'): void {
    const timestamp = resetTimestamp(this.#host.input.autoOffsetReset, this.#host.now())
    if (timestamp !== null) partition.position = resetTo(partition.position, timestamp)
    else this.#host.fail(partition, noReset(partition, why))
  }

  /** Deals with what a lookup or a fetch answered; true when the partition may go on. */
  judge(partition: FetchedPartition, verdict: Verdict): boolean {
    switch (verdict.kind) {
      case 'ok':
        partition.attempts = 0
        partition.trouble = 0
        return true
      case 'retry':
        this.#host.backOff(partition, verdict.refresh, verdict.errorCode)
        return false
      case 'reset':
        this.reset(partition, partition.position.state === 'Fetching' ? 'outOfRange' : 'truncated')
        return false
      case 'truncated':
        if (this.#host.input.autoOffsetReset.kind === 'none') this.reset(partition, 'truncated')
        else partition.position = seekTo({ ...partition.position, leaderEpoch: -1 }, verdict.endOffset, verdict.epoch)
        return false
      case 'fatal':
        this.#host.fail(partition, brokerError(`reading ${nameOf(partition)}`, verdict.errorCode))
        return false
    }
  }

  #initialise(partitions: readonly FetchedPartition[]): void {
    if (partitions.length === 0) return
    if (this.#host.input.group === null) for (const partition of partitions) this.reset(partition, 'noOffset')
    else {
      void this.#lookUp(partitions, asked => this.#fetchCommitted(asked))
      this.#host.link.approach(partitions)
    }
    this.#host.changed()
  }

  async #fetchCommitted(partitions: readonly FetchedPartition[]): Promise<void> {
    const courses = partitions.map(({ course }) => course)
    const offsets = await this.#host.committed(partitions)
    for (const [index, partition] of partitions.entries()) {
      if (partition.course !== courses[index]) continue
      const found = offsets.find(offset => offset.topic === partition.topic && offset.partition === partition.partition)
      if (found === undefined) this.reset(partition, 'noOffset')
      else partition.position = seekTo(partition.position, found.offset, found.leaderEpoch)
    }
  }

  async #listOffsets(endpoint: Endpoint, partitions: readonly FetchedPartition[]): Promise<void> {
    const courses = partitions.map(({ course }) => course)
    const { isolationLevel, requestTimeoutMs } = this.#host.input
    const topics = byTopic(partitions, ({ partition, position }) => ({
      partitionIndex: partition,
      currentLeaderEpoch: position.leaderEpoch,
      timestamp: position.resetTo,
    })).map(([name, asked]) => ({ name, partitions: asked }))
    const request = { replicaId: -1, isolationLevel, topics, timeoutMs: requestTimeoutMs }
    const answer = await this.#request(endpoint, 'ListOffsets', request)
    const found = new Map(
      answer.topics.flatMap(topic =>
        topic.partitions.map(p => [nameOf({ topic: topic.name, partition: p.partitionIndex }), p] as const),
      ),
    )
    this.#apply(partitions, courses, partition => {
      const result = found.get(nameOf(partition))
      return result === undefined ? null : offsetFound(partition.position, result)
    })
  }

  async #validate(endpoint: Endpoint, partitions: readonly FetchedPartition[]): Promise<void> {
    const courses = partitions.map(({ course }) => course)
    const topics = byTopic(partitions, ({ partition, position }) => ({
      partition,
      currentLeaderEpoch: position.leaderEpoch,
      leaderEpoch: position.offsetEpoch,
    })).map(([topic, asked]) => ({ topic, partitions: asked }))
    const answer = await this.#request(endpoint, 'OffsetForLeaderEpoch', { replicaId: -1, topics })
    const found = new Map(
      answer.topics.flatMap(topic =>
        topic.partitions.map(p => [nameOf({ topic: topic.topic, partition: p.partition }), p] as const),
      ),
    )
    this.#apply(partitions, courses, partition => {
      const result = found.get(nameOf(partition))
      return result === undefined ? null : validated(partition.position, result)
    })
  }

  #apply(
    partitions: readonly FetchedPartition[],
    courses: readonly number[],
    decide: (partition: FetchedPartition) => [PartitionPosition, Verdict] | null,
  ): void {
    for (const [index, partition] of partitions.entries()) {
      if (partition.course !== courses[index]) continue
      const decided = decide(partition)
      if (decided === null) {
        this.#host.backOff(partition, true)
        continue
      }
      partition.position = decided[0]
      this.judge(partition, decided[1])
    }
  }

  #request<A extends 'ListOffsets' | 'OffsetForLeaderEpoch'>(
    endpoint: Endpoint,
    api: A,
    request: Parameters<ClusterLink['request']>[2] & object,
  ) {
    const { link, input, signal } = this.#host
    return link.request<A>(endpoint, api, request as never, { deadlineMs: input.requestTimeoutMs, signal })
  }

  async #lookUp(
    partitions: readonly FetchedPartition[],
    ask: (partitions: readonly FetchedPartition[]) => Promise<void>,
  ): Promise<void> {
    for (const partition of partitions) partition.lookingUp = true
    try {
      await ask(partitions)
    } catch {
      // The endpoint went, or did not answer in time: the same question again, perhaps to another leader.
      for (const partition of partitions) this.#host.backOff(partition, true)
    }
    for (const partition of partitions) partition.lookingUp = false
    this.#host.changed()
  }

  #byLeader(partitions: readonly FetchedPartition[]): Map<Endpoint, FetchedPartition[]> {
    const groups = new Map<Endpoint, FetchedPartition[]>()
    for (const partition of partitions) {
      const endpoint = this.#host.leaderOf(partition)
      if (endpoint === null) continue
      const group = groups.get(endpoint)
      if (group === undefined) groups.set(endpoint, [partition])
      else group.push(partition)
    }
    return groups
  }
}

/** Applies what metadata says of a partition's leader. */
export function learnLeader(partition: FetchedPartition, leaderEpoch: number): void {
  partition.position = leaderLearned(partition.position, leaderEpoch)
}

function noReset(partition: FetchedPartition, why: 'outOfRange' | 'noOffset' | 'truncated'): ErrorData {
  const name = nameOf(partition)
  switch (why) {
    case 'noOffset':
      return errorData(
        'ODK_NO_OFFSET',
        `${name} has no committed offset and autoOffsetReset is 'none': seek, or choose another reset`,
      )
    case 'outOfRange':
      return errorData(
        'ODK_OFFSET_OUT_OF_RANGE',
        `offset ${partition.position.offset} of ${name} is out of range and autoOffsetReset is 'none': seek`,
        { kafkaCode: 1 },
      )
    case 'truncated':
      return errorData(
        'ODK_LOG_TRUNCATED',
        `the log of ${name} was truncated below offset ${partition.position.offset}, what was read there is gone: seek`,
      )
  }
}
