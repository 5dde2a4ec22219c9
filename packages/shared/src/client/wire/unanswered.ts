// Produce with acks 0 has no reply: the client makes one up (Kafka: Sender, for `acks=0`).
import type { ApiName, ApiRequest, ApiResponse } from '../../contracts/api-map.ts'

/** Whether the broker will not answer. */
export function isUnanswered(api: ApiName, request: unknown): boolean {
  return api === 'Produce' && (request as ApiRequest<'Produce'>).acks === 0
}

const accepted = {
  errorCode: 0,
  baseOffset: -1,
  logAppendTimeMs: -1,
  logStartOffset: -1,
  recordErrors: [],
  errorMessage: null,
  currentLeader: { leaderId: -1, leaderEpoch: -1 },
}

/** Every batch taken, at an offset that nobody knows. */
export function replyMadeUp({ topicData }: ApiRequest<'Produce'>): ApiResponse<'Produce'> {
  const responses = topicData.map(({ name, topicId, partitionData }) => ({
    name,
    topicId,
    partitionResponses: partitionData.map(({ index }) => ({ index, ...accepted })),
  }))
  return { responses, throttleTimeMs: 0, nodeEndpoints: [] }
}
