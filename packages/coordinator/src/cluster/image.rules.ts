// The part of the catalog that the broker hosts by: topics with leader epochs and effective configs. Made from the catalog for news; effective configs are made once per topic and kept until they change.
import { brokerConfigs } from '@odradek/shared/configs/broker-configs'
import { effectiveBrokerConfigs, effectiveTopicConfigs } from '@odradek/shared/configs/effective-configs.rules'
import { topicConfigs } from '@odradek/shared/configs/topic-configs'
import type { GroupConfigs, ImageDelta, TopicImage } from '@odradek/shared/contracts/cluster.contract'
import { type CatalogRecord, ResourceType } from './catalog.records.ts'
import type { Catalog, Topic } from './catalog.ts'
import { type ClusterSetup, levelsOf } from './cluster-setup.ts'
import { finalizedFeatures } from './features.rules.ts'

const nothing: ReadonlyMap<string, string> = new Map()

/** Broker configs that are defaults of topic configs: when one changes, every topic may have changed. */
const behindTopics = new Set([...topicConfigs.values()].flatMap(({ synonyms }) => synonyms.map(({ name }) => name)))

function topicImage(catalog: Catalog, setup: ClusterSetup, topic: Topic): TopicImage {
  return {
    topic: topic.name,
    topicId: topic.topicId,
    leaderEpochs: topic.partitions.map(({ leaderEpoch }) => leaderEpoch),
    configs: topicConfigsOf(catalog, setup, topic),
  }
}

function topicConfigsOf(catalog: Catalog, setup: ClusterSetup, topic: Topic): { readonly [name: string]: string } {
  if (topic.configs.size > 0) {
    topic.effective ??= effectiveTopicConfigs(topic.configs, levelsOf(catalog, setup))
    return topic.effective
  }
  catalog.topicDefaults ??= effectiveTopicConfigs(nothing, levelsOf(catalog, setup))
  return catalog.topicDefaults
}

/** Everything, as it is told after a load and when asked for. */
export function wholeImage(catalog: Catalog, setup: ClusterSetup): ImageDelta {
  return {
    isWhole: true,
    topics: [...catalog.topics.values()].map(topic => topicImage(catalog, setup, topic)),
    deleted: [],
    brokerConfigs: effectiveBrokerConfigs(levelsOf(catalog, setup)),
    groupConfigs: groupConfigsOf(catalog),
    features: finalizedFeatures(catalog),
  }
}

function groupConfigsOf({ groupConfigs }: Catalog): GroupConfigs[] {
  return [...groupConfigs].map(([groupId, configs]) => ({ groupId, configs: Object.fromEntries(configs) }))
}

/** What these records changed, in the catalog that they made. Null when nobody needs to know. */
export function imageDelta(
  catalog: Catalog,
  setup: ClusterSetup,
  records: readonly CatalogRecord[],
  deleted: ImageDelta['deleted'] = [],
): ImageDelta | null {
  const brokerNames = records.flatMap(record =>
    record.type === 'ConfigRecord' && record.value.resourceType === ResourceType.BROKER ? [record.value.name] : [],
  )
  if (brokerNames.some(name => behindTopics.has(name))) return wholeImage(catalog, setup)
  const delta: ImageDelta = {
    isWhole: false,
    topics: changedTopics(catalog, records).map(topic => topicImage(catalog, setup, topic)),
    deleted,
    ...(brokerNames.some(name => brokerConfigs.has(name)) && {
      brokerConfigs: effectiveBrokerConfigs(levelsOf(catalog, setup)),
    }),
    ...(records.some(isGroupConfig) && { groupConfigs: groupConfigsOf(catalog) }),
    ...(records.some(({ type }) => type === 'FeatureLevelRecord') && { features: finalizedFeatures(catalog) }),
  }
  const { topics, brokerConfigs: configs, groupConfigs, features } = delta
  return topics.length > 0 || deleted.length > 0 || configs || groupConfigs || features ? delta : null
}

function isGroupConfig(record: CatalogRecord): boolean {
  return record.type === 'ConfigRecord' && record.value.resourceType === ResourceType.GROUP
}

function changedTopics(catalog: Catalog, records: readonly CatalogRecord[]): Topic[] {
  const changed = new Set<Topic>()
  for (const record of records) {
    const topic = topicOf(catalog, record)
    if (topic !== undefined) changed.add(topic)
  }
  return [...changed]
}

function topicOf(catalog: Catalog, record: CatalogRecord): Topic | undefined {
  switch (record.type) {
    case 'TopicRecord':
    case 'PartitionRecord':
    case 'PartitionChangeRecord':
      return catalog.topicsById.get(record.value.topicId)
    case 'ConfigRecord':
      return record.value.resourceType === ResourceType.TOPIC
        ? catalog.topics.get(record.value.resourceName)
        : undefined
    default:
      return undefined
  }
}
