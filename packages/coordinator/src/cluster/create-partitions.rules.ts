// CreatePartitions: more partitions for topics that are there (Java: ReplicationControlManager.createPartitions).
import type {
  CreatePartitionsRequest,
  CreatePartitionsResponse,
  CreatePartitionsTopic,
  CreatePartitionsTopicResult,
} from '@odradek/shared/protocol/messages/37-create-partitions'
import { ApiError, orRefusal } from './api-error.ts'
import { type CatalogRecord, newPartition } from './catalog.records.ts'
import type { Catalog } from './catalog.ts'
import type { ClusterSetup } from './cluster-setup.ts'
import { checkReplicas } from './create-topics.rules.ts'
import { firstOfEachName, repeated } from './request-items.rules.ts'

export interface CreatePartitionsDecision {
  readonly records: readonly CatalogRecord[]
  readonly response: CreatePartitionsResponse
  readonly changedIds: readonly string[]
}

export function createPartitions(
  catalog: Catalog,
  setup: ClusterSetup,
  request: CreatePartitionsRequest,
): CreatePartitionsDecision {
  const records: CatalogRecord[] = []
  const changedIds: string[] = []
  const twice = repeated(request.topics.map(({ name }) => name))
  const results = firstOfEachName(request.topics).map(topic =>
    orRefusal<CreatePartitionsTopicResult>(
      () => {
        if (twice.has(topic.name)) throw new ApiError('INVALID_REQUEST', 'Duplicate topic name.')
        const { topicId, added } = addedPartitions(catalog, setup, topic)
        if (records.length + added.length > setup.partitionsPerRequestMax) {
          throw new ApiError(
            'POLICY_VIOLATION',
            `Excessively large number of partitions per request: more than ${setup.partitionsPerRequestMax}.`,
          )
        }
        if (!request.validateOnly) {
          records.push(...added)
          changedIds.push(topicId)
        }
        return { name: topic.name, errorCode: 0, errorMessage: null }
      },
      error => ({ name: topic.name, ...error }),
    ),
  )
  return { records, changedIds, response: { throttleTimeMs: 0, results } }
}

function addedPartitions(catalog: Catalog, setup: ClusterSetup, { name, count, assignments }: CreatePartitionsTopic) {
  const topic = catalog.topics.get(name)
  if (topic === undefined)
    throw new ApiError('UNKNOWN_TOPIC_OR_PARTITION', 'This server does not host this topic-partition.')
  const now = topic.partitions.length
  if (count === now) throw new ApiError('INVALID_PARTITIONS', `Topic already has ${now} partition(s).`)
  if (count < now) {
    throw new ApiError(
      'INVALID_PARTITIONS',
      `The topic ${name} currently has ${now} partition(s); ${count} would not be an increase.`,
    )
  }
  const more = count - now
  if (assignments !== null && assignments.length !== more) {
    throw new ApiError(
      'INVALID_REPLICA_ASSIGNMENT',
      `Attempted to add ${more} additional partition(s), but only ${assignments.length} assignment(s) were specified.`,
    )
  }
  if (more > setup.partitionsPerRequestMax) {
    throw new ApiError('POLICY_VIOLATION', `Excessively large number of partitions per request: ${more}.`)
  }
  const added = Array.from({ length: more }, (_, at) => {
    const replicas = assignments === null ? [setup.nodeId] : assignments[at]!.brokerIds
    checkReplicas(catalog, setup, replicas)
    return newPartition(topic.topicId, now + at, replicas)
  })
  return { topicId: topic.topicId, added }
}
