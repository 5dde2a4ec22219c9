// Who leads what: new leader epochs after a leader restarted, ElectLeaders, and the reassignment APIs. With one node every partition's
// preferred leader leads it, so elections find nothing to do and say so as Kafka does.
import { errors } from '@odradek/shared/protocol/error-codes'
import type {
  ElectLeadersRequest,
  ElectLeadersResponse,
  PartitionResult,
} from '@odradek/shared/protocol/messages/43-elect-leaders'
import type {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
  ReassignablePartition,
  ReassignablePartitionResponse,
} from '@odradek/shared/protocol/messages/45-alter-partition-reassignments'
import type { ListPartitionReassignmentsResponse } from '@odradek/shared/protocol/messages/46-list-partition-reassignments'
import { ApiError, orRefusal } from './api-error.ts'
import { type CatalogRecord, newLeadership } from './catalog.records.ts'
import type { Catalog, Partition } from './catalog.ts'
import type { ClusterSetup } from './cluster-setup.ts'
import { checkReplicas } from './create-topics.rules.ts'

/** Records that begin a new leader epoch of these partitions, or of all (null). Unknown partitions are left out. */
export function bumpLeaderEpochs(
  catalog: Catalog,
  partitions: readonly { readonly topicId: string; readonly partition: number }[] | null,
): CatalogRecord[] {
  const asked = partitions ?? everyPartition(catalog)
  return asked.flatMap(({ topicId, partition }) => {
    const now = catalog.topicsById.get(topicId)?.partitions[partition]
    return now === undefined ? [] : [newLeadership(topicId, partition, now.leader)]
  })
}

function everyPartition(catalog: Catalog): { topicId: string; partition: number }[] {
  return [...catalog.topics.values()].flatMap(({ topicId, partitions }) =>
    partitions.map((_, partition) => ({ topicId, partition })),
  )
}

export function electLeaders(catalog: Catalog, request: ElectLeadersRequest): ElectLeadersResponse {
  const respond = (errorCode: number, replicaElectionResults: ElectLeadersResponse['replicaElectionResults']) => ({
    throttleTimeMs: 0,
    errorCode,
    replicaElectionResults,
  })
  if (request.electionType !== 0 && request.electionType !== 1) return respond(errors.INVALID_REQUEST.code, [])
  // All partitions are asked for: only those that were elected or failed are named, and there are none.
  if (request.topicPartitions === null) return respond(0, [])
  const results = request.topicPartitions.map(({ topic, partitions }) => ({
    topic,
    partitionResult: partitions.map(partition => electionResult(catalog, topic, partition)),
  }))
  return respond(0, results)
}

function electionResult(catalog: Catalog, topic: string, partitionId: number): PartitionResult {
  const known = catalog.topics.get(topic)
  if (known === undefined) return failed(partitionId, 'UNKNOWN_TOPIC_OR_PARTITION', `No such topic as ${topic}`)
  if (known.partitions[partitionId] === undefined) {
    return failed(partitionId, 'UNKNOWN_TOPIC_OR_PARTITION', `No such partition as ${topic}-${partitionId}`)
  }
  return failed(partitionId, 'ELECTION_NOT_NEEDED', errors.ELECTION_NOT_NEEDED.message)
}

function failed(partitionId: number, error: keyof typeof errors, errorMessage: string): PartitionResult {
  return { partitionId, errorCode: errors[error].code, errorMessage }
}

/** Accepts what changes nothing; everything else names brokers that are not there. */
export function alterPartitionReassignments(
  catalog: Catalog,
  setup: ClusterSetup,
  request: AlterPartitionReassignmentsRequest,
): AlterPartitionReassignmentsResponse {
  const responses = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(partition =>
      orRefusal<ReassignablePartitionResponse>(
        () => {
          checkReassignment(catalog, setup, name, partition)
          return { partitionIndex: partition.partitionIndex, errorCode: 0, errorMessage: null }
        },
        error => ({ partitionIndex: partition.partitionIndex, ...error }),
      ),
    ),
  }))
  const { allowReplicationFactorChange } = request
  return { throttleTimeMs: 0, allowReplicationFactorChange, errorCode: 0, errorMessage: null, responses }
}

function checkReassignment(
  catalog: Catalog,
  setup: ClusterSetup,
  name: string,
  { partitionIndex, replicas }: ReassignablePartition,
): void {
  const partition: Partition | undefined = catalog.topics.get(name)?.partitions[partitionIndex]
  if (partition === undefined) {
    throw new ApiError('UNKNOWN_TOPIC_OR_PARTITION', `Unable to find partition ${name}:${partitionIndex}.`)
  }
  if (replicas === null) {
    throw new ApiError('NO_REASSIGNMENT_IN_PROGRESS', errors.NO_REASSIGNMENT_IN_PROGRESS.message)
  }
  checkReplicas(catalog, setup, replicas)
}

/** No partition ever moves while there is one node. */
export function listPartitionReassignments(): ListPartitionReassignmentsResponse {
  return { throttleTimeMs: 0, errorCode: 0, errorMessage: null, topics: [] }
}
