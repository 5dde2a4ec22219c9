// The catalog: what the cluster consists of, as the metadata records say. Changed by `replayCatalog` alone, in place and at a cost that
// does not grow with the catalog. Read by the decide and describe rules beside this file.
import { assert } from '@odradek/shared/base/assert'
import type { MetadataResponseTopic } from '@odradek/shared/protocol/messages/03-metadata'
import type { RegisterBrokerRecord } from '@odradek/shared/protocol/stored/cluster-metadata.records'
import { type CatalogRecord, ResourceType } from './catalog.records.ts'
import { collisionKey } from './topic-name.rules.ts'

export interface Partition {
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly leader: number
  readonly leaderEpoch: number
  /** Grows with every change of the partition. */
  readonly partitionEpoch: number
}

export interface Topic {
  readonly name: string
  readonly topicId: string
  /** By partition number. */
  readonly partitions: Partition[]
  readonly configs: Map<string, string>
  /** Its part of Metadata responses, made at first use and dropped by changes. */
  described: MetadataResponseTopic | null
  /** Its effective configs, made at first use and dropped by changes. */
  effective: { readonly [name: string]: string } | null
}

export interface Catalog {
  clusterId: string | null
  readonly topics: Map<string, Topic>
  readonly topicsById: Map<string, Topic>
  /** Ids of topics that were removed, the latest {@link REMOVED_TOPICS_KEPT} of them. */
  readonly removedTopics: Set<string>
  /** Names by what they would be called in metrics, where '.' and '_' are the same. */
  readonly collisions: Map<string, Set<string>>
  partitionCount: number
  /** Configs of brokers by node id, of all brokers by the empty name. */
  readonly brokerConfigs: Map<string, Map<string, string>>
  readonly groupConfigs: Map<string, Map<string, string>>
  readonly clientMetrics: Map<string, Map<string, string>>
  /** Finalized feature levels. */
  readonly features: Map<string, number>
  /** How often one of them was finalized. */
  featuresEpoch: number
  readonly brokers: Map<number, RegisterBrokerRecord>
  nextProducerId: number
  /** Effective configs of a topic that sets none, made at first use and dropped by changes of broker configs. */
  topicDefaults: { readonly [name: string]: string } | null
}

export function emptyCatalog(): Catalog {
  return {
    clusterId: null,
    topics: new Map(),
    topicsById: new Map(),
    removedTopics: new Set(),
    collisions: new Map(),
    partitionCount: 0,
    brokerConfigs: new Map(),
    groupConfigs: new Map(),
    clientMetrics: new Map(),
    features: new Map(),
    featuresEpoch: 0,
    brokers: new Map(),
    nextProducerId: 0,
    topicDefaults: null,
  }
}

/** Changes the catalog as the record says. */
export function replayCatalog(catalog: Catalog, record: CatalogRecord): void {
  switch (record.type) {
    case 'TopicRecord':
      addTopic(catalog, record.value.name, record.value.topicId)
      break
    case 'RemoveTopicRecord':
      removeTopic(catalog, record.value.topicId)
      break
    case 'PartitionRecord':
      addPartition(catalog, record.value)
      break
    case 'PartitionChangeRecord':
      changePartition(catalog, record.value)
      break
    case 'ConfigRecord':
      changeConfig(catalog, record.value)
      break
    case 'FeatureLevelRecord':
      catalog.featuresEpoch++
      if (record.value.featureLevel === 0) catalog.features.delete(record.value.name)
      else catalog.features.set(record.value.name, record.value.featureLevel)
      break
    case 'ProducerIdsRecord':
      catalog.nextProducerId = record.value.nextProducerId
      break
    case 'RegisterBrokerRecord':
      catalog.brokers.set(record.value.brokerId, record.value)
      break
    case 'ClusterIdRecord':
      catalog.clusterId = record.value.clusterId
      break
  }
}

function addTopic(catalog: Catalog, name: string, topicId: string): void {
  assert(!catalog.topics.has(name), `topic ${name} is created once`)
  const topic: Topic = { name, topicId, partitions: [], configs: new Map(), described: null, effective: null }
  catalog.topics.set(name, topic)
  catalog.topicsById.set(topicId, topic)
  const key = collisionKey(name)
  const names = catalog.collisions.get(key)
  if (names === undefined) catalog.collisions.set(key, new Set([name]))
  else names.add(name)
}

