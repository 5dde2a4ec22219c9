// The one table of Kafka's error codes (Java: `org.apache.kafka.common.protocol.Errors`). Codes and names are Kafka's; whether a
// client may repeat the request, and whether it should ask for metadata before, follows from Kafka's exception classes
// (`RetriableException`, `InvalidMetadataException`); the words are ours.

/** One of Kafka's errors. */
export interface KafkaErrorCode {
  readonly code: number
  readonly name: ErrorName
  /** Whether the same request may succeed when it is repeated. */
  readonly retriable: boolean
  /** Whether it means that the client's metadata is out of date, to be asked for again before the retry. */
  readonly invalidMetadata: boolean
  /** What it means, for people. */
  readonly message: string
}

const FINAL = { retriable: false, invalidMetadata: false }
const RETRIABLE = { retriable: true, invalidMetadata: false }
const STALE_METADATA = { retriable: true, invalidMetadata: true }

function error<N extends string>(code: number, name: N, kind: typeof FINAL, message: string) {
  return { code, name, retriable: kind.retriable, invalidMetadata: kind.invalidMetadata, message }
}

const table = {
  UNKNOWN_SERVER_ERROR: error(-1, 'UNKNOWN_SERVER_ERROR', FINAL, 'The broker met an error that it has no code for.'),
  NONE: error(0, 'NONE', FINAL, 'No error.'),
  OFFSET_OUT_OF_RANGE: error(
    1,
    'OFFSET_OUT_OF_RANGE',
    FINAL,
    'The offset lies outside the range that the partition holds.',
  ),
  CORRUPT_MESSAGE: error(
    2,
    'CORRUPT_MESSAGE',
    RETRIABLE,
    'A record batch fails its checksum, exceeds its size, or is malformed otherwise.',
  ),
  UNKNOWN_TOPIC_OR_PARTITION: error(
    3,
    'UNKNOWN_TOPIC_OR_PARTITION',
    STALE_METADATA,
    'This broker does not have the topic or partition.',
  ),
  INVALID_FETCH_SIZE: error(4, 'INVALID_FETCH_SIZE', FINAL, 'The fetch size is not allowed.'),
  LEADER_NOT_AVAILABLE: error(5, 'LEADER_NOT_AVAILABLE', STALE_METADATA, 'The partition has no leader at the moment.'),
  NOT_LEADER_OR_FOLLOWER: error(
    6,
    'NOT_LEADER_OR_FOLLOWER',
    STALE_METADATA,
    'This broker neither leads the partition nor follows it.',
  ),
  REQUEST_TIMED_OUT: error(7, 'REQUEST_TIMED_OUT', RETRIABLE, 'The request took longer than its timeout.'),
  BROKER_NOT_AVAILABLE: error(8, 'BROKER_NOT_AVAILABLE', FINAL, 'The broker is not there.'),
  REPLICA_NOT_AVAILABLE: error(
    9,
    'REPLICA_NOT_AVAILABLE',
    STALE_METADATA,
    'The replica that was asked for is not there.',
  ),
  MESSAGE_TOO_LARGE: error(10, 'MESSAGE_TOO_LARGE', FINAL, 'A record is larger than the topic or broker allows.'),
  STALE_CONTROLLER_EPOCH: error(11, 'STALE_CONTROLLER_EPOCH', FINAL, 'The controller has moved to another broker.'),
  OFFSET_METADATA_TOO_LARGE: error(
    12,
    'OFFSET_METADATA_TOO_LARGE',
    FINAL,
    'The metadata beside the offset is too large.',
  ),
  NETWORK_EXCEPTION: error(13, 'NETWORK_EXCEPTION', STALE_METADATA, 'The connection broke before the response came.'),
  COORDINATOR_LOAD_IN_PROGRESS: error(
    14,
    'COORDINATOR_LOAD_IN_PROGRESS',
    RETRIABLE,
    'The coordinator is still loading its state.',
  ),
  COORDINATOR_NOT_AVAILABLE: error(15, 'COORDINATOR_NOT_AVAILABLE', RETRIABLE, 'The coordinator is not available.'),
  NOT_COORDINATOR: error(16, 'NOT_COORDINATOR', RETRIABLE, 'This broker is not the coordinator that was asked for.'),
  INVALID_TOPIC_EXCEPTION: error(
    17,
    'INVALID_TOPIC_EXCEPTION',
    FINAL,
    'The topic name is not valid, or the topic may not be written by clients.',
  ),
  RECORD_LIST_TOO_LARGE: error(18, 'RECORD_LIST_TOO_LARGE', FINAL, 'A batch is larger than a log segment.'),
  NOT_ENOUGH_REPLICAS: error(
    19,
    'NOT_ENOUGH_REPLICAS',
    RETRIABLE,
    'There are fewer in-sync replicas than the topic demands.',
  ),
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: error(
    20,
    'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    RETRIABLE,
    'The records are written, but to fewer in-sync replicas than the topic demands.',
  ),
  INVALID_REQUIRED_ACKS: error(21, 'INVALID_REQUIRED_ACKS', FINAL, 'The value of acks is not one of -1, 0 and 1.'),
  ILLEGAL_GENERATION: error(22, 'ILLEGAL_GENERATION', FINAL, "The generation is not the group's present one."),
  INCONSISTENT_GROUP_PROTOCOL: error(
    23,
    'INCONSISTENT_GROUP_PROTOCOL',
    FINAL,
    "The protocol type is not the group's, or no protocol is common to all members.",
  ),
  INVALID_GROUP_ID: error(24, 'INVALID_GROUP_ID', FINAL, 'The group id is not valid.'),
  UNKNOWN_MEMBER_ID: error(25, 'UNKNOWN_MEMBER_ID', FINAL, 'The coordinator does not know this member.'),
  INVALID_SESSION_TIMEOUT: error(
    26,
    'INVALID_SESSION_TIMEOUT',
    FINAL,
    'The session timeout lies outside the range that the broker allows.',
  ),
  REBALANCE_IN_PROGRESS: error(27, 'REBALANCE_IN_PROGRESS', FINAL, 'The group is rebalancing; join again.'),
  INVALID_COMMIT_OFFSET_SIZE: error(
    28,
    'INVALID_COMMIT_OFFSET_SIZE',
    FINAL,
    'The offset to be committed is too large to store.',
  ),
  TOPIC_AUTHORIZATION_FAILED: error(29, 'TOPIC_AUTHORIZATION_FAILED', FINAL, 'Not authorized for the topic.'),
  GROUP_AUTHORIZATION_FAILED: error(30, 'GROUP_AUTHORIZATION_FAILED', FINAL, 'Not authorized for the group.'),
  CLUSTER_AUTHORIZATION_FAILED: error(31, 'CLUSTER_AUTHORIZATION_FAILED', FINAL, 'Not authorized for the cluster.'),
  INVALID_TIMESTAMP: error(32, 'INVALID_TIMESTAMP', FINAL, 'The timestamp of a record is out of the allowed range.'),
  UNSUPPORTED_SASL_MECHANISM: error(
    33,
    'UNSUPPORTED_SASL_MECHANISM',
    FINAL,
    'The broker does not offer this SASL mechanism.',
  ),
  ILLEGAL_SASL_STATE: error(
    34,
    'ILLEGAL_SASL_STATE',
    FINAL,
    'The request is not allowed at this point of authentication.',
  ),
  UNSUPPORTED_VERSION: error(35, 'UNSUPPORTED_VERSION', FINAL, 'The version of the request is not supported.'),
  TOPIC_ALREADY_EXISTS: error(36, 'TOPIC_ALREADY_EXISTS', FINAL, 'The topic exists already.'),
  INVALID_PARTITIONS: error(37, 'INVALID_PARTITIONS', FINAL, 'The number of partitions is not valid.'),
  INVALID_REPLICATION_FACTOR: error(
    38,
    'INVALID_REPLICATION_FACTOR',
    FINAL,
    'The replication factor is below one or above the number of brokers.',
  ),
  INVALID_REPLICA_ASSIGNMENT: error(39, 'INVALID_REPLICA_ASSIGNMENT', FINAL, 'The replica assignment is not valid.'),
  INVALID_CONFIG: error(40, 'INVALID_CONFIG', FINAL, 'The configuration is not valid.'),
  NOT_CONTROLLER: error(41, 'NOT_CONTROLLER', RETRIABLE, 'This broker is not the controller.'),
  INVALID_REQUEST: error(42, 'INVALID_REQUEST', FINAL, 'The request contradicts itself or the protocol.'),
  UNSUPPORTED_FOR_MESSAGE_FORMAT: error(
    43,
    'UNSUPPORTED_FOR_MESSAGE_FORMAT',
    FINAL,
    'The message format does not support what was asked.',
  ),
  POLICY_VIOLATION: error(44, 'POLICY_VIOLATION', FINAL, 'A policy of the cluster forbids the request.'),
  OUT_OF_ORDER_SEQUENCE_NUMBER: error(
    45,
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    FINAL,
    'A sequence number does not follow the last one of its producer.',
  ),
  DUPLICATE_SEQUENCE_NUMBER: error(46, 'DUPLICATE_SEQUENCE_NUMBER', FINAL, 'The batch was written before.'),
  INVALID_PRODUCER_EPOCH: error(
    47,
    'INVALID_PRODUCER_EPOCH',
    FINAL,
    "The producer's epoch is older than the one the partition knows.",
  ),
  INVALID_TXN_STATE: error(48, 'INVALID_TXN_STATE', FINAL, 'The transaction is in no state for this operation.'),
  INVALID_PRODUCER_ID_MAPPING: error(
    49,
    'INVALID_PRODUCER_ID_MAPPING',
    FINAL,
    'The producer id does not belong to this transactional id.',
  ),
  INVALID_TRANSACTION_TIMEOUT: error(
    50,
    'INVALID_TRANSACTION_TIMEOUT',
    FINAL,
    'The transaction timeout exceeds what the broker allows.',
  ),
  CONCURRENT_TRANSACTIONS: error(
    51,
    'CONCURRENT_TRANSACTIONS',
    RETRIABLE,
    'Another operation on this transaction is still under way.',
  ),
  TRANSACTION_COORDINATOR_FENCED: error(
    52,
    'TRANSACTION_COORDINATOR_FENCED',
    FINAL,
    'The transaction coordinator has been succeeded by another.',
  ),
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: error(
    53,
    'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
    FINAL,
    'Not authorized for the transactional id.',
  ),
  SECURITY_DISABLED: error(54, 'SECURITY_DISABLED', FINAL, 'Security features are not enabled.'),
  OPERATION_NOT_ATTEMPTED: error(
    55,
    'OPERATION_NOT_ATTEMPTED',
    FINAL,
    'Not attempted, because of what happened to something else in the request.',
  ),
  KAFKA_STORAGE_ERROR: error(56, 'KAFKA_STORAGE_ERROR', STALE_METADATA, 'The disk could not be read or written.'),
  LOG_DIR_NOT_FOUND: error(57, 'LOG_DIR_NOT_FOUND', FINAL, 'The log directory is not there.'),
  SASL_AUTHENTICATION_FAILED: error(58, 'SASL_AUTHENTICATION_FAILED', FINAL, 'Authentication failed.'),
  UNKNOWN_PRODUCER_ID: error(
    59,
    'UNKNOWN_PRODUCER_ID',
    FINAL,
    'The partition has no record of this producer id any more.',
  ),
  REASSIGNMENT_IN_PROGRESS: error(60, 'REASSIGNMENT_IN_PROGRESS', FINAL, 'The partitions are being reassigned.'),
  DELEGATION_TOKEN_AUTH_DISABLED: error(
    61,
    'DELEGATION_TOKEN_AUTH_DISABLED',
    FINAL,
    'Delegation tokens are not enabled.',
  ),
  DELEGATION_TOKEN_NOT_FOUND: error(62, 'DELEGATION_TOKEN_NOT_FOUND', FINAL, 'The delegation token does not exist.'),
  DELEGATION_TOKEN_OWNER_MISMATCH: error(
    63,
    'DELEGATION_TOKEN_OWNER_MISMATCH',
    FINAL,
    'The delegation token belongs to somebody else.',
  ),
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: error(
    64,
    'DELEGATION_TOKEN_REQUEST_NOT_ALLOWED',
    FINAL,
    'Delegation tokens may not be asked for over this connection.',
  ),
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: error(
    65,
    'DELEGATION_TOKEN_AUTHORIZATION_FAILED',
    FINAL,
    'Not authorized for the delegation token.',
  ),
  DELEGATION_TOKEN_EXPIRED: error(66, 'DELEGATION_TOKEN_EXPIRED', FINAL, 'The delegation token has expired.'),
  INVALID_PRINCIPAL_TYPE: error(67, 'INVALID_PRINCIPAL_TYPE', FINAL, 'The type of the principal is not supported.'),
  NON_EMPTY_GROUP: error(68, 'NON_EMPTY_GROUP', FINAL, 'The group still has members.'),
  GROUP_ID_NOT_FOUND: error(69, 'GROUP_ID_NOT_FOUND', FINAL, 'The group does not exist.'),
  FETCH_SESSION_ID_NOT_FOUND: error(70, 'FETCH_SESSION_ID_NOT_FOUND', RETRIABLE, 'The fetch session does not exist.'),
  INVALID_FETCH_SESSION_EPOCH: error(
    71,
    'INVALID_FETCH_SESSION_EPOCH',
    RETRIABLE,
    'The epoch of the fetch session is out of step.',
  ),
  LISTENER_NOT_FOUND: error(72, 'LISTENER_NOT_FOUND', STALE_METADATA, 'No listener of this name leads to the leader.'),
  TOPIC_DELETION_DISABLED: error(73, 'TOPIC_DELETION_DISABLED', FINAL, 'Deleting topics is disabled.'),
  FENCED_LEADER_EPOCH: error(74, 'FENCED_LEADER_EPOCH', STALE_METADATA, "The leader epoch is older than the broker's."),
  UNKNOWN_LEADER_EPOCH: error(75, 'UNKNOWN_LEADER_EPOCH', RETRIABLE, "The leader epoch is newer than the broker's."),
  UNSUPPORTED_COMPRESSION_TYPE: error(
    76,
    'UNSUPPORTED_COMPRESSION_TYPE',
    FINAL,
    'The compression type is not supported in this version.',
  ),
  STALE_BROKER_EPOCH: error(77, 'STALE_BROKER_EPOCH', FINAL, 'The broker epoch is out of date.'),
  OFFSET_NOT_AVAILABLE: error(
    78,
    'OFFSET_NOT_AVAILABLE',
    RETRIABLE,
    'The leader does not yet know its high watermark after an election.',
  ),
  MEMBER_ID_REQUIRED: error(79, 'MEMBER_ID_REQUIRED', FINAL, 'The member must join again with the id it was given.'),
  PREFERRED_LEADER_NOT_AVAILABLE: error(
    80,
    'PREFERRED_LEADER_NOT_AVAILABLE',
    STALE_METADATA,
    'The preferred leader is not available.',
  ),
  GROUP_MAX_SIZE_REACHED: error(81, 'GROUP_MAX_SIZE_REACHED', FINAL, 'The group has as many members as it may have.'),
  FENCED_INSTANCE_ID: error(82, 'FENCED_INSTANCE_ID', FINAL, 'Another member has taken over this group instance id.'),
  ELIGIBLE_LEADERS_NOT_AVAILABLE: error(
    83,
    'ELIGIBLE_LEADERS_NOT_AVAILABLE',
    STALE_METADATA,
    'None of the replicas that may lead is available.',
  ),
  ELECTION_NOT_NEEDED: error(84, 'ELECTION_NOT_NEEDED', STALE_METADATA, 'The partition needs no election.'),
  NO_REASSIGNMENT_IN_PROGRESS: error(85, 'NO_REASSIGNMENT_IN_PROGRESS', FINAL, 'There is no reassignment under way.'),
  GROUP_SUBSCRIBED_TO_TOPIC: error(
    86,
    'GROUP_SUBSCRIBED_TO_TOPIC',
    FINAL,
    'The group is subscribed to the topic, so its offsets may not be deleted.',
  ),
  INVALID_RECORD: error(87, 'INVALID_RECORD', FINAL, 'A record fails the checks of the broker.'),
  UNSTABLE_OFFSET_COMMIT: error(
    88,
    'UNSTABLE_OFFSET_COMMIT',
    RETRIABLE,
    'An open transaction may still change the offset.',
  ),
  THROTTLING_QUOTA_EXCEEDED: error(
    89,
    'THROTTLING_QUOTA_EXCEEDED',
    RETRIABLE,
    'The quota for this kind of request is used up.',
  ),
  PRODUCER_FENCED: error(
    90,
    'PRODUCER_FENCED',
    FINAL,
    'A newer producer with the same transactional id has taken over.',
  ),
  RESOURCE_NOT_FOUND: error(91, 'RESOURCE_NOT_FOUND', FINAL, 'The resource does not exist.'),
  DUPLICATE_RESOURCE: error(92, 'DUPLICATE_RESOURCE', FINAL, 'The resource exists already.'),
  UNACCEPTABLE_CREDENTIAL: error(93, 'UNACCEPTABLE_CREDENTIAL', FINAL, 'The credential does not meet the demands.'),
  INCONSISTENT_VOTER_SET: error(94, 'INCONSISTENT_VOTER_SET', FINAL, 'The two sides disagree about the set of voters.'),
  INVALID_UPDATE_VERSION: error(95, 'INVALID_UPDATE_VERSION', FINAL, 'The version of the update is not valid.'),
  FEATURE_UPDATE_FAILED: error(96, 'FEATURE_UPDATE_FAILED', FINAL, 'The features could not be updated.'),
  PRINCIPAL_DESERIALIZATION_FAILURE: error(
    97,
    'PRINCIPAL_DESERIALIZATION_FAILURE',
    FINAL,
    'The principal of a forwarded request could not be read.',
  ),
  SNAPSHOT_NOT_FOUND: error(98, 'SNAPSHOT_NOT_FOUND', FINAL, 'The snapshot does not exist.'),
  POSITION_OUT_OF_RANGE: error(99, 'POSITION_OUT_OF_RANGE', FINAL, 'The position lies outside the snapshot.'),
  UNKNOWN_TOPIC_ID: error(100, 'UNKNOWN_TOPIC_ID', STALE_METADATA, 'This broker does not have a topic of this id.'),
  DUPLICATE_BROKER_REGISTRATION: error(
    101,
    'DUPLICATE_BROKER_REGISTRATION',
    FINAL,
    'Another broker with this id is registered.',
  ),
  BROKER_ID_NOT_REGISTERED: error(102, 'BROKER_ID_NOT_REGISTERED', FINAL, 'The broker id is not registered.'),
  INCONSISTENT_TOPIC_ID: error(
    103,
    'INCONSISTENT_TOPIC_ID',
    STALE_METADATA,
    'The topic id is not the one that the log has.',
  ),
  INCONSISTENT_CLUSTER_ID: error(104, 'INCONSISTENT_CLUSTER_ID', FINAL, 'The cluster id is another one.'),
  TRANSACTIONAL_ID_NOT_FOUND: error(105, 'TRANSACTIONAL_ID_NOT_FOUND', FINAL, 'The transactional id does not exist.'),
  FETCH_SESSION_TOPIC_ID_ERROR: error(
    106,
    'FETCH_SESSION_TOPIC_ID_ERROR',
    RETRIABLE,
    'The fetch session mixes topic ids and topic names.',
  ),
  INELIGIBLE_REPLICA: error(107, 'INELIGIBLE_REPLICA', FINAL, 'The replica may not join the in-sync set.'),
  NEW_LEADER_ELECTED: error(
    108,
    'NEW_LEADER_ELECTED',
    FINAL,
    'The change to the partition has just elected another leader.',
  ),
  OFFSET_MOVED_TO_TIERED_STORAGE: error(
    109,
    'OFFSET_MOVED_TO_TIERED_STORAGE',
    FINAL,
    'The offset has moved to tiered storage.',
  ),
  FENCED_MEMBER_EPOCH: error(110, 'FENCED_MEMBER_EPOCH', FINAL, 'The member epoch has been fenced; join again.'),
  UNRELEASED_INSTANCE_ID: error(
    111,
    'UNRELEASED_INSTANCE_ID',
    FINAL,
    'Another member of the group still holds this instance id.',
  ),
  UNSUPPORTED_ASSIGNOR: error(112, 'UNSUPPORTED_ASSIGNOR', FINAL, 'The assignor is not supported by the broker.'),
  STALE_MEMBER_EPOCH: error(113, 'STALE_MEMBER_EPOCH', FINAL, 'The member epoch is behind; repeat with the newest.'),
  MISMATCHED_ENDPOINT_TYPE: error(
    114,
    'MISMATCHED_ENDPOINT_TYPE',
    FINAL,
    'The request was sent to the wrong kind of endpoint.',
  ),
  UNSUPPORTED_ENDPOINT_TYPE: error(115, 'UNSUPPORTED_ENDPOINT_TYPE', FINAL, 'This kind of endpoint is not known.'),
  UNKNOWN_CONTROLLER_ID: error(116, 'UNKNOWN_CONTROLLER_ID', FINAL, 'The controller id is not known.'),
  UNKNOWN_SUBSCRIPTION_ID: error(117, 'UNKNOWN_SUBSCRIPTION_ID', FINAL, 'The telemetry subscription is out of date.'),
  TELEMETRY_TOO_LARGE: error(118, 'TELEMETRY_TOO_LARGE', FINAL, 'The metrics pushed are too large.'),
  INVALID_REGISTRATION: error(119, 'INVALID_REGISTRATION', FINAL, 'The registration of the broker is not valid.'),
  TRANSACTION_ABORTABLE: error(120, 'TRANSACTION_ABORTABLE', FINAL, 'The transaction can only be aborted now.'),
  INVALID_RECORD_STATE: error(
    121,
    'INVALID_RECORD_STATE',
    FINAL,
    'The record is in no state for this acknowledgement.',
  ),
  SHARE_SESSION_NOT_FOUND: error(122, 'SHARE_SESSION_NOT_FOUND', RETRIABLE, 'The share session does not exist.'),
  INVALID_SHARE_SESSION_EPOCH: error(
    123,
    'INVALID_SHARE_SESSION_EPOCH',
    RETRIABLE,
    'The epoch of the share session is out of step.',
  ),
  FENCED_STATE_EPOCH: error(
    124,
    'FENCED_STATE_EPOCH',
    FINAL,
    'The state epoch of the share partition has been fenced.',
  ),
  INVALID_VOTER_KEY: error(125, 'INVALID_VOTER_KEY', FINAL, 'The voter key does not fit the replica.'),
  DUPLICATE_VOTER: error(126, 'DUPLICATE_VOTER', FINAL, 'The voter is in the set already.'),
  VOTER_NOT_FOUND: error(127, 'VOTER_NOT_FOUND', FINAL, 'The voter is not in the set.'),
  INVALID_REGULAR_EXPRESSION: error(128, 'INVALID_REGULAR_EXPRESSION', FINAL, 'The regular expression is not valid.'),
  REBOOTSTRAP_REQUIRED: error(
    129,
    'REBOOTSTRAP_REQUIRED',
    FINAL,
    'The client must find the cluster anew from its bootstrap servers.',
  ),
  STREAMS_INVALID_TOPOLOGY: error(130, 'STREAMS_INVALID_TOPOLOGY', FINAL, 'The streams topology is not valid.'),
  STREAMS_INVALID_TOPOLOGY_EPOCH: error(
    131,
    'STREAMS_INVALID_TOPOLOGY_EPOCH',
    FINAL,
    'The epoch of the streams topology is not valid.',
  ),
  STREAMS_TOPOLOGY_FENCED: error(
    132,
    'STREAMS_TOPOLOGY_FENCED',
    FINAL,
    'The epoch of the streams topology has been fenced.',
  ),
  SHARE_SESSION_LIMIT_REACHED: error(
    133,
    'SHARE_SESSION_LIMIT_REACHED',
    RETRIABLE,
    'The broker has as many share sessions as it may have.',
  ),
  GROUP_DELETION_FAILED: error(134, 'GROUP_DELETION_FAILED', FINAL, 'The group could not be deleted.'),
  STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED: error(
    135,
    'STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED',
    FINAL,
    'The description of the streams topology could not be updated.',
  ),
  CONTROLLER_ID_NOT_REGISTERED: error(
    136,
    'CONTROLLER_ID_NOT_REGISTERED',
    FINAL,
    'The controller id is not registered.',
  ),
} as const

export type ErrorName = keyof typeof table

/** Every error by its name: `errors.NOT_COORDINATOR.code`. */
export const errors: { readonly [N in ErrorName]: KafkaErrorCode } = table

const byCode = new Map<number, KafkaErrorCode>(Object.values(errors).map(entry => [entry.code, entry]))

/** The error of a code. Codes that we do not know are treated as Kafka's clients do: UNKNOWN_SERVER_ERROR. */
export function errorOf(code: number): KafkaErrorCode {
  return byCode.get(code) ?? errors.UNKNOWN_SERVER_ERROR
}
