// Records: where partitions begin and end, and deleting what is old (Java: `Admin.listOffsets`, `deleteRecords`).
import type { KafkaError } from '../../base/errors.ts'
import { errors } from '../../protocol/error-codes.ts'
import { offset, optionsIn, partitionFields, partitionsIn } from '../call-input.ts'
import type { Endpoint } from '../cluster-link.ts'
import { notTaken, oneOf } from '../options.ts'
import { brokerError, settle } from './admin-errors.ts'
import { type AdminCall, type AdminSession, type Attempt, adminFields, retryWhilePassing } from './admin-session.ts'

export interface PartitionId {
  readonly topic: string
  readonly partition: number
}

/** A place in a partition: an end, the record with the greatest timestamp, or the first record at or after a time (milliseconds). */
export type OffsetPlace = 'earliest' | 'latest' | 'maxTimestamp' | { readonly timestamp: number }

export interface FoundOffset extends PartitionId {
  /** Null when no record is there (`maxTimestamp` of an empty partition, a time after the last record). */
  readonly offset: bigint | null
  /** Of the record there, milliseconds; -1 where Kafka does not say. */
  readonly timestamp: number
  readonly leaderEpoch: number
}

const PLACES = { latest: -1, earliest: -2, maxTimestamp: -3 } as const

export class RecordsAdmin {
  readonly #session: AdminSession

  constructor(session: AdminSession) {
    this.#session = session
  }

  /** Offsets of a place in each partition, in the order given. */
  async offsets(
    partitions: readonly PartitionId[],
    place: OffsetPlace,
    options: AdminCall & { readonly isolationLevel?: 'readUncommitted' | 'readCommitted' } = {},
  ): Promise<readonly FoundOffset[]> {
    const fields = {
      ...adminFields,
      isolationLevel: oneOf(null, ['readUncommitted', 'readCommitted'], 'readUncommitted'),
    }
    const { isolationLevel = 'readUncommitted', ...call } = optionsIn('records.offsets', options, fields)
    const timestamp = typeof place === 'object' ? place.timestamp : PLACES[place]
    if (!Number.isSafeInteger(timestamp)) {
      const places = [...Object.keys(PLACES), '{ timestamp }'].join(', ')
      throw notTaken('records.offsets', `one of ${places}`, place)
    }
    partitionsIn('records.offsets', partitions)
    const found = await this.#perLeader(call, partitions, async (attempt, endpoint, part) => {
      const request = {
        replicaId: -1,
        isolationLevel: isolationLevel === 'readCommitted' ? 1 : 0,
        topics: byTopic(part, ({ partition }) => ({ partitionIndex: partition, currentLeaderEpoch: -1, timestamp })),
        timeoutMs: attempt.options.deadlineMs | 0,
      }
      const { topics } = await attempt.ask(endpoint, 'ListOffsets', request)
      return topics.flatMap(({ name, partitions: each }) =>
        each.map(({ partitionIndex, errorCode, offset, ...rest }) => ({
          topic: name,
          partition: partitionIndex,
          errorCode,
          offset: offset < 0 ? null : BigInt(offset),
          timestamp: rest.timestamp,
          leaderEpoch: rest.leaderEpoch,
        })),
      )
    })
    return inOrder(partitions, found)
  }

  /** Deletes the records before an offset of each partition (-1: all there are). Gives the new first offsets, in the order given. */
  async deleteBefore(
    partitions: readonly (PartitionId & { readonly offset: bigint | number })[],
    call: AdminCall = {},
  ): Promise<readonly (PartitionId & { readonly lowWatermark: bigint })[]> {
    partitionsIn('records.deleteBefore', partitions, { ...partitionFields, offset })
    const found = await this.#perLeader(call, partitions, async (attempt, endpoint, part) => {
      const request = {
        topics: byTopic(part, ({ partition, offset }) => ({ partitionIndex: partition, offset: Number(offset) })),
        timeoutMs: attempt.options.deadlineMs | 0,
      }
      const { topics } = await attempt.ask(endpoint, 'DeleteRecords', request)
      return topics.flatMap(({ name, partitions: each }) =>
        each.map(({ partitionIndex, errorCode, lowWatermark }) => ({
          topic: name,
          partition: partitionIndex,
          errorCode,
          lowWatermark: BigInt(lowWatermark),
        })),
      )
    })
    return inOrder(partitions, found)
  }

  /** Asks the leader of each partition; all or nothing. */
  #perLeader<P extends PartitionId, T extends PartitionId & { readonly errorCode: number }>(
    call: AdminCall,
    partitions: readonly P[],
    ask: (attempt: Attempt, endpoint: Endpoint, part: readonly P[]) => Promise<readonly T[]>,
  ): Promise<T[]> {
    if (partitions.length === 0) return Promise.resolve([])
    return this.#session.run(call, async attempt => {
      const groups = await leadersOf(attempt, partitions)
      const answers = (await Promise.all([...groups].map(([endpoint, part]) => ask(attempt, endpoint, part)))).flat()
      const outcomes = answers.map(each => ({ name: nameOf(each), error: brokerError(nameOf(each), each.errorCode) }))
      for (const { error } of outcomes) retryWhilePassing(error)
      settle(outcomes)
      return answers
    })
  }
}

export async function leadersOf<P extends PartitionId>(
  { link, options }: Attempt,
  partitions: readonly P[],
): Promise<Map<Endpoint, P[]>> {
  const names = [...new Set(partitions.map(({ topic }) => topic))]
  await link.refresh(names, { ...options, allowAutoTopicCreation: false })
  const groups = new Map<Endpoint, P[]>()
  const failures: { name: string; error: KafkaError | null }[] = []
  for (const each of partitions) {
    const topic = link.topic(each.topic)
    const view = topic?.partitions[each.partition]
    const code =
      topic?.errorCode ||
      (view === undefined
        ? errors.UNKNOWN_TOPIC_OR_PARTITION.code
        : view.endpoint === null
          ? view.errorCode || errors.LEADER_NOT_AVAILABLE.code
          : 0)
    const error = brokerError(nameOf(each), code)
    retryWhilePassing(error)
    if (error !== null) failures.push({ name: nameOf(each), error })
    else groups.set(view!.endpoint!, [...(groups.get(view!.endpoint!) ?? []), each])
  }
  settle(failures)
  return groups
}

/** Partitions in the form of requests: topics with entries. */
export function byTopic<P extends PartitionId, T>(
  partitions: readonly P[],
  entry: (partition: P) => T,
): { name: string; partitions: T[] }[] {
  const topics = new Map<string, T[]>()
  for (const each of partitions) topics.set(each.topic, [...(topics.get(each.topic) ?? []), entry(each)])
  return [...topics].map(([name, list]) => ({ name, partitions: list }))
}

function inOrder<T extends PartitionId & { readonly errorCode: number }>(
  partitions: readonly PartitionId[],
  found: readonly T[],
): Omit<T, 'errorCode'>[] {
  const byName = new Map(found.map(each => [nameOf(each), each]))
  return partitions.flatMap(partition => {
    const each = byName.get(nameOf(partition))
    if (each === undefined) return []
    const { errorCode: _, ...rest } = each
    return [rest]
  })
}

function nameOf({ topic, partition }: PartitionId): string {
  return `${topic}-${partition}`
}
