// Metadata, DescribeTopicPartitions and DescribeCluster as the catalog answers them. Each topic's part is made once and kept with the
// topic until it changes, so that a response for 10,000 partitions is a list of what is there.
import { ZERO_TOPIC_ID } from '@odradek/shared/base/brands'
import type { BrokerEndpoint } from '@odradek/shared/contracts/cluster.contract'
import { type ErrorName, errors } from '@odradek/shared/protocol/error-codes'
import type {
  MetadataRequest,
  MetadataResponse,
  MetadataResponseTopic,
} from '@odradek/shared/protocol/messages/03-metadata'
import type {
  DescribeClusterRequest,
  DescribeClusterResponse,
} from '@odradek/shared/protocol/messages/60-describe-cluster'
import type {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
  DescribeTopicPartitionsResponseTopic,
} from '@odradek/shared/protocol/messages/75-describe-topic-partitions'
import type { Catalog, Topic } from './catalog.ts'
import { brokerConfig, type ClusterSetup } from './cluster-setup.ts'
import { isInternalTopic } from './internal-topics.rules.ts'
import { invalidTopicName } from './topic-name.rules.ts'

const NOT_ASKED = -(2 ** 31)
/** Without an authorizer everything is allowed: read, write, create, delete, alter, describe, describe and alter configs. */
const TOPIC_OPERATIONS = 0b1101_1111_1000
/** Create, alter, describe, cluster action, describe and alter configs, idempotent write. */
const CLUSTER_OPERATIONS = 0b1_1111_1010_0000

/** Topics that are not there are answered with their error; creating them is decided elsewhere, before. */
export function describeMetadata(
  catalog: Catalog,
  setup: ClusterSetup,
  request: MetadataRequest,
  brokers: readonly BrokerEndpoint[],
): MetadataResponse {
  const asked = request.topics ?? [...catalog.topics.values()].map(({ topicId }) => ({ topicId, name: null }))
  const topics = asked.map(({ name, topicId }) => describeAsked(catalog, name, topicId))
  const withOperations = request.includeTopicAuthorizedOperations
    ? topics.map(topic => ({
        ...topic,
        topicAuthorizedOperations: topic.errorCode === 0 ? TOPIC_OPERATIONS : NOT_ASKED,
      }))
    : topics
  return {
    throttleTimeMs: 0,
    brokers: brokers.map(({ nodeId, host, port, rack }) => ({ nodeId, host, port, rack })),
    clusterId: catalog.clusterId ?? setup.clusterId,
    controllerId: setup.nodeId,
    topics: withOperations,
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? CLUSTER_OPERATIONS : NOT_ASKED,
    errorCode: 0,
  }
}

function describeAsked(catalog: Catalog, name: string | null, topicId: string): MetadataResponseTopic {
  if (topicId !== ZERO_TOPIC_ID) {
    const topic = catalog.topicsById.get(topicId)
    return topic === undefined ? absent('UNKNOWN_TOPIC_ID', null, topicId) : describeTopic(topic)
  }
  const topic = catalog.topics.get(name ?? '')
  if (topic !== undefined) return describeTopic(topic)
  const valid = invalidTopicName(name ?? '') === null
  return absent(valid ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'INVALID_TOPIC_EXCEPTION', name, ZERO_TOPIC_ID)
}

function absent(error: ErrorName, name: string | null, topicId: string): MetadataResponseTopic {
  const isInternal = name !== null && isInternalTopic(name)
  return {
    errorCode: errors[error].code,
    name,
    topicId,
    isInternal,
    partitions: [],
    topicAuthorizedOperations: NOT_ASKED,
  }
}

function describeTopic(topic: Topic): MetadataResponseTopic {
  topic.described ??= {
    errorCode: 0,
    name: topic.name,
    topicId: topic.topicId,
    isInternal: isInternalTopic(topic.name),
    partitions: topic.partitions.map(({ leader, leaderEpoch, replicas, isr }, partitionIndex) => ({
      errorCode: leader < 0 ? errors.LEADER_NOT_AVAILABLE.code : 0,
      partitionIndex,
      leaderId: leader,
      leaderEpoch,
      replicaNodes: [...replicas],
      isrNodes: [...isr],
      offlineReplicas: [],
    })),
    topicAuthorizedOperations: NOT_ASKED,
  }
  return topic.described
}

/** By name, page by page: at most the asked number of partitions, and where to go on. */
export function describeTopicPartitions(
  catalog: Catalog,
  setup: ClusterSetup,
  { topics, responsePartitionLimit, cursor }: DescribeTopicPartitionsRequest,
): DescribeTopicPartitionsResponse {
  const names = topics.length > 0 ? [...new Set(topics.map(({ name }) => name))] : [...catalog.topics.keys()]
  const wanted = names.filter(name => cursor === null || name >= cursor.topicName).sort()
  let left = Math.max(
    1,
    Math.min(responsePartitionLimit, Number(brokerConfig(catalog, setup, 'max.request.partition.size.limit'))),
  )
  const described: DescribeTopicPartitionsResponseTopic[] = []
  for (const name of wanted) {
    const from = cursor !== null && cursor.topicName === name ? Math.max(0, cursor.partitionIndex) : 0
    if (left === 0) return page(described, { topicName: name, partitionIndex: from })
    const topic = describeAsked(catalog, name, ZERO_TOPIC_ID)
    const shown = topic.partitions.slice(from, from + left)
    left -= shown.length
    described.push(withElr(topic, shown))
    if (from + shown.length < topic.partitions.length) {
      return page(described, { topicName: name, partitionIndex: from + shown.length })
    }
  }
  return page(described, null)
}

function page(
  topics: DescribeTopicPartitionsResponseTopic[],
  nextCursor: DescribeTopicPartitionsResponse['nextCursor'],
): DescribeTopicPartitionsResponse {
  return { throttleTimeMs: 0, topics, nextCursor }
}

function withElr(
  topic: MetadataResponseTopic,
  shown: MetadataResponseTopic['partitions'],
): DescribeTopicPartitionsResponseTopic {
  // Never null, though the schema allows it: the Java admin of 4.3.1 reads both without looking.
  const partitions = shown.map(partition => ({ ...partition, eligibleLeaderReplicas: [], lastKnownElr: [] }))
  const topicAuthorizedOperations = topic.errorCode === 0 ? TOPIC_OPERATIONS : NOT_ASKED
  return { ...topic, partitions, topicAuthorizedOperations }
}

const EndpointType = { BROKER: 1, CONTROLLER: 2 } as const

export function describeCluster(
  catalog: Catalog,
  setup: ClusterSetup,
  request: DescribeClusterRequest,
  brokers: readonly BrokerEndpoint[],
): DescribeClusterResponse {
  const base = {
    throttleTimeMs: 0,
    endpointType: request.endpointType,
    clusterId: catalog.clusterId ?? setup.clusterId,
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? CLUSTER_OPERATIONS : NOT_ASKED,
  }
  if (request.endpointType !== EndpointType.BROKER) {
    const known = request.endpointType === EndpointType.CONTROLLER
    const { code, message } = errors[known ? 'MISMATCHED_ENDPOINT_TYPE' : 'UNSUPPORTED_ENDPOINT_TYPE']
    return { ...base, errorCode: code, errorMessage: message, controllerId: -1, brokers: [] }
  }
  const shown = brokers.map(({ nodeId, host, port, rack }) => ({ brokerId: nodeId, host, port, rack, isFenced: false }))
  return { ...base, errorCode: 0, errorMessage: null, controllerId: setup.nodeId, brokers: shown }
}
