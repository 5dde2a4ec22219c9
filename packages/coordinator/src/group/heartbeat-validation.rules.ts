// What a ConsumerGroupHeartbeat must be, whoever sends it (Java: GroupCoordinatorService.throwIfConsumerGroupHeartbeatRequestIsInvalid). Pure.
import { errors } from '@odradek/shared/protocol/error-codes'
import type { ConsumerGroupHeartbeatRequest } from '@odradek/shared/protocol/messages/68-consumer-group-heartbeat'
import { LEAVE_EPOCH, LEAVE_STATIC_EPOCH } from './consumer-group.ts'
import type { GroupSettings } from './group-settings.ts'

export interface HeartbeatError {
  readonly errorCode: number
  readonly errorMessage: string
}

/** From this version on members make their ids themselves (KIP-1082). */
const OWN_MEMBER_ID_VERSION = 1

/** Null when there is nothing wrong with it. */
export function heartbeatError(
  request: ConsumerGroupHeartbeatRequest,
  apiVersion: number,
  { consumerProtocolEnabled, consumerAssignors }: GroupSettings,
): HeartbeatError | null {
  if (!consumerProtocolEnabled) {
    return error('UNSUPPORTED_VERSION', 'The consumer group protocol is not enabled.')
  }
  const wrong = whatIsWrong(request, apiVersion)
  if (wrong !== null) return error('INVALID_REQUEST', wrong)
  const { serverAssignor } = request
  if (serverAssignor !== null && !consumerAssignors.includes(serverAssignor)) {
    const supported = consumerAssignors.join(', ')
    return error(
      'UNSUPPORTED_ASSIGNOR',
      `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${supported}.`,
    )
  }
  return null
}

function whatIsWrong(request: ConsumerGroupHeartbeatRequest, apiVersion: number): string | null {
  const { groupId, memberId, memberEpoch, instanceId, rackId } = request
  if (groupId === '') return "GroupId can't be empty."
  if (memberId === '' && (apiVersion >= OWN_MEMBER_ID_VERSION || memberEpoch !== 0)) return "MemberId can't be empty."
  if (instanceId === '') return "InstanceId can't be empty."
  if (rackId === '') return "RackId can't be empty."
  if (memberEpoch < LEAVE_STATIC_EPOCH) return 'MemberEpoch is invalid.'
  if (memberEpoch === LEAVE_STATIC_EPOCH && instanceId === null) return "InstanceId can't be null."
  if (memberEpoch === LEAVE_EPOCH || memberEpoch === LEAVE_STATIC_EPOCH) return null
  return memberEpoch === 0 ? whatIsMissingToJoin(request) : null
}

function whatIsMissingToJoin(request: ConsumerGroupHeartbeatRequest): string | null {
  const { rebalanceTimeoutMs, topicPartitions, subscribedTopicNames, subscribedTopicRegex } = request
  if (rebalanceTimeoutMs === -1) return 'RebalanceTimeoutMs must be provided in first request.'
  if (topicPartitions === null || topicPartitions.length > 0) {
    return 'TopicPartitions must be empty when (re-)joining.'
  }
  if (subscribedTopicNames === null && subscribedTopicRegex === null) {
    return 'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.'
  }
  return null
}

export function error(name: keyof typeof errors, errorMessage: string): HeartbeatError {
  return { errorCode: errors[name].code, errorMessage }
}
