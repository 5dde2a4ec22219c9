// The APIs that the broker itself answers: where coordinators are, producer ids, log directories, the quorum of one, and those whose answer is always
// the same here (no authorizer, no quotas, no telemetry subscriptions). Everything else is the cluster coordinator's.

import type { ActorContext } from '@odradek/shared/actor/actor'
import { loading } from '@odradek/shared/base/loading'
import { internalTopics } from '@odradek/shared/client/port/internal-topics'
import type { ApiName, ApiRequest, ApiResponse } from '@odradek/shared/contracts/api-map'
import type { BrokerEndpoint, TopicImage } from '@odradek/shared/contracts/cluster.contract'
import type { LogDescription } from '@odradek/shared/contracts/partition-leader.contract'
import { errors } from '@odradek/shared/protocol/error-codes'
import { ZERO_UUID } from '@odradek/shared/protocol/schema'
import { metadataTopic } from './cluster-client.ts'
import type { TopicTable } from './topic-table.ts'

/** What the broker's own answers need to know. */
export interface BrokerView {
  readonly context: ActorContext
  readonly endpoint: () => BrokerEndpoint
  readonly topics: TopicTable
  /** Kafka's path of the log directory; `memory` without one. */
  readonly logDir: string
  /** Undefined when the leader does not run and so nobody knows without opening its log. */
  readonly describeLog: (image: TopicImage, partition: number) => Promise<LogDescription | undefined>
  readonly nextProducerId: () => Promise<number>
}

type BrokerAnswers = {
  readonly [A in ApiName]?: (view: BrokerView, request: ApiRequest<A>) => Promise<ApiResponse<A>> | ApiResponse<A>
}

const GROUP = 0
const TRANSACTION = 1
const throttleTimeMs = 0

export const brokerApis: BrokerAnswers = {
  FindCoordinator(view, { key, keyType, coordinatorKeys }) {
    const { nodeId, host, port } = view.endpoint()
    const known = keyType === GROUP || keyType === TRANSACTION
    const keys = coordinatorKeys.length > 0 ? coordinatorKeys : [key]
    const where = known ? { nodeId, host, port } : { nodeId: -1, host: '', port: -1 }
    const errorCode = known ? 0 : errors.INVALID_REQUEST.code
    const errorMessage = known ? null : `key type ${keyType} is not served: 0 (group) and 1 (transaction) are`
    return {
      throttleTimeMs,
      errorCode: 0,
      errorMessage: null,
      nodeId: -1,
      host: '',
      port: -1,
      coordinators: keys.map(id => ({ key: id, ...where, errorCode, errorMessage })),
    }
  },

  async InitProducerId(view) {
    const producerId = await view.nextProducerId()
    return {
      throttleTimeMs,
      errorCode: 0,
      producerId,
      producerEpoch: 0,
      ongoingTxnProducerId: -1,
      ongoingTxnProducerEpoch: -1,
    }
  },

  async DescribeLogDirs(view, { topics }) {
    const asked =
      topics ??
      [...view.topics.topics()].map(({ topic, leaderEpochs }) => ({
        topic,
        partitions: leaderEpochs.map((_, index) => index),
      }))
    const described = asked.flatMap(({ topic, partitions }) => {
      const image = view.topics.find({ topic })
      return image ? [describeTopicLogs(view, image, partitions)] : []
    })
    const result = {
      errorCode: 0,
      logDir: view.logDir,
      topics: await Promise.all(described),
      totalBytes: -1,
      usableBytes: -1,
      isCordoned: false,
    }
    return { throttleTimeMs, errorCode: 0, results: [result] }
  },

  async DescribeQuorum(view, { topics }) {
    const log = await view.describeLog(metadataTopic, 0)
    const { nodeId, host, port } = view.endpoint()
    const now = view.context.clock.now()
    const voter = {
      replicaId: nodeId,
      replicaDirectoryId: ZERO_UUID,
      logEndOffset: log?.logEndOffset ?? -1,
      lastFetchTimestamp: now,
      lastCaughtUpTimestamp: now,
    }
    return {
      errorCode: 0,
      errorMessage: null,
      topics: topics.map(({ topicName, partitions }) => ({
        topicName,
        partitions: partitions.map(({ partitionIndex }) => ({
          partitionIndex,
          ...(topicName === internalTopics.metadata && partitionIndex === 0
            ? { errorCode: 0, errorMessage: null }
            : UNKNOWN_QUORUM),
          leaderId: nodeId,
          leaderEpoch: log?.leaderEpoch ?? -1,
          highWatermark: log?.highWatermark ?? -1,
          currentVoters: [voter],
          observers: [],
        })),
      })),
      nodes: [{ nodeId, listeners: [{ name: 'PLAINTEXT', host, port }] }],
    }
  },

  /** For clients in this process; those of the network are answered by their listener. The router is loaded when it is first asked for. */
  async ApiVersions(view) {
    const { apiVersionsAnswer } = await loading(() => import('../wire/api-versions.rules.ts'))
    return apiVersionsAnswer(view.topics.features)
  },

  DescribeAcls: () => ({ throttleTimeMs, ...SECURITY_DISABLED, resources: [] }),
  CreateAcls: (_view, { creations }) => ({ throttleTimeMs, results: creations.map(() => SECURITY_DISABLED) }),
  DeleteAcls: (_view, { filters }) => ({
    throttleTimeMs,
    filterResults: filters.map(() => ({ ...SECURITY_DISABLED, matchingAcls: [] })),
  }),
  DescribeClientQuotas: () => ({ throttleTimeMs, errorCode: 0, errorMessage: null, entries: [] }),
}

async function describeTopicLogs(view: BrokerView, image: TopicImage, partitions: readonly number[]) {
  const described = partitions
    .filter(partition => partition in image.leaderEpochs)
    .map(async partitionIndex => {
      const log = await view.describeLog(image, partitionIndex)
      return { partitionIndex, partitionSize: log?.sizeInBytes ?? 0, offsetLag: 0, isFutureKey: false }
    })
  return { name: image.topic, partitions: await Promise.all(described) }
}

const SECURITY_DISABLED = { errorCode: errors.SECURITY_DISABLED.code, errorMessage: 'No Authorizer is configured.' }
const UNKNOWN_QUORUM = {
  errorCode: errors.UNKNOWN_TOPIC_OR_PARTITION.code,
  errorMessage: `only ${internalTopics.metadata}-0 has a quorum`,
}
