// The small requests that a door splits by partition: ListOffsets, DeleteRecords, OffsetForLeaderEpoch, DescribeProducers, WriteTxnMarkers.
import { errors } from '../../protocol/error-codes.ts'
import type { Answer, Door } from './door.ts'
import { internalTopics, isInternalTopic } from './internal-topics.ts'
import { withLeader } from './with-leader.ts'

export const listOffsets: Answer<'ListOffsets'> = async (door, request, caller) => {
  const topics = request.topics.map(async ({ name, partitions }) => ({
    name,
    partitions: await Promise.all(
      partitions.map(({ partitionIndex, currentLeaderEpoch, timestamp }) =>
        withLeader(
          door,
          { topic: name, partition: partitionIndex },
          caller,
          async ({ link }) => {
            const found = await link.ask(
              'listOffsets',
              { currentLeaderEpoch, timestamp, isolationLevel: request.isolationLevel },
              { deadlineMs: caller.deadlineMs },
            )
            return { partitionIndex, ...found }
          },
          code => ({ partitionIndex, errorCode: code, timestamp: -1, offset: -1, leaderEpoch: -1 }),
        ),
      ),
    ),
  }))
  return { throttleTimeMs: 0, topics: await Promise.all(topics) }
}

export const deleteRecords: Answer<'DeleteRecords'> = async (door, request, caller) => {
  const topics = request.topics.map(async ({ name, partitions }) => ({
    name,
    partitions: await Promise.all(
      partitions.map(({ partitionIndex, offset }) => {
        const refusal = (errorCode: number) => ({ partitionIndex, lowWatermark: -1, errorCode })
        return withLeader(
          door,
          { topic: name, partition: partitionIndex },
          caller,
          async ({ topic, link }) =>
            // What coordinators replay is theirs to shorten (`ReplicaManager.deleteRecordsOnLocalLog`).
            isInternalTopic(topic)
              ? refusal(errors.INVALID_TOPIC_EXCEPTION.code)
              : {
                  partitionIndex,
                  ...(await link.ask('deleteRecords', { offset }, { deadlineMs: caller.deadlineMs })),
                },
          refusal,
        )
      }),
    ),
  }))
  return { throttleTimeMs: 0, topics: await Promise.all(topics) }
}

export const offsetForLeaderEpoch: Answer<'OffsetForLeaderEpoch'> = async (door, request, caller) => {
  const topics = request.topics.map(async ({ topic, partitions }) => ({
    topic,
    partitions: await Promise.all(
      partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) =>
        withLeader(
          door,
          { topic, partition },
          caller,
          async ({ link }) => {
            const end = await link.ask(
              'offsetForLeaderEpoch',
              { currentLeaderEpoch, leaderEpoch },
              { deadlineMs: caller.deadlineMs },
            )
            return { partition, ...end }
          },
          code => ({ errorCode: code, partition, leaderEpoch: -1, endOffset: -1 }),
        ),
      ),
    ),
  }))
  return { throttleTimeMs: 0, topics: await Promise.all(topics) }
}

export const describeProducers: Answer<'DescribeProducers'> = async (door, request, caller) => {
  const topics = request.topics.map(async ({ name, partitionIndexes }) => ({
    name,
    partitions: await Promise.all(
      partitionIndexes.map(partitionIndex =>
        withLeader(
          door,
          { topic: name, partition: partitionIndex },
          caller,
          async ({ link }) => {
            const { producers } = await link.ask('describeProducers', {}, { deadlineMs: caller.deadlineMs })
            return {
              partitionIndex,
              errorCode: 0,
              errorMessage: null as string | null,
              activeProducers: [...producers],
            }
          },
          code => ({ partitionIndex, errorCode: code, errorMessage: null, activeProducers: [] }),
        ),
      ),
    ),
  }))
  return { throttleTimeMs: 0, topics: await Promise.all(topics) }
}

export const writeTxnMarkers: Answer<'WriteTxnMarkers'> = async (door, request, caller) => {
  const markers = request.markers.map(
    async ({ producerId, producerEpoch, transactionResult, topics, coordinatorEpoch, transactionVersion }) => {
      const marker = { producerId, producerEpoch, transactionResult, coordinatorEpoch, transactionVersion }
      const results = topics.map(async ({ name, partitionIndexes }) => ({
        name,
        partitions: await Promise.all(
          partitionIndexes.map(partitionIndex =>
            withLeader(
              door,
              { topic: name, partition: partitionIndex },
              caller,
              async ({ link }) => ({
                partitionIndex,
                errorCode: await writeMarker(door, name, partitionIndex, link, marker, caller.deadlineMs),
              }),
              code => ({ partitionIndex, errorCode: code }),
            ),
          ),
        ),
      }))
      return { producerId, topics: await Promise.all(results) }
    },
  )
  return { markers: await Promise.all(markers) }
}

/** A group's partition: its coordinator appends the marker and applies the staged offsets before it answers (DESIGN 8). */
async function writeMarker(
  door: Door,
  topic: string,
  partition: number,
  leader: NonNullable<ReturnType<Door['leaders']['known']>>['link'],
  marker: Parameters<typeof leader.ask<'writeMarker'>>[1],
  deadlineMs: number,
): Promise<number> {
  if (topic !== internalTopics.offsets) return (await leader.ask('writeMarker', marker, { deadlineMs })).errorCode
  const shard = await door.coordinators.shard('group', partition, deadlineMs)
  return shard === null
    ? errors.NOT_LEADER_OR_FOLLOWER.code
    : (await shard.ask('writeMarker', marker, { deadlineMs })).errorCode
}
