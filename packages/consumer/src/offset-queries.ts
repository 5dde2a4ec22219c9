// Questions about offsets and partitions that move no position: beginning and end, offsets for times, partitions of a topic. Asked by the user
// through the consumer actor; retried while metadata settles.
import type { Clock } from '@odradek/shared/base/clock'
import type { Random } from '@odradek/shared/base/random'
import { backoffMs } from '@odradek/shared/client/backoff.rules'
import type { ClusterLink, Endpoint } from '@odradek/shared/client/cluster-link'
import type { ConsumerInput, TopicPartition } from '@odradek/shared/contracts/consumer.contract'
import { errorOf, errors } from '@odradek/shared/protocol/error-codes'
import { brokerError, errorData, portError } from './consumer-errors.ts'
import { nameOf } from './partition-names.rules.ts'
import { saysAbsent, verdictOf } from './positions.rules.ts'

export interface OffsetQueryHost {
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
  readonly link: ClusterLink
  readonly input: ConsumerInput
}

export type OffsetAtTime = TopicPartition & { readonly offset: number; readonly timestamp: number }

/** ListOffsets for one timestamp; an offset of -1 means that there is no record at or after it. */
export async function listOffsets(
  host: OffsetQueryHost,
  { partitions, timestamp }: { readonly partitions: readonly TopicPartition[]; readonly timestamp: number },
): Promise<{ readonly offsets: readonly OffsetAtTime[] }> {
  const found: OffsetAtTime[] = []
  let missing: readonly TopicPartition[] = partitions
  await retried(host, async () => {
    const unanswered: Unanswered[] = []
    for (const [endpoint, group] of await byLeader(host, missing)) {
      if (endpoint === null) unanswered.push(...group.map(at => ({ ...at, errorCode: whyLeaderless(host, at) })))
      else await askLeader(host, endpoint, group, timestamp, found, unanswered)
    }
    missing = unanswered
    const [first] = unanswered
    return first === undefined ? null : { what: `listing offsets of ${nameOf(first)}`, errorCode: first.errorCode }
  })
  return { offsets: found }
}

/** A partition without an answer yet, and Kafka's code of why. */
type Unanswered = TopicPartition & { readonly errorCode: number }

function whyLeaderless({ link }: OffsetQueryHost, { topic, partition }: TopicPartition): number {
  const view = link.topic(topic)
  if (view === undefined || view.errorCode !== 0) return view?.errorCode ?? errors.LEADER_NOT_AVAILABLE.code
  return view.partitions[partition] === undefined
    ? errors.UNKNOWN_TOPIC_OR_PARTITION.code
    : errors.LEADER_NOT_AVAILABLE.code
}

async function askLeader(
  { link, input, signal }: OffsetQueryHost,
  endpoint: Endpoint,
  partitions: readonly TopicPartition[],
  timestamp: number,
  found: OffsetAtTime[],
  unanswered: Unanswered[],
): Promise<void> {
  const topics = partitions.map(({ topic, partition }) => ({
    name: topic,
    partitions: [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp }],
  }))
  const request = { replicaId: -1, isolationLevel: input.isolationLevel, topics, timeoutMs: input.requestTimeoutMs }
  const answer = await link.request(endpoint, 'ListOffsets', request, { deadlineMs: input.requestTimeoutMs, signal })
  for (const { name, partitions: answers } of answer.topics) {
    for (const { partitionIndex, errorCode, offset, timestamp: at } of answers) {
      const verdict = verdictOf(errorCode)
      if (verdict.kind === 'ok') found.push({ topic: name, partition: partitionIndex, offset, timestamp: at })
      else if (verdict.kind === 'retry') unanswered.push({ topic: name, partition: partitionIndex, errorCode })
      else throw portError(brokerError(`listing offsets of ${name}-${partitionIndex}`, errorCode))
    }
  }
}

