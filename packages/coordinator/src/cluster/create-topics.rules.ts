// CreateTopics, and what creates topics besides it: auto-creation and the broker's own wishes. Decides which records create them, with
// Kafka's checks, codes and words (Java: ReplicationControlManager.createTopics).

import { ZERO_TOPIC_ID } from '@odradek/shared/base/brands'
import type { Random } from '@odradek/shared/base/random'
import { ConfigSource, effectiveConfig } from '@odradek/shared/configs/effective-configs.rules'
import { topicConfigs } from '@odradek/shared/configs/topic-configs'
import type {
  CreatableTopic,
  CreatableTopicResult,
  CreateTopicsRequest,
  CreateTopicsResponse,
} from '@odradek/shared/protocol/messages/19-create-topics'
import { ApiError, orRefusal } from './api-error.ts'
import { type CatalogRecord, configChange, newPartition, ResourceType } from './catalog.records.ts'
import type { Catalog } from './catalog.ts'
import { brokerConfig, type ClusterSetup, isRegistered, levelsOf, registeredCount } from './cluster-setup.ts'
import { checkTopicConfig } from './config-changes.rules.ts'
import { internalTopic } from './internal-topics.rules.ts'
import { firstOfEachName, repeated } from './request-items.rules.ts'
import { collisionKey, invalidTopicName } from './topic-name.rules.ts'

export interface CreateTopicsDecision {
  readonly records: readonly CatalogRecord[]
  readonly response: CreateTopicsResponse
  readonly createdIds: readonly string[]
}

/** Replicas of each partition, by partition number. */
type Assignment = readonly (readonly number[])[]

export function createTopics(
  catalog: Catalog,
  setup: ClusterSetup,
  request: CreateTopicsRequest,
  random: Random,
): CreateTopicsDecision {
  const records: CatalogRecord[] = []
  const createdIds: string[] = []
  const twice = repeated(request.topics.map(({ name }) => name))
  let partitionsLeft = setup.partitionsPerRequestMax
  const results = firstOfEachName(request.topics).map(topic =>
    orRefusal(
      () => {
        if (twice.has(topic.name)) throw new ApiError('INVALID_REQUEST', 'Duplicate topic name.')
        checkName(catalog, topic.name)
        const assignment = assign(catalog, setup, topic)
        if (assignment.length > partitionsLeft) {
          throw new ApiError(
            'POLICY_VIOLATION',
            `Excessively large number of partitions per request: more than ${setup.partitionsPerRequestMax}.`,
          )
        }
        const configs = checkedConfigs(topic)
        partitionsLeft -= assignment.length
        const topicId = random.uuid()
        if (!request.validateOnly) {
          records.push(...recordsOf(topic.name, topicId, assignment, configs))
          createdIds.push(topicId)
        }
        return created(catalog, setup, topic.name, request.validateOnly ? ZERO_TOPIC_ID : topicId, assignment, configs)
      },
      error => refused(topic.name, error),
    ),
  )
  return { records, createdIds, response: { throttleTimeMs: 0, topics: results } }
}

/** The topic as it is created when nobody says how: internal topics their way, others with the broker's defaults. */
export function defaultTopic(catalog: Catalog, setup: ClusterSetup, name: string): CreatableTopic {
  const internal = internalTopic(name, config => brokerConfig(catalog, setup, config))
  const configs = Object.entries(internal?.configs ?? {}).map(([config, value]) => ({ name: config, value }))
  return {
    name,
    numPartitions: internal?.partitions ?? -1,
    replicationFactor: internal === undefined ? -1 : 1,
    assignments: [],
    configs,
  }
}

function checkName(catalog: Catalog, name: string): void {
  const reason = invalidTopicName(name)
  if (reason !== null) throw new ApiError('INVALID_TOPIC_EXCEPTION', `Topic name is invalid: ${reason}`)
  if (catalog.topics.has(name)) throw new ApiError('TOPIC_ALREADY_EXISTS', `Topic '${name}' already exists.`)
  const [other] = catalog.collisions.get(collisionKey(name)) ?? []
  if (other !== undefined) {
    throw new ApiError('INVALID_TOPIC_EXCEPTION', `Topic '${name}' collides with existing topic: ${other}`)
  }
}

