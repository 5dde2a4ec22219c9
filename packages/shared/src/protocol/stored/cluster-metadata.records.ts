// Records of `__cluster_metadata`, as Kafka's controllers write them. Framed by `metadata-record.ts`, without keys.
// Only what our cluster coordinator knows is here; the numbers are Kafka's `MetadataRecordType`.

import { array, bool, data, float64, type Infer, int8, int16, int32, int64, string, uint16, uuid } from '../schema.ts'

const FLEXIBLE = { type: 'metadata', versions: '0', flexible: '0+' } as const

/** Version 1: controlled shutdown; 2: migration from ZooKeeper; 3: log directories; 4: cordoned ones. */
export const registerBrokerRecord = data(
  'RegisterBrokerRecord',
  { ...FLEXIBLE, apiKey: 0, versions: '0-4' },
  {
    brokerId: int32('0+', { entityType: 'brokerId' }),
    isMigratingZkBroker: bool('2+'),
    incarnationId: uuid('0+'),
    brokerEpoch: int64('0+'),
    endPoints: array('0+', {
      name: string('0+', { mapKey: true }),
      host: string('0+'),
      port: uint16('0+'),
      /** 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL. */
      securityProtocol: int16('0+'),
    }),
    features: array('0+', {
      name: string('0+', { mapKey: true }),
      minSupportedVersion: int16('0+'),
      maxSupportedVersion: int16('0+'),
    }),
    rack: string('0+', { nullable: '0+' }),
    fenced: bool('0+', { default: true }),
    inControlledShutdown: bool('1+'),
    logDirs: array('3+', 'uuid', { tag: 0 }),
    /** Directories that take no new partitions (KIP-1066). */
    cordonedLogDirs: array('4+', 'uuid', { nullable: '4+', default: null, tag: 1 }),
  },
)
export type RegisterBrokerRecord = Infer<typeof registerBrokerRecord>

export const topicRecord = data(
  'TopicRecord',
  { ...FLEXIBLE, apiKey: 2 },
  { name: string('0+', { entityType: 'topicName' }), topicId: uuid('0+') },
)
export type TopicRecord = Infer<typeof topicRecord>

/** Version 1: directories of the replicas (KIP-858); 2: eligible leader replicas (KIP-966). */
export const partitionRecord = data(
  'PartitionRecord',
  { ...FLEXIBLE, apiKey: 3, versions: '0-2' },
  {
    partitionId: int32('0+', { default: -1 }),
    topicId: uuid('0+'),
    /** Preferred leader first. */
    replicas: array('0+', 'int32', { entityType: 'brokerId' }),
    isr: array('0+', 'int32'),
    removingReplicas: array('0+', 'int32', { entityType: 'brokerId' }),
    addingReplicas: array('0+', 'int32', { entityType: 'brokerId' }),
    /** -1: there is none. */
    leader: int32('0+', { default: -1, entityType: 'brokerId' }),
    /** 1 while the leader recovers from an unclean election. */
    leaderRecoveryState: int8('0+', { tag: 0 }),
    leaderEpoch: int32('0+', { default: -1 }),
    /** Grows with every change of the partition. */
    partitionEpoch: int32('0+', { default: -1 }),
    /** In the order of `replicas`. */
    directories: array('1+', 'uuid'),
    eligibleLeaderReplicas: array('2+', 'int32', { nullable: '2+', default: null, tag: 1, entityType: 'brokerId' }),
    lastKnownElr: array('2+', 'int32', { nullable: '2+', default: null, tag: 2, entityType: 'brokerId' }),
  },
)
export type PartitionRecord = Infer<typeof partitionRecord>

export const configRecord = data(
  'ConfigRecord',
  { ...FLEXIBLE, apiKey: 4 },
  {
    /** 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group. */
    resourceType: int8('0+'),
    resourceName: string('0+'),
    name: string('0+'),
    /** Null removes the config. */
    value: string('0+', { nullable: '0+' }),
  },
)
export type ConfigRecord = Infer<typeof configRecord>

/** What changed of a partition: a field that is null (or -2, -1) did not. Version 1: directories; 2: eligible leader replicas. */
export const partitionChangeRecord = data(
  'PartitionChangeRecord',
  { ...FLEXIBLE, apiKey: 5, versions: '0-2' },
  {
    partitionId: int32('0+', { default: -1 }),
    topicId: uuid('0+'),
    isr: array('0+', 'int32', { nullable: '0+', default: null, tag: 0, entityType: 'brokerId' }),
    /** -1: there is none now; -2: unchanged. */
    leader: int32('0+', { default: -2, tag: 1, entityType: 'brokerId' }),
    replicas: array('0+', 'int32', { nullable: '0+', default: null, tag: 2, entityType: 'brokerId' }),
    removingReplicas: array('0+', 'int32', { nullable: '0+', default: null, tag: 3, entityType: 'brokerId' }),
    addingReplicas: array('0+', 'int32', { nullable: '0+', default: null, tag: 4, entityType: 'brokerId' }),
    /** -1: unchanged. */
    leaderRecoveryState: int8('0+', { default: -1, tag: 5 }),
    directories: array('1+', 'uuid', { nullable: '1+', default: null, tag: 8 }),
    eligibleLeaderReplicas: array('2+', 'int32', { nullable: '2+', default: null, tag: 6, entityType: 'brokerId' }),
    lastKnownElr: array('2+', 'int32', { nullable: '2+', default: null, tag: 7, entityType: 'brokerId' }),
  },
)
export type PartitionChangeRecord = Infer<typeof partitionChangeRecord>

/** Takes the topic's partitions and configs with it. */
export const removeTopicRecord = data('RemoveTopicRecord', { ...FLEXIBLE, apiKey: 9 }, { topicId: uuid('0+') })
export type RemoveTopicRecord = Infer<typeof removeTopicRecord>

/** The first record of a log; never has a version above 0, so that anybody can read the metadata.version. */
export const featureLevelRecord = data(
  'FeatureLevelRecord',
  { ...FLEXIBLE, apiKey: 12 },
  {
    name: string('0+'),
    /** 0: not in use. */
    featureLevel: int16('0+'),
  },
)
export type FeatureLevelRecord = Infer<typeof featureLevelRecord>

export const clientQuotaRecord = data(
  'ClientQuotaRecord',
  { ...FLEXIBLE, apiKey: 14 },
  {
    entity: array('0+', {
      entityType: string('0+'),
      /** Null: the default of its type. */
      entityName: string('0+', { nullable: '0+' }),
    }),
    key: string('0+'),
    value: float64('0+'),
    remove: bool('0+'),
  },
)
export type ClientQuotaRecord = Infer<typeof clientQuotaRecord>

/** A block of producer ids was handed out; what follows it is free. */
export const producerIdsRecord = data(
  'ProducerIdsRecord',
  { ...FLEXIBLE, apiKey: 15 },
  {
    brokerId: int32('0+', { entityType: 'brokerId' }),
    brokerEpoch: int64('0+', { default: -1 }),
    nextProducerId: int64('0+'),
  },
)
export type ProducerIdsRecord = Infer<typeof producerIdsRecord>

export const noOpRecord = data('NoOpRecord', { ...FLEXIBLE, apiKey: 20 }, {})
export type NoOpRecord = Infer<typeof noOpRecord>