/** Partition numbers of a topic, which is created if the cluster and `allowAutoCreateTopics` allow it. */
export async function partitionsFor(
  host: OffsetQueryHost,
  topic: string,
): Promise<{ readonly partitions: readonly number[] }> {
  let partitions: readonly number[] = []
  const what = `looking up ${topic}`
  await retried(host, async () => {
    let view = host.link.topic(topic)
    if (view === undefined || view.errorCode !== 0) view = await refreshed(host, topic)
    const errorCode = view?.errorCode ?? errors.UNKNOWN_TOPIC_OR_PARTITION.code
    const verdict = verdictOf(errorCode)
    if (verdict.kind === 'fatal') throw portError(brokerError(what, errorCode))
    if (verdict.kind !== 'ok') return { what, errorCode }
    partitions = view!.partitions.map(({ partition }) => partition)
    return null
  })
  return { partitions }
}

async function refreshed(host: OffsetQueryHost, topic: string) {
  await refresh(host, [topic])
  return host.link.topic(topic)
}

async function byLeader(host: OffsetQueryHost, partitions: readonly TopicPartition[]) {
  const unknown = partitions.filter(({ topic, partition }) => !host.link.topic(topic)?.partitions[partition]?.endpoint)
  if (unknown.length > 0) await refresh(host, [...new Set(unknown.map(({ topic }) => topic))])
  const groups = new Map<Endpoint | null, TopicPartition[]>()
  for (const { topic, partition } of partitions) {
    const endpoint = host.link.topic(topic)?.partitions[partition]?.endpoint ?? null
    const group = groups.get(endpoint)
    if (group === undefined) groups.set(endpoint, [{ topic, partition }])
    else group.push({ topic, partition })
  }
  return groups
}

function refresh({ link, input, signal }: OffsetQueryHost, topics: readonly string[]): Promise<void> {
  const { allowAutoCreateTopics, requestTimeoutMs } = input
  return link.refresh(topics, { allowAutoTopicCreation: allowAutoCreateTopics, deadlineMs: requestTimeoutMs, signal })
}

/** What is not answered yet, and Kafka's code of why, when a broker said so. */
interface Pending {
  readonly what: string
  readonly errorCode: number
}

/**
 * How long a cluster may say that there is no such topic (or partition) before it is believed: of one that was created a moment ago not every broker has
 * heard. Milliseconds.
 */
const UNKNOWN_SETTLES_MS = 5_000

/**
 * Repeats `attempt` with backoff until nothing is pending; failures on the way there are tried again, refusals (with a code of ours) end it, and so does a
 * topic that does not come into being.
 */
async function retried(host: OffsetQueryHost, attempt: () => Promise<Pending | null>): Promise<void> {
  const { clock, random, input, signal } = host
  const beganMs = clock.monotonic()
  const backoff = { initialMs: input.retryBackoffMs, maxMs: input.retryBackoffMaxMs }
  let pending: Pending | null = { what: 'asking the cluster', errorCode: 0 }
  for (let tries = 0; ; tries++) {
    const before: Pending = pending
    pending = await attempt().catch((refused: { code?: string }) => {
      if (refused.code?.startsWith('ODK_')) throw refused
      return before
    })
    if (pending === null) return
    const { what, errorCode } = pending
    if (signal.aborted) throw portError(errorData('ODK_CONSUMER_CLOSED', `${what}: the consumer was closed`))
    const waitedMs = clock.monotonic() - beganMs
    if (waitedMs >= Math.min(UNKNOWN_SETTLES_MS, input.defaultApiTimeoutMs) && saysAbsent(errorCode))
      throw portError(brokerError(what, errorCode))
    if (waitedMs >= input.defaultApiTimeoutMs) throw portError(lateAnswer(what, errorCode))
    await new Promise<void>(resolve => clock.after(backoffMs(backoff, tries, random.float()), resolve))
  }
}

function lateAnswer(what: string, errorCode: number) {
  const late = `${what} took longer than defaultApiTimeoutMs`
  if (errorCode === 0) return errorData('ODK_TIMEOUT', late)
  const { name, message } = errorOf(errorCode)
  return errorData('ODK_TIMEOUT', `${late}; the last answer was ${name}: ${message}`, { kafkaCode: errorCode })
}
