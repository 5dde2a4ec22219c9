// Produce at a door: splits the request by partition, has transactional appends verified first (KIP-890), and merges the leaders' replies.

import type { AppendResponse, Verification } from '../../contracts/partition-leader.contract.ts'
import { errors } from '../../protocol/error-codes.ts'
import type {
  PartitionProduceData,
  PartitionProduceResponse,
  ProduceRequest,
  TopicProduceData,
} from '../../protocol/messages/00-produce.ts'
import { NO_LEADER } from './absent.ts'
import type { Answer, Caller, Door } from './door.ts'
import { isInternalTopic } from './internal-topics.ts'
import type { Leader } from './leader-directory.ts'
import { appendedInTransaction, transactionalProducer, verifyAppend } from './verify-append.ts'
import { withLeader } from './with-leader.ts'

export const produce: Answer<'Produce'> = async (door, request, caller) => {
  const [topic] = request.topicData
  // In-process senders ask for one partition at a time, which needs no promises of a list.
  const responses =
    request.topicData.length === 1 && topic!.partitionData.length === 1
      ? [answered(topic!, [await produceTo(door, request, caller, topic!, topic!.partitionData[0]!)])]
      : await Promise.all(request.topicData.map(each => produceToTopic(door, request, caller, each)))
  return { responses, throttleTimeMs: 0, nodeEndpoints: [] }
}

async function produceToTopic(door: Door, request: ProduceRequest, caller: Caller, topic: TopicProduceData) {
  const { partitionData } = topic
  return answered(
    topic,
    await Promise.all(partitionData.map(partition => produceTo(door, request, caller, topic, partition))),
  )
}

function answered({ name, topicId }: TopicProduceData, partitionResponses: PartitionProduceResponse[]) {
  return { name, topicId, partitionResponses }
}

async function produceTo(
  door: Door,
  request: ProduceRequest,
  caller: Caller,
  topic: TopicProduceData,
  { index, records }: PartitionProduceData,
): Promise<PartitionProduceResponse> {
  if (!records || records.byteLength === 0)
    return refused(index, errors.INVALID_RECORD.code, 'the request holds no records for this partition')
  const ref = { topic: topic.name, topicId: topic.topicId, partition: index }
  return withLeader(
    door,
    ref,
    caller,
    async leader => {
      const response = await append(door, leader, request, records, caller)
      return typeof response === 'number' ? refused(index, response, null) : accepted(index, response)
    },
    (code, words) => refused(index, code, words),
  )
}

async function append(
  door: Door,
  leader: Leader,
  { transactionalId, acks }: ProduceRequest,
  records: Uint8Array,
  caller: Caller,
): Promise<AppendResponse | number> {
  // Coordinators alone write what they replay (`ReplicaManager.appendToLocalLog`, `internalTopicsAllowed`).
  if (isInternalTopic(leader.topic)) return errors.INVALID_TOPIC_EXCEPTION.code
  const { deadlineMs } = caller
  const ask = (verification: Verification | undefined) => {
    const appended = { records, acks, origin: 'client', currentLeaderEpoch: -1, verification } as const
    return leader.link.ask('append', appended, { deadlineMs })
  }
  const producer = transactionalId === null ? null : transactionalProducer(records)
  if (producer === null) return ask(undefined)
  const verified = await verifyAppend(door, leader, { transactionalId: transactionalId!, records, producer }, caller)
  if (typeof verified === 'number') return verified
  const response = await ask(verified === 'open' ? undefined : verified)
  // It was open and is not: it has ended, which raised the epoch.
  if (verified === 'open' && response.errorCode === errors.INVALID_TXN_STATE.code)
    return errors.INVALID_PRODUCER_EPOCH.code
  if (response.errorCode === 0) appendedInTransaction(door, leader, producer, caller)
  return response
}

function accepted(index: number, append: AppendResponse): PartitionProduceResponse {
  const { errorCode, errorMessage, baseOffset, logAppendTimeMs, logStartOffset } = append
  const recordErrors = append.recordErrors as PartitionProduceResponse['recordErrors']
  return {
    index,
    errorCode,
    errorMessage,
    baseOffset,
    logAppendTimeMs,
    logStartOffset,
    recordErrors,
    currentLeader: NO_LEADER,
  }
}

function refused(index: number, errorCode: number, errorMessage: string | null): PartitionProduceResponse {
  return {
    index,
    errorCode,
    errorMessage,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    recordErrors: [],
    currentLeader: NO_LEADER,
  }
}
