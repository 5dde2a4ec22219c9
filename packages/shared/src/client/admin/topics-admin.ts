// Topics: create, list, describe, delete, add partitions (Java: `Admin.createTopics`, `describeTopics`, ...).

import { KafkaError } from '../../base/errors.ts'
import { errors } from '../../protocol/error-codes.ts'
import { ZERO_UUID } from '../../protocol/schema.ts'
import { allIn, flag, integer, list, name, namesIn, object, optionsIn } from '../call-input.ts'
import { brokerError, settle, throwBrokerError } from './admin-errors.ts'
import { type AdminCall, type AdminSession, type Attempt, adminFields, retryWhilePassing } from './admin-session.ts'

export interface NewTopic {
  readonly name: string
  /** Default: the broker's `num.partitions`. */
  readonly partitions?: number
  /** Default: the broker's `default.replication.factor`. */
  readonly replicationFactor?: number
  /** Brokers of each partition by hand, the preferred leader first; instead of the two above. */
  readonly assignments?: readonly (readonly number[])[]
  /** Kafka topic configs. */
  readonly configs?: { readonly [name: string]: string | number | boolean }
}

export interface TopicListing {
  readonly name: string
  readonly topicId: string
  readonly partitions: number
  readonly isInternal: boolean
}

export interface PartitionDescription {
  readonly partition: number
  /** Broker; -1 while there is none. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly offlineReplicas: readonly number[]
  /** Eligible leader replicas (KIP-966); null when the cluster does not say. */
  readonly elr: readonly number[] | null
  readonly lastKnownElr: readonly number[] | null
}

export interface TopicDescription {
  readonly name: string
  readonly topicId: string
  readonly isInternal: boolean
  readonly partitions: readonly PartitionDescription[]
}

export interface ValidateOnly extends AdminCall {
  /** Checks everything and changes nothing. Default false. */
  readonly validateOnly?: boolean
}

const PAGE_PARTITIONS = 2_000
const newTopicFields = { partitions: integer, replicationFactor: integer, assignments: list, configs: object }

/** {@link ValidateOnly}, as it is checked. */
export const validateFields = { ...adminFields, validateOnly: flag }

export class TopicsAdmin {
  readonly #session: AdminSession

  constructor(session: AdminSession) {
    this.#session = session
  }

  /** Creates topics. Rejects with PartialAdminError (`TOPIC_ALREADY_EXISTS`, `INVALID_PARTITIONS`, ...) if any could not be. */
  async create(topics: NewTopic | readonly NewTopic[], options: ValidateOnly = {}): Promise<readonly TopicListing[]> {
    const { validateOnly = false, ...call } = optionsIn('topics.create', options, validateFields)
    const list = allIn<NewTopic>('topics.create', topics, { name }, newTopicFields)
    return this.#session.run(call, async attempt => {
      const request = { topics: list.map(creatableTopic), timeoutMs: attempt.options.deadlineMs | 0, validateOnly }
      const response = await attempt.controller('CreateTopics', request)
      const outcomes = response.topics.map(({ name, errorCode, errorMessage }) => ({
        name,
        error: brokerError(`topic ${name}`, errorCode, errorMessage),
      }))
      for (const { error } of outcomes) retryWhilePassing(error)
      settle(outcomes)
      return response.topics.map(({ name, topicId, numPartitions }) => ({
        name,
        topicId,
        partitions: numPartitions,
        isInternal: false,
      }))
    })
  }

  /** All topics by name; internal ones such as `__consumer_offsets` only when asked for. */
  async list(options: AdminCall & { readonly includeInternal?: boolean } = {}): Promise<readonly TopicListing[]> {
    const fields = { ...adminFields, includeInternal: flag }
    const { includeInternal = false, ...call } = optionsIn('topics.list', options, fields)
    return this.#session.run(call, async attempt => {
      const response = await attempt.any('Metadata', metadataRequest(null))
      return response.topics
        .filter(({ isInternal }) => includeInternal || !isInternal)
        .map(({ name, topicId, isInternal, partitions }) => ({
          name: name!,
          topicId,
          isInternal,
          partitions: partitions.length,
        }))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
    })
  }

  /** Partitions, leaders and replicas. Rejects with PartialAdminError (`UNKNOWN_TOPIC_OR_PARTITION`) if any is not there. */
  async describe(names: string | readonly string[], call: AdminCall = {}): Promise<readonly TopicDescription[]> {
    const list = namesIn('topics.describe', names)
    if (list.length === 0) return []
    return this.#session.run(call, async attempt => {
      const described = await describeByPages(attempt, list).catch(thrown => {
        if (!isUnsupported(thrown)) throw thrown
        return describeByMetadata(attempt, list)
      })
      settle(described.map(({ name, errorCode }) => ({ name, error: brokerError(`topic ${name}`, errorCode) })))
      return described.map(({ errorCode: _, ...topic }) => topic)
    })
  }

  /** Deletes topics and their records. Rejects with PartialAdminError (`UNKNOWN_TOPIC_OR_PARTITION`, ...) if any could not be. */
  async delete(names: string | readonly string[], call: AdminCall = {}): Promise<void> {
    const list = namesIn('topics.delete', names)
    await this.#session.run(call, async attempt => {
      const request = {
        topics: list.map(name => ({ name, topicId: ZERO_UUID })),
        topicNames: [],
        timeoutMs: attempt.options.deadlineMs | 0,
      }
      const { responses } = await attempt.controller('DeleteTopics', request)
      settleOrRetry(responses.map(each => ({ ...each, name: each.name ?? '' })))
    })
  }

  /** Grows a topic to `count` partitions. Keys may move: what was written stays where it is. */
  async addPartitions(
    growth: { readonly name: string; readonly count: number },
    options: ValidateOnly = {},
  ): Promise<void> {
    const { validateOnly = false, ...call } = optionsIn('topics.addPartitions', options, validateFields)
    const wanted = allIn('topics.addPartitions', growth, { name, count: integer })
    await this.#session.run(call, async attempt => {
      const topics = wanted.map(({ name, count }) => ({ name, count, assignments: null }))
      const request = { topics, timeoutMs: attempt.options.deadlineMs | 0, validateOnly }
      settleOrRetry((await attempt.controller('CreatePartitions', request)).results)
    })
  }
}

