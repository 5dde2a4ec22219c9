// Which commits of one member go out together, what their OffsetCommit holds, and what its answer means to each of them. Pure.
// Gathering changes no caller's answer: everyone hears the verdict of his own partitions.
import { limits } from '@odradek/shared/base/limits'
import type { CommittedOffset, TopicPartition } from '@odradek/shared/contracts/consumer.contract'
import { errors } from '@odradek/shared/protocol/error-codes'
import type { OffsetCommitRequestTopic, OffsetCommitResponse } from '@odradek/shared/protocol/messages/08-offset-commit'
import { nameOf } from './partition-names.rules.ts'

type Offsets = readonly CommittedOffset[]

/** Kafka's offset record without names and metadata, rounded up. */
const RECORD_CHARS = 64

/**
 * How many of these, which wait in this order, go out in one request: the first, and those behind it while all fits into one batch of the group's log.
 * A partition that is committed twice is sent once, so the verdict of one offset stands for the other: that is so of all refusals but
 * OFFSET_METADATA_TOO_LARGE, hence only offsets whose metadata are equally long go together.
 */
export function gatheredCount(waiting: readonly { readonly offsets: Offsets }[], groupId: string): number {
  const lengths = new Map<string, number>()
  let chars = 0
  for (const [count, { offsets }] of waiting.entries()) {
    for (const offset of offsets) {
      const { topic, metadata } = offset
      const name = nameOf(offset)
      const known = lengths.get(name)
      if (known !== undefined && known !== metadata.length) return Math.max(1, count)
      if (known !== undefined) continue
      lengths.set(name, metadata.length)
      chars += RECORD_CHARS + groupId.length + topic.length + metadata.length
      if (chars > limits.gatheredCommitCharsMax) return Math.max(1, count)
    }
  }
  return waiting.length
}

/**
 * The topics of a request for these commits: of a partition that several commit, the offset of the last. What one commit alone says twice is sent as it
 * was said.
 */
export function gatheredTopics(
  commits: readonly Offsets[],
  topicId: (topic: string) => string,
): OffsetCommitRequestTopic[] {
  const topics = new Map<string, OffsetCommitRequestTopic>()
  const places = new Map<string, number>()
  for (const offsets of commits) {
    for (const each of offsets) {
      const { topic, partition, offset, leaderEpoch, metadata } = each
      let list = topics.get(topic)?.partitions
      if (list === undefined) {
        list = []
        topics.set(topic, { name: topic, topicId: topicId(topic), partitions: list })
      }
      const place = commits.length === 1 ? undefined : places.get(nameOf(each))
      if (place === undefined) places.set(nameOf(each), list.length)
      list[place ?? list.length] = {
        partitionIndex: partition,
        committedOffset: offset,
        committedLeaderEpoch: leaderEpoch,
        committedMetadata: metadata,
      }
    }
  }
  return [...topics.values()]
}

/**
 * Error codes by partition. A partition that was asked twice has the worse of both; one that the answer leaves out has UNKNOWN_SERVER_ERROR. An answer may
 * name a topic by its id alone.
 */
export function codesIn(
  asked: readonly OffsetCommitRequestTopic[],
  { topics }: OffsetCommitResponse,
): (at: TopicPartition) => number {
  const codes = new Map<string, number>()
  for (const { name, topicId } of asked) {
    for (const answered of topics) {
      if (answered.name !== name && (answered.name !== '' || answered.topicId !== topicId)) continue
      for (const { partitionIndex, errorCode } of answered.partitions) {
        const partition = nameOf({ topic: name, partition: partitionIndex })
        codes.set(partition, codes.get(partition) || errorCode)
      }
    }
  }
  return at => codes.get(nameOf(at)) ?? errors.UNKNOWN_SERVER_ERROR.code
}
