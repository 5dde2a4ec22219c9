// Asks the group's coordinator what is committed, until it answers or a deadline has passed. Owned by OffsetCommits.
import { assert } from '@odradek/shared/base/assert'
import type { CommittedOffset, GroupMetadata, TopicPartition } from '@odradek/shared/contracts/consumer.contract'
import { errorOf } from '@odradek/shared/protocol/error-codes'
import { ZERO_UUID } from '@odradek/shared/protocol/schema'
import { type CommitVerdict, worstVerdict } from './commits.rules.ts'
import {
  type AttemptPauses,
  type AttemptsHost,
  consumerClosed,
  isUnanswered,
  refusalOf,
  tookTooLong,
} from './coordinator-attempts.ts'
import { byTopic } from './partition-names.rules.ts'

interface Answer {
  readonly verdict: CommitVerdict
  readonly errorCode: number
  /** As which member it was asked for; null: nobody answered. */
  readonly askedAs: GroupMetadata | null
  readonly offsets: readonly CommittedOffset[]
}

const WHAT = 'fetching committed offsets'

export class CommittedOffsets {
  readonly #host: AttemptsHost
  readonly #pauses: AttemptPauses

  constructor(host: AttemptsHost, pauses: AttemptPauses) {
    this.#host = host
    this.#pauses = pauses
  }

  /** Partitions without one are left out. Waits out pending transactional offsets (KIP-447). Rejects with a PortError: ODK_TIMEOUT past `deadlineMs`. */
  async of(partitions: readonly TopicPartition[], deadlineMs: number): Promise<readonly CommittedOffset[]> {
    const { clock, link, input, signal } = this.#host
    const endMs = clock.monotonic() + deadlineMs
    for (let tries = 0; ; tries++) {
      const leftMs = endMs - clock.monotonic()
      if (leftMs <= 0) throw tookTooLong(WHAT)
      const { verdict, errorCode, askedAs, offsets } = await this.#fetch(partitions, leftMs).catch(unanswered)
      if (verdict === 'ok') return offsets
      if (verdict === 'rejoin' && this.#pauses.isStill(askedAs)) this.#host.fenced(errorOf(errorCode).name)
      const refusal = refusalOf(WHAT, verdict, errorCode)
      if (refusal !== null) throw refusal
      if (verdict === 'refind') link.forgetCoordinator('group', input.group!.groupId)
      if (signal.aborted) throw consumerClosed(WHAT)
      await this.#pauses.pause(tries, { isStale: verdict === 'stale', askedAs })
    }
  }

  async #fetch(partitions: readonly TopicPartition[], leftMs: number): Promise<Answer> {
    const { link, input, signal } = this.#host
    const askedAs = this.#host.metadata()
    const { groupId, generationId, memberId } = askedAs
    const deadlineMs = Math.min(leftMs, input.requestTimeoutMs)
    const coordinator = await link.coordinator('group', groupId, { deadlineMs, signal })
    const topics = byTopic(partitions, ({ partition }) => partition).map(([name, partitionIndexes]) => ({
      name,
      topicId: link.topic(name)?.topicId ?? ZERO_UUID,
      partitionIndexes,
    }))
    const byEpoch = input.group!.groupProtocol === 'consumer' && memberId !== ''
    const group = { groupId, memberId: byEpoch ? memberId : null, memberEpoch: byEpoch ? generationId : -1, topics }
    const request = { groupId: '', topics: [], groups: [group], requireStable: true }
    const answer = await link.request(coordinator, 'OffsetFetch', request, { deadlineMs, signal })
    const found = answer.groups[0]
    assert(found !== undefined, 'OffsetFetch answers the group that was asked for')
    const codes = found.topics.flatMap(topic => topic.partitions.map(({ errorCode }) => errorCode))
    const offsets = found.topics.flatMap(({ name, partitions: list }) =>
      list
        .filter(({ committedOffset, errorCode }) => errorCode === 0 && committedOffset >= 0)
        .map(({ partitionIndex, committedOffset, committedLeaderEpoch, metadata }) => ({
          topic: name,
          partition: partitionIndex,
          offset: committedOffset,
          leaderEpoch: committedLeaderEpoch,
          metadata: metadata ?? '',
        })),
    )
    return { ...worstVerdict([found.errorCode, ...codes]), askedAs, offsets }
  }
}

function unanswered(thrown: unknown): Answer {
  if (isUnanswered(thrown)) return { verdict: 'refind', errorCode: 0, askedAs: null, offsets: [] }
  throw thrown
}
