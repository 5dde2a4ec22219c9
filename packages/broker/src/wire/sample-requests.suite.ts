// Requests that the tests of the network door send, in the newest shape.
import type { ApiRequest } from '@odradek/shared/contracts/api-map'

export const NO_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAA'

export const metadata: ApiRequest<'Metadata'> = {
  topics: [],
  allowAutoTopicCreation: false,
  includeClusterAuthorizedOperations: false,
  includeTopicAuthorizedOperations: false,
}

export const apiVersions: ApiRequest<'ApiVersions'> = {
  clientSoftwareName: 'raw',
  clientSoftwareVersion: '1.0',
}

export function produce(topic: string, records: Uint8Array, { acks = -1, partition = 0 } = {}): ApiRequest<'Produce'> {
  const partitionData = [{ index: partition, records }]
  return {
    transactionalId: null,
    acks,
    timeoutMs: 10_000,
    topicData: [{ name: topic, topicId: NO_TOPIC_ID, partitionData }],
  }
}

export function fetch(
  topic: string,
  offset: number,
  { maxWaitMs = 0, minBytes = 1, maxBytes = 50 * 1024 * 1024, partitions = [0] as readonly number[] } = {},
): ApiRequest<'Fetch'> {
  const asked = partitions.map(partition => ({
    partition,
    currentLeaderEpoch: -1,
    fetchOffset: offset,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
    partitionMaxBytes: maxBytes,
    replicaDirectoryId: NO_TOPIC_ID,
    highWatermark: 2 ** 53 - 1,
  }))
  return {
    clusterId: null,
    replicaId: -1,
    replicaState: { replicaId: -1, replicaEpoch: -1 },
    maxWaitMs,
    minBytes,
    maxBytes,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{ topic, topicId: NO_TOPIC_ID, partitions: asked }],
    forgottenTopicsData: [],
    rackId: '',
  }
}