function assign(catalog: Catalog, setup: ClusterSetup, topic: CreatableTopic): Assignment {
  if (topic.assignments.length > 0) return manualAssignment(catalog, setup, topic)
  const { numPartitions, replicationFactor } = topic
  if (numPartitions < -1 || numPartitions === 0) {
    throw new ApiError('INVALID_PARTITIONS', 'Number of partitions was set to an invalid non-positive value.')
  }
  if (replicationFactor < -1 || replicationFactor === 0) {
    throw new ApiError('INVALID_REPLICATION_FACTOR', 'Replication factor was set to an invalid non-positive value.')
  }
  const partitions = numPartitions === -1 ? Number(brokerConfig(catalog, setup, 'num.partitions')) : numPartitions
  const replicas =
    replicationFactor === -1 ? Number(brokerConfig(catalog, setup, 'default.replication.factor')) : replicationFactor
  checkReplicationFactor(replicas, registeredCount(catalog, setup))
  if (partitions > setup.partitionsPerRequestMax) {
    throw new ApiError('POLICY_VIOLATION', `Excessively large number of partitions per request: ${partitions}.`)
  }
  return Array.from({ length: partitions }, () => [setup.nodeId])
}

function checkReplicationFactor(replicas: number, brokers: number): void {
  if (replicas <= brokers) return
  throw new ApiError(
    'INVALID_REPLICATION_FACTOR',
    `Unable to replicate the partition ${replicas} time(s): The target replication factor of ${replicas} cannot be reached because only ${brokers} broker(s) are registered.`,
  )
}

function manualAssignment(catalog: Catalog, setup: ClusterSetup, topic: CreatableTopic): Assignment {
  if (topic.replicationFactor !== -1) {
    throw new ApiError(
      'INVALID_REQUEST',
      'A manual partition assignment was specified, but replication factor was not set to -1.',
    )
  }
  if (topic.numPartitions !== -1) {
    throw new ApiError(
      'INVALID_REQUEST',
      'A manual partition assignment was specified, but numPartitions was not set to -1.',
    )
  }
  const byPartition = new Map(topic.assignments.map(({ partitionIndex, brokerIds }) => [partitionIndex, brokerIds]))
  if (byPartition.size !== topic.assignments.length) {
    throw new ApiError('INVALID_REPLICA_ASSIGNMENT', 'Found multiple manual partition assignments for one partition.')
  }
  return Array.from({ length: byPartition.size }, (_, partition) => {
    const replicas = byPartition.get(partition)
    if (replicas === undefined) {
      throw new ApiError('INVALID_REPLICA_ASSIGNMENT', 'partitions should be a consecutive 0-based integer sequence.')
    }
    checkReplicas(catalog, setup, replicas)
    return replicas
  })
}

/** Refuses a manual list of replicas that cannot be. */
export function checkReplicas(catalog: Catalog, setup: ClusterSetup, replicas: readonly number[]): void {
  const fail = (message: string): never => {
    throw new ApiError('INVALID_REPLICA_ASSIGNMENT', message)
  }
  if (replicas.length === 0) fail('The manual partition assignment includes an empty replica list.')
  for (const broker of repeated(replicas)) {
    fail(`The manual partition assignment includes the broker ${broker} more than once.`)
  }
  for (const broker of replicas) {
    if (!isRegistered(catalog, setup, broker)) {
      fail(`The manual partition assignment includes broker ${broker}, but no such broker is registered.`)
    }
  }
}

function checkedConfigs({ configs }: CreatableTopic): ReadonlyMap<string, string> {
  for (const name of repeated(configs.map(config => config.name))) {
    throw new ApiError('INVALID_REQUEST', `Error due to duplicate config keys : ${name}`)
  }
  return new Map(configs.map(({ name, value }) => [name, checkTopicConfig(name, value)]))
}

function recordsOf(
  name: string,
  topicId: string,
  assignment: Assignment,
  configs: ReadonlyMap<string, string>,
): CatalogRecord[] {
  return [
    { type: 'TopicRecord', value: { name, topicId } },
    ...[...configs].map(([config, value]) => configChange(ResourceType.TOPIC, name, config, value)),
    ...assignment.map((replicas, partition) => newPartition(topicId, partition, replicas)),
  ]
}

function created(
  catalog: Catalog,
  setup: ClusterSetup,
  name: string,
  topicId: string,
  assignment: Assignment,
  own: ReadonlyMap<string, string>,
): CreatableTopicResult {
  const levels = levelsOf(catalog, setup)
  const configs = [...topicConfigs.values()].map(spec => {
    const { value, source } = effectiveConfig(spec, own, ConfigSource.DYNAMIC_TOPIC_CONFIG, levels)
    return { name: spec.name, value, readOnly: false, configSource: source as number, isSensitive: spec.sensitive }
  })
  return {
    name,
    topicId,
    errorCode: 0,
    errorMessage: null,
    topicConfigErrorCode: 0,
    numPartitions: assignment.length,
    replicationFactor: assignment[0]!.length,
    configs,
  }
}

function refused(name: string, error: { errorCode: number; errorMessage: string }): CreatableTopicResult {
  return {
    name,
    topicId: ZERO_TOPIC_ID,
    ...error,
    topicConfigErrorCode: 0,
    numPartitions: -1,
    replicationFactor: -1,
    configs: null,
  }
}
