// The cluster coordinator: topics, partitions, configs, features and producer id blocks, kept as records in `__cluster_metadata`. Asked only by the broker,
// which hosts leaders as its news says. Requests are Kafka's, newest version.
import type { Address } from '../actor/actor.ts'
import { ask, defineContract, tell } from '../actor/contract.ts'
import type { ApiName } from './api-map.ts'
import type { FinalizedFeatures } from './features.ts'
import type { PartitionLeaderContract } from './partition-leader.contract.ts'

/** A broker as clients are told of it; advertised addresses are not stored, they belong to the running listeners. */
export interface BrokerEndpoint {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface ClusterRequest {
  /**
   * Metadata, DescribeTopicPartitions, DescribeCluster, CreateTopics, DeleteTopics, CreatePartitions, DescribeConfigs, AlterConfigs, IncrementalAlterConfigs,
   * ListConfigResources, UpdateFeatures, ElectLeaders, AlterPartitionReassignments, ListPartitionReassignments.
   */
  readonly api: ApiName
  readonly request: unknown
  /** What Metadata and its kin show of the brokers, through the door that asks. */
  readonly brokers: readonly BrokerEndpoint[]
}

/** One topic as it is now. */
export interface TopicImage {
  readonly topic: string
  readonly topicId: string
  /** By partition number. */
  readonly leaderEpochs: readonly number[]
  /** Effective configs (topic, then broker defaults), Kafka's names, values as strings. */
  readonly configs: { readonly [name: string]: string }
}

/** Configs that one group has of its own (`consumer.session.timeout.ms`, ...), Kafka's names, values as strings. */
export interface GroupConfigs {
  readonly groupId: string
  readonly configs: { readonly [name: string]: string }
}

/** What changed, or everything. News of one coordinator come in the order of its log: what one says holds until a later one says otherwise. */
export interface ImageDelta {
  /** All topics are here: one that is not does not exist (any more). `deleted` is empty then. */
  readonly isWhole: boolean
  /** Created or changed (more partitions, other configs, new leader epochs), whole. */
  readonly topics: readonly TopicImage[]
  readonly deleted: readonly { readonly topic: string; readonly topicId: string }[]
  /** Effective broker configs, when they changed (and in a whole image). */
  readonly brokerConfigs?: { readonly [name: string]: string }
  /** Every group that has configs of its own, when any of them changed (and in a whole image). */
  readonly groupConfigs?: readonly GroupConfigs[]
  /** When they changed (and in a whole image). */
  readonly features?: FinalizedFeatures
}

export const clusterContract = defineContract({
  kind: 'cluster',
  asks: {
    /**
     * The reply is that API's response; what it changed is durable, and its `imageChanged` news was told before. Fails with code NOT_CONTROLLER (nothing
     * was done; the catalog is not loaded) or REQUEST_TIMED_OUT (it may or may not have been done).
     */
    request: ask<ClusterRequest, { readonly response: unknown }>(),
    /** Creates topics that do not exist yet, with the broker's defaults unless said otherwise; replies Kafka's code per topic (0 also when it existed). */
    ensureTopics: ask<
      {
        readonly topics: readonly {
          readonly name: string
          readonly partitions?: number
          readonly configs?: { readonly [name: string]: string }
        }[]
      },
      {
        readonly results: readonly {
          readonly name: string
          readonly errorCode: number
          readonly errorMessage: string | null
        }[]
      }
    >(),
    /** A block of producer ids that no one else will ever get (Kafka's AllocateProducerIds). */
    allocateProducerIds: ask<Record<string, never>, { readonly firstProducerId: number; readonly length: number }>(),
    /** New leaderships after an unclean start: every epoch grows by one, durably. */
    bumpLeaderEpochs: ask<
      { readonly partitions: readonly { readonly topicId: string; readonly partition: number }[] | null },
      Record<string, never>
    >(),
    /** Which of these topics existed and were removed, as the log says. One that was removed long ago may be missing: no answer says that a topic never was. */
    removedAmong: ask<{ readonly topicIds: readonly string[] }, { readonly topicIds: readonly string[] }>(),
    /**
     * Tells all who subscribed the whole image, as `imageChanged` in its place between the other news (a reply could come after younger ones); then replies.
     */
    tellImage: ask<Record<string, never>, { readonly clusterId: string }>(),
  },
  tells: {
    /** From now on this link gets `imageChanged` news. */
    subscribe: tell<Record<string, never>>(),
    /** The leader of `__cluster_metadata-0` runs elsewhere now (it was restarted); the catalog is loaded from it anew. */
    leaderChanged: tell<{ readonly leader: Address<PartitionLeaderContract> }>(),
  },
  news: {
    imageChanged: tell<ImageDelta>({ isVital: true }),
  },
})
export type ClusterContract = typeof clusterContract

/** What the cluster coordinator is started with. */
export interface ClusterInput {
  readonly nodeId: number
  /** Leader of `__cluster_metadata-0`, on the same lane. */
  readonly leader: Address<PartitionLeaderContract>
  readonly leaderEpoch: number
  /** For a fresh cluster; an existing one keeps its own. */
  readonly clusterId: string
  /** Static broker configs that differ from Kafka's defaults: Kafka's names, values as strings. */
  readonly staticConfigs: { readonly [name: string]: string }
}
