// Every API of Apache Kafka 4.3: its key, name, versions and the first version with compact lengths and tagged fields.
// Request and response schemas are loaded when somebody asks for them, so that a thread that speaks three APIs does not
// load sixty message files; code that knows its APIs imports their files directly instead.
// What a broker serves is not said here but by its router, which starts from these versions.

import { loading } from '../base/loading.ts'
import type { Message } from './schema.ts'

/** Request and response of one API. */
export interface ApiMessages {
  readonly request: Message
  readonly response: Message
}

export interface Api {
  readonly key: number
  /** Kafka's name, without `Request` and `Response`. */
  readonly name: string
  readonly versionMin: number
  readonly versionMax: number
  /** Newest version that brokers advertise by default; below `versionMax` where Kafka calls the newest one unstable. */
  readonly versionStableMax: number
  /** First version with compact lengths, tagged fields and the newer headers; Infinity if there is none. */
  readonly flexibleFrom: number
  /** Whether we have the schemas. Without them, an API can only be named. */
  readonly known: boolean
  /** Loads the schemas; rejects with an Error for an API without them. */
  readonly load: () => Promise<ApiMessages>
}

const NEVER = Number.POSITIVE_INFINITY

type Loader = () => Promise<readonly [Message<any>, Message<any>]>

function api(
  key: number,
  name: string,
  [versionMin, versionMax, versionStableMax = versionMax]: readonly [number, number, number?],
  flexibleFrom: number,
  loader?: Loader,
): Api {
  const load = async () => {
    if (loader === undefined) throw new Error(`there are no schemas for ${name} (API key ${key})`)
    const [request, response] = await loading(loader)
    return { request, response }
  }
  return { key, name, versionMin, versionMax, versionStableMax, flexibleFrom, known: loader !== undefined, load }
}

/**
 * By ascending key. Keys 4 to 7 are gone: they were spoken between brokers and ZooKeeper-era controllers.
 * Named but without schemas, because nothing here speaks them:
 * - 38-41 delegation tokens: they need an authorizer and a store of tokens;
 * - 52-54, 56, 58, 59, 62-64, 67, 70, 73, 80-82: controllers and brokers of a KRaft cluster among themselves;
 * - 76-79, 83-87, 90-92: share groups (KIP-932);
 * - 88, 89: streams groups (KIP-1071).
 */