function removeTopic(catalog: Catalog, topicId: string): void {
  const topic = knownTopic(catalog, topicId)
  catalog.topics.delete(topic.name)
  catalog.topicsById.delete(topicId)
  catalog.partitionCount -= topic.partitions.length
  const key = collisionKey(topic.name)
  const names = catalog.collisions.get(key)
  names?.delete(topic.name)
  if (names?.size === 0) catalog.collisions.delete(key)
  keepRemoved(catalog.removedTopics, topicId)
}

/**
 * Removed topics that are remembered. Their logs are looked for at the next start, in case the process died before they were gone: more than these were not being
 * removed at once. A log of an older one would be left, and named.
 */
export const REMOVED_TOPICS_KEPT = 10_000

function keepRemoved(removed: Set<string>, topicId: string): void {
  removed.add(topicId)
  if (removed.size > REMOVED_TOPICS_KEPT) for (const oldest of removed) return void removed.delete(oldest)
}

function addPartition(catalog: Catalog, value: Extract<CatalogRecord, { type: 'PartitionRecord' }>['value']): void {
  const topic = knownTopic(catalog, value.topicId)
  if (topic.partitions[value.partitionId] === undefined) catalog.partitionCount++
  const { replicas, isr, leader, leaderEpoch, partitionEpoch } = value
  topic.partitions[value.partitionId] = { replicas, isr, leader, leaderEpoch, partitionEpoch }
  topic.described = null
}

/** Kafka's `PartitionRegistration.merge`: naming a leader, even the same one, begins a new leader epoch. */
function changePartition(
  catalog: Catalog,
  change: Extract<CatalogRecord, { type: 'PartitionChangeRecord' }>['value'],
): void {
  const topic = knownTopic(catalog, change.topicId)
  const before = topic.partitions[change.partitionId]
  assert(before !== undefined, `partition ${topic.name}-${change.partitionId} is known`)
  const elected = change.leader !== UNCHANGED_LEADER
  topic.partitions[change.partitionId] = {
    replicas: change.replicas ?? before.replicas,
    isr: change.isr ?? before.isr,
    leader: elected ? change.leader : before.leader,
    leaderEpoch: elected ? before.leaderEpoch + 1 : before.leaderEpoch,
    partitionEpoch: before.partitionEpoch + 1,
  }
  topic.described = null
}

const UNCHANGED_LEADER = -2

function changeConfig(catalog: Catalog, value: Extract<CatalogRecord, { type: 'ConfigRecord' }>['value']): void {
  const { resourceType, resourceName, name } = value
  if (resourceType === ResourceType.TOPIC) {
    const topic = catalog.topics.get(resourceName)
    assert(topic !== undefined, `topic ${resourceName} of a config is known`)
    setOrDelete(topic.configs, name, value.value)
    topic.effective = null
    return
  }
  const resources = resourcesOf(catalog, resourceType)
  const configs = resources.get(resourceName) ?? new Map<string, string>()
  setOrDelete(configs, name, value.value)
  if (configs.size === 0) resources.delete(resourceName)
  else resources.set(resourceName, configs)
  if (resourceType === ResourceType.BROKER) forgetEffective(catalog)
}

/** Configs of all resources of a type other than topic, by resource name. */
export function resourcesOf(catalog: Catalog, resourceType: number): Map<string, Map<string, string>> {
  if (resourceType === ResourceType.BROKER) return catalog.brokerConfigs
  if (resourceType === ResourceType.GROUP) return catalog.groupConfigs
  assert(resourceType === ResourceType.CLIENT_METRICS, `resource type ${resourceType} has configs`)
  return catalog.clientMetrics
}

function forgetEffective(catalog: Catalog): void {
  catalog.topicDefaults = null
  for (const topic of catalog.topics.values()) topic.effective = null
}

function setOrDelete(configs: Map<string, string>, name: string, value: string | null): void {
  if (value === null) configs.delete(name)
  else configs.set(name, value)
}

function knownTopic(catalog: Catalog, topicId: string): Topic {
  const topic = catalog.topicsById.get(topicId)
  assert(topic !== undefined, `topic ${topicId} is known`)
  return topic
}
