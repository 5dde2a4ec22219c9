// OffsetCommit and TxnOffsetCommit (Java: OffsetMetadataManager.commitOffset, commitTransactionalOffset; ClassicGroup and ConsumerGroup
// .validateOffsetCommit). A commit is accepted from the group's members in their generation or epoch, or from anyone while it has none.
import { ZERO_TOPIC_ID } from '@odradek/shared/base/brands'
import { errors } from '@odradek/shared/protocol/error-codes'
import type { OffsetCommitRequest, OffsetCommitResponse } from '@odradek/shared/protocol/messages/08-offset-commit'
import type {
  TxnOffsetCommitRequest,
  TxnOffsetCommitResponse,
} from '@odradek/shared/protocol/messages/28-txn-offset-commit'
import type { ClassicGroup } from './classic-group.ts'
import { validateGeneration } from './classic-members.rules.ts'
import { type ConsumerGroup, type ConsumerMember, LEAVE_EPOCH } from './consumer-group.ts'
import type { GroupRecord } from './group.records.ts'
import type { GroupDecision } from './group-words.ts'
import type { Asked, Group, GroupContext } from './groups.ts'
import { sessionEffects } from './sync-group.rules.ts'
import type { TopicFacts } from './topic-view.ts'

/** From this version on members of the consumer protocol may commit, and errors of theirs are understood. */
const CONSUMER_PROTOCOL_VERSION = 9
/** From this version on topics go by id. */
const TOPIC_ID_VERSION = 10

/** Who commits, in the words of both APIs. */
interface Committer {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generationIdOrMemberEpoch: number
}

interface CommittedPartition {
  readonly partitionIndex: number
  readonly committedOffset: number
  readonly committedLeaderEpoch: number
  readonly committedMetadata: string | null
}

/** Whether this member may commit this partition; 0 or an error code. Made by the validation of the whole request. */
type PartitionRule = (topicId: string, partition: number) => number
const ANY_PARTITION: PartitionRule = () => 0

export function commitOffsets(
  group: Group | undefined,
  { request, apiVersion }: Asked<OffsetCommitRequest>,
  context: GroupContext,
): GroupDecision<OffsetCommitResponse> {
  const verdict = validateCommit(group, request, { apiVersion, isTransactional: false })
  const records: GroupRecord[] = []
  const { now, topics } = context
  const expireTimestamp = request.retentionTimeMs === -1 ? -1 : now + request.retentionTimeMs
  const answers = request.topics.map(({ name, topicId, partitions }) => {
    const byId = apiVersion >= TOPIC_ID_VERSION && name === ''
    const known = byId ? topics.byId(topicId) : topics.byName(name)
    const unknown = byId ? errors.UNKNOWN_TOPIC_ID.code : errors.UNKNOWN_TOPIC_OR_PARTITION.code
    const commit = (partition: CommittedPartition): number => {
      if (typeof verdict === 'number') return verdict
      if (known === undefined) return unknown
      const errorCode = validatePartition(known, partition, verdict, context)
      if (errorCode === 0) records.push(offsetRecord(request.groupId, known, partition, { now, expireTimestamp }))
      return errorCode
    }
    return {
      name,
      topicId,
      partitions: partitions.map(partition => ({
        partitionIndex: partition.partitionIndex,
        errorCode: commit(partition),
      })),
    }
  })
  const reply = { throttleTimeMs: 0, topics: answers }
  if (typeof verdict === 'number') return { reply }
  return { records, reply, effects: commitKeepsSession(group, request) }
}

/** A commit of a classic member is a sign of life too. */
function commitKeepsSession(group: Group | undefined, { memberId, generationIdOrMemberEpoch }: Committer) {
  const counts = group?.type === 'classic' && generationIdOrMemberEpoch >= 0 && group.members.has(memberId)
  return counts ? sessionEffects(group, memberId) : []
}

/** Offsets that count once the producer's transaction commits: appended under its id and epoch, staged until its marker comes. */
export function commitTransactionalOffsets(
  group: Group | undefined,
  { request, apiVersion, verification }: Asked<TxnOffsetCommitRequest>,
  context: GroupContext,
): GroupDecision<TxnOffsetCommitResponse> {
  const verdict = validateCommit(group, request, { apiVersion, isTransactional: true })
  const records: GroupRecord[] = []
  const { now, topics } = context
  const answers = request.topics.map(({ name, partitions }) => {
    const known = topics.byName(name)
    const commit = (partition: CommittedPartition): number => {
      if (typeof verdict === 'number') return verdict
      if (known === undefined) return errors.UNKNOWN_TOPIC_OR_PARTITION.code
      const errorCode = validatePartition(known, partition, verdict, context)
      if (errorCode === 0) records.push(offsetRecord(request.groupId, known, partition, { now, expireTimestamp: -1 }))
      return errorCode
    }
    return {
      name,
      partitions: partitions.map(partition => ({
        partitionIndex: partition.partitionIndex,
        errorCode: commit(partition),
      })),
    }
  })
  const reply = { throttleTimeMs: 0, topics: answers }
  const { producerId, producerEpoch } = request
  return { records, reply, transaction: { producerId, producerEpoch, verification } }
}

