// Kafka's APIs by name with the types of their newest request and response: what a ClusterLink, the door's dispatch and the
// network handlers speak. Types only.
import type { ProduceRequest, ProduceResponse } from '../protocol/messages/00-produce.ts'
import type { FetchRequest, FetchResponse } from '../protocol/messages/01-fetch.ts'
import type { ListOffsetsRequest, ListOffsetsResponse } from '../protocol/messages/02-list-offsets.ts'
import type { MetadataRequest, MetadataResponse } from '../protocol/messages/03-metadata.ts'
import type { OffsetCommitRequest, OffsetCommitResponse } from '../protocol/messages/08-offset-commit.ts'
import type { OffsetFetchRequest, OffsetFetchResponse } from '../protocol/messages/09-offset-fetch.ts'
import type { FindCoordinatorRequest, FindCoordinatorResponse } from '../protocol/messages/10-find-coordinator.ts'
import type { JoinGroupRequest, JoinGroupResponse } from '../protocol/messages/11-join-group.ts'
import type { HeartbeatRequest, HeartbeatResponse } from '../protocol/messages/12-heartbeat.ts'
import type { LeaveGroupRequest, LeaveGroupResponse } from '../protocol/messages/13-leave-group.ts'
import type { SyncGroupRequest, SyncGroupResponse } from '../protocol/messages/14-sync-group.ts'
import type { DescribeGroupsRequest, DescribeGroupsResponse } from '../protocol/messages/15-describe-groups.ts'
import type { ListGroupsRequest, ListGroupsResponse } from '../protocol/messages/16-list-groups.ts'
import type { SaslHandshakeRequest, SaslHandshakeResponse } from '../protocol/messages/17-sasl-handshake.ts'
import type { ApiVersionsRequest, ApiVersionsResponse } from '../protocol/messages/18-api-versions.ts'
import type { CreateTopicsRequest, CreateTopicsResponse } from '../protocol/messages/19-create-topics.ts'
import type { DeleteTopicsRequest, DeleteTopicsResponse } from '../protocol/messages/20-delete-topics.ts'
import type { DeleteRecordsRequest, DeleteRecordsResponse } from '../protocol/messages/21-delete-records.ts'
import type { InitProducerIdRequest, InitProducerIdResponse } from '../protocol/messages/22-init-producer-id.ts'
import type {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '../protocol/messages/23-offset-for-leader-epoch.ts'
import type {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from '../protocol/messages/24-add-partitions-to-txn.ts'
import type { AddOffsetsToTxnRequest, AddOffsetsToTxnResponse } from '../protocol/messages/25-add-offsets-to-txn.ts'
import type { EndTxnRequest, EndTxnResponse } from '../protocol/messages/26-end-txn.ts'
import type { WriteTxnMarkersRequest, WriteTxnMarkersResponse } from '../protocol/messages/27-write-txn-markers.ts'
import type { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from '../protocol/messages/28-txn-offset-commit.ts'
import type { DescribeAclsRequest, DescribeAclsResponse } from '../protocol/messages/29-describe-acls.ts'
import type { CreateAclsRequest, CreateAclsResponse } from '../protocol/messages/30-create-acls.ts'
import type { DeleteAclsRequest, DeleteAclsResponse } from '../protocol/messages/31-delete-acls.ts'
import type { DescribeConfigsRequest, DescribeConfigsResponse } from '../protocol/messages/32-describe-configs.ts'
import type { AlterConfigsRequest, AlterConfigsResponse } from '../protocol/messages/33-alter-configs.ts'
import type {
  AlterReplicaLogDirsRequest,
  AlterReplicaLogDirsResponse,
} from '../protocol/messages/34-alter-replica-log-dirs.ts'
import type { DescribeLogDirsRequest, DescribeLogDirsResponse } from '../protocol/messages/35-describe-log-dirs.ts'
import type { SaslAuthenticateRequest, SaslAuthenticateResponse } from '../protocol/messages/36-sasl-authenticate.ts'
import type { CreatePartitionsRequest, CreatePartitionsResponse } from '../protocol/messages/37-create-partitions.ts'
import type { DeleteGroupsRequest, DeleteGroupsResponse } from '../protocol/messages/42-delete-groups.ts'
import type { ElectLeadersRequest, ElectLeadersResponse } from '../protocol/messages/43-elect-leaders.ts'
import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../protocol/messages/44-incremental-alter-configs.ts'
import type {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '../protocol/messages/45-alter-partition-reassignments.ts'
import type {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from '../protocol/messages/46-list-partition-reassignments.ts'
import type { OffsetDeleteRequest, OffsetDeleteResponse } from '../protocol/messages/47-offset-delete.ts'
import type {
  DescribeClientQuotasRequest,
  DescribeClientQuotasResponse,
} from '../protocol/messages/48-describe-client-quotas.ts'
import type {
  AlterClientQuotasRequest,
  AlterClientQuotasResponse,
} from '../protocol/messages/49-alter-client-quotas.ts'
import type {
  DescribeUserScramCredentialsRequest,
  DescribeUserScramCredentialsResponse,
} from '../protocol/messages/50-describe-user-scram-credentials.ts'
import type {
  AlterUserScramCredentialsRequest,
  AlterUserScramCredentialsResponse,
} from '../protocol/messages/51-alter-user-scram-credentials.ts'
import type { DescribeQuorumRequest, DescribeQuorumResponse } from '../protocol/messages/55-describe-quorum.ts'
import type { UpdateFeaturesRequest, UpdateFeaturesResponse } from '../protocol/messages/57-update-features.ts'
import type { DescribeClusterRequest, DescribeClusterResponse } from '../protocol/messages/60-describe-cluster.ts'
import type { DescribeProducersRequest, DescribeProducersResponse } from '../protocol/messages/61-describe-producers.ts'
import type {
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
} from '../protocol/messages/65-describe-transactions.ts'
import type { ListTransactionsRequest, ListTransactionsResponse } from '../protocol/messages/66-list-transactions.ts'
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../protocol/messages/68-consumer-group-heartbeat.ts'
import type {
  ConsumerGroupDescribeRequest,
  ConsumerGroupDescribeResponse,
} from '../protocol/messages/69-consumer-group-describe.ts'
import type {
  GetTelemetrySubscriptionsRequest,
  GetTelemetrySubscriptionsResponse,
} from '../protocol/messages/71-get-telemetry-subscriptions.ts'
import type { PushTelemetryRequest, PushTelemetryResponse } from '../protocol/messages/72-push-telemetry.ts'
import type {
  ListConfigResourcesRequest,
  ListConfigResourcesResponse,
} from '../protocol/messages/74-list-config-resources.ts'
import type {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
} from '../protocol/messages/75-describe-topic-partitions.ts'

export interface ApiMap {
  readonly Produce: readonly [ProduceRequest, ProduceResponse]
  readonly Fetch: readonly [FetchRequest, FetchResponse]
  readonly ListOffsets: readonly [ListOffsetsRequest, ListOffsetsResponse]
  readonly Metadata: readonly [MetadataRequest, MetadataResponse]
  readonly OffsetCommit: readonly [OffsetCommitRequest, OffsetCommitResponse]
  readonly OffsetFetch: readonly [OffsetFetchRequest, OffsetFetchResponse]
  readonly FindCoordinator: readonly [FindCoordinatorRequest, FindCoordinatorResponse]
  readonly JoinGroup: readonly [JoinGroupRequest, JoinGroupResponse]
  readonly Heartbeat: readonly [HeartbeatRequest, HeartbeatResponse]
  readonly LeaveGroup: readonly [LeaveGroupRequest, LeaveGroupResponse]
  readonly SyncGroup: readonly [SyncGroupRequest, SyncGroupResponse]
  readonly DescribeGroups: readonly [DescribeGroupsRequest, DescribeGroupsResponse]
  readonly ListGroups: readonly [ListGroupsRequest, ListGroupsResponse]
  readonly SaslHandshake: readonly [SaslHandshakeRequest, SaslHandshakeResponse]
  readonly ApiVersions: readonly [ApiVersionsRequest, ApiVersionsResponse]
  readonly CreateTopics: readonly [CreateTopicsRequest, CreateTopicsResponse]
  readonly DeleteTopics: readonly [DeleteTopicsRequest, DeleteTopicsResponse]
  readonly DeleteRecords: readonly [DeleteRecordsRequest, DeleteRecordsResponse]
  readonly InitProducerId: readonly [InitProducerIdRequest, InitProducerIdResponse]
  readonly OffsetForLeaderEpoch: readonly [OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse]
  readonly AddPartitionsToTxn: readonly [AddPartitionsToTxnRequest, AddPartitionsToTxnResponse]
  readonly AddOffsetsToTxn: readonly [AddOffsetsToTxnRequest, AddOffsetsToTxnResponse]
  readonly EndTxn: readonly [EndTxnRequest, EndTxnResponse]
  readonly WriteTxnMarkers: readonly [WriteTxnMarkersRequest, WriteTxnMarkersResponse]
  readonly TxnOffsetCommit: readonly [TxnOffsetCommitRequest, TxnOffsetCommitResponse]
  readonly DescribeAcls: readonly [DescribeAclsRequest, DescribeAclsResponse]
  readonly CreateAcls: readonly [CreateAclsRequest, CreateAclsResponse]
  readonly DeleteAcls: readonly [DeleteAclsRequest, DeleteAclsResponse]
  readonly DescribeConfigs: readonly [DescribeConfigsRequest, DescribeConfigsResponse]
  readonly AlterConfigs: readonly [AlterConfigsRequest, AlterConfigsResponse]
  readonly AlterReplicaLogDirs: readonly [AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse]
  readonly DescribeLogDirs: readonly [DescribeLogDirsRequest, DescribeLogDirsResponse]
  readonly SaslAuthenticate: readonly [SaslAuthenticateRequest, SaslAuthenticateResponse]
  readonly CreatePartitions: readonly [CreatePartitionsRequest, CreatePartitionsResponse]
  readonly DeleteGroups: readonly [DeleteGroupsRequest, DeleteGroupsResponse]
  readonly ElectLeaders: readonly [ElectLeadersRequest, ElectLeadersResponse]
  readonly IncrementalAlterConfigs: readonly [IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse]
  readonly AlterPartitionReassignments: readonly [
    AlterPartitionReassignmentsRequest,
    AlterPartitionReassignmentsResponse,
  ]
  readonly ListPartitionReassignments: readonly [ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse]
  readonly OffsetDelete: readonly [OffsetDeleteRequest, OffsetDeleteResponse]
  readonly DescribeClientQuotas: readonly [DescribeClientQuotasRequest, DescribeClientQuotasResponse]
  readonly AlterClientQuotas: readonly [AlterClientQuotasRequest, AlterClientQuotasResponse]
  readonly DescribeUserScramCredentials: readonly [
    DescribeUserScramCredentialsRequest,
    DescribeUserScramCredentialsResponse,
  ]
  readonly AlterUserScramCredentials: readonly [AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse]
  readonly DescribeQuorum: readonly [DescribeQuorumRequest, DescribeQuorumResponse]
  readonly UpdateFeatures: readonly [UpdateFeaturesRequest, UpdateFeaturesResponse]
  readonly DescribeCluster: readonly [DescribeClusterRequest, DescribeClusterResponse]
  readonly DescribeProducers: readonly [DescribeProducersRequest, DescribeProducersResponse]
  readonly DescribeTransactions: readonly [DescribeTransactionsRequest, DescribeTransactionsResponse]
  readonly ListTransactions: readonly [ListTransactionsRequest, ListTransactionsResponse]
  readonly ConsumerGroupHeartbeat: readonly [ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse]
  readonly ConsumerGroupDescribe: readonly [ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse]
  readonly GetTelemetrySubscriptions: readonly [GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse]
  readonly PushTelemetry: readonly [PushTelemetryRequest, PushTelemetryResponse]
  readonly ListConfigResources: readonly [ListConfigResourcesRequest, ListConfigResourcesResponse]
  readonly DescribeTopicPartitions: readonly [DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse]
}

/** Name of a Kafka API, as in Kafka's ApiKeys. */
export type ApiName = keyof ApiMap
export type ApiRequest<A extends ApiName> = ApiMap[A][0]
export type ApiResponse<A extends ApiName> = ApiMap[A][1]
