// Stored form of the catalog: Kafka's metadata records, one per log record, without keys, framed as in Kafka's metadata log
// (`protocol/stored`). Written by the cluster shard, read by it and by `odradek log dump`.
import { ProtocolError } from '@odradek/shared/protocol/protocol-error'
import { data, type Infer, parseVersions, string } from '@odradek/shared/protocol/schema'
import {
  configRecord,
  featureLevelRecord,
  partitionChangeRecord,
  partitionRecord,
  producerIdsRecord,
  registerBrokerRecord,
  removeTopicRecord,
  topicRecord,
} from '@odradek/shared/protocol/stored/cluster-metadata.records'
import { decodeMetadataRecord, encodeMetadataRecord } from '@odradek/shared/protocol/stored/versioned'

/** Kafka's record for clusters that keep their id in the log. */
const clusterIdRecord = data(
  'ClusterIdRecord',
  { type: 'metadata', versions: '0', flexible: '0+', apiKey: 29 },
  { clusterId: string('0+') },
)

const messages = {
  RegisterBrokerRecord: registerBrokerRecord,
  TopicRecord: topicRecord,
  PartitionRecord: partitionRecord,
  ConfigRecord: configRecord,
  PartitionChangeRecord: partitionChangeRecord,
  RemoveTopicRecord: removeTopicRecord,
  FeatureLevelRecord: featureLevelRecord,
  ProducerIdsRecord: producerIdsRecord,
  ClusterIdRecord: clusterIdRecord,
} as const
type Messages = typeof messages
type RecordName = keyof Messages

/** A metadata record by Kafka's name. Fields that are left out take their defaults when it is written. */
export type CatalogRecord = {
  [N in RecordName]: { readonly type: N; readonly value: Readonly<Infer<Messages[N]>> }
}[RecordName]

/** Partition records stay at version 0 while there are no directories and no eligible leader replicas to tell of. */
const versionsWritten: Partial<Record<RecordName, number>> = { PartitionRecord: 0, PartitionChangeRecord: 0 }

export function encodeCatalogRecord(record: CatalogRecord): { key: null; value: Uint8Array } {
  const message = messages[record.type]
  const version = versionsWritten[record.type] ?? parseVersions(message.versions).high
  return { key: null, value: encodeMetadataRecord(message as Messages['TopicRecord'], version, record.value as never) }
}

/** Null for a record of a type or version that is not known here. Throws ProtocolError for bytes that are no record. */
export function decodeCatalogRecord(_key: Uint8Array | null, value: Uint8Array | null): CatalogRecord | null {
  if (value === null) return null
  try {
    const read = decodeMetadataRecord(Object.values(messages), value)
    return { type: read.message.name as RecordName, value: read.value } as CatalogRecord
  } catch (cause) {
    if (cause instanceof ProtocolError && cause.code === 'UNSUPPORTED_VERSION') return null
    throw cause
  }
}

/** A partition led by its only replica. */
export function newPartition(topicId: string, partitionId: number, replicas: readonly number[]): CatalogRecord {
  return {
    type: 'PartitionRecord',
    value: {
      partitionId,
      topicId,
      replicas: [...replicas],
      isr: [...replicas],
      removingReplicas: [],
      addingReplicas: [],
      leader: replicas[0]!,
      leaderRecoveryState: 0,
      leaderEpoch: 0,
      partitionEpoch: 0,
      directories: [],
      eligibleLeaderReplicas: null,
      lastKnownElr: null,
    },
  }
}

/** A new leadership of the same leader: the leader epoch grows by one. */
export function newLeadership(topicId: string, partitionId: number, leader: number): CatalogRecord {
  return {
    type: 'PartitionChangeRecord',
    value: {
      partitionId,
      topicId,
      isr: null,
      leader,
      replicas: null,
      removingReplicas: null,
      addingReplicas: null,
      leaderRecoveryState: -1,
      directories: null,
      eligibleLeaderReplicas: null,
      lastKnownElr: null,
    },
  }
}

/** Kafka's resource types of configs (Java: `ConfigResource.Type`). */
export const ResourceType = { TOPIC: 2, BROKER: 4, BROKER_LOGGER: 8, CLIENT_METRICS: 16, GROUP: 32 } as const

/** Sets a config; null takes it away. */
export function configChange(
  resourceType: number,
  resourceName: string,
  name: string,
  value: string | null,
): CatalogRecord {
  return { type: 'ConfigRecord', value: { resourceType, resourceName, name, value } }
}