function settleOrRetry(
  results: readonly { readonly name: string; readonly errorCode: number; readonly errorMessage: string | null }[],
): void {
  const outcomes = results.map(({ name, errorCode, errorMessage }) => ({
    name,
    error: brokerError(`topic ${name}`, errorCode, errorMessage),
  }))
  for (const { error } of outcomes) retryWhilePassing(error)
  settle(outcomes)
}

function creatableTopic({ name, partitions = -1, replicationFactor = -1, assignments, configs = {} }: NewTopic) {
  return {
    name,
    numPartitions: assignments === undefined ? partitions : -1,
    replicationFactor: assignments === undefined ? replicationFactor : -1,
    assignments: (assignments ?? []).map((brokerIds, partitionIndex) => ({
      partitionIndex,
      brokerIds: [...brokerIds],
    })),
    configs: Object.entries(configs).map(([config, value]) => ({ name: config, value: String(value) })),
  }
}

function metadataRequest(names: readonly string[] | null) {
  return {
    topics: names === null ? null : names.map(name => ({ name, topicId: ZERO_UUID })),
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  }
}

type Described = TopicDescription & { readonly errorCode: number }

/** DescribeTopicPartitions (KIP-966), page by page. */
async function describeByPages(attempt: Attempt, names: readonly string[]): Promise<Described[]> {
  const found = new Map<string, Described & { partitions: PartitionDescription[] }>()
  let cursor: { readonly topicName: string; readonly partitionIndex: number } | null = null
  const topics = [...names].sort().map(name => ({ name }))
  do {
    const response: Awaited<ReturnType<typeof page>> = await page(attempt, topics, cursor)
    for (const topic of response.topics) {
      const { errorCode, topicId, isInternal } = topic
      const name = topic.name ?? ''
      const known = found.get(name) ?? { name, errorCode, topicId, isInternal, partitions: [] }
      found.set(name, known)
      known.partitions.push(
        ...topic.partitions.map(each => ({
          partition: each.partitionIndex,
          leader: each.leaderId,
          leaderEpoch: each.leaderEpoch,
          replicas: each.replicaNodes,
          isr: each.isrNodes,
          offlineReplicas: each.offlineReplicas,
          elr: each.eligibleLeaderReplicas,
          lastKnownElr: each.lastKnownElr,
        })),
      )
    }
    cursor = response.nextCursor
  } while (cursor !== null)
  return [...found.values()]
}

function page(
  attempt: Attempt,
  topics: readonly { readonly name: string }[],
  cursor: { readonly topicName: string; readonly partitionIndex: number } | null,
) {
  return attempt.any('DescribeTopicPartitions', {
    topics: [...topics],
    responsePartitionLimit: PAGE_PARTITIONS,
    cursor,
  })
}

/** For clusters that do not have DescribeTopicPartitions. */
async function describeByMetadata(attempt: Attempt, names: readonly string[]): Promise<Described[]> {
  const { topics, errorCode } = await attempt.any('Metadata', metadataRequest(names))
  throwBrokerError('metadata', errorCode)
  return topics.map(topic => ({
    name: topic.name ?? '',
    topicId: topic.topicId,
    isInternal: topic.isInternal,
    errorCode: topic.errorCode,
    partitions: topic.partitions
      .map(each => ({
        partition: each.partitionIndex,
        leader: each.leaderId,
        leaderEpoch: each.leaderEpoch,
        replicas: each.replicaNodes,
        isr: each.isrNodes,
        offlineReplicas: each.offlineReplicas,
        elr: null,
        lastKnownElr: null,
      }))
      .sort((a, b) => a.partition - b.partition),
  }))
}

function isUnsupported(thrown: unknown): boolean {
  return (
    thrown instanceof KafkaError &&
    (thrown.kafkaCode === errors.UNSUPPORTED_VERSION.code || thrown.code === 'ODK_UNSUPPORTED_VERSION')
  )
}
