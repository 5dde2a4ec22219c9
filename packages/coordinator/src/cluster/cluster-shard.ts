// The cluster coordinator as a shard: one word per Kafka API, decided by the rules beside this file over the catalog. Run by
// `cluster.actor.ts` on the leader of `__cluster_metadata-0`.
import type { BrokerEndpoint, ImageDelta } from '@odradek/shared/contracts/cluster.contract'
import type { MetadataRequest, MetadataResponse } from '@odradek/shared/protocol/messages/03-metadata'
import type { CreateTopicsRequest, CreateTopicsResponse } from '@odradek/shared/protocol/messages/19-create-topics'
import type { DeleteTopicsRequest, DeleteTopicsResponse } from '@odradek/shared/protocol/messages/20-delete-topics'
import type {
  DescribeConfigsRequest,
  DescribeConfigsResponse,
} from '@odradek/shared/protocol/messages/32-describe-configs'
import type { AlterConfigsRequest, AlterConfigsResponse } from '@odradek/shared/protocol/messages/33-alter-configs'
import type {
  CreatePartitionsRequest,
  CreatePartitionsResponse,
} from '@odradek/shared/protocol/messages/37-create-partitions'
import type { ElectLeadersRequest, ElectLeadersResponse } from '@odradek/shared/protocol/messages/43-elect-leaders'
import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '@odradek/shared/protocol/messages/44-incremental-alter-configs'
import type {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '@odradek/shared/protocol/messages/45-alter-partition-reassignments'
import type {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from '@odradek/shared/protocol/messages/46-list-partition-reassignments'
import type {
  UpdateFeaturesRequest,
  UpdateFeaturesResponse,
} from '@odradek/shared/protocol/messages/57-update-features'
import type {
  DescribeClusterRequest,
  DescribeClusterResponse,
} from '@odradek/shared/protocol/messages/60-describe-cluster'
import type {
  ListConfigResourcesRequest,
  ListConfigResourcesResponse,
} from '@odradek/shared/protocol/messages/74-list-config-resources'
import type {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
} from '@odradek/shared/protocol/messages/75-describe-topic-partitions'
import type { Refusal } from '../runtime/refusal.rules.ts'
import {
  type DecideContext,
  type Decision,
  defineShard,
  type ReadHandler,
  type ShardDefinition,
  type WriteHandler,
} from '../runtime/shard.ts'
import { type CatalogRecord, decodeCatalogRecord, encodeCatalogRecord } from './catalog.records.ts'
import { type Catalog, emptyCatalog, replayCatalog } from './catalog.ts'
import type { ClusterSetup } from './cluster-setup.ts'
import { alterConfigs, incrementalAlterConfigs } from './config-changes.rules.ts'
import { createPartitions } from './create-partitions.rules.ts'
import { createTopics } from './create-topics.rules.ts'
import { deleteTopics } from './delete-topics.rules.ts'
import { describeConfigs, listConfigResources } from './describe-configs.rules.ts'
import { describeCluster, describeTopicPartitions } from './describe-topics.rules.ts'
import { type EnsureTopicsRequest, type EnsureTopicsResponse, ensureTopics, metadata } from './ensure-topics.rules.ts'
import { updateFeatures } from './features.rules.ts'
import { imageDelta, wholeImage } from './image.rules.ts'
import {
  alterPartitionReassignments,
  bumpLeaderEpochs,
  electLeaders,
  listPartitionReassignments,
} from './leadership.rules.ts'
import { allocateProducerIds, firstRecords } from './node.rules.ts'

/** The response, or why there is none. */
export type Answer<R> = { readonly response: R } | { readonly refused: Refusal }

type Ask<Request, Response> = { readonly request: Request; readonly reply: Answer<Response> }
/** Requests whose answer names the brokers, with what the asking door shows of them. */
type WithBrokers<Request> = { readonly request: Request; readonly brokers: readonly BrokerEndpoint[] }

export type ClusterShard = {
  state: Catalog
  record: CatalogRecord
  soft: never
  notice: ImageDelta
  markers: never
  words: {
    metadata: Ask<WithBrokers<MetadataRequest>, MetadataResponse>
    describeTopicPartitions: Ask<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>
    describeCluster: Ask<WithBrokers<DescribeClusterRequest>, DescribeClusterResponse>
    createTopics: Ask<CreateTopicsRequest, CreateTopicsResponse>
    deleteTopics: Ask<DeleteTopicsRequest, DeleteTopicsResponse>
    createPartitions: Ask<CreatePartitionsRequest, CreatePartitionsResponse>
    describeConfigs: Ask<DescribeConfigsRequest, DescribeConfigsResponse>
    alterConfigs: Ask<AlterConfigsRequest, AlterConfigsResponse>
    incrementalAlterConfigs: Ask<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>
    listConfigResources: Ask<ListConfigResourcesRequest, ListConfigResourcesResponse>
    updateFeatures: Ask<UpdateFeaturesRequest, UpdateFeaturesResponse>
    electLeaders: Ask<ElectLeadersRequest, ElectLeadersResponse>
    alterPartitionReassignments: Ask<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>
    listPartitionReassignments: Ask<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>
    ensureTopics: Ask<EnsureTopicsRequest, EnsureTopicsResponse>
    allocateProducerIds: Ask<Record<string, never>, { readonly firstProducerId: number; readonly length: number }>
    bumpLeaderEpochs: Ask<BumpLeaderEpochsRequest, Record<string, never>>
    tellImage: Ask<Record<string, never>, { readonly clusterId: string }>
    removedAmong: Ask<{ readonly topicIds: readonly string[] }, { readonly topicIds: readonly string[] }>
  }
}

type BumpLeaderEpochsRequest = {
  readonly partitions: readonly { readonly topicId: string; readonly partition: number }[] | null
}

/** What a rule decides: records, what to answer, and which topics it removed. */
interface Change<R> {
  readonly records: readonly CatalogRecord[]
  /** A function where the answer speaks of the catalog as the records make it. */
  readonly response: R | ((catalog: Catalog) => R)
  readonly deleted?: ImageDelta['deleted']
}

type ClusterDecision<R> = Decision<ClusterShard, Answer<R>>

const refuse = (_request: unknown, refused: Refusal) => ({ refused })

/** The cluster shard of a node. */
export function clusterShard(setup: ClusterSetup): ShardDefinition<ClusterShard> {
  const write = <Q, R extends object>(
    rule: (catalog: Catalog, request: Q, context: DecideContext) => Change<R>,
  ): WriteHandler<ClusterShard, Q, Answer<R>> => ({
    kind: 'write',
    decide: (catalog, request, context) => decided(setup, rule(catalog, request, context)),
    refuse,
  })
  const read = <Q, R>(rule: (catalog: Catalog, request: Q) => R): ReadHandler<ClusterShard, Q, Answer<R>> => ({
    kind: 'read',
    read: (catalog, request) => ({ response: rule(catalog, request) }),
    refuse,
  })
  return defineShard<ClusterShard>({
    name: 'cluster',
    initial: emptyCatalog,
    replay: replayCatalog,
    encodeRecord: encodeCatalogRecord,
    decodeRecord: decodeCatalogRecord,
    onLoaded: catalog => ({
      records: firstRecords(catalog, setup),
      after: loaded => ({ effects: [{ kind: 'notify', notice: wholeImage(loaded, setup) }] }),
    }),
    handlers: {
      metadata: write((catalog, asked, { random }) => metadata(catalog, setup, asked, random)),
      describeTopicPartitions: read((catalog, request) => describeTopicPartitions(catalog, setup, request)),
      describeCluster: read((catalog, { request, brokers }) => describeCluster(catalog, setup, request, brokers)),
      createTopics: write((catalog, request, { random }) => createTopics(catalog, setup, request, random)),
      deleteTopics: write((catalog, request) => deleteTopics(catalog, setup, request)),
      createPartitions: write((catalog, request) => createPartitions(catalog, setup, request)),
      describeConfigs: read((catalog, request) => describeConfigs(catalog, setup, request)),
      alterConfigs: write((catalog, request) => alterConfigs(catalog, setup, request)),
      incrementalAlterConfigs: write((catalog, request) => incrementalAlterConfigs(catalog, setup, request)),
      listConfigResources: read((catalog, request) => listConfigResources(catalog, setup, request)),
      updateFeatures: write((catalog, request) => updateFeatures(catalog, request)),
      electLeaders: read((catalog, request) => electLeaders(catalog, request)),
      alterPartitionReassignments: read((catalog, request) => alterPartitionReassignments(catalog, setup, request)),
      listPartitionReassignments: read(() => listPartitionReassignments()),
      ensureTopics: write((catalog, request, { random }) => ensureTopics(catalog, setup, request, random)),
      allocateProducerIds: write(catalog => allocateProducerIds(catalog, setup)),
      bumpLeaderEpochs: write((catalog, { partitions }) => ({
        records: bumpLeaderEpochs(catalog, partitions),
        response: {},
      })),
      removedAmong: read((catalog, { topicIds }) => ({
        topicIds: topicIds.filter(id => catalog.removedTopics.has(id)),
      })),
      tellImage: {
        kind: 'write',
        decide: catalog => ({
          effects: [{ kind: 'notify', notice: wholeImage(catalog, setup) }],
          reply: { response: { clusterId: catalog.clusterId ?? setup.clusterId } },
        }),
        refuse,
      },
    },
  })
}

function decided<R extends object>(setup: ClusterSetup, { records, response, deleted }: Change<R>): ClusterDecision<R> {
  const answer = (catalog: Catalog): Answer<R> => ({
    response: typeof response === 'function' ? (response as (catalog: Catalog) => R)(catalog) : response,
  })
  if (records.length === 0) return { after: catalog => ({ reply: answer(catalog) }) }
  return {
    records,
    after: catalog => {
      const delta = imageDelta(catalog, setup, records, deleted)
      const effects = delta === null ? [] : [{ kind: 'notify' as const, notice: delta }]
      return { reply: answer(catalog), effects }
    },
  }
}
