// Topics that come into being because somebody needs them: Metadata with auto-creation, and what the broker itself wants.

import { ZERO_TOPIC_ID } from '@odradek/shared/base/brands'
import type { Random } from '@odradek/shared/base/random'
import type { BrokerEndpoint } from '@odradek/shared/contracts/cluster.contract'
import type { MetadataRequest, MetadataResponse } from '@odradek/shared/protocol/messages/03-metadata'
import type { CreatableTopic, CreatableTopicResult } from '@odradek/shared/protocol/messages/19-create-topics'
import type { CatalogRecord } from './catalog.records.ts'
import type { Catalog } from './catalog.ts'
import { brokerConfig, type ClusterSetup } from './cluster-setup.ts'
import { createTopics, defaultTopic } from './create-topics.rules.ts'
import { describeMetadata } from './describe-topics.rules.ts'
import { isInternalTopic } from './internal-topics.rules.ts'
import { invalidTopicName } from './topic-name.rules.ts'

export interface EnsureTopicsRequest {
  readonly topics: readonly {
    readonly name: string
    readonly partitions?: number
    readonly configs?: { readonly [name: string]: string }
  }[]
}

export interface EnsureTopicsResponse {
  readonly results: readonly {
    readonly name: string
    readonly errorCode: number
    readonly errorMessage: string | null
  }[]
}

/** Creates those that do not exist; one that exists stays as it is, whatever is asked of it. */
export function ensureTopics(catalog: Catalog, setup: ClusterSetup, { topics }: EnsureTopicsRequest, random: Random) {
  const wanted = topics
    .filter(({ name }) => !catalog.topics.has(name))
    .map(({ name, partitions, configs = {} }) => {
      const standard = defaultTopic(catalog, setup, name)
      const own = Object.entries(configs).map(([config, value]) => ({ name: config, value }))
      const rest = standard.configs.filter(({ name: config }) => !(config in configs))
      return { ...standard, numPartitions: partitions ?? standard.numPartitions, configs: [...rest, ...own] }
    })
  const { records, results } = create(catalog, setup, wanted, random)
  const response: EnsureTopicsResponse = {
    results: topics.map(({ name }) => {
      const { errorCode = 0, errorMessage = null } = results.get(name) ?? {}
      return { name, errorCode, errorMessage }
    }),
  }
  return { records, response }
}

/** Metadata; topics that are asked for by name and missing are created first, if both sides allow it. */
export function metadata(
  catalog: Catalog,
  setup: ClusterSetup,
  { request, brokers }: { readonly request: MetadataRequest; readonly brokers: readonly BrokerEndpoint[] },
  random: Random,
): { readonly records: readonly CatalogRecord[]; readonly response: (catalog: Catalog) => MetadataResponse } {
  const missing = request.allowAutoTopicCreation ? missingTopics(catalog, setup, request) : []
  const wanted = missing.map(name => defaultTopic(catalog, setup, name))
  const { records, results } = create(catalog, setup, wanted, random)
  return {
    records,
    response: after => {
      const described = describeMetadata(after, setup, request, brokers)
      const topics = described.topics.map(topic => {
        const failed = results.get(topic.name ?? '')
        return failed === undefined || failed.errorCode === 0 ? topic : { ...topic, errorCode: failed.errorCode }
      })
      return { ...described, topics }
    },
  }
}

function missingTopics(catalog: Catalog, setup: ClusterSetup, { topics }: MetadataRequest): string[] {
  const allowed = brokerConfig(catalog, setup, 'auto.create.topics.enable') === 'true'
  const names = (topics ?? []).flatMap(({ name, topicId }) =>
    name === null || topicId !== ZERO_TOPIC_ID ? [] : [name],
  )
  return [...new Set(names)].filter(
    name => !catalog.topics.has(name) && invalidTopicName(name) === null && (allowed || isInternalTopic(name)),
  )
}

function create(catalog: Catalog, setup: ClusterSetup, topics: CreatableTopic[], random: Random) {
  if (topics.length === 0) return { records: [], results: new Map<string, CreatableTopicResult>() }
  const request = { topics, timeoutMs: 0, validateOnly: false }
  const { records, response } = createTopics(catalog, setup, request, random)
  return { records, results: new Map(response.topics.map(result => [result.name, result])) }
}
