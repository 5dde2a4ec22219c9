// Produce 3-13. With acks 0 there is no response; an error then closes the connection, which is how Kafka tells such a client to look for the leader anew.
// Version 12 and up: the append itself adds the partition to the transaction (KIP-890). Records stay where the connection put them, in one buffer that was lent
// for the request: it is given back once all of them are in their logs. After anything else somebody may still hold them, and it is not.
import { giveBack } from '@odradek/shared/base/lent-buffers'
import { answer } from '@odradek/shared/client/port/door'
import type { ApiRequest, ApiResponse } from '@odradek/shared/contracts/api-map'
import { errors } from '@odradek/shared/protocol/error-codes'
import type { Handler } from './handler.ts'

const ACKS = new Set([-1, 0, 1])

export const produceHandler: Handler<'Produce'> = async (request, { door, caller }) => {
  const response = ACKS.has(request.acks) ? await answer(door, 'Produce', request, caller) : refuseAcks(request)
  const failed = failedPartition(response)
  if (failed === undefined) {
    for (const { partitionData } of request.topicData)
      for (const { records } of partitionData) if (records) giveBack(records)
  }
  if (request.acks !== 0) return response
  if (failed !== undefined)
    throw new Error(
      `Produce with acks 0 failed with error ${failed.errorCode}: the connection is closed, since there is no response to say so in`,
    )
  return null
}

function failedPartition({ responses }: ApiResponse<'Produce'>) {
  for (const { partitionResponses } of responses) {
    for (const partition of partitionResponses) if (partition.errorCode !== 0) return partition
  }
  return undefined
}

function refuseAcks(request: ApiRequest<'Produce'>): ApiResponse<'Produce'> {
  const refused = {
    errorCode: errors.INVALID_REQUIRED_ACKS.code,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    recordErrors: [],
  }
  const responses = request.topicData.map(({ name, topicId, partitionData }) => ({
    name,
    topicId,
    partitionResponses: partitionData.map(({ index }) => ({
      index,
      ...refused,
      errorMessage: `acks must be -1, 0 or 1, got ${request.acks}`,
      currentLeader: { leaderId: -1, leaderEpoch: -1 },
    })),
  }))
  return { responses, throttleTimeMs: 0, nodeEndpoints: [] }
}
