// A cluster of one node for tests of the rules, spoken to as an admin does.
import { ZERO_TOPIC_ID } from '@odradek/shared/base/brands'
import { limits } from '@odradek/shared/base/limits'
import { seededRandom } from '@odradek/shared/base/random'
import { errors } from '@odradek/shared/protocol/error-codes'
import type { CreatableTopic } from '@odradek/shared/protocol/messages/19-create-topics'
import type { CatalogRecord } from './catalog.records.ts'
import { type Catalog, emptyCatalog, replayCatalog } from './catalog.ts'
import type { ClusterSetup } from './cluster-setup.ts'
import { alterConfigs, incrementalAlterConfigs } from './config-changes.rules.ts'
import { createPartitions } from './create-partitions.rules.ts'
import { createTopics } from './create-topics.rules.ts'
import { deleteTopics } from './delete-topics.rules.ts'
import { describeConfigs } from './describe-configs.rules.ts'
import { metadata } from './ensure-topics.rules.ts'
import { firstRecords } from './node.rules.ts'

/** Kafka's number of an error. */
export const code = (name: keyof typeof errors) => errors[name].code

/** A topic of a Metadata request, by name. */
export const named = (name: string) => ({ name, topicId: ZERO_TOPIC_ID })

/** A cluster of one node, spoken to as an admin does. */
export class Cluster {
  readonly catalog: Catalog = emptyCatalog()
  readonly random = seededRandom(7)
  readonly setup: ClusterSetup
  readonly log: CatalogRecord[] = []

  constructor(given: { [name: string]: string } = {}) {
    const partitionsPerRequestMax = limits.partitionsPerRequestMax
    this.setup = {
      nodeId: 1,
      clusterId: 'cluster-a',
      incarnationId: 'AAAAAAAAAAAAAAAAAAAAAQ',
      given: new Map(Object.entries(given)),
      partitionsPerRequestMax,
    }
    this.become({ records: firstRecords(this.catalog, this.setup) })
  }

  become<D extends { records: readonly CatalogRecord[] }>(decision: D): D {
    for (const record of decision.records) {
      replayCatalog(this.catalog, record)
      this.log.push(record)
    }
    return decision
  }

  create(name: string, topic: Partial<CreatableTopic> = {}, validateOnly = false) {
    const whole = { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [], ...topic }
    const decision = createTopics(
      this.catalog,
      this.setup,
      { topics: [whole], timeoutMs: 0, validateOnly },
      this.random,
    )
    return this.become(decision).response.topics[0]!
  }

  delete(...names: string[]) {
    const topics = names.map(name => ({ name, topicId: ZERO_TOPIC_ID }))
    return this.become(deleteTopics(this.catalog, this.setup, { topics, topicNames: [], timeoutMs: 0 })).response
      .responses
  }

  grow(name: string, count: number, assignments: { brokerIds: number[] }[] | null = null, validateOnly = false) {
    const request = { topics: [{ name, count, assignments }], timeoutMs: 0, validateOnly }
    return this.become(createPartitions(this.catalog, this.setup, request)).response.results[0]!
  }

  change(resourceType: number, resourceName: string, ...configs: [string, number, string | null][]) {
    const operations = configs.map(([name, configOperation, value]) => ({ name, configOperation, value }))
    const request = { resources: [{ resourceType, resourceName, configs: operations }], validateOnly: false }
    return this.become(incrementalAlterConfigs(this.catalog, this.setup, request)).response.responses[0]!
  }

  replace(resourceType: number, resourceName: string, configs: { [name: string]: string }) {
    const entries = Object.entries(configs).map(([name, value]) => ({ name, value }))
    const request = { resources: [{ resourceType, resourceName, configs: entries }], validateOnly: false }
    return this.become(alterConfigs(this.catalog, this.setup, request)).response.responses[0]!
  }

  describe(resourceType: number, resourceName: string, configurationKeys: string[] | null = null) {
    const resources = [{ resourceType, resourceName, configurationKeys }]
    const request = { resources, includeSynonyms: true, includeDocumentation: true }
    return describeConfigs(this.catalog, this.setup, request).results[0]!
  }

  metadata(topics: { name: string | null; topicId: string }[] | null, allowAutoTopicCreation = false) {
    const request = {
      topics,
      allowAutoTopicCreation,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    }
    const brokers = [{ nodeId: 1, host: '127.0.0.1', port: 9092, rack: null }]
    return this.become(metadata(this.catalog, this.setup, { request, brokers }, this.random)).response(this.catalog)
  }
}