export const apiTable: readonly Api[] = [
  api(0, 'Produce', [3, 13], 9, () =>
    import('./messages/00-produce.ts').then(m => [m.produceRequest, m.produceResponse]),
  ),
  api(1, 'Fetch', [4, 18], 12, () => import('./messages/01-fetch.ts').then(m => [m.fetchRequest, m.fetchResponse])),
  api(2, 'ListOffsets', [1, 11], 6, () =>
    import('./messages/02-list-offsets.ts').then(m => [m.listOffsetsRequest, m.listOffsetsResponse]),
  ),
  api(3, 'Metadata', [0, 13], 9, () =>
    import('./messages/03-metadata.ts').then(m => [m.metadataRequest, m.metadataResponse]),
  ),
  api(8, 'OffsetCommit', [2, 10], 8, () =>
    import('./messages/08-offset-commit.ts').then(m => [m.offsetCommitRequest, m.offsetCommitResponse]),
  ),
  api(9, 'OffsetFetch', [1, 10], 6, () =>
    import('./messages/09-offset-fetch.ts').then(m => [m.offsetFetchRequest, m.offsetFetchResponse]),
  ),
  api(10, 'FindCoordinator', [0, 6], 3, () =>
    import('./messages/10-find-coordinator.ts').then(m => [m.findCoordinatorRequest, m.findCoordinatorResponse]),
  ),
  api(11, 'JoinGroup', [0, 9], 6, () =>
    import('./messages/11-join-group.ts').then(m => [m.joinGroupRequest, m.joinGroupResponse]),
  ),
  api(12, 'Heartbeat', [0, 4], 4, () =>
    import('./messages/12-heartbeat.ts').then(m => [m.heartbeatRequest, m.heartbeatResponse]),
  ),
  api(13, 'LeaveGroup', [0, 5], 4, () =>
    import('./messages/13-leave-group.ts').then(m => [m.leaveGroupRequest, m.leaveGroupResponse]),
  ),
  api(14, 'SyncGroup', [0, 5], 4, () =>
    import('./messages/14-sync-group.ts').then(m => [m.syncGroupRequest, m.syncGroupResponse]),
  ),
  api(15, 'DescribeGroups', [0, 6], 5, () =>
    import('./messages/15-describe-groups.ts').then(m => [m.describeGroupsRequest, m.describeGroupsResponse]),
  ),
  api(16, 'ListGroups', [0, 5], 3, () =>
    import('./messages/16-list-groups.ts').then(m => [m.listGroupsRequest, m.listGroupsResponse]),
  ),
  api(17, 'SaslHandshake', [0, 1], NEVER, () =>
    import('./messages/17-sasl-handshake.ts').then(m => [m.saslHandshakeRequest, m.saslHandshakeResponse]),
  ),
  api(18, 'ApiVersions', [0, 4], 3, () =>
    import('./messages/18-api-versions.ts').then(m => [m.apiVersionsRequest, m.apiVersionsResponse]),
  ),
  api(19, 'CreateTopics', [2, 7], 5, () =>
    import('./messages/19-create-topics.ts').then(m => [m.createTopicsRequest, m.createTopicsResponse]),
  ),
  api(20, 'DeleteTopics', [1, 6], 4, () =>
    import('./messages/20-delete-topics.ts').then(m => [m.deleteTopicsRequest, m.deleteTopicsResponse]),
  ),
  api(21, 'DeleteRecords', [0, 2], 2, () =>
    import('./messages/21-delete-records.ts').then(m => [m.deleteRecordsRequest, m.deleteRecordsResponse]),
  ),
  api(22, 'InitProducerId', [0, 6, 5], 2, () =>
    import('./messages/22-init-producer-id.ts').then(m => [m.initProducerIdRequest, m.initProducerIdResponse]),
  ),
  api(23, 'OffsetForLeaderEpoch', [2, 4], 4, () =>
    import('./messages/23-offset-for-leader-epoch.ts').then(m => [
      m.offsetForLeaderEpochRequest,
      m.offsetForLeaderEpochResponse,
    ]),
  ),
  api(24, 'AddPartitionsToTxn', [0, 5], 3, () =>
    import('./messages/24-add-partitions-to-txn.ts').then(m => [
      m.addPartitionsToTxnRequest,
      m.addPartitionsToTxnResponse,
    ]),
  ),
  api(25, 'AddOffsetsToTxn', [0, 4], 3, () =>
    import('./messages/25-add-offsets-to-txn.ts').then(m => [m.addOffsetsToTxnRequest, m.addOffsetsToTxnResponse]),
  ),
  api(26, 'EndTxn', [0, 5], 3, () => import('./messages/26-end-txn.ts').then(m => [m.endTxnRequest, m.endTxnResponse])),
  api(27, 'WriteTxnMarkers', [1, 2], 1, () =>
    import('./messages/27-write-txn-markers.ts').then(m => [m.writeTxnMarkersRequest, m.writeTxnMarkersResponse]),
  ),
  api(28, 'TxnOffsetCommit', [0, 5], 3, () =>
    import('./messages/28-txn-offset-commit.ts').then(m => [m.txnOffsetCommitRequest, m.txnOffsetCommitResponse]),
  ),
  api(29, 'DescribeAcls', [1, 3], 2, () =>
    import('./messages/29-describe-acls.ts').then(m => [m.describeAclsRequest, m.describeAclsResponse]),
  ),
  api(30, 'CreateAcls', [1, 3], 2, () =>
    import('./messages/30-create-acls.ts').then(m => [m.createAclsRequest, m.createAclsResponse]),
  ),
  api(31, 'DeleteAcls', [1, 3], 2, () =>
    import('./messages/31-delete-acls.ts').then(m => [m.deleteAclsRequest, m.deleteAclsResponse]),
  ),
  api(32, 'DescribeConfigs', [1, 4], 4, () =>
    import('./messages/32-describe-configs.ts').then(m => [m.describeConfigsRequest, m.describeConfigsResponse]),
  ),
  api(33, 'AlterConfigs', [0, 2], 2, () =>
    import('./messages/33-alter-configs.ts').then(m => [m.alterConfigsRequest, m.alterConfigsResponse]),
  ),
  api(34, 'AlterReplicaLogDirs', [1, 2], 2, () =>
    import('./messages/34-alter-replica-log-dirs.ts').then(m => [
      m.alterReplicaLogDirsRequest,
      m.alterReplicaLogDirsResponse,
    ]),
  ),
  api(35, 'DescribeLogDirs', [1, 5], 2, () =>
    import('./messages/35-describe-log-dirs.ts').then(m => [m.describeLogDirsRequest, m.describeLogDirsResponse]),
  ),
  api(36, 'SaslAuthenticate', [0, 2], 2, () =>
    import('./messages/36-sasl-authenticate.ts').then(m => [m.saslAuthenticateRequest, m.saslAuthenticateResponse]),
  ),
  api(37, 'CreatePartitions', [0, 3], 2, () =>
    import('./messages/37-create-partitions.ts').then(m => [m.createPartitionsRequest, m.createPartitionsResponse]),
  ),
  api(38, 'CreateDelegationToken', [1, 3], 2),
  api(39, 'RenewDelegationToken', [1, 2], 2),
  api(40, 'ExpireDelegationToken', [1, 2], 2),
  api(41, 'DescribeDelegationToken', [1, 3], 2),
  api(42, 'DeleteGroups', [0, 2], 2, () =>
    import('./messages/42-delete-groups.ts').then(m => [m.deleteGroupsRequest, m.deleteGroupsResponse]),
  ),
  api(43, 'ElectLeaders', [0, 2], 2, () =>
    import('./messages/43-elect-leaders.ts').then(m => [m.electLeadersRequest, m.electLeadersResponse]),
  ),
  api(44, 'IncrementalAlterConfigs', [0, 1], 1, () =>
    import('./messages/44-incremental-alter-configs.ts').then(m => [
      m.incrementalAlterConfigsRequest,
      m.incrementalAlterConfigsResponse,
    ]),
  ),
  api(45, 'AlterPartitionReassignments', [0, 1], 0, () =>
    import('./messages/45-alter-partition-reassignments.ts').then(m => [
      m.alterPartitionReassignmentsRequest,
      m.alterPartitionReassignmentsResponse,
    ]),
  ),
  api(46, 'ListPartitionReassignments', [0, 0], 0, () =>
    import('./messages/46-list-partition-reassignments.ts').then(m => [
      m.listPartitionReassignmentsRequest,
      m.listPartitionReassignmentsResponse,
    ]),
  ),
  api(47, 'OffsetDelete', [0, 0], NEVER, () =>
    import('./messages/47-offset-delete.ts').then(m => [m.offsetDeleteRequest, m.offsetDeleteResponse]),
  ),
  api(48, 'DescribeClientQuotas', [0, 1], 1, () =>
    import('./messages/48-describe-client-quotas.ts').then(m => [
      m.describeClientQuotasRequest,
      m.describeClientQuotasResponse,
    ]),
  ),
  api(49, 'AlterClientQuotas', [0, 1], 1, () =>
    import('./messages/49-alter-client-quotas.ts').then(m => [m.alterClientQuotasRequest, m.alterClientQuotasResponse]),
  ),
  api(50, 'DescribeUserScramCredentials', [0, 0], 0, () =>
    import('./messages/50-describe-user-scram-credentials.ts').then(m => [
      m.describeUserScramCredentialsRequest,
      m.describeUserScramCredentialsResponse,
    ]),
  ),
  api(51, 'AlterUserScramCredentials', [0, 0], 0, () =>
    import('./messages/51-alter-user-scram-credentials.ts').then(m => [
      m.alterUserScramCredentialsRequest,
      m.alterUserScramCredentialsResponse,
    ]),
  ),
  api(52, 'Vote', [0, 2], 0),
  api(53, 'BeginQuorumEpoch', [0, 1], 1),
  api(54, 'EndQuorumEpoch', [0, 1], 1),
  api(55, 'DescribeQuorum', [0, 2], 0, () =>
    import('./messages/55-describe-quorum.ts').then(m => [m.describeQuorumRequest, m.describeQuorumResponse]),
  ),
  api(56, 'AlterPartition', [2, 3], 0),
  api(57, 'UpdateFeatures', [0, 2], 0, () =>
    import('./messages/57-update-features.ts').then(m => [m.updateFeaturesRequest, m.updateFeaturesResponse]),
  ),
  api(58, 'Envelope', [0, 0], 0),
  api(59, 'FetchSnapshot', [0, 1], 0),
  api(60, 'DescribeCluster', [0, 2], 0, () =>
    import('./messages/60-describe-cluster.ts').then(m => [m.describeClusterRequest, m.describeClusterResponse]),
  ),
  api(61, 'DescribeProducers', [0, 0], 0, () =>
    import('./messages/61-describe-producers.ts').then(m => [m.describeProducersRequest, m.describeProducersResponse]),
  ),
  api(62, 'BrokerRegistration', [0, 5], 0),
  api(63, 'BrokerHeartbeat', [0, 2], 0),
  api(64, 'UnregisterBroker', [0, 0], 0),
  api(65, 'DescribeTransactions', [0, 0], 0, () =>
    import('./messages/65-describe-transactions.ts').then(m => [
      m.describeTransactionsRequest,
      m.describeTransactionsResponse,
    ]),
  ),
  api(66, 'ListTransactions', [0, 2], 0, () =>
    import('./messages/66-list-transactions.ts').then(m => [m.listTransactionsRequest, m.listTransactionsResponse]),
  ),
  api(67, 'AllocateProducerIds', [0, 0], 0),
  api(68, 'ConsumerGroupHeartbeat', [0, 1], 0, () =>
    import('./messages/68-consumer-group-heartbeat.ts').then(m => [
      m.consumerGroupHeartbeatRequest,
      m.consumerGroupHeartbeatResponse,
    ]),
  ),
  api(69, 'ConsumerGroupDescribe', [0, 1], 0, () =>
    import('./messages/69-consumer-group-describe.ts').then(m => [
      m.consumerGroupDescribeRequest,
      m.consumerGroupDescribeResponse,
    ]),
  ),
  api(70, 'ControllerRegistration', [0, 0], 0),
  api(71, 'GetTelemetrySubscriptions', [0, 0], 0, () =>
    import('./messages/71-get-telemetry-subscriptions.ts').then(m => [
      m.getTelemetrySubscriptionsRequest,
      m.getTelemetrySubscriptionsResponse,
    ]),
  ),
  api(72, 'PushTelemetry', [0, 0], 0, () =>
    import('./messages/72-push-telemetry.ts').then(m => [m.pushTelemetryRequest, m.pushTelemetryResponse]),
  ),
  api(73, 'AssignReplicasToDirs', [0, 0], 0),
  api(74, 'ListConfigResources', [0, 1], 0, () =>
    import('./messages/74-list-config-resources.ts').then(m => [
      m.listConfigResourcesRequest,
      m.listConfigResourcesResponse,
    ]),
  ),
  api(75, 'DescribeTopicPartitions', [0, 0], 0, () =>
    import('./messages/75-describe-topic-partitions.ts').then(m => [
      m.describeTopicPartitionsRequest,
      m.describeTopicPartitionsResponse,
    ]),
  ),
  api(76, 'ShareGroupHeartbeat', [1, 1], 0),
  api(77, 'ShareGroupDescribe', [1, 1], 0),
  api(78, 'ShareFetch', [1, 2], 0),
  api(79, 'ShareAcknowledge', [1, 2], 0),
  api(80, 'AddRaftVoter', [0, 1], 0),
  api(81, 'RemoveRaftVoter', [0, 0], 0),
  api(82, 'UpdateRaftVoter', [0, 0], 0),
  api(83, 'InitializeShareGroupState', [0, 0], 0),
  api(84, 'ReadShareGroupState', [0, 0], 0),
  api(85, 'WriteShareGroupState', [0, 1], 0),
  api(86, 'DeleteShareGroupState', [0, 0], 0),
  api(87, 'ReadShareGroupStateSummary', [0, 1], 0),
  api(88, 'StreamsGroupHeartbeat', [0, 0], 0),
  api(89, 'StreamsGroupDescribe', [0, 0], 0),
  api(90, 'DescribeShareGroupOffsets', [0, 1], 0),
  api(91, 'AlterShareGroupOffsets', [0, 0], 0),
  api(92, 'DeleteShareGroupOffsets', [0, 0], 0),
]

const byKey = new Map(apiTable.map(entry => [entry.key, entry]))

/** The API of a key, or undefined if Kafka 4.3 has none. */
export function apiOf(key: number): Api | undefined {
  return byKey.get(key)
}
