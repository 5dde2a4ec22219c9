// Questions about offsets and partitions that move no position: beginning and end, offsets for times, partitions of a topic. Asked by the user
// through the consumer actor; retried while metadata settles.
import type { Clock } from '@odradek/shared/base/clock'
import type { Random } from '@odradek/shared/base/random'
import { backoffMs } from '@odradek/shared/client/backoff.rules'
import type { ClusterLink, Endpoint } from '@odradek/shared/client/cluster-link'
import type { ConsumerInput, TopicPartition } from '@odradek/shared/contracts/consumer.contract'
import { brokerError, errorData, portError } from './consumer-errors.ts'
import { verdictOf } from './positions.rules.ts'

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
  await retried(host, 'listing offsets', async () => {
    const unanswered: TopicPartition[] = []
    for (const [endpoint, group] of await byLeader(host, missing)) {
      if (endpoint === null) unanswered.push(...group)
      else await askLeader(host, endpoint, group, timestamp, found, unanswered)
    }
    missing = unanswered
    return missing.length === 0
  })
  return { offsets: found }
}

async function askLeader(
  { link, input, signal }: OffsetQueryHost,
  endpoint: Endpoint,
  partitions: readonly TopicPartition[],
  timestamp: number,
  found: OffsetAtTime[],
  unanswered: TopicPartition[],
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
      else if (verdict.kind === 'retry') unanswered.push({ topic: name, partition: partitionIndex })
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
  await retried(host, `looking up ${topic}`, async () => {
    const view = host.link.topic(topic) ?? (await refreshed(host, topic))
    if (view === undefined || view.errorCode !== 0) {
      const verdict = verdictOf(view?.errorCode ?? 3)
      if (verdict.kind === 'fatal') throw portError(brokerError(`looking up ${topic}`, verdict.errorCode))
      await refreshed(host, topic)
      return false
    }
    partitions = view.partitions.map(({ partition }) => partition)
    return true
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

/** Repeats `attempt` with backoff until it says true; failures on the way there count as false, refusals (with a detail) end it. */
async function retried(host: OffsetQueryHost, what: string, attempt: () => Promise<boolean>): Promise<void> {
  const { clock, random, input, signal } = host
  const endMs = clock.monotonic() + input.defaultApiTimeoutMs
  const backoff = { initialMs: input.retryBackoffMs, maxMs: input.retryBackoffMaxMs }
  for (let tries = 0; ; tries++) {
    const done = await attempt().catch((refused: { code?: string }) => {
      if (refused.code?.startsWith('ODK_')) throw refused
      return false
    })
    if (done) return
    if (signal.aborted) throw portError(errorData('ODK_CONSUMER_CLOSED', `${what}: the consumer was closed`))
    if (clock.monotonic() >= endMs)
      throw portError(errorData('ODK_TIMEOUT', `${what} took longer than defaultApiTimeoutMs`))
    await new Promise<void>(resolve => clock.after(backoffMs(backoff, tries, random.float()), resolve))
  }
}