function validatePartition(
  { topicId, partitions }: TopicFacts,
  { partitionIndex, committedMetadata }: CommittedPartition,
  mayCommit: PartitionRule,
  { settings }: GroupContext,
): number {
  if (partitionIndex < 0 || partitionIndex >= partitions) return errors.UNKNOWN_TOPIC_OR_PARTITION.code
  if ((committedMetadata?.length ?? 0) > settings.offsetMetadataMax) return errors.OFFSET_METADATA_TOO_LARGE.code
  return mayCommit(topicId, partitionIndex)
}

function offsetRecord(
  group: string,
  { topic, topicId }: TopicFacts,
  { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }: CommittedPartition,
  { now, expireTimestamp }: { readonly now: number; readonly expireTimestamp: number },
): GroupRecord {
  return {
    kind: 'OffsetCommit',
    key: { group, topic, partition: partitionIndex },
    value: {
      offset: committedOffset,
      leaderEpoch: committedLeaderEpoch,
      metadata: committedMetadata ?? '',
      commitTimestamp: now,
      expireTimestamp,
      // Version 1, which alone has an expiry time, has no id.
      topicId: expireTimestamp === -1 ? topicId : ZERO_TOPIC_ID,
    },
  }
}

interface CommitKind {
  readonly apiVersion: number
  readonly isTransactional: boolean
}

/** The rule for each partition, or the error code of all. */
function validateCommit(group: Group | undefined, committer: Committer, kind: CommitKind): PartitionRule | number {
  if (group === undefined) return validateWithoutGroup(committer, kind)
  return group.type === 'classic'
    ? validateClassicCommit(group, committer, kind)
    : validateConsumerCommit(group, committer, kind)
}

/** Without a generation the commit comes from a consumer without membership, or an administrator: the group begins with it. */
function validateWithoutGroup({ generationIdOrMemberEpoch }: Committer, kind: CommitKind): PartitionRule | number {
  if (generationIdOrMemberEpoch < 0) return ANY_PARTITION
  return !kind.isTransactional && kind.apiVersion >= CONSUMER_PROTOCOL_VERSION
    ? errors.GROUP_ID_NOT_FOUND.code
    : errors.ILLEGAL_GENERATION.code
}

function validateClassicCommit(group: ClassicGroup, committer: Committer, kind: CommitKind): PartitionRule | number {
  const { memberId, groupInstanceId, generationIdOrMemberEpoch: generationId } = committer
  if (generationId < 0 && group.state === 'Empty') return ANY_PARTITION
  if (generationId >= 0 || memberId !== '' || groupInstanceId !== null) {
    const errorCode = validateGeneration(group, { memberId, groupInstanceId, generationId })
    if (errorCode !== 0) return errorCode
  } else if (!kind.isTransactional) return errors.UNKNOWN_MEMBER_ID.code
  // The member knows its generation but not yet its partitions: what it commits are none of its own.
  if (!kind.isTransactional && group.state === 'CompletingRebalance') return errors.REBALANCE_IN_PROGRESS.code
  return ANY_PARTITION
}

function validateConsumerCommit(group: ConsumerGroup, committer: Committer, kind: CommitKind): PartitionRule | number {
  const { memberId, groupInstanceId, generationIdOrMemberEpoch: memberEpoch } = committer
  const { apiVersion, isTransactional } = kind
  if (memberEpoch < 0 && group.members.size === 0) return ANY_PARTITION
  const isAnonymous = memberEpoch === LEAVE_EPOCH && memberId === '' && groupInstanceId === null
  if (isTransactional && isAnonymous) return ANY_PARTITION
  const member = group.members.get(memberId)
  if (member === undefined) return errors.UNKNOWN_MEMBER_ID.code
  if (!isTransactional && member.classic === null && apiVersion < CONSUMER_PROTOCOL_VERSION) {
    return errors.UNSUPPORTED_VERSION.code
  }
  if (memberEpoch === member.memberEpoch) return ANY_PARTITION
  // Classic members have generations; so have producers, which know no other word for it (Java: validateTransactionalOffsetCommit).
  const refusal = member.classic !== null || isTransactional ? errors.ILLEGAL_GENERATION : errors.STALE_MEMBER_EPOCH
  if (memberEpoch > member.memberEpoch) return refusal.code
  // KIP-1251: an older epoch of the member will do where the partition has been its own ever since.
  return (topicId, partition) => {
    const assignedIn = assignmentEpoch(member, topicId, partition)
    return assignedIn !== undefined && assignedIn <= memberEpoch ? 0 : refusal.code
  }
}

/** Undefined: the member neither has the partition nor has yet to give it up. */
function assignmentEpoch({ assigned, pendingRevocation }: ConsumerMember, topicId: string, partition: number) {
  return assigned.get(topicId)?.get(partition) ?? pendingRevocation.get(topicId)?.get(partition)
}
